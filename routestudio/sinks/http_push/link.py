"""How webhook requests travel: one pool of connections per link, every answer an outcome."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http.check import Question, check_endpoint
from routestudio.sinks._shared.http.client import HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import CREDENTIALS, same_origin
from routestudio.sinks.base import Link, SinkRouting

if TYPE_CHECKING:
    from routestudio.sinks._shared.http.exchange import Request as WireRequest
    from routestudio.sinks.http_push.sink import Head, HttpEndpoint, Request

_MAX_HOPS: Final = 3
_KEEP: Final = 800
"""Bytes of an answer that are kept for the reason of a refusal."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpLink(Link):
    """A link to one endpoint. Several `send` calls may run at the same time.

    `head` prepares the head of a request from a routing, or from the default for `None`.
    """

    def __init__(self, endpoint: HttpEndpoint, head: Callable[[Any], Head]) -> None:
        self._endpoint = endpoint
        self._head = head
        self._client = HttpClient(_secrets(endpoint), tls=endpoint.url.scheme == "https")
        self._wire: dict[int, tuple[Head, WireRequest]] = {}

    async def send(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        if not batch:
            return []
        if batch[0].wrap:
            return await in_halves(batch, self._together)
        return [await self._deliver(record.head, record.body) for record in batch]

    async def close(self) -> None:
        self._wire.clear()
        await self._client.close()

    async def _together(self, batch: Sequence[Request]) -> Sequence[Outcome] | Refused:
        """One request for all. Only a refusal for its size shows that a smaller one may be
        taken."""
        body = b'{"data":[' + b",".join([record.body for record in batch]) + b"]}"
        outcome = await self._deliver(batch[0].head, body)
        if outcome.code == "http_413":
            return Refused(outcome, splits=True)
        return [outcome] * len(batch)

    async def _deliver(self, head: Head, body: bytes) -> Outcome:
        if head.gzip:
            body = gzip.compress(body, 6, mtime=0)
        try:
            return await self._request(head, body)
        except UnansweredError as failure:
            return failure.outcome

    async def _request(self, head: Head, body: bytes) -> Outcome:
        client = self._client
        request, url = self._prepared(head), head.url
        for _ in range(_MAX_HOPS + 1):
            answer = await client.send(request, body, keep=_KEEP)
            if answer.ok:
                return DELIVERED
            if answer.status not in _REDIRECTS:
                return client.refused(answer)
            target = same_origin(url, answer.headers.get("location", ""))
            if target is None:
                return rejected(
                    f"http_{answer.status}",
                    "the endpoint redirects to another host or has no target; "
                    "give the endpoint its final URL",
                )
            if answer.status not in (307, 308) and head.method not in ("GET", "HEAD"):
                return rejected(
                    f"http_{answer.status}",
                    client.clean(f"redirected to {urlsplit(target).path}, which would lose the "
                                 "body; give the endpoint its final URL"),
                )  # fmt: skip
            url = target
            request = client.request(head.method, url, request.headers)
        return rejected("redirects", f"more than {_MAX_HOPS} redirects")

    def _prepared(self, head: Head) -> WireRequest:
        found = self._wire.get(id(head))
        if found is None or found[0] is not head:
            if len(self._wire) >= 1024:
                self._wire.clear()
            pairs = [(k.encode("ascii"), v.encode("utf-8", "replace")) for k, v in
                     head.headers.pairs]  # fmt: skip
            request = self._client.request(head.method, head.url, pairs)
            found = self._wire[id(head)] = (head, request)
        return found[1]

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
                yield replace(step, detail=self._client.clean(step.detail))


def _secrets(endpoint: HttpEndpoint) -> list[str]:
    values = [secret.get_secret_value() for secret in endpoint.encrypted_headers.values()]
    values += [v for k, v in endpoint.headers.items() if k.lower() in CREDENTIALS]
    if endpoint.url.userinfo is not None:
        values += [endpoint.url.userinfo.get_secret_value(), endpoint.url.basic() or ""]
        values.append(endpoint.url.userinfo.get_secret_value().partition(":")[2])
    values += [value.partition(" ")[2] for value in values]
    return values
