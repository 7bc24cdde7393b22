"""Which parts of a message a function can read, known from its text alone.

A worker is sent only these: reading a message, handing it over and building it again costs more
than most functions do. Where the text leaves any doubt, a part is sent whole. Runs nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from routestudio.functions import python
from routestudio.functions.library import DICT_METHODS, METADATA_FIELDS
from routestudio.model.function import Function, Language
from routestudio.model.message import Message

Keys = tuple[str, ...] | None
"""The keys of a part that are read, in the order of their names; `None`: all of it."""

_PARTS: Final = ("record", "changes", "metadata")


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of `record`, `changes` and `metadata`; `unread` are parts never mentioned."""

    record: Keys = None
    changes: Keys = None
    metadata: Keys = None
    unread: frozenset[str] = frozenset()

    def of(self, part: str) -> Keys:
        """The keys of a part."""
        keys: Keys = getattr(self, part)
        return keys


WHOLE: Final = Reads()

Column = tuple[list[Any], list[int]]
"""One value per row, and the rows (ascending) that do not have this key."""

Part = tuple[Keys, list[Any], list[int]]
"""Of one part of all messages: its keys with a `Column` for each, or `None` with the values
themselves; and the rows where the part is null."""


def reads(functions: Iterable[Function]) -> Reads:
    """What any of the functions can read."""
    found = WHOLE
    for number, function in enumerate(functions):
        python = function.language is Language.PYTHON
        more = _reads(function.code) if python else _reads_elixir(function.code)
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
    for part, values in zip(_PARTS, given, strict=True):
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


@lru_cache(maxsize=256)
def _reads(code: str) -> Reads:
    try:
        tree = python.parsed(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return WHOLE
    keys: dict[str, set[str]] = {}
    known: set[int] = set()
    names: list[ast.Name] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if _part(node) is not None:
                names.append(node)
            continue
        found = _key_read(node)
        if found is not None:
            name, key = found
            known.add(id(name))
            part = _part(name)
            assert part is not None
            keys.setdefault(part, set())
            if key is not None:
                keys[part].add(key)
    # A part that is mentioned in any other way may be read as a whole.
    whole = {_part(name) for name in names if id(name) not in known}
    taken = [None if part in whole else tuple(sorted(keys.get(part, ()))) for part in _PARTS]
    unread = frozenset(part for part in _PARTS if part not in whole and part not in keys)
    return Reads(taken[0], taken[1], taken[2], unread)


@lru_cache(maxsize=256)
def _reads_elixir(code: str) -> Reads:
    from routestudio.functions.elixir.reads import parts_read

    found = parts_read(code)
    if found is None:
        return WHOLE
    taken = [_sorted(found.get(part, set())) for part in _PARTS]
    return Reads(taken[0], taken[1], taken[2], frozenset(set(_PARTS) - set(found)))


def _sorted(keys: set[str] | None) -> Keys:
    return None if keys is None else tuple(sorted(keys))


def _key_read(node: ast.AST) -> tuple[ast.Name, str | None] | None:
    """The part that an expression reads one key of. No key: only whether the part is null."""
    match node:
        case ast.Subscript(
            value=ast.Name() as name, slice=ast.Constant(value=str(key)), ctx=ast.Load()
        ):
            pass
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as name, attr="get"),
            args=[ast.Constant(value=str(key))] | [ast.Constant(value=str(key)), _],
            keywords=[],
        ):
            if isinstance(node.args[-1], ast.Starred):
                return None
        case ast.Attribute(value=ast.Name() as name, attr=key, ctx=ast.Load()):
            if _part(name) != "metadata" or key not in METADATA_FIELDS - DICT_METHODS:
                return None
        case ast.Compare(
            left=ast.Constant(value=str(key)),
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Name() as name],
        ):
            pass
        case ast.Compare(
            left=ast.Name() as name,
            ops=[ast.Is() | ast.IsNot()],
            comparators=[ast.Constant(value=None)],
        ):
            return (name, None) if _part(name) is not None else None
        case _:
            return None
    return (name, str(key)) if _part(name) is not None else None


def _part(name: ast.Name) -> str | None:
    """The part that a name stands for; the parameters may be written with a leading `_`."""
    found = name.id.removeprefix("_")
    return found if found in _PARTS else None
