"""Integer."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import (
    NotEvaluated,
    argument,
    argument_error,
    arithmetic,
    clause,
)
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import need_integer
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.values import ERROR

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_TEXT: Final = 200_000
"""Most digits of a number that is read or written: the time grows with their square."""


def in_base(number: int, base: int) -> str:
    """The upper-case text of an integer."""
    if abs(number).bit_length() > ops.MAX_BITS // 3:
        raise NotEvaluated("the text of an integer of more than 200,000 digits")
    if base == 10:
        return str(number)
    sign, number = ("-", -number) if number < 0 else ("", number)
    found = ""
    if base == 16:
        found = f"{number:X}"
    elif base == 2:
        found = f"{number:b}"
    else:
        while number:
            number, digit = divmod(number, base)
            found = _DIGITS[digit].upper() + found
    return sign + (found or "0")


@elixir("Integer.to_string(number, [base])", "The digits as text.")
def to_string(value: Any, base: Any = 10) -> str:
    if type(value) is not int:
        raise argument_error(1, "not an integer")
    if type(base) is not int or not 2 <= base <= 36:
        raise argument_error(2, "not an integer in the range 2 through 36")
    return in_base(value, base)


@elixir("Integer.to_charlist(number, [base])", "The digits as code points.")
def to_charlist(value: Any, base: Any = 10) -> list[int]:
    return [ord(char) for char in to_string(value, base)]


def digits_of(base: int) -> str:
    """A pattern of at least one digit."""
    letters = _DIGITS[:base]
    return f"[{letters}{letters.upper()}]+"


@elixir(
    "Integer.parse(text, [base])", "The integer at the start of a text and the rest, or :error."
)
def parse(text: Any, base: Any = 10) -> Any:
    if type(text) is not str:
        raise clause("Integer.parse/2")
    if type(base) is not int or not 2 <= base <= 36:
        raise argument(f"invalid base {inspect(base)}")
    found = re.compile(rf"[-+]?{digits_of(base)}").match(text)
    if found is None:
        return ERROR
    if found.end() > MAX_TEXT:
        raise NotEvaluated("an integer of more than 200,000 digits")
    return int(found[0], base), text[found.end() :]


@elixir("Integer.mod(a, b)", "The rest of a division, with the sign of the second.")
def mod(a: Any, b: Any) -> int:
    if type(a) is not int or type(b) is not int or b == 0:
        raise arithmetic()
    return a % b


@elixir("Integer.floor_div(a, b)", "The quotient, rounded down.")
def floor_div(a: Any, b: Any) -> int:
    if type(a) is not int or type(b) is not int or b == 0:
        raise arithmetic()
    return a // b


@elixir("Integer.ceil_div(a, b)", "The quotient, rounded up.")
def ceil_div(a: Any, b: Any) -> int:
    return -floor_div(-a if type(a) is int else a, b)


@elixir("Integer.pow(base, exponent)", "The power of integers.")
def power(base: Any, exponent: Any) -> Any:
    if type(base) is not int or type(exponent) is not int:
        raise clause("Integer.pow/2")
    if exponent < 0:
        raise arithmetic()
    if abs(base) > 1 and base.bit_length() * exponent > ops.MAX_BITS:
        raise NotEvaluated("an integer of more than 600,000 digits")
    return base**exponent


@elixir("Integer.gcd(a, b)", "The greatest common divisor.")
def gcd(a: Any, b: Any) -> int:
    return math.gcd(need_integer(a, "Integer.gcd/2"), need_integer(b, "Integer.gcd/2"))


@elixir("Integer.extended_gcd(a, b)", "The greatest common divisor and its two factors.")
def extended_gcd(a: Any, b: Any) -> Any:
    need_integer(a, "Integer.extended_gcd/2")
    need_integer(b, "Integer.extended_gcd/2")
    if a == 0 and b == 0:
        return 0, 0, 0
    if b == 0:
        return a, 1, 0
    if a == 0:
        return b, 0, 1
    old, new = (a, 1, 0), (b, 0, 1)
    while new[0]:
        quotient = ops.div(old[0], new[0])
        step = tuple(x - quotient * y for x, y in zip(old, new, strict=True))
        old, new = new, step  # type: ignore[assignment]
    return tuple(-x for x in old) if old[0] < 0 else old


@elixir("Integer.digits(number, [base])", "The digits as a list.")
def digits(value: Any, base: Any = 10) -> list[int]:
    if type(value) is not int or type(base) is not int or base < 2:
        raise clause("Integer.digits/2")
    if abs(value).bit_length() > ops.MAX_BITS // 30:
        raise NotEvaluated("the digits of an integer of more than 20,000 digits")
    sign, rest = (-1, -value) if value < 0 else (1, value)
    found: list[int] = []
    while rest or not found:
        rest, digit = divmod(rest, base)
        found.insert(0, sign * digit)
    return found


@elixir("Integer.undigits(digits, [base])", "The integer of a list of digits.")
def undigits(value: Any, base: Any = 10) -> int:
    if type(value) is not list or type(base) is not int or base < 2:
        raise clause("Integer.undigits/2")
    total = 0
    for digit in value:
        if type(digit) is not int:
            raise clause("Integer.undigits/3")
        if digit >= base:
            raise argument(f"invalid digit {digit} in base {base}")
        total = total * base + digit
    return total


@elixir("Integer.popcount(number)", "The number of bits that are set.")
def popcount(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise clause("Integer.popcount/1")
    return value.bit_count()


unevaluated(
    "Integer",
    "to_char_list/1,2",
)
