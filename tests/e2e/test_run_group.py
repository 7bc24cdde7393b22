"""Two processes in one Kafka consumer group: what they tell of it, and a drain of each."""

from __future__ import annotations

import json
import signal
import uuid
from pathlib import Path

import pytest

from tests.support.http_server import HttpReceiver
from tests.support.kafka_server import KafkaServer
from tests.support.run_project import SINK, ids_of, rows, write_run_project
from tests.support.running import Running, start_run

pytestmark = [pytest.mark.e2e, pytest.mark.real]

PARTITIONS = 4


def add_rows(kafka: KafkaServer, topic: str, start: int, count: int) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.plaintext})
    for row in rows(start + count)[start:]:
        number = row["record"]["id"]
        producer.produce(topic, json.dumps(row), key=str(number), partition=number % PARTITIONS)
    assert producer.flush(60) == 0


def left(kafka: KafkaServer, topic: str, group: str) -> int:
    """Records behind the group's committed offsets, asked with a client of its own."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.plaintext, "group.id": group})
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        committed = consumer.committed(places, timeout=60)
        ends = [consumer.get_watermark_offsets(place, timeout=60)[1] for place in places]
    finally:
        consumer.close()
    return sum(end - max(0, place.offset) for end, place in zip(ends, committed, strict=True))


def delivered(*runs: Running) -> int:
    return sum(int(run.metrics()["routestudio_messages_total status=delivered"]) for run in runs)


def test_a_second_process_takes_its_share_and_both_drain(
    tmp_path: Path, http_receiver: HttpReceiver, kafka_server: KafkaServer
) -> None:
    project = write_run_project(tmp_path / "p", http_receiver.url, [])
    topic = kafka_server.create_topic(f"run-{uuid.uuid4().hex[:10]}", partitions=PARTITIONS)
    group = f"studio-{uuid.uuid4().hex[:10]}"
    uri = f"kafka://{kafka_server.plaintext}/{topic}?group={group}&session=6"
    add_rows(kafka_server, topic, 0, 40)
    with start_run(project, SINK, "--input", uri) as first:
        first.wait_until(lambda found: delivered(first) == 40)
        first.wait_until(lambda found: found.get("routestudio_source_lag_messages") == 0)
        first.wait_for("source", says=f"assigned: {topic}")
        assert first.get("/healthz")[0] == 200
        with start_run(project, SINK, "--input", uri) as second:
            second.wait_for("source", says=f"assigned: {topic}")
            add_rows(kafka_server, topic, 40, 40)
            first.wait_until(lambda found: delivered(first, second) >= 80)
            assert delivered(second) > 0
            second.send(signal.SIGTERM)
            code, of_second = second.end()
            assert (code, of_second["cancelled"]) == (0, False)
        add_rows(kafka_server, topic, 80, 40)
        first.wait_until(lambda found: delivered(first) + of_second["delivered"] >= 120)
        first.send(signal.SIGTERM)
        code, of_first = first.end()
    assert code == 0
    assert set(ids_of(http_receiver.requests)) == set(range(120))
    assert of_first["delivered"] + of_second["delivered"] == len(ids_of(http_receiver.requests))
    assert left(kafka_server, topic, group) == 0
