"""Shared by the readers of services with an HTTP API: requests by the sink's own link."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from routestudio.errors import LinkError
from routestudio.model import jsonio
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service import ServiceLink
from routestudio.sinks.reading import SECONDS, Bounds, Reader, Stored, Wanted, Window

_AT_ONCE: Final = 8
"""Requests that are under way at once where each document has its own."""

_NO_BODY: Final = (404,)


class ServiceReader(Reader):
    """Reads with the credentials, the proxy and the TLS of the link; `right` is what it needs."""

    right = ""

    def __init__(self, link: ServiceLink) -> None:
        self._link = link

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        base: EndpointUrl | None = None,
        good: Collection[int] = _NO_BODY,
    ) -> Answer:
        """An answer that is a success, or has one of the statuses `good`. Raises `LinkError`."""
        link = self._link
        try:
            answer = await link.call(method, path, query=query, body=body, headers=headers,
                                     base=base, timeout=SECONDS)  # fmt: skip
        except UnansweredError as failure:
            text = f"{link.service} cannot be read: {failure.outcome.reason}"
            raise LinkError(text, hint="check the address, and that it is running") from None
        if not answer.complete:
            raise LinkError(f"the answer of {link.service} is too large", hint="lower the limit")
        if answer.ok or answer.status in good:
            return answer
        denied = answer.status in (401, 403)
        hint = f"the credentials need {self.right}" if denied and self.right else None
        reason = link.refused(answer).reason
        raise LinkError(f"{link.service} cannot be read: {reason}", hint=hint)

    async def close(self) -> None:
        await self._link.close()


async def one_by_one(wanted: Wanted, get: Callable[[Stored], Awaitable[Stored]]) -> Window:
    """What is held under each key, some of them asked for at once."""
    bounds, found = Bounds(wanted.limit), list[Stored]()
    for start in range(0, len(wanted.expected), _AT_ONCE):
        part = wanted.expected[start : start + _AT_ONCE]
        for record in await asyncio.gather(*map(get, part)):
            if not bounds.take(record.size):
                return Window(found, more=True)
            found.append(record)
    return Window(found)


def decoded(answer: Answer) -> Any:
    """The JSON of an answer, numbers as they are everywhere; `None` when it is not JSON."""
    try:
        return jsonio.loads(answer.body)
    except ValueError:
        return None


def pages(items: Sequence[Stored], count: int) -> list[Sequence[Stored]]:
    """The items, so many at a time."""
    return [items[start : start + count] for start in range(0, len(items), count)]
