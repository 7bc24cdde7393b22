"""What Elixir expresses with an operator and Python does not: small functions inside the function.

Each gives exactly the value that Elixir gives, or raises; it never gives another value.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection
from typing import Final

HELPERS: Final[dict[str, str]] = {
    "float_text": """\
def float_text(value):
    # A float as Elixir writes it: the shorter of 1200.0 and 1.2e3.
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join([str(digit) for digit in digits])
    power = len(digits) + exponent - 1
    short = f"{digits[0]}.{digits[1:] or '0'}e{power}"
    if exponent >= 0:
        plain = digits + "0" * exponent + ".0"
    elif power >= 0:
        plain = f"{digits[: power + 1]}.{digits[power + 1 :]}"
    else:
        plain = "0." + "0" * (-power - 1) + digits
    if value == 0:
        short = plain = "0.0"
    return ("-" if sign else "") + (
        plain if len(plain) <= len(short) and abs(value) < 9007199254740992 else short
    )
""",
    "iso": """\
def iso(value):
    # Dates and times of a row are text in Python where nobody says the column's type.
    if isinstance(value, datetime.date):
        return value.isoformat()
    if re.fullmatch(r"\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z?)?", value):
        return value
    raise TypeError("this is not a date or time")
""",
    "text": """\
def text(value):
    # A value as text, as Elixir writes it.
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    moment = r"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z?"
    if isinstance(value, str) and re.fullmatch(moment, value):
        return value.replace("T", " ")  # a time of a row, which is text here
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "microseconds").replace("+00:00", "Z")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError("this value cannot be written as text")
""",
    "truthy": """\
def truthy(value):
    # Elixir takes everything but nil and false for true.
    return value is not None and value is not False
""",
    "boolean": """\
def boolean(value):
    # `and`, `or` and `not` want true or false in Elixir.
    if isinstance(value, bool):
        return value
    raise TypeError("this must be true or false")
""",
    "same": """\
def same(left, right):
    # Whether two values are equal in Elixir, where true is not 1.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        # 1.0 is not 1.00, and no number.
        both = isinstance(left, Decimal) and isinstance(right, Decimal)
        return both and left.as_tuple() == right.as_tuple()
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(
            key in right and same(left[key], right[key]) for key in left
        )
    return left == right
""",
    "order": """\
def order(value):
    # Elixir's order of values: numbers, then false, nil and true, then texts.
    if value is None or isinstance(value, bool):
        return (1, "nil" if value is None else str(value).lower())
    if isinstance(value, (int, float)):
        return (0, value)
    if isinstance(value, str):
        return (2, value)
    raise TypeError("this value has no order here")
""",
    "at": """\
def at(value, key):
    # An entry of a map; nothing has no entries.
    return None if value is None else value.get(key)
""",
    "items": """\
def items(value):
    if isinstance(value, list):
        return value
    raise TypeError("this must be a list")
""",
    "mapping": """\
def mapping(value):
    if isinstance(value, dict):
        return value
    raise TypeError("this must be a map")
""",
    "string": """\
def string(value):
    if isinstance(value, str):
        return value
    raise TypeError("this must be text")
""",
    "number": """\
def number(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise TypeError("this must be a number")
""",
    "whole": """\
def whole(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError("this must be a whole number")
""",
    "integer": """\
def integer(value):
    # Elixir reads digits and a sign only.
    if re.fullmatch("[+-]?[0-9]+", value):
        return int(value)
    raise ValueError("this text is not a number")
""",
    "quotient": """\
def quotient(left, right):
    if int(float(number(left))) == int(left) and int(float(number(right))) == int(right):
        return left / right
    raise ArithmeticError("these numbers are too large to be divided exactly")
""",
    "div": """\
def div(left, right):
    # Elixir rounds towards zero.
    found = abs(whole(left)) // abs(whole(right))
    return found if (left < 0) == (right < 0) else -found
""",
    "rem": """\
def rem(left, right):
    # The sign is that of the left number.
    found = abs(whole(left)) % abs(whole(right))
    return found if left >= 0 else -found
""",
    "no_clause": """\
def no_clause():
    raise ValueError("no clause matches")
""",
}

_NEEDS: Final = {"text": ("float_text",), "div": ("whole",), "rem": ("whole",),
                 "quotient": ("number",)}  # fmt: skip
_NAMES: Final = """
re json datetime decimal math hashlib base64 uuid url Decimal len str int float bool dict list tuple
set sorted any all isinstance abs min max sum zip reversed filter map range route transform key
value
"""
TAKEN: Final = frozenset(HELPERS) | frozenset(keyword.kwlist) | frozenset(_NAMES.split())
"""Names that a converted variable does not take."""


def helpers(used: Collection[str]) -> list[str]:
    """The functions that are used, each after those that it needs."""
    wanted = set(used)
    for name in used:
        wanted.update(_NEEDS.get(name, ()))
    return [text for name, text in HELPERS.items() if name in wanted]
