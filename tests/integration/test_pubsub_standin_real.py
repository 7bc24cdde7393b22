"""The Pub/Sub stand-in: Google's emulator behind it, topics on demand, what arrived read back."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import LinkError
from routestudio.model.message import message_from
from routestudio.sinks.base import Payload
from routestudio.sinks.gcp_pubsub import standin as standin_module
from routestudio.sinks.gcp_pubsub.sink import GcpPubSub
from routestudio.sinks.gcp_pubsub.standin import PubSubStandin
from tests.support.require import missing

pytestmark = pytest.mark.real


@pytest.fixture
async def standin() -> AsyncIterator[PubSubStandin]:
    try:
        standin_module.emulator()
    except LinkError:
        missing(PubSubStandin.title)
    one = PubSubStandin()
    yield one
    await one.stop()


def config(address: Any) -> Any:
    base = GcpPubSub.Config.model_validate(
        {"project_id": "my-project", "use_emulator": True, "emulator_base_url": "http://x"}
    )
    return GcpPubSub.at_standin(base, address)


def records(settings: Any, topic: str, numbers: range) -> list[Any]:
    routing = GcpPubSub.Routing(topic_id=topic)
    found = []
    for number in numbers:
        item = message_from({"action": "insert", "record": {"id": number, "name": "Zoë"}})
        found.append(GcpPubSub.encode(settings, item, routing, Payload(item.as_json())))
    return found


async def test_topics_are_made_as_they_are_used_and_read_back_in_order(
    standin: PubSubStandin,
) -> None:
    settings = config(await standin.start())
    link = GcpPubSub.connect(settings)
    sent = []
    try:
        assert list(await standin.arrived()) == []
        steps = [step async for step in link.check([GcpPubSub.Routing(topic_id="a+b")])]
        assert {step.status for step in steps} <= {"passed", "skipped"}
        assert list(await standin.arrived()) == []
        for start, topic in ((0, "a+b"), (300, "other.topic~1%"), (600, "a+b")):
            batch = records(settings, topic, range(start, start + 300))
            assert {o.status for o in await link.send(batch)} == {"delivered"}
            sent += batch
    finally:
        await link.close()
    arrived = await standin.arrived()
    assert [(item.destination, item.body) for item in arrived] == [
        (record.topic, record.data.decode()) for record in sent
    ]
    assert [item.details["attributes"] for item in arrived] == [r.attributes for r in sent]
    assert await standin.arrived(limit=5) == arrived[-5:]
    await standin.clear()
    assert list(await standin.arrived()) == []


async def test_it_may_start_again_and_forgets_then(standin: PubSubStandin) -> None:
    for _ in range(2):
        settings = config(await standin.start())
        link = GcpPubSub.connect(settings)
        outcomes = await link.send(records(settings, "orders", range(2)))
        await link.close()
        assert [o.status for o in outcomes] == ["delivered"] * 2
        assert len(await standin.arrived()) == 2
        await standin.stop()
        lost = await link.send(records(settings, "orders", range(1)))
        await link.close()
        assert lost[0].unreachable


async def test_when_the_emulator_ends_deliveries_are_tried_again(standin: PubSubStandin) -> None:
    settings = config(await standin.start())
    link = GcpPubSub.connect(settings)
    try:
        assert (await link.send(records(settings, "orders", range(1))))[0].status == "delivered"
        child = standin._child
        assert child is not None
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()
        (outcome,) = await link.send(records(settings, "orders", range(1)))
        assert (outcome.status, outcome.code) == ("retry", "http_503")
        with pytest.raises(LinkError, match="does not answer"):
            await standin.arrived()
    finally:
        await link.close()


async def test_other_clients_get_the_emulator_s_own_answers(standin: PubSubStandin) -> None:
    address = await standin.start()

    def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=10)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    status, said = await asyncio.to_thread(ask, "GET", "/v1/projects/my-project/topics/no")
    assert (status, said["error"]["status"]) == (400, "INVALID_ARGUMENT")
    status, said = await asyncio.to_thread(ask, "GET", "/v1/projects/my-project/subscriptions/none")
    assert (status, said["error"]["status"]) == (404, "NOT_FOUND")
    body = b'{"messages": []}'
    path = "/v1/projects/my-project/topics/orders:publish"
    status, said = await asyncio.to_thread(ask, "POST", path, body)
    assert (status, said["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert list(await standin.arrived()) == []


async def test_without_the_emulator_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        standin_module.system.desktop, "cloud_sdks", lambda _: (tmp_path,), raising=False
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(tmp_path))
    standin = PubSubStandin()
    with pytest.raises(LinkError, match="needs Google's Pub/Sub emulator") as caught:
        await standin.start()
    assert "gcloud components install pubsub-emulator" in str(caught.value.hint)
    script = tmp_path / standin_module._SCRIPT
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\nexit 1\n")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(LinkError, match="needs Java"):
        await standin.start()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    script.chmod(0o755)
    with pytest.raises(LinkError, match="did not start"):
        await standin.start()
    await standin.stop()
