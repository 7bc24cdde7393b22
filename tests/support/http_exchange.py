"""One HTTP request on a pool of connections, prepared for this once."""

from __future__ import annotations

import httpx

from routestudio.sinks._shared.http.answer import Answer
from routestudio.sinks._shared.http.connections import Connections
from routestudio.sinks._shared.http.exchange import Pairs, request


async def exchanged(
    connections: Connections, method: str, url: httpx.URL, headers: Pairs, body: bytes,
    *, keep: int, most: int, seconds: float | None = None,
) -> Answer:  # fmt: skip
    """Send a request and return its answer; raises what preparing and sending raise."""
    prepared = request(method, url, headers)
    return await connections.send(prepared, body, keep=keep, most=most, seconds=seconds)
