"""Where the nodes and ways of the project's picture go. Plain functions, without Qt.

Nodes stand in columns. Within a column they are ordered by where their neighbours are, over and
over from both sides, and the order with the fewest crossings is kept. A way over several columns
keeps a place free in each, so that it does not run under nodes.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal

WIDTH: Final = 208.0
WIDE: Final = 252.0
"""Width of destinations, whose names are long."""
GAP: Final = 74.0
"""Between columns."""
HEIGHTS: Final = {"table": 44.0, "sink": 44.0, "destination": 30.0}
HEIGHT: Final = 44.0
LOSS: Final = 26.0
BETWEEN: Final = 14.0
_PASSING: Final = 10.0
"""Height that a way takes in a column that it passes."""
_PORT: Final = 13.0
"""Between the ends of ways at one side of a node, where there is room."""
_SWEEPS: Final = 8
_PULLS: Final = 12
HEAD: Final = 34.0
"""Room for the titles of the columns."""

Direction = Literal["left", "right", "up", "down"]


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a node."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height at which ways begin and end."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A way: its points, from the right side of a node to the left side of another."""

    start: str
    end: str
    rows: int
    state: str
    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]
    """The middle of its number: near the end at which fewer ways meet."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Everything with its place; `heads` are the columns' titles with their left edges."""

    boxes: Mapping[str, Box]
    lines: Sequence[Line]
    heads: Sequence[tuple[str, float]]
    width: float
    height: float


@dataclass(slots=True)
class _Grid:
    """Columns of ids in order; ids of passing ways are tuples. `links` are between neighbours."""

    columns: list[list[Any]]
    heights: dict[Any, float]
    right: dict[Any, list[Any]] = field(default_factory=dict)
    left: dict[Any, list[Any]] = field(default_factory=dict)

    def link(self, start: Any, end: Any) -> None:
        self.right.setdefault(start, []).append(end)
        self.left.setdefault(end, []).append(start)


def place(picture: Mapping[str, Any]) -> Placed:
    """The layout of a picture (`engine.picture`)."""
    grid, chains = _grid(picture)
    _order(grid)
    tops = _heights(grid)
    lowest = min((tops[i] for column in grid.columns for i in column), default=0.0)
    boxes = {}
    last = {node["column"] for node in picture["nodes"] if node["kind"] == "destination"}
    wide = [WIDE if number in last else WIDTH for number in range(len(grid.columns))]
    for number, column in enumerate(grid.columns):
        x = number * (WIDTH + GAP)
        for item in column:
            y = tops[item] - lowest + HEAD
            boxes[item] = Box(x, y, wide[number], grid.heights[item])
    starts, ends = _ports(chains, boxes, 0), _ports(chains, boxes, -1)
    lines = [
        Line(way["from"], way["to"], way["rows"], way["state"],
             points := _points(chain, boxes, starts[number], ends[number]),
             _label(points, len(grid.right[way["from"]]), len(grid.left[way["to"]])))
        for number, (way, chain) in enumerate(zip(picture["ways"], chains, strict=True))
    ]  # fmt: skip
    heads = [(title, n * (WIDTH + GAP)) for n, title in enumerate(picture["columns"])]
    nodes = {key: box for key, box in boxes.items() if isinstance(key, str)}
    height = max((box.y + box.height for box in nodes.values()), default=HEAD)
    width = max(0.0, sum(wide) + GAP * (len(wide) - 1))
    return Placed(nodes, lines, heads, width, height)


def crossings(columns: Sequence[Sequence[Any]], right: Mapping[Any, Sequence[Any]]) -> int:
    """How many ways between neighbouring columns cross."""
    count = 0
    for here, there in pairwise(columns):
        at = {item: number for number, item in enumerate(there)}
        ends: list[int] = []
        for item in here:
            found = sorted(at[other] for other in right.get(item, ()))
            for end in found:
                count += len(ends) - bisect_left(ends, end + 1)
            for end in found:
                insort(ends, end)
    return count


def neighbour(
    boxes: Mapping[str, Box], ways: Sequence[tuple[str, str, int]], here: str, direction: Direction
) -> str:
    """The node that an arrow key leads to; `here` when there is none.

    Up and down stay in the column. Left and right follow the way with the most rows, and without
    one go to the nearest node of the next column.
    """
    box = boxes[here]
    if direction in ("up", "down"):
        down = direction == "down"
        column = sorted((b.y, key) for key, b in boxes.items() if b.x == box.x)
        found = [key for y, key in column if (y > box.y if down else y < box.y)]
        return here if not found else found[0] if down else found[-1]
    right = direction == "right"
    linked = [(rows, -abs(boxes[key].middle - box.middle), key)
              for start, end, rows in ways
              for key in [end if right else start]
              if (start if right else end) == here and key in boxes]  # fmt: skip
    if linked:
        return max(linked)[2]
    beside = [b.x for b in boxes.values() if (b.x > box.x if right else b.x < box.x)]
    if not beside:
        return here
    x = min(beside) if right else max(beside)
    near = [(abs(b.middle - box.middle), key) for key, b in boxes.items() if b.x == x]
    return min(near)[1]


def _grid(picture: Mapping[str, Any]) -> tuple[_Grid, list[list[Any]]]:
    """The columns, with a place in each for the ways that pass it; and each way's places."""
    columns: list[list[Any]] = [[] for _ in picture["columns"]]
    column_of, heights = {}, {}
    for node in picture["nodes"]:
        columns[node["column"]].append(node["id"])
        column_of[node["id"]] = node["column"]
        loss = node["form"] in ("failed", "filtered")
        heights[node["id"]] = LOSS if loss else HEIGHTS.get(node["kind"], HEIGHT)
    grid = _Grid(columns, heights)
    chains = []
    for way in picture["ways"]:
        start, end = way["from"], way["to"]
        chain = [start]
        for number in range(column_of[start] + 1, column_of[end]):
            passing = (start, end, number)
            if passing not in heights:
                heights[passing] = _PASSING
                columns[number].append(passing)
            chain.append(passing)
        chain.append(end)
        for one, other in pairwise(chain):
            grid.link(one, other)
        chains.append(chain)
    return grid, chains


def _order(grid: _Grid) -> None:
    """Order each column by its neighbours' places, back and forth; the best order is kept."""
    best = [list(column) for column in grid.columns]
    fewest = crossings(grid.columns, grid.right)
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        numbers = range(1, len(grid.columns))
        for number in numbers if forth else reversed(range(len(grid.columns) - 1)):
            beside = grid.columns[number - 1 if forth else number + 1]
            _sort(grid.columns[number], beside, grid.left if forth else grid.right)
        count = crossings(grid.columns, grid.right)
        if count < fewest:
            fewest, best = count, [list(column) for column in grid.columns]
    grid.columns[:] = best


def _sort(column: list[Any], beside: Sequence[Any], sides: Mapping[Any, Sequence[Any]]) -> None:
    """Order a column by the mean places of what each is linked with in the column beside it."""
    at = {item: number for number, item in enumerate(beside)}
    own = {item: number for number, item in enumerate(column)}

    def middle(item: Any) -> float:
        found = [at[other] for other in sides.get(item, ()) if other in at]
        if not found:
            return float(own[item]) / len(own) * len(beside)
        return sum(found) / len(found)

    column.sort(key=lambda item: (middle(item), own[item]))


def _heights(grid: _Grid) -> dict[Any, float]:
    """The top of each place: stacked in order, and drawn towards what it is linked with."""
    tops: dict[Any, float] = {}
    for column in grid.columns:
        total = sum(grid.heights[item] + BETWEEN for item in column) - BETWEEN
        y = -total / 2
        for item in column:
            tops[item] = y
            y += grid.heights[item] + BETWEEN
    for pull in range(_PULLS):
        forth = pull % 2 == 0
        sides = grid.left if forth else grid.right
        for column in grid.columns if forth else reversed(grid.columns):
            _pull(column, sides, grid.heights, tops)
    return tops


def _pull(
    column: Sequence[Any],
    sides: Mapping[Any, Sequence[Any]],
    heights: Mapping[Any, float],
    tops: dict[Any, float],
) -> None:
    """Move the places of a column to the mean of their neighbours as far as their order allows.

    Places that would overlap become a block, which goes where its members want to be on average.
    """
    blocks: list[list[float]] = []  # the place wanted by its first, members, height
    for item in column:
        near = [tops[other] + heights[other] / 2 for other in sides.get(item, ())]
        wanted = sum(near) / len(near) - heights[item] / 2 if near else tops[item]
        blocks.append([wanted, 1, heights[item] + BETWEEN])
        while len(blocks) > 1 and blocks[-2][0] + blocks[-2][2] > blocks[-1][0]:
            at, count, height = blocks.pop()
            before = blocks[-1]
            moved = at - before[2]
            before[0] = (before[0] * before[1] + moved * count) / (before[1] + count)
            before[1] += count
            before[2] += height
    members = iter(column)
    for at, count, _ in blocks:
        y = at
        for _ in range(int(count)):
            item = next(members)
            tops[item] = y
            y += heights[item] + BETWEEN


def _ports(
    chains: Sequence[Sequence[Any]], boxes: Mapping[Any, Box], end: Literal[0, -1]
) -> list[float]:
    """The heights at which ways leave (`end` 0) or reach (-1) their nodes: side by side, in the
    order of where they go."""
    at: dict[Any, list[tuple[float, int]]] = {}
    for number, chain in enumerate(chains):
        beside = boxes[chain[1] if end == 0 else chain[-2]]
        at.setdefault(chain[end], []).append((beside.middle, number))
    found = [0.0] * len(chains)
    for item, ways in at.items():
        box = boxes[item]
        step = min(_PORT, (box.height - 10) / max(1, len(ways) - 1))
        for place, (_, number) in enumerate(sorted(ways)):
            found[number] = box.middle + (place - (len(ways) - 1) / 2) * step
    return found


def _points(
    chain: Sequence[Any], boxes: Mapping[Any, Box], start: float, end: float
) -> tuple[tuple[float, float], ...]:
    """From node to node, straight through the places that are kept free."""
    first, last = boxes[chain[0]], boxes[chain[-1]]
    points = [(first.x + first.width, start)]
    for item in chain[1:-1]:
        box = boxes[item]
        points += [(box.x, box.middle), (box.x + box.width, box.middle)]
    return (*points, (last.x, end))


def _label(points: Sequence[tuple[float, float]], leave: int, reach: int) -> tuple[float, float]:
    """Near the end where there is more room, on the curve between its two points."""
    (x1, y1), (x2, y2) = points[-2:] if reach <= leave else points[:2]
    part = 0.8 if reach <= leave else 0.2
    return along((x1, y1), (x2, y2), part)


def along(start: tuple[float, float], end: tuple[float, float], part: float) -> tuple[float, float]:
    """A place on the curve between two points, which leaves and arrives level."""
    (x1, y1), (x2, y2) = start, end
    bend = (x2 - x1) / 2
    rest = 1 - part
    across = (rest**3 * x1 + 3 * rest**2 * part * (x1 + bend) + 3 * rest * part**2 * (x2 - bend)
              + part**3 * x2)  # fmt: skip
    up = (rest**3 + 3 * rest**2 * part) * y1 + (3 * rest * part**2 + part**3) * y2
    return across, up
