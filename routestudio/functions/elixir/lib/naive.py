"""NaiveDateTime."""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.calendar import (
    LONG_UNITS,
    add,
    date_part,
    error,
    naive_part,
    need_form,
    parse_datetime,
    raised,
    shifted,
    truncate,
    unit_name,
    valid_clock,
)
from routestudio.functions.elixir.errors import argument, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import need_text
from routestudio.functions.elixir.lib.datetimes import (
    bare,
    compared,
    formed,
    utc_now,
    whole_seconds,
    whole_units,
)
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.structs import (
    MILLION,
    Date,
    NaiveDateTime,
    Time,
    valid_date,
)
from routestudio.functions.elixir.values import OK, atom

_EXTENDED: Final = atom("extended")
_SECOND: Final = atom("second")


@define("NaiveDateTime", "from_iso8601", 1)
def from_iso8601(text: Any) -> Any:
    """`NaiveDateTime.from_iso8601/1`."""
    found = parse_datetime(need_text(text, "NaiveDateTime.from_iso8601/2"))
    return (OK, found[0]) if type(found[0]) is NaiveDateTime else found


@define("NaiveDateTime", "from_iso8601!", 1)
def from_iso8601_b(text: Any) -> Any:
    """`NaiveDateTime.from_iso8601!/1`."""
    found = from_iso8601(text)
    if found[0] is not OK:
        raise raised("naive datetime", text, found)
    return found[1]


@define("NaiveDateTime", "to_iso8601", 1, 2)
def to_iso8601(value: Any, form: Any = _EXTENDED) -> str:
    """`NaiveDateTime.to_iso8601/1`, `/2`."""
    moment = bare(naive_part(value, "NaiveDateTime.to_iso8601/2"))
    need_form(form, "NaiveDateTime.to_iso8601/2")
    return formed(moment, form)


@define("NaiveDateTime", "to_string", 1)
def to_string(value: Any) -> str:
    """`NaiveDateTime.to_string/1`."""
    return bare(naive_part(value, "NaiveDateTime.to_string/1")).text()


@define("NaiveDateTime", "new", 2, 6, 7)
def new(*parts: Any) -> Any:
    """`NaiveDateTime.new/2`, `/6`, `/7`."""
    if len(parts) == 2:
        date, time = parts
        if type(date) is not Date or type(time) is not Time:
            raise clause("NaiveDateTime.new/2")
        return OK, NaiveDateTime(date.year, date.month, date.day, time.hour, time.minute,
                                 time.second, time.microsecond, time.precision)  # fmt: skip
    micro = parts[6] if len(parts) == 7 else (0, 0)
    if type(micro) is int:
        micro = (micro, 6)
    where = "NaiveDateTime.new/8"
    if not all(type(part) is int for part in parts[:3]):
        raise clause(where)
    if not valid_date(*parts[:3]):
        return error("invalid_date")
    if type(micro) is not tuple or not all(type(part) is int for part in (*parts[3:6], *micro)):
        raise clause(where)
    if not valid_clock(*parts[3:6]) or not 0 <= micro[0] < MILLION or not 0 <= micro[1] <= 6:
        return error("invalid_time")
    return OK, NaiveDateTime(*parts[:6], *micro)


@define("NaiveDateTime", "new!", 2, 6, 7)
def new_b(*parts: Any) -> Any:
    """`NaiveDateTime.new!/2`, `/6`, `/7`."""
    found = new(*parts)
    if found[0] is not OK:
        raise argument(f"cannot build naive datetime, reason: {inspect(found[1])}")
    return found[1]


@define("NaiveDateTime", "to_date", 1)
def to_date(value: Any) -> Date:
    """`NaiveDateTime.to_date/1`."""
    return date_part(naive_part(value, "NaiveDateTime.to_date/1"), "NaiveDateTime.to_date/1")


@define("NaiveDateTime", "to_time", 1)
def to_time(value: Any) -> Time:
    """`NaiveDateTime.to_time/1`."""
    return naive_part(value, "NaiveDateTime.to_time/1").time


@define("NaiveDateTime", "truncate", 2)
def naive_truncate(value: Any, unit: Any) -> Any:
    """`NaiveDateTime.truncate/2`."""
    where = "NaiveDateTime.truncate/2"
    return truncate(naive_part(value, where), unit, where)


@define("NaiveDateTime", "compare", 2)
def compare(a: Any, b: Any) -> Any:
    """`NaiveDateTime.compare/2`."""
    where = "NaiveDateTime.compare/2"
    return compared(naive_part(a, where), naive_part(b, where))


@define("NaiveDateTime", "before?", 2)
def before(a: Any, b: Any) -> bool:
    """`NaiveDateTime.before?/2`."""
    return compare(a, b) is atom("lt")


@define("NaiveDateTime", "after?", 2)
def after(a: Any, b: Any) -> bool:
    """`NaiveDateTime.after?/2`."""
    return compare(a, b) is atom("gt")


@define("NaiveDateTime", "add", 2, 3)
def naive_add(value: Any, amount: Any, unit: Any = _SECOND) -> Any:
    """`NaiveDateTime.add/2`, `/3`."""
    where = "NaiveDateTime.add/3"
    return add(bare(naive_part(value, where)), amount, unit, where)


@define("NaiveDateTime", "diff", 2, 3)
def diff(a: Any, b: Any, unit: Any = _SECOND) -> int:
    """`NaiveDateTime.diff/2`, `/3`."""
    where = "NaiveDateTime.diff/3"
    left, right = naive_part(a, where).micros, naive_part(b, where).micros
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        seconds = whole_seconds(left, "second", None) - whole_seconds(right, "second", None)
        return whole_units(seconds, LONG_UNITS[name])
    return whole_seconds(left, name, unit) - whole_seconds(right, name, unit)


@define("NaiveDateTime", "shift", 2)
def shift(value: Any, duration: Any) -> Any:
    """`NaiveDateTime.shift/2`."""
    where = "NaiveDateTime.shift/2"
    return shifted(bare(naive_part(value, where)), duration, where, dates_only=False)


@define("NaiveDateTime", "beginning_of_day", 1)
def beginning_of_day(value: Any) -> Any:
    """`NaiveDateTime.beginning_of_day/1`."""
    naive = naive_part(value, "NaiveDateTime.beginning_of_day/1")
    return NaiveDateTime(naive.year, naive.month, naive.day, 0, 0, 0, 0, naive.precision)


@define("NaiveDateTime", "end_of_day", 1)
def end_of_day(value: Any) -> Any:
    """`NaiveDateTime.end_of_day/1`."""
    naive = naive_part(value, "NaiveDateTime.end_of_day/1")
    micro = 10**6 - 10 ** (6 - naive.precision) if naive.precision else 0
    return NaiveDateTime(naive.year, naive.month, naive.day, 23, 59, 59, micro, naive.precision)


@define("NaiveDateTime", "to_erl", 1)
def to_erl(value: Any) -> Any:
    """`NaiveDateTime.to_erl/1`."""
    n = naive_part(value, "NaiveDateTime.to_erl/1")
    return (n.year, n.month, n.day), (n.hour, n.minute, n.second)


@define("NaiveDateTime", "from_erl", 1)
def from_erl(value: Any) -> Any:
    """`NaiveDateTime.from_erl/1`."""
    if type(value) is not tuple or len(value) != 2 or not all(type(p) is tuple for p in value):
        raise clause("NaiveDateTime.from_erl/3")
    return new(*value[0], *value[1])


@define("NaiveDateTime", "from_erl!", 1)
def from_erl_b(value: Any) -> Any:
    """`NaiveDateTime.from_erl!/1`."""
    found = from_erl(value)
    if found[0] is not OK:
        raise argument(
            f"cannot convert {inspect(value)} to naive datetime, reason: {inspect(found[1])}"
        )
    return found[1]


@define("NaiveDateTime", "utc_now", 0)
@define("NaiveDateTime", "local_now", 0)
def naive_now() -> NaiveDateTime:
    """`NaiveDateTime.local_now/0`, `NaiveDateTime.utc_now/0`."""
    return bare(utc_now())
