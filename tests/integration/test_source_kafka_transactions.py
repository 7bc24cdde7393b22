"""Kafka topics with transactions as a source: what was aborted is not there, what is open waits."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.test_source_kafka_faults import committed, opened, take
from tests.support.kafka_server import KafkaServer

pytestmark = pytest.mark.real


@contextmanager
def transaction(server: KafkaServer, topic: str, *numbers: int) -> Iterator[Any]:
    """A transaction with these rows, which is aborted unless the block commits it."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": server.plaintext,
                         "transactional.id": f"t-{uuid.uuid4().hex[:8]}"})  # fmt: skip
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in numbers:
        value = {"action": "insert", "record": {"id": number, "number": number}}
        producer.produce(topic, json.dumps(value).encode(), b"same")
    assert producer.flush(30) == 0
    done: list[bool] = []
    try:
        yield lambda: done.append(True)
    finally:
        (producer.commit_transaction if done else producer.abort_transaction)(30)


def committed_rows(server: KafkaServer, topic: str, *numbers: int) -> None:
    with transaction(server, topic, *numbers) as commit:
        commit()


async def test_only_what_was_committed_is_read(kafka_server: KafkaServer) -> None:
    """The markers of transactions take offsets, too, and are committed over."""
    topic = kafka_server.create_topic(f"tx-{uuid.uuid4().hex[:8]}", partitions=1)
    group = f"g-{uuid.uuid4().hex[:8]}"
    committed_rows(kafka_server, topic, 1, 2)
    with transaction(kafka_server, topic, 3, 4):
        pass
    committed_rows(kafka_server, topic, 5)
    with transaction(kafka_server, topic, 6):
        pass
    text = f"kafka://{kafka_server.plaintext}/{topic}?group={group}&until=end"
    async with opened(text) as (_, session):
        assert await take(session, 10) == [1, 2, 5]
        session.save(3)
    assert committed(kafka_server, topic, group) >= 7


async def test_a_transaction_that_is_open_is_waited_for(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic(f"tx-{uuid.uuid4().hex[:8]}", partitions=1)
    group = f"g-{uuid.uuid4().hex[:8]}"
    committed_rows(kafka_server, topic, 1)
    text = f"kafka://{kafka_server.plaintext}/{topic}?group={group}"
    with transaction(kafka_server, topic, 2) as commit:
        committed_rows(kafka_server, topic, 3)
        async with opened(text) as (_, session):
            assert await take(session, 1) == [1]
            session.save(1)
        assert committed(kafka_server, topic, group) <= 2
        commit()
    async with opened(text) as (_, session):
        assert await take(session, 2) == [2, 3]
        session.save(2)
