"""Times of Kafka Connect and Debezium as the texts that a Sequin server gives.

What no `date` or `datetime` of Python holds (years before 1 or after 9999, infinity, 24:00:00) is
written as PostgreSQL writes it, which is what a server hands on then. All functions raise
`ValueError` or `TypeError` for values that are not of their kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
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

_ZONED: Final = re.compile(
    r"([+-]?\d{4,})-(\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_TIME: Final = re.compile(r"(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_INTERVAL: Final = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?"
    r"(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?",
    re.ASCII,
)


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


def utc(micros: int) -> str:
    """Microseconds since 1970: `2024-05-06T07:08:09.123456Z`. Raises for years it cannot hold."""
    return (_EPOCH + timedelta(0, 0, micros)).isoformat(timespec="microseconds") + "Z"


def zoned(text: str) -> str:
    """A timestamp with a zone, in UTC and with six digits after the second."""
    if len(text) == 27 and text[26] == "Z" and text[19] == ".":
        return text
    if text in _ZONED_INFINITY:
        return _ZONED_INFINITY[text]
    year, month_day, clock, fraction, zone = _parts(_ZONED, text)
    if len(fraction or "") > 6:
        return text
    if len(year) > 4:
        return _far_zoned(int(year), month_day, clock, (fraction or "").rstrip("0"), zone, text)
    whole = f"{year}-{month_day}T{clock}.{(fraction or '').ljust(6, '0')}"
    if zone == "Z":
        return whole + "Z"
    moment = datetime.fromisoformat(whole + zone).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def unzoned(text: str) -> str:
    """A timestamp without a zone that came with a `Z` behind it, as `isostring` writes it."""
    found = zoned(text)
    return found.removesuffix("Z")


def time_of_day(micros: int) -> str:
    """Microseconds since midnight: `07:08:09`, or `07:08:09.500000`; also `24:00:00`, `-01:00:00`.

    MySQL's `time` goes from -838 to 838 hours.
    """
    return "-" + _clock(-micros, 6) if micros < 0 else _clock(micros, 6)


def zoned_time(text: str) -> str:
    """A time with a zone, which Debezium gives in UTC; a server leaves the zone out."""
    clock, fraction = _parts(_TIME, text)
    return f"{clock}.{fraction.ljust(6, '0')}" if (fraction or "").rstrip("0") else str(clock)


def interval_of(micros: int) -> dict[str, int]:
    """A sum of microseconds as months, days and microseconds, as many as go into it.

    Debezium made the sum with 30.4375 days to a month; the parts are not known any more.
    """
    sign, rest = (-1, -micros) if micros < 0 else (1, micros)
    months, rest = divmod(rest, _MONTH)
    days, rest = divmod(rest, _DAY)
    return {"months": sign * months, "days": sign * days, "microseconds": sign * rest}


def interval(text: str) -> dict[str, int]:
    """An interval in ISO 8601 (`P0Y1M1DT2H3M4.5S`), part by part."""
    if text in ("P", "PT"):
        raise ValueError("not an interval")
    years, months, days, hours, minutes, sign, seconds, fraction = _parts(_INTERVAL, text)
    micros = int(seconds or 0) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
    micros = -micros if sign else micros
    return {
        "months": int(years or 0) * 12 + int(months or 0),
        "days": int(days or 0),
        "microseconds": (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000 + micros,
    }


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


def _parts(pattern: re.Pattern[str], text: str) -> tuple[Any, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]} has another form")
    return found.groups()


def _clock(micros: int, digits: int = 0) -> str:
    """Hours, minutes and seconds, with a fraction where there is one (of so many digits)."""
    seconds, rest = divmod(micros, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02}:{minute:02}:{second:02}"
    if not rest:
        return text
    fraction = f"{rest:06}"
    return f"{text}.{fraction if digits else fraction.rstrip('0')}"


def _far_zoned(year: int, month_day: str, clock: str, fraction: str, zone: str, text: str) -> str:
    if zone != "Z":
        return text
    era = "" if year > 0 else " BC"
    number = year if year > 0 else 1 - year
    return f"{number:04}-{month_day} {clock}{'.' + fraction if fraction else ''}+00{era}"


def _far_day(days: int) -> tuple[str, str]:
    """A day of any year, and its era: the calendar repeats itself after 400 years."""
    cycles, rest = divmod(days + _EPOCH_DAY - 1, 146_097)
    near = date.fromordinal(rest + 1)
    year = near.year + 400 * cycles
    number, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{number:04}-{near.month:02}-{near.day:02}", era
