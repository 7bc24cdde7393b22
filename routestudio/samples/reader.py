"""Reads messages from files, streams and text. A bad line is a row that says so, never an end."""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from routestudio.errors import Place, UsageError
from routestudio.model import jsonio
from routestudio.model.message import Message, MessageError, message_from
from routestudio.samples import parquet

MAX_LINE: Final = 16 << 20
"""Longest line that is read, in bytes; a longer one becomes a fault without being loaded."""

MAX_DOCUMENT: Final = 256 << 20
"""Largest JSON array or CSV file, in bytes; these formats are read as a whole."""


CHUNK: Final = 1 << 20
"""Bytes that are indexed at a time."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SampleFault:
    """A line that holds no message: what is wrong with it, and the start of its text."""

    line: int
    message: str
    hint: str | None = None
    column: int | None = None
    text: str | None = None
    index: int = 0


Item = Message | SampleFault


def read_file(path: Path) -> Iterator[Item]:
    """The messages of a file, by its ending: JSON lines, `.json` (an array), `.csv`, `.parquet`.

    Raises `UsageError` for a file that cannot be read or is not text.
    """
    if path.suffix == ".parquet":
        yield from _records(parquet.rows(path), path.stem)
        return
    try:
        with path.open("rb") as file:
            if path.suffix == ".json":
                yield from _array(_document(file, path), path)
            elif path.suffix == ".csv":
                yield from _table(_document(file, path), path.stem)
            else:
                yield from read_stream(file, str(path))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(str(path))) from None


def read_stream(file: BinaryIO, name: str) -> Iterator[Item]:
    """JSON lines of a binary stream; memory is bounded by the longest accepted line."""
    start = file.peek(4096)[:4096] if isinstance(file, io.BufferedReader) else b""
    _refuse_binary(start, name)
    line = index = 0
    while data := file.readline(MAX_LINE + 1):
        line += 1
        size = len(data)
        if size > MAX_LINE:
            while not data.endswith(b"\n") and (data := file.readline(1 << 20)):
                size += len(data)
            text = f"the line is {size / 1e6:.0f} MB; the limit is {MAX_LINE >> 20} MB"
            yield SampleFault(line, text, "split the message, or remove the line", index=index)
            index += 1
            continue
        item = parse_line(data, line, index)
        if item is not None:
            yield item
            index += 1


def read_text(text: str) -> Iterator[Item]:
    """Messages of typed or pasted text: JSON lines, or one JSON array."""
    if text.lstrip("\ufeff \t\r\n").startswith("["):
        yield from _array(text, Path("text"))
        return
    yield from read_stream(io.BytesIO(text.encode("utf-8", "surrogatepass")), "text")


def parse_line(data: bytes, line: int, index: int) -> Item | None:
    """One line of JSON lines: a message, a fault, or `None` for an empty line."""
    if line == 1:
        data = data.removeprefix(_BOM)
    body = data.strip()
    if not body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return SampleFault(line, "the line is not text in UTF-8", "convert the file to UTF-8",
                           error.start + 1, index=index)  # fmt: skip
    try:
        value = jsonio.loads(text)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text) - 1 or error.msg.startswith("Unterminated string")
        cut = ends and not data.endswith(b"\n")
        hint = "the line looks cut off" if cut else "one JSON object per line is expected"
        return SampleFault(line, f"not JSON: {error.msg.lower()}", hint, error.pos + 1, text[:2000],
                           index)  # fmt: skip
    except ValueError as error:
        return SampleFault(line, f"not JSON: {error}", None, None, text[:2000], index)
    return _message(value, line, index, text)


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
            _refuse_binary(head, str(path))
            position = len(_BOM) if head.startswith(_BOM) else 0
            file.seek(position)
            line, begun, content = 1, 0, False
            while block := file.read(CHUNK):
                start = 0
                while (end := block.find(b"\n", start)) >= 0:
                    if content or block[start:end].strip():
                        offsets.append(begun)
                        lines.append(line)
                    start, content = end + 1, False
                    begun, line = position + start, line + 1
                content = content or bool(block[start:].strip())
                position += len(block)
            if content:
                offsets.append(begun)
                lines.append(line)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(str(path))) from None
    return FileIndex(path, offsets, lines)


def read_rows(index: FileIndex, start: int, count: int) -> list[Item]:
    """Rows `start` to `start + count` of an indexed file; fewer at its end."""
    found: list[Item] = []
    stop = min(start + count, len(index))
    try:
        with index.path.open("rb") as file:
            for row in range(start, stop):
                file.seek(index.offsets[row])
                data = file.readline(MAX_LINE + 1)
                line = index.lines[row]
                if len(data) > MAX_LINE:
                    text = f"the line is over the limit of {MAX_LINE >> 20} MB"
                    found.append(SampleFault(line, text, "split the message", index=row))
                    continue
                item = parse_line(data, line, row)
                if item is None:
                    item = SampleFault(line, "the line changed while it was read", index=row)
                found.append(item)
    except OSError as error:
        place = Place(str(index.path))
        raise UsageError(f"cannot be read: {error.strerror}", place=place) from None
    return found


def read_lines(index: FileIndex, start: int, count: int) -> list[tuple[int, bytes]]:
    """Number (from 1) and text, without its end, of lines; at most `MAX_LINE` bytes of each."""
    found: list[tuple[int, bytes]] = []
    try:
        with index.path.open("rb") as file:
            for row in range(start, min(start + count, len(index))):
                file.seek(index.offsets[row])
                found.append((index.lines[row], file.readline(MAX_LINE + 1).rstrip(b"\r\n")))
    except OSError as error:
        place = Place(str(index.path))
        raise UsageError(f"cannot be read: {error.strerror}", place=place) from None
    return found


def count_rows(path: Path, limit: int = 1_000_000_000) -> int:
    """How many rows a sample file has; bad lines count."""
    if path.suffix == ".parquet":
        return min(parquet.count(path), limit)
    if path.suffix in (".json", ".csv"):
        return sum(1 for _ in islice(read_file(path), limit))
    return len(index_file(path))


def _message(value: Any, line: int | None, index: int, text: str | None) -> Item:
    if isinstance(value, dict) and "message" in value and "reason" in value:
        value = value["message"]
    try:
        return message_from(value, index=index, line=line)
    except MessageError as error:
        hint = "expected action, record, changes, metadata"
        return SampleFault(line or 0, str(error), hint, None, (text or "")[:2000], index)


def _refuse_binary(start: bytes, name: str) -> None:
    known = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip file", b"PAR1": "a Parquet file",
             b"\x89PNG": "a picture", b"%PDF": "a PDF", b"SQLite": "an SQLite database",
             b"\x7fELF": "a program", b"Obj\x01": "an Avro file"}  # fmt: skip
    what = next((text for magic, text in known.items() if start.startswith(magic)), None)
    if what is None and b"\0" in start:
        wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        what = "text in UTF-16" if wide else "a binary file"
    if what is not None:
        raise UsageError(f"looks like {what}, not messages", place=Place(name),
                         hint="messages are JSON lines in UTF-8")  # fmt: skip


def _document(file: BinaryIO, path: Path) -> str:
    data = file.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise UsageError(f"is over {MAX_DOCUMENT >> 20} MB", place=Place(str(path)),
                         hint="write it as JSON lines, which are read row by row")  # fmt: skip
    _refuse_binary(data[:4096], str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError("is not text in UTF-8", place=Place(str(path), line)) from None


def _array(text: str, path: Path) -> Iterator[Item]:
    text = text.lstrip("\ufeff")
    if not text.strip():
        return
    try:
        value = jsonio.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            # JSON lines under another name, or lines of which the first is no message.
            yield from read_stream(io.BytesIO(text.encode("utf-8", "surrogatepass")), str(path))
            return
        place = Place(str(path), error.lineno, error.colno)
        raise UsageError(f"is not JSON: {error.msg.lower()}", place=place,
                         hint="the file may be cut off") from None  # fmt: skip
    except ValueError as error:
        raise UsageError(f"is not JSON: {error}", place=Place(str(path))) from None
    rows: Sequence[Any] = value if isinstance(value, list) else [value]
    for index, item in enumerate(rows):
        yield _message(item, None, index, None)


def _records(rows: Iterator[dict[str, Any]], name: str) -> Iterator[Item]:
    """Rows of a table as `read` messages, with values as they are in JSON."""
    for index, row in enumerate(rows):
        value = {"action": "read", "record": row, "changes": None, "metadata": {"table_name": name}}
        try:
            yield _message(jsonio.loads(jsonio.dumps(value)), index + 1, index, None)
        except (TypeError, ValueError) as error:
            yield SampleFault(index + 1, f"the row has no JSON form: {error}", index=index)


def _table(text: str, name: str) -> Iterator[Item]:
    """CSV rows as `read` messages of a table named like the file; empty cells are null."""
    if not text.strip():
        return
    csv.field_size_limit(MAX_LINE)
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(rows, [])
        if len(set(header)) != len(header):
            raise UsageError("two columns have the same name", place=Place(f"{name}.csv", 1))
        for index, row in enumerate(rows):
            if not row:
                continue
            if len(row) != len(header):
                text = f"the row has {len(row)} cells; the header has {len(header)}"
                yield SampleFault(rows.line_num, text, index=index)
                continue
            record = {key: cell or None for key, cell in zip(header, row, strict=True)}
            yield message_from(
                {"action": "read", "record": record, "changes": None,
                 "metadata": {"table_name": name}},
                index=index, line=rows.line_num,
            )  # fmt: skip
    except csv.Error as error:
        place = Place(f"{name}.csv", rows.line_num)
        raise UsageError(f"is not CSV: {error}", place=place) from None
