"""One pool of HTTP connections: an exchange ends in an answer, or in an outcome that explains
why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from routestudio.model.outcome import Outcome, rejected, retry, unreachable
from routestudio.sinks._shared import proxy
from routestudio.sinks._shared.http.answer import Answer
from routestudio.sinks._shared.http.endpoint import DOTS, RETRY_STATUS, retry_after
from routestudio.sinks._shared.tls import client_context

if TYPE_CHECKING:
    import httpx

    from routestudio.sinks._shared.http.connections import Connections
    from routestudio.sinks._shared.http.exchange import Request

__all__ = ["Answer", "HttpClient", "UnansweredError"]

TIMEOUT: Final = 30.0
"""Seconds for a whole request with its answer."""

CONNECT_TIMEOUT: Final = 10.0
MAX_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read so that its connection can be used again."""

_CONNECTIONS: Final = 64
"""Connections of one client at most."""


class UnansweredError(Exception):
    """There was no answer. `outcome` shows what that means for what was to be written."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class HttpClient:
    """A pool of connections. Opened by the first exchange; several may run at the same time.

    `hidden` are secrets that no text of this client repeats, but for those of a few characters.
    `tls` off spares reading the trusted authorities when every URL is plain HTTP. `timeout` is in
    seconds.
    """

    def __init__(
        self, hidden: Iterable[str] = (), *, tls: bool = True, timeout: float | None = None
    ) -> None:
        known = {value for value in (*hidden, *proxy.secrets()) if len(value) > 3}
        self._hidden = sorted(known, key=len, reverse=True)
        self._tls = tls
        self._timeout = TIMEOUT if timeout is None else timeout
        self._connections: Connections | None = None

    async def exchange(
        self,
        method: str,
        url: httpx.URL | str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes = b"",
        *,
        timeout: float | None = None,
        keep: int = MAX_ANSWER,
    ) -> Answer:
        """Send one request and read its answer, of the body at most `keep` bytes.

        Redirects are answers. Raises `UnansweredError`.
        """
        request = self.request(method, url, headers)
        return await self.send(request, body, timeout=timeout, keep=keep)

    def request(
        self, method: str, url: httpx.URL | str, headers: Iterable[tuple[bytes, bytes]]
    ) -> Request:
        """Prepare requests that differ in their body only. Raises `UnansweredError`."""
        import h11
        import httpx

        from routestudio.sinks._shared.http.exchange import origin_of, request

        try:
            target = url if isinstance(url, httpx.URL) else httpx.URL(url)
            return request(method, target, headers, proxy.chosen(*origin_of(target)))
        except proxy.ProxyError as error:
            raise UnansweredError(unreachable("proxy", str(error))) from None
        except (h11.LocalProtocolError, httpx.InvalidURL) as error:
            text = self.clean(f"the request cannot be sent: {error}")
            raise UnansweredError(rejected("request", text)) from None

    async def send(
        self,
        request: Request,
        body: bytes = b"",
        *,
        timeout: float | None = None,
        keep: int = MAX_ANSWER,
    ) -> Answer:
        """Send a prepared request; otherwise as `exchange`."""
        seconds = self._timeout if timeout is None else timeout
        try:
            return await (self._connections or self._open()).send(
                request, body, keep=keep, most=max(keep, MAX_ANSWER), seconds=seconds
            )
        except Exception as error:
            outcome = self._unanswered(error, seconds)
            if outcome is None:
                raise
            raise UnansweredError(outcome) from None

    def _unanswered(self, error: Exception, seconds: float) -> Outcome | None:
        """What an exchange without an answer means; `None`: a fault of RouteStudio."""
        import h11

        from routestudio.sinks._shared.http import connections as http

        if isinstance(error, http.ConnectTimeoutError):
            text = f"no connection within {min(seconds, CONNECT_TIMEOUT):g} s"
            return unreachable("connect_timeout", text)
        if isinstance(error, http.ConnectError):
            return _connect_failed(error)
        if isinstance(error, TimeoutError):
            text = f"there is no answer within {seconds:g} s"
            return retry("timeout", text, unknown=True)
        if isinstance(error, h11.LocalProtocolError):
            return rejected("request", self.clean(f"the request cannot be sent: {error}"))
        if isinstance(error, h11.RemoteProtocolError):
            # The parser has one error for an answer that is cut and for one that is not HTTP.
            cut = "disconnected" in str(error) or "closed" in str(error)
            text = "the connection ended early" if cut else "the answer is not HTTP"
            code = "connection_lost" if cut else "not_http"
            return retry(code, self.clean(f"{text}: {error}"), unknown=True)
        if isinstance(error, http.BrokenError):
            text = f"the connection ended early: {self.clean(str(error))}"
            return retry("connection_lost", text, unknown=True)
        return None

    def refused(self, answer: Answer, text: str = "") -> Outcome:
        """The outcome of an answer that is not a success; `text` replaces the body's excerpt."""
        phrase = f"HTTP {answer.status} {answer.phrase}".strip()
        detail = text or answer.excerpt()
        reason = self.clean(f"{phrase}: {detail}" if detail else phrase)
        if answer.status == 407:
            # It is the proxy's: no message is to blame.
            return unreachable("http_407", reason)
        if answer.status in RETRY_STATUS or answer.status >= 500:
            after = retry_after(answer.headers.get("retry-after"))
            return retry(f"http_{answer.status}", reason, after=after)
        return rejected(f"http_{answer.status}", reason)

    def clean(self, text: str) -> str:
        """`text` without secrets: servers may repeat what they were sent."""
        for secret in self._hidden:
            text = text.replace(secret, DOTS)
        return text

    async def close(self) -> None:
        """Close all connections. The next exchange opens new ones."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.close()

    def _open(self) -> Connections:
        from routestudio.sinks._shared.http.connections import Connections

        self._connections = Connections(
            client_context() if self._tls else None,
            limit=_CONNECTIONS,
            connecting=CONNECT_TIMEOUT,
        )
        return self._connections


def _connect_failed(error: Exception) -> Outcome:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return unreachable("tls", "the server's certificate is not trusted: " + text[-200:])
    return unreachable("connect", f"no connection to the service: {text[:200]}")
