"""One pool of HTTP connections: an exchange ends in an answer, or in an outcome that explains
why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routestudio.model import jsonio
from routestudio.model.outcome import Outcome, rejected, retry, unreachable
from routestudio.sinks._http import DOTS, RETRY_STATUS, retry_after
from routestudio.sinks._tls import client_context

if TYPE_CHECKING:
    import httpx

    from routestudio.sinks._http_connections import Connections

TIMEOUT: Final = 30.0
"""Seconds for a whole request with its answer."""

CONNECT_TIMEOUT: Final = 10.0
MAX_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read so that its connection can be used again."""

_CONNECTIONS: Final = 64
"""Connections of one client at most."""

_EXCERPT: Final = 200


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a server answered. `headers` have names in lower case; `body` is decoded.

    `complete` is false when the body was longer than what the caller wanted to keep.
    """

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    @property
    def ok(self) -> bool:
        """Whether the status is one of 200-299."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or `None` when it is not JSON or was cut."""
        if not self.complete:
            return None
        try:
            return jsonio.loads(self.body)
        except ValueError:
            return None

    def excerpt(self, limit: int = _EXCERPT) -> str:
        """The start of the body in one line."""
        return " ".join(self.body[: limit * 4].decode("utf-8", "replace").split())[:limit]


class UnansweredError(Exception):
    """There was no answer. `outcome` shows what that means for what was to be written."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class HttpClient:
    """A pool of connections. Opened by the first exchange; several may run at the same time.

    `hidden` are secrets, longest first, that no text of this client repeats. `tls` off spares
    reading the trusted authorities when every URL is plain HTTP. `timeout` is in seconds.
    """

    def __init__(
        self, hidden: Sequence[str] = (), *, tls: bool = True, timeout: float | None = None
    ) -> None:
        self._hidden = tuple(hidden)
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
        seconds = self._timeout if timeout is None else timeout
        import h11
        import httpx

        from routestudio.sinks import _http_connections as http

        try:
            target = url if isinstance(url, httpx.URL) else httpx.URL(url)
            async with asyncio.timeout(seconds):
                found = await (self._connections or self._open()).exchange(
                    method, target, headers, body, keep=keep, most=max(keep, MAX_ANSWER)
                )
        except http.ConnectTimeoutError:
            text = f"no connection within {min(seconds, CONNECT_TIMEOUT):g} s"
            raise UnansweredError(unreachable("connect_timeout", text)) from None
        except http.ConnectError as error:
            raise UnansweredError(_connect_failed(error)) from None
        except TimeoutError:
            text = f"there is no answer within {seconds:g} s"
            raise UnansweredError(retry("timeout", text, unknown=True)) from None
        except (h11.LocalProtocolError, httpx.InvalidURL) as error:
            text = self.clean(f"the request cannot be sent: {error}")
            raise UnansweredError(rejected("request", text)) from None
        except h11.RemoteProtocolError as error:
            # The parser has one error for an answer that is cut and for one that is not HTTP.
            cut = "disconnected" in str(error) or "closed" in str(error)
            text = "the connection ended early" if cut else "the answer is not HTTP"
            code = "connection_lost" if cut else "not_http"
            raise UnansweredError(
                retry(code, self.clean(f"{text}: {error}"), unknown=True)
            ) from None
        except http.BrokenError as error:
            text = f"the connection ended early: {self.clean(str(error))}"
            raise UnansweredError(retry("connection_lost", text, unknown=True)) from None
        return Answer(found.status, found.phrase, found.headers, found.body, found.complete)

    def refused(self, answer: Answer, text: str = "") -> Outcome:
        """The outcome of an answer that is not a success; `text` replaces the body's excerpt."""
        phrase = f"HTTP {answer.status} {answer.phrase}".strip()
        detail = text or answer.excerpt()
        reason = self.clean(f"{phrase}: {detail}" if detail else phrase)
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
        from routestudio.sinks._http_connections import Connections

        self._connections = Connections(
            client_context() if self._tls else None,
            limit=_CONNECTIONS,
            connecting=CONNECT_TIMEOUT,
        )
        return self._connections


def hidden(values: Iterable[str]) -> tuple[str, ...]:
    """Secrets that are long enough to be hidden in texts, longest first."""
    return tuple(sorted({value for value in values if len(value) > 3}, key=len, reverse=True))


def _connect_failed(error: Exception) -> Outcome:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return unreachable("tls", "the server's certificate is not trusted: " + text[-200:])
    return unreachable("connect", f"no connection to the service: {text[:200]}")
