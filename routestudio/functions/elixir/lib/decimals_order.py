"""Decimal: comparing and asking."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.lib.common import verdict
from routestudio.functions.elixir.lib.decimals import (
    INF,
    NAN,
    context_of,
    failed,
    finite,
    is_whole,
    of,
    only,
)
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.structs import Decimal
from routestudio.functions.elixir.values import Atom


def _infinite(value: Any) -> int:
    """The sign of an infinity; 0 for everything else."""
    return value.sign if isinstance(value, Decimal) and value.coef is INF else 0


def _ordered(a: Any, b: Any) -> int:
    x, y = _infinite(a), _infinite(b)
    if x or y:  # what the other value is does not matter, not even its type
        return (x > y) - (x < y)
    if any(isinstance(value, Decimal) and value.coef is NAN for value in (a, b)):
        raise failed("invalid_operation: operation on NaN")
    left, right = of(a), of(b)
    if left is not a or right is not b:
        return _ordered(left, right)
    (s1, c1, e1), (s2, c2, e2) = finite(left, "compare"), finite(right, "compare")
    exp = min(e1, e2)
    x, y = s1 * c1 * 10 ** (e1 - exp), s2 * c2 * 10 ** (e2 - exp)
    return (x > y) - (x < y)


@define("Decimal", "compare", 2)
@define("Decimal", "cmp", 2)
def compare(a: Any, b: Any) -> Any:
    """`Decimal.cmp/2`, `Decimal.compare/2`."""
    return verdict(_ordered(a, b))


def _nan(*values: Any) -> bool:
    """Whether one is NaN; the other is not looked at then."""
    if any(isinstance(value, Decimal) and value.coef is NAN for value in values):
        return True
    return any(of(value).coef is NAN for value in values)


@define("Decimal", "equal?", 2)
@define("Decimal", "eq?", 2)
def equal(a: Any, b: Any) -> bool:
    """`Decimal.eq?/2`, `Decimal.equal?/2`."""
    return not _nan(a, b) and _ordered(a, b) == 0


@define("Decimal", "gt?", 2)
def gt(a: Any, b: Any) -> bool:
    """`Decimal.gt?/2`."""
    return not _nan(a, b) and _ordered(a, b) > 0


@define("Decimal", "lt?", 2)
def lt(a: Any, b: Any) -> bool:
    """`Decimal.lt?/2`."""
    return not _nan(a, b) and _ordered(a, b) < 0


@define("Decimal", "gte?", 2)
def gte(a: Any, b: Any) -> bool:
    """`Decimal.gte?/2`."""
    return not _nan(a, b) and _ordered(a, b) >= 0


@define("Decimal", "lte?", 2)
def lte(a: Any, b: Any) -> bool:
    """`Decimal.lte?/2`."""
    return not _nan(a, b) and _ordered(a, b) <= 0


@define("Decimal", "positive?", 1)
def positive(value: Any) -> bool:
    """`Decimal.positive?/1`."""
    number = only(value, "Decimal.positive?/1")
    return number.sign > 0 and number.coef != 0 and number.coef is not NAN


@define("Decimal", "negative?", 1)
def negative(value: Any) -> bool:
    """`Decimal.negative?/1`."""
    number = only(value, "Decimal.negative?/1")
    return number.sign < 0 and number.coef != 0 and number.coef is not NAN


@define("Decimal", "nan?", 1)
def is_nan(value: Any) -> bool:
    """`Decimal.nan?/1`."""
    return only(value, "Decimal.nan?/1").coef is NAN


@define("Decimal", "inf?", 1)
def is_inf(value: Any) -> bool:
    """`Decimal.inf?/1`."""
    return only(value, "Decimal.inf?/1").coef is INF


@define("Decimal", "integer?", 1)
def is_integer(value: Any) -> bool:
    """`Decimal.integer?/1`."""
    number = of(value)
    if type(number.coef) is Atom:
        return False
    return is_whole(number)


@define("Decimal", "scale", 1)
def scale(value: Any) -> int:
    """`Decimal.scale/1`."""
    return max(0, -only(value, "Decimal.scale/1").exp)


def _chosen(left: Decimal, right: Decimal, wanted: int) -> Decimal:
    """The larger (`wanted` 1) or the smaller (-1); the other one where one is not a number.

    Equal values differ by their sign, then by their exponent.
    """
    if left.coef is NAN or right.coef is NAN:
        return right if left.coef is NAN else left
    order = _ordered(left, right)
    if order == 0:
        order = (left.sign > right.sign) - (left.sign < right.sign)
    if order == 0:
        order = 1 if left.sign * left.exp > left.sign * right.exp else -1
    return context_of(left if order == wanted else right)


@define("Decimal", "max", 2)
def max_(a: Any, b: Any) -> Decimal:
    """`Decimal.max/2`."""
    return _chosen(of(a), of(b), 1)


@define("Decimal", "min", 2)
def min_(a: Any, b: Any) -> Decimal:
    """`Decimal.min/2`."""
    return _chosen(of(a), of(b), -1)
