"""Streams and signals of Unix, which a loop itself watches."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import signal
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, cast

from routestudio.system.base import Streams

_LOOK_SECONDS: Final = 0.2
"""How often a reader that waits for input looks whether it is still wanted."""

_PIECE: Final = 1 << 16


class Streaming:
    """Pipes and signals that the loop itself watches."""

    def loop(self) -> asyncio.AbstractEventLoop:
        try:
            from routestudio.system.posix_loop import Loop
        except ImportError:  # an installation without uvloop
            return asyncio.new_event_loop()
        return Loop()

    async def serve(self, read: BinaryIO, write: BinaryIO) -> Streams:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_PIECE)
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), read
        )
        writing, _ = await loop.connect_write_pipe(asyncio.Protocol, write)

        def send(data: bytes) -> None:
            if not writing.is_closing():
                writing.write(data)

        def close() -> None:
            reading.close()
            writing.close()

        return Streams(lambda: reader.read(_PIECE), send, close)

    def patient(self, number: int, unwanted: Callable[[], bool]) -> BinaryIO | None:
        return cast(BinaryIO, io.BufferedReader(_Patient(number, unwanted), _PIECE))

    @contextlib.contextmanager
    def on_stop(
        self, loop: asyncio.AbstractEventLoop, told: Callable[[str], None]
    ) -> Iterator[None]:
        handled = []
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, told, number.name)
                handled.append(number)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)


class _Patient(io.RawIOBase):
    """A file that ends when it is not wanted any longer, also while there is nothing to read."""

    def __init__(self, number: int, unwanted: Callable[[], bool]) -> None:
        self._number = number
        self._unwanted = unwanted

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        while not select.select([self._number], [], [], _LOOK_SECONDS)[0]:
            if self._unwanted():
                return 0
        view = memoryview(cast(bytearray, buffer)).cast("B")
        data = os.read(self._number, len(view))
        view[: len(data)] = data
        return len(data)
