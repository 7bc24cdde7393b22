"""The Azure Event Hubs sink: configuration, signatures, records and outcomes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.model.function import FunctionResult
from routestudio.model.message import Message, message_from
from routestudio.routing import Router
from routestudio.sinks.azure_event_hub.sink import AzureEventHub, signature
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind, examine
from tests.support.event_hub_server import EventHubServer, Policy, error
from tests.support.http_server import Reply

BASE = {"namespace": "ns1", "shared_access_key_name": "sender", "shared_access_key": "secret"}


def message(number: int = 7, name: str = "Zoë") -> Message:
    return message_from(
        {"action": "insert", "record": {"id": number, "name": name},
         "metadata": {"table_name": "orders", "commit_lsn": number}}
    )  # fmt: skip


def encode(values: dict[str, Any], item: Message, hub: str = "orders") -> Any:
    config = bind(AzureEventHub, values, dynamic=True).config
    routing = AzureEventHub.Routing(event_hub_name=hub)
    return AzureEventHub.encode(config, item, routing, Payload(item.as_json()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"namespace": "ns1.servicebus.windows.net"}, "namespace: must be the short name"),
        ({"namespace": "evil.example/#"}, "namespace: must be the short name"),
        ({"namespace": "a@b"}, "namespace: must be the short name"),
        ({"shared_access_key": "a b"}, "shared_access_key: must be printable ASCII"),
        ({"shared_access_key": "Endpoint=sb://n/;SharedAccessKey=x"}, "whole connection string"),
        ({"shared_access_key_name": None}, "shared_access_key_name: is required"),
        ({"event_hub_name": ""}, "event_hub_name: is required while routing is static"),
        ({"event_hub_name": "x" * 256}, "event_hub_name: should have at most 255"),
        ({"endpoint_url": "https://u:p@host"}, "must not contain a user name"),
        ({"name_space": "x"}, "did you mean `namespace`"),
    ],
)
def test_a_wrong_destination_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(AzureEventHub, {**BASE, "event_hub_name": "orders", **change}, dynamic=False)


def test_a_connection_string_is_not_repeated() -> None:
    values = {**BASE, "shared_access_key": "Endpoint=sb://n/;SharedAccessKey=hunter2"}
    _, problems = examine(AzureEventHub, values, dynamic=True)
    assert problems
    assert "hunter2" not in str(problems)


def test_dynamic_mode_has_no_default() -> None:
    router = Router(bind(AzureEventHub, BASE, dynamic=True))
    (problem,) = router.route(message(), FunctionResult({})).problems
    assert (problem.field, problem.hint) == (
        "event_hub_name", "there is no default: the routing function must return it",
    )  # fmt: skip
    effective = router.route(message(), FunctionResult({"event_hub_name": "a b"}))
    assert effective.batch_key == ("a b",)
    assert "takes letters, digits" in effective.warnings[0].message


def test_a_signature_is_that_of_the_known_vector() -> None:
    url = "https://ns1.servicebus.windows.net/hub-1/messages"
    assert signature(url, "send only", "secret", 1700003600) == (
        "SharedAccessSignature sr=https%3A%2F%2Fns1.servicebus.windows.net%2Fhub-1%2Fmessages"
        "&sig=RMQHsZESiDOQWcu4YG77YY3%2FJqA%2Ban2pi4nr59sQhIg%3D&se=1700003600&skn=send+only"
    )


def test_a_record_wraps_the_message() -> None:
    record = encode(BASE, message())
    body = json.loads(json.loads(record.wire)["Body"])
    trace = body["attributes"].pop("trace_id")
    assert body == {"data": message().as_json(), "attributes": {"type": "event"}}
    assert trace == json.loads(encode(BASE, message()).body)["attributes"]["trace_id"]
    assert record.describe() == {
        "method": "POST",
        "url": "https://ns1.servicebus.windows.net/orders/messages",
        "authorization": "SharedAccessSignature ••••",
        "content-type": "application/vnd.microsoft.servicebus.json",
        "Body": record.body,
    }
    assert record.size == len(record.wire) + 1
    assert json.loads(json.loads(encode(BASE, message(name="\ud800")).wire)["Body"])


@pytest.mark.parametrize(
    ("hub", "path"),
    [("a:b", "/a%3Ab/messages"), ("...", "/.../messages"), ("a?#c d", "/a%3F%23c%20d/messages")],
)  # fmt: skip
def test_a_hub_name_is_one_segment_of_the_path(hub: str, path: str) -> None:
    assert encode(BASE, message(), hub).url == f"https://ns1.servicebus.windows.net{path}"


# --- against the strict server ----------------------------------------------------------------


def config_of(server: EventHubServer, **values: Any) -> Any:
    given = {**BASE, "shared_access_key": server.policies["sender"].key,
             "endpoint_url": server.url, **values}  # fmt: skip
    return AzureEventHub.Config.model_validate(given)


def records(config: Any, count: int, hub: str = "orders", name: str = "Zoë") -> list[Any]:
    routing = AzureEventHub.Routing(event_hub_name=hub)
    return [
        AzureEventHub.encode(config, item, routing, Payload(item.as_json()))
        for item in (message(number, name) for number in range(count))
    ]


async def sent(config: Any, batch: list[Any]) -> list[Any]:
    link = AzureEventHub.connect(config)
    try:
        return list(await link.send(batch))
    finally:
        await link.close()


async def test_a_batch_is_one_request(event_hub_server: EventHubServer) -> None:
    config = config_of(event_hub_server)
    batch = records(config, 10)
    assert {o.status for o in await sent(config, batch)} == {"delivered"}
    assert event_hub_server.events == {"orders": [record.body for record in batch]}
    assert event_hub_server.requests == [10]
    assert event_hub_server.broken_rules == []


async def test_a_signature_serves_one_hub_until_it_is_nearly_over(
    event_hub_server: EventHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_hub_server.hubs.add("other")
    config, now = config_of(event_hub_server), [time.time() - 3400]
    monkeypatch.setattr("routestudio.sinks.azure_event_hub.sink.time", lambda: now[0])
    link = AzureEventHub.connect(config)
    try:
        for later, signatures in ((0, 1), (3299, 1), (2, 2)):
            now[0] += later
            outcomes = await asyncio.gather(*(link.send(records(config, 2)) for _ in range(4)))
            assert {o.status for each in outcomes for o in each} == {"delivered"}
            assert len(event_hub_server.signatures) == signatures
        assert (await link.send(records(config, 1, "other")))[0].status == "delivered"
        assert len(event_hub_server.signatures) == 3
    finally:
        await link.close()
    assert event_hub_server.broken_rules == []


async def test_an_expired_signature_is_made_anew_once(
    event_hub_server: EventHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a suspended laptop wakes up, or when the clock is set."""
    config = config_of(event_hub_server)
    link: Any = AzureEventHub.connect(config)
    try:
        assert (await link.send(records(config, 1)))[0].status == "delivered"
        ((url, (_, until)),) = link._signatures.items()
        key = event_hub_server.policies["sender"].key
        link._signatures[url] = (signature(url, "sender", key, 1_700_000_000), until)
        assert (await link.send(records(config, 2)))[0].status == "delivered"
        event_hub_server.policies["sender"] = Policy("another key")
        lost = await link.send(records(config, 2))
    finally:
        await link.close()
    assert [(o.status, o.unreachable, o.unknown) for o in lost] == [("retry", True, False)] * 2
    assert "invalid signature" in lost[0].reason
    assert len(event_hub_server.events["orders"]) == 3


@pytest.mark.parametrize(
    ("reply", "status", "code", "unknown"),
    [
        (error(429, "too many"), "retry", "http_429", False),
        (error(503, "ServerBusy"), "retry", "http_503", False),
        (error(500, "InternalServerError"), "retry", "http_500", True),
        (error(403, "QuotaExceeded: the quota is used up"), "retry", "http_403", False),
        (error(403, "IP address is not allowed"), "rejected", "http_403", False),
        (error(400, "BadRequest: no"), "rejected", "http_400", False),
        (error(401, "Unauthorized access. 'Send' claim(s) are required"), "rejected", "http_401",
         False),
        (Reply(200, b"<feed/>"), "retry", "not_event_hubs", True),
        (Reply(cut="before"), "retry", "connection_lost", True),
    ],
)  # fmt: skip
async def test_a_request_fails_as_a_whole(
    event_hub_server: EventHubServer, reply: Reply, status: str, code: str, unknown: bool
) -> None:
    event_hub_server.http.script(reply)
    config = config_of(event_hub_server)
    outcomes = await sent(config, records(config, 3))
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [(status, code, unknown)] * 3
    assert all(o.reason and not o.unreachable for o in outcomes)
    assert event_hub_server.events == {}


async def test_the_service_may_say_when_to_come_back(event_hub_server: EventHubServer) -> None:
    event_hub_server.faults.append(Reply(503, b"", (("Retry-After", "10"),)))
    config = config_of(event_hub_server)
    assert [o.after for o in await sent(config, records(config, 2))] == [10.0] * 2


async def test_a_slow_answer_may_mean_that_it_was_taken(event_hub_server: EventHubServer) -> None:
    config = config_of(event_hub_server)
    link: Any = AzureEventHub.connect(config)
    link._client._timeout = link.timeout = 0.5
    event_hub_server.faults.append(Reply(201, delay=5))
    try:
        outcomes = await link.send(records(config, 2))
    finally:
        await link.close()
        event_hub_server.http.reset()
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [("retry", "timeout", True)] * 2


async def test_only_an_event_that_is_too_large_by_itself_is_rejected(
    event_hub_server: EventHubServer,
) -> None:
    event_hub_server.limit = 4000
    config = config_of(event_hub_server)
    batch = records(config, 9)
    batch[4] = records(config, 5, name="x" * 4000)[4]
    outcomes = await sent(config, batch)
    assert [o.status for o in outcomes] == ["delivered"] * 4 + ["rejected"] + ["delivered"] * 4
    assert outcomes[4].code == "too_large"
    assert event_hub_server.events["orders"] == [r.body for i, r in enumerate(batch) if i != 4]


async def test_what_the_service_repeats_of_key_and_signature_is_hidden(
    event_hub_server: EventHubServer,
) -> None:
    config = config_of(event_hub_server)
    link: Any = AzureEventHub.connect(config)
    key = event_hub_server.policies["sender"].key
    made = link._signature(config.url("/orders/messages"))
    event_hub_server.faults.append(error(400, f"bad {made} and {key}"))
    try:
        (outcome,) = await link.send(records(config, 1))
    finally:
        await link.close()
    assert outcome.status == "rejected"
    assert "bad SharedAccessSignature ••••" in outcome.reason
    assert key not in outcome.reason
    assert made.split("&")[1] not in outcome.reason
