"""The shortest edit script of two lists, as `List.myers_difference` finds it."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.values import atom

_EQ, _INS, _DEL = atom("eq"), atom("ins"), atom("del")
_MAX = 4_000
"""Longest lists: the work grows with the square of their difference."""

Path = tuple[int, list[Any], list[Any], list[tuple[Any, Any]]]


def _snake(path: Path) -> Path:
    """Walk along while both sides are the same."""
    y, left, right, edits = path
    at = 0
    while at < len(left) and at < len(right) and ops.same(left[at], right[at]):
        at += 1
    if not at:
        return path
    return y + at, left[at:], right[at:], [*edits, *((_EQ, item) for item in left[:at])]


def _right(path: Path) -> Path:
    y, left, right, edits = path
    if not right:
        return path
    return y, left, right[1:], [*edits, (_INS, right[0])]


def _down(path: Path) -> Path:
    y, left, right, edits = path
    if not left:
        return y + 1, left, right, edits
    return y + 1, left[1:], right, [*edits, (_DEL, left[0])]


def script(left: list[Any], right: list[Any]) -> list[tuple[Any, list[Any]]]:
    """Pairs of `:eq`, `:del` or `:ins` and the items."""
    if len(left) + len(right) > _MAX:
        raise NotEvaluated("the difference of lists this long")
    envelope = 0
    paths: list[Path] = [(0, left, right, [])]
    while True:
        found: list[Path] = []
        rest = paths
        for diagonal in range(-envelope, envelope + 1, 2):
            path, rest = _choose(diagonal, envelope, rest)
            path = _snake(path)
            if not path[1] and not path[2]:
                return _grouped(path[3])
            found.append(path)
        envelope, paths = envelope + 1, found


def _choose(diagonal: int, limit: int, paths: list[Path]) -> tuple[Path, list[Path]]:
    head = paths[0]
    if limit == 0:
        return head, []
    if diagonal == -limit:
        return _down(head), paths
    if diagonal == limit:
        return _right(head), []
    second = paths[1]
    if head[0] > second[0]:
        return _right(head), paths[1:]
    return _down(second), paths[1:]


def _grouped(edits: list[tuple[Any, Any]]) -> list[tuple[Any, list[Any]]]:
    """Edits of one kind together; an insertion between equal parts moves to the front of them."""
    found: list[tuple[Any, list[Any]]] = []
    at = len(edits)
    while at:
        kind, item = edits[at - 1]
        if found and found[0][0] is kind:
            found[0][1].insert(0, item)
        elif [part[0] for part in found[:3]] == [_EQ, _INS, _EQ] and ops.same(
            found[0][1], found[1][1]
        ):
            moved = found[0][1]
            found[:3] = [(_INS, moved), (_EQ, [*moved, *found[2][1]])]
            continue
        else:
            found.insert(0, (kind, [item]))
        at -= 1
    return found
