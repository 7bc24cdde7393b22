"""What is known of a user function's text, whatever language it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final

from routestudio.model.function import Function


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
class Facts:
    """What is known of one function. `branches` are the actions with their own branch.

    `catch_all` shows whether the other actions are dealt with, too; `odd_returns` are results
    that are not maps (`text`: `none`, `list` or `value`). Of Elixir, `key_orders` are calls that
    follow the order of atom keys, `old_classes` and `old_counts` parts of patterns that servers on
    OTP 27 read otherwise. `varying` are the places that read the clock or random values; whoever
    has checked the text fills them in (`determinism`).
    """

    function: Function
    reads: tuple[Read, ...] = ()
    keys: tuple[Spot, ...] = ()
    null_keys: tuple[Spot, ...] = ()
    calls: tuple[Spot, ...] = ()
    branches: tuple[Spot, ...] = ()
    catch_all: bool = True
    odd_returns: tuple[Spot, ...] = ()
    metadata: frozenset[str] = frozenset()
    entry: Spot | None = None
    key_orders: tuple[Spot, ...] = ()
    old_classes: tuple[Spot, ...] = ()
    old_counts: tuple[Spot, ...] = ()
    varying: tuple[Spot, ...] = ()

    def first_read(self, *columns: str) -> Read | None:
        """The first place that reads one of these columns of the record."""
        return next((r for r in self.reads if r.source == "record" and r.text in columns), None)

    def as_json(self) -> dict[str, Any]:
        """What is known without a check, for the way from a worker; `of_json` reads it."""
        return {
            **{name: [astuple(spot) for spot in getattr(self, name)] for name in _SPOTS},
            "reads": [astuple(read) for read in self.reads],
            "catch_all": self.catch_all,
            "metadata": sorted(self.metadata),
            "entry": None if self.entry is None else astuple(self.entry),
        }

    @classmethod
    def of_json(cls, function: Function, known: Mapping[str, Any]) -> Facts:
        """The facts of a function as `as_json` wrote them."""
        spots = {name: tuple(Spot(*item) for item in known[name]) for name in _SPOTS}
        return cls(
            function,
            reads=tuple(Read(*item) for item in known["reads"]),
            catch_all=known["catch_all"],
            metadata=frozenset(known["metadata"]),
            entry=None if known["entry"] is None else Spot(*known["entry"]),
            **spots,
        )


_SPOTS: Final = ("keys", "null_keys", "calls", "branches", "odd_returns", "key_orders",
                 "old_classes", "old_counts")  # fmt: skip


def of_path(function: Function) -> Facts:
    """The facts of a path, which has no text that would have to be read."""
    head, *rest = (function.path or "").split(".")
    if head not in ("record", "changes") or not rest:
        return Facts(function)
    return Facts(function, (Read(rest[0], 1, 1, head, True),))
