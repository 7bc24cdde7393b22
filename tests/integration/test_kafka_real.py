"""The Kafka sink on a real Apache Kafka, read back by a client that shares no code with it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio import tasks
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.kafka import check
from routestudio.sinks.kafka import settings as kafka_settings
from routestudio.sinks.kafka.phash2 import partition
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from tests.support.certificates import Authority
from tests.support.kafka_server import DENIED, KafkaServer, start_kafka

STEPS = ["resolve", "connect", "TLS", "authenticate", "target"]
LISTENERS = [
    ("plaintext", None),
    ("ssl", None),
    ("sasl_plaintext", "plain"),
    ("sasl_plaintext", "scram_sha_256"),
    ("sasl_plaintext", "scram_sha_512"),
    ("sasl_ssl", "plain"),
    ("sasl_ssl", "scram_sha_256"),
    ("sasl_ssl", "scram_sha_512"),
]


def config(
    server: KafkaServer, listener: str = "plaintext", mechanism: str | None = None, **change: Any
) -> Kafka.Config:
    values: dict[str, Any] = {"hosts": getattr(server, listener), "tls": "ssl" in listener}
    if mechanism:
        word = SecretStr(server.passwords["writer"])
        values |= {"sasl_mechanism": mechanism, "username": "writer", "password": word}
    if values["tls"]:
        values["hosts"] = values["hosts"].replace("127.0.0.1", "localhost")
    return Kafka.Config(**{**values, **change})


def encoded(server: KafkaServer, topic: str, count: int) -> list[KafkaRecord]:
    """Records as the preview shows them: through router and `encode`."""
    bound = bind(Kafka, {"hosts": server.plaintext}, dynamic=True)
    router = Router(bound)
    records = []
    for number in range(count):
        message = message_from({
            "action": "insert", "record": {"id": number, "note": f"é\n{number}"},
            "metadata": {"table_schema": "public", "table_name": "orders",
                         "record_pks": [str(number % 17)]},
        })  # fmt: skip
        result = {"topic": topic, "message_key": f"order:{number % 17}"}
        effective = router.route(message, FunctionResult(result))
        payload = Payload(message.as_json())
        routing: Any = router.instance(effective)
        records.append(Kafka.encode(bound.config, message, routing, payload))
    return records


async def send(settings: Kafka.Config, records: list[KafkaRecord]) -> list[Any]:
    link = Kafka.connect(settings)
    try:
        return list(await link.send(records))
    finally:
        await link.close()


@pytest.mark.parametrize(("listener", "mechanism"), LISTENERS)
@pytest.mark.usefixtures("trusted_ca")
async def test_every_listener_gets_exactly_what_was_encoded(
    kafka_server: KafkaServer, kafka_topic: str, listener: str, mechanism: str | None
) -> None:
    sent = encoded(kafka_server, kafka_topic, 300)
    outcomes = await send(config(kafka_server, listener, mechanism), sent)
    assert Counter(o.status for o in outcomes) == {"delivered": 300}
    found = kafka_server.read(kafka_topic)
    assert len(found) == 300
    for each in found:
        assert each.key is not None
        assert each.partition == partition(each.key, 3)
        assert each.headers == ()
    for key in {each.key for each in sent}:
        wanted = [each.value for each in sent if each.key == key]
        assert [each.value for each in found if each.key == key] == wanted


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_compression_and_records_without_key(
    kafka_server: KafkaServer, kafka_topic: str, compression: str
) -> None:
    sent = [KafkaRecord(kafka_topic, None, b'{"n":%d}' % n) for n in range(50)]
    outcomes = await send(config(kafka_server, compression=compression), sent)
    assert {o.status for o in outcomes} == {"delivered"}
    found = await asyncio.to_thread(kafka_server.consumed, kafka_topic, len(sent))
    assert Counter(found) == Counter(f"null\t{each.value.decode()}" for each in sent if each.value)


async def test_each_record_has_its_own_outcome(kafka_server: KafkaServer) -> None:
    small = kafka_server.create_topic("small-records", 1, {"max.message.bytes": "2000"})
    fine = kafka_server.create_topic("fine-records", 1)
    denied = kafka_server.create_topic(f"{DENIED}-records", 1)
    records = [
        KafkaRecord(fine, b"1", b'"a"'),
        KafkaRecord(small, b"2", os.urandom(4000)),
        KafkaRecord("no-such-topic", b"3", b'"c"'),
        KafkaRecord(denied, b"4", b'"d"'),
        KafkaRecord("not a topic!", b"5", b'"e"'),
        KafkaRecord(fine, b"6", b'"f"'),
    ]
    outcomes = await send(config(kafka_server, "sasl_plaintext", "plain"), records)
    assert [(o.status, o.code) for o in outcomes] == [
        ("delivered", ""),
        ("rejected", "msg_size_too_large"),
        ("retry", "unknown_topic_or_part"),
        ("retry", "topic_authorization_failed"),
        ("rejected", "topic_exception"),
        ("delivered", ""),
    ]
    assert [each.value for each in kafka_server.read(fine)] == [b'"a"', b'"f"']
    assert kafka_server.read(small, denied) == []
    assert "no-such-topic" not in kafka_server.topics()


async def test_a_broker_that_dies_while_records_travel(
    tmp_path: Path, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = kafka_settings.producer_settings
    monkeypatch.setattr(
        "routestudio.sinks.kafka.link.producer_settings",
        lambda settings: {**usual(settings), "message.timeout.ms": 1500},
    )
    outcomes: list[Any] = []
    begun_sending = asyncio.Event()
    with ExitStack() as stack:
        server = stack.enter_context(start_kafka(tmp_path / "kafka", ca))
        topic = server.create_topic("doomed", 1)
        link = Kafka.connect(config(server))

        async def until_it_fails() -> None:
            while not outcomes or outcomes[-1].status == "delivered":
                batch = [KafkaRecord(topic, b"k", b"%d" % n) for n in range(50)]
                outcomes.extend(await link.send(batch))
                begun_sending.set()

        sending = tasks.spawn(until_it_fails(), name="send")
        await asyncio.wait_for(begun_sending.wait(), 10)
        await asyncio.to_thread(stack.close)
        await asyncio.wait_for(sending, 15)
    async with asyncio.timeout(5):
        await link.close()
    found = Counter(o.status for o in outcomes)
    assert set(found) == {"delivered", "retry"}
    assert len(outcomes) % 50 == 0
    assert all(o.unknown for o in outcomes if o.code == "_msg_timed_out")


async def checked(settings: Kafka.Config, *topics: str) -> list[CheckStep]:
    link = Kafka.connect(settings)
    try:
        return [s async for s in link.check([Kafka.Routing(topic=topic) for topic in topics])]
    finally:
        await link.close()


def wrong(word: str) -> dict[str, Any]:
    return {"password": SecretStr(word)}


MATRIX: list[tuple[str, str, str | None, dict[str, Any], str, str, str]] = [
    # what, listener, mechanism, changed settings, topic, step, verdict
    ("no credentials needed", "plaintext", None, {}, "", "target", "passed"),
    ("TLS", "ssl", None, {}, "", "target", "passed"),
    ("PLAIN", "sasl_plaintext", "plain", {}, "", "target", "passed"),
    ("SCRAM-SHA-256", "sasl_plaintext", "scram_sha_256", {}, "", "target", "passed"),
    ("SCRAM-SHA-512 and TLS", "sasl_ssl", "scram_sha_512", {}, "", "target", "passed"),
    ("wrong password", "sasl_plaintext", "plain", wrong("no"), "", "authenticate", "failed"),
    ("wrong password, SCRAM", "sasl_ssl", "scram_sha_256", wrong("no"), "", "authenticate",
     "failed"),
    ("unknown user", "sasl_plaintext", "plain", {"username": "eve"}, "", "authenticate", "failed"),
    ("no credentials where needed", "sasl_plaintext", None, {}, "", "authenticate", "failed"),
    ("credentials where none are taken", "plaintext", "plain", {}, "", "authenticate", "failed"),
    ("unknown host", "plaintext", None, {"hosts": "no-such-host.invalid:9092"}, "", "resolve",
     "failed"),
    ("refused port", "plaintext", None, {"hosts": "127.0.0.1:1"}, "", "connect", "failed"),
    ("TLS against a plain port", "plaintext", None, {"tls": True}, "", "TLS", "failed"),
    ("plain against a TLS port", "ssl", None, {"tls": False}, "", "authenticate", "failed"),
    ("missing topic", "plaintext", None, {}, "no-such-topic", "target", "failed"),
    ("topic without the right to write", "sasl_plaintext", "plain", {}, DENIED + "-check",
     "target", "failed"),
    ("a user that may only read", "sasl_plaintext", "plain",
     {"username": "reader", "password": SecretStr("reader-pass")}, "", "target", "failed"),
]  # fmt: skip


@pytest.mark.usefixtures("trusted_ca")
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row[0])
async def test_check(
    kafka_server: KafkaServer, row: tuple[str, str, str | None, dict[str, Any], str, str, str]
) -> None:
    what, listener, mechanism, change, topic, step, verdict = row
    existing = kafka_server.topics()
    for name in ("checked", f"{DENIED}-check"):
        if name not in existing:
            kafka_server.create_topic(name, 1)
    before = len(kafka_server.read("checked"))
    steps = await checked(config(kafka_server, listener, mechanism, **change), topic or "checked")
    found = next(each for each in steps if each.step == step)
    print(f"\n| {what} | {step} | {found.status} | {found.detail} | {found.hint or ''} |")
    assert found.status == verdict, steps
    at = STEPS.index(step)
    assert all(s.status in ("passed", "skipped") for s in steps if STEPS.index(s.step) < at)
    if verdict == "failed":
        assert found.hint
        assert all(s.status == "skipped" for s in steps if STEPS.index(s.step) > at)
        assert {s.step for s in steps} == set(STEPS)
    if "password" in change:
        assert "does not offer" not in found.detail
    text = " ".join(f"{s.detail} {s.hint}" for s in steps)
    assert "writer-pass" not in text
    assert "rdkafka" not in text
    assert len(kafka_server.read("checked")) == before


@pytest.mark.usefixtures("trusted_ca")
async def test_a_certificate_of_an_unknown_authority(
    kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    steps = await checked(config(kafka_server, "ssl"), "orders")
    failed = next(each for each in steps if each.status == "failed")
    assert failed.step == "TLS"
    assert "not trusted" in failed.detail
    assert "SSL_CERT_FILE" in (failed.hint or "")


async def test_a_broker_that_never_answers_fails_in_time(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_AUTH_SECONDS", 2.0)
    begun = time.monotonic()
    steps = await checked(Kafka.Config(hosts=f"127.0.0.1:{silent_port}"), "orders")
    assert time.monotonic() - begun < 7
    verdicts = {each.step: each.status for each in steps}
    assert verdicts["connect"] == "passed"
    assert verdicts["authenticate"] == "failed"


async def test_nothing_is_left_after_close(kafka_server: KafkaServer, kafka_topic: str) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        await send(config(kafka_server), [KafkaRecord(kafka_topic, b"k", b"1")])
    left = [t for t in set(threading.enumerate()) - before if t.name == "kafka"]
    for thread in left:
        await asyncio.to_thread(thread.join, 2)
    assert not any(thread.is_alive() for thread in left)
    assert len(kafka_server.read(kafka_topic)) == 3
