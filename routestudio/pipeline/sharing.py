"""Which process delivers which row, and what each of them has not finished. No I/O.

All messages of a group go to one process, which keeps their order as a delivery alone does.
"""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final
from zlib import crc32

from routestudio.model.message import Message
from routestudio.model.rows import Fault
from routestudio.pipeline.intake import Row

GroupOf = Callable[[Message], str | None]

_MESSAGE: Final = attrgetter(*(field.name for field in fields(Message)))
_FAULT: Final = attrgetter(*(field.name for field in fields(Fault)))
_FAULT_SIZE: Final = len(fields(Fault))
_TOO_DEEP: Final = "nested too deeply to be given to a worker process"


class Shares:
    """Shares rows out over `count` processes: by a stable hash of the group, the same in every run.

    What has no group, unreadable rows among it, goes to each in turn.
    """

    def __init__(self, count: int, group_of: GroupOf) -> None:
        self._count = count
        self._group_of = group_of
        self._turn = 0

    def split(self, position: int, rows: Sequence[Row]) -> list[tuple[list[int], list[Row]]]:
        """For each process the positions and the rows that it delivers, in their order."""
        count, group_of, turn = self._count, self._group_of, self._turn
        found: list[tuple[list[int], list[Row]]] = [([], []) for _ in range(count)]
        for row in rows:
            group = group_of(row) if isinstance(row, Message) else None
            if group is None:
                turn += 1
                share = turn % count
            else:
                share = crc32(group.encode("utf-8", "surrogatepass")) % count
            positions, taken = found[share]
            positions.append(position)
            taken.append(row)
            position += 1
        self._turn = turn
        return found


def packed(rows: Sequence[Row]) -> bytes:
    """Rows as bytes, for another process of the same program."""
    try:
        plain = [_MESSAGE(row) if type(row) is Message else _FAULT(row) for row in rows]
        return b"m" + marshal.dumps(plain)
    except ValueError:  # a value that is not plain JSON, or nested deeply
        try:
            return b"p" + pickle.dumps(rows, protocol=5)
        except RecursionError:
            if len(rows) > 1:
                return b"s" + pickle.dumps([packed([row]) for row in rows], protocol=5)
            [row] = rows
            fault = Fault(row.line or 0, _TOO_DEEP, index=row.index, place=row.place)
            return b"p" + pickle.dumps([fault], protocol=5)


def unpacked(data: bytes) -> list[Row]:
    """The rows that `packed` wrote."""
    kind, body = data[:1], memoryview(data)[1:]
    if kind == b"m":
        return [
            Fault(*item) if len(item) == _FAULT_SIZE else Message(*item)
            for item in marshal.loads(body)  # noqa: S302 - written by our own process
        ]
    found: list[Any] = pickle.loads(body)  # noqa: S301 - written by our own process
    return found if kind == b"p" else [row for part in found for row in unpacked(part)]


class _Part:
    """Rows that were handed over together; `left` of them are not finished."""

    __slots__ = ("first", "left", "payload", "positions")

    def __init__(self, first: int, positions: Sequence[int], payload: bytes) -> None:
        self.first = first
        self.positions = positions
        self.payload = payload
        self.left = len(positions)


class Outstanding:
    """The rows that one process was handed and has not finished.

    A process numbers what it gets from 0, and reports these numbers; here they become positions of
    the source again. `size` counts bytes of the parts in which something is unfinished.
    """

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}
        self._next = 0
        self.size = 0

    def __len__(self) -> int:
        """Rows that are not finished."""
        return len(self._parts)

    def hand(self, positions: Sequence[int], payload: bytes) -> None:
        """These rows are given to the process."""
        part = _Part(self._next, positions, payload)
        self._next += len(positions)
        self._parts.update(dict.fromkeys(range(part.first, self._next), part))
        self.size += len(payload)

    def finish(self, numbers: Iterable[int]) -> list[int]:
        """The positions of rows that the process has finished. Each counts once."""
        parts, found = self._parts, []
        for number in numbers:
            part = parts.pop(number, None)
            if part is not None:
                found.append(part.positions[number - part.first])
                part.left -= 1
                if not part.left:
                    self.size -= len(part.payload)
        return found

    def renew(self) -> list[bytes]:
        """What the successor of a process that died is handed, in order, instead of all before."""
        left: dict[int, tuple[_Part, list[int]]] = {}
        for number, part in self._parts.items():
            left.setdefault(part.first, (part, []))[1].append(number - part.first)
        self._parts, self._next, self.size = {}, 0, 0
        payloads = []
        for part, places in left.values():
            payload = part.payload
            if len(places) < len(part.positions):
                rows = unpacked(payload)
                payload = packed([rows[place] for place in places])
            self.hand([part.positions[place] for place in places], payload)
            payloads.append(payload)
        return payloads
