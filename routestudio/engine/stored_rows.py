"""Random access to the rows of a file of any size, found piece by piece while it is looked at.

Every 64th row's place in the file is remembered, and nothing of the rows: the rest is read again
when it is wanted. JSON lines are read where they are; a JSON array or CSV is written into a
temporary file, row by row, because its rows cannot be found again otherwise.
"""

from __future__ import annotations

import pickle
import threading
import weakref
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Final, Protocol

from routestudio.formats.reader import Row, RowReader
from routestudio.model.rows import Fault, RawRow
from routestudio.project.sample_lines import Changes
from routestudio.sources import files, lines

EVERY: Final = 64
"""Rows from one remembered place to the next."""
SNIFFED: Final = 200
"""Rows that show whether every raw row is one message."""
FIRST_SECONDS: Final = 0.2
"""Time for the first piece: what is found in it is shown at once."""
_LOOK: Final = 32
"""Rows between two looks at the clock."""

Found = tuple[int, RawRow]
"""Where a raw row begins, and the row."""


class Store(Protocol):
    """Raw rows of one file in their order, and again from any place where one begins."""

    def rows(self) -> Iterator[Found]:
        """All rows, once. Raises `UsageError`."""
        ...

    def rows_from(self, place: int) -> Iterator[RawRow]:
        """The rows from one that begins there."""
        ...

    @property
    def fraction(self) -> float:
        """How much of the file `rows` has read."""
        ...


class LineStore:
    """A file of JSON lines, with changed lines in place of what it says."""

    def __init__(self, path: Path, changes: Changes) -> None:
        self._path = path
        self._changes = changes
        self._size = max(1, path.stat().st_size)
        self._at = 0
        self._places = array("Q")
        self._lines = array("Q")

    def rows(self) -> Iterator[Found]:
        for number, (place, line, raw) in enumerate(self._walk(0, 1)):
            if number % EVERY == 0:
                self._places.append(place)
                self._lines.append(line)
            self._at = place
            yield place, raw
        self._at = self._size

    def rows_from(self, place: int) -> Iterator[RawRow]:
        line = self._lines[bisect_right(self._places, place) - 1]
        return (raw for _, _, raw in self._walk(place, line))

    @property
    def fraction(self) -> float:
        return min(1.0, self._at / self._size)

    def _walk(self, place: int, line: int) -> Iterator[tuple[int, int, RawRow]]:
        name = self._path.name
        for start, number, data in lines.walk(self._path, place, line):
            if number in self._changes:
                yield start, number, changed_row(number, self._changes, name)
            elif (raw := lines.raw_of(data, number, name)) is not None:
                yield start, number, raw


class SpooledStore:
    """A JSON array or CSV, whose rows go into a temporary file as they are read."""

    def __init__(self, path: Path) -> None:
        import tempfile  # large, and seldom needed

        self._path = path
        self._size = max(1, path.stat().st_size)
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="routestudio-rows-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._lock = threading.Lock()
        self._end = 0
        self._whole = False

    def rows(self) -> Iterator[Found]:
        for raw in files.read_file(self._path):
            data = pickle.dumps(raw, protocol=5)
            place = self._end
            with self._lock:
                self._file.seek(place)
                self._file.write(len(data).to_bytes(4, "big") + data)
                self._end = self._file.tell()
            yield place, raw
        self._whole = True

    def rows_from(self, place: int) -> Iterator[RawRow]:
        while place < self._end:
            with self._lock:
                self._file.seek(place)
                size = int.from_bytes(self._file.read(4), "big")
                data = self._file.read(size)
            place += 4 + size
            raw: RawRow = pickle.loads(data)  # noqa: S301 - written by this process
            yield raw

    @property
    def fraction(self) -> float:
        # What was written is about as long as what was read of the file.
        return 1.0 if self._whole else min(0.99, self._end / (2 * self._size))


class StoredRows:
    """The messages and faults of a file, as far as it was read.

    `len` grows with `grow`, which one thread may call while others read. Where every raw row of the
    beginning is one message (`each`), raw rows are not read as messages to be counted; one that is
    passed over nevertheless is then a row that reports it.
    """

    def __init__(self, store: Store, reader: RowReader) -> None:
        self._store = store
        self._counting = reader
        self._reading = reader.beside()
        self._lock = threading.Lock()
        self._steps = store.rows()
        self._places, self._firsts = array("Q"), array("Q")
        self._raws = self._rows = 0
        self.whole = False
        """Whether the file was read to its end."""
        self.each = True
        self._sniff()
        self.grow(FIRST_SECONDS)

    def __len__(self) -> int:
        return self._rows

    @property
    def fraction(self) -> float:
        """How much of the file was read."""
        return 1.0 if self.whole else self._store.fraction

    @property
    def recognised(self) -> dict[str, int | None]:
        """Messages by title; `None` where they are not counted."""
        counts: Counter[str] = self._counting.counts
        if self.each and self._raws > SNIFFED:
            return dict.fromkeys(counts)
        return dict(counts.most_common())

    @property
    def passed_over(self) -> dict[str, int]:
        """What is not a row change, by kind."""
        return dict(self._counting.passed_over.most_common())

    def grow(self, seconds: float) -> None:
        """Read on for about so long. Raises `UsageError` where the file cannot be read."""
        deadline = perf_counter() + seconds
        with self._lock:
            while not self.whole:
                found = next(self._steps, None)
                if found is None:
                    self.whole = True
                    return
                self._add(found)
                if self._raws % _LOOK == 0 and perf_counter() > deadline:
                    return

    def read(self, start: int, count: int) -> Sequence[Row]:
        """Rows from number `start`; fewer at the end of what was read."""
        stop = min(start + count, self._rows)
        if start >= stop:
            return []
        at = bisect_right(self._firsts, start) - 1
        number = self._firsts[at]
        found: list[Row] = []
        for raw in self._store.rows_from(self._places[at]):
            rows = self._rows_of(raw, number)
            found += [row for place, row in enumerate(rows, number) if start <= place < stop]
            number += len(rows)
            if number >= stop:
                break
        return found

    def _sniff(self) -> None:
        """Read the first rows, by which it is known whether each is one message."""
        first: list[tuple[Found, int]] = []
        for found in self._steps:
            first.append((found, len(self._counting.read(found[1]))))
            if len(first) == SNIFFED:
                break
        self.each = all(count == 1 for _, count in first) and self._counting.one_to_one
        for found, count in first:
            self._mark(found[0])
            self._rows += count

    def _add(self, found: Found) -> None:
        self._mark(found[0])
        self._rows += 1 if self.each else len(self._counting.read(found[1]))

    def _mark(self, place: int) -> None:
        if self._raws % EVERY == 0:
            self._places.append(place)
            self._firsts.append(self._rows)
        self._raws += 1

    def _rows_of(self, raw: RawRow, number: int) -> list[Row]:
        self._reading.count = number
        rows = self._reading.read(raw)
        if self.each and len(rows) != 1:
            return [_uneven(raw, rows, number)]
        return rows


def changed_row(line: int, changes: Changes, name: str) -> RawRow:
    """The raw row of a line that has another text."""
    found = lines.row_of(changes[line][1].encode() + b"\n", line, name)
    return found or Fault(line, "the line is empty", place=f"{name}:{line}")


def _uneven(raw: Any, rows: list[Row], number: int) -> Row:
    what = f"{len(rows)} messages" if rows else "not a row change; a run passes it over"
    return Fault(raw.line or 0, f"this line is {what}", index=number, place=raw.place)
