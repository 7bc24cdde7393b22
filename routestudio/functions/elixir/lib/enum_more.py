"""Enum: order, sums, parts of lists."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import clause
from routestudio.functions.elixir.lib.common import (
    binary,
    comparer,
    items,
    need_integer,
    truthy,
    unary,
)
from routestudio.functions.elixir.lib.enum import empty_error
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING, called
from routestudio.functions.elixir.values import Atom, atom

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


@define("Enum", "sort", 1, 2)
def sort(value: Any, sorter: Any = MISSING) -> list[Any]:
    """`Enum.sort/1`, `/2`."""
    if sorter is MISSING or sorter is _ASC:
        return ops.sort_values(items(value))
    order, down = _order(sorter)
    given = items(value)
    return _merge_sort(given, order, down)


@define("Enum", "sort_by", 2, 3)
def sort_by(value: Any, function: Any, sorter: Any = MISSING) -> list[Any]:
    """`Enum.sort_by/2`, `/3`."""
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


def _extreme(
    value: Any, sorter: Any, fallback: Any, sign: int, key: Callable[[Any], Any]
) -> Any:  # fmt: skip
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


def _itself(item: Any) -> Any:
    return item


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


@define("Enum", "max", 1, 2, 3)
def max_(value: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    """`Enum.max/1`, `/2`, `/3`."""
    return _extreme(value, *_sorter(sorter, fallback), 1, _itself)


@define("Enum", "min", 1, 2, 3)
def min_(value: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    """`Enum.min/1`, `/2`, `/3`."""
    return _extreme(value, *_sorter(sorter, fallback), -1, _itself)


@define("Enum", "max_by", 2, 3, 4)
def max_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    """`Enum.max_by/2`, `/3`, `/4`."""
    return _extreme(value, *_sorter(sorter, fallback), 1, unary(function))


@define("Enum", "min_by", 2, 3, 4)
def min_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    """`Enum.min_by/2`, `/3`, `/4`."""
    return _extreme(value, *_sorter(sorter, fallback), -1, unary(function))


@define("Enum", "min_max", 1, 2)
def min_max(value: Any, fallback: Any = MISSING) -> Any:
    """`Enum.min_max/1`, `/2`."""
    if not items(value) and fallback is not MISSING:
        return called(fallback, 0)()
    return min_(value), max_(value)


@define("Enum", "min_max_by", 2, 3, 4)
def min_max_by(value: Any, function: Any, sorter: Any = MISSING, fallback: Any = MISSING) -> Any:
    """`Enum.min_max_by/2`, `/3`, `/4`."""
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


@define("Enum", "sum", 1)
def sum_(value: Any) -> Any:
    """`Enum.sum/1`."""
    total: Any = 0
    for item in items(value):
        total = ops.add(total, item)
    return total


@define("Enum", "product", 1)
def product(value: Any) -> Any:
    """`Enum.product/1`."""
    total: Any = 1
    for item in items(value):
        total = ops.multiply(total, item)
    return total


@define("Enum", "sum_by", 2)
def sum_by(value: Any, function: Any) -> Any:
    """`Enum.sum_by/2`."""
    return sum_(list(map(unary(function), items(value))))


@define("Enum", "product_by", 2)
def product_by(value: Any, function: Any) -> Any:
    """`Enum.product_by/2`."""
    return product(list(map(unary(function), items(value))))


@define("Enum", "take", 2)
def take(value: Any, count: Any) -> list[Any]:
    """`Enum.take/2`."""
    if need_integer(count, "Enum.take/2") == 0:
        return []
    given = items(value)
    return given[:count] if count >= 0 else given[count:]


@define("Enum", "drop", 2)
def drop(value: Any, count: Any) -> list[Any]:
    """`Enum.drop/2`."""
    need_integer(count, "Enum.drop/2")
    given = items(value)
    return given[count:] if count >= 0 else given[:count]


@define("Enum", "take_while", 2)
def take_while(value: Any, function: Any) -> list[Any]:
    """`Enum.take_while/2`."""
    return split_while(value, function)[0]  # type: ignore[no-any-return]


@define("Enum", "drop_while", 2)
def drop_while(value: Any, function: Any) -> list[Any]:
    """`Enum.drop_while/2`."""
    return split_while(value, function)[1]  # type: ignore[no-any-return]


@define("Enum", "split_while", 2)
def split_while(value: Any, function: Any) -> Any:
    """`Enum.split_while/2`."""
    test = unary(function)
    given = items(value)
    for index, item in enumerate(given):
        if not truthy(test(item)):
            return given[:index], given[index:]
    return given, []


@define("Enum", "split", 2)
def split(value: Any, count: Any) -> Any:
    """`Enum.split/2`."""
    need_integer(count, "Enum.split/2")
    given = items(value)
    if count < 0:
        count = max(0, len(given) + count)
    return given[:count], given[count:]


@define("Enum", "slice", 3)
def slice_(value: Any, start: Any, count: Any) -> list[Any]:
    """`Enum.slice/3`."""
    need_integer(start, "Enum.slice/3")
    if type(count) is not int or count < 0:
        raise clause("Enum.slice/3")
    if count == 0:
        return []
    given = items(value)
    if start < 0:
        start = max(0, start + len(given))
    return given[start : start + count]


@define("Enum", "reverse_slice", 3)
def reverse_slice(value: Any, start: Any, count: Any) -> list[Any]:
    """`Enum.reverse_slice/3`."""
    for number in (start, count):
        if type(number) is not int or number < 0:
            raise clause("Enum.reverse_slice/3")
    given = items(value)
    return given[:start] + given[start : start + count][::-1] + given[start + count :]


@define("Enum", "slide", 3)
def slide(value: Any, start: Any, target: Any) -> list[Any]:
    """`Enum.slide/3`."""
    if type(start) is not int or type(target) is not int:
        raise clause("Enum.slide/3")
    given = items(value)
    start = start + len(given) if start < 0 else start
    target = target + len(given) if target < 0 else target
    if not 0 <= start < len(given):
        return given
    rest = given[:start] + given[start + 1 :]
    return [*rest[:target], given[start], *rest[target:]]


@define("Enum", "chunk_every", 2, 3, 4)
def chunk_every(value: Any, count: Any, step: Any = None, leftover: Any = MISSING) -> list[Any]:
    """`Enum.chunk_every/2`, `/3`, `/4`."""
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


@define("Enum", "chunk_by", 2)
def chunk_by(value: Any, function: Any) -> list[Any]:
    """`Enum.chunk_by/2`."""
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


@define("Enum", "chunk_while", 4)
def chunk_while(value: Any, start: Any, function: Any, finish: Any) -> list[Any]:
    """`Enum.chunk_while/4`."""
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


@define("Enum", "take_every", 2)
def take_every(value: Any, step: Any) -> list[Any]:
    """`Enum.take_every/2`."""
    if type(step) is not int or step < 0:
        raise clause("Enum.take_every/2")
    return items(value)[::step] if step else []


@define("Enum", "drop_every", 2)
def drop_every(value: Any, step: Any) -> list[Any]:
    """`Enum.drop_every/2`."""
    if (value == [] and type(step) is int) or (step == 1 and type(step) is int):
        return []
    if type(step) is not int or step < 0:
        raise clause("Enum.drop_every/2")
    given = items(value)
    return [item for i, item in enumerate(given) if i % step] if step else given


@define("Enum", "map_every", 3)
def map_every(value: Any, step: Any, function: Any) -> list[Any]:
    """`Enum.map_every/3`."""
    if type(step) is not int or step < 0:
        raise clause("Enum.map_every/3")
    change = unary(function)
    given = items(value)
    return [change(item) if step and i % step == 0 else item for i, item in enumerate(given)]
