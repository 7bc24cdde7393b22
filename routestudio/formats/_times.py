"""Times of sources as `metadata.commit_timestamp` has them: UTC, six digits, `Z`."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OFFSET: Final = re.compile(r"\s?([+-])(\d\d):?(\d\d)?(?::?(\d\d))?\Z")
_FRACTION: Final = re.compile(r"\.(\d+)")


def utc(text: Any) -> str | None:
    """ISO 8601, or PostgreSQL's text of a time, as ISO 8601 in UTC; `None` for anything else.

    A time without zone is taken as UTC.
    """
    if not isinstance(text, str) or not 10 <= len(text) <= 64:
        return None
    plain, minutes = text.strip(), 0.0
    if plain[-1:] in "Zz":
        plain = plain[:-1]
    elif (found := _OFFSET.search(plain, 10)) is not None:
        minutes = int(found[2]) * 60 + int(found[3] or 0) + int(found[4] or 0) / 60
        minutes = -minutes if found[1] == "-" else minutes
        plain = plain[: found.start()]
    plain = _FRACTION.sub(lambda part: "." + part[1][:6].ljust(6, "0"), plain)
    try:
        moment = dt.datetime.fromisoformat(plain).replace(tzinfo=dt.UTC)
        return _written(moment - dt.timedelta(minutes=minutes))
    except (ValueError, OverflowError):
        return None


def epoch(value: Any, per_second: int) -> str | None:
    """A number of units since 1970 as ISO 8601; `None` for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    seconds, rest = divmod(value, per_second)
    try:
        moment = _EPOCH + dt.timedelta(seconds=seconds, microseconds=rest * 1_000_000 // per_second)
    except OverflowError:
        return None
    return _written(moment)


def seconds(value: Any) -> str | None:
    """Seconds since 1970, with a fraction or without, as ISO 8601."""
    if isinstance(value, float):
        return epoch(round(value * 1_000_000), 1_000_000) if 0 <= value < 1e12 else None
    return epoch(value, 1)


def _written(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
