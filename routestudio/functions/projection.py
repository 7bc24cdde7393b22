"""Which parts of a message a function can read, known from its text alone.

A worker is sent only these: reading a message, handing it over and building it again costs more
than most functions do. Where the text leaves any doubt, a part is sent whole. A worker reads the
text (`analysis`); here is what is known of those that were read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from routestudio.model.analysis import PARTS, WHOLE, Keys, Reads
from routestudio.model.function import Function
from routestudio.model.message import Message

Column = tuple[list[Any], list[int]]
"""One value per row, and the rows (ascending) that do not have this key."""

Part = tuple[Keys, list[Any], list[int]]
"""Of one part of all messages: its keys with a `Column` for each, or `None` with the values
themselves; and the rows where the part is null."""


_MOST: Final = 1024
"""Functions of which is kept what they read."""

_known: OrderedDict[Function, Reads] = OrderedDict()


def known(function: Function) -> bool:
    """Whether a worker has read this function's text."""
    return function in _known


def remember(function: Function, reach: Reads) -> None:
    """Keep what a worker found in a function's text."""
    _known[function] = reach
    if len(_known) > _MOST:
        _known.popitem(last=False)


def reads(functions: Iterable[Function]) -> Reads:
    """What any of the functions can read; everything where no worker has read the text."""
    found = WHOLE
    for number, function in enumerate(functions):
        more = _known.get(function, WHOLE)
        found = _union(found, more) if number else more
    return found


def project(messages: Sequence[Message], wanted: Reads) -> list[Part | None]:
    """`wanted` of the messages: one entry for `record`, `changes`, `metadata`; unread ones `None`.

    `rows` builds the messages from it.
    """
    given: list[list[Any]] = [
        [message.record for message in messages],
        [message.changes for message in messages],
        [message.metadata for message in messages],
    ]
    found: list[Part | None] = []
    for part, values in zip(PARTS, given, strict=True):
        keys = wanted.of(part)
        if part in wanted.unread:
            found.append(None)
        elif keys is None:
            found.append((None, values, []))
        else:
            found.append(_columns(keys, values))
    return found


def _columns(keys: tuple[str, ...], values: list[Any]) -> Part:
    nulls = [row for row, value in enumerate(values) if value is None] if None in values else []
    some = [value for value in values if value is not None] if nulls else values
    columns: list[Column] = []
    for key in keys:
        try:
            columns.append(([value[key] for value in some], []))
        except KeyError:
            missing = [row for row, value in enumerate(some) if key not in value]
            columns.append(([value.get(key) for value in some], missing))
    return keys, columns, nulls


def rows(part: Part | None, count: int) -> list[Any]:
    """One part of `count` messages, as `project` took it apart; `None` where it is not read."""
    if part is None:
        return [None] * count
    keys, given, nulls = part
    if keys is None:
        return given
    size = count - len(nulls)
    if keys:
        built: list[Any] = _builder(keys)([column for column, _ in given])
        for key, (_, missing) in zip(keys, given, strict=True):
            for row in missing:
                del built[row][key]
    else:
        built = [{} for _ in range(size)]
    if nulls:
        for row in nulls:  # ascending, so each finds its place
            built.insert(row, None)
    return built


@lru_cache(maxsize=256)
def _builder(keys: tuple[str, ...]) -> Any:
    """From columns to maps, written out: twice as fast as `dict(zip(...))`. Names, not the keys
    themselves, go into the text that is compiled."""
    values = [f"v{number}" for number in range(len(keys))]
    entries = ", ".join(f"k{number}: {value}" for number, value in enumerate(values))
    text = f"lambda columns: [{{{entries}}} for {', '.join(values)}, in zip(*columns)]"
    names: dict[str, Any] = {f"k{number}": key for number, key in enumerate(keys)}
    return eval(text, {"__builtins__": {"zip": zip}, **names})  # noqa: S307 - numbered names only


def _union(one: Reads, other: Reads) -> Reads:
    def joined(part: str) -> Keys:
        if part in one.unread:
            return other.of(part)
        if part in other.unread:
            return one.of(part)
        mine, theirs = one.of(part), other.of(part)
        return None if mine is None or theirs is None else tuple(sorted({*mine, *theirs}))

    return Reads(joined("record"), joined("changes"), joined("metadata"), one.unread & other.unread)
