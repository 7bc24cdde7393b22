"""DateTime, and what NaiveDateTime does alike."""

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
from routestudio.functions.elixir.registry import Varies, elixir, unevaluated
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


@elixir("DateTime.from_iso8601(text, [format])", "`{:ok, time, offset}`, or an error.")
def utc_from_iso8601(text: Any, form: Any = _EXTENDED) -> Any:
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


@elixir("DateTime.to_iso8601(time, [format], [offset])", "The text with `T` and `Z`.")
def utc_to_iso8601(value: Any, form: Any = _EXTENDED, offset: Any = None) -> str:
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


@elixir("DateTime.to_string(time)", "The text with a space between date and time.")
def utc_to_string(value: Any) -> str:
    return utc_part(value, "DateTime.to_string/1").text()


@elixir("DateTime.to_unix(time, [unit])", "Its seconds since 1970, or other units.")
def to_unix(value: Any, unit: Any = _SECOND) -> int:
    moment = utc_part(value, "DateTime.to_unix/2")
    if moment.year < 0:
        raise clause("DateTime.to_unix/2")
    name = system_unit(unit, "DateTime.to_unix/2")
    return whole_seconds(moment.micros - EPOCH, name, unit)


@elixir(
    "DateTime.from_unix(number, [unit])", "`{:ok, time}` by its seconds since 1970, or an error."
)
def from_unix(number: Any, unit: Any = _SECOND) -> Any:
    need_integer(number, "DateTime.from_unix/3")
    name = system_unit(unit, "DateTime.from_unix/3")
    total = number * MILLION // (UNITS[name] if name else unit) + EPOCH
    if not _LOWEST <= total < _LIMIT:
        return error("invalid_unix_time")
    precision = PRECISION.get(name, 0) if name else _PLACES.get(unit, 6)
    return OK, at_micros(DateTime, total, precision)


@elixir("DateTime.from_unix!(number, [unit])", "The time by its seconds since 1970.")
def from_unix_b(number: Any, unit: Any = _SECOND) -> Any:
    found = from_unix(number, unit)
    if found[0] is not OK:
        raise argument(f"invalid Unix time {number}")
    return found[1]


@elixir("DateTime.truncate(time, precision)", "Cut to :second, :millisecond or :microsecond.")
def utc_truncate(value: Any, unit: Any) -> Any:
    return truncate(utc_part(value, "DateTime.truncate/2"), unit, "DateTime.truncate/2")


@elixir("DateTime.to_date(time)", "Its date.")
def utc_to_date(value: Any) -> Date:
    return utc_part(value, "DateTime.to_date/1").date


@elixir("DateTime.to_time(time)", "Its time of day.")
def utc_to_time(value: Any) -> Time:
    return utc_part(value, "DateTime.to_time/1").time


@elixir("DateTime.to_naive(time)", "The time without its zone.")
def to_naive(value: Any) -> NaiveDateTime:
    return bare(utc_part(value, "DateTime.to_naive/1"))


def compared(a: NaiveDateTime, b: NaiveDateTime) -> Any:
    """The order of two moments as an atom."""
    return verdict((a.micros > b.micros) - (a.micros < b.micros))


@elixir("DateTime.compare(a, b)", ":lt, :eq or :gt; never compare times with `<`.")
def utc_compare(a: Any, b: Any) -> Any:
    where = "DateTime.compare/2"
    return compared(utc_part(a, where), utc_part(b, where))


@elixir("DateTime.before?(a, b)", "Whether the first is earlier.")
def utc_before(a: Any, b: Any) -> bool:
    return utc_compare(a, b) is atom("lt")


@elixir("DateTime.after?(a, b)", "Whether the first is later.")
def utc_after(a: Any, b: Any) -> bool:
    return utc_compare(a, b) is atom("gt")


@elixir("DateTime.add(time, amount, [unit])", "The time some seconds or other units later.")
def utc_add(value: Any, amount: Any, unit: Any = _SECOND) -> Any:
    return add(utc_part(value, "DateTime.add/4"), amount, unit, "DateTime.add/4")


def whole_seconds(micros: int, name: str, unit: Any) -> int:
    """Microseconds as whole units, rounded down."""
    return micros * (UNITS[name] if name else unit) // MILLION


def whole_units(seconds: int, size: int) -> int:
    """Seconds as whole larger units, toward zero."""
    quotient = abs(seconds) // size
    return quotient if seconds >= 0 else -quotient


@elixir("DateTime.diff(a, b, [unit])", "The seconds or other units between two times.")
def utc_diff(a: Any, b: Any, unit: Any = _SECOND) -> int:
    where = "DateTime.diff/3"
    micros = utc_part(a, where).micros - utc_part(b, where).micros
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        return whole_units(whole_seconds(micros, "second", None), LONG_UNITS[name])
    return whole_seconds(micros, name, unit)


@elixir("DateTime.shift(time, duration)", "The time moved, such as by `month: 1`.")
def utc_shift(value: Any, duration: Any) -> Any:
    where = "DateTime.shift/2"
    return shifted(utc_part(value, where), duration, where, dates_only=False)


@elixir("DateTime.new(date, time, [zone])", "`{:ok, time}`, or an error.")
def utc_new(date: Any, time: Any, zone: Any = _ZONE) -> Any:
    if type(date) is not Date or type(time) is not Time:
        raise clause("DateTime.new/4")
    if zone != _ZONE:
        return error("utc_only_time_zone_database")
    return OK, DateTime(date.year, date.month, date.day, time.hour, time.minute, time.second,
                        time.microsecond, time.precision)  # fmt: skip


@elixir("DateTime.new!(date, time, [zone])", "The time of a date and a time of day.")
def utc_new_b(date: Any, time: Any, zone: Any = _ZONE) -> Any:
    found = utc_new(date, time, zone)
    if found[0] is not OK:
        raise argument(
            f"cannot build datetime with {inspect(date)} and {inspect(time)} because the time zone "
            f"is not available, reason: {inspect(found[1])}"
        )
    return found[1]


@elixir("DateTime.from_naive(naive, zone)", "`{:ok, time}` in `Etc/UTC`, or an error.")
def from_naive(value: Any, zone: Any) -> Any:
    naive = naive_part(value, "DateTime.from_naive/3")
    if zone != _ZONE:
        return error("utc_only_time_zone_database")
    return OK, _utc(naive)


@elixir("DateTime.from_naive!(naive, zone)", "The time in `Etc/UTC`.")
def from_naive_b(value: Any, zone: Any) -> Any:
    found = from_naive(value, zone)
    if found[0] is not OK:
        raise argument(f"cannot convert {inspect(value)} to datetime, reason: {inspect(found[1])}")
    return found[1]


@elixir("DateTime.shift_zone(time, zone)", "`{:ok, time}`; only `Etc/UTC` is known.")
def shift_zone(value: Any, zone: Any) -> Any:
    moment = utc_part(value, "DateTime.shift_zone/3")
    return (OK, moment) if zone == _ZONE else error("utc_only_time_zone_database")


@elixir("DateTime.shift_zone!(time, zone)", "The time; only `Etc/UTC` is known.")
def shift_zone_b(value: Any, zone: Any) -> Any:
    found = shift_zone(value, zone)
    if found[0] is not OK:
        raise argument(
            f"cannot shift {inspect(value)} to {inspect(zone)} time zone, reason: "
            f"{inspect(found[1])}"
        )
    return found[1]


@elixir("DateTime.to_gregorian_seconds(time)", "Its seconds from year 0, and microseconds.")
def to_gregorian_seconds(value: Any) -> Any:
    moment = utc_part(value, "DateTime.to_gregorian_seconds/1")
    return moment.micros // MILLION, moment.microsecond


@elixir("DateTime.from_gregorian_seconds(seconds)", "The time by its seconds from year 0.")
def from_gregorian_seconds(seconds: Any) -> Any:
    need_integer(seconds, "DateTime.from_gregorian_seconds/3")
    return at_micros(DateTime, seconds * MILLION, 0)


@elixir(
    "DateTime.utc_now([unit])", "Now; another one at each call.", takes=(0,), varies=Varies.CLOCK
)
def utc_now() -> DateTime:
    now = clock.now(dt.UTC)
    return DateTime(
        now.year, now.month, now.day, now.hour, now.minute, now.second, now.microsecond, 6
    )


unevaluated(
    "DateTime",
    "add/4 convert/2 convert!/2 from_gregorian_seconds/2,3 from_iso8601/3 from_naive/3 "
    "from_naive!/3 from_unix/3 from_unix!/3 new/4 new!/4 shift/3 shift_zone/3 shift_zone!/3 "
    "utc_now/1,2",
)


unevaluated(
    "DateTime",
    "now/1,2 now!/1,2",
    varies=Varies.CLOCK,
)
