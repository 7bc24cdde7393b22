"""What a real Kafka refuses: rights, whole batches, sizes, and brokers that are out of reach."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.cli import main
from routestudio.model.outcome import Outcome
from routestudio.sinks.kafka import producer as kafka_producer
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from tests.support import kafka_client
from tests.support.certificates import Authority
from tests.support.kafka_server import KafkaServer, start_kafka

pytestmark = pytest.mark.real

PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
sinks:
  - name: one
    database: shop
    batch_size: 200
    max_retry_count: {attempts}
    destination: {destination}
"""


def config(server: KafkaServer, **change: Any) -> Kafka.Config:
    return Kafka.Config(**{"hosts": server.plaintext, **change})


def reader(server: KafkaServer) -> Kafka.Config:
    """Signs in as somebody who may describe and read, and write nothing."""
    return config(server, hosts=server.sasl_plaintext, sasl_mechanism="plain", username="reader",
                  password=SecretStr(server.passwords["reader"]))  # fmt: skip


async def send(settings: Kafka.Config, records: list[KafkaRecord]) -> list[Outcome]:
    link = Kafka.connect(settings)
    try:
        async with asyncio.timeout(40):
            return list(await link.send(records))
    finally:
        await link.close()


def counted(outcomes: list[Outcome]) -> Counter[tuple[str, str]]:
    return Counter((o.status, o.code) for o in outcomes)


def write_project(folder: Path, destination: dict[str, Any], rows: int, attempts: int = 2) -> str:
    (folder / "sequin.yaml").write_text(
        PROJECT.format(destination=json.dumps({"type": "kafka", **destination}), attempts=attempts)
    )
    row = {"action": "insert", "metadata": {"table_schema": "public", "table_name": "orders"}}
    lines = [{**row, "record": {"id": n}, "metadata": {**row["metadata"], "commit_lsn": n}}
             for n in range(rows)]  # fmt: skip
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def run(capsys: pytest.CaptureFixture[str], folder: Path, file: str) -> tuple[int, Any, str]:
    code = main.run(["run", str(folder), "one", "--input", file, "--format", "json"])
    found = capsys.readouterr()
    return code, json.loads(found.out.splitlines()[-1]), found.err


# --- a user who may not write -------------------------------------------------------------------


async def test_who_may_not_write_is_told_which_right_is_missing_every_time(
    kafka_server: KafkaServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """librdkafka calls it fatal and raises it inside of the polling, at any moment."""
    topic = kafka_server.create_topic("no-writers", 1)
    records = [KafkaRecord(topic, b"k", b"%d" % n) for n in range(5)]
    found = await asyncio.gather(*(send(reader(kafka_server), records) for _ in range(40)))
    link = Kafka.connect(reader(kafka_server))
    try:
        async with asyncio.timeout(40):
            found += [list(await link.send(records)) for _ in range(3)]
    finally:
        await link.close()
    for outcomes in found:
        assert counted(outcomes) == {("retry", "cluster_authorization_failed"): 5}
        for outcome in outcomes:
            assert outcome.unreachable
            assert not outcome.unknown
            assert "CLUSTER_AUTHORIZATION_FAILED" in outcome.reason
            assert "WRITE" in outcome.reason
    assert "FATAL" not in capfd.readouterr().err
    assert kafka_server.read(topic) == []


async def test_a_right_that_is_granted_is_used_at_once(kafka_server: KafkaServer) -> None:
    """A producer that was refused stays refused; a new one takes its place."""
    topic = kafka_server.create_topic("later-written", 1)
    record = [KafkaRecord(topic, b"k", b"1")]
    link = Kafka.connect(reader(kafka_server))
    try:
        async with asyncio.timeout(60):
            assert (await link.send(record))[0].code == "cluster_authorization_failed"
            await asyncio.to_thread(
                kafka_client.grant_writes, kafka_server.plaintext, "reader", topic, True
            )
            outcomes = [await link.send(record) for _ in range(3)]
            assert outcomes[-1][0].status == "delivered"
    finally:
        await link.close()
        kafka_client.grant_writes(kafka_server.plaintext, "reader", topic, False)
    held = [each.value for each in kafka_server.read(topic)]
    assert held == [b"1"] * sum(found[0].status == "delivered" for found in outcomes)


def test_a_run_without_the_right_ends_and_loses_nothing(
    kafka_server: KafkaServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = kafka_server.create_topic("run-no-writers", 1)
    password = kafka_server.passwords["reader"]
    file = write_project(tmp_path, {
        "hosts": kafka_server.sasl_plaintext, "topic": topic, "sasl_mechanism": "plain",
        "username": "reader", "password": password,
    }, 5)  # fmt: skip
    code, summary, said = run(capsys, tmp_path, file)
    assert code == 1
    assert (summary["read"], summary["delivered"], summary["rejected"]) == (5, 0, 0)
    assert "CLUSTER_AUTHORIZATION_FAILED" in said
    assert password not in said


@pytest.mark.allow_log
async def test_a_report_that_cannot_be_taken_does_not_hang(
    kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a callback raises, the batch ends, and the next one has a producer that works."""
    topic = kafka_server.create_topic("callbacks", 1)
    usual, broken = kafka_producer._Batch.reported, [True]

    def reported(self: Any, index: int, error: Any, message: Any) -> None:
        if broken[0] and index == 1:
            raise ValueError("a fault of ours")
        usual(self, index, error, message)

    monkeypatch.setattr(kafka_producer._Batch, "reported", reported)
    monkeypatch.setattr(kafka_producer, "_END_SECONDS", 0.5)
    link = Kafka.connect(config(kafka_server))
    try:
        async with asyncio.timeout(20):
            first = await link.send([KafkaRecord(topic, b"k", b"%d" % n) for n in range(3)])
            broken[0] = False
            again = await link.send([KafkaRecord(topic, b"k", b"x")])
    finally:
        await link.close()
    assert first[1].status == "retry"
    assert first[1].unknown
    assert [o.status for o in again] == ["delivered"]


# --- batches that are refused as a whole ----------------------------------------------------------


async def test_only_what_is_refused_alone_is_rejected(kafka_server: KafkaServer) -> None:
    """A limit of the topic is on the batch; small records in a large batch are good."""
    topic = kafka_server.create_topic("small-batches", 2, {"max.message.bytes": "3000"})
    bodies = [os.urandom(475).hex().encode() for _ in range(60)]
    bodies[17] = bodies[41] = os.urandom(2000).hex().encode()
    records = [KafkaRecord(topic, b"k%d" % (n % 7), body) for n, body in enumerate(bodies)]
    outcomes = await send(config(kafka_server), records)
    wrong = [n for n, o in enumerate(outcomes) if o.status != "delivered"]
    assert wrong == [17, 41]
    assert {outcomes[n].code for n in wrong} == {"msg_size_too_large"}
    held = kafka_server.read(topic)
    assert Counter(each.value for each in held) == Counter(
        body for n, body in enumerate(bodies) if n not in wrong
    )
    for number in range(7):
        key = b"k%d" % number
        wanted = [r.value for n, r in enumerate(records) if r.key == key and n not in wrong]
        assert [each.value for each in held if each.key == key] == wanted, "out of order"


async def test_after_a_refused_batch_smaller_ones_are_made(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic("smaller-batches", 1, {"max.message.bytes": "20000"})
    link = Kafka.connect(config(kafka_server))
    try:
        for _ in range(3):
            records = [KafkaRecord(topic, b"k", os.urandom(600).hex().encode()) for _ in range(100)]
            assert counted(list(await link.send(records))) == {("delivered", ""): 100}
        assert 2_000 <= link._batch_bytes <= 100_000  # type: ignore[attr-defined]
    finally:
        await link.close()
    assert len(kafka_server.read(topic)) == 300


async def test_one_record_without_a_key_for_a_compacted_topic(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic("compacted", 1, {"cleanup.policy": "compact"})
    records = [KafkaRecord(topic, None if n == 50 else b"k%d" % n, b"%d" % n) for n in range(150)]
    outcomes = await send(config(kafka_server), records)
    assert counted(outcomes) == {("delivered", ""): 149, ("rejected", "invalid_record"): 1}
    assert outcomes[50].status == "rejected"
    assert "has no key" in outcomes[50].reason
    assert "time" in outcomes[50].reason
    assert len(kafka_server.read(topic)) == 149


async def test_large_records_are_the_topics_to_refuse(kafka_server: KafkaServer) -> None:
    """Over librdkafka's own limit of 1,000,000 bytes, up to what the topic takes."""
    usual = kafka_server.create_topic("usual-size", 1)
    large = kafka_server.create_topic("large-size", 1, {"max.message.bytes": "4000000"})
    outcomes = await send(config(kafka_server), [
        KafkaRecord(usual, b"k", b"x" * 1_010_000), KafkaRecord(usual, b"k", b"x" * 1_048_513),
        KafkaRecord(usual, b"k", b"x" * 1_060_000), KafkaRecord(usual, b"k", b"after"),
        KafkaRecord(large, b"k", b"x" * 3_000_000), KafkaRecord(large, b"k", b"x" * 4_000_000),
    ])  # fmt: skip
    assert [o.status for o in outcomes] == [
        "delivered", "delivered", "rejected", "delivered", "delivered", "rejected",
    ]  # fmt: skip
    assert "max.message.bytes" in outcomes[2].reason
    assert sorted(len(each.value or b"") for each in kafka_server.read(usual)) == [
        5, 1_010_000, 1_048_513,
    ]  # fmt: skip


async def test_every_record_has_an_outcome_whatever_is_refused(kafka_server: KafkaServer) -> None:
    """200 batches of random refusals: each ends, and what is delivered is what is held."""
    random = Random(5)
    topics = [
        kafka_server.create_topic("any-plain", 2),
        kafka_server.create_topic("any-small", 2, {"max.message.bytes": "1500"}),
        kafka_server.create_topic("any-compacted", 1, {"cleanup.policy": "compact"}),
    ]
    link = Kafka.connect(config(kafka_server))
    expected: Counter[tuple[str, bytes]] = Counter()
    number = 0
    try:
        for _ in range(200):
            batch = []
            for _ in range(random.randint(1, 12)):
                number += 1
                key = None if random.random() < 0.2 else b"k%d" % random.randint(0, 5)
                topic = random.choice([*topics, "any-missing"])
                batch.append(KafkaRecord(topic, key, b"%d" % number
                                         + b"x" * random.choice((0, 300, 2000))))  # fmt: skip
            async with asyncio.timeout(30):
                outcomes = await link.send(batch)
            for record, outcome in zip(batch, outcomes, strict=True):
                good = record.topic in topics and not (
                    (record.topic == topics[1] and len(record.value) > 1400)
                    or (record.topic == topics[2] and record.key is None)
                )
                assert (outcome.status == "delivered") == good, (record, outcome)
                if good:
                    expected[record.topic, record.value] += 1
    finally:
        await link.close()
    held = Counter((each.topic, each.value or b"") for each in kafka_server.read(*topics))
    assert held == expected


# --- brokers out of reach ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def misadvertised(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[KafkaServer]:
    """A broker whose clients of the SASL listener are sent to a port where nobody listens."""
    folder = tmp_path_factory.mktemp("misadvertised")
    with start_kafka(folder / "kafka", ca, advertised={"SASL_PLAINTEXT": 9}) as server:
        yield server


async def test_a_broker_that_clients_are_sent_to_in_vain_is_named(
    misadvertised: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = misadvertised.create_topic("elsewhere", 1)
    there = config(misadvertised, hosts=misadvertised.sasl_plaintext, sasl_mechanism="plain",
                   username="writer", password=SecretStr("writer-pass"))  # fmt: skip
    link = Kafka.connect(there)
    try:
        for targets in ([Kafka.Routing(topic=topic)], []):
            steps = [s async for s in link.check(targets)]
            failed = next(step for step in steps if step.status == "failed")
            assert "127.0.0.1:9, which cannot be reached" in failed.detail
            assert "advertised.listeners" in (failed.hint or "")

        monkeypatch.setattr(kafka_producer, "_STUCK_SECONDS", 1.5)
        async with asyncio.timeout(15):
            outcomes = await link.send([KafkaRecord(topic, b"k", b"1")] * 3)
    finally:
        await link.close()
    assert {(o.code, o.unreachable, o.unknown) for o in outcomes} == {("no_leader", True, False)}
    assert "127.0.0.1:9" in outcomes[0].reason
    assert "advertised.listeners" in outcomes[0].reason


async def test_a_message_that_timed_out_unsent_was_never_written(
    misadvertised: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when librdkafka's own time is over first."""
    usual = kafka_producer.PolledProducer.__init__

    def impatient(self: Any, settings: dict[str, Any], *rest: Any, **more: Any) -> None:
        usual(self, {**settings, "message.timeout.ms": 1500}, *rest, **more)

    monkeypatch.setattr(kafka_producer.PolledProducer, "__init__", impatient)
    topic = misadvertised.create_topic("elsewhere-2", 1)
    there = config(misadvertised, hosts=misadvertised.sasl_plaintext, sasl_mechanism="plain",
                   username="writer", password=SecretStr("writer-pass"))  # fmt: skip
    outcomes = await send(there, [KafkaRecord(topic, None, b"1"), KafkaRecord(topic, b"k", b"2")])
    assert {(o.code, o.unreachable, o.unknown) for o in outcomes} == {("no_leader", True, False)}


def test_a_run_against_a_broker_out_of_reach_gives_nothing_up(
    misadvertised: KafkaServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka_producer, "_STUCK_SECONDS", 1.0)
    topic = misadvertised.create_topic("elsewhere-3", 1)
    file = write_project(tmp_path, {
        "hosts": misadvertised.sasl_plaintext, "topic": topic, "sasl_mechanism": "plain",
        "username": "writer", "password": "writer-pass",
    }, 3)  # fmt: skip
    code, summary, said = run(capsys, tmp_path, file)
    assert code == 1
    assert (summary["read"], summary["delivered"], summary["rejected"]) == (3, 0, 0)
    assert summary["retried"] == 6 or summary["retried"] == 3
    assert "127.0.0.1:9" in said
    assert "may have been written" not in said


# --- the check looks at topic and samples ------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "key", "size", "status", "says"),
    [
        ({}, None, 100, "passed", "may write"),
        ({"cleanup.policy": "compact"}, None, 100, "failed", "2 of 2 sample records have none"),
        ({"cleanup.policy": "compact,delete"}, None, 100, "failed", "compacted"),
        ({"cleanup.policy": "compact"}, b"k", 100, "passed", "every record needs a key"),
        ({"max.message.bytes": "500"}, b"k", 600, "failed", "takes 500 bytes"),
        ({"max.message.bytes": "500"}, b"k", 300, "passed", "may write"),
        ({"min.insync.replicas": "2"}, b"k", 100, "inconclusive", "replicas is 2 with 1 replica"),
    ],
    ids=str,
)
async def test_the_check_asks_what_a_topic_takes(
    kafka_server: KafkaServer, settings: dict[str, str], key: bytes | None, size: int,
    status: str, says: str,
) -> None:  # fmt: skip
    topic = f"asked-{abs(hash((str(settings), key, size)))}"
    kafka_server.create_topic(topic, 1, settings)
    samples = [KafkaRecord(topic, key, b"x" * size)] * 2
    link = Kafka.connect(config(kafka_server))
    target = Kafka.Routing(topic=topic).with_sampled(samples)
    step = [s async for s in link.check([target])][-1]
    assert (step.step, step.status) == ("target", status), step
    assert says in step.detail
    delivered = {o.status for o in await send(config(kafka_server), samples)} == {"delivered"}
    if status != "inconclusive":  # which depends on the broker's version
        assert delivered == (status == "passed"), "the check is as right as the delivery"


async def test_who_may_not_read_the_settings_is_told_so(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic("unread-settings", 1)
    user = config(kafka_server, hosts=kafka_server.sasl_plaintext, sasl_mechanism="plain",
                  username="writer", password=SecretStr("writer-pass"))  # fmt: skip
    step = [s async for s in Kafka.connect(user).check([Kafka.Routing(topic=topic)])][-1]
    assert step.status == "passed"
    assert "DESCRIBE_CONFIGS" in step.detail
