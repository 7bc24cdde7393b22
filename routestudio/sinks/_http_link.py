"""How webhook requests travel: one pool of connections per link, every answer an outcome."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected, retry, unreachable
from routestudio.sinks._http import CREDENTIALS, DOTS, RETRY_STATUS, retry_after, same_origin
from routestudio.sinks._http_check import Question, check_endpoint
from routestudio.sinks.base import Link, SinkRouting

if TYPE_CHECKING:
    import httpx

    from routestudio.sinks.http_push import Head, HttpEndpoint, Request

TIMEOUT: Final = 30.0
"""Seconds for a whole request with its answer."""

CONNECT_TIMEOUT: Final = 10.0
_MAX_HOPS: Final = 3
_MAX_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read so that its connection can be used again."""
_EXCERPT: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpLink(Link):
    """A link to one endpoint. Several `send` calls may run at the same time.

    `head` prepares the head of a request from a routing, or from the default for `None`.
    """

    def __init__(self, endpoint: HttpEndpoint, head: Callable[[Any], Head]) -> None:
        self._endpoint = endpoint
        self._head = head
        self._client: httpx.AsyncClient | None = None
        self._wire: dict[int, tuple[Head, Any, list[tuple[bytes, bytes]]]] = {}
        self._hidden = _secrets(endpoint)

    async def send(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        if not batch:
            return []
        if batch[0].wrap:
            body = b'{"data":[' + b",".join([record.body for record in batch]) + b"]}"
            return [await self._deliver(batch[0].head, body)] * len(batch)
        return [await self._deliver(record.head, record.body) for record in batch]

    async def close(self) -> None:
        client, self._client = self._client, None
        self._wire.clear()
        if client is not None:
            await client.aclose()

    async def _deliver(self, head: Head, body: bytes) -> Outcome:
        import httpx

        if head.gzip:
            body = gzip.compress(body, 6, mtime=0)
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._request(head, body)
        except httpx.ConnectTimeout:
            return unreachable("connect_timeout", f"no connection within {CONNECT_TIMEOUT:g} s")
        except httpx.ConnectError as error:
            return _connect_failed(error)
        except httpx.PoolTimeout:
            return retry("busy", "all connections to the endpoint are in use")
        except (TimeoutError, httpx.TimeoutException):
            return retry("timeout", f"no answer within {TIMEOUT:g} s", unknown=True)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            return rejected("request", self._clean(f"the request cannot be sent: {error}"))
        except httpx.TransportError as error:
            text = self._clean(str(error)) or type(error).__name__
            return retry("connection_lost", f"the connection ended early: {text}", unknown=True)

    async def _request(self, head: Head, body: bytes) -> Outcome:
        import httpx

        url, headers = self._prepared(head)
        client = self._client or self._open()
        for _ in range(_MAX_HOPS + 1):
            request = httpx.Request(head.method, url, headers=headers, content=body)
            response = await client.send(request, stream=True)
            try:
                start = await _drain(response)
            finally:
                await response.aclose()
            status = response.status_code
            if 200 <= status < 300:
                return DELIVERED
            if status not in _REDIRECTS:
                return self._refused(response, start)
            location = response.headers.get("location", "")
            target = same_origin(str(url), location)
            if target is None:
                return rejected(
                    f"http_{status}",
                    "the endpoint redirects to another host or has no target; "
                    "give the endpoint its final URL",
                )
            if status not in (307, 308) and head.method not in ("GET", "HEAD"):
                return rejected(
                    f"http_{status}",
                    self._clean(f"redirected to {urlsplit(target).path}, which would lose the "
                                "body; give the endpoint its final URL"),
                )  # fmt: skip
            url = httpx.URL(target)
        return rejected("redirects", f"more than {_MAX_HOPS} redirects")

    def _refused(self, response: httpx.Response, start: bytes) -> Outcome:
        status = response.status_code
        text = " ".join(start.decode("utf-8", "replace").split())[:_EXCERPT]
        phrase = f"HTTP {status} {response.reason_phrase}".strip()
        reason = self._clean(f"{phrase}: {text}" if text else phrase)
        if status in RETRY_STATUS or status >= 500:
            after = retry_after(response.headers.get("retry-after"))
            return retry(f"http_{status}", reason, after=after)
        return rejected(f"http_{status}", reason)

    def _prepared(self, head: Head) -> tuple[httpx.URL, list[tuple[bytes, bytes]]]:
        import httpx

        found = self._wire.get(id(head))
        if found is None or found[0] is not head:
            if len(self._wire) >= 1024:
                self._wire.clear()
            pairs = [(k.encode("ascii"), v.encode("utf-8", "replace")) for k, v in
                     head.headers.pairs]  # fmt: skip
            found = self._wire[id(head)] = (head, httpx.URL(head.url), pairs)
        return found[1], found[2]

    def _open(self) -> httpx.AsyncClient:
        import httpx

        secure = self._endpoint.url.scheme == "https"
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context() if secure else False,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        )
        return self._client

    def _clean(self, text: str) -> str:
        """`text` without the endpoint's secrets: servers may repeat what they were sent."""
        for secret in self._hidden:
            text = text.replace(secret, DOTS)
        return text

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        heads = {(head.method, head.url): head for head in map(self._head, targets)}
        if not heads:
            heads = {("POST", ""): self._head(None)}
        secret = frozenset(name.lower() for name in self._endpoint.encrypted_headers)
        questions = [
            Question(head.method, head.url, head.headers.pairs, secret) for head in heads.values()
        ]
        async with aclosing(check_endpoint(self._endpoint.url, questions)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield replace(step, detail=self._clean(step.detail))


async def _drain(response: httpx.Response) -> bytes:
    """Read the answer, so that its connection can be used again; its start is returned."""
    start, size = b"", 0
    async for chunk in response.aiter_raw():
        if size < _EXCERPT * 4:
            start += chunk[: _EXCERPT * 4]
        size += len(chunk)
        if size > _MAX_ANSWER:
            break
    return start


def _connect_failed(error: Exception) -> Outcome:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return unreachable("tls", "the server's certificate is not trusted: " + text[-200:])
    return unreachable("connect", f"no connection to the endpoint: {text[:200]}")


def _secrets(endpoint: HttpEndpoint) -> tuple[str, ...]:
    values = [secret.get_secret_value() for secret in endpoint.encrypted_headers.values()]
    values += [v for k, v in endpoint.headers.items() if k.lower() in CREDENTIALS]
    if endpoint.url.userinfo is not None:
        values += [endpoint.url.userinfo.get_secret_value(), endpoint.url.basic() or ""]
        values.append(endpoint.url.userinfo.get_secret_value().partition(":")[2])
    values += [value.partition(" ")[2] for value in values]
    return tuple(sorted({v for v in values if len(v) > 3}, key=len, reverse=True))
