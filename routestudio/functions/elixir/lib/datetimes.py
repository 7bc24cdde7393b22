"""DateTime and NaiveDateTime."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from routestudio.functions import clock
from routestudio.functions.elixir.calendar import (
    BASIC,
    EPOCH,
    LONG_UNITS,
    PRECISION,
    UNITS,
    add,
    error,
    naive_part,
    need_form,
    parse_datetime,
    shifted,
    system_unit,
    truncate,
    unit_name,
    utc_part,
)
from routestudio.functions.elixir.errors import argument, arithmetic, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import need_integer, need_text, verdict
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.structs import (
    MILLION,
    Date,
    DateTime,
    NaiveDateTime,
    Time,
    at_micros,
    days_of,
)
from routestudio.functions.elixir.values import OK, Atom, atom

_EXTENDED: Final = atom("extended")

_SECOND = atom("second")
_ZONE = "Etc/UTC"
_PLACES: Final = {10**places: places for places in range(6)}
_LOWEST: Final = days_of(-9999, 1, 1) * 86_400 * MILLION
_LIMIT: Final = days_of(10_000, 1, 1) * 86_400 * MILLION
"""Microseconds since 0000-01-01 that a Unix time may mean: the years -9999 to 9999."""


def _utc(naive: NaiveDateTime) -> DateTime:
    return DateTime(naive.year, naive.month, naive.day, naive.hour, naive.minute, naive.second,
                    naive.microsecond, naive.precision)  # fmt: skip


def bare(value: NaiveDateTime) -> NaiveDateTime:
    """The date and time of a datetime, without its zone."""
    return NaiveDateTime(value.year, value.month, value.day, value.hour, value.minute,
                         value.second, value.microsecond, value.precision)  # fmt: skip


def formed(moment: NaiveDateTime, form: Any) -> str:
    """ISO 8601 text; in the basic form without separators."""
    text = moment.text("T")
    if form is BASIC:
        sign = "-" if text.startswith("-") else ""
        return sign + text.replace("-", "").replace(":", "")
    return text


# DateTime


@define("DateTime", "from_iso8601", 1, 2)
def utc_from_iso8601(text: Any, form: Any = _EXTENDED) -> Any:
    """`DateTime.from_iso8601/1`, `/2`."""
    if type(form) not in (Atom, bool, type(None)):
        raise clause("DateTime.from_iso8601/2")
    found = parse_datetime(need_text(text, "DateTime.from_iso8601/3"), basic=form is BASIC)
    if type(found[0]) is not NaiveDateTime:
        return found
    naive, offset = found
    if offset is None:
        return error("missing_offset")
    moved = at_micros(DateTime, naive.micros - offset * MILLION, naive.precision)
    return OK, moved, offset


@define("DateTime", "to_iso8601", 1, 2, 3)
def utc_to_iso8601(value: Any, form: Any = _EXTENDED, offset: Any = None) -> str:
    """`DateTime.to_iso8601/1`, `/2`, `/3`."""
    moment = utc_part(value, "DateTime.to_iso8601/3")
    need_form(form, "DateTime.to_iso8601/3")
    suffix = "Z"
    if offset is not None and type(offset) is not int:
        raise arithmetic()
    if offset:
        moment = at_micros(DateTime, moment.micros + offset * MILLION, moment.precision)
        sign, minutes = ("-" if offset < 0 else "+"), abs(offset) // 60
        suffix = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    return formed(bare(moment), form) + (suffix.replace(":", "") if form is BASIC else suffix)


@define("DateTime", "to_string", 1)
def utc_to_string(value: Any) -> str:
    """`DateTime.to_string/1`."""
    return utc_part(value, "DateTime.to_string/1").text()


@define("DateTime", "to_unix", 1, 2)
def to_unix(value: Any, unit: Any = _SECOND) -> int:
    """`DateTime.to_unix/1`, `/2`."""
    moment = utc_part(value, "DateTime.to_unix/2")
    if moment.year < 0:
        raise clause("DateTime.to_unix/2")
    name = system_unit(unit, "DateTime.to_unix/2")
    micros = moment.micros - EPOCH
    return micros * (UNITS[name] if name else unit) // MILLION


@define("DateTime", "from_unix", 1, 2)
def from_unix(number: Any, unit: Any = _SECOND) -> Any:
    """`DateTime.from_unix/1`, `/2`."""
    need_integer(number, "DateTime.from_unix/3")
    name = system_unit(unit, "DateTime.from_unix/3")
    total = number * MILLION // (UNITS[name] if name else unit) + EPOCH
    if not _LOWEST <= total < _LIMIT:
        return error("invalid_unix_time")
    precision = PRECISION.get(name, 0) if name else _PLACES.get(unit, 6)
    return OK, at_micros(DateTime, total, precision)


@define("DateTime", "from_unix!", 1, 2)
def from_unix_b(number: Any, unit: Any = _SECOND) -> Any:
    """`DateTime.from_unix!/1`, `/2`."""
    found = from_unix(number, unit)
    if found[0] is not OK:
        raise argument(f"invalid Unix time {number}")
    return found[1]


@define("DateTime", "truncate", 2)
def utc_truncate(value: Any, unit: Any) -> Any:
    """`DateTime.truncate/2`."""
    return truncate(utc_part(value, "DateTime.truncate/2"), unit, "DateTime.truncate/2")


@define("DateTime", "to_date", 1)
def utc_to_date(value: Any) -> Date:
    """`DateTime.to_date/1`."""
    return utc_part(value, "DateTime.to_date/1").date


@define("DateTime", "to_time", 1)
def utc_to_time(value: Any) -> Time:
    """`DateTime.to_time/1`."""
    return utc_part(value, "DateTime.to_time/1").time


@define("DateTime", "to_naive", 1)
def to_naive(value: Any) -> NaiveDateTime:
    """`DateTime.to_naive/1`."""
    return bare(utc_part(value, "DateTime.to_naive/1"))


def compared(a: NaiveDateTime, b: NaiveDateTime) -> Any:
    """The order of two moments as an atom."""
    return verdict((a.micros > b.micros) - (a.micros < b.micros))


@define("DateTime", "compare", 2)
def utc_compare(a: Any, b: Any) -> Any:
    """`DateTime.compare/2`."""
    where = "DateTime.compare/2"
    return compared(utc_part(a, where), utc_part(b, where))


@define("DateTime", "before?", 2)
def utc_before(a: Any, b: Any) -> bool:
    """`DateTime.before?/2`."""
    return utc_compare(a, b) is atom("lt")


@define("DateTime", "after?", 2)
def utc_after(a: Any, b: Any) -> bool:
    """`DateTime.after?/2`."""
    return utc_compare(a, b) is atom("gt")


@define("DateTime", "add", 2, 3)
def utc_add(value: Any, amount: Any, unit: Any = _SECOND) -> Any:
    """`DateTime.add/2`, `/3`."""
    return add(utc_part(value, "DateTime.add/4"), amount, unit, "DateTime.add/4")


def whole_seconds(micros: int, name: str, unit: Any) -> int:
    """Microseconds as whole units, rounded down."""
    return micros * (UNITS[name] if name else unit) // MILLION


def whole_units(seconds: int, size: int) -> int:
    """Seconds as whole larger units, toward zero."""
    quotient = abs(seconds) // size
    return quotient if seconds >= 0 else -quotient


@define("DateTime", "diff", 2, 3)
def utc_diff(a: Any, b: Any, unit: Any = _SECOND) -> int:
    """`DateTime.diff/2`, `/3`."""
    where = "DateTime.diff/3"
    micros = utc_part(a, where).micros - utc_part(b, where).micros
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        return whole_units(whole_seconds(micros, "second", None), LONG_UNITS[name])
    return whole_seconds(micros, name, unit)


@define("DateTime", "shift", 2)
def utc_shift(value: Any, duration: Any) -> Any:
    """`DateTime.shift/2`."""
    where = "DateTime.shift/2"
    return shifted(utc_part(value, where), duration, where, dates_only=False)


@define("DateTime", "new", 2, 3)
def utc_new(date: Any, time: Any, zone: Any = _ZONE) -> Any:
    """`DateTime.new/2`, `/3`."""
    if type(date) is not Date or type(time) is not Time:
        raise clause("DateTime.new/4")
    if zone != _ZONE:
        return error("utc_only_time_zone_database")
    return OK, DateTime(date.year, date.month, date.day, time.hour, time.minute, time.second,
                        time.microsecond, time.precision)  # fmt: skip


@define("DateTime", "new!", 2, 3)
def utc_new_b(date: Any, time: Any, zone: Any = _ZONE) -> Any:
    """`DateTime.new!/2`, `/3`."""
    found = utc_new(date, time, zone)
    if found[0] is not OK:
        raise argument(
            f"cannot build datetime with {inspect(date)} and {inspect(time)} because the time zone "
            f"is not available, reason: {inspect(found[1])}"
        )
    return found[1]


@define("DateTime", "from_naive", 2)
def from_naive(value: Any, zone: Any) -> Any:
    """`DateTime.from_naive/2`."""
    naive = naive_part(value, "DateTime.from_naive/3")
    if zone != _ZONE:
        return error("utc_only_time_zone_database")
    return OK, _utc(naive)


@define("DateTime", "from_naive!", 2)
def from_naive_b(value: Any, zone: Any) -> Any:
    """`DateTime.from_naive!/2`."""
    found = from_naive(value, zone)
    if found[0] is not OK:
        raise argument(f"cannot convert {inspect(value)} to datetime, reason: {inspect(found[1])}")
    return found[1]


@define("DateTime", "shift_zone", 2)
def shift_zone(value: Any, zone: Any) -> Any:
    """`DateTime.shift_zone/2`."""
    moment = utc_part(value, "DateTime.shift_zone/3")
    return (OK, moment) if zone == _ZONE else error("utc_only_time_zone_database")


@define("DateTime", "shift_zone!", 2)
def shift_zone_b(value: Any, zone: Any) -> Any:
    """`DateTime.shift_zone!/2`."""
    found = shift_zone(value, zone)
    if found[0] is not OK:
        raise argument(
            f"cannot shift {inspect(value)} to {inspect(zone)} time zone, reason: "
            f"{inspect(found[1])}"
        )
    return found[1]


@define("DateTime", "to_gregorian_seconds", 1)
def to_gregorian_seconds(value: Any) -> Any:
    """`DateTime.to_gregorian_seconds/1`."""
    moment = utc_part(value, "DateTime.to_gregorian_seconds/1")
    return moment.micros // MILLION, moment.microsecond


@define("DateTime", "from_gregorian_seconds", 1)
def from_gregorian_seconds(seconds: Any) -> Any:
    """`DateTime.from_gregorian_seconds/1`."""
    need_integer(seconds, "DateTime.from_gregorian_seconds/3")
    return at_micros(DateTime, seconds * MILLION, 0)


@define("DateTime", "utc_now", 0)
def utc_now() -> DateTime:
    """`DateTime.utc_now/0`."""
    now = clock.now(dt.UTC)
    return DateTime(now.year, now.month, now.day, now.hour, now.minute, now.second,
                    now.microsecond, 6)  # fmt: skip
