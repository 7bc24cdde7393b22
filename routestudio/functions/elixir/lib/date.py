"""Date."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from routestudio.functions import clock
from routestudio.functions.elixir import ops
from routestudio.functions.elixir.calendar import (
    BASIC,
    date_part,
    error,
    need_form,
    parse_date,
    raised,
    shifted,
)
from routestudio.functions.elixir.errors import argument, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import need_integer, need_text, verdict
from routestudio.functions.elixir.registry import Varies, elixir, unevaluated
from routestudio.functions.elixir.structs import (
    Date,
    DateRange,
    date_of,
    days_of,
    leap,
    month_days,
    valid_date,
)
from routestudio.functions.elixir.values import OK, atom

_DEFAULT: Final = atom("default")
_EXTENDED: Final = atom("extended")

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@elixir("Date.new(year, month, day)", "`{:ok, date}`, or an error.")
def new(year: Any, month: Any, day: Any) -> Any:
    if not all(type(part) is int for part in (year, month, day)):
        raise clause("Calendar.ISO.valid_date?/3")
    return (OK, Date(year, month, day)) if valid_date(year, month, day) else error("invalid_date")


@elixir("Date.new!(year, month, day)", "The date; raises for a wrong one.")
def new_b(year: Any, month: Any, day: Any) -> Date:
    found = new(year, month, day)
    if found[0] is not OK:
        raise argument(f"cannot build date, reason: {inspect(found[1])}")
    return found[1]  # type: ignore[no-any-return]


@elixir("Date.from_iso8601(text)", "`{:ok, date}`, or an error.")
def from_iso8601(text: Any) -> Any:
    return parse_date(need_text(text, "Date.from_iso8601/2"))


@elixir("Date.from_iso8601!(text)", "The date; raises for any other text.")
def from_iso8601_b(text: Any) -> Date:
    found = parse_date(need_text(text, "Date.from_iso8601/2"))
    if found[0] is not OK:
        raise raised("date", text, found)
    return found[1]  # type: ignore[no-any-return]


@elixir("Date.to_iso8601(date, [format])", "The text `2024-01-31`.")
def to_iso8601(value: Any, form: Any = _EXTENDED) -> str:
    date = date_part(value, "Date.to_iso8601/2")
    need_form(form, "Date.to_iso8601/2")
    if form is BASIC:
        sign = "-" if date.year < 0 else ""
        return sign + date.text().replace("-", "")
    return date.text()


@elixir("Date.to_string(date)", "The text `2024-01-31`.")
def to_string(value: Any) -> str:
    return date_part(value, "Date.to_string/1").text()


@elixir("Date.compare(a, b)", ":lt, :eq or :gt; never compare dates with `<`.")
def compare(a: Any, b: Any) -> Any:
    left, right = date_part(a, "Date.compare/2"), date_part(b, "Date.compare/2")
    return verdict((left.days > right.days) - (left.days < right.days))


@elixir("Date.before?(a, b)", "Whether the first is earlier.")
def before(a: Any, b: Any) -> bool:
    return compare(a, b) is atom("lt")


@elixir("Date.after?(a, b)", "Whether the first is later.")
def after(a: Any, b: Any) -> bool:
    return compare(a, b) is atom("gt")


def _from_days(days: Any) -> Date:
    if type(days) is not int:
        raise clause("Calendar.ISO.date_from_iso_days/1")
    return Date(*date_of(days))


@elixir("Date.add(date, days)", "The date some days later.")
def add(value: Any, days: Any) -> Date:
    date = date_part(value, "Date.add/2")
    return _from_days(ops.add(date.days, days))


@elixir("Date.diff(a, b)", "The days between two dates.")
def diff(a: Any, b: Any) -> int:
    return date_part(a, "Date.diff/2").days - date_part(b, "Date.diff/2").days


@elixir("Date.shift(date, duration)", "The date moved, such as by `month: 1`.")
def shift(value: Any, duration: Any) -> Date:
    date = date_part(value, "Date.shift/2")
    return shifted(date, duration, "Date.shift/2", dates_only=True)  # type: ignore[no-any-return]


def _first_day(start: Any, where: str) -> int:
    name = getattr(start, "name", "")
    if name == "default":
        return 0
    if name not in _WEEK:
        raise clause(where)
    return _WEEK.index(name)


@elixir("Date.day_of_week(date, [first])", "1 for Monday to 7 for Sunday.")
def day_of_week(value: Any, start: Any = _DEFAULT) -> int:
    date = date_part(value, "Date.day_of_week/2")
    return (date.days + 5 - _first_day(start, "Date.day_of_week/2")) % 7 + 1


@elixir("Date.beginning_of_week(date, [first])", "The first day of the week.")
def beginning_of_week(value: Any, start: Any = _DEFAULT) -> Date:
    date = date_part(value, "Date.beginning_of_week/2")
    return _from_days(date.days - day_of_week(date, start) + 1)


@elixir("Date.end_of_week(date, [first])", "The last day of the week.")
def end_of_week(value: Any, start: Any = _DEFAULT) -> Date:
    date = date_part(value, "Date.end_of_week/2")
    return _from_days(date.days + 7 - day_of_week(date, start))


@elixir("Date.beginning_of_month(date)", "The first day of the month.")
def beginning_of_month(value: Any) -> Date:
    date = date_part(value, "Date.beginning_of_month/1")
    return Date(date.year, date.month, 1)


@elixir("Date.end_of_month(date)", "The last day of the month.")
def end_of_month(value: Any) -> Date:
    date = date_part(value, "Date.end_of_month/1")
    return Date(date.year, date.month, month_days(date.year, date.month))


@elixir("Date.days_in_month(date)", "28 to 31.")
def days_in_month(value: Any) -> int:
    date = date_part(value, "Date.days_in_month/1")
    return month_days(date.year, date.month)


@elixir("Date.months_in_year(date)", "12.")
def months_in_year(value: Any) -> int:
    date_part(value, "Date.months_in_year/1")
    return 12


@elixir("Date.day_of_year(date)", "1 to 366.")
def day_of_year(value: Any) -> int:
    date = date_part(value, "Date.day_of_year/1")
    return date.days - days_of(date.year, 1, 1) + 1


@elixir("Date.quarter_of_year(date)", "1 to 4.")
def quarter_of_year(value: Any) -> int:
    return (date_part(value, "Date.quarter_of_year/1").month + 2) // 3


@elixir("Date.leap_year?(date)", "Whether its year has 366 days.")
def leap_year(value: Any) -> bool:
    return leap(date_part(value, "Date.leap_year?/1").year)


@elixir("Date.year_of_era(date)", "The year and its era.")
def year_of_era(value: Any) -> Any:
    year = date_part(value, "Date.year_of_era/1").year
    return (year, 1) if year > 0 else (1 - year, 0)


@elixir("Date.day_of_era(date)", "The number of the day in its era.")
def day_of_era(value: Any) -> Any:
    days = date_part(value, "Date.day_of_era/1").days
    return (days - 365, 1) if days > 365 else (366 - days, 0)


@elixir("Date.to_erl(date)", "`{year, month, day}`.")
def to_erl(value: Any) -> Any:
    date = date_part(value, "Date.to_erl/1")
    return date.year, date.month, date.day


@elixir("Date.from_erl(tuple)", "`{:ok, date}` of `{year, month, day}`, or an error.")
def from_erl(value: Any) -> Any:
    if type(value) is not tuple or len(value) != 3:
        raise clause("Date.from_erl/2")
    return new(*value)


@elixir("Date.from_erl!(tuple)", "The date of `{year, month, day}`; raises for a wrong one.")
def from_erl_b(value: Any) -> Any:
    found = from_erl(value)
    if found[0] is not OK:
        raise argument(f"cannot convert {inspect(value)} to date, reason: {inspect(found[1])}")
    return found[1]


@elixir("Date.to_gregorian_days(date)", "The number of the day.")
def to_gregorian_days(value: Any) -> int:
    return date_part(value, "Date.to_gregorian_days/1").days


@elixir("Date.from_gregorian_days(days)", "The date by the number of its day.")
def from_gregorian_days(days: Any) -> Date:
    return _from_days(need_integer(days, "Date.from_gregorian_days/2"))


@elixir("Date.range(first, last, [step])", "The dates between two, for Enum.")
def range_(first: Any, last: Any, step: Any = None) -> DateRange:
    start, end = date_part(first, "Date.range/2"), date_part(last, "Date.range/2")
    if step is None:
        step = 1 if start.days <= end.days else -1
    if type(step) is not int or step == 0:
        raise argument(f"the step must be a non-zero integer, got: {inspect(step)}")
    return DateRange(start, end, step)


@elixir("Date.utc_today()", "Today; another one tomorrow.", varies=Varies.CLOCK)
def utc_today() -> Date:
    now = clock.now(dt.UTC)
    return Date(now.year, now.month, now.day)


unevaluated(
    "Date",
    "convert/2 convert!/2 from_erl/2 from_erl!/2 from_gregorian_days/2 from_iso8601/2 "
    "from_iso8601!/2 new/4 new!/4 to_iso_days/1 utc_today/1",
)
