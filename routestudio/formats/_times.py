"""Times of all formats as the texts that a Sequin server gives: one rule for each kind of time.

Dates `2024-05-06`, times of day `07:08:09` without a fraction, timestamps in ISO 8601 with six
digits, with `Z` where they have a zone, intervals as months, days and microseconds. What no `date`
or `datetime` of Python holds (years before 1 or after 9999, infinity, 24:00:00) is written as
PostgreSQL writes it, which is what a server hands on then.

Functions `..._of` leave a value that is not of their kind as it is, as a server does. Those of
metadata (`utc`, `epoch`, `seconds`) give `None` for it. The others, for values whose schema names
their kind, raise `ValueError` or `TypeError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_DAY: Final = date.min.toordinal() - _EPOCH_DAY
_LAST_DAY: Final = date.max.toordinal() - _EPOCH_DAY
_DAY: Final = 86_400_000_000
_FIRST: Final = _FIRST_DAY * _DAY
_END: Final = (_LAST_DAY + 1) * _DAY
_MONTH: Final = 2_629_800_000_000
"""Microseconds of 30.4375 days, which Debezium takes for a month."""

INFINITY: Final = {9_223_372_036_825_200_000: "infinity", -9_223_372_036_832_400_000: "-infinity"}
"""Microseconds that stand for the two infinities of a `timestamp`."""

_ZONED_INFINITY: Final = {"+292278994-08-16T23:00:00Z": "infinity",
                          "-292275055-05-16T23:00:00Z": "-infinity"}  # fmt: skip

_OFFSET: Final = re.compile(r"\s?([+-])(\d\d):?(\d\d)?(?::?(\d\d))?\Z", re.ASCII)
_FRACTION: Final = re.compile(r"\.(\d+)", re.ASCII)
_CLOCK: Final = r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?"
_ZONE: Final = r"(?:\s?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?))?"
_TIME: Final = re.compile(rf"{_CLOCK}{_ZONE}\Z", re.ASCII)
_STAMP: Final = re.compile(rf"(\d{{4,6}})-(\d\d)-(\d\d)[ T]{_CLOCK}{_ZONE}\Z", re.ASCII)
_FAR: Final = re.compile(
    r"([+-]\d{4,})-(\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)
_ISO_INTERVAL: Final = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?"
    r"(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?",
    re.ASCII,
)
_INTERVAL: Final = re.compile(r"([+-]?\d{1,12}) (year|mon|day)s?", re.ASCII)
_INTERVAL_TIME: Final = re.compile(r"([+-]?)(\d{1,9}):(\d\d):(\d\d)(?:\.(\d{1,6}))?\Z", re.ASCII)
_LONGEST: Final = 200
"""Characters of an interval; as PostgreSQL writes it, it has a third of them."""


# --- times of metadata ---------------------------------------------------------------------------


def utc(text: Any) -> str | None:
    """ISO 8601, or PostgreSQL's text of a time, as ISO 8601 in UTC; `None` for anything else.

    A time without zone is taken as UTC. Digits after the sixth of a second are cut off.
    """
    if not isinstance(text, str) or not 10 <= len(text) <= 64:
        return None
    plain, offset = text.strip(), 0
    if plain[-1:] in "Zz":
        plain = plain[:-1]
    elif (found := _OFFSET.search(plain, 10)) is not None:
        offset = int(found[2]) * 3600 + int(found[3] or 0) * 60 + int(found[4] or 0)
        offset = -offset if found[1] == "-" else offset
        plain = plain[: found.start()]
    plain = _FRACTION.sub(lambda part: "." + part[1][:6].ljust(6, "0"), plain)
    try:
        moment = datetime.fromisoformat(plain).replace(tzinfo=None) - timedelta(0, offset)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="microseconds") + "Z"


def epoch(value: Any, per_second: int) -> str | None:
    """A number of units since 1970 as ISO 8601; `None` for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    seconds, rest = divmod(value, per_second)
    try:
        return moment(seconds * 1_000_000 + rest * 1_000_000 // per_second)
    except (ValueError, OverflowError):
        return None


def seconds(value: Any) -> str | None:
    """Seconds since 1970, with a fraction or without, as ISO 8601."""
    if isinstance(value, float):
        return epoch(round(value * 1_000_000), 1_000_000) if 0 <= value < 1e12 else None
    return epoch(value, 1)


def moment(micros: int) -> str:
    """Microseconds since 1970: `2024-05-06T07:08:09.123456Z`. Raises for years it cannot hold."""
    return (_EPOCH + timedelta(0, 0, micros)).isoformat(timespec="microseconds") + "Z"


def moment_of(source: Mapping[str, Any]) -> int | None:
    """Microseconds since 1970 of a block with `ts_us`, `ts_ns` or `ts_ms`: the finest of them."""
    micros = source.get("ts_us")
    if type(micros) is int and micros > 0:
        return micros
    for name, times, parts in (("ts_ns", 1, 1_000), ("ts_ms", 1_000, 1)):
        value = source.get(name)
        if isinstance(value, int) and value > 0:
            return value * times // parts
    return None


# --- numbers of a schema --------------------------------------------------------------------------


def day(days: int) -> str:
    """Days since 1970: `2024-05-06`."""
    if _FIRST_DAY <= days <= _LAST_DAY:
        return date.fromordinal(days + _EPOCH_DAY).isoformat()
    text, era = _far_day(days)
    return text + era


def timestamp(micros: int) -> str:
    """Microseconds since 1970 without a zone: `2024-05-06T07:08:09.123456`."""
    if _FIRST <= micros < _END:
        return (_EPOCH + timedelta(0, 0, micros)).isoformat(timespec="microseconds")
    if micros in INFINITY:
        return INFINITY[micros]
    days, rest = divmod(micros, _DAY)
    text, era = _far_day(days)
    return f"{text} {_clock(rest)}{era}"


def time_of_day(micros: int) -> str:
    """Microseconds since midnight: `07:08:09`; also `24:00:00` and `-01:00:00`.

    The fraction is cut off, as on a server. MySQL's `time` goes from -838 to 838 hours.
    """
    whole, sign = (-micros, "-") if micros < 0 else (micros, "")
    return sign + _clock(whole // 1_000_000 * 1_000_000)


def interval_sum(micros: int) -> dict[str, int]:
    """A sum of microseconds as months, days and microseconds, as many as go into it.

    Debezium made the sum with 30.4375 days to a month; the parts are not known any more.
    """
    sign, rest = (-1, -micros) if micros < 0 else (1, micros)
    months, rest = divmod(rest, _MONTH)
    days, rest = divmod(rest, _DAY)
    return {"months": sign * months, "days": sign * days, "microseconds": sign * rest}


# --- texts of a schema ----------------------------------------------------------------------------


def zoned(text: str) -> str:
    """A timestamp with a zone, in UTC and with six digits after the second."""
    if len(text) == 27 and text[26] == "Z" and text[19] == ".":
        return text
    if text in _ZONED_INFINITY:
        return _ZONED_INFINITY[text]
    if text[:1] in "+-":
        return _far_zoned(text)
    found = utc(text) if text[10:11] == "T" else None
    if found is None:
        raise ValueError(f"{text[:40]} has another form")
    return found


def unzoned(text: str) -> str:
    """A timestamp without a zone that came with a `Z` behind it, as `isostring` writes it."""
    return zoned(text).removesuffix("Z")


def zoned_time(text: str) -> str:
    """A time with a zone, which Debezium gives in UTC; a server leaves the zone out."""
    if _TIME.match(text) is None:
        raise ValueError(f"{text[:40]} has another form")
    found: str = time_of(text)
    return found


def interval(text: str) -> dict[str, int]:
    """An interval in ISO 8601 (`P0Y1M1DT2H3M4.5S`), part by part."""
    if text in ("P", "PT"):
        raise ValueError("not an interval")
    found = _ISO_INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]} has another form")
    years, months, days, hours, minutes, sign, seconds, fraction = found.groups()
    micros = int(seconds or 0) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
    micros = -micros if sign else micros
    return {
        "months": int(years or 0) * 12 + int(months or 0),
        "days": int(days or 0),
        "microseconds": (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000 + micros,
    }


# --- texts of PostgreSQL's types ------------------------------------------------------------------


def time_of(value: Any) -> Any:
    """A time of day, without fraction and zone as a server gives it, or the value as it is."""
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23:
        return value
    return f"{found[1]}:{found[2]}:{found[3] or '00'}"


def timestamp_of(value: Any) -> Any:
    """A date and time without zone in ISO 8601 with six digits, or the value as it is."""
    found = _STAMP.match(value) if isinstance(value, str) else None
    if found is None or len(found[1]) > 4 or not _real_day(found):
        return value
    year, month, day, hour, minute, second, rest, _ = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{(rest or '').ljust(6, '0')}"


def timestamptz_of(value: Any) -> Any:
    """A date and time in UTC in ISO 8601 with six digits and `Z`, or the value as it is."""
    done = utc(value)
    return value if done is None else done


def interval_of(value: Any) -> Any:
    """Months, days and microseconds of an interval as PostgreSQL writes it."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return value
    months = days = micros = 0
    rest = value.strip()
    while found := _INTERVAL.match(rest):
        count = int(found[1])
        if found[2] == "day":
            days += count
        else:
            months += count * (12 if found[2] == "year" else 1)
        rest = rest[found.end() :].strip()
    if rest:
        clock = _INTERVAL_TIME.match(rest)
        if clock is None:
            return value
        seconds = int(clock[2]) * 3600 + int(clock[3]) * 60 + int(clock[4])
        micros = seconds * 1_000_000 + int((clock[5] or "").ljust(6, "0"))
        micros = -micros if clock[1] == "-" else micros
    elif not value.strip():
        return value
    return {"months": months, "days": days, "microseconds": micros}


# --- years that Python does not have --------------------------------------------------------------


def _real_day(found: re.Match[str]) -> bool:
    return found[1] != "0000" and "01" <= found[2] <= "12" and "01" <= found[3] <= "31"


def _clock(micros: int) -> str:
    """Hours, minutes and seconds, with a fraction where there is one."""
    seconds, rest = divmod(micros, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02}:{minute:02}:{second:02}"
    if not rest:
        return text
    return f"{text}.{rest:06}".rstrip("0")


def _far_zoned(text: str) -> str:
    """A timestamp whose year has a sign in front, as Java writes those before 1 and after 9999."""
    found = _FAR.match(text)
    if found is None:
        raise ValueError(f"{text[:40]} has another form")
    year, month_day, clock, fraction, zone = found.groups()
    if zone != "Z" or len(fraction or "") > 6:
        return text
    fraction = (fraction or "").rstrip("0")
    number = int(year)
    era, number = ("", number) if number > 0 else (" BC", 1 - number)
    return f"{number:04}-{month_day} {clock}{'.' + fraction if fraction else ''}+00{era}"


def _far_day(days: int) -> tuple[str, str]:
    """A day of any year, and its era: the calendar repeats itself after 400 years."""
    cycles, rest = divmod(days + _EPOCH_DAY - 1, 146_097)
    near = date.fromordinal(rest + 1)
    year = near.year + 400 * cycles
    number, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{number:04}-{near.month:02}-{near.day:02}", era
