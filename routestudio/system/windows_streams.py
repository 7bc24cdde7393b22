"""Streams and signals of Windows: threads, where a loop cannot wait."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import io
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, BinaryIO, Final, cast

from routestudio.system.base import Streams
from routestudio.system.windows_calls import Calls

_PIPE: Final = 3
"""FILE_TYPE_PIPE."""

_PIECE: Final = 1 << 16
_LOOK_SECONDS: Final = 0.02


class Streaming(Calls):
    """By threads: a loop cannot wait for a pipe that somebody else made, nor for a signal."""

    def __init__(self, kernel: Any = None, msvcrt: ModuleType | None = None) -> None:
        super().__init__(kernel)
        self._msvcrt = msvcrt

    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    async def serve(self, read: BinaryIO, write: BinaryIO) -> Streams:
        reader, writer = _Reader(read.fileno()), _Writer(write.fileno())
        return Streams(reader.read, writer.write, writer.close)

    def patient(self, number: int, unwanted: Callable[[], bool]) -> BinaryIO | None:
        msvcrt: Any = self._msvcrt or importlib.import_module("msvcrt")
        handle = msvcrt.get_osfhandle(number)
        if self.kernel.GetFileType(ctypes.c_void_p(handle)) != _PIPE:
            return None
        pipe = _PatientPipe(number, unwanted, lambda: self.waiting(handle))
        return cast(BinaryIO, io.BufferedReader(pipe, _PIECE))

    @contextlib.contextmanager
    def on_stop(
        self, loop: asyncio.AbstractEventLoop, told: Callable[[str], None]
    ) -> Iterator[None]:
        """Ctrl+C, and what a console sends when it is closed (`SIGBREAK`)."""
        before = {}

        def handle(number: int, _: object) -> None:
            loop.call_soon_threadsafe(told, signal.Signals(number).name)

        for name in ("SIGINT", "SIGBREAK"):
            if (known := getattr(signal, name, None)) is not None:
                before[known] = signal.signal(known, handle)
        try:
            yield
        finally:
            for known, handler in before.items():
                signal.signal(known, handler)


class _PatientPipe(io.RawIOBase):
    """A pipe that ends when it is not wanted any longer, also while there is nothing to read."""

    def __init__(
        self, number: int, unwanted: Callable[[], bool], waiting: Callable[[], int]
    ) -> None:
        self._number = number
        self._unwanted = unwanted
        self._waiting = waiting

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        while (count := self._waiting()) == 0:
            if self._unwanted():
                return 0
            time.sleep(_LOOK_SECONDS)
        if count < 0:
            return 0
        view = memoryview(cast(bytearray, buffer)).cast("B")
        data = os.read(self._number, min(count, len(view)))
        view[: len(data)] = data
        return len(data)


class _Reader:
    """Reads a descriptor in a thread, a piece when one is asked for."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._asked: queue.SimpleQueue[tuple[Any, asyncio.Future[bytes]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="standard input", daemon=True).start()

    async def read(self) -> bytes:
        """The next piece; `b""` at the end."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._asked.put((loop, answer))
        return await answer

    def _run(self) -> None:
        data = b"begun"
        while data:
            loop, answer = self._asked.get()
            try:
                data = os.read(self._number, _PIECE)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(_settle, answer, data)
            except RuntimeError:
                return  # the loop is closed


def _settle(answer: asyncio.Future[bytes], data: bytes) -> None:
    if not answer.done():
        answer.set_result(data)


class _Writer:
    """Writes to a descriptor in a thread, in order."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="standard output", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Give bytes on; what nobody reads any more is dropped."""
        self._queue.put(data)

    def close(self) -> None:
        """Write what is left, for a moment."""
        self._queue.put(None)
        self._thread.join(2.0)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self._queue.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._number, view) :]
