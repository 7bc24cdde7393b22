"""The dead-letter file: JSON lines with each rejected message and why, ready to be fed back."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from routestudio.errors import Place, RouteStudioError
from routestudio.model import jsonio
from routestudio.model.message import Message
from routestudio.system import current as system

_BEGIN: Final = b'{"message":'
_STEP: Final = 64 << 10


class DeadLetterError(RouteStudioError):
    """A dead letter cannot be kept. The run stops, so that no message is lost silently."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected message, or the `raw` text of a row that is not a message, and the reason."""

    message: Message | None
    stage: str
    code: str
    reason: str
    field: str | None = None
    line: int | None = None
    column: int | None = None
    attempts: int = 0
    raw: str | None = None


def open_private(path: Path) -> FileIO:
    """A file to append to, which only its owner may read when it is new. Raises `OSError`."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


class DeadLetters:
    """Appends dead letters to a file; each `add` is written before it returns.

    `sink` is the sink's name; `redact` takes secrets out of reasons. Opening the file raises
    `DeadLetterError` when it cannot be written, before anything is delivered.
    """

    def __init__(
        self,
        path: Path,
        sink: str,
        *,
        redact: Callable[[str], str] = str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.path = path
        self.written = 0
        self._sink = sink
        self._redact = redact
        self._now = now
        try:
            self._file = open_private(path)
            self._end_open_line()
        except OSError as error:
            raise self._failure(error) from None

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Write all of `letters`, or raise `DeadLetterError` and leave no half-written line."""
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = [self._line(letter, at) for letter in letters]
        data = memoryview(b"".join(lines))
        end = None
        try:
            end = os.fstat(self._file.fileno()).st_size
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            if end is not None:
                with contextlib.suppress(OSError):
                    self._file.truncate(end)
            raise self._failure(error) from None
        self.written += len(lines)

    def sync(self) -> None:
        """Make sure that what was written survives a crash of the machine.

        Raises `DeadLetterError` when it may not. A pipe or a terminal keeps nothing anyway.
        """
        try:
            system.files.sync(self._file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):
                raise self._failure(error) from None

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._file.close()

    def _line(self, letter: DeadLetter, at: str) -> bytes:
        entry: dict[str, Any] = {
            "message": None if letter.message is None else letter.message.as_row(),
            "reason": {
                "stage": letter.stage,
                "code": letter.code,
                "message": self._redact(letter.reason),
                "field": letter.field,
                "line": letter.line,
                "column": letter.column,
            },
            "attempts": letter.attempts,
            "sink": self._sink,
            "at": at,
        }
        if letter.raw is not None:
            entry["raw"] = letter.raw
        try:
            return jsonio.dump_bytes(entry) + b"\n"
        except (TypeError, ValueError):
            return jsonio.dump_bytes(_plain(entry)) + b"\n"

    def _end_open_line(self) -> None:
        """Make the end of a file that was cut off inside a line a place to go on from.

        Half a letter is taken away: its message counted as finished nowhere, so it comes again.
        Any other last line only gets its line break.
        """
        size = os.fstat(self._file.fileno()).st_size
        if not size or not self.path.is_file():
            return
        with self.path.open("rb") as file:
            start, line = size, b""
            while start and b"\n" not in line:
                step = min(_STEP, start)
                start -= step
                file.seek(start)
                line = file.read(step) + line
        line = line.rpartition(b"\n")[2]
        if not line:
            return
        if line.startswith(_BEGIN) or _BEGIN.startswith(line):
            try:
                jsonio.loads(line)
            except ValueError:
                self._file.truncate(size - len(line))
                return
        self._file.write(b"\n")

    def _failure(self, error: OSError) -> DeadLetterError:
        return DeadLetterError(
            f"the dead-letter file cannot be written: {error.strerror or error}",
            place=Place(str(self.path)),
            hint="free some space or name another file with --dead-letters; "
            "what is not finished was not delivered",
        )


def _plain(value: Any) -> Any:
    """`value` with text for what has no JSON form, such as a float that is not a number."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        jsonio.dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value
