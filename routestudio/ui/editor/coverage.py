"""Which ways through a function its samples and its route tests take, a mark per line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """The mark of one line: its worst way, and all of them in words."""

    kind: str
    text: str


def marks_of(points: Sequence[Mapping[str, Any]]) -> dict[int, Mark]:
    """Marks by line, from 1, of the points of a `coverage` answer.

    Each point has `line`, `kind`, `taken` (rows) and `tested` (route tests).
    """
    lines: dict[int, list[Mapping[str, Any]]] = {}
    for point in points:
        lines.setdefault(int(point["line"]), []).append(point)
    return {line: _mark(found) for line, found in lines.items()}


def _mark(points: Sequence[Mapping[str, Any]]) -> Mark:
    kinds = {_kind(point) for point in points}
    kind = next(kind for kind in (MISSED, TAKEN, TESTED) if kind in kinds)
    lines = [f"{point['kind']}: {_counts(point)}" for point in points]
    return Mark(kind, "\n".join([f"Branch coverage: {_MEANING[kind]}", *lines]))


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
