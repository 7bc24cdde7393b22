"""The tables that the fault tests print: one line for each case, and the totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

TITLES: Final = {
    "faults": "Deliveries into services that fail",
    "kills": "Runs whose engine was killed again and again (SIGKILL)",
    "workers": "Runs whose worker processes were killed (SIGKILL)",
    "disks": "Runs whose disk was full",
}
_NOT_ADDED: Final = frozenset({"run", "longest"})


def tables(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """The lines of all tables."""
    for name, title in TITLES.items():
        rows = found.get(name)
        if rows:
            yield ""
            yield title
            yield from table(rows)


def table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One table: numbers to the right, with their sum below."""
    heads = list(rows[0])
    numeric = {head for head in heads if all(_number(row[head]) for row in rows)}
    total = {
        head: _sum(row[head] for row in rows) if head in numeric - _NOT_ADDED else ""
        for head in heads
    }
    total[heads[0]] = "total"
    lines = [{head: head for head in heads}, *rows, total]
    widths = {head: max(len(_text(line[head])) for line in lines) for head in heads}
    for place, line in enumerate(lines):
        if place in (1, len(lines) - 1):
            yield "-" * (sum(widths.values()) + 2 * len(widths) - 2)
        cells = [
            _text(line[head]).rjust(widths[head])
            if head in numeric
            else _text(line[head]).ljust(widths[head])
            for head in heads
        ]
        yield "  ".join(cells).rstrip()


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _sum(values: Any) -> float:
    return float(round(sum(values), 2))


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
