"""Stand-ins of a session: started on first use, one per kind, stopped with the engine."""

from __future__ import annotations

import asyncio

from routestudio.api.checks import Arrived
from routestudio.api.checks import Standin as RunningStandin
from routestudio.errors import UsageError
from routestudio.sinks import standins
from routestudio.sinks.base import Sink, StandinAddress
from routestudio.sinks.standin import Standin


class Standins:
    """Starts stand-ins and reads back what arrived."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Standin, StandinAddress]] = {}
        self._lock = asyncio.Lock()

    async def address(self, sink: type[Sink]) -> StandinAddress:
        """Where the stand-in of a sink type listens, after starting it when needed.

        Raises `UsageError` for a sink type without one and `LinkError` when it cannot start.
        """
        kind = sink.standin
        if kind is None:
            raise UsageError(f"there is no stand-in for {sink.title}")
        async with self._lock:
            if kind not in self._running:
                standin = standins.create(kind)
                self._running[kind] = (standin, await standin.start())
            return self._running[kind][1]

    async def arrived(self, kind: str, limit: int = 10_000) -> list[Arrived]:
        """What arrived at one stand-in; nothing when it does not run."""
        entry = self._running.get(kind)
        found = [] if entry is None else await entry[0].arrived(limit)
        return [Arrived(item.destination, item.body, item.key, item.details) for item in found]

    async def clear(self, kind: str) -> None:
        """Forget what arrived at one stand-in."""
        if kind in self._running:
            await self._running[kind][0].clear()

    def status(self) -> list[RunningStandin]:
        """The running stand-ins."""
        return [
            RunningStandin(kind, standin.title, address.host, address.port)
            for kind, (standin, address) in self._running.items()
        ]

    async def stop(self, kind: str | None = None) -> None:
        """Stop one stand-in, or all."""
        kinds = list(self._running) if kind is None else [kind]
        for name in kinds:
            entry = self._running.pop(name, None)
            if entry is not None:
                await entry[0].stop()
