"""ISO 8601 text, units of time and shifting: what Date and the datetimes share."""

from __future__ import annotations

import re
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, argument, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.structs import (
    MILLION,
    Date,
    DateTime,
    NaiveDateTime,
    Time,
    at_micros,
    date_of,
    days_of,
    month_days,
    valid_date,
)
from routestudio.functions.elixir.values import ERROR, OK, atom

_DATE: Final = r"([+-]?)(\d{4})-(\d{2})-(\d{2})"
_CLOCK: Final = r"(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?"
_OFFSET: Final = r"(Z|[+-]\d{2}(?::?\d{2})?)?"
DATE: Final = re.compile(_DATE + r"\Z", re.ASCII)
TIME: Final = re.compile(r"T?" + _CLOCK + _OFFSET + r"\Z", re.ASCII)
BASIC_DATETIME: Final = re.compile(
    r"([+-]?)(\d{4})(\d{2})(\d{2})[T ](\d{2})(\d{2})(\d{2})(?:[.,](\d+))?" + _OFFSET + r"\Z",
    re.ASCII,
)
"""The form without separators between the parts of a date and of a time."""
DATETIME: Final = re.compile(_DATE + r"[T ]" + _CLOCK + _OFFSET + r"\Z", re.ASCII)

UNITS: Final = {
    "second": 1,
    "millisecond": 1_000,
    "microsecond": 1_000_000,
    "nanosecond": 1_000_000_000,
}
BASIC: Final = atom("basic")
_EXTENDED: Final = atom("extended")
LONG_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
PRECISION: Final = {"second": 0, "millisecond": 3, "microsecond": 6, "nanosecond": 6}
EPOCH: Final = days_of(1970, 1, 1) * 86_400 * MILLION


def error(reason: str) -> Any:
    """`{:error, reason}`."""
    return ERROR, atom(reason)


def raised(what: str, text: str, found: Any) -> ElixirError:
    """What the functions with `!` raise for a text that cannot be read."""
    return argument(f"cannot parse {inspect(text)} as {what}, reason: {inspect(found[1])}")


def _date_parts(found: re.Match[str]) -> tuple[int, int, int]:
    sign, year, month, day = found.group(1, 2, 3, 4)
    return (-int(year) if sign == "-" else int(year)), int(month), int(day)


def _clock_parts(found: re.Match[str], first: int) -> tuple[int, int, int, int, int]:
    hour, minute, second, fraction = found.group(first, first + 1, first + 2, first + 3)
    digits = (fraction or "")[:6]
    return int(hour), int(minute), int(second), int(digits.ljust(6, "0")), len(digits)


def _offset(text: str | None) -> int | None:
    """Seconds of an offset; `None` when there is none."""
    if text is None:
        return None
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if text[0] == "-" else seconds


def _bad_offset(text: str | None) -> bool:
    if text is None or text == "Z":
        return False
    digits = text[1:].replace(":", "").ljust(4, "0")
    return int(digits[:2]) > 23 or int(digits[2:]) > 59 or (text[0] == "-" and digits == "0000")


def parse_date(text: str) -> Any:
    """`{:ok, date}` or `{:error, reason}`."""
    found = DATE.match(text)
    if found is None:
        return error("invalid_format")
    parts = _date_parts(found)
    return (OK, Date(*parts)) if valid_date(*parts) else error("invalid_date")


def parse_time(text: str) -> Any:
    """`{:ok, time}` or `{:error, reason}`."""
    found = TIME.match(text)
    if found is None or _bad_offset(found[5]):
        return error("invalid_format")
    parts = _clock_parts(found, 1)
    return (OK, Time(*parts)) if valid_clock(*parts) else error("invalid_time")


FUNCTIONS["Time", "from_iso8601", 1] = parse_time


def valid_clock(hour: int, minute: int, second: int, *_: int) -> bool:
    """Whether this is a time of day."""
    return 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60


def parse_datetime(text: str, *, basic: bool = False) -> Any:
    """Parts of a datetime and its offset (`None` for none), or `{:error, reason}`."""
    found = (BASIC_DATETIME if basic else DATETIME).match(text)
    if found is None or _bad_offset(found[9]):
        return error("invalid_format")
    date, clock = _date_parts(found), _clock_parts(found, 5)
    if not valid_date(*date):
        return error("invalid_date")
    if not valid_clock(*clock):
        return error("invalid_time")
    return NaiveDateTime(*date, *clock), _offset(found[9])


def unit_name(unit: Any, where: str) -> str:
    """A unit of time by its atom. Raises for anything else."""
    name = getattr(unit, "name", None)
    if name in UNITS or name in LONG_UNITS:
        return str(name)
    if type(unit) is int and unit > 0:
        return ""
    raise argument(
        "unsupported time unit. Expected :day, :hour, :minute, :second, :millisecond, "
        f":microsecond, :nanosecond, or a positive integer, got {inspect(unit)}"
    )


def system_unit(unit: Any, where: str) -> str:
    """A unit of Unix times: like `unit_name`, but nothing longer than a second."""
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        raise argument(
            "unsupported time unit. Expected :second, :millisecond, :microsecond, :nanosecond, "
            f"or a positive integer, got {inspect(unit)}"
        )
    return name


def need_form(form: Any, where: str) -> None:
    """`:basic` or `:extended`; no clause of `where` matches anything else."""
    if form is not BASIC and form is not _EXTENDED:
        raise clause(where)


def to_micros(amount: Any, unit: Any, where: str) -> int:
    """An amount of a unit in microseconds, rounded down."""
    if type(amount) is not int:
        raise clause(where)
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        return amount * LONG_UNITS[name] * MILLION
    parts = UNITS[name] if name else unit
    return int(amount * MILLION // parts)


def moved(value: Any, micros: int, precision: int) -> Any:
    """A datetime moved by microseconds, to any year."""
    return at_micros(type(value), value.micros + micros, max(precision, value.precision))


def add(value: Any, amount: Any, unit: Any, where: str) -> Any:
    """`DateTime.add` and `NaiveDateTime.add`: a finer unit widens the precision."""
    micros = to_micros(amount, unit, where)
    name = unit_name(unit, where)
    precision = 0 if name in LONG_UNITS else PRECISION.get(name, 6)
    return moved(value, micros, precision)


def truncate(value: Any, unit: Any, where: str) -> Any:
    """`truncate` of a datetime: a precision of seconds, milliseconds or microseconds."""
    name = getattr(unit, "name", None)
    if name not in ("second", "millisecond", "microsecond"):
        raise clause(where)
    precision = min(PRECISION[str(name)], value.precision)
    step = 10 ** (6 - precision) if precision else MILLION
    micro = value.microsecond - value.microsecond % step
    return type(value)(
        value.year, value.month, value.day, value.hour, value.minute, value.second, micro, precision
    )


def add_months(year: int, month: int, day: int, months: int) -> tuple[int, int, int]:
    """A date some months later, cut to the end of the month."""
    total = year * 12 + month - 1 + months
    year, month = total // 12, total % 12 + 1
    return year, month, min(day, month_days(year, month))


_SHIFTS: Final = ("year", "month", "week", "day", "hour", "minute", "second", "microsecond")


def shifted(value: Any, duration: Any, where: str, *, dates_only: bool) -> Any:
    """`shift`: a keyword list such as `[month: 1, day: -2]`."""
    if type(duration) is not list:
        raise clause(where)
    given = {}
    allowed = _SHIFTS[:4] if dates_only else _SHIFTS
    for entry in duration:
        name = getattr(entry[0], "name", "") if type(entry) is tuple and entry else ""
        if name not in _SHIFTS:
            raise argument(
                f"unknown unit {inspect(entry[0] if type(entry) is tuple else entry)}. "
                "Expected :year, :month, :week, :day, :hour, :minute, :second, :microsecond"
            )
        if name not in allowed:
            raise argument(
                f"unsupported unit {inspect(entry[0])}. Expected :year, :month, :week, :day"
            )
        given[name] = entry[1]
    micro = given.pop("microsecond", (0, 0))
    if any(type(amount) is not int for amount in given.values()) or type(micro) is not tuple:
        raise argument("unsupported value in a duration: integers are expected")
    year, month, day = add_months(
        value.year, value.month, value.day, given.get("year", 0) * 12 + given.get("month", 0)
    )
    days = given.get("week", 0) * 7 + given.get("day", 0)
    if dates_only:
        return Date(*date_of(days_of(year, month, day) + days))
    start = type(value)(
        year, month, day, value.hour, value.minute, value.second, value.microsecond, value.precision
    )
    seconds = given.get("hour", 0) * 3600 + given.get("minute", 0) * 60 + given.get("second", 0)
    return moved(start, (days * 86_400 + seconds) * MILLION + micro[0], micro[1])


def date_part(value: Any, where: str) -> Date:
    """The date of a Date, NaiveDateTime or DateTime; no clause matches anything else."""
    if type(value) is Date:
        return value
    if isinstance(value, NaiveDateTime):
        return value.date
    raise clause(where)


def naive_part(value: Any, where: str) -> NaiveDateTime:
    """A NaiveDateTime (or DateTime); no clause of `where` matches anything else."""
    if isinstance(value, NaiveDateTime):
        return value
    raise clause(where)


def utc_part(value: Any, where: str) -> DateTime:
    """A DateTime; no clause of `where` matches anything else."""
    if type(value) is DateTime:
        return value
    raise clause(where)
