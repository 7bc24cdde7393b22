"""What is known of a user function's text, whatever language it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any, Final

from routestudio.model.function import Function

Keys = tuple[str, ...] | None
"""The keys of a part that are read, in the order of their names; `None`: all of it."""

PARTS: Final = ("record", "changes", "metadata")


@dataclass(frozen=True, slots=True)
class Point:
    """One way that a function may take. `kind`: `if`, `else`, `case`, `cond`, `except` ...

    `line` and `column` (from 1) are where the decision stands in the user's text.
    """

    line: int
    column: int
    kind: str

    def as_json(self) -> list[Any]:
        """Plain data: line, column, kind."""
        return [self.line, self.column, self.kind]


@dataclass(frozen=True, slots=True)
class Reads:
    """What a call can read of `record`, `changes` and `metadata`; `unread` are parts never
    mentioned.

    Where the text leaves any doubt, everything of a part counts as read.
    """

    record: Keys = None
    changes: Keys = None
    metadata: Keys = None
    unread: frozenset[str] = frozenset()

    def of(self, part: str) -> Keys:
        """The keys of a part."""
        keys: Keys = getattr(self, part)
        return keys


WHOLE: Final = Reads()


@dataclass(frozen=True, slots=True)
class Spot:
    """Something in a function's text. `column` counts characters, both count from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Read(Spot):
    """A column that is read; `text` is its name.

    `source` is `record` or `changes`. `guarded` means that the code is prepared for its absence.
    """

    source: str = "record"
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Varying(Spot):
    """Where a result comes to depend on the clock, or on random values (`chance`).

    `end_column` is the column behind it; `None` where it goes over several lines.
    """

    end_column: int | None = None
    chance: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of one function's text. Of one that cannot be read, hardly anything.

    `reach` is what a call can read of a message, `ways` are the ways that it may take, as the
    traces of calls number them (none if the text has errors). `reads` are the places that read
    a column, `keys` those that write a key, `null_keys` those that write nothing to it, `metadata`
    the fields that are read. `branches` are the actions with their own branch; `catch_all` shows
    whether the other actions are dealt with, too; `odd_returns` are results that are not maps
    (`text`: `none`, `list` or `value`). `varying` are the places that read the clock or random
    values. Of Elixir, `key_orders` are calls that follow the order of atom keys, `old_classes` and
    `old_counts` parts of patterns that servers on OTP 27 read otherwise.
    """

    function: Function
    reach: Reads = WHOLE
    ways: tuple[Point, ...] = ()
    reads: tuple[Read, ...] = ()
    keys: tuple[Spot, ...] = ()
    null_keys: tuple[Spot, ...] = ()
    calls: tuple[Spot, ...] = ()
    branches: tuple[Spot, ...] = ()
    catch_all: bool = True
    odd_returns: tuple[Spot, ...] = ()
    metadata: frozenset[str] = frozenset()
    entry: Spot | None = None
    varying: tuple[Varying, ...] = ()
    key_orders: tuple[Spot, ...] = ()
    old_classes: tuple[Spot, ...] = ()
    old_counts: tuple[Spot, ...] = ()

    def first_read(self, *columns: str) -> Read | None:
        """The first place that reads one of these columns of the record."""
        return next((r for r in self.reads if r.source == "record" and r.text in columns), None)

    def as_json(self) -> dict[str, Any]:
        """Everything but the function, for the way from a worker; `of_json` reads it."""
        listed = {name: [astuple(item) for item in getattr(self, name)] for name in _LISTS}
        reach = [self.reach.of(part) for part in PARTS]
        return {
            **listed,
            "reach": [*reach, sorted(self.reach.unread)],
            "catch_all": self.catch_all,
            "metadata": sorted(self.metadata),
            "entry": None if self.entry is None else astuple(self.entry),
        }

    @classmethod
    def of_json(cls, function: Function, known: Mapping[str, Any]) -> Analysis:
        """The analysis of a function as `as_json` wrote it."""
        *parts, unread = known["reach"]
        record, changes, metadata = (None if part is None else tuple(part) for part in parts)
        return cls(
            function,
            reach=Reads(record, changes, metadata, frozenset(unread)),
            catch_all=known["catch_all"],
            metadata=frozenset(known["metadata"]),
            entry=None if known["entry"] is None else Spot(*known["entry"]),
            **{name: tuple(made(*item) for item in known[name]) for name, made in _LISTS.items()},
        )


_OTHERS: Final = frozenset(["function", "reach", "catch_all", "metadata", "entry"])
_MADE: Final[dict[str, type[Any]]] = {"ways": Point, "reads": Read, "varying": Varying}
_LISTS: Final = {
    item.name: _MADE.get(item.name, Spot) for item in fields(Analysis) if item.name not in _OTHERS
}


def of_path(function: Function) -> Analysis:
    """The analysis of a path, which has no text that would have to be read."""
    head, *rest = (function.path or "").split(".")
    if head not in ("record", "changes") or not rest:
        return Analysis(function)
    return Analysis(function, reads=(Read(rest[0], 1, 1, head, True),))
