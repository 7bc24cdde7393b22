"""Delivery to a real RabbitMQ, read back by an independent client, and all that goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks.base import Payload
from routestudio.sinks.rabbitmq import link as rabbitmq_link
from routestudio.sinks.rabbitmq import wire
from routestudio.sinks.rabbitmq.sink import RabbitMessage, RabbitMq
from routestudio.tasks import spawn
from tests.support.idle import aged
from tests.support.rabbitmq_config import settings
from tests.support.rabbitmq_server import (
    MAX_MESSAGE,
    PASSWORD,
    VHOST,
    RabbitServer,
    start_rabbitmq,
)
from tests.support.tcp_proxy import proxied
from tests.support.waiting import until

pytestmark = pytest.mark.real
MESSAGE = message_from({"action": "insert", "record": {"id": 7}})
CONFIG = RabbitMq.Config(host="h", port=1)


def record(exchange: str, key: str, value: Any, **routing: Any) -> RabbitMessage:
    """A record whose body is the JSON of `value`; its message id is unlike any other's."""
    given = {"message_id": f"{exchange[:20]}/{key[:20]}/{str(value)[:20]}", **routing}
    values = RabbitMq.Routing.model_validate({"exchange": exchange, "routing_key": key, **given})
    return RabbitMq.encode(CONFIG, MESSAGE, values, Payload(value))


def records(exchange: str, *keys: str) -> list[RabbitMessage]:
    """One record per key, with a number as its content."""
    return [record(exchange, key, number) for number, key in enumerate(keys)]


async def send(config: Any, batch: Sequence[RabbitMessage]) -> Sequence[Outcome]:
    link = RabbitMq.connect(config)
    try:
        return await link.send(batch)
    finally:
        await link.close()


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


@pytest.fixture
def orders(rabbitmq_server: RabbitServer) -> RabbitServer:
    """With the exchange `topics`, whose messages with a known prefix go to the queue `q`."""
    rabbitmq_server.exchange("topics", durable=True)
    rabbitmq_server.queue("q", ("topics", "eu.#"), ("topics", "us.#"))
    return rabbitmq_server


@pytest.fixture
def alarmed(orders: RabbitServer) -> Iterator[RabbitServer]:
    """The same server; whatever alarm a test raises is cleared."""
    yield orders
    orders.alarm(False)


# --- what arrives -----------------------------------------------------------------------------


async def test_a_message_arrives_with_its_properties(orders: RabbitServer) -> None:
    sent = record("topics", "eu.Zoë", {"n": "ü\U0001f407"}, headers={"X-A": "b", "X-B": "ü"})
    assert statuses(await send(settings(orders), [sent])) == ["delivered"]
    (got,) = orders.drain("q")
    assert (got.exchange, got.routing_key) == ("topics", "eu.Zoë")
    assert got.headers == {"X-A": "b", "X-B": "ü"}
    assert got.message_id == sent.message_id
    assert (got.content_type, got.delivery_mode) == ("application/json", 2)
    assert got.body == sent.body
    assert got.json() == {"n": "ü\U0001f407"}


async def test_numbers_and_flags_arrive_as_such(orders: RabbitServer) -> None:
    """As an independent client reads them, and as an exchange of type `headers` compares them."""
    headers = {"wait": 5000, "big": -(2**63), "on": True, "text": "5000"}
    orders.exchange("by-type", "headers")
    with orders.channel() as channel:
        channel.queue_bind("q", "by-type", "", {"x-match": "all", **headers})
    changed = [{"share": 4.5}, {"on": "true"}, {"wait": "5000"}, {"text": 5000}]
    batch = [record("by-type", "k", 1, headers={**headers, **change}) for change in changed]  # type: ignore[dict-item]
    assert statuses(await send(settings(orders), batch)) == ["delivered", *["rejected"] * 3]
    (got,) = orders.drain("q")
    # This client can bind with no double, and reads a whole number of one.
    assert got.headers == {**headers, "share": 4}
    assert isinstance(got.headers["on"], bool)
    assert isinstance(got.headers["text"], str)


async def test_what_is_empty_is_not_sent(orders: RabbitServer) -> None:
    orders.exchange("all", "fanout")
    orders.queue("everything", ("all", ""))
    sent = record("all", "", None, message_id="")
    assert statuses(await send(settings(orders), [sent])) == ["delivered"]
    (got,) = orders.drain("everything")
    assert (got.routing_key, got.message_id, got.headers, got.body) == ("", None, {}, b"null")


@pytest.mark.parametrize("name", ['Bestellungen für "Zoë"', "a/b?c", "x" * 255, "ü" * 127])
async def test_every_name_that_rabbitmq_has(orders: RabbitServer, name: str) -> None:
    orders.exchange(name, "topic")
    orders.queue("named", (name, name))
    assert statuses(await send(settings(orders), records(name, name, name))) == ["delivered"] * 2
    assert [(g.exchange, g.routing_key) for g in orders.drain("named")] == [(name, name)] * 2


async def test_large_messages_are_cut_into_frames(orders: RabbitServer) -> None:
    frame = wire.FRAME_MAX - 8
    sizes = [frame - 1, frame, frame + 1, MAX_MESSAGE]
    batch = [record("topics", "eu.1", "x" * (size - 2)) for size in sizes]
    assert [len(item.body) for item in batch] == sizes
    assert statuses(await send(settings(orders), batch)) == ["delivered"] * 4
    assert [got.body for got in orders.drain("q")] == [item.body for item in batch]


async def test_order_is_kept_inside_and_between_batches(orders: RabbitServer) -> None:
    link = RabbitMq.connect(settings(orders))
    try:
        for start in (0, 500):
            batch = [record("topics", "eu.1", start + n) for n in range(500)]
            assert statuses(await link.send(batch)) == ["delivered"] * 500
    finally:
        await link.close()
    assert [got.json() for got in orders.drain("q")] == list(range(1000))


@pytest.mark.usefixtures("trusted_ca")
async def test_tls(orders: RabbitServer) -> None:
    outcomes = await send(settings(orders, tls=True), records("topics", "eu.1", "eu.2"))
    assert statuses(outcomes) == ["delivered"] * 2
    assert len(orders.drain("q")) == 2


async def test_a_certificate_that_is_not_trusted_gets_nothing(orders: RabbitServer) -> None:
    outcomes = await send(settings(orders, tls=True), records("topics", "eu.1", "eu.2"))
    assert [(o.status, o.code, o.unreachable) for o in outcomes] == [("retry", "tls", True)] * 2
    assert "not trusted" in outcomes[0].reason


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "wrong-word"}, "Login was refused"),
        ({"virtual_host": "nowhere"}, "vhost nowhere not found"),
        ({"username": "stranger"}, "refused for user 'stranger'"),
    ],
)
async def test_who_may_not_sign_in_delivers_nothing(
    orders: RabbitServer, values: dict[str, str], words: str
) -> None:
    outcomes = await send(settings(orders, **values), records("topics", "eu.1"))
    assert [(o.status, o.unreachable) for o in outcomes] == [("retry", True)]
    assert words in outcomes[0].reason
    assert "wrong-word" not in outcomes[0].reason


# --- what RabbitMQ refuses --------------------------------------------------------------------


async def test_what_no_queue_gets_is_rejected_alone(orders: RabbitServer) -> None:
    batch = records("topics", "eu.1", "asia.1", "us.1", "asia.2", "eu.2")
    outcomes = await send(settings(orders), batch)
    wanted = ["delivered", "rejected", "delivered", "rejected", "delivered"]
    assert statuses(outcomes) == wanted
    assert outcomes[1].code == "unroutable"
    assert outcomes[1].reason == (
        "no queue gets messages of exchange topics with the routing key 'asia.1'"
    )
    assert [got.json() for got in orders.drain("q")] == [0, 2, 4]


async def test_returns_are_told_apart_although_ids_and_bodies_repeat(orders: RabbitServer) -> None:
    """A headers exchange: the records differ in their headers only."""
    orders.exchange("by-header", "headers")
    with orders.channel() as channel:
        channel.queue_bind("q", "by-header", "", {"x-match": "all", "region": "eu"})
    regions = ["eu", "us", "eu", "asia", "us", "eu"]
    batch = [
        record("by-header", "k", 1, message_id="same", headers={"region": region})
        for region in regions
    ]
    outcomes = await send(settings(orders), batch)
    assert statuses(outcomes) == [
        "delivered" if region == "eu" else "rejected" for region in regions
    ]
    assert len(orders.drain("q")) == 3


async def test_many_large_returns_do_not_jam(orders: RabbitServer) -> None:
    batch = [record("topics", "nowhere", f"{n:03}" + "x" * 150_000) for n in range(60)]
    assert statuses(await send(settings(orders), batch)) == ["rejected"] * 60


async def test_an_alternate_exchange_takes_what_no_queue_gets(orders: RabbitServer) -> None:
    orders.exchange("spare", "fanout")
    orders.exchange("main", "direct", arguments={"alternate-exchange": "spare"})
    orders.queue("rest", ("spare", ""))
    assert statuses(await send(settings(orders), records("main", "a", "b"))) == ["delivered"] * 2
    assert len(orders.drain("rest")) == 2


async def test_a_missing_exchange_poisons_no_other(orders: RabbitServer) -> None:
    mixed = [*records("missing", "eu.1", "eu.2"), *records("topics", "eu.3", "eu.4")]
    link = RabbitMq.connect(settings(orders))
    try:
        for batch in (mixed, mixed[::-1], mixed[1:3]):
            outcomes = await link.send(batch)
            for item, outcome in zip(batch, outcomes, strict=True):
                wanted = "delivered" if item.exchange == "topics" else "rejected"
                assert outcome.status == wanted or outcome.unknown
            again = [i for i, o in zip(batch, outcomes, strict=True) if o.status == "retry"]
            for item, outcome in zip(again, await link.send(again), strict=True):
                wanted = "delivered" if item.exchange == "topics" else "rejected"
                assert outcome.status == wanted
        (refused,) = await link.send(records("missing", "eu.1"))
        assert refused.code == "no_exchange"
        assert refused.reason == f"there is no exchange missing in the virtual host {VHOST}"
        # Nothing about the exchange is believed for longer than the one batch.
        orders.exchange("missing")
        with orders.channel() as channel:
            channel.queue_bind("q", "missing", "#")
        assert statuses(await link.send(records("missing", "eu.1"))) == ["delivered"]
    finally:
        await link.close()


async def test_a_missing_exchange_rejects_the_batch_after_one_publication(
    orders: RabbitServer,
) -> None:
    batch = records("missing", *["eu.1"] * 200)
    async with proxied(orders.port) as proxy:
        outcomes = await send(settings(orders, port=proxy.port), batch)
        assert proxy.sent.count(b"missing") == 2, "the exchange and the message id of one record"
    assert {(o.status, o.code) for o in outcomes} == {("rejected", "no_exchange")}


async def test_lacking_rights(orders: RabbitServer) -> None:
    orders.exchange("inner", internal=True)
    limited = settings(orders, username="limited")
    for config, exchange, code, words in (
        (limited, "topics", "permission", "user limited may not publish to exchange topics"),
        (settings(orders), "inner", "internal", "nobody may publish to inner"),
    ):
        outcomes = await send(config, records(exchange, "eu.1", "eu.2"))
        assert {(o.status, o.code) for o in outcomes} == {("rejected", code)}
        assert words in outcomes[0].reason
    assert orders.drain("q") == []


async def test_forbidden_routing_keys_are_the_outcomes_of_the_records_concerned(
    orders: RabbitServer,
) -> None:
    """After one such refusal records travel one by one, so that none is in doubt."""
    keys = ["eu.1", "eu.2", "us.1", "eu.3", "us.2", "eu.4"]
    wanted = ["rejected" if key.startswith("us") else "delivered" for key in keys]
    link = RabbitMq.connect(settings(orders, username="topical"))
    try:
        first = await link.send(records("topics", *keys))
        for outcome, status in zip(first, wanted, strict=True):
            assert outcome.status == status or outcome == first[1]
        assert first[1].status == "delivered" or first[1].unknown
        assert first[2].reason == "the user topical may not publish to topics with the key 'us.1'"
        assert [g.routing_key for g in orders.drain("q")] == ["eu.1", "eu.2", "eu.3", "eu.4"]
        for _ in range(3):
            assert statuses(await link.send(records("topics", *keys))) == wanted
            assert [g.routing_key for g in orders.drain("q")] == ["eu.1", "eu.2", "eu.3", "eu.4"]
    finally:
        await link.close()


async def test_what_is_too_large_is_rejected_alone(orders: RabbitServer) -> None:
    def sized(number: int, size: int) -> RabbitMessage:
        return record("topics", f"eu.{number}", "x" * (size - 2))

    wide = {f"X-{n}": "y" * 8000 for n in range(20)}
    batch = [
        sized(0, 9), sized(1, MAX_MESSAGE + 1), sized(2, 9), record("topics", "eu.3", 1,
        headers=wide), sized(4, MAX_MESSAGE), sized(5, MAX_MESSAGE + 2), sized(6, 9),
    ]  # fmt: skip
    link = RabbitMq.connect(settings(orders))
    try:
        outcomes = list(await link.send(batch))
        doubtful = [i for i, outcome in enumerate(outcomes) if outcome.status == "retry"]
        assert all(outcomes[i].unknown for i in doubtful)
        assert len(doubtful) <= 1
        if not doubtful:
            assert len(orders.drain("q")) == 4
        for index, outcome in zip(doubtful, await link.send([batch[i] for i in doubtful]),
                                  strict=True):  # fmt: skip
            outcomes[index] = outcome
    finally:
        await link.close()
    assert statuses(outcomes) == [
        "delivered", "rejected", "delivered", "rejected", "delivered", "rejected", "delivered",
    ]  # fmt: skip
    assert "message size 200001 is larger than configured max size 200000" in outcomes[1].reason
    assert outcomes[3].code == "headers_too_large"


async def test_a_full_queue_refuses_what_does_not_fit(orders: RabbitServer) -> None:
    orders.exchange("bounded", "direct")
    orders.queue("small", ("bounded", "s"), x_max_length=3, x_overflow="reject-publish")
    orders.queue("wide", ("bounded", "w"))
    batch = records("bounded", "s", "w", "s", "s", "w", "s", "s", "w")
    link = RabbitMq.connect(settings(orders))
    try:
        outcomes = await link.send(batch)
        again = [i for i, o in zip(batch, outcomes, strict=True) if o.status == "retry"]
        assert {o.code for o in outcomes if o.status == "retry"} == {"nack"}
        assert {item.routing_key for item in again} == {"s"}
        small = orders.drain("small")
        assert statuses(outcomes).count("delivered") == len(small) + 3
        assert statuses(await link.send(again)) == ["delivered"] * len(again)
    finally:
        await link.close()
    assert sorted(g.json() for g in [*small, *orders.drain("small")]) == [0, 2, 3, 5, 6]
    assert [g.json() for g in orders.drain("wide")] == [1, 4, 7]


async def test_an_exchange_that_is_deleted_meanwhile(orders: RabbitServer) -> None:
    orders.exchange("short-lived", "direct")
    link = RabbitMq.connect(settings(orders))
    try:
        with orders.channel() as channel:
            channel.queue_bind("q", "short-lived", "a")
        assert statuses(await link.send(records("short-lived", "a", "a"))) == ["delivered"] * 2
        orders.delete_exchange("short-lived")
        outcomes = await link.send(records("short-lived", "a", "a"))
        assert {(o.status, o.code) for o in outcomes} == {("rejected", "no_exchange")}
        assert statuses(await link.send(records("topics", "eu.1"))) == ["delivered"]
    finally:
        await link.close()
    assert len(orders.drain("q")) == 3


# --- a server that takes nothing --------------------------------------------------------------


async def test_a_server_without_memory(
    alarmed: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record tells it; no other is written, and no further connection is filled."""
    monkeypatch.setattr(rabbitmq_link, "TIMEOUT", 3.0)
    monkeypatch.setattr(rabbitmq_link, "BLOCKED_SECONDS", 0.2)
    batch = records("topics", *["eu.1"] * 5)
    async with proxied(alarmed.port) as proxy:
        link = RabbitMq.connect(settings(alarmed, port=proxy.port))
        try:
            await asyncio.to_thread(alarmed.alarm, True)
            outcomes = await link.send(batch)
            assert {(o.status, o.code) for o in outcomes} == {("retry", "blocked")}
            assert [o.unknown for o in outcomes] == [True, False, False, False, False]
            assert "low on memory" in outcomes[0].reason
            for _ in range(3):
                later = await link.send(batch)
                assert {(o.code, o.unknown, o.unreachable) for o in later} == {
                    ("blocked", False, False)
                }
                assert later[0].after
            assert proxy.connections == 1
            await asyncio.to_thread(alarmed.alarm, False)
            assert statuses(await link.send(batch)) == ["delivered"] * 5
            assert proxy.connections == 1
        finally:
            await link.close()
    assert [g.json() for g in alarmed.drain("q")] == [0, 0, 1, 2, 3, 4], "only the first is doubled"


async def test_an_alarm_that_passes_while_records_wait(alarmed: RabbitServer) -> None:
    link = RabbitMq.connect(settings(alarmed))
    try:
        await asyncio.to_thread(alarmed.alarm, True)
        sending = spawn(link.send(records("topics", "eu.1")), name="send")
        await asyncio.sleep(0.2)
        assert not sending.done()
        await asyncio.to_thread(alarmed.alarm, False)
        assert statuses(await sending) == ["delivered"]
    finally:
        await link.close()
    assert len(alarmed.drain("q")) == 1


async def test_a_blocked_link_can_be_closed(
    alarmed: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = RabbitMq.connect(settings(alarmed))
    await asyncio.to_thread(alarmed.alarm, True)
    monkeypatch.setattr(rabbitmq_link, "TIMEOUT", 3.0)
    assert (await link.send(records("topics", "eu.1")))[0].code == "blocked"
    async with asyncio.timeout(60):
        await link.close()


# --- connections ------------------------------------------------------------------------------


async def test_a_lost_confirm_may_be_a_stored_message(
    orders: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = records("topics", "eu.1", "eu.2")
    async with proxied(orders.port) as proxy:
        link = RabbitMq.connect(settings(orders, port=proxy.port))
        try:
            assert statuses(await link.send(records("topics", "us.0"))) == ["delivered"]
            proxy.lose = True
            with monkeypatch.context() as patch:
                patch.setattr(rabbitmq_link, "TIMEOUT", 0.6)
                outcomes = await link.send(batch)
            # The second is only written when the first is confirmed.
            assert [(o.code, o.unknown) for o in outcomes] == [("timeout", True),
                                                               ("timeout", False)]  # fmt: skip
            proxy.lose = False
            assert statuses(await link.send(batch)) == ["delivered"] * 2
        finally:
            await link.close()
        assert proxy.connections == 2
    assert [g.routing_key for g in orders.drain("q")] == ["us.0", "eu.1", "eu.1", "eu.2"]


async def test_a_cut_connection_is_replaced(orders: RabbitServer) -> None:
    async with proxied(orders.port) as proxy:
        link = RabbitMq.connect(settings(orders, port=proxy.port))
        try:
            assert statuses(await link.send(records("topics", "eu.1"))) == ["delivered"]
            proxy.cut()
            aged(link)
            assert statuses(await link.send(records("topics", "eu.1"))) == ["delivered"]
            proxy.lose, before = True, len(proxy.sent)
            sending = spawn(link.send(records("topics", "eu.1", "eu.2")), name="send")
            await until(lambda: len(proxy.sent) > before)
            proxy.cut()
            outcomes = await sending
        finally:
            await link.close()
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [
        ("retry", "connection_lost", True), ("retry", "connection_lost", False),
    ]  # fmt: skip


async def test_connections_that_the_operator_closes(orders: RabbitServer) -> None:
    link = RabbitMq.connect(settings(orders))
    try:
        assert statuses(await link.send(records("topics", "eu.1"))) == ["delivered"]
        await asyncio.to_thread(orders.control, "close_all_connections", "maintenance")
        (outcome,) = await link.send(records("topics", "eu.2"))
        if outcome.status == "retry":
            assert (outcome.code, outcome.unknown) == ("closed", True)
            assert "maintenance" in outcome.reason
            assert statuses(await link.send(records("topics", "eu.2"))) == ["delivered"]
    finally:
        await link.close()
    assert {g.routing_key for g in orders.drain("q")} == {"eu.1", "eu.2"}


async def test_batches_at_the_same_time_and_slow_answers(orders: RabbitServer) -> None:
    async with proxied(orders.port) as proxy:
        proxy.delay = 0.03
        link = RabbitMq.connect(settings(orders, port=proxy.port))
        try:
            batches = [[record("topics", f"eu.{n}", [n, i]) for i in range(20)] for n in range(5)]
            for outcomes in await asyncio.gather(*map(link.send, batches)):
                assert statuses(outcomes) == ["delivered"] * 20
            assert await link.send([]) == []
        finally:
            await link.close()
        assert proxy.connections == 5
    found = [got.json() for got in orders.drain("q")]
    assert sorted(found) == [[n, i] for n in range(5) for i in range(20)]
    for number in range(5):
        assert [i for n, i in found if n == number] == list(range(20))


async def test_a_cancelled_delivery_leaves_nothing_open(orders: RabbitServer) -> None:
    async with proxied(orders.port) as proxy:
        link = RabbitMq.connect(settings(orders, port=proxy.port))
        assert statuses(await link.send(records("topics", "eu.1"))) == ["delivered"]
        proxy.delay = 1.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await link.send(records("topics", "eu.1"))
        assert link._idle == []  # type: ignore[attr-defined]
        await link.close()


async def test_a_server_that_is_killed_has_kept_every_confirmed_message(tmp_path: Path) -> None:
    """No time to write anything down: what was confirmed is there when the server is back."""
    folder = tmp_path / "rabbitmq"
    first, lost, last = (records("topics", *[name] * 100) for name in ("a", "b", "c"))
    with start_rabbitmq(folder) as server:
        server.exchange("topics", durable=True)
        server.queue("q", ("topics", "#"))
        link = RabbitMq.connect(settings(server))
        assert statuses(await link.send(first)) == ["delivered"] * 100
        server.process.kill()
    try:
        outcomes = await link.send(lost)
        assert {o.status for o in outcomes} == {"retry"}
        aged(link)
        outcomes = await link.send(lost)
        assert {(o.status, o.code, o.unreachable) for o in outcomes} == {("retry", "connect", True)}
        with start_rabbitmq(folder, port=server.port) as again:
            await until(lambda: again.has_queue("q"))
            assert statuses(await link.send(last)) == ["delivered"] * 100
            found = [(g.routing_key, g.json()) for g in again.drain("q")]
    finally:
        await link.close()
    assert found == [(name, number) for name in ("a", "c") for number in range(100)]


async def test_what_rabbitmq_logs_of_a_delivery_is_no_secret(orders: RabbitServer) -> None:
    assert statuses(await send(settings(orders), records("topics", "eu.1"))) == ["delivered"]
    log = (orders.folder / "server.log").read_text(errors="replace")
    assert "routestudio" in log, "the connection has a name that an operator recognises"
    assert PASSWORD not in log
    assert json.dumps(PASSWORD) not in log
