"""The texts of a preview's rows, packed, so that a million of them are found and sorted at once.

Of a chunk of rows, a column is kept as its few different texts with a byte a row, or as all texts
between line ends, in small letters. Orders that were asked for are kept. Nothing is evaluated
again: the rows themselves are not here.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Final

FEW: Final = 32
"""Different texts of a chunk that are kept once each."""
SCARCE: Final = 8
"""Rows for each place of a text, from which on it is quicker to go from place to place."""
RUN: Final = 50_000
"""Rows that are sorted at a time."""
LARGE: Final = 100_000
"""Rows from which orders are made before anybody asks."""
_LAST: Final = "\U0010ffff"
"""Stands behind all texts: empty cells come last."""
_DIGITS: Final = 18

Coded = tuple[list[str], bytes]
Pack = str | Coded
"""Texts with line ends between them, or different texts and a number for each row."""


class RowIndex:
    """Cells of rows by column. Rows are added in their order, a chunk at a time."""

    def __init__(self, columns: int) -> None:
        self._columns: list[list[Pack]] = [[] for _ in range(columns)]
        self._sizes: list[int] = []
        self._numbers: list[str] = []
        self._names: dict[str, str] = {}
        self._orders: dict[int, array[int]] = {}
        self.rows = 0

    def add(self, columns: Sequence[Sequence[str]]) -> None:
        """Take the cells of a chunk, by column."""
        size = len(columns[0])
        before: list[tuple[Sequence[str], Pack]] = []
        for kept, texts in zip(self._columns, columns, strict=True):
            # A key is often in several columns: it is kept, and looked through, once.
            pack = next((pack for other, pack in before if other == texts), None)
            if pack is None:
                pack = self._pack(texts)
            before.append((texts, pack))
            kept.append(pack)
        self._sizes.append(size)
        self.rows += size
        self._orders.clear()

    def _pack(self, texts: Sequence[str]) -> Pack:
        different = list(dict.fromkeys(texts))
        if len(different) > FEW:
            joined = "\n".join(texts).lower()
            if joined.count("\n") == len(texts) - 1:
                return joined
            return "\n".join(" ".join(text.split()) for text in texts).lower()
        numbers = {text: number for number, text in enumerate(different)}
        codes = bytes(map(numbers.__getitem__, texts))
        lower = (text.lower() for text in different)
        return [self._names.setdefault(text, text) for text in lower], codes

    # --- finding -----------------------------------------------------------------------------

    def containing(self, text: str, column: int | None) -> bytes:
        """A byte for each row: 1 where the column, or any, contains the text."""
        text = text.lower()
        columns = self._columns if column is None else [self._columns[column]]
        parts = []
        for size, packs in zip(self._sizes, zip(*columns, strict=True), strict=True):
            found, looked_at = 0, set()
            every = int.from_bytes(b"\1" * size)
            for pack in packs:
                if id(pack) not in looked_at:
                    looked_at.add(id(pack))
                    found |= _found(pack, size, text)
                    if found == every:
                        break
            parts.append(found.to_bytes(size))
        return b"".join(parts)

    def numbered(self, text: str) -> bytes:
        """A byte for each row: 1 where its number contains the text."""
        first, parts = 0, []
        for chunk, size in enumerate(self._sizes):
            if chunk == len(self._numbers):
                self._numbers.append("\n".join(map(str, range(first, first + size))))
            parts.append(_found(self._numbers[chunk], size, text).to_bytes(size))
            first += size
        return b"".join(parts)

    # --- sorting -----------------------------------------------------------------------------

    async def order(self, column: int) -> array[int]:
        """Numbers of all rows, sorted by a column: numbers by size, empty cells last.

        It is made in parts, so that other requests have their turn.
        """
        found = self._orders.get(column)
        if found is None:
            rows = self.rows
            keys = self._keys(column)
            runs = []
            for start in range(0, rows, RUN):
                runs.append(sorted(range(start, min(start + RUN, rows)), key=keys.__getitem__))
                await asyncio.sleep(0)
            while len(runs) > 1:
                merged = []
                for first, second in zip(runs[::2], [*runs[1::2], []], strict=False):
                    merged.append(sorted(first + second, key=keys.__getitem__))
                    await asyncio.sleep(0)
                runs = merged
            found = array("I", runs[0] if runs else ())
            if rows == self.rows:
                self._orders[column] = found
        return found

    async def prepare(self) -> None:
        """Make the orders of all columns where that takes its time."""
        if self.rows >= LARGE:
            for column in range(len(self._columns)):
                await self.order(column)

    def _keys(self, column: int) -> list[str]:
        """What each row is sorted by; equal cells of a chunk share it."""
        found: list[str] = []
        for pack in self._columns[column]:
            if isinstance(pack, str):
                found += map(_key, pack.split("\n"))
            else:
                texts, codes = pack
                found += map(list(map(_key, texts)).__getitem__, codes)
        return found


def chosen(rows: Sequence[int], mask: bytes | None, *, ordered: bool) -> array[int]:
    """The rows, in their order, whose byte in the mask is not 0."""
    if mask is None:
        return array("I", rows)
    if not ordered:
        return array("I", compress(rows, mask))
    return array("I", [row for row in rows if mask[row]])


def both(masks: Sequence[bytes], rows: int) -> bytes | None:
    """What all masks have in common; `None` when there are none."""
    found: int | None = None
    for mask in masks:
        number = int.from_bytes(mask)
        found = number if found is None else found & number
    return None if found is None else found.to_bytes(rows)


def either(first: bytes, second: bytes) -> bytes:
    """What is in one of two masks, or in both."""
    return (int.from_bytes(first) | int.from_bytes(second)).to_bytes(len(first))


def equals(codes: bytes | bytearray, wanted: int) -> bytes:
    """A byte for each code: 1 where it is the wanted one."""
    table = bytearray(256)
    table[wanted] = 1
    return bytes(codes.translate(bytes(table)))


def _found(pack: Pack, size: int, text: str) -> int:
    """A mask of a chunk as a number: a byte for each row, the first one highest."""
    if not isinstance(pack, str):
        texts, codes = pack
        hits = [number for number, item in enumerate(texts) if text in item]
        if not hits:
            return 0
        table = bytearray(256)
        for number in hits:
            table[number] = 1
        return int.from_bytes(codes.translate(bytes(table)))
    many = pack.count(text)
    if not many:
        return 0
    if many * SCARCE > size:
        return int.from_bytes(bytes([text in item for item in pack.split("\n")]))
    mask, row, start = bytearray(size), 0, 0
    while (place := pack.find(text, start)) >= 0:
        row += pack.count("\n", start, place)
        mask[row] = 1
        start = pack.find("\n", place) + 1
        if not start:
            break
        row += 1
    return int.from_bytes(mask)


def _key(text: str) -> str:
    if not text:
        return _LAST
    if text.isdecimal() and len(text) <= _DIGITS:
        return text.rjust(_DIGITS, "0")
    return text
