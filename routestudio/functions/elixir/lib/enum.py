"""Enum: walking, choosing, collecting."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cmp_to_key
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import ElixirError, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import (
    binary,
    comparer,
    items,
    need_integer,
    option,
    truthy,
    unary,
)
from routestudio.functions.elixir.registry import ANY, Varies, elixir, further, unevaluated
from routestudio.functions.elixir.runtime import MISSING, called, concat, match_error, to_text
from routestudio.functions.elixir.value_errors import protocol, shown
from routestudio.functions.elixir.values import ERROR, OK, Atom, Cons, atom, identity, key_in, whole


@elixir("Enum.to_list(items)", "The items in a list.")
def to_list(value: Any) -> list[Any]:
    return items(value)


@elixir("Enum.map(items, fun)", "The closure's results in a list.")
def map_(value: Any, function: Any) -> list[Any]:
    given = items(value)
    if given:
        return list(map(unary(function), given))
    if type(value) is list and not _takes_one(function):
        raise clause("Enum.map/2")
    return []


def _takes_one(function: Any) -> bool:
    return type(function) is FunctionType and function.__code__.co_argcount == 1


@elixir("Enum.each(items, fun)", "Calls a closure for every item; gives :ok.")
def each(value: Any, function: Any) -> Any:
    map_(value, function)
    return OK


@elixir("Enum.filter(items, fun)", "The items for which the closure returns a true value.")
def filter_(value: Any, function: Any) -> list[Any]:
    test = unary(function)
    return [item for item in items(value) if (kept := test(item)) is not None and kept is not False]


@elixir("Enum.reject(items, fun)", "The items for which the closure returns nil or false.")
def reject(value: Any, function: Any) -> list[Any]:
    test = unary(function)
    return [item for item in items(value) if not truthy(test(item))]


@elixir("Enum.split_with(items, fun)", "The items with a yes, and those with a no.")
@elixir("Enum.partition(items, fun)", "Deprecated: write Enum.split_with(items, fun).")
def split_with(value: Any, function: Any) -> Any:
    test = unary(function)
    yes: list[Any] = []
    no: list[Any] = []
    for item in items(value):
        (yes if truthy(test(item)) else no).append(item)
    return yes, no


def _itself(item: Any) -> Any:
    return item


def or_itself(function: Any) -> Callable[[Any], Any]:
    """A closure of one argument; the value itself when none was given."""
    return _itself if function is MISSING else unary(function)


@elixir("Enum.any?(items, [fun])", "Whether at least one item is true.")
def any_(value: Any, function: Any = MISSING) -> bool:
    test = or_itself(function)
    return any(truthy(test(item)) for item in items(value))


@elixir("Enum.all?(items, [fun])", "Whether every item is true.")
def all_(value: Any, function: Any = MISSING) -> bool:
    test = or_itself(function)
    return all(truthy(test(item)) for item in items(value))


@elixir("Enum.member?(items, value)", "Whether the value is among the items.")
def member(value: Any, item: Any) -> bool:
    if type(value) is dict:
        return (
            type(item) is tuple
            and len(item) == 2
            and ops.same(value.get(key_in(item[0]), MISSING), item[1])
        )
    kind = type(item)
    if kind is str or item is None:
        return any(type(entry) is kind and entry == item for entry in items(value))
    return any(ops.same(entry, item) for entry in items(value))


@elixir("Enum.count(items, [fun])", "The number of items, or of those with a yes.")
def count(value: Any, function: Any = MISSING) -> int:
    if type(value) is Cons and function is MISSING:
        raise argument_error(1, "not a proper list")
    given = items(value)
    if function is MISSING:
        return len(given)
    test = unary(function)
    return sum(truthy(test(item)) for item in given)


@elixir("Enum.count_until(items, [fun], limit)", "The number of items, at most the limit.")
def count_until(value: Any, function: Any, limit: Any = MISSING) -> int:
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


@elixir("Enum.empty?(items)", "Whether there are no items.")
def empty(value: Any) -> bool:
    return not items(value)


@elixir("Enum.find(items, [default], fun)", "The first item with a yes.")
def find(value: Any, function: Any, more: Any = MISSING) -> Any:
    default, test = (None, function) if more is MISSING else (function, more)
    check = unary(test)
    return next((item for item in items(value) if truthy(check(item))), default)


@elixir("Enum.find_value(items, [default], fun)", "The first result that is true.")
def find_value(value: Any, function: Any, more: Any = MISSING) -> Any:
    default, test = (None, function) if more is MISSING else (function, more)
    check = unary(test)
    for item in items(value):
        found = check(item)
        if truthy(found):
            return found
    return default


@elixir("Enum.find_index(items, fun)", "The position of the first item with a yes.")
def find_index(value: Any, function: Any) -> Any:
    check = unary(function)
    return next((i for i, item in enumerate(items(value)) if truthy(check(item))), None)


@elixir("Enum.at(items, index, [default])", "The item at a position from 0.")
def at(value: Any, index: Any, default: Any = None) -> Any:
    if type(index) is not int:
        raise clause("Enum.at/3")
    given = items(value)
    return given[index] if -len(given) <= index < len(given) else default


@elixir("Enum.fetch(items, index)", "`{:ok, item}` or :error.")
def fetch(value: Any, index: Any) -> Any:
    found = at(value, index, MISSING)
    return ERROR if found is MISSING else (OK, found)


@elixir("Enum.fetch!(items, index)", "The item; raises when there is none.")
def fetch_b(value: Any, index: Any) -> Any:
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


@elixir("Enum.reduce(items, [start], fun)", "One value made from all items.")
def reduce(value: Any, start: Any, more: Any = MISSING) -> Any:
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


@elixir("Enum.reduce_while(items, start, fun)", "The same, until the closure halts.")
def reduce_while(value: Any, start: Any, function: Any) -> Any:
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


@elixir("Enum.map_reduce(items, state, fun)", "The results and the last state.")
def map_reduce(value: Any, start: Any, function: Any) -> Any:
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
    match_error(answer)
    raise AssertionError


@elixir("Enum.flat_map(items, fun)", "The lists that the closure gives, put together.")
def flat_map(value: Any, function: Any) -> list[Any]:
    step = unary(function)
    return [part for item in items(value) for part in items(step(item))]


@elixir("Enum.flat_map_reduce(items, state, fun)", "The same, with a state that is handed on.")
def flat_map_reduce(value: Any, start: Any, function: Any) -> Any:
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


@elixir("Enum.scan(items, [start], fun)", "Every value on the way of a reduction.")
def scan(value: Any, start: Any, more: Any = MISSING) -> list[Any]:
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


@elixir("Enum.join(items, [separator])", "The items as one text.")
def join(value: Any, separator: Any = "") -> str:
    if type(separator) is not str:
        raise clause("Enum.join/2")
    given = items(value)
    try:
        text = separator.join(given)
    except TypeError:
        text = separator.join(map(to_text, given))
    return text if text.isascii() else whole(text)


@elixir("Enum.map_join(items, [separator], fun)", "The results as one text.")
def map_join(value: Any, separator: Any, function: Any = MISSING) -> str:
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
    raise protocol("Collectable", target)


@elixir("Enum.into(items, target, [fun])", "The items put into a map, a list or a text.")
def into(value: Any, target: Any, function: Any = MISSING) -> Any:
    given = items(value)
    if function is not MISSING:
        change = unary(function)
        strict = type(target) is dict and len(target) > 0 and type(value) in (list, dict)
        given = [_pair(change(item)) if strict else change(item) for item in given]
    return _collect(target, given)


Order = Callable[[Any, Any], int]
_ASC, _DESC = atom("asc"), atom("desc")


def _order(sorter: Any) -> tuple[Order, bool]:
    """The order of a sorter, and whether it is turned around."""
    if sorter is MISSING or sorter is _ASC:
        return ops.compare, False
    if sorter is _DESC:
        return ops.compare, True
    if type(sorter) is tuple and len(sorter) == 2 and sorter[0] in (_ASC, _DESC):
        return comparer(sorter[1]), sorter[0] is _DESC
    if type(sorter) in (Atom, bool, type(None)):
        return comparer(sorter), False
    if type(sorter) is not FunctionType:
        raise clause("Enum.to_sort_fun/1")
    before = binary(sorter)
    # Python's sort asks of a later item whether it belongs before an earlier one.
    return lambda later, first: 1 if truthy(before(first, later)) else -1, False


def _merge_sort(given: list[Any], order: Order, down: bool) -> list[Any]:
    """A stable sort; with a closure as order, `true` means that the first stays first."""
    if down:
        return sorted(given, key=cmp_to_key(lambda a, b: order(b, a)))
    return sorted(given, key=cmp_to_key(order))


@elixir(
    "Enum.sort(items, [sorter])", "The items in order; :desc turns it around, a module compares."
)
def sort(value: Any, sorter: Any = MISSING) -> list[Any]:
    if sorter is MISSING or sorter is _ASC:
        return ops.sort_values(items(value))
    order, down = _order(sorter)
    given = items(value)
    return _merge_sort(given, order, down)


@elixir(
    "Enum.sort_by(items, fun, [sorter])", "The items in the order of their results.", closure=(1, 1)
)
def sort_by(value: Any, function: Any, sorter: Any = MISSING) -> list[Any]:
    key = unary(function)
    order, down = _order(sorter)
    pairs = [(item, key(item)) for item in items(value)]
    ordered = _merge_sort(pairs, lambda a, b: order(a[1], b[1]), down)
    return [item for item, _ in ordered]


def _best(given: list[Any], better: Callable[[Any, Any], bool]) -> Any:
    best = given[0]
    for item in given[1:]:
        if better(item, best):
            best = item
    return best


def _extreme(value: Any, sorter: Any, fallback: Any, sign: int, key: Callable[[Any], Any]) -> Any:
    """The smallest (`sign` -1) or greatest item; the first of equals."""
    named = type(sorter) in (Atom, bool, type(None)) or sorter is MISSING
    if not named and (type(sorter) is not FunctionType or sorter.__code__.co_argcount != 2):
        raise clause(f"Enum.{'max' if sign > 0 else 'min'}_sort_fun/1")
    given = items(value)
    if not given:
        if fallback is MISSING:
            raise empty_error()
        return called(fallback, 0)()
    keyed = [(key(item), item) for item in given]
    if named:
        if len(keyed) == 1:
            return given[0]  # a module without `compare` is not noticed
        order = ops.compare if sorter is MISSING else comparer(sorter)
        return _best(keyed, lambda a, b: order(a[0], b[0]) * sign > 0)[1]
    holds = binary(sorter)
    return _best(keyed, lambda a, b: not truthy(holds(b[0], a[0])))[1]


def _sorter(first: Any, second: Any) -> tuple[Any, Any]:
    """The optional arguments of `max` and its kin: a sorter, and what an empty list gives."""
    if second is not MISSING:
        return first, second
    if first is MISSING:
        return MISSING, MISSING
    code = getattr(first, "__code__", None)
    if code is not None and code.co_argcount == 0:
        return MISSING, first
    return first, MISSING


@elixir("Enum.max(items, [sorter], [empty])", "The greatest item.")
def max_(value: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    return _extreme(value, *_sorter(sorter, fallback), 1, _itself)


@elixir("Enum.min(items, [sorter], [empty])", "The smallest item.")
def min_(value: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    return _extreme(value, *_sorter(sorter, fallback), -1, _itself)


@elixir(
    "Enum.max_by(items, fun, [sorter], [empty])",
    "The item with the greatest result.",
    closure=(1, 1),
)
def max_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    return _extreme(value, *_sorter(sorter, fallback), 1, unary(function))


@elixir(
    "Enum.min_by(items, fun, [sorter], [empty])",
    "The item with the smallest result.",
    closure=(1, 1),
)
def min_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    return _extreme(value, *_sorter(sorter, fallback), -1, unary(function))


@elixir("Enum.min_max(items, [empty])", "The smallest and the greatest item.", closure=(1, 0))
def min_max(value: Any, fallback: Any = MISSING) -> Any:
    if not items(value) and fallback is not MISSING:
        return called(fallback, 0)()
    return min_(value), max_(value)


@elixir(
    "Enum.min_max_by(items, fun, [sorter], [empty])",
    "The items with the smallest and the greatest result.",
    closure=(1, 1),
)
def min_max_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    key = unary(function)
    sorter, fallback = _sorter(sorter, fallback)
    given = items(value)
    if not given:
        if fallback is not MISSING:
            return called(fallback, 0)()
        raise empty_error()
    if sorter is MISSING or type(sorter) in (Atom, bool, type(None)):
        order = ops.compare if sorter is MISSING else comparer(sorter)

        def before(one: Any, other: Any) -> bool:
            return order(one, other) < 0
    else:
        holds = binary(sorter)

        def before(one: Any, other: Any) -> bool:
            return truthy(holds(one, other))

    low = high = given[0]
    low_key = high_key = key(low)
    for item in given[1:]:
        found = key(item)
        if before(found, low_key):
            low, low_key = item, found
        elif before(high_key, found):
            high, high_key = item, found
    return low, high


@elixir("Enum.sum(numbers)", "All numbers added up.")
def sum_(value: Any) -> Any:
    total: Any = 0
    for item in items(value):
        total = ops.add(total, item)
    return total


@elixir("Enum.product(numbers)", "All numbers multiplied.")
def product(value: Any) -> Any:
    total: Any = 1
    for item in items(value):
        total = ops.multiply(total, item)
    return total


@elixir("Enum.sum_by(items, fun)", "All results added up.")
def sum_by(value: Any, function: Any) -> Any:
    return sum_(list(map(unary(function), items(value))))


@elixir("Enum.product_by(items, fun)", "All results multiplied.")
def product_by(value: Any, function: Any) -> Any:
    return product(list(map(unary(function), items(value))))


@elixir("Enum.take(items, count)", "The first items; negative counts take from the end.")
def take(value: Any, count: Any) -> list[Any]:
    if need_integer(count, "Enum.take/2") == 0:
        return []
    given = items(value)
    return given[:count] if count >= 0 else given[count:]


@elixir("Enum.drop(items, count)", "Without the first items; negative counts drop at the end.")
def drop(value: Any, count: Any) -> list[Any]:
    need_integer(count, "Enum.drop/2")
    given = items(value)
    return given[count:] if count >= 0 else given[:count]


@elixir("Enum.take_while(items, fun)", "The first items that have a yes.")
def take_while(value: Any, function: Any) -> list[Any]:
    return split_while(value, function)[0]  # type: ignore[no-any-return]


@elixir("Enum.drop_while(items, fun)", "Without the first items that have a yes.")
def drop_while(value: Any, function: Any) -> list[Any]:
    return split_while(value, function)[1]  # type: ignore[no-any-return]


@elixir("Enum.split_while(items, fun)", "The first items with a yes, and the others.")
def split_while(value: Any, function: Any) -> Any:
    test = unary(function)
    given = items(value)
    for index, item in enumerate(given):
        if not truthy(test(item)):
            return given[:index], given[index:]
    return given, []


@elixir("Enum.split(items, count)", "The first items and the others.")
def split(value: Any, count: Any) -> Any:
    need_integer(count, "Enum.split/2")
    given = items(value)
    if count < 0:
        count = max(0, len(given) + count)
    return given[:count], given[count:]


@elixir("Enum.slice(items, start, count)", "A part of the items.")
def slice_(value: Any, start: Any, count: Any) -> list[Any]:
    need_integer(start, "Enum.slice/3")
    if type(count) is not int or count < 0:
        raise clause("Enum.slice/3")
    if count == 0:
        return []
    given = items(value)
    if start < 0:
        start = max(0, start + len(given))
    return given[start : start + count]


@elixir("Enum.reverse_slice(items, start, count)", "A part of the items turned around.")
def reverse_slice(value: Any, start: Any, count: Any) -> list[Any]:
    for number in (start, count):
        if type(number) is not int or number < 0:
            raise clause("Enum.reverse_slice/3")
    given = items(value)
    return given[:start] + given[start : start + count][::-1] + given[start + count :]


@elixir("Enum.slide(items, index, target)", "One item moved to another place.")
def slide(value: Any, start: Any, target: Any) -> list[Any]:
    if type(start) is not int or type(target) is not int:
        raise clause("Enum.slide/3")
    given = items(value)
    start = start + len(given) if start < 0 else start
    target = target + len(given) if target < 0 else target
    if not 0 <= start < len(given):
        return given
    rest = given[:start] + given[start + 1 :]
    return [*rest[:target], given[start], *rest[target:]]


@elixir("Enum.chunk_every(items, count, [step], [rest])", "Lists of so many items.")
def chunk_every(value: Any, count: Any, step: Any = None, leftover: Any = MISSING) -> list[Any]:
    step = count if step is None else step
    if type(count) is not int or type(step) is not int or count < 1 or step < 1:
        raise clause("Enum.chunk_every/4")
    given = items(value)
    found: list[Any] = []
    for position in range(0, len(given), step):
        chunk = given[position : position + count]
        if len(chunk) == count:
            found.append(chunk)
        elif leftover is not atom("discard"):
            rest = [] if leftover is MISSING else items(leftover)
            found.append(chunk + rest[: count - len(chunk)])
        if len(chunk) < count:
            break
    return found


@elixir("Enum.chunk_by(items, fun)", "Neighbours with the same result in one list.")
def chunk_by(value: Any, function: Any) -> list[Any]:
    key = unary(function)
    found: list[Any] = []
    last: Any = MISSING
    for item in items(value):
        mark = key(item)
        if last is not MISSING and ops.same(mark, last):
            found[-1].append(item)
        else:
            found.append([item])
        last = mark
    return found


@elixir("Enum.chunk_while(items, state, fun, last)", "Lists as a closure cuts them.")
def chunk_while(value: Any, start: Any, function: Any, finish: Any) -> list[Any]:
    step, last = binary(function), unary(finish)
    found: list[Any] = []
    state = start
    for item in items(value):
        answer = step(item, state)
        kind = answer[0].name if type(answer) is tuple and type(answer[0]) is Atom else ""
        if kind == "cont" and len(answer) == 3:
            found.append(answer[1])
            state = answer[2]
        elif kind in ("cont", "halt") and len(answer) == 2:
            state = answer[1]
            if kind == "halt":
                break
        else:
            raise clause("Enum.chunk_while/4")
    answer = last(state)
    if type(answer) is tuple and len(answer) == 3:
        found.append(answer[1])
    return found


@elixir("Enum.take_every(items, step)", "Every so-many-th item.")
def take_every(value: Any, step: Any) -> list[Any]:
    if type(step) is not int or step < 0:
        raise clause("Enum.take_every/2")
    return items(value)[::step] if step else []


@elixir("Enum.drop_every(items, step)", "Without every so-many-th item.")
def drop_every(value: Any, step: Any) -> list[Any]:
    if (value == [] and type(step) is int) or (step == 1 and type(step) is int):
        return []
    if type(step) is not int or step < 0:
        raise clause("Enum.drop_every/2")
    given = items(value)
    return [item for i, item in enumerate(given) if i % step] if step else given


@elixir("Enum.map_every(items, step, fun)", "Every so-many-th item changed.")
def map_every(value: Any, step: Any, function: Any) -> list[Any]:
    if type(step) is not int or step < 0:
        raise clause("Enum.map_every/3")
    change = unary(function)
    given = items(value)
    return [change(item) if step and i % step == 0 else item for i, item in enumerate(given)]


@elixir("Enum.concat(items, [more])", "Lists one after the other.")
def concat_(value: Any, more: Any = MISSING) -> list[Any]:
    if more is MISSING:
        return [part for item in items(value) for part in items(item)]
    return items(value) + items(more)


@elixir("Enum.reverse(items, [tail])", "The items from last to first.")
def reverse(value: Any, tail: Any = MISSING) -> list[Any]:
    if type(value) is Cons:
        raise clause("Enum.reverse/1")
    found = items(value)[::-1]
    return found if tail is MISSING else found + items(tail)


@elixir("Enum.uniq(items, [fun])", "Every item once.", takes=(1,))
def uniq(value: Any) -> list[Any]:
    return _unique(items(value), _itself)


def _unique(given: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    seen = set()
    found = []
    for item in given:
        mark = identity(key(item))
        if mark not in seen:
            seen.add(mark)
            found.append(item)
    return found


@elixir("Enum.uniq_by(items, fun)", "One item for each result.")
@further("Enum.uniq", 2)
def uniq_by(value: Any, function: Any) -> list[Any]:
    return _unique(items(value), unary(function))


@elixir("Enum.dedup(items)", "Without neighbours that are the same.")
def dedup(value: Any) -> list[Any]:
    return _dedup(items(value), _itself)


def _dedup(given: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    found: list[Any] = []
    last: Any = MISSING
    for item in given:
        mark = key(item)
        if last is MISSING or not ops.same(mark, last):
            found.append(item)
        last = mark
    return found


@elixir("Enum.dedup_by(items, fun)", "Without neighbours with the same result.")
def dedup_by(value: Any, function: Any) -> list[Any]:
    return _dedup(items(value), unary(function))


@elixir("Enum.group_by(items, fun, [value])", "A map of lists by the closure's result.")
def group_by(value: Any, function: Any, mapper: Any = MISSING) -> Any:
    key = unary(function)
    change = or_itself(mapper)
    found: dict[Any, list[Any]] = {}
    for item in items(value):
        found.setdefault(key_in(key(item)), []).append(change(item))
    return found


@elixir("Enum.frequencies(items)", "How often each item is there, as a map.")
def frequencies(value: Any) -> Any:
    return _frequencies(items(value))


def _frequencies(given: list[Any]) -> Any:
    found: dict[Any, int] = {}
    for item in given:
        stored = key_in(item)
        found[stored] = found.get(stored, 0) + 1
    return found


@elixir(
    "Enum.frequencies_by(items, fun)", "How often each result is there, as a map.", closure=(1, ANY)
)
def frequencies_by(value: Any, function: Any) -> Any:
    return _frequencies(map_(value, function))


@elixir("Enum.with_index(items, [offset])", "Pairs of item and position.")
def with_index(value: Any, start: Any = 0) -> list[Any]:
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


@elixir("Enum.zip(items, [more])", "Items of several lists side by side.")
def zip_(value: Any, more: Any = MISSING) -> list[Any]:
    lists = [items(value), items(more)] if more is not MISSING else list(map(items, items(value)))
    return list(zip(*lists, strict=False))


@elixir("Enum.zip_with(items, [more], fun)", "The results for items side by side.", closure=(2, 2))
def zip_with(value: Any, more: Any, function: Any = MISSING) -> list[Any]:
    if function is MISSING:
        step = unary(more)
        return [step(list(parts)) for parts in zip(*map(items, items(value)), strict=False)]
    pair = binary(function)
    return [pair(a, b) for a, b in zip(items(value), items(more), strict=False)]


@elixir(
    "Enum.zip_reduce(items, [more], start, fun)",
    "One value made from several lists at once.",
    closure={3: (2, 2), 4: (3, 3)},
)
def zip_reduce(value: Any, more: Any, start: Any, function: Any = MISSING) -> Any:
    if function is MISSING:
        step, result = binary(start), more
        for parts in zip(*map(items, items(value)), strict=False):
            result = step(list(parts), result)
        return result
    three, result = called(function, 3), start
    for a, b in zip(items(value), items(more), strict=False):
        result = three(a, b, result)
    return result


@elixir("Enum.unzip(pairs)", "The first and the second parts of pairs.")
def unzip(value: Any) -> Any:
    pairs = items(value)
    if not all(type(pair) is tuple and len(pair) == 2 for pair in pairs):
        raise clause("Enum.unzip/1")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@elixir("Enum.intersperse(items, separator)", "With a separator between the items.")
def intersperse(value: Any, separator: Any) -> list[Any]:
    found: list[Any] = []
    for item in items(value):
        found += [separator, item] if found else [item]
    return found


@elixir("Enum.map_intersperse(items, separator, fun)", "The results with a separator between them.")
def map_intersperse(value: Any, separator: Any, function: Any) -> list[Any]:
    return intersperse(map_(value, function), separator)


@elixir("Enum.random(items)", "Any one of the items; another one each time.", varies=Varies.CHANCE)
def pick(value: Any) -> Any:
    given = items(value)
    if not given:
        raise empty_error()
    return random.choice(given)  # noqa: S311 - no secret depends on it


@elixir(
    "Enum.shuffle(items)", "The items in any order; another one each time.", varies=Varies.CHANCE
)
def shuffle(value: Any) -> list[Any]:
    return random.sample(items(value), len(items(value)))


@elixir(
    "Enum.take_random(items, count)", "Any of the items; others each time.", varies=Varies.CHANCE
)
def take_random(value: Any, count: Any) -> list[Any]:
    if type(count) is not int or count < 0:
        raise clause("Enum.take_random/2")
    given = items(value)
    return random.sample(given, min(count, len(given)))


unevaluated(
    "Enum",
    "chunk/2,3,4 filter_map/3 slice/2",
)
