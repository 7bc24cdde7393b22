"""A proxy in front of a real server that loses, delays or cuts what the server answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.ports import LOOPBACK


class Proxy:
    """`lose` drops what the server says from now on; `delay` holds it back for some seconds."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self.connections = 0
        self.sent = bytearray()
        self.lose = False
        self.delay = 0.0
        self.port = 0

    def cut(self) -> None:
        """End every connection at once."""
        for writer in self._open:
            writer.transport.abort()

    async def stop(self) -> None:
        """End every connection and wait until nothing is carried any more."""
        self.cut()
        if self._open:
            await self._idle.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one conversation."""
        self.connections += 1
        inner, outer = await asyncio.open_connection(LOOPBACK, self._target)
        ends = {writer, outer}
        self._open |= ends
        self._idle.clear()
        try:
            await asyncio.gather(self._to_server(reader, outer), self._to_client(inner, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()
            if not self._open:
                self._idle.set()

    async def _to_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.sent += data
                writer.write(data)
        writer.close()

    async def _to_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not self.lose:
                    writer.write(data)
        writer.close()


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    """A proxy in front of `port`, until the block ends."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
        await server.wait_closed()
