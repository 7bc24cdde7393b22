"""A stand-in that listens on loopback by itself: starting, conversations, stopping."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from routestudio import tasks
from routestudio.errors import LinkError
from routestudio.sinks._shared.standins.kept import Kept
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived, Standin


class ServerStandin(Standin):
    """One task per connection; what arrives is kept within bounds. Subclasses `_talk`."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[Any]] = set()
        self._kept = Kept()

    async def start(self) -> StandinAddress:
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        except OSError as error:
            raise LinkError(f"the stand-in `{self.title}` cannot listen: {error}") from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return StandinAddress(host, port)

    async def arrived(self, limit: int = 10_000) -> Sequence[Arrived]:
        return self._kept.latest(limit)

    async def clear(self) -> None:
        self._kept.clear()

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await tasks.stop(*self._open)
        if server is not None:
            await server.wait_closed()

    @abstractmethod
    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Converse with one client until it or this side has enough."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            writer.close()
