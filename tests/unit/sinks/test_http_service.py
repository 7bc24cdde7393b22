"""The base of sinks that deliver to an HTTP API."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.sinks._shared.http import service
from routestudio.sinks._shared.http.client import HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service import (
    ServiceLink,
    Verdict,
    passed,
    segment,
    unsure,
)
from routestudio.sinks.base import SinkRouting
from tests.support import guards
from tests.support.http_server import HttpReceiver

TOKEN = "tok-1234567890"


class Target(SinkRouting):
    name: str
    port: int | None = None


class Api(ServiceLink):
    """Puts each record at its own path."""

    async def deliver(self, batch: Sequence[str]) -> Sequence[Outcome]:
        body = json.dumps(list(batch)).encode()
        answer = await self.call("POST", f"/put/{segment(batch[0])}", body=body, gzip=True)
        return [DELIVERED if answer.ok else self.refused(answer)] * len(batch)

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        answer = await self.call("GET", "/me", query={"a": "b c"}, base=base)
        return passed("in") if answer.ok else service.failed(answer.excerpt(), "out")

    async def prove(self, target: Target) -> Verdict:
        answer = await self.call("GET", f"/see/{segment(target.name)}")
        return unsure(f"it says {answer.excerpt()}")

    def place(self, target: Target) -> EndpointUrl:
        if target.port is None:
            return self.base
        return EndpointUrl("http", "127.0.0.1", target.port, "/", "")


def link(port: int, **more: Any) -> Api:
    base = EndpointUrl("http", "127.0.0.1", port, "/api/", "", SecretStr("me:pass-word"))
    return Api(base, headers={"x-key": TOKEN}, secrets=[TOKEN], **more)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("a b", "a%20b"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("..", "%2E%2E"), (".", "%2E"), ("a.b", "a.b"),
     ("%2e", "%252e"), ("é", "%C3%A9"), ("\\", "%5C")],
)  # fmt: skip
def test_a_segment_stays_one_segment(text: str, wanted: str) -> None:
    assert segment(text) == wanted


async def test_a_call_carries_headers_query_and_body(http_receiver: HttpReceiver) -> None:
    api = link(http_receiver.port)
    assert await api.send(["a/b", "c"]) == [DELIVERED, DELIVERED]
    assert await api.send([]) == []
    await api.close()
    [request] = http_receiver.requests
    assert (request.method, request.target) == ("POST", "/api/put/a%2Fb")
    assert json.loads(gzip.decompress(request.body)) == ["a/b", "c"]
    assert request.header("x-key") == TOKEN
    assert (request.header("authorization") or "").startswith("Basic ")
    assert request.header("content-type") == "application/json"


async def answered(reply: bytes | None, act: Callable[[Api], Awaitable[Any]], **more: Any) -> Any:
    """What `act` gives against a server that says `reply` to every request; nothing for `None`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        if reply is None:
            await reader.read()
        else:
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    api = link(server.sockets[0].getsockname()[1], **more)
    try:
        return await act(api)
    finally:
        await api.close()
        server.close()
        await asyncio.sleep(0.02)


def said(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*lines, "", body]).encode()


async def send(api: Api) -> Outcome:
    return (await api.send(["x"]))[0]


async def steps(api: Api) -> list[tuple[str, str, str]]:
    return [(s.step, s.status, s.detail) async for s in api.check([Target(name="t")])]


async def test_refusals_are_told_apart() -> None:
    busy = await answered(said("503 Busy", "later", "retry-after: 7"), send)
    assert (busy.status, busy.code, busy.after) == ("retry", "http_503", 7)
    bad = await answered(said("400 Bad", f"your key {TOKEN} is odd"), send)
    assert (bad.status, bad.code) == ("rejected", "http_400")
    assert TOKEN not in bad.reason
    out = await answered(said("401 No", "pass-word is wrong"), send)
    assert (out.status, out.unreachable) == ("retry", True)
    assert "pass-word" not in out.reason


async def test_no_answer_is_an_unknown_write() -> None:
    held = await answered(None, send, timeout=0.2)
    assert (held.status, held.code, held.unknown) == ("retry", "timeout", True)
    odd = await answered(b"+PONG\r\n\r\n", send)
    assert (odd.status, odd.code, odd.unknown) == ("retry", "not_http", True)


async def test_a_check_has_all_steps(http_receiver: HttpReceiver) -> None:
    api = link(http_receiver.port)
    found = await steps(api)
    none = [s async for s in api.check([])]
    await api.close()
    assert [(step, status) for step, status, _ in found] == [
        ("resolve", "passed"), ("connect", "passed"), ("TLS", "skipped"),
        ("authenticate", "passed"), ("target", "inconclusive"),
    ]  # fmt: skip
    assert http_receiver.requests[0].target == "/api/me?a=b+c"
    assert none[-1].status == "skipped"


async def test_a_check_of_what_is_not_http_fails_at_authenticate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await answered(b"-ERR what\r\n\r\n", steps)
    assert found[3][:2] == ("authenticate", "failed")
    assert found[4][1] == "skipped"
    monkeypatch.setattr(service, "CHECK_SECONDS", 0.2)
    assert (await answered(None, steps))[3][1] == "failed"


async def test_each_host_of_a_service_is_checked(
    http_receiver: HttpReceiver, closed_port: int
) -> None:
    api = link(http_receiver.port)
    targets = [Target(name="a"), Target(name="b", port=closed_port), Target(name="c"),
               Target(name="a")]  # fmt: skip
    found = [s async for s in api.check(targets)]
    await api.close()
    assert [s.target for s in found if s.step == "target" and s.target] == ["a", "c"]
    assert [s.step for s in found if s.status == "failed"] == ["connect"]


async def test_a_handshake_that_is_broken_off_leaves_no_connection_open(silent_port: int) -> None:
    before = guards.sockets()
    client = HttpClient(tls=True, timeout=0.1)
    for _ in range(3):
        with pytest.raises(UnansweredError):
            await client.exchange("POST", f"https://127.0.0.1:{silent_port}/", [], b"x")
    await asyncio.sleep(0.05)
    assert guards.sockets() == before
    await client.close()
