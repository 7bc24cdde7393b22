"""The log of a run: one event per line on standard error, as text or as JSON.

No event holds a message, a payload or a secret: texts pass through `redact`, and what a service or
a function reported about a message is left out, because it may quote it.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TextIO

from routestudio.cli.run_options import LEVELS
from routestudio.model import jsonio

_BARE: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:+@%,*?&#~|<>()[]{}"
)
_LONGEST: Final = 1000
_PROGRAM: Final = "routestudio"


class RunLog:
    """Writes events of at least `level`. `fields` are part of every event.

    `form` is `text` (`2026-01-31T10:20:30.123Z INFO started sink=orders`) or `json` (one object per
    line with `time`, `level`, `event` and the fields).
    """

    def __init__(
        self,
        form: str,
        level: str,
        *,
        redact: Callable[[str], str] = str,
        stream: TextIO | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        **fields: Any,
    ) -> None:
        self._json = form == "json"
        self._level = LEVELS.index(level)
        self._redact = redact
        self._stream = stream or sys.stderr
        self._now = now
        self._fields = fields

    def wants(self, level: str) -> bool:
        """Whether events of a level are written."""
        return LEVELS.index(level) >= self._level

    def event(self, level: str, name: str, **fields: Any) -> None:
        """Write one event; fields that are `None` are left out. A closed stream is not an error."""
        if not self.wants(level):
            return
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        values = {
            key: self._clean(value)
            for key, value in {**self._fields, **fields}.items()
            if value is not None
        }
        if self._json:
            head = {"time": time, "level": level, "event": name}
            line = jsonio.dump_bytes({**head, **values}).decode()
        else:
            parts = [f"{key}={_shown(value)}" for key, value in values.items()]
            line = " ".join([time, level.upper(), name, *parts])
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)[:_LONGEST]
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items()}
        return value


def _shown(value: Any) -> str:
    """A value in a line of text: in quotation marks unless it is one plain word."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)
    if isinstance(value, dict):
        value = ",".join(f"{key}:{item}" for key, item in value.items())
    text = str(value)
    return (
        text
        if text and _BARE.issuperset(text)
        else json.dumps(text, ensure_ascii=not text.isprintable())
    )


class LogBridge(logging.Handler):
    """Turns what the program logs, and warnings of its libraries, into events.

    What a source on a server reports about itself (partitions assigned and taken away, waiting for
    a broker) is the event `source`, the rest `log`. Of libraries' records only the text before its
    arguments is kept, and of a failure its kind and place: the rest may hold data.
    """

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.INFO)
        self._log = log
        self._level = logging.NOTSET

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        own = record.name == _PROGRAM or record.name.startswith(f"{_PROGRAM}.")
        if not own and record.levelno < logging.WARNING:
            return
        error = record.exc_info[1] if record.exc_info else None
        self._log.event(
            _level(record.levelno),
            "source" if record.name.startswith(f"{_PROGRAM}.sources") else "log",
            logger=record.name,
            message=record.getMessage() if own else str(record.msg)[:200],
            error=type(error).__name__ if error is not None else None,
            place=_place(error),
        )

    def __enter__(self) -> LogBridge:
        program = logging.getLogger(_PROGRAM)
        self._level = program.level
        if self._log.wants("info"):
            program.setLevel(logging.INFO)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger(_PROGRAM).setLevel(self._level)


def _level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"


def _place(error: BaseException | None) -> str | None:
    """File and line where an error was raised."""
    trace = error.__traceback__ if error is not None else None
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
