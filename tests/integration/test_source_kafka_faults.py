"""Kafka topics as a source when things go wrong: signing in, tombstones, a broker that is away."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.reading import SessionRows
from routestudio.errors import LinkError
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.sources.kafka import KafkaSource
from tests.support.certificates import Authority
from tests.support.fault_proxy import start_fault_proxy
from tests.support.kafka_server import KafkaServer, start_kafka

pytestmark = pytest.mark.real


@asynccontextmanager
async def opened(text: str, password: str = "") -> AsyncIterator[tuple[KafkaSource, SessionRows]]:
    """A source and its first session."""
    source = KafkaSource(text, lambda reference: password)
    sessions = source.sessions()
    try:
        async with asyncio.timeout(90):
            session = await anext(sessions)
        yield source, SessionRows(session, RowReader())
        await session.finish()
    finally:
        await source.close()
        await sessions.aclose()


def send(server: KafkaServer, topic: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        value = {"action": "insert", "record": {"id": number % 5, "number": number}}
        server.send(topic, json.dumps(value).encode(), b"same")


async def take(session: SessionRows, count: int) -> list[int]:
    """The next `count` messages, by their numbers; all are finished then."""
    found: list[int] = []
    async with asyncio.timeout(120), aclosing(session.chunks()) as chunks:  # type: ignore[type-var]
        async for rows in chunks:
            found += [row.record["number"] for row in rows if isinstance(row, Message)]
            if len(found) >= count:
                break
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110 - what a thread does is looked at
            await asyncio.sleep(0.02)


def committed(server: KafkaServer, topic: str, group: str) -> int:
    """The group's offset in the topic's one partition."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": server.plaintext, "group.id": group})
    try:
        [found] = consumer.committed([TopicPartition(topic, 0)], timeout=20)
        return int(found.offset)
    finally:
        consumer.close()


@pytest.mark.parametrize(
    ("scheme", "sasl"),
    [("kafka", "plain"), ("kafka", "scram_sha_256"), ("kafkas", "scram_sha_512")],
)
async def test_a_user_signs_in(
    kafka_server: KafkaServer, kafka_topic: str, tmp_path: Path, scheme: str, sasl: str
) -> None:
    send(kafka_server, kafka_topic, 0, 3)
    address = kafka_server.sasl_plaintext
    more = ""
    if scheme == "kafkas":
        address = kafka_server.sasl_ssl.replace("127.0.0.1", "localhost")
        more = f"&ca={kafka_server.authority.file}"
    text = (f"{scheme}://admin@{address}/{kafka_topic}?group=g-{uuid.uuid4().hex[:8]}&sasl={sasl}"
            f"&password=${{WORD}}{more}")  # fmt: skip
    async with opened(text, kafka_server.passwords["admin"]) as (source, session):
        assert await take(session, 3) == [0, 1, 2]
        assert source.connected


async def test_a_wrong_password_is_said_and_not_shown(
    kafka_server: KafkaServer, kafka_topic: str
) -> None:
    text = (f"kafka://admin@{kafka_server.sasl_plaintext}/{kafka_topic}?group=g"
            "&password=${WORD}")  # fmt: skip
    with pytest.raises(LinkError, match=r"(?i)authentication") as caught:
        async with opened(text, "not-the-right-word"):
            pass
    assert "not-the-right-word" not in f"{caught.value} {caught.value.hint}"


async def test_tombstones_and_what_follows_the_last_row_are_committed_too(
    kafka_server: KafkaServer,
) -> None:
    from confluent_kafka import Producer

    topic = kafka_server.create_topic(f"tombs-{uuid.uuid4().hex[:8]}", partitions=1)
    group = f"g-{uuid.uuid4().hex[:8]}"
    text = f"kafka://{kafka_server.plaintext}/{topic}?group={group}&until=end"

    def bury(count: int) -> None:
        producer = Producer({"bootstrap.servers": kafka_server.plaintext})
        for _ in range(count):
            producer.produce(topic, None, b"same")
        assert producer.flush(30) == 0

    bury(2)
    send(kafka_server, topic, 0, 4)
    bury(3)
    async with opened(text) as (_, session):
        assert await take(session, 4) == [0, 1, 2, 3]
        session.save(3)
        await until(lambda: session.passed_over == {"tombstone": 5})
        # The last row is not finished: neither it nor what follows it may be committed.
    assert committed(kafka_server, topic, group) == 5
    async with opened(text) as (_, session):
        assert await take(session, 1) == [3]
        session.save(1)
    assert committed(kafka_server, topic, group) == 9
    bury(2)
    async with opened(text) as (_, session):
        await take(session, 1)
        assert session.passed_over == {"tombstone": 2}
    assert committed(kafka_server, topic, group) == 11


async def test_what_is_left_of_a_compacted_topic_is_read_with_its_headers(
    kafka_server: KafkaServer,
) -> None:
    """Offsets have gaps, the last of them too; headers alone say what the rows are."""
    from confluent_kafka import Producer

    topic = f"compact-{uuid.uuid4().hex[:8]}"
    kafka_server.create_topic(topic, 1, {
        "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01",
        "min.compaction.lag.ms": "0", "delete.retention.ms": "0",
    })  # fmt: skip
    producer = Producer({"bootstrap.servers": kafka_server.plaintext})
    headers: Any = [("__debezium.context.connectorName", b'"postgresql"'), ("__op", b'"u"'),
               ("__table", b'"orders"'), ("__schema", None)]  # fmt: skip
    for number in range(60):
        value = json.dumps({"code": number % 3, "number": number}).encode()
        key = json.dumps({"code": number % 3}).encode()
        producer.produce(topic, None if number == 59 else value, key, headers=headers)
    assert producer.flush(30) == 0

    def compacted() -> bool:  # a new segment, without which the last one is left alone
        producer.produce(topic, b'{"code": 9, "number": 60}', b'{"code": 9}', headers=headers)
        assert producer.flush(30) == 0
        return len(kafka_server.read(topic)) < 10

    await until(compacted)
    group = f"g-{uuid.uuid4().hex[:8]}"
    text = f"kafka://{kafka_server.plaintext}/{topic}?group={group}&until=end"
    found: list[Message] = []
    async with opened(text) as (_, session), aclosing(session.chunks()) as chunks:  # type: ignore[type-var]
        async for rows in chunks:
            found += [row for row in rows if isinstance(row, Message)]
        session.save(len(found))
    # The tombstone, a delete of `code` 2, is dropped some time later.
    rows = [row for row in found if row.record["code"] != 2]
    assert [row.record for row in rows][:2] == [
        {"code": 0, "number": 57}, {"code": 1, "number": 58}
    ]  # fmt: skip
    assert {(row.action, row.metadata["table_name"]) for row in rows} == {("update", "orders")}
    end = kafka_server.read(topic)[-1].offset + 1
    assert committed(kafka_server, topic, group) == end


@pytest.mark.allow_log
async def test_a_broker_that_is_away_for_a_while_loses_nothing(
    tmp_path: Path, ca: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with start_fault_proxy(0) as proxy, start_kafka(
        tmp_path / "kafka", ca, advertised={"SASL_PLAINTEXT": proxy.port}
    ) as server:  # fmt: skip
        proxy.target = int(server.sasl_plaintext.rpartition(":")[2])
        topic = server.create_topic("orders", partitions=1)
        send(server, topic, 0, 5)
        text = (f"kafka://admin@127.0.0.1:{proxy.port}/{topic}?group=g&session=60"
                "&password=${WORD}")  # fmt: skip
        async with opened(text, server.passwords["admin"]) as (source, session):
            assert await take(session, 5) == [0, 1, 2, 3, 4]
            proxy.down()
            await until(lambda: not source.connected)
            session.save(5)  # cannot be committed now
            proxy.up()
            await until(lambda: source.connected)  # though nothing new is there to be read
            send(server, topic, 5, 5)
            assert await take(session, 5) == [5, 6, 7, 8, 9]
            session.save(10)
        assert committed(server, topic, "g") == 10
    assert "; waiting" in caplog.text
    assert server.passwords["admin"] not in caplog.text
