"""JSON arrays and CSV as raw rows, read as they come: memory is bounded by the longest row."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from routestudio.errors import Place, UsageError
from routestudio.model import jsonio
from routestudio.model.rows import Fault, Raw, RawRow
from routestudio.sources.lines import MAX_LINE, position, read_stream, refuse_binary

_PIECE: Final = 1 << 16
_SPACE: Final = " \t\r\n"


def read_array(file: BinaryIO, name: str) -> Iterator[RawRow]:
    """The items of a JSON array, or the one value of a file.

    JSON lines under this name are read as lines. Raises `UsageError` for a file that is not JSON.
    """
    start = file.read(4096)
    refuse_binary(start, name)
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    file.seek(0)
    lines = _is_lines(file)
    file.seek(0)
    if lines or not text:
        yield from read_stream(file, name)
    elif text.startswith(b"["):
        yield from _Items(file, name).rows()
    else:
        yield _document(file, name)


def _is_lines(file: BinaryIO) -> bool:
    """Whether the first line is JSON for itself, and not the only one."""
    first = b""
    while data := file.readline(MAX_LINE + 1):
        first = data.removeprefix(codecs.BOM_UTF8).strip()
        if first or len(data) > MAX_LINE:
            break
    rest = file.read(1)
    if not first or len(first) > MAX_LINE or not (rest or not first.startswith(b"[")):
        return False
    try:
        jsonio.loads(first)
    except ValueError:
        return False
    return True


def _document(file: BinaryIO, name: str) -> Raw:
    """One value over several lines."""
    data = file.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        raise UsageError(f"is one JSON value of over {MAX_LINE >> 20} MB", place=Place(name),
                         hint="write it as JSON lines, which are read row by row")  # fmt: skip
    try:
        value = jsonio.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError("is not text in UTF-8", place=Place(name, line)) from None
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, Place(name, error.lineno, error.colno)) from None
    except ValueError as error:
        raise UsageError(f"is not JSON: {error}", place=Place(name)) from None
    return _item(value, data, 0, Path(name).name)


def _item(value: Any, data: bytes, row: int, short: str) -> Raw:
    return Raw(value, topic=short, position=position(short, row, data), place=f"{short}[{row}]")


def _not_json(reason: str, place: Place) -> UsageError:
    return UsageError(f"is not JSON: {reason.lower()}", place=place,
                      hint="the file may be cut off")  # fmt: skip


class _Items:
    """The items of an array, decoded one by one from pieces of the file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._line = 1
        self._ended = False

    def rows(self) -> Iterator[Raw]:
        """The items. Raises `UsageError` at the first place that is not JSON."""
        short = Path(self._name).name
        self._skip("[")
        row = 0
        if self._next() == "]":
            self._end()
            return
        while True:
            begin = self._line
            value, text = self._value()
            raw = _item(value, text.encode("utf-8", "surrogatepass"), row, short)
            yield Raw(raw.value, topic=raw.topic, position=raw.position, place=raw.place,
                      line=begin)  # fmt: skip
            row += 1
            mark = self._next()
            if mark == "]":
                self._end()
                return
            self._skip(",")

    def _value(self) -> tuple[Any, str]:
        self._next()
        tried = 0
        while True:
            try:
                value, end = jsonio.decode_at(self._text)
            except json.JSONDecodeError as error:
                self._more_or_fail(error, tried)
                tried = len(self._text)
                continue
            except ValueError as error:
                raise UsageError(f"is not JSON: {error}",
                                 place=Place(self._name, self._line)) from None  # fmt: skip
            if end == len(self._text) and not self._ended:
                self._read()  # a number may go on
                continue
            text, self._text = self._text[:end], self._text[end:]
            self._line += text.count("\n")
            return value, text

    def _more_or_fail(self, error: json.JSONDecodeError, tried: int) -> None:
        """Read at least as much again, so that a long item is decoded a few times only."""
        if self._ended or len(self._text) > MAX_LINE:
            if self._ended:
                line = self._line + error.lineno - 1
                raise _not_json(error.msg, Place(self._name, line, error.colno)) from None
            text = f"holds an item of over {MAX_LINE >> 20} MB, or is not JSON: {error.msg.lower()}"
            raise UsageError(text, place=Place(self._name, self._line)) from None
        wanted = max(len(self._text) * 2, tried * 2, _PIECE)
        while len(self._text) < wanted and not self._ended:
            self._read()

    def _next(self) -> str:
        """The next character that is not space; it stays. Empty at the end."""
        while True:
            body = self._text.lstrip(_SPACE)
            self._line += self._text.count("\n", 0, len(self._text) - len(body))
            self._text = body
            if body or self._ended:
                return body[:1]
            self._read()

    def _skip(self, mark: str) -> None:
        if self._next() != mark:
            raise _not_json(f"expecting `{mark}`", Place(self._name, self._line))
        self._text = self._text[1:]

    def _end(self) -> None:
        self._skip("]")
        if self._next():
            raise _not_json("extra data after the array", Place(self._name, self._line))

    def _read(self) -> None:
        data = self._file.read(_PIECE)
        self._ended = not data
        try:
            self._text += self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            line = self._line + self._text.count("\n")
            raise UsageError("is not text in UTF-8", place=Place(self._name, line)) from None


def read_table(file: BinaryIO, name: str) -> Iterator[RawRow]:
    """CSV rows by the names of the header; empty cells are null.

    One that is written as `""` is an empty text, as PostgreSQL's COPY writes it, unless the file
    has quotes around every cell: then they show nothing. Raises `UsageError` for a file that is
    not CSV.
    """
    start = file.read(4096)
    refuse_binary(start, name)
    file.seek(0)
    short = Path(name).name
    csv.field_size_limit(MAX_LINE)
    mark = _delimiter(start)
    read: list[str] = []
    rows = csv.reader(_text_lines(file, name, read), dialect=_Table(mark))
    try:
        header = next((row for row in rows if any(cell.strip() for cell in row)), [])
        always = all(_quoted("".join(read).lstrip("\r\n"), mark))
        if len(set(header)) != len(header):
            raise UsageError("two columns have the same name", place=Place(name, 1))
        read.clear()
        for row in rows:
            written, read[:] = "".join(read), ()
            if not row:
                continue
            line = rows.line_num
            if len(row) != len(header):
                text = f"the row has {len(row)} cells; the header has {len(header)}"
                yield Fault(line, text, place=f"{short}:{line}")
                continue
            record = {key: cell or None for key, cell in zip(header, row, strict=True)}
            if '""' in written and not always and "" in row:
                marks = zip(header, row, _quoted(written, mark), strict=False)
                record |= {key: "" for key, cell, quoted in marks if quoted and not cell}
            data = "\0".join(row).encode("utf-8", "surrogatepass")
            yield Raw(record, topic=short, position=position(short, line, data),
                      place=f"{short}:{line}", line=line, table=True)  # fmt: skip
    except csv.Error as error:
        raise UsageError(f"is not CSV: {error}", place=Place(name, rows.line_num)) from None


class _Table(csv.excel):
    """CSV as spreadsheets and databases write it, with any delimiter."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        super().__init__()


def _delimiter(start: bytes) -> str:
    """Comma, semicolon or tab: the one that the header has most of."""
    header = start.split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda mark: (header.count(mark.encode()), mark == ","))


def _quoted(written: str, mark: str) -> list[bool]:
    """Which cells of a row, as the file has it, are in quotes."""
    found, at, size = [], 0, len(written)
    while True:
        found.append(written[at : at + 1] == '"')
        if found[-1]:
            at += 1
            while at < size and (written[at] != '"' or written[at + 1 : at + 2] == '"'):
                at += 2 if written[at] == '"' else 1
        at = written.find(mark, at)
        if at < 0:
            return found
        at += 1


def _text_lines(file: BinaryIO, name: str, read: list[str]) -> Iterator[str]:
    """The lines of a file; they are added to `read`, too."""
    line = 0
    while data := file.readline(MAX_LINE + 1):
        line += 1
        if len(data) > MAX_LINE:
            raise UsageError(f"has a line of over {MAX_LINE >> 20} MB", place=Place(name, line))
        if line == 1:
            data = data.removeprefix(codecs.BOM_UTF8)
        try:
            read.append(data.decode())
        except UnicodeDecodeError:
            raise UsageError("is not text in UTF-8", place=Place(name, line)) from None
        yield read[-1]
