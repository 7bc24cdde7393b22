"""Enum: putting lists together, grouping, pairing."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import clause
from routestudio.functions.elixir.lib.common import binary, items, option, unary
from routestudio.functions.elixir.lib.enum import map_, or_itself
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING, called
from routestudio.functions.elixir.values import Cons, identity, key_in


@define("Enum", "concat", 1, 2)
def concat_(value: Any, more: Any = MISSING) -> list[Any]:
    """`Enum.concat/1`, `/2`."""
    if more is MISSING:
        return [part for item in items(value) for part in items(item)]
    return items(value) + items(more)


@define("Enum", "reverse", 1, 2)
def reverse(value: Any, tail: Any = MISSING) -> list[Any]:
    """`Enum.reverse/1`, `/2`."""
    if type(value) is Cons:
        raise clause("Enum.reverse/1")
    found = items(value)[::-1]
    return found if tail is MISSING else found + items(tail)


@define("Enum", "uniq", 1)
def uniq(value: Any) -> list[Any]:
    """`Enum.uniq/1`."""
    return _unique(items(value), lambda item: item)


def _unique(given: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    seen = set()
    found = []
    for item in given:
        mark = identity(key(item))
        if mark not in seen:
            seen.add(mark)
            found.append(item)
    return found


@define("Enum", "uniq_by", 2)
@define("Enum", "uniq", 2)
def uniq_by(value: Any, function: Any) -> list[Any]:
    """`Enum.uniq/2`, `Enum.uniq_by/2`."""
    return _unique(items(value), unary(function))


@define("Enum", "dedup", 1)
def dedup(value: Any) -> list[Any]:
    """`Enum.dedup/1`."""
    return _dedup(items(value), lambda item: item)


def _dedup(given: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    found: list[Any] = []
    last: Any = MISSING
    for item in given:
        mark = key(item)
        if last is MISSING or not ops.same(mark, last):
            found.append(item)
        last = mark
    return found


@define("Enum", "dedup_by", 2)
def dedup_by(value: Any, function: Any) -> list[Any]:
    """`Enum.dedup_by/2`."""
    return _dedup(items(value), unary(function))


@define("Enum", "group_by", 2, 3)
def group_by(value: Any, function: Any, mapper: Any = MISSING) -> Any:
    """`Enum.group_by/2`, `/3`."""
    key = unary(function)
    change = or_itself(mapper)
    found: dict[Any, list[Any]] = {}
    for item in items(value):
        found.setdefault(key_in(key(item)), []).append(change(item))
    return found


@define("Enum", "frequencies", 1)
def frequencies(value: Any) -> Any:
    """`Enum.frequencies/1`."""
    return _frequencies(items(value))


def _frequencies(given: list[Any]) -> Any:
    found: dict[Any, int] = {}
    for item in given:
        stored = key_in(item)
        found[stored] = found.get(stored, 0) + 1
    return found


@define("Enum", "frequencies_by", 2)
def frequencies_by(value: Any, function: Any) -> Any:
    """`Enum.frequencies_by/2`."""
    return _frequencies(map_(value, function))


@define("Enum", "with_index", 1, 2)
def with_index(value: Any, start: Any = 0) -> list[Any]:
    """`Enum.with_index/1`, `/2`."""
    given = items(value)
    if type(start) is int:
        return [(item, index) for index, item in enumerate(given, start)]
    if type(start) is list:
        offset = option(start, "offset", 0)
        return [(item, index) for index, item in enumerate(given, offset)]
    if type(start) is not FunctionType or start.__code__.co_argcount != 2:
        raise clause("Enum.with_index/2")
    step = binary(start)
    return [step(item, index) for index, item in enumerate(given)]


@define("Enum", "zip", 1, 2)
def zip_(value: Any, more: Any = MISSING) -> list[Any]:
    """`Enum.zip/1`, `/2`."""
    lists = [items(value), items(more)] if more is not MISSING else list(map(items, items(value)))
    return list(zip(*lists, strict=False))


@define("Enum", "zip_with", 2, 3)
def zip_with(value: Any, more: Any, function: Any = MISSING) -> list[Any]:
    """`Enum.zip_with/2`, `/3`."""
    if function is MISSING:
        step = unary(more)
        return [step(list(parts)) for parts in zip(*map(items, items(value)), strict=False)]
    pair = binary(function)
    return [pair(a, b) for a, b in zip(items(value), items(more), strict=False)]


@define("Enum", "zip_reduce", 3, 4)
def zip_reduce(value: Any, more: Any, start: Any, function: Any = MISSING) -> Any:
    """`Enum.zip_reduce/3`, `/4`."""
    if function is MISSING:
        step, result = binary(start), more
        for parts in zip(*map(items, items(value)), strict=False):
            result = step(list(parts), result)
        return result
    three, result = called(function, 3), start
    for a, b in zip(items(value), items(more), strict=False):
        result = three(a, b, result)
    return result


@define("Enum", "unzip", 1)
def unzip(value: Any) -> Any:
    """`Enum.unzip/1`."""
    pairs = items(value)
    if not all(type(pair) is tuple and len(pair) == 2 for pair in pairs):
        raise clause("Enum.unzip/1")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@define("Enum", "intersperse", 2)
def intersperse(value: Any, separator: Any) -> list[Any]:
    """`Enum.intersperse/2`."""
    found: list[Any] = []
    for item in items(value):
        found += [separator, item] if found else [item]
    return found


@define("Enum", "map_intersperse", 3)
def map_intersperse(value: Any, separator: Any, function: Any) -> list[Any]:
    """`Enum.map_intersperse/3`."""
    return intersperse(map_(value, function), separator)
