"""Standard input as a source: read in a thread, given on as it comes, and left at any time."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator
from typing import BinaryIO

from routestudio.model.rows import RawRow
from routestudio.sources import lines
from routestudio.system import current as system


async def rows(chunk: int) -> AsyncGenerator[list[RawRow], None]:
    """The messages of standard input in lists of at most `chunk`, none kept back for others.

    Raises `UsageError` for what is not text, `OSError` when it cannot be read on.
    """
    source = _Rows(chunk, asyncio.get_running_loop())
    source.start()
    try:
        while items := await source.take():
            yield items
    finally:
        source.close()


class _Rows:
    """Rows between the thread that reads them and the loop that takes them; bounded."""

    def __init__(self, chunk: int, loop: asyncio.AbstractEventLoop) -> None:
        self._chunk, self._limit = chunk, 2 * chunk
        self._loop = loop
        self._kept: deque[RawRow] = deque()
        self._fresh = asyncio.Event()
        self._room = threading.Event()
        self._waiting = self._ended = self._closed = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="standard input", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def take(self) -> list[RawRow]:
        """What has come, at least one row; an empty list at the end."""
        while not self._kept:
            # The thread appends, then looks at `_waiting`: one of the two always sees the other.
            self._fresh.clear()
            self._waiting = True
            if not self._kept and not self._ended:
                await self._fresh.wait()
            self._waiting = False
            if self._ended and not self._kept:
                if self._failure is not None:
                    raise self._failure
                return []
        found = [self._kept.popleft() for _ in range(min(self._chunk, len(self._kept)))]
        self._room.set()
        return found

    def close(self) -> None:
        """Let the thread end; one that waits for input notices within a moment."""
        self._closed = True
        self._room.set()

    def _read(self) -> None:
        try:
            for item in lines.read_stream(self._stream(), "<standard input>"):
                self._kept.append(item)
                if self._waiting:
                    self._waiting = False
                    self._wake()
                while len(self._kept) >= self._limit and not self._closed:
                    self._room.clear()
                    if len(self._kept) >= self._limit and not self._closed:
                        self._room.wait()
                if self._closed:
                    return
        except Exception as error:
            self._failure = error
        finally:
            self._ended = True
            self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._fresh.set)
        except RuntimeError:
            self._closed = True  # the loop is closed: nobody waits any more

    def _stream(self) -> BinaryIO:
        try:
            number = sys.stdin.buffer.fileno()
        except (OSError, ValueError):
            return sys.stdin.buffer
        return system.streaming.patient(number, lambda: self._closed) or sys.stdin.buffer
