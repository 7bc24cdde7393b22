"""The way through a proxy to a server that speaks TLS: CONNECT, then the handshake."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

import h11

from routestudio.sinks._shared.http.dial import dialled, reason
from routestudio.sinks._shared.proxy import Proxy

_MAX_HEAD = 16 * 1024


class TunnelError(OSError):
    """The proxy does not lead there; nothing was sent to the server."""


class _Asking(asyncio.Protocol):
    """A proxy that is asked for a tunnel."""

    def __init__(self, request: h11.Request) -> None:
        self._talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._written = self._talk.send(request) or b""
        self._written += self._talk.send(h11.EndOfMessage()) or b""
        self.answered: asyncio.Future[h11.Response] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._written)

    def data_received(self, data: bytes) -> None:
        if self.answered.done():
            return
        try:
            self._talk.receive_data(data)
            while isinstance(event := self._talk.next_event(), h11.InformationalResponse):
                pass
        except h11.RemoteProtocolError:
            self._fail("it does not answer in HTTP")
            return
        if event is h11.NEED_DATA:
            return
        self._transport.pause_reading()
        if not isinstance(event, h11.Response):
            self._fail("it does not answer in HTTP")
        elif self._talk.trailing_data[0] and event.status_code < 300:
            # Nobody asked the server yet: what comes now is not from it.
            self._fail("it sent more than an answer")
        else:
            self.answered.set_result(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("it ended the connection")

    def _fail(self, text: str) -> None:
        if not self.answered.done():
            self.answered.set_exception(TunnelError(text))


async def tunnelled(
    proxy: Proxy, host: str, port: int, context: ssl.SSLContext, protocol: asyncio.Protocol
) -> asyncio.Transport:
    """A TLS connection to `host` through `proxy`, used by `protocol`.

    Raises `TunnelError` for what the proxy is to blame for, and what a handshake raises.
    """
    named = f"[{host}]" if ":" in host else host
    place = f"{named}:{port}".encode("ascii")
    headers = [(b"host", place)]
    if proxy.authorization is not None:
        headers.append((b"proxy-authorization", proxy.authorization))
    request = h11.Request(method="CONNECT", target=place, headers=headers)
    try:
        plain, asking = await dialled(lambda: _Asking(request), proxy.host, proxy.port)
    except OSError as error:
        raise TunnelError(f"the proxy {proxy.shown} cannot be reached: {reason(error)}") from None
    try:
        try:
            answer = await asking.answered
        except TunnelError as error:
            raise TunnelError(f"the proxy {proxy.shown} opens no way to {host}: {error}") from None
        if not 200 <= answer.status_code < 300:
            phrase = answer.reason.decode("ascii", "replace")[:100]
            raise TunnelError(f"the proxy {proxy.shown} opens no way to {host}: "
                              f"HTTP {answer.status_code} {phrase}".rstrip())  # fmt: skip
        # It needs a transport already: a server's first bytes may come with the handshake's end.
        protocol.connection_made(plain)
        secure = await asyncio.get_running_loop().start_tls(
            plain, protocol, context, server_hostname=host
        )
        assert secure is not None
        protocol.connection_made(secure)
        return secure
    except BaseException:
        plain.abort()
        raise
