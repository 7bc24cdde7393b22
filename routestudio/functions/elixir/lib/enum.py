"""Enum: walking, choosing, collecting."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import ElixirError, argument_error, clause, shown
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import binary, items, truthy, unary
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING, concat, to_text
from routestudio.functions.elixir.values import ERROR, OK, Cons, atom, key_in, whole


@define("Enum", "to_list", 1)
def to_list(value: Any) -> list[Any]:
    """`Enum.to_list/1`."""
    return items(value)


@define("Enum", "map", 2)
def map_(value: Any, function: Any) -> list[Any]:
    """`Enum.map/2`."""
    given = items(value)
    if given:
        return list(map(unary(function), given))
    if type(value) is list and not _takes_one(function):
        raise clause("Enum.map/2")
    return []


def _takes_one(function: Any) -> bool:
    return type(function) is FunctionType and function.__code__.co_argcount == 1


@define("Enum", "each", 2)
def each(value: Any, function: Any) -> Any:
    """`Enum.each/2`."""
    map_(value, function)
    return OK


@define("Enum", "filter", 2)
def filter_(value: Any, function: Any) -> list[Any]:
    """`Enum.filter/2`."""
    test = unary(function)
    return [item for item in items(value) if (kept := test(item)) is not None and kept is not False]


@define("Enum", "reject", 2)
def reject(value: Any, function: Any) -> list[Any]:
    """`Enum.reject/2`."""
    test = unary(function)
    return [item for item in items(value) if not truthy(test(item))]


@define("Enum", "split_with", 2)
@define("Enum", "partition", 2)
def split_with(value: Any, function: Any) -> Any:
    """`Enum.partition/2`, `Enum.split_with/2`."""
    test = unary(function)
    yes: list[Any] = []
    no: list[Any] = []
    for item in items(value):
        (yes if truthy(test(item)) else no).append(item)
    return yes, no


def or_itself(function: Any) -> Callable[[Any], Any]:
    """A closure of one argument; the value itself when none was given."""
    return (lambda item: item) if function is MISSING else unary(function)


@define("Enum", "any?", 1, 2)
def any_(value: Any, function: Any = MISSING) -> bool:
    """`Enum.any?/1`, `/2`."""
    test = or_itself(function)
    return any(truthy(test(item)) for item in items(value))


@define("Enum", "all?", 1, 2)
def all_(value: Any, function: Any = MISSING) -> bool:
    """`Enum.all?/1`, `/2`."""
    test = or_itself(function)
    return all(truthy(test(item)) for item in items(value))


@define("Enum", "member?", 2)
def member(value: Any, item: Any) -> bool:
    """`Enum.member?/2`."""
    if type(value) is dict:
        return (
            type(item) is tuple and len(item) == 2
            and ops.same(value.get(key_in(item[0]), MISSING), item[1])
        )  # fmt: skip
    kind = type(item)
    if kind is str or item is None:
        return any(type(entry) is kind and entry == item for entry in items(value))
    return any(ops.same(entry, item) for entry in items(value))


@define("Enum", "count", 1, 2)
def count(value: Any, function: Any = MISSING) -> int:
    """`Enum.count/1`, `/2`."""
    if type(value) is Cons and function is MISSING:
        raise argument_error(1, "not a proper list")
    given = items(value)
    if function is MISSING:
        return len(given)
    test = unary(function)
    return sum(truthy(test(item)) for item in given)


@define("Enum", "count_until", 2, 3)
def count_until(value: Any, function: Any, limit: Any = MISSING) -> int:
    """`Enum.count_until/2`, `/3`."""
    top = function if limit is MISSING else limit
    if type(top) is not int or top < 1:
        raise clause(f"Enum.count_until/{2 if limit is MISSING else 3}")
    if limit is MISSING:
        return min(len(items(value)), top)
    check, found = unary(function), 0
    for item in items(value):
        found += truthy(check(item))
        if found == top:
            break
    return found


@define("Enum", "empty?", 1)
def empty(value: Any) -> bool:
    """`Enum.empty?/1`."""
    return not items(value)


@define("Enum", "find", 2, 3)
def find(value: Any, function: Any, more: Any = MISSING) -> Any:
    """`Enum.find/2`, `/3`."""
    default, test = (None, function) if more is MISSING else (function, more)
    check = unary(test)
    return next((item for item in items(value) if truthy(check(item))), default)


@define("Enum", "find_value", 2, 3)
def find_value(value: Any, function: Any, more: Any = MISSING) -> Any:
    """`Enum.find_value/2`, `/3`."""
    default, test = (None, function) if more is MISSING else (function, more)
    check = unary(test)
    for item in items(value):
        found = check(item)
        if truthy(found):
            return found
    return default


@define("Enum", "find_index", 2)
def find_index(value: Any, function: Any) -> Any:
    """`Enum.find_index/2`."""
    check = unary(function)
    return next((i for i, item in enumerate(items(value)) if truthy(check(item))), None)


@define("Enum", "at", 2, 3)
def at(value: Any, index: Any, default: Any = None) -> Any:
    """`Enum.at/2`, `/3`."""
    if type(index) is not int:
        raise clause("Enum.at/3")
    given = items(value)
    return given[index] if -len(given) <= index < len(given) else default


@define("Enum", "fetch", 2)
def fetch(value: Any, index: Any) -> Any:
    """`Enum.fetch/2`."""
    found = at(value, index, MISSING)
    return ERROR if found is MISSING else (OK, found)


@define("Enum", "fetch!", 2)
def fetch_b(value: Any, index: Any) -> Any:
    """`Enum.fetch!/2`."""
    found = at(value, index, MISSING)
    if found is MISSING:
        raise ElixirError(
            "Enum.OutOfBoundsError",
            f"out of bounds error at position {index} when traversing enumerable {inspect(value)}",
        )
    return found


def empty_error() -> ElixirError:
    """What an empty enumerable raises where an item is needed."""
    return ElixirError("Enum.EmptyError", "empty error")


@define("Enum", "reduce", 2, 3)
def reduce(value: Any, start: Any, more: Any = MISSING) -> Any:
    """`Enum.reduce/2`, `/3`."""
    given = items(value)
    if more is MISSING:
        step = binary(start)
        if not given:
            raise empty_error()
        result, given = given[0], given[1:]
    else:
        step = binary(more)
        result = start
    for item in given:
        result = step(item, result)
    return result


@define("Enum", "reduce_while", 3)
def reduce_while(value: Any, start: Any, function: Any) -> Any:
    """`Enum.reduce_while/3`."""
    step = binary(function)
    result = start
    for item in items(value):
        answer = step(item, result)
        if type(answer) is not tuple or len(answer) != 2:
            raise clause("Enumerable.List.reduce/3")
        result = answer[1]
        if answer[0] is atom("halt"):
            break
    return result


@define("Enum", "map_reduce", 3)
def map_reduce(value: Any, start: Any, function: Any) -> Any:
    """`Enum.map_reduce/3`."""
    step = binary(function)
    found: list[Any] = []
    result = start
    for item in items(value):
        mapped, result = _two(step(item, result))
        found.append(mapped)
    return found, result


def _two(answer: Any) -> tuple[Any, Any]:
    if type(answer) is tuple and len(answer) == 2:
        return answer
    from routestudio.functions.elixir.runtime import match_error

    match_error(answer)
    raise AssertionError


@define("Enum", "flat_map", 2)
def flat_map(value: Any, function: Any) -> list[Any]:
    """`Enum.flat_map/2`."""
    step = unary(function)
    return [part for item in items(value) for part in items(step(item))]


@define("Enum", "flat_map_reduce", 3)
def flat_map_reduce(value: Any, start: Any, function: Any) -> Any:
    """`Enum.flat_map_reduce/3`."""
    step = binary(function)
    found: list[Any] = []
    result = start
    for item in items(value):
        answer = step(item, result)
        if type(answer) is tuple and len(answer) == 2 and answer[0] is atom("halt"):
            return found, answer[1]
        mapped, result = _two(answer)
        found += items(mapped)
    return found, result


@define("Enum", "scan", 2, 3)
def scan(value: Any, start: Any, more: Any = MISSING) -> list[Any]:
    """`Enum.scan/2`, `/3`."""
    given = items(value)
    if more is MISSING:
        step = binary(start)
        if not given:
            return []
        found, result, given = [given[0]], given[0], given[1:]
    else:
        step, found, result = binary(more), [], start
    for item in given:
        result = step(item, result)
        found.append(result)
    return found


@define("Enum", "join", 1, 2)
def join(value: Any, separator: Any = "") -> str:
    """`Enum.join/1`, `/2`."""
    if type(separator) is not str:
        raise clause("Enum.join/2")
    given = items(value)
    try:
        text = separator.join(given)
    except TypeError:
        text = separator.join(map(to_text, given))
    return text if text.isascii() else whole(text)


@define("Enum", "map_join", 2, 3)
def map_join(value: Any, separator: Any, function: Any = MISSING) -> str:
    """`Enum.map_join/2`, `/3`."""
    if function is MISSING:
        separator, function = "", separator
    if type(separator) is not str:
        raise clause("Enum.map_join/3")
    return concat(separator.join(map(to_text, map(unary(function), items(value)))))


def _pair(entry: Any) -> Any:
    if type(entry) is tuple and len(entry) == 2:
        return entry
    raise ElixirError("MatchError", f"no match of right hand side value:{shown(entry)}")


def _collect(target: Any, found: list[Any]) -> Any:
    if type(target) is list:
        return target + found
    if type(target) is dict:
        result = dict(target)
        for pair in found:
            if type(pair) is not tuple or len(pair) != 2:
                raise ElixirError(
                    "ArgumentError",
                    "collecting into a map requires {key, value} tuples, got: " + inspect(pair),
                )
            result[key_in(pair[0])] = pair[1]
        return result
    if type(target) is str:
        odd = [part for part in found if type(part) is not str]
        if odd:
            raise ElixirError(
                "ArgumentError",
                "collecting into a binary requires a bitstring, got: " + inspect(odd[0]),
            )
        return concat(target, *found)
    from routestudio.functions.elixir.errors import protocol

    raise protocol("Collectable", target)


@define("Enum", "into", 2, 3)
def into(value: Any, target: Any, function: Any = MISSING) -> Any:
    """`Enum.into/2`, `/3`."""
    given = items(value)
    if function is not MISSING:
        change = unary(function)
        strict = type(target) is dict and len(target) > 0 and type(value) in (list, dict)
        given = [_pair(change(item)) if strict else change(item) for item in given]
    return _collect(target, given)
