"""Decimal: the package `decimal` 2.3 with its default context, 28 digits, rounding half up."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, NotEvaluated, argument, clause
from routestudio.functions.elixir.inspecting import float_text, inspect
from routestudio.functions.elixir.lib.common import verdict
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.runtime import MISSING
from routestudio.functions.elixir.structs import Decimal, point
from routestudio.functions.elixir.values import ERROR, OK, Atom, atom

_HALF_UP: Final = atom("half_up")
_SCIENTIFIC: Final = atom("scientific")

PRECISION: Final = 28
MAX_EXPONENT: Final = 200_000
"""Largest exponent that is written out; PostgreSQL's `numeric` has at most 147,455 digits."""

NAN, INF = atom("NaN"), atom("inf")
_TEXT: Final = re.compile(r"([-+]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([-+]?\d+))?", re.ASCII)
_SPECIAL: Final = re.compile(r"([-+]?)(?:(nan)|(inf(?:inity)?))", re.ASCII | re.IGNORECASE)


def _read(text: str) -> tuple[Decimal, str] | None:
    found = _TEXT.match(text)
    if found:
        sign, whole, fraction, alone, exponent = found.groups()
        fraction = fraction or alone or ""
        power = int(exponent or 0) - len(fraction)
        if len(found[0]) > MAX_EXPONENT or abs(power) > 10**9:
            raise NotEvaluated("a decimal of more than 200,000 digits")
        coef = int((whole or "") + fraction)
        return Decimal(-1 if sign == "-" else 1, coef, power), text[found.end() :]
    found = _SPECIAL.match(text)
    if found is None:
        return None
    sign = -1 if found[1] == "-" else 1
    return Decimal(sign, NAN if found[2] else INF, 0), text[found.end() :]


def failed(text: str) -> ElixirError:
    """A `Decimal.Error` of this text."""
    return ElixirError("Decimal.Error", text)


@elixir(
    "Decimal.new(value)",
    "The decimal of an integer or a text.",
    takes=(1, 3),
)
def new(value: Any, coef: Any = MISSING, exp: Any = 0) -> Decimal:
    if coef is not MISSING:
        if (
            value not in (1, -1)
            or type(exp) is not int
            or not ((type(coef) is int and coef >= 0) or coef in (NAN, INF))
        ):
            raise clause("Decimal.new/3")
        return Decimal(value, coef, exp)
    if type(value) is int:
        return Decimal(-1 if value < 0 else 1, abs(value), 0)
    if isinstance(value, Decimal):
        return value
    if type(value) is str:
        found = _read(value)
        if found is None or found[1]:
            raise failed(f": number parsing syntax: {inspect(value)}")
        return found[0]
    raise clause("Decimal.new/1")


def of(value: Any) -> Decimal:
    """What the functions accept as a number."""
    if isinstance(value, Decimal):
        return value
    if type(value) in (int, str):
        return new(value)
    if type(value) is float:
        raise argument(
            f"implicit conversion of {inspect(value)} to Decimal is not allowed. Use "
            "Decimal.from_float/1"
        )
    raise clause("Decimal.decimal/1")


def finite(value: Any, where: str) -> tuple[int, int, int]:
    """Sign, coefficient and exponent of a finite decimal."""
    number = of(value)
    if type(number.coef) is Atom:
        raise NotEvaluated(f"{where} with NaN or infinity")
    if abs(number.exp) > MAX_EXPONENT:
        raise NotEvaluated("a decimal of more than 200,000 digits")
    return number.sign, number.coef, number.exp


def _context(sign: int, coef: int, exp: int) -> Decimal:
    """A result cut to the precision."""
    digits = len(str(coef))
    if digits > PRECISION:
        coef, exp = _cut(coef, digits - PRECISION, "half_up", sign), exp + digits - PRECISION
        if len(str(coef)) > PRECISION:
            coef, exp = coef // 10, exp + 1
    return Decimal(sign, coef, exp)


def _cut(coef: int, places: int, mode: str, sign: int) -> int:
    """A coefficient without its last digits, rounded."""
    if places <= 0:
        return int(coef * 10**-places)
    size = 10 ** min(places, len(str(coef)) + 1)
    whole, rest = divmod(coef, size)
    up = {
        "down": False, "up": rest > 0, "half_up": rest * 2 >= size, "half_down": rest * 2 > size,
        "half_even": rest * 2 > size or (rest * 2 == size and whole % 2 == 1),
        "ceiling": rest > 0 and sign > 0, "floor": rest > 0 and sign < 0,
    }.get(mode)  # fmt: skip
    if up is None:
        raise clause("Decimal.precision/3")
    return whole + up


@elixir("Decimal.add(a, b)", "The sum.")
def add(a: Any, b: Any) -> Decimal:
    (s1, c1, e1), (s2, c2, e2) = finite(a, "Decimal.add/2"), finite(b, "Decimal.add/2")
    exp = min(e1, e2)
    total = s1 * c1 * 10 ** (e1 - exp) + s2 * c2 * 10 ** (e2 - exp)
    sign = -1 if total < 0 or (total == 0 and s1 == s2 == -1) else 1
    return _context(sign, abs(total), exp)


@elixir("Decimal.negate(decimal)", "With the other sign.")
@elixir("Decimal.minus(decimal)", "Deprecated: write Decimal.negate(decimal).")
def negate(value: Any) -> Decimal:
    number = of(value)
    if number.coef is NAN:
        return number
    if type(number.coef) is Atom:
        return Decimal(-number.sign, number.coef, number.exp)
    return _context(-number.sign, number.coef, number.exp)


@elixir("Decimal.sub(a, b)", "The difference.")
def sub(a: Any, b: Any) -> Decimal:
    right = of(b)
    return add(a, Decimal(-right.sign, right.coef, right.exp))


@elixir("Decimal.mult(a, b)", "The product.")
def mult(a: Any, b: Any) -> Decimal:
    (s1, c1, e1), (s2, c2, e2) = finite(a, "Decimal.mult/2"), finite(b, "Decimal.mult/2")
    return _context(s1 * s2, c1 * c2, e1 + e2)


def _divisor(a: Any, b: Any, where: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    left, right = finite(a, where), finite(b, where)
    if right[1] == 0:
        raise failed("division_by_zero" if left[1] else "invalid_operation: 0 / 0")
    return left, right


@elixir("Decimal.div(a, b)", "The quotient, with up to 28 digits.")
def div(a: Any, b: Any) -> Decimal:
    (s1, c1, e1), (s2, c2, e2) = _divisor(a, b, "Decimal.div/2")
    if c1 == 0:
        return _context(s1 * s2, 0, e1 - e2)
    shift = 0
    while c1 < c2:
        c1, shift = c1 * 10, shift + 1
    while c1 >= c2 * 10:
        c2, shift = c2 * 10, shift - 1
    coef, limit = 0, 10**PRECISION
    while True:
        digit, c1 = divmod(c1, c2)
        coef += digit
        if (c1 == 0 and shift >= 0) or coef >= limit:
            break
        c1, coef, shift = c1 * 10, coef * 10, shift + 1
    return _context(s1 * s2, coef, e1 - e2 - shift)


def _quotient(a: Any, b: Any, where: str) -> Decimal:
    """The whole quotient; zero keeps the exponents' difference. Raises when it is too large."""
    (s1, c1, e1), (s2, c2, e2) = _divisor(a, b, where)
    exp = min(e1, e2)
    found = (c1 * 10 ** (e1 - exp)) // (c2 * 10 ** (e2 - exp))
    if found > 10**PRECISION:
        raise failed("invalid_operation: integer division impossible, quotient too large")
    return Decimal(s1 * s2, found, 0 if found else e1 - e2)


@elixir("Decimal.div_int(a, b)", "The quotient without its fraction.")
def div_int(a: Any, b: Any) -> Decimal:
    return _quotient(a, b, "Decimal.div_int/2")


@elixir("Decimal.rem(a, b)", "The rest of a division.")
def rem(a: Any, b: Any) -> Decimal:
    found = _quotient(a, b, "Decimal.rem/2")
    return sub(a, mult(b, found)) if found.coef else of(a)


@elixir("Decimal.div_rem(a, b)", "The quotient without its fraction, and the rest.")
def div_rem(a: Any, b: Any) -> Any:
    return div_int(a, b), rem(a, b)


@elixir("Decimal.round(decimal, [places], [mode])", "Rounded; halves away from zero.")
def round_(value: Any, places: Any = 0, mode: Any = _HALF_UP) -> Decimal:
    number = of(value)
    if type(number.coef) is Atom:
        return number
    if type(places) is not int or type(mode) is not Atom:
        raise clause("Decimal.round/3")
    sign, coef, exp = finite(number, "Decimal.round/3")
    if abs(places) > MAX_EXPONENT:
        raise NotEvaluated("a decimal of more than 200,000 digits")
    return _context(sign, _cut(coef, -places - exp, mode.name, sign), -places)


def only(value: Any, where: str) -> Decimal:
    """A decimal, for functions that take no integer: `Decimal.abs(1)` matches no clause."""
    if not isinstance(value, Decimal):
        raise clause(where)
    return value


@elixir("Decimal.normalize(decimal)", "Without zeros at the end.")
def normalize(value: Any) -> Decimal:
    number = only(value, "Decimal.normalize/1")
    if type(number.coef) is Atom:
        return number
    digits, exp = _stripped(number.coef, number.exp)
    return _context(number.sign, int(digits), exp)


def _stripped(coef: int, exp: int) -> tuple[str, int]:
    """Digits without the zeros at the end, and the exponent of the last one."""
    text = str(coef)
    digits = text.rstrip("0")
    return (digits, exp + len(text) - len(digits)) if digits else ("0", 0)


def is_whole(value: Decimal) -> bool:
    """Whether a finite decimal is an integer, however many digits it has."""
    return _stripped(value.coef, value.exp)[1] >= 0


def context_of(number: Decimal) -> Decimal:
    """A number cut to the precision."""
    if type(number.coef) is Atom:
        return number
    return _context(number.sign, number.coef, number.exp)


@elixir("Decimal.abs(decimal)", "Without its sign.")
def abs_(value: Any) -> Decimal:
    number = only(value, "Decimal.abs/1")
    if type(number.coef) is Atom:
        return Decimal(1, number.coef, number.exp)
    return _context(1, number.coef, number.exp)


@elixir("Decimal.apply_context(decimal)", "Rounded to 28 digits.")
def apply_context(value: Any) -> Decimal:
    return context_of(of(value))


@elixir("Decimal.from_float(float)", "The decimal of a float.")
def from_float(value: Any) -> Decimal:
    if type(value) is not float:
        raise clause("Decimal.from_float/1")
    found = _read(float_text(value).replace(".0e", "e"))
    assert found is not None
    return found[0]


@elixir("Decimal.cast(value)", "`{:ok, decimal}` of a number or text, or :error.")
def cast(value: Any) -> Any:
    if type(value) is int or isinstance(value, Decimal):
        return OK, new(value)
    if type(value) is float:
        return OK, from_float(value)
    if type(value) is str:
        found = _read(value)
        return (OK, found[0]) if found and not found[1] else ERROR
    return ERROR


@elixir("Decimal.parse(text)", "The decimal at the start of a text and the rest, or :error.")
def parse(value: Any) -> Any:
    if type(value) is not str:
        raise clause("Decimal.parse/1")
    found = _read(value)
    return ERROR if found is None else found


@elixir("Decimal.to_string(decimal, [format])", "The digits as text.")
def to_string(value: Any, form: Any = _SCIENTIFIC) -> str:
    if not isinstance(value, Decimal):
        raise clause("Decimal.to_string/2")
    if abs(value.exp) > MAX_EXPONENT:
        raise NotEvaluated("a decimal of more than 200,000 digits")
    name = getattr(form, "name", "")
    if type(value.coef) is Atom and name in ("raw", "xsd"):
        name = "scientific"
    match name:
        case "scientific":
            return value.text()
        case "normal":
            return value.normal()
        case "raw":
            sign = "-" if value.sign < 0 else ""
            return f"{sign}{value.coef}" + (f"E{value.exp}" if value.exp else "")
        case "xsd":
            sign, (digits, exp) = "-" if value.sign < 0 else "", _stripped(value.coef, value.exp)
            return sign + (f"{digits}{'0' * exp}.0" if exp >= 0 else point(digits, -exp))
    raise clause("Decimal.to_string/2")


@elixir("Decimal.to_integer(decimal)", "The integer; raises when it has a fraction.")
def to_integer(value: Any) -> int:
    if not isinstance(value, Decimal) or type(value.coef) is not int:
        raise clause("Decimal.to_integer/1")
    finite(value, "Decimal.to_integer/1")
    coef, exp = value.coef, value.exp
    if exp < 0:
        coef, rest = divmod(coef, 10**-exp)
        if rest:
            raise argument(
                f"cannot convert {inspect(value)} without losing precision. Use Decimal.round/3 "
                "first."
            )
        exp = 0
    return int(value.sign * coef * 10**exp)


@elixir("Decimal.to_float(decimal)", "The nearest float.")
def to_float(value: Any) -> float:
    if not isinstance(value, Decimal) or type(value.coef) is not int:
        raise clause("Decimal.to_float/1")
    number = float(f"{value.sign * value.coef}e{value.exp}") if value.coef else 0.0
    if math.isinf(number):
        raise argument(f"cannot convert {inspect(value)} to float")
    return number


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


@elixir("Decimal.compare(a, b)", ":lt, :eq or :gt; never compare decimals with `<`.")
@elixir("Decimal.cmp(a, b)", "Deprecated: write Decimal.compare(a, b).")
def compare(a: Any, b: Any) -> Any:
    return verdict(_ordered(a, b))


def _nan(*values: Any) -> bool:
    """Whether one is NaN; the other is not looked at then."""
    if any(isinstance(value, Decimal) and value.coef is NAN for value in values):
        return True
    return any(of(value).coef is NAN for value in values)


@elixir("Decimal.equal?(a, b)", "Whether both are the same number.")
@elixir("Decimal.eq?(a, b)", "Whether both are the same number.")
def equal(a: Any, b: Any) -> bool:
    return not _nan(a, b) and _ordered(a, b) == 0


@elixir("Decimal.gt?(a, b)", "Whether the first is greater.")
def gt(a: Any, b: Any) -> bool:
    return not _nan(a, b) and _ordered(a, b) > 0


@elixir("Decimal.lt?(a, b)", "Whether the first is smaller.")
def lt(a: Any, b: Any) -> bool:
    return not _nan(a, b) and _ordered(a, b) < 0


@elixir("Decimal.gte?(a, b)", "Whether the first is not smaller.")
def gte(a: Any, b: Any) -> bool:
    return not _nan(a, b) and _ordered(a, b) >= 0


@elixir("Decimal.lte?(a, b)", "Whether the first is not greater.")
def lte(a: Any, b: Any) -> bool:
    return not _nan(a, b) and _ordered(a, b) <= 0


@elixir("Decimal.positive?(decimal)", "Whether it is above 0.")
def positive(value: Any) -> bool:
    number = only(value, "Decimal.positive?/1")
    return number.sign > 0 and number.coef != 0 and number.coef is not NAN


@elixir("Decimal.negative?(decimal)", "Whether it is below 0.")
def negative(value: Any) -> bool:
    number = only(value, "Decimal.negative?/1")
    return number.sign < 0 and number.coef != 0 and number.coef is not NAN


@elixir("Decimal.nan?(decimal)", "Whether it is not a number.")
def is_nan(value: Any) -> bool:
    return only(value, "Decimal.nan?/1").coef is NAN


@elixir("Decimal.inf?(decimal)", "Whether it is infinite.")
def is_inf(value: Any) -> bool:
    return only(value, "Decimal.inf?/1").coef is INF


@elixir("Decimal.integer?(decimal)", "Whether it has no fraction.")
def is_integer(value: Any) -> bool:
    number = of(value)
    if type(number.coef) is Atom:
        return False
    return is_whole(number)


@elixir("Decimal.scale(decimal)", "The number of its places.")
def scale(value: Any) -> int:
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


@elixir("Decimal.max(a, b)", "The greater one.")
def max_(a: Any, b: Any) -> Decimal:
    return _chosen(of(a), of(b), 1)


@elixir("Decimal.min(a, b)", "The smaller one.")
def min_(a: Any, b: Any) -> Decimal:
    return _chosen(of(a), of(b), -1)


unevaluated(
    "Decimal",
    "compare/3 eq?/3 is_decimal/1 plus/1 sqrt/1",
)
