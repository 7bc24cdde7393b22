"""JSON lines as raw rows: of a file, a stream or a text, and by random access."""

from __future__ import annotations

import hashlib
import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from routestudio.errors import Place, UsageError
from routestudio.model.rows import Fault, Raw, RawRow

MAX_LINE: Final = 16 << 20
"""Longest line that is read, in bytes; a longer one becomes a fault without being loaded."""

CHUNK: Final = 1 << 20
"""Bytes that are indexed at a time."""

BOM: Final = b"\xef\xbb\xbf"

_SIGNATURES: Final = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF",
    b"SQLite": "an SQLite database",
    b"\x7fELF": "a program",
    b"Obj\x01": "an Avro file",
}


def position(name: str, row: int, data: bytes) -> str:
    """The position of a row of a file: the file's name, the row's number, and its content.

    With its content, because a file may be edited and read again within the time for which a
    service remembers ids; with the name only, so that it is the same in every copy of a project.
    """
    return f"{name}:{row}:{hashlib.blake2b(data, digest_size=8).hexdigest()}"


def read_stream(file: BinaryIO, name: str) -> Iterator[RawRow]:
    """JSON lines of a binary stream; memory is bounded by the longest accepted line.

    Raises `UsageError` for what is not text.
    """
    start = file.peek(4096)[:4096] if isinstance(file, io.BufferedReader) else b""
    refuse_binary(start, name)
    short = Path(name).name
    line = 0
    while data := file.readline(MAX_LINE + 1):
        line += 1
        size = len(data)
        if size > MAX_LINE:
            while not data.endswith(b"\n") and (data := file.readline(1 << 20)):
                size += len(data)
            yield _too_long(line, f"{size / 1e6:.0f} MB", short)
            continue
        row = row_of(data, line, short)
        if row is not None:
            yield row


def row_of(data: bytes, line: int, name: str) -> Raw | None:
    """One line as a raw row; `None` for an empty line."""
    if line == 1:
        data = data.removeprefix(BOM)
    body = data.strip()
    if not body:
        return None
    return Raw(body, topic=name, position=position(name, line, body), place=f"{name}:{line}",
               line=line)  # fmt: skip


def walk(path: Path, place: int = 0, line: int = 1) -> Iterator[tuple[int, int, bytes]]:
    """Place, number and text of the lines of a file from one that begins at `place`.

    At most `MAX_LINE` + 1 bytes of each. Raises `UsageError` for a file that cannot be read or is
    not text.
    """
    try:
        with path.open("rb") as file:
            refuse_binary(file.peek(4096)[:4096], str(path))
            file.seek(place)
            while data := file.readline(MAX_LINE + 1):
                start, place = place, place + len(data)
                yield start, line, data
                if len(data) > MAX_LINE:
                    while not data.endswith(b"\n") and (data := file.readline(CHUNK)):
                        place += len(data)
                line += 1
    except OSError as error:
        raise unreadable(error, path) from None


def raw_of(data: bytes, line: int, name: str) -> RawRow | None:
    """A line of `walk` as a raw row; `None` for an empty one."""
    if len(data) > MAX_LINE:
        return _too_long(line, f"over {MAX_LINE >> 20} MB", name)
    return row_of(data, line, name)


@dataclass(frozen=True, slots=True)
class FileIndex:
    """Where each non-empty line of a JSON lines file begins: eight bytes per row."""

    path: Path
    offsets: array[int]
    lines: array[int]

    def __len__(self) -> int:
        return len(self.offsets)


def index_file(path: Path) -> FileIndex:
    """Index a JSON lines file. Raises `UsageError` when it cannot be read or is not text."""
    offsets, lines = array("Q"), array("Q")
    try:
        with path.open("rb") as file:
            head = file.peek(4096)[:4096]
            refuse_binary(head, str(path))
            at = len(BOM) if head.startswith(BOM) else 0
            file.seek(at)
            line, begun, content = 1, 0, False
            while block := file.read(CHUNK):
                start = 0
                while (end := block.find(b"\n", start)) >= 0:
                    if content or block[start:end].strip():
                        offsets.append(begun)
                        lines.append(line)
                    start, content = end + 1, False
                    begun, line = at + start, line + 1
                content = content or bool(block[start:].strip())
                at += len(block)
            if content:
                offsets.append(begun)
                lines.append(line)
    except OSError as error:
        raise unreadable(error, path) from None
    return FileIndex(path, offsets, lines)


def read_lines(index: FileIndex, start: int, count: int) -> list[tuple[int, bytes]]:
    """Number (from 1) and text, without its end, of lines; at most `MAX_LINE` + 1 bytes of each."""
    found: list[tuple[int, bytes]] = []
    try:
        with index.path.open("rb") as file:
            for row in range(start, min(start + count, len(index))):
                file.seek(index.offsets[row])
                found.append((index.lines[row], file.readline(MAX_LINE + 1).rstrip(b"\r\n")))
    except OSError as error:
        raise unreadable(error, index.path) from None
    return found


def refuse_binary(start: bytes, name: str) -> None:
    """Raise `UsageError` for a file whose beginning is not text."""
    what = next((text for magic, text in _SIGNATURES.items() if start.startswith(magic)), None)
    if what is None and b"\0" in start:
        wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        what = "text in UTF-16" if wide else "a binary file"
    if what is not None:
        raise UsageError(f"looks like {what}, not rows", place=Place(name),
                         hint="rows are read from JSON lines, JSON arrays and CSV in UTF-8, and "
                              "from Parquet")  # fmt: skip


def unreadable(error: OSError, path: Path) -> UsageError:
    """What is reported about a file that the system does not let us read."""
    return UsageError(f"cannot be read: {error.strerror}", place=Place(str(path)))


def _too_long(line: int, size: str, name: str) -> Fault:
    text = f"the line is {size}; the limit is {MAX_LINE >> 20} MB"
    return Fault(line, text, "split the message, or remove the line", place=f"{name}:{line}")
