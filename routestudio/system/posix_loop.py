"""The loop of processes that deliver, on libuv by `uvloop` (decision 0037).

It keeps three habits of asyncio's own loop on which the program and its libraries rely: child
processes get no file but their own, a stream drops what is written to it after its end (its `drain`
reports that), and so do the streams that a server is asked over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import uvloop

_DESCRIPTORS: Final = Path("/dev/fd")
"""Lists the descriptors of the process that looks, on Linux and macOS."""


class Loop(uvloop.Loop):
    """uvloop's, with what is said above."""

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        """Start a process."""
        _keep_descriptors()
        return await super().subprocess_exec(*args, **options)

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Connect."""
        transport, protocol = await super().create_connection(*args, **options)
        return _forgiving(transport, protocol), protocol

    async def create_server(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """Listen."""
        factory: Callable[[], Any] = lambda: _served(protocol_factory())  # noqa: E731
        return await super().create_server(factory, *args, **options)

    async def start_tls(self, transport: Any, protocol: Any, *args: Any, **options: Any) -> Any:
        """Secure a connection."""
        held = transport.held if isinstance(transport, _Forgiving) else transport
        secure = await super().start_tls(held, protocol, *args, **options)
        return None if secure is None else _forgiving(secure, protocol)


class _Forgiving:
    """A transport of a stream. uvloop's own raises `RuntimeError` for a write after its end."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def write(self, data: Any) -> None:
        if not self.held.is_closing():
            self.held.write(data)

    def writelines(self, parts: Any) -> None:
        if not self.held.is_closing():
            self.held.writelines(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.held, name)


def _forgiving(transport: Any, protocol: Any) -> Any:
    stream = isinstance(protocol, asyncio.StreamReaderProtocol)
    return _Forgiving(transport) if stream else transport


def _served(protocol: Any) -> Any:
    """A protocol of a server, whose stream is made by itself."""
    if isinstance(protocol, asyncio.StreamReaderProtocol):
        made = protocol.connection_made
        protocol.connection_made = (  # type: ignore[method-assign]
            lambda transport: made(_forgiving(transport, protocol))
        )
    return protocol


def _keep_descriptors() -> None:
    """Let no child process have what is open now. What Python opens is kept from it anyway
    (PEP 446); whoever started this process may have left more."""
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - its names are all that is wanted
        number = int(name)
        if number > 2:
            with contextlib.suppress(OSError):  # the one of the list itself
                os.set_inheritable(number, False)
