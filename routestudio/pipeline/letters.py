"""Reading dead letters back: by reason, by row, corrected, and without those that were settled.

The file is only ever appended to, by `DeadLetters` and by corrections. A second file beside it
names the lines that need no more attention: their messages were delivered by a retry, or a later
line holds them, corrected or refused again. A line is settled after its successor is written, so
whenever the program ends, a message is in the list at least once.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
from array import array
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any, BinaryIO, Final

from routestudio.api.runs import LetterRow
from routestudio.errors import Place, UsageError
from routestudio.model import jsonio
from routestudio.model.message import Message, MessageError, message_from
from routestudio.pipeline.dead_letters import DeadLetterError, open_private
from routestudio.system import current as system

SETTLED_SUFFIX: Final = ".settled"
_CHUNK: Final = 500
_MAX_GROUPS: Final = 300
_VARYING: Final = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|`[^`]*`")


@dataclass(slots=True)
class LetterGroup:
    """Letters with the same reason. `reason` is the text of the first, `count` open ones."""

    number: int
    stage: str
    code: str
    field: str | None
    line: int | None
    reason: str
    count: int = 0


class Letters:
    """The open letters of one dead-letter file, by line number from 0.

    `refresh` reads what was appended since; it holds eleven bytes per line. Reading raises
    `UsageError` when the file cannot be read; a missing file has no letters.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settled_path = path.with_name(path.name + SETTLED_SUFFIX)
        self.groups: list[LetterGroup] = []
        self._by_reason: dict[tuple[Any, ...], int] = {}
        self._offsets = array("q", [0])
        self._group_of = array("H")
        self._closed = bytearray()
        self._settled = self._read_settled()
        self._lists: dict[int | None, array[int]] = {}

    @property
    def open(self) -> int:
        """Letters that are not settled."""
        return sum(group.count for group in self.groups)

    async def refresh(self) -> None:
        """Take in what was appended; yields to the loop between chunks."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unreadable(error) from None
        with file:
            more = True
            while more:
                more = self._take_in(file)
                await asyncio.sleep(0)
        self._lists.clear()

    def numbers(self, group: int | None = None) -> Sequence[int]:
        """Line numbers of the open letters, of one group or of all, in order."""
        found = self._lists.get(group)
        if found is None:
            closed, groups = self._closed, self._group_of
            mine = (n for n in range(len(closed)) if group is None or groups[n] == group)
            found = self._lists[group] = array("L", (n for n in mine if not closed[n]))
        return found

    def rows(self, group: int | None, start: int, count: int) -> list[LetterRow]:
        """Open letters in short, as the window lists them."""
        wanted = self.numbers(group)[start : start + count]
        return [_row(number, letter) for number, letter in self._read(wanted)]

    def letter(self, number: int) -> dict[str, Any]:
        """One letter as it was written, with its `number`. `UsageError` for a settled one."""
        if not 0 <= number < len(self._closed) or self._closed[number]:
            raise UsageError("this dead letter is not in the list any more", hint="choose another")
        return {**next(self._read([number]))[1], "number": number}

    async def messages(self, numbers: Sequence[int]) -> AsyncIterator[list[Message]]:
        """The messages of open letters in chunks; their `index` is the letter's number.

        Letters without a message, or whose message is none, are left out.
        """
        for start in range(0, len(numbers), _CHUNK):
            part = [n for n in numbers[start : start + _CHUNK] if not self._closed[n]]
            found = [_message(number, letter) for number, letter in self._read(part)]
            if messages := [item for item in found if item is not None]:
                yield messages
            await asyncio.sleep(0)

    def replace(self, changes: Mapping[int, Any]) -> list[int]:
        """Keep corrected messages in the place of letters; returns their new numbers.

        Raises `UsageError` when one is not a message, `DeadLetterError` when they cannot be
        written; all letters then stay as they were.
        """
        lines = []
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        for number, message in changes.items():
            letter = self.letter(number)
            letter.pop("number")
            letter.pop("raw", None)
            letter["message"] = checked(message).as_row()
            lines.append(jsonio.dump_bytes({**letter, "edited": at}) + b"\n")
        try:
            _append(self.path, b"".join(lines), sync=True)
        except OSError as error:
            raise DeadLetterError(
                f"the corrected message cannot be kept: {error.strerror or error}",
                place=Place(str(self.path)), hint="free some space; nothing was changed",
            ) from None  # fmt: skip
        self._catch_up()
        self.settle(list(changes))
        end = len(self._closed)
        return list(range(end - len(lines), end))

    def settle(self, numbers: Collection[int]) -> None:
        """Take letters off the list for good. Raises `DeadLetterError` when that cannot be kept."""
        fresh = [n for n in numbers if 0 <= n < len(self._closed) and not self._closed[n]]
        if not fresh:
            return
        text = "".join(f"{number}\n" for number in fresh).encode()
        try:
            _append(self.settled_path, text)
        except OSError as error:
            raise DeadLetterError(
                f"what was delivered cannot be noted: {error.strerror or error}",
                place=Place(str(self.settled_path)),
                hint="free some space; the letters stay in the list and may be sent twice",
            ) from None
        for number in fresh:
            self._closed[number] = 1
            self.groups[self._group_of[number]].count -= 1
        self._lists.clear()

    def export(self, output: Path, group: int | None) -> int:
        """Write the open letters to a file, as they are; returns how many.

        The file is a dead-letter file itself. Raises `UsageError` when it cannot be written.
        """
        if output.exists() and output.samefile(self.path):
            raise UsageError("this is the dead-letter file itself", hint="name another file")
        numbers = self.numbers(group)
        part = output.with_name(f".{output.name}.part")
        try:
            part.unlink(missing_ok=True)
            with self._file() as source, BufferedWriter(open_private(part)) as file:
                for number in numbers:
                    source.seek(self._offsets[number])
                    file.write(source.read(self._offsets[number + 1] - self._offsets[number]))
            part.replace(output)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UsageError(
                f"the dead letters cannot be written: {error.strerror or error}",
                place=Place(str(output)), hint="choose another folder",
            ) from None  # fmt: skip
        return len(numbers)

    # --- the files ---------------------------------------------------------------------------

    def _catch_up(self) -> None:
        with self._file() as file:
            while self._take_in(file):
                pass
        self._lists.clear()

    def _take_in(self, file: BinaryIO) -> bool:
        """Take in the next lines, from where the index ends now: others may have taken some."""
        file.seek(self._offsets[-1])
        lines = _complete(file, _CHUNK)
        for line in lines:
            self._take(line)
        return bool(lines)

    def _take(self, line: bytes) -> None:
        number = len(self._closed)
        closed = number in self._settled
        group = self._group(_decoded(line))
        self._offsets.append(self._offsets[-1] + len(line))
        self._group_of.append(group)
        self._closed.append(closed)
        self.groups[group].count += not closed

    def _group(self, letter: dict[str, Any]) -> int:
        reason = letter["reason"]
        stage, code = str(reason.get("stage", "")), str(reason.get("code", ""))
        text = str(reason.get("message", ""))
        key: tuple[Any, ...] = (
            stage, code, reason.get("field"), reason.get("line"), _VARYING.sub("#", text)[:300],
        )  # fmt: skip
        found = self._by_reason.get(key)
        if found is None:
            if len(self.groups) >= _MAX_GROUPS:
                key, text = (stage, code), "several reasons"
                found = self._by_reason.get(key)
            if found is None and len(self.groups) >= 2 * _MAX_GROUPS:
                return len(self.groups) - 1
        if found is None:
            found = self._by_reason[key] = len(self.groups)
            self.groups.append(
                LetterGroup(found, stage, code, reason.get("field"), reason.get("line"), text[:500])
            )
        return found

    def _read(self, numbers: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._file() as file:
            for number in numbers:
                begin, end = self._offsets[number], self._offsets[number + 1]
                file.seek(begin)
                yield number, _decoded(file.read(end - begin))

    def _file(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from None

    def _read_settled(self) -> frozenset[int]:
        try:
            data = self.settled_path.read_bytes()
        except OSError:
            return frozenset()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):  # cut off by a crash: its message comes again
            with contextlib.suppress(OSError):
                os.truncate(self.settled_path, len(whole))
        return frozenset(int(line) for line in whole.split() if line.isdigit())

    def _unreadable(self, error: OSError) -> UsageError:
        return UsageError(
            f"the dead letters cannot be read: {error.strerror or error}",
            place=Place(str(self.path)), hint="look at the file's permissions",
        )  # fmt: skip


def checked(value: Any) -> Message:
    """`value` as a message. Raises `UsageError` that explains what is wrong with it."""
    try:
        return message_from(value)
    except MessageError as error:
        raise UsageError(str(error), hint="correct the message") from None


def _append(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write all of `data` at the end of a file, or nothing and raise `OSError`."""
    with open_private(path) as file:
        end = os.fstat(file.fileno()).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]
            if sync:
                system.files.sync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(end)
            raise


def _complete(file: BinaryIO, count: int) -> list[bytes]:
    """Up to `count` whole lines; a line that is still being written comes next time."""
    lines: list[bytes] = []
    for line in file:
        if not line.endswith(b"\n"):
            break
        lines.append(line)
        if len(lines) >= count:
            break
    return lines


def _decoded(line: bytes) -> dict[str, Any]:
    """A letter of the file; a line that is none becomes one that holds its text."""
    try:
        value = jsonio.loads(line)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("reason"), dict) and "message" in value:
        return value
    text = line.decode("utf-8", "replace").rstrip("\n")
    reason = {"stage": "read", "code": "not_a_letter", "message": "the line is not a dead letter"}
    return {"message": None, "reason": reason, "attempts": 0, "raw": text}


def _message(number: int, letter: dict[str, Any]) -> Message | None:
    try:
        return message_from(letter["message"], index=number)
    except MessageError:
        return None


def _row(number: int, letter: dict[str, Any]) -> LetterRow:
    message, reason = letter["message"], letter["reason"]
    parts = message if isinstance(message, dict) else {}
    metadata = parts.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    table, attempts = metadata.get("table_name"), letter.get("attempts", 0)
    return LetterRow(
        number=number,
        action=_text(parts.get("action")),
        table=f"{metadata.get('table_schema')}.{table}" if table else None,
        pks=tuple(str(item) for item in metadata.get("record_pks") or ()),
        stage=str(reason.get("stage", "")),
        code=str(reason.get("code", "")),
        reason=str(reason.get("message", "")),
        attempts=attempts if isinstance(attempts, int) else 0,
        at=_text(letter.get("at")),
        edited="edited" in letter,
        readable=_message(number, letter) is not None,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
