"""How the HTTP client opens TLS connections: none stays open when a handshake is broken off.

The client library closes a connection whose handshake fails, but not one whose handshake is
cancelled, as a deadline or the end of a run does. Such sockets would stay open until the other side
ends them.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import anyio
import httpcore
import httpx


class _Plain(httpcore.AsyncNetworkStream):
    """A connection before its handshake."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class ClosingBackend(httpcore.AnyIOBackend):
    """Connects as the library does."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Plain(await super().connect_tcp(host, port, timeout, local_address, socket_options))


def install(client: httpx.AsyncClient) -> None:
    """Let `client` use it. The library has no setting for that."""
    transport = client._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    transport._pool._network_backend = ClosingBackend()
