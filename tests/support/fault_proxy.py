"""A proxy for any protocol over TCP that breaks what it carries, in a thread of its own.

Faults happen to *bodies*: pieces of what a client sends that are long enough to hold messages, so
that no connection fails before it has anything to lose.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from tests.support import guards
from tests.support.ports import LOOPBACK

BODY: Final = 400
"""Bytes from which a piece counts as a body."""

_QUIET: Final = 0.08
"""Seconds without another answer after which the service is done with a request."""

T = TypeVar("T")
Kind = Literal["cut", "lose", "hold", "slow"]


@dataclass(slots=True)
class Plan:
    """What happens to bodies: to every `every`th one, `times` times at most.

    `cut`: half of it reaches the service, then the connection is gone. `lose`: all of it does, and
    the connection is gone instead of the answer. `hold`: what the service answers waits `seconds`.
    `slow`: so does every answer, always.
    """

    kind: Kind
    every: int = 3
    times: int = 5
    seconds: float = 0.0


class FaultProxy:
    """A proxy in front of `target`, which may change its port when it starts again.

    `plan` may be set at any time; `fired` counts what was done.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.plan: Plan | None = None
        self.fired = 0
        self.bodies = 0
        self._ends: set[asyncio.StreamWriter] = set()
        self._open = 0
        self._idle = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.up()

    def up(self) -> None:
        """Listen, again on the same port."""
        self._do(self._listen())
        assert self._server is not None
        guards.adopt(descriptor=self._server.sockets[0].fileno())

    def down(self) -> None:
        """Refuse connections, and break off those that there are."""
        self._do(self._refuse())

    def calm(self) -> None:
        """Plan nothing any more, and end all connections."""
        self.plan = None
        self.fired = self.bodies = 0
        self._do(self._abort())

    def close(self) -> None:
        """End everything."""
        self._do(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            # A connection that asyncio is about to accept when its server closes is left open
            # with nobody behind it: take no more first, and let those come in.
            for listening in server.sockets:
                self._loop.remove_reader(listening.fileno())
            await asyncio.sleep(0.005)
            server.close()
        await self._abort()

    async def _abort(self) -> None:
        for end in list(self._ends):
            _reset(end)
        if self._open:
            await self._idle.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self._idle.clear()
        try:
            self._ends.add(writer)
            inner, outer = await asyncio.open_connection(LOOPBACK, self.target)
            self._ends.add(outer)
            talk = _Talk(self, reader, writer, inner, outer)
            try:
                await talk.carry()
            finally:
                self._ends.discard(outer)
                _reset(outer)
        except OSError:
            pass
        finally:
            self._ends.discard(writer)
            _reset(writer)
            self._open -= 1
            if not self._open:
                self._idle.set()

    def due(self) -> Plan | None:
        """Count a body; what is to happen to it."""
        plan = self.plan
        self.bodies += 1
        if plan is None or plan.kind == "slow" or self.fired >= plan.times:
            return None
        if self.bodies % plan.every:
            return None
        self.fired += 1
        return plan


class _Talk:
    """One conversation."""

    def __init__(
        self,
        proxy: FaultProxy,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inner: asyncio.StreamReader,
        outer: asyncio.StreamWriter,
    ) -> None:
        self.proxy = proxy
        self.reader, self.writer, self.inner, self.outer = reader, writer, inner, outer
        self.losing = False
        self.held_until = 0.0

    async def carry(self) -> None:
        """Carry both directions until one of them ends."""
        ways = [asyncio.ensure_future(self._there()), asyncio.ensure_future(self._back())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _there(self) -> None:
        while data := await self.reader.read(65536):
            plan = self.proxy.due() if len(data) >= BODY else None
            if plan is not None and plan.kind == "cut":
                self.outer.write(data[: len(data) // 2])
                await self.outer.drain()
                return
            if plan is not None and plan.kind == "lose":
                self.losing = True
            if plan is not None and plan.kind == "hold":
                self.held_until = asyncio.get_running_loop().time() + plan.seconds
            self.outer.write(data)
            await self.outer.drain()

    async def _back(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await self.inner.read(65536):
            if self.losing:
                with contextlib.suppress(TimeoutError):
                    while await asyncio.wait_for(self.inner.read(65536), _QUIET):
                        pass
                return
            plan = self.proxy.plan
            if plan is not None and plan.kind == "slow":
                self.proxy.fired += 1
                await asyncio.sleep(plan.seconds)
            if (wait := self.held_until - loop.time()) > 0:
                await asyncio.sleep(wait)
            self.writer.write(data)
            await self.writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crash does: the other end sees a reset, not an orderly end."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def start_fault_proxy(target: int) -> Iterator[FaultProxy]:
    """A proxy in front of a port of this machine, until the block ends."""
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
