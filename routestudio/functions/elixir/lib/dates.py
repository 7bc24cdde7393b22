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
from routestudio.functions.elixir.registry import define
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


@define("Date", "new", 3)
def new(year: Any, month: Any, day: Any) -> Any:
    """`Date.new/3`."""
    if not all(type(part) is int for part in (year, month, day)):
        raise clause("Calendar.ISO.valid_date?/3")
    return (OK, Date(year, month, day)) if valid_date(year, month, day) else error("invalid_date")


@define("Date", "new!", 3)
def new_b(year: Any, month: Any, day: Any) -> Date:
    """`Date.new!/3`."""
    found = new(year, month, day)
    if found[0] is not OK:
        raise argument(f"cannot build date, reason: {inspect(found[1])}")
    return found[1]  # type: ignore[no-any-return]


@define("Date", "from_iso8601", 1)
def from_iso8601(text: Any) -> Any:
    """`Date.from_iso8601/1`."""
    return parse_date(need_text(text, "Date.from_iso8601/2"))


@define("Date", "from_iso8601!", 1)
def from_iso8601_b(text: Any) -> Date:
    """`Date.from_iso8601!/1`."""
    found = parse_date(need_text(text, "Date.from_iso8601/2"))
    if found[0] is not OK:
        raise raised("date", text, found)
    return found[1]  # type: ignore[no-any-return]


@define("Date", "to_iso8601", 1, 2)
def to_iso8601(value: Any, form: Any = _EXTENDED) -> str:
    """`Date.to_iso8601/1`, `/2`."""
    date = date_part(value, "Date.to_iso8601/2")
    need_form(form, "Date.to_iso8601/2")
    if form is BASIC:
        sign = "-" if date.year < 0 else ""
        return sign + date.text().replace("-", "")
    return date.text()


@define("Date", "to_string", 1)
def to_string(value: Any) -> str:
    """`Date.to_string/1`."""
    return date_part(value, "Date.to_string/1").text()


@define("Date", "compare", 2)
def compare(a: Any, b: Any) -> Any:
    """`Date.compare/2`."""
    left, right = date_part(a, "Date.compare/2"), date_part(b, "Date.compare/2")
    return verdict((left.days > right.days) - (left.days < right.days))


@define("Date", "before?", 2)
def before(a: Any, b: Any) -> bool:
    """`Date.before?/2`."""
    return compare(a, b) is atom("lt")


@define("Date", "after?", 2)
def after(a: Any, b: Any) -> bool:
    """`Date.after?/2`."""
    return compare(a, b) is atom("gt")


def _from_days(days: Any) -> Date:
    if type(days) is not int:
        raise clause("Calendar.ISO.date_from_iso_days/1")
    return Date(*date_of(days))


@define("Date", "add", 2)
def add(value: Any, days: Any) -> Date:
    """`Date.add/2`."""
    date = date_part(value, "Date.add/2")
    return _from_days(ops.add(date.days, days))


@define("Date", "diff", 2)
def diff(a: Any, b: Any) -> int:
    """`Date.diff/2`."""
    return date_part(a, "Date.diff/2").days - date_part(b, "Date.diff/2").days


@define("Date", "shift", 2)
def shift(value: Any, duration: Any) -> Date:
    """`Date.shift/2`."""
    date = date_part(value, "Date.shift/2")
    return shifted(date, duration, "Date.shift/2", dates_only=True)  # type: ignore[no-any-return]


def _first_day(start: Any, where: str) -> int:
    name = getattr(start, "name", "")
    if name == "default":
        return 0
    if name not in _WEEK:
        raise clause(where)
    return _WEEK.index(name)


@define("Date", "day_of_week", 1, 2)
def day_of_week(value: Any, start: Any = _DEFAULT) -> int:
    """`Date.day_of_week/1`, `/2`."""
    date = date_part(value, "Date.day_of_week/2")
    return (date.days + 5 - _first_day(start, "Date.day_of_week/2")) % 7 + 1


@define("Date", "beginning_of_week", 1, 2)
def beginning_of_week(value: Any, start: Any = _DEFAULT) -> Date:
    """`Date.beginning_of_week/1`, `/2`."""
    date = date_part(value, "Date.beginning_of_week/2")
    return _from_days(date.days - day_of_week(date, start) + 1)


@define("Date", "end_of_week", 1, 2)
def end_of_week(value: Any, start: Any = _DEFAULT) -> Date:
    """`Date.end_of_week/1`, `/2`."""
    date = date_part(value, "Date.end_of_week/2")
    return _from_days(date.days + 7 - day_of_week(date, start))


@define("Date", "beginning_of_month", 1)
def beginning_of_month(value: Any) -> Date:
    """`Date.beginning_of_month/1`."""
    date = date_part(value, "Date.beginning_of_month/1")
    return Date(date.year, date.month, 1)


@define("Date", "end_of_month", 1)
def end_of_month(value: Any) -> Date:
    """`Date.end_of_month/1`."""
    date = date_part(value, "Date.end_of_month/1")
    return Date(date.year, date.month, month_days(date.year, date.month))


@define("Date", "days_in_month", 1)
def days_in_month(value: Any) -> int:
    """`Date.days_in_month/1`."""
    date = date_part(value, "Date.days_in_month/1")
    return month_days(date.year, date.month)


@define("Date", "months_in_year", 1)
def months_in_year(value: Any) -> int:
    """`Date.months_in_year/1`."""
    date_part(value, "Date.months_in_year/1")
    return 12


@define("Date", "day_of_year", 1)
def day_of_year(value: Any) -> int:
    """`Date.day_of_year/1`."""
    date = date_part(value, "Date.day_of_year/1")
    return date.days - days_of(date.year, 1, 1) + 1


@define("Date", "quarter_of_year", 1)
def quarter_of_year(value: Any) -> int:
    """`Date.quarter_of_year/1`."""
    return (date_part(value, "Date.quarter_of_year/1").month + 2) // 3


@define("Date", "leap_year?", 1)
def leap_year(value: Any) -> bool:
    """`Date.leap_year?/1`."""
    return leap(date_part(value, "Date.leap_year?/1").year)


@define("Date", "year_of_era", 1)
def year_of_era(value: Any) -> Any:
    """`Date.year_of_era/1`."""
    year = date_part(value, "Date.year_of_era/1").year
    return (year, 1) if year > 0 else (1 - year, 0)


@define("Date", "day_of_era", 1)
def day_of_era(value: Any) -> Any:
    """`Date.day_of_era/1`."""
    days = date_part(value, "Date.day_of_era/1").days
    return (days - 365, 1) if days > 365 else (366 - days, 0)


@define("Date", "to_erl", 1)
def to_erl(value: Any) -> Any:
    """`Date.to_erl/1`."""
    date = date_part(value, "Date.to_erl/1")
    return date.year, date.month, date.day


@define("Date", "from_erl", 1)
def from_erl(value: Any) -> Any:
    """`Date.from_erl/1`."""
    if type(value) is not tuple or len(value) != 3:
        raise clause("Date.from_erl/2")
    return new(*value)


@define("Date", "from_erl!", 1)
def from_erl_b(value: Any) -> Any:
    """`Date.from_erl!/1`."""
    found = from_erl(value)
    if found[0] is not OK:
        raise argument(f"cannot convert {inspect(value)} to date, reason: {inspect(found[1])}")
    return found[1]


@define("Date", "to_gregorian_days", 1)
def to_gregorian_days(value: Any) -> int:
    """`Date.to_gregorian_days/1`."""
    return date_part(value, "Date.to_gregorian_days/1").days


@define("Date", "from_gregorian_days", 1)
def from_gregorian_days(days: Any) -> Date:
    """`Date.from_gregorian_days/1`."""
    return _from_days(need_integer(days, "Date.from_gregorian_days/2"))


@define("Date", "range", 2, 3)
def range_(first: Any, last: Any, step: Any = None) -> DateRange:
    """`Date.range/2`, `/3`."""
    start, end = date_part(first, "Date.range/2"), date_part(last, "Date.range/2")
    if step is None:
        step = 1 if start.days <= end.days else -1
    if type(step) is not int or step == 0:
        raise argument(f"the step must be a non-zero integer, got: {inspect(step)}")
    return DateRange(start, end, step)


@define("Date", "utc_today", 0)
def utc_today() -> Date:
    """`Date.utc_today/0`."""
    now = clock.now(dt.UTC)
    return Date(now.year, now.month, now.day)
