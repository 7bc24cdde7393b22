"""The NATS sink on real servers, read back over plain sockets and the JetStream API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from routestudio.sinks.nats import link as nats_link
from routestudio.sinks.nats import sending as nats_sending
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.nats.streams import look_up
from tests.support.idle import aged
from tests.support.nats_config import settings, user
from tests.support.nats_records import records, send, statuses
from tests.support.nats_server import MAX_PAYLOAD, NatsServer, start_nats, wait_for
from tests.support.tcp_proxy import proxied
from tests.support.waiting import until

pytestmark = pytest.mark.real


# --- delivery ---------------------------------------------------------------------------------


async def test_core_messages_arrive_in_order_with_their_headers(nats_server: NatsServer) -> None:
    batch = records(*[f"plain.{n % 3}" for n in range(500)])
    with nats_server.wire() as wire:
        wire.subscribe("plain.>")
        outcomes = await send(settings(nats_server), batch)
        found = wire.take(500)
        assert wire.rest() == []
    assert statuses(outcomes) == ["delivered"] * 500
    assert [(g.subject, g.body) for g in found] == [(r.subject, r.body) for r in batch]
    assert [g.headers for g in found] == [r.fields for r in batch]


async def test_a_stream_has_every_message_in_order_and_repeats_once(
    nats_server: NatsServer,
) -> None:
    nats_server.create_stream("ORDERS", "orders.>")
    batch = records(*[f"orders.{n % 7}" for n in range(400)])
    link = Nats.connect(settings(nats_server))
    try:
        first = await link.send(batch)
        again = await link.send(batch)
    finally:
        await link.close()
    assert statuses(first) == ["delivered"] * 400
    assert [(o.status, o.code, o.held) for o in again] == [("duplicate", "duplicate", True)] * 400
    found = nats_server.stored("ORDERS")
    assert [(g.subject, g.headers, g.body) for g in found] == [
        (r.subject, r.fields, r.body) for r in batch
    ]


async def test_mixed_subjects_in_one_batch(nats_server: NatsServer) -> None:
    nats_server.create_stream("A", "a.>")
    nats_server.create_stream("B", "b.>", no_ack=True)
    with nats_server.wire() as wire:
        wire.subscribe("c")
        outcomes = await send(settings(nats_server), records("a.1", "b.1", "c", "a.2", "b.2", "c"))
        assert len(wire.take(2)) == 2
    assert statuses(outcomes) == ["delivered"] * 6
    assert len(nats_server.stored("A")) == 2
    assert len(wait_for(nats_server, "B", 2)) == 2


async def test_only_what_a_stream_refuses_is_not_delivered(nats_server: NatsServer) -> None:
    """Too large for ever, full for now; the rest of the batch is there once."""
    nats_server.create_stream("SMALL", "small.>", max_msg_size=120)
    nats_server.create_stream("FULL", "full.>", max_msgs=2, discard="new")
    large = records("small.2", body="x" * 500, first=50)
    before, after = records("small.1", "full.1", "full.2", "full.3"), records("small.3", first=9)
    batch = [*before, *large, *after]
    outcomes = await send(settings(nats_server), batch)
    assert [(o.status, o.unknown) for o in outcomes] == [
        ("delivered", False), ("delivered", False), ("delivered", False), ("retry", False),
        ("rejected", False), ("delivered", False),
    ]  # fmt: skip
    assert outcomes[3].reason == "stream FULL refuses the message: maximum messages exceeded"
    assert "message size exceeds maximum allowed" in outcomes[4].reason
    assert [g.subject for g in nats_server.stored("SMALL")] == ["small.1", "small.3"]
    assert [g.subject for g in nats_server.stored("FULL")] == ["full.1", "full.2"]


async def test_who_stores_a_subject_is_asked_once_and_again_after_a_failure(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def counting(connection: Any, subjects: Sequence[str]) -> Any:
        asked.extend(subjects)
        return await look_up(connection, subjects)

    monkeypatch.setattr(nats_link, "look_up", counting)
    nats_server.create_stream("S", "s.>")
    link = Nats.connect(settings(nats_server))
    try:
        for n in range(3):
            batch = records("s.1", "t.1", first=2 * n)
            assert statuses(await link.send(batch)) == ["delivered"] * 2
        assert asked == ["s.1", "t.1"]
        nats_server.delete_stream("S")
        (gone, fine) = await link.send(records("s.1", "t.1"))
        assert (gone.status, gone.code, fine.status) == ("retry", "no_stream", "delivered")
        assert statuses(await link.send(records("s.1"))) == ["delivered"]
        assert asked == ["s.1", "t.1", "s.1"]
        monkeypatch.setattr(nats_link, "KEEP_SECONDS", 0.0)
        await link.send(records("t.1"))
        assert asked[3:] == ["t.1"]
    finally:
        await link.close()


async def test_who_may_not_ask_learns_from_acknowledgements(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_sending, "GUESS_SECONDS", 1.5)
    nats_server.create_stream("LOCKED", "allowed.stored.>", max_msgs=2, discard="new")
    link = Nats.connect(settings(nats_server, **user("publisher")))
    subjects = ["allowed.stored.1", "allowed.heard", "allowed.nobody"]
    try:
        with nats_server.wire() as wire:
            wire.subscribe("allowed.heard")
            assert statuses(await link.send(records(*subjects))) == ["delivered"] * 3
            # A second guess would now take longer than a batch may.
            monkeypatch.setattr(nats_sending, "GUESS_SECONDS", 100.0)
            monkeypatch.setattr(nats_link, "TIMEOUT", 50.0)
            outcomes = await link.send(records(*subjects, "allowed.stored.1", first=10))
            assert [g.subject for g in wire.take(2)] == ["allowed.heard"] * 2
    finally:
        await link.close()
    assert statuses(outcomes) == ["delivered", "delivered", "delivered", "retry"]
    assert len(nats_server.stored("LOCKED")) == 2


async def test_lacking_rights_are_the_outcomes_of_the_records_concerned(
    nats_server: NatsServer,
) -> None:
    config = settings(nats_server, **user("limited"))
    batch = records("allowed.1", "Denied.1", "allowed.2", "denied.1", "Denied.1", "allowed.3")
    with nats_server.wire() as wire:
        wire.subscribe(">")
        outcomes = await send(config, batch)
        found = [g.subject for g in wire.rest() if not g.subject.startswith(("$", "_INBOX"))]
    assert statuses(outcomes) == [
        "delivered", "rejected", "delivered", "rejected", "rejected", "delivered",
    ]  # fmt: skip
    assert outcomes[1].reason == "the user may not publish to Denied.1"
    assert (outcomes[3].code, outcomes[3].reason[-8:]) == ("permission", "denied.1")
    assert found == ["allowed.1", "allowed.2", "allowed.3"]


async def test_who_may_not_subscribe_publishes_without_acknowledgements(
    nats_server: NatsServer,
) -> None:
    nats_server.create_stream("M", "m.>")
    outcomes = await send(settings(nats_server, **user("mute")), records("m.1", "m.2"))
    assert statuses(outcomes) == ["delivered"] * 2
    assert len(wait_for(nats_server, "M", 2)) == 2


async def test_what_is_too_large_is_rejected_alone(nats_server: NatsServer) -> None:
    (small,) = records("size.1", body="")
    room = MAX_PAYLOAD - small.size
    batch = [*records("size.1", body="x" * room), *records("size.1", body="x" * (room + 1))]
    with nats_server.wire() as wire:
        wire.subscribe("size.>")
        outcomes = await send(settings(nats_server), batch)
        assert len(wire.take(1)[0].body) + len(batch[0].headers) == MAX_PAYLOAD
        assert wire.rest() == []
    assert statuses(outcomes) == ["delivered", "rejected"]
    assert outcomes[1].reason == (
        "the message has 200,001 bytes with its headers; the server takes 200,000"
    )


@pytest.mark.usefixtures("trusted_ca")
async def test_every_way_to_sign_in(
    nats_server: NatsServer, nats_user_server: NatsServer, nats_token_server: NatsServer,
    nats_jwt_server: NatsServer, nats_tls_server: NatsServer,
) -> None:  # fmt: skip
    assert nats_server.nkey is not None
    configs = [
        (nats_server, settings(nats_server, nkey_seed=f" {nats_server.nkey.seed}\n")),
        (nats_server, settings(nats_server, **user("plain"))),
    ]
    own = (nats_server, nats_user_server, nats_token_server, nats_jwt_server, nats_tls_server)
    configs += [(server, settings(server)) for server in own]
    for server, config in configs:
        with server.wire("plain" if config.username == "plain" else None) as wire:
            wire.subscribe("allowed.>")
            assert statuses(await send(config, records("allowed.1"))) == ["delivered"]
            assert [g.body for g in wire.take(1)] == [b'{"n":0}']


async def test_a_certificate_that_is_not_trusted_gets_nothing(nats_tls_server: NatsServer) -> None:
    outcomes = await send(settings(nats_tls_server), records("a", "b"))
    assert [(o.status, o.code, o.unreachable) for o in outcomes] == [("retry", "tls", True)] * 2
    assert "not trusted" in outcomes[0].reason


# --- failures ---------------------------------------------------------------------------------


async def test_a_lost_answer_may_be_a_stored_message(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nats_server.create_stream("L", "l.>")
    batch = records("l.1", "l.2")
    async with proxied(nats_server.port) as proxy:
        link = Nats.connect(settings(nats_server, port=proxy.port))
        try:
            assert statuses(await link.send(records("l.0", first=7))) == ["delivered"]
            link._storage |= dict.fromkeys(("l.1", "l.2"), link._storage["l.0"])  # type: ignore[attr-defined]
            proxy.lose = True
            with monkeypatch.context() as patch:
                patch.setattr(nats_link, "TIMEOUT", 0.6)
                outcomes = await link.send(batch)
            assert [(o.code, o.unknown) for o in outcomes] == [("timeout", True)] * 2
            proxy.lose = False
            again = await link.send(batch)
            assert [(o.status, o.held) for o in again] == [("duplicate", True)] * 2
        finally:
            await link.close()
        assert proxy.connections == 2
    assert [g.subject for g in nats_server.stored("L")] == ["l.0", "l.1", "l.2"]


async def test_a_cut_connection_is_replaced(nats_server: NatsServer) -> None:
    async with proxied(nats_server.port) as proxy:
        link = Nats.connect(settings(nats_server, port=proxy.port))
        try:
            assert statuses(await link.send(records("x.1"))) == ["delivered"]
            proxy.cut()
            aged(link)
            assert statuses(await link.send(records("x.1"))) == ["delivered"]
            proxy.lose, before = True, len(proxy.sent)
            sending = asyncio.create_task(link.send(records("x.1", "x.2")))
            await until(lambda: len(proxy.sent) > before)
            proxy.cut()
            outcomes = await sending
        finally:
            await link.close()
    assert {(o.status, o.code) for o in outcomes} == {("retry", "connection_lost")}


async def test_batches_at_the_same_time_and_slow_answers(nats_server: NatsServer) -> None:
    nats_server.create_stream("P", "p.>")
    async with proxied(nats_server.port) as proxy:
        proxy.delay = 0.05
        link = Nats.connect(settings(nats_server, port=proxy.port))
        try:
            batches = [records(*["p.x"] * 20, first=20 * n) for n in range(5)]
            for outcomes in await asyncio.gather(*map(link.send, batches)):
                assert statuses(outcomes) == ["delivered"] * 20
        finally:
            await link.close()
        assert proxy.connections == 5
    assert len(nats_server.stored("P")) == 100


async def test_a_cancelled_delivery_leaves_nothing_open(nats_server: NatsServer) -> None:
    async with proxied(nats_server.port) as proxy:
        link = Nats.connect(settings(nats_server, port=proxy.port))
        assert statuses(await link.send(records("x"))) == ["delivered"]
        proxy.delay = 1.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await link.send(records("x"))
        assert link._idle == []  # type: ignore[attr-defined]
        await link.close()


async def test_a_server_that_dies_and_comes_back(tmp_path: Path) -> None:
    with start_nats(tmp_path / "first") as server:
        link = Nats.connect(settings(server))
        assert statuses(await link.send(records("x"))) == ["delivered"]
    try:
        aged(link)
        (outcome,) = await link.send(records("x"))
        assert (outcome.status, outcome.code, outcome.unreachable) == ("retry", "connect", True)
        with start_nats(tmp_path / "second", port=server.port):
            assert statuses(await link.send(records("x"))) == ["delivered"]
    finally:
        await link.close()
