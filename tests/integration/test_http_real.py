"""The webhook sink against a real HTTP server that records every byte."""

from __future__ import annotations

import asyncio
import gzip
import json
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from tests.support.http_server import HttpReceiver, Received, Reply

pytestmark = pytest.mark.real


def config(url: str, batch: bool = True, **endpoint: Any) -> Any:
    return HttpPush.Config(http_endpoint=HttpEndpoint(url=url, **endpoint), batch=batch)  # type: ignore[arg-type]


def encode(settings: Any, number: int = 0, **routing: Any) -> Any:
    message = message_from({"action": "insert", "record": {"id": number, "name": "ü\u2028"}})
    routed = HttpPush.Routing.model_validate({"method": "POST", **routing})
    return HttpPush.encode(settings, message, routed, Payload(message.as_json()))


async def send(settings: Any, *records: Any) -> list[Outcome]:
    link = HttpPush.connect(settings)
    try:
        return list(await link.send(records or [encode(settings)]))
    finally:
        await link.close()


async def check(settings: Any, *targets: Any) -> list[CheckStep]:
    link = HttpPush.connect(settings)
    try:
        found = [step async for step in link.check(targets)]
    finally:
        await link.close()
    for step in found:
        print(f"{step.step:13}{step.status:13}{step.ms:7.1f} ms  {step.detail} | {step.hint or ''}")
    return found


def verdict(steps: list[CheckStep]) -> str:
    bad = [s for s in steps if s.status in ("failed", "inconclusive")]
    return f"{bad[0].step} {bad[0].status}" if bad else "passed"


async def test_what_arrives_is_what_was_encoded(http_receiver: HttpReceiver) -> None:
    """Routed by a function, batched by destination, several batches in flight."""
    resources = {"http_endpoints": {"api": {"url": http_receiver.url + "/in?k=1",
                                            "headers": {"X-Fixed": "1"}}}}  # fmt: skip
    bound = bind(HttpPush, {"http_endpoint": "api"}, dynamic=True, resources=resources)
    router = Router(bound)
    batches: dict[Any, list[Any]] = {}
    for number in range(500):
        message = message_from({"action": "insert", "record": {"id": number, "name": "ü\u2028"}})
        result = {"method": ("POST", "PUT")[number % 2], "endpoint_path": f"/t{number % 5}?n=1",
                  "headers": {"X-Region": "eu"} if number % 3 else {}}  # fmt: skip
        effective = router.route(message, FunctionResult(result))
        assert effective.ok
        request = HttpPush.encode(
            bound.config,
            message,
            router.instance(effective),  # type: ignore[arg-type]
            Payload(message.as_json()),
        )
        batches.setdefault(effective.batch_key, []).append(request)
    assert len(batches) == 20
    link = HttpPush.connect(bound.config)
    try:
        outcomes = await asyncio.gather(*(link.send(batch) for batch in batches.values()))
    finally:
        await link.close()
    assert {o.status for batch in outcomes for o in batch} == {"delivered"}
    sent = sorted(
        (
            r.head.method,
            r.head.url.removeprefix(http_receiver.url),
            r.body,
            dict(r.head.headers.pairs),
        )
        for batch in batches.values()
        for r in batch
    )  # fmt: skip
    got = []
    for came in http_receiver.wait_for(20):
        items = came.json()["data"]
        bodies = [json.dumps(i, separators=(",", ":"), ensure_ascii=False).encode() for i in items]
        assert came.body == b'{"data":[' + b",".join(bodies) + b"]}"
        headers = {k: v for k, v in came.headers if k.lower() not in ("host", "content-length")}
        got += [(came.method, came.target, body, headers) for body in bodies]
    assert sorted(got, key=str) == sorted(sent, key=str)
    assert len(http_receiver.requests) == 20


async def test_connections_are_used_again(http_receiver: HttpReceiver) -> None:
    settings = config(http_receiver.url)
    link = HttpPush.connect(settings)
    for number in range(5):
        await link.send([encode(settings, number)])
    await link.close()
    assert len({request.peer for request in http_receiver.wait_for(5)}) == 1


async def test_user_info_and_secret_headers_are_sent_once(http_receiver: HttpReceiver) -> None:
    url = http_receiver.url.replace("http://", "http://bob:p%40ss@")
    settings = config(url, headers={"x-key": "plain"}, encrypted_headers={"X-Key": "topsecret"})
    await send(settings, encode(settings, headers={"X-Other": "ü"}))
    [request] = http_receiver.wait_for(1)
    assert request.header("authorization") == "Basic Ym9iOnBAc3M="
    assert request.header("x-key") == "topsecret"
    assert request.header("x-other") == "ü".encode().decode("latin-1")
    assert request.header("host") == http_receiver.url.removeprefix("http://")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_methods(http_receiver: HttpReceiver, method: str) -> None:
    settings = config(http_receiver.url, batch=False)
    [outcome] = await send(settings, encode(settings, method=method))
    assert outcome.status == "delivered"
    [request] = http_receiver.wait_for(1)
    assert request.method == method
    assert request.json()["record"]["id"] == 0


async def test_gzip(http_receiver: HttpReceiver) -> None:
    settings = config(http_receiver.url)
    await send(settings, encode(settings, headers={"Content-Encoding": "gzip"}))
    [request] = http_receiver.wait_for(1)
    assert json.loads(gzip.decompress(request.body))["data"][0]["record"]["id"] == 0


async def test_statuses(http_receiver: HttpReceiver) -> None:
    settings = config(http_receiver.url)
    date = formatdate(time() + 100, usegmt=True)
    http_receiver.script(
        204, 400, 422, 429, Reply(503, headers=(("Retry-After", "17"),)),
        Reply(429, headers=(("Retry-After", date),)), 500,
    )  # fmt: skip
    link = HttpPush.connect(settings)
    found = [(await link.send([encode(settings, n) for n in range(2)])) for n in range(7)]
    await link.close()
    assert all(len(pair) == 2 and pair[0] == pair[1] for pair in found)
    assert [pair[0].status for pair in found] == [
        "delivered", "rejected", "rejected", "retry", "retry", "retry", "retry",
    ]  # fmt: skip
    assert found[4][0].after == 17.0
    assert 90 < (found[5][0].after or 0) <= 100


async def test_redirects(http_receiver: HttpReceiver, https_receiver: HttpReceiver) -> None:
    settings = config(http_receiver.url + "/a", encrypted_headers={"X-Key": "topsecret"})
    http_receiver.script(Reply(307, headers=(("Location", "/b"),)))
    [outcome] = await send(settings)
    assert outcome.status == "delivered"
    first, second = http_receiver.wait_for(2)
    assert (first.target, second.target) == ("/a", "/b")
    assert first.body == second.body
    http_receiver.script(Reply(307, headers=(("Location", https_receiver.url),)))
    [outcome] = await send(settings)
    assert outcome.status == "rejected"
    assert https_receiver.requests == [], "secret headers went to another origin"


async def test_cut_and_slow_answers(
    http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(http_receiver.url)
    http_receiver.script(Reply(cut="before"))
    [cut] = await send(settings)
    assert (cut.status, cut.unknown) == ("retry", True)
    http_receiver.script(Reply(200, b"x" * 1000, cut="body"))
    [half] = await send(settings)
    assert (half.status, half.unknown) == ("retry", True)
    monkeypatch.setattr("routestudio.sinks._shared.http.client.TIMEOUT", 0.3)
    http_receiver.script(Reply(200, delay=5))
    [slow] = await send(settings)
    assert (slow.status, slow.code, slow.unknown) == ("retry", "timeout", True)
    assert len(http_receiver.wait_for(3)) == 3, "something was sent twice"


async def test_no_server(closed_port: int) -> None:
    [refused] = await send(config(f"http://127.0.0.1:{closed_port}"))
    assert (refused.status, refused.unknown) == ("retry", False)
    [unknown] = await send(config("http://no-such-host.invalid/"))
    assert (unknown.status, unknown.unknown) == ("retry", False)


async def test_tls(https_receiver: HttpReceiver, trusted_ca: Path) -> None:
    settings = config(https_receiver.url)
    [outcome] = await send(settings)
    assert outcome.status == "delivered"
    steps = await check(settings)
    assert [s.status for s in steps[:3]] == ["passed"] * 3


async def test_a_certificate_that_is_not_trusted(https_receiver: HttpReceiver) -> None:
    settings = config(https_receiver.url)
    [outcome] = await send(settings)
    assert (outcome.status, outcome.code) == ("retry", "tls")
    steps = await check(settings)
    assert verdict(steps) == "TLS failed"
    assert "not trusted" in steps[2].detail
    assert https_receiver.requests == []


async def test_checks(http_receiver: HttpReceiver, closed_port: int) -> None:
    def answer(request: Received) -> Reply:
        if request.header("authorization") != "Bearer good":
            return Reply(401)
        if request.target == "/none":
            return Reply(404)
        return Reply(204, headers=(("Allow", "POST, OPTIONS"),))

    http_receiver.answer = answer
    good = {"Authorization": "Bearer good"}
    target = HttpPush.Routing(method="POST", endpoint_path="/in")
    steps = await check(config(http_receiver.url, encrypted_headers=good), target)
    assert verdict(steps) == "passed"
    assert [s.step for s in steps] == ["resolve", "connect", "TLS", "authenticate", "target"]
    wrong = {"Authorization": "Bearer bad-hunter2"}
    steps = await check(config(http_receiver.url, encrypted_headers=wrong), target)
    assert verdict(steps) == "authenticate failed"
    assert "hunter2" not in repr(steps)
    settings = config(http_receiver.url, encrypted_headers=good)
    other = HttpPush.Routing(method="DELETE", endpoint_path="/in")
    assert verdict(await check(settings, other)) == "target failed"
    missing = HttpPush.Routing(method="POST", endpoint_path="/none")
    assert verdict(await check(settings, missing)) == "target inconclusive"
    assert {(r.method, r.body) for r in http_receiver.requests} == {("OPTIONS", b"")}
    refused = await check(config(f"http://127.0.0.1:{closed_port}"))
    assert verdict(refused) == "connect failed"
    assert verdict(await check(config("http://no-such-host.invalid"))) == "resolve failed"


async def test_tls_and_plain_ports_mixed_up(
    http_receiver: HttpReceiver, https_receiver: HttpReceiver
) -> None:
    plain = config(http_receiver.url.replace("http://", "https://"))
    assert verdict(await check(plain)) == "TLS failed"
    [outcome] = await send(plain)
    assert outcome.status == "retry"
    secure = config(https_receiver.url.replace("https://", "http://"))
    steps = await check(secure)
    assert verdict(steps).startswith("authenticate")
    assert https_receiver.requests == []
