"""Which ways through a function its samples and its route tests take, a mark per line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routestudio.model.wording import counted

_MOST = 4
"""Ways of one line that its note counts."""

TESTED, TAKEN, MISSED = "tested", "taken", "missed"

ROLES: Mapping[str, str] = {TESTED: "positive", TAKEN: "warning", MISSED: "danger"}
"""Colour of each mark."""

_MEANING = {
    TESTED: "every branch is taken by route tests",
    TAKEN: "every branch is taken, but not all by route tests",
    MISSED: "a branch is never taken",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one line: its worst way, all of them in words, and the note behind the line.

    A note is in parts; those that are true in `missing` are ways that no row takes.
    """

    kind: str
    text: str
    note: tuple[str, ...] = ()
    missing: tuple[bool, ...] = ()


def marks_of(points: Sequence[Mapping[str, Any]], first: int | None = None) -> dict[int, Mark]:
    """Marks by line, from 1, of the points of a `coverage` answer.

    Each point has `line`, `kind`, `taken` (rows) and `tested` (route tests). `first` is how many
    rows were looked at, where the sample set has more.
    """
    lines: dict[int, list[Mapping[str, Any]]] = {}
    for point in points:
        lines.setdefault(int(point["line"]), []).append(point)
    return {line: _mark(found, first) for line, found in lines.items()}


def _mark(points: Sequence[Mapping[str, Any]], first: int | None) -> Mark:
    kinds = {_kind(point) for point in points}
    kind = next(kind for kind in (MISSED, TAKEN, TESTED) if kind in kinds)
    lines = [f"{point['kind']}: {_counts(point)}" for point in points]
    lines += [f"Of the first {first:,} rows"] if first is not None else []
    shown = points if len(points) <= _MOST else points[: _MOST - 1]
    note = [_note(point, alone=len(points) == 1) for point in shown]
    missing = [not point["taken"] for point in shown]
    if len(shown) < len(points):
        rest = points[len(shown) :]
        note.append(f"{len(rest)} more")
        missing.append(any(not point["taken"] for point in rest))
    text = "\n".join([f"Branch coverage: {_MEANING[kind]}", *lines])
    return Mark(kind, text, tuple(note), tuple(missing))


def _note(point: Mapping[str, Any], *, alone: bool) -> str:
    """How many rows take one way, behind its line: `12 rows`, or `else 12 rows` among others."""
    rows = counted(point["taken"], "row")
    return rows if alone else f"{point['kind']} {rows}"


def _kind(point: Mapping[str, Any]) -> str:
    if point["tested"]:
        return TESTED
    return TAKEN if point["taken"] else MISSED


def _counts(point: Mapping[str, Any]) -> str:
    if not point["taken"] and not point["tested"]:
        return "never taken by a row or a route test"
    return f"{_many(point['taken'], 'row')}, {_many(point['tested'], 'route test')}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s" if count else f"no {what}"
