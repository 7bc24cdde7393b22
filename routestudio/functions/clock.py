"""The clock that user functions read: it can be stopped, so that tests always give the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

_stopped: dt.datetime | None = None


def stop(at: str | None) -> None:
    """Let every later reading give `at` (ISO 8601; UTC unless it has an offset); `None`: run on.

    Raises `ValueError` for text that is not a time.
    """
    global _stopped
    if at is None:
        _stopped = None
        return
    _stopped = moment(at)


def moment(text: str) -> dt.datetime:
    """A time in ISO 8601, UTC unless it has an offset. Raises `ValueError`, `TypeError`."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def now(zone: dt.tzinfo | None = None) -> dt.datetime:
    """The time in a zone; without one the local time, naive, as `datetime.now` has it."""
    if _stopped is None:
        return dt.datetime.now(zone)
    return _stopped.astimezone(zone) if zone else _stopped.astimezone().replace(tzinfo=None)


class _Kind(type):
    """Lets plain dates and times pass as instances of the classes that functions see."""

    plain: type

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.plain)


class Datetime(dt.datetime, metaclass=_Kind):
    """`datetime.datetime` as functions see it: makes plain values, and reads our clock."""

    plain = dt.datetime

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A plain `datetime.datetime`."""
        return dt.datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        """The time by our clock."""
        return now(tz)

    @classmethod
    def today(cls) -> Any:
        """The local time by our clock."""
        return now()


class Date(dt.date, metaclass=_Kind):
    """`datetime.date` as functions see it."""

    plain = dt.date

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A plain `datetime.date`."""
        return dt.date(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        """The local day by our clock."""
        return now().date()
