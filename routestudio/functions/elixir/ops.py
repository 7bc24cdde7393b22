"""Equality, order and arithmetic as Elixir defines them; never Python's own operators."""

from __future__ import annotations

import math
from functools import cmp_to_key
from types import FunctionType
from typing import Any, Final

from routestudio.functions.elixir.errors import NotEvaluated, arithmetic
from routestudio.functions.elixir.values import (
    Atom,
    Cons,
    Reference,
    Struct,
    atom_name,
    bytes_of,
    full_map,
    key_out,
)

MAX_BITS: Final = 2_000_000
"""Largest integer that is computed; anything near it is a mistake, and slow."""

_RANK: Final[dict[type, int]] = {
    int: 0, float: 0, Atom: 1, bool: 1, type(None): 1, Reference: 2, FunctionType: 3, tuple: 6,
    dict: 7, list: 8, Cons: 8, str: 9,
}  # fmt: skip
_NUMBERS: Final = frozenset((int, float))


def rank(value: Any) -> int:
    """The place of a value's type in the order of all terms."""
    return _RANK.get(type(value), 7)


def equal(a: Any, b: Any) -> bool:
    """`==`: numbers by value, everything else by type and content."""
    kind = type(a)
    if kind is str or kind is Atom or a is None or kind is bool:
        return type(b) is kind and bool(a == b)
    if kind is int or kind is float:
        return type(b) in _NUMBERS and bool(a == b)
    return compare(a, b) == 0


def same(a: Any, b: Any) -> bool:
    """`===`: equal, and 1 is not 1.0."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is str or kind is Atom or kind is bool or kind is int or a is None:
        return bool(a == b)
    if kind is float:
        return bool(a == b) and math.copysign(1, a) == math.copysign(1, b)
    if kind is list or kind is tuple:
        return len(a) == len(b) and all(map(same, a, b))
    if kind is dict:
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, Struct):
        return a.module == b.module and same(a.fields(), b.fields())
    if kind is Cons:
        return same(a.items, b.items) and same(a.tail, b.tail)
    return a is b


def compare(a: Any, b: Any, exact: bool = False) -> int:
    """-1, 0 or 1: the order of any two values.

    `exact` is the order of keys within a map, at every depth: integers come before floats.
    """
    left, right = rank(a), rank(b)
    if left != right:
        return -1 if left < right else 1
    if left == 0:
        if exact and type(a) is not type(b):
            return -1 if type(a) is int else 1
        return (a > b) - (a < b)
    if left == 9:
        if not (a.isascii() and b.isascii()):
            a, b = bytes_of(a), bytes_of(b)
        return (a > b) - (a < b)
    if left == 1:
        a, b = bytes_of(atom_name(a) or ""), bytes_of(atom_name(b) or "")
        return (a > b) - (a < b)
    if left == 8:
        return _compare_lists(a, b, exact)
    if left == 6:
        if len(a) != len(b):
            return -1 if len(a) < len(b) else 1
        return _compare_items(a, b, exact)
    if left == 7:
        return _compare_maps(a, b, exact)
    return (id(a) > id(b)) - (id(a) < id(b))


def _compare_items(a: Any, b: Any, exact: bool) -> int:
    for x, y in zip(a, b, strict=False):
        order = compare(x, y, exact)
        if order:
            return order
    return 0


def _compare_lists(a: Any, b: Any, exact: bool) -> int:
    left, a_tail = (a.items, a.tail) if type(a) is Cons else (a, [])
    right, b_tail = (b.items, b.tail) if type(b) is Cons else (b, [])
    order = _compare_items(left, right, exact)
    if order:
        return order
    # One list has ended: what is left of either is compared, the empty list first among lists.
    rest_a = a_tail if len(left) <= len(right) else True
    rest_b = b_tail if len(right) <= len(left) else True
    if rest_a is True or rest_b is True:
        other = rest_b if rest_a is True else rest_a
        longer = 1 if rest_a is True else -1
        if type(other) is list:
            return longer
        return longer if rank(other) < 8 else -longer
    if type(rest_a) is list and type(rest_b) is list:
        return 0
    return compare(rest_a, rest_b, exact)


def _compare_maps(a: Any, b: Any, exact: bool) -> int:
    left = full_map(a) if isinstance(a, Struct) else a
    right = full_map(b) if isinstance(b, Struct) else b
    if len(left) != len(right):
        return -1 if len(left) < len(right) else 1
    left_keys, right_keys = sorted_keys(left), sorted_keys(right)
    for x, y in zip(left_keys, right_keys, strict=True):
        order = compare_keys(key_out(x), key_out(y))
        if order:
            return order
    for x, y in zip(left_keys, right_keys, strict=True):
        order = compare(left[x], right[y], exact)
        if order:
            return order
    return 0


def compare_keys(a: Any, b: Any) -> int:
    """The order of keys within a map: integers come before floats."""
    return compare(a, b, True)


sort_key: Final = cmp_to_key(compare)
_stored_key: Final = cmp_to_key(lambda x, y: compare_keys(key_out(x), key_out(y)))
_TEXT: Final = frozenset((str,))
_ATOMS: Final = frozenset((Atom,))


def sorted_keys(data: dict[Any, Any]) -> list[Any]:
    """The stored keys of a map in the order in which it is walked."""
    if len(data) < 2:
        return list(data)
    kinds = set(map(type, data))
    if kinds == _TEXT and all(map(str.isascii, data)):
        return sorted(data)
    if kinds == _ATOMS:
        return sorted(data, key=lambda item: item.name)
    return sorted(data, key=_stored_key)


def sorted_items(data: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Keys and values of a map in the order in which it is walked."""
    return [(key_out(key), data[key]) for key in sorted_keys(data)]


def sort_values(values: list[Any]) -> list[Any]:
    """The values in the order of all terms."""
    kinds = set(map(type, values))
    if kinds <= _NUMBERS or (kinds == _TEXT and all(map(str.isascii, values))):
        return sorted(values)
    return sorted(values, key=sort_key)


def less(a: Any, b: Any) -> bool:
    """`a < b`, for any two values."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a < b)
    return compare(a, b) < 0


def greater(a: Any, b: Any) -> bool:
    """`a > b`, for any two values."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a > b)
    return compare(a, b) > 0


def less_equal(a: Any, b: Any) -> bool:
    """`a <= b`, for any two values."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a <= b)
    return compare(a, b) <= 0


def greater_equal(a: Any, b: Any) -> bool:
    """`a >= b`, for any two values."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a >= b)
    return compare(a, b) >= 0


def not_equal(a: Any, b: Any) -> bool:
    """`a != b`."""
    return not equal(a, b)


def not_same(a: Any, b: Any) -> bool:
    """`a !== b`."""
    return not same(a, b)


def _checked(value: Any) -> Any:
    if type(value) is float:
        if not math.isfinite(value):
            raise arithmetic()
    elif value.bit_length() > MAX_BITS:
        raise NotEvaluated("an integer of more than 600,000 digits")
    return value


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise arithmetic() from None


def add(a: Any, b: Any) -> Any:
    """`a + b`."""
    if type(a) is int and type(b) is int:
        return a + b
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return _checked(_float(a) + _float(b))
    raise arithmetic()


def subtract(a: Any, b: Any) -> Any:
    """`a - b`."""
    if type(a) is int and type(b) is int:
        return a - b
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return _checked(_float(a) - _float(b))
    raise arithmetic()


def multiply(a: Any, b: Any) -> Any:
    """`a * b`."""
    if type(a) is int and type(b) is int:
        if a.bit_length() + b.bit_length() > MAX_BITS:
            raise NotEvaluated("an integer of more than 600,000 digits")
        return a * b
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return _checked(_float(a) * _float(b))
    raise arithmetic()


def divide(a: Any, b: Any) -> float:
    """`a / b`, always a float."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS and b != 0:
        try:
            return float(_checked(_float(a) / _float(b)))
        except ZeroDivisionError:
            raise arithmetic() from None
    raise arithmetic()


def negate(a: Any) -> Any:
    """`-a`."""
    if type(a) in _NUMBERS:
        return -a
    raise arithmetic()


def positive(a: Any) -> Any:
    """`+a`."""
    if type(a) in _NUMBERS:
        return a
    raise arithmetic()


def div(a: Any, b: Any) -> int:
    """`div(a, b)`, toward zero."""
    if type(a) is int and type(b) is int and b:
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    raise arithmetic()


def rem(a: Any, b: Any) -> int:
    """`rem(a, b)`, with the sign of `a`."""
    if type(a) is int and type(b) is int and b:
        remainder = abs(a) % abs(b)
        return -remainder if a < 0 else remainder
    raise arithmetic()
