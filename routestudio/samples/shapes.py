"""Which columns the rows of a set have: those that come and go, and in which rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.model.message import Message

MOST_SHAPES: Final = 200
"""Sets of columns of one table that are distinguished; what is over is not looked at."""
MOST_TABLES: Final = 200
_MOST_RANGES: Final = 200
_SHOWN: Final = 4
"""Ranges of rows that are written out."""

Range = tuple[int, int]


@dataclass(slots=True)
class _Shape:
    """Rows with the same columns: how many, how many of them deletes, and which."""

    count: int = 0
    deletes: int = 0
    ranges: list[Range] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    rows: int = 0
    deletes: int = 0
    last: _Shape | None = None
    shapes: dict[tuple[str, ...], _Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that some rows of a table have and others do not.

    `have` and `lack` are numbers of rows, `rows` of all; `lacking` names the rows that lack it, in
    words. `deletes` of those that lack it are deletes, which often carry the key only.
    """

    table: str
    name: str
    rows: int
    have: int
    having: str
    lacking: str
    deletes: int

    @property
    def lack(self) -> int:
        """Rows without the column."""
        return self.rows - self.have

    @property
    def only_deletes(self) -> bool:
        """Whether nothing but deletes lacks it."""
        return self.deletes == self.lack

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"table": self.table, "column": self.name, "rows": self.rows, "have": self.have,
                "having": self.having, "lacking": self.lacking, "deletes": self.deletes,
                "only_deletes": self.only_deletes}  # fmt: skip


class Shapes:
    """Adds up messages in their order. Memory is bounded by the numbers of tables and shapes."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def add(self, message: Message, number: int) -> None:
        """Count a message; `number` is what people call its row."""
        metadata, columns = message.metadata, tuple(message.record)
        name = f"{metadata['table_schema']}.{metadata['table_name']}"
        table = self._tables.get(name)
        if table is None:
            if len(self._tables) >= MOST_TABLES:
                return
            table = self._tables[name] = _Table()
        shape = table.shapes.get(columns)
        if shape is None:
            if len(table.shapes) >= MOST_SHAPES:
                return
            shape = table.shapes[columns] = _Shape()
        table.rows += 1
        shape.count += 1
        if message.action == "delete":
            table.deletes += 1
            shape.deletes += 1
        if table.last is shape:
            shape.ranges[-1] = shape.ranges[-1][0], number
        elif len(shape.ranges) < _MOST_RANGES:
            shape.ranges.append((number, number))
            table.last = shape
        else:
            table.last = None  # rows of ranges that are not kept are counted nevertheless

    def varying(self, words: Callable[[list[Range]], str] | None = None) -> Iterator[Column]:
        """The columns that not all rows of their table have, by table, in the rows' order."""
        said = words or ranges_text
        for name, table in self._tables.items():
            columns = dict.fromkeys(c for shape in table.shapes for c in shape)
            for column in columns:
                with_it = [s for c, s in table.shapes.items() if column in c]
                without = [s for c, s in table.shapes.items() if column not in c]
                if without:
                    yield Column(
                        name, column, table.rows, sum(s.count for s in with_it),
                        said(_joined(with_it)), said(_joined(without)),
                        sum(s.deletes for s in without),
                    )  # fmt: skip


def _joined(shapes: Iterable[_Shape]) -> list[Range]:
    return sorted(part for shape in shapes for part in shape.ranges)


def ranges_text(ranges: list[Range], one: str = "row") -> str:
    """Such as `rows 0-30, 45 and more`."""
    merged: list[Range] = []
    for first, last in ranges:
        if merged and first == merged[-1][1] + 1:
            merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    parts = [f"{a:,}" if a == b else f"{a:,}-{b:,}" for a, b in merged[:_SHOWN]]
    more = " and more" if len(merged) > _SHOWN else ""
    single = len(merged) == 1 and merged[0][0] == merged[0][1]
    return f"{one if single else one + 's'} {', '.join(parts)}{more}"
