"""Many changes from a slot through a route to Kafka, with a kill in the middle, counted there."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.support.kafka_server import KafkaServer
from tests.support.postgres_server import PostgresServer
from tests.support.projects import write_project

pytestmark = [pytest.mark.real, pytest.mark.slow]

CHANGES = int(os.environ.get("ROUTESTUDIO_CHANGES", "12000"))
"""How many changes are delivered; 1,000,000 take some minutes."""
KEYS = 1_000
"""Rows that change; each transaction changes all of them once."""
YAML = """\
sinks:
  - name: numbers
    database: shop
    batch_size: 500
    routing: route
    transform: number
    destination: {{type: kafka, hosts: "{hosts}"}}
functions:
  - {{name: route, type: routing, sink_type: kafka, language: python, file: functions/route.py}}
  - {{name: number, type: transform, language: python, file: functions/number.py}}
"""
ROUTE = (
    "def route(action, record, changes, metadata):\n"
    '    return {{"topic": "{topic}", "message_key": str(record["id"])}}\n'
)
NUMBER = (
    "def transform(action, record, changes, metadata):\n"
    '    return {"number": record["number"], "id": record["id"]}\n'
)


def counted(server: KafkaServer, topic: str) -> dict[str, Any]:
    """Everything of a topic: records, changes that are there, and whether each row's came in order.

    A change that comes again may do so late; for the first time each comes after those before it.
    """
    import json

    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    seen, last, records, wrong = bytearray(CHANGES), [-KEYS + key for key in range(KEYS)], 0, 0
    consumer = Consumer({"bootstrap.servers": server.plaintext, "group.id": "count",
                         "enable.auto.commit": False, "enable.partition.eof": True})  # fmt: skip
    try:
        found = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in found])
        open_, until = set(found), monotonic() + 120
        while open_ and monotonic() < until:
            for message in consumer.consume(5_000, timeout=60):
                if message.error() is not None:
                    open_.discard(message.partition())
                    continue
                records += 1
                body = json.loads(message.value() or b"")
                number, key = body["number"], body["id"]
                assert message.key() == str(key).encode()
                if not seen[number]:
                    seen[number] = 1
                    wrong += number != last[key] + KEYS
                    last[key] = number
    finally:
        consumer.close()
    return {"records": records, "changes": sum(seen), "wrong": wrong, "open": len(open_)}


def change(server: PostgresServer, database: str) -> None:
    """Change number n is of row n modulo `KEYS`."""
    with server.link(database) as link:
        for first in range(0, CHANGES, KEYS):
            link.execute(
                "insert into numbers select n %% %s, n from generate_series(%s::int, %s::int) n "
                "on conflict (id) do update set number = excluded.number",
                (KEYS, first, first + KEYS - 1),
            )


async def test_every_change_arrives_in_order_although_the_run_is_killed(
    kafka_server: KafkaServer, kafka_topic: str, postgres_15: PostgresServer, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    functions = {"route": ROUTE.format(topic=kafka_topic), "number": NUMBER}
    write_project(folder, YAML.format(hosts=kafka_server.plaintext), functions, [])
    with postgres_15.database(
        "many", "create table numbers (id int primary key, number int)",
        "create publication routes for table numbers",
    ) as name:  # fmt: skip
        postgres_15.ask("select pg_create_logical_replication_slot('routes', 'pgoutput')", name)
        address = postgres_15.address(name, slot="routes", publication="routes", until="end")
        command = [sys.executable, "-m", "routestudio", "run", str(folder), "numbers", "--input"]
        await asyncio.to_thread(change, postgres_15, name)
        begun = monotonic()
        first = await asyncio.create_subprocess_exec(
            *command, address, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        half = CHANGES // 2 + random.Random(CHANGES).randrange(CHANGES // 10)
        async with asyncio.timeout(60 + CHANGES / 500):
            while await asyncio.to_thread(_held, kafka_server, kafka_topic) < half:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        first.send_signal(signal.SIGKILL)
        assert await first.wait() == -signal.SIGKILL
        killed = await asyncio.to_thread(_held, kafka_server, kafka_topic)
        assert killed < CHANGES
        second = await asyncio.create_subprocess_exec(
            *command, address, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(120 + CHANGES / 500):
            said, _ = await second.communicate()
        assert second.returncode == 0, said.decode()
        seconds = monotonic() - begun
    found = await asyncio.to_thread(counted, kafka_server, kafka_topic)
    print(f"{CHANGES:,} changes, killed at {killed:,}, {found} in {seconds:.0f} s")
    assert found["open"] == 0
    assert found["changes"] == CHANGES
    assert found["wrong"] == 0


def _held(server: KafkaServer, topic: str) -> int:
    """Records that a topic has."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": server.plaintext, "group.id": "look"})
    try:
        found = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=60)
                for number in found]  # fmt: skip
        return sum(high - low for low, high in ends)
    finally:
        consumer.close()
