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
from routestudio.functions.elixir.lib.date_time import (
    bare,
    compared,
    formed,
    utc_now,
    whole_seconds,
    whole_units,
)
from routestudio.functions.elixir.registry import Varies, elixir, unevaluated
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


@elixir("NaiveDateTime.from_iso8601(text)", "`{:ok, time}`, or an error; an offset is ignored.")
def from_iso8601(text: Any) -> Any:
    found = parse_datetime(need_text(text, "NaiveDateTime.from_iso8601/2"))
    return (OK, found[0]) if type(found[0]) is NaiveDateTime else found


@elixir("NaiveDateTime.from_iso8601!(text)", "The time; raises for any other text.")
def from_iso8601_b(text: Any) -> Any:
    found = from_iso8601(text)
    if found[0] is not OK:
        raise raised("naive datetime", text, found)
    return found[1]


@elixir("NaiveDateTime.to_iso8601(time, [format])", "The text with `T`.")
def to_iso8601(value: Any, form: Any = _EXTENDED) -> str:
    moment = bare(naive_part(value, "NaiveDateTime.to_iso8601/2"))
    need_form(form, "NaiveDateTime.to_iso8601/2")
    return formed(moment, form)


@elixir("NaiveDateTime.to_string(time)", "The text with a space between date and time.")
def to_string(value: Any) -> str:
    return bare(naive_part(value, "NaiveDateTime.to_string/1")).text()


@elixir(
    "NaiveDateTime.new(date, time)",
    "`{:ok, time}` of a date and a time, or of six to seven numbers.",
    takes=(2, 6, 7),
)
def new(*parts: Any) -> Any:
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


@elixir(
    "NaiveDateTime.new!(date, time)",
    "The same time; raises for a wrong one.",
    takes=(2, 6, 7),
)
def new_b(*parts: Any) -> Any:
    found = new(*parts)
    if found[0] is not OK:
        raise argument(f"cannot build naive datetime, reason: {inspect(found[1])}")
    return found[1]


@elixir("NaiveDateTime.to_date(time)", "Its date.")
def to_date(value: Any) -> Date:
    return date_part(naive_part(value, "NaiveDateTime.to_date/1"), "NaiveDateTime.to_date/1")


@elixir("NaiveDateTime.to_time(time)", "Its time of day.")
def to_time(value: Any) -> Time:
    return naive_part(value, "NaiveDateTime.to_time/1").time


@elixir("NaiveDateTime.truncate(time, precision)", "Cut to :second, :millisecond or :microsecond.")
def naive_truncate(value: Any, unit: Any) -> Any:
    where = "NaiveDateTime.truncate/2"
    return truncate(naive_part(value, where), unit, where)


@elixir("NaiveDateTime.compare(a, b)", ":lt, :eq or :gt; never compare times with `<`.")
def compare(a: Any, b: Any) -> Any:
    where = "NaiveDateTime.compare/2"
    return compared(naive_part(a, where), naive_part(b, where))


@elixir("NaiveDateTime.before?(a, b)", "Whether the first is earlier.")
def before(a: Any, b: Any) -> bool:
    return compare(a, b) is atom("lt")


@elixir("NaiveDateTime.after?(a, b)", "Whether the first is later.")
def after(a: Any, b: Any) -> bool:
    return compare(a, b) is atom("gt")


@elixir("NaiveDateTime.add(time, amount, [unit])", "The time some seconds or other units later.")
def naive_add(value: Any, amount: Any, unit: Any = _SECOND) -> Any:
    where = "NaiveDateTime.add/3"
    return add(bare(naive_part(value, where)), amount, unit, where)


@elixir("NaiveDateTime.diff(a, b, [unit])", "The seconds or other units between two times.")
def diff(a: Any, b: Any, unit: Any = _SECOND) -> int:
    where = "NaiveDateTime.diff/3"
    left, right = naive_part(a, where).micros, naive_part(b, where).micros
    name = unit_name(unit, where)
    if name in LONG_UNITS:
        seconds = whole_seconds(left, "second", None) - whole_seconds(right, "second", None)
        return whole_units(seconds, LONG_UNITS[name])
    return whole_seconds(left, name, unit) - whole_seconds(right, name, unit)


@elixir("NaiveDateTime.shift(time, duration)", "The time moved, such as by `month: 1`.")
def shift(value: Any, duration: Any) -> Any:
    where = "NaiveDateTime.shift/2"
    return shifted(bare(naive_part(value, where)), duration, where, dates_only=False)


@elixir("NaiveDateTime.beginning_of_day(time)", "Midnight of its day.")
def beginning_of_day(value: Any) -> Any:
    naive = naive_part(value, "NaiveDateTime.beginning_of_day/1")
    return NaiveDateTime(naive.year, naive.month, naive.day, 0, 0, 0, 0, naive.precision)


@elixir("NaiveDateTime.end_of_day(time)", "The last moment of its day.")
def end_of_day(value: Any) -> Any:
    naive = naive_part(value, "NaiveDateTime.end_of_day/1")
    micro = 10**6 - 10 ** (6 - naive.precision) if naive.precision else 0
    return NaiveDateTime(naive.year, naive.month, naive.day, 23, 59, 59, micro, naive.precision)


@elixir("NaiveDateTime.to_erl(time)", "`{date, time}` as tuples.")
def to_erl(value: Any) -> Any:
    n = naive_part(value, "NaiveDateTime.to_erl/1")
    return (n.year, n.month, n.day), (n.hour, n.minute, n.second)


@elixir("NaiveDateTime.from_erl(tuple)", "`{:ok, time}` of `{date, time}`, or an error.")
def from_erl(value: Any) -> Any:
    if type(value) is not tuple or len(value) != 2 or not all(type(p) is tuple for p in value):
        raise clause("NaiveDateTime.from_erl/3")
    return new(*value[0], *value[1])


@elixir("NaiveDateTime.from_erl!(tuple)", "The time of `{date, time}`.")
def from_erl_b(value: Any) -> Any:
    found = from_erl(value)
    if found[0] is not OK:
        raise argument(
            f"cannot convert {inspect(value)} to naive datetime, reason: {inspect(found[1])}"
        )
    return found[1]


@elixir("NaiveDateTime.utc_now()", "Now; another one at each call.", varies=Varies.CLOCK)
@elixir("NaiveDateTime.local_now()", "Now; another one at each call.", varies=Varies.CLOCK)
def naive_now() -> NaiveDateTime:
    return bare(utc_now())


unevaluated(
    "NaiveDateTime",
    "convert/2 convert!/2 from_erl/2,3 from_erl!/2,3 from_gregorian_seconds/1,2,3 "
    "from_iso8601/2 from_iso8601!/2 local_now/1 new/8 new!/8 to_gregorian_seconds/1 "
    "utc_now/1",
)
