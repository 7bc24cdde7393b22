"""The layout of the project's picture, without Qt."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from routestudio.ui.documents.picture_layout import (
    BETWEEN,
    Box,
    along,
    crossings,
    neighbour,
    place,
)


def drawn(
    columns: list[list[str]], ways: list[tuple[str, str]], losses: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "columns": [f"Column {number}" for number in range(len(columns))],
        "nodes": [
            {"id": name, "column": number, "kind": "table",
             "form": "failed" if name in losses else "one"}
            for number, names in enumerate(columns) for name in names
        ],
        "ways": [{"from": a, "to": b, "rows": 1, "state": "ok"} for a, b in ways],
    }  # fmt: skip


def crossed(found: Any, columns: list[list[str]], ways: list[tuple[str, str]]) -> int:
    right: dict[str, list[str]] = {}
    for start, end in ways:
        right.setdefault(start, []).append(end)
    ordered = [sorted(names, key=lambda name: found.boxes[name].y) for names in columns]
    return crossings(ordered, right)


def test_crossings_are_counted() -> None:
    assert crossings([["a", "b"], ["c", "d"]], {"a": ["d"], "b": ["c"]}) == 1
    assert crossings([["a", "b"], ["c", "d"]], {"a": ["c"], "b": ["d"]}) == 0
    assert crossings([["a", "b"], ["c", "d"]], {"a": ["c", "d"], "b": ["c", "d"]}) == 1
    assert crossings([["a", "b"], ["c"]], {"a": ["c"], "b": ["c"]}) == 0


def test_crossings_that_can_be_avoided_are() -> None:
    columns = [[f"a{n}" for n in range(9)], [f"b{n}" for n in range(9)], ["c0", "c1", "c2"]]
    ways = [(f"a{n}", f"b{8 - n}") for n in range(9)]
    ways += [(f"b{n}", f"c{2 - n // 3}") for n in range(9)]
    shuffled = [random.Random(3).sample(column, len(column)) for column in columns]
    found = place(drawn(shuffled, ways))
    assert crossed(found, columns, ways) == 0


def test_nodes_of_a_column_stand_apart_and_columns_beside_each_other() -> None:
    rng = random.Random(5)
    columns = [[f"{c}{n}" for n in range(rng.randrange(1, 30))] for c in "abcde"]
    ways = [(rng.choice(one), rng.choice(other)) for one, other in pairwise(columns)
            for _ in range(40)]  # fmt: skip
    ways += [(rng.choice(columns[0]), rng.choice(columns[4])) for _ in range(9)]
    ways = list(dict.fromkeys(ways))
    found = place(drawn(columns, ways, losses=("b0", "c0")))
    edge = -1.0
    for names in columns:
        boxes = sorted((found.boxes[name] for name in names), key=lambda box: box.y)
        assert len({box.x for box in boxes}) == 1
        assert boxes[0].x > edge
        edge = boxes[0].x + boxes[0].width
        for upper, lower in pairwise(boxes):
            assert lower.y >= upper.y + upper.height + BETWEEN - 0.001
    assert min(box.y for box in found.boxes.values()) >= 0
    assert max(box.y + box.height for box in found.boxes.values()) <= found.height
    assert found.width == edge
    assert found.boxes["b0"].height < found.boxes["a0"].height


def test_ways_begin_and_end_at_their_nodes_and_pass_between_others() -> None:
    columns = [["a"], ["b", "c"], ["d"]]
    found = place(drawn(columns, [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d")]))
    for line in found.lines:
        start, end = found.boxes[line.start], found.boxes[line.end]
        assert line.points[0][0] == start.x + start.width
        assert start.y <= line.points[0][1] <= start.y + start.height
        assert line.points[-1][0] == end.x
        assert end.y <= line.points[-1][1] <= end.y + end.height
    [passing] = [line for line in found.lines if (line.start, line.end) == ("a", "d")]
    (_, _), (_, y), (_, same), (_, _) = passing.points
    assert y == same
    for name in ("b", "c"):
        box = found.boxes[name]
        assert not box.y <= y <= box.y + box.height
    ends = [line.points[-1][1] for line in found.lines if line.end == "d"]
    assert len(set(ends)) == 3


def test_the_number_of_a_way_is_on_it() -> None:
    found = place(drawn([["a"], ["b", "c"]], [("a", "b"), ("a", "c")]))
    for line in found.lines:
        near = min(abs(along(line.points[0], line.points[1], part / 50)[1] - line.label[1])
                   + abs(along(line.points[0], line.points[1], part / 50)[0] - line.label[0])
                   for part in range(51))  # fmt: skip
        assert near < 3


def test_an_empty_picture_has_a_layout() -> None:
    found = place(drawn([], []))
    assert (found.boxes, list(found.lines), found.width) == ({}, [], 0.0)


def test_arrow_keys_go_along_ways_and_columns() -> None:
    boxes = {"a": Box(0, 0, 10, 10), "b": Box(0, 50, 10, 10), "c": Box(20, 0, 10, 10),
             "d": Box(20, 50, 10, 10), "e": Box(40, 55, 10, 10)}  # fmt: skip
    ways = [("a", "c", 3), ("a", "d", 9), ("d", "e", 1)]
    assert neighbour(boxes, ways, "a", "right") == "d"
    assert neighbour(boxes, ways, "d", "left") == "a"
    assert neighbour(boxes, ways, "b", "right") == "d"  # no way: the nearest
    assert neighbour(boxes, ways, "c", "right") == "e"
    assert neighbour(boxes, ways, "e", "right") == "e"
    assert neighbour(boxes, ways, "a", "left") == "a"
    assert neighbour(boxes, ways, "a", "down") == "b"
    assert neighbour(boxes, ways, "b", "down") == "b"
    assert neighbour(boxes, ways, "b", "up") == "a"


def test_every_node_is_reached_by_arrow_keys() -> None:
    rng = random.Random(11)
    columns = [[f"{c}{n}" for n in range(6)] for c in "abcd"]
    pairs = {(rng.choice(one), rng.choice(other)) for one, other in pairwise(columns)
             for _ in range(7)}  # fmt: skip
    found = place(drawn(columns, sorted(pairs)))
    ways = [(start, end, 1) for start, end in sorted(pairs)]
    seen, open_ = {"a0"}, ["a0"]
    while open_:
        here = open_.pop()
        for direction in ("left", "right", "up", "down"):
            there = neighbour(found.boxes, ways, here, direction)
            if there not in seen:
                seen.add(there)
                open_.append(there)
    assert seen == set(found.boxes)
