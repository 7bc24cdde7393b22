"""Delivery to a real Apache Kafka against a bare `produce` loop that keeps the same order.

Bars: 0.8 where rows repeat, otherwise 0.5. The loop is an idempotent producer that ends at the
first gap, as ours does where rows repeat.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from routestudio.sinks.kafka.settings import STOPPING, producer_settings
from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.harness import Measure, Options, Unavailable, jobs
from tests.support.certificates import Authority
from tests.support.kafka_server import start_kafka

BATCH = 200


async def measure(options: Options) -> Sequence[Measure]:
    """`produce` with a delivery callback and `poll` in a loop, then `flush`; equal settings."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            starting = start_kafka(Path(folder) / "kafka", Authority(Path(folder)))
            with starting as server:
                topic = server.create_topic("bench", partitions=3)
                return await _measure(server.plaintext, topic, options)
        except pytest.skip.Exception as reason:
            raise Unavailable(str(reason)) from None


async def _measure(address: str, topic: str, options: Options) -> Sequence[Measure]:
    bound = bound_sink("kafka", {"hosts": address, "topic": topic}, BATCH)

    async def bare(records: Sequence[Any]) -> None:
        producer = Producer({**producer_settings(bound.config), **STOPPING})
        done = 0

        def reported(error: object, message: object) -> None:
            nonlocal done
            assert error is None
            done += 1

        for record in records:
            while True:
                try:
                    producer.produce(record.topic, record.value, record.key, on_delivery=reported)
                    break
                except BufferError:
                    producer.poll(0.01)
            producer.poll(0)
        producer.flush(30)
        assert done == len(records)

    found: list[Measure] = []
    for shape, messages, raw, bar in jobs(options, bar=0.8, other=0.5):
        name = f"Kafka, batches of {BATCH}, {shape}"
        found += await compare(name, bound, messages, bare, bar, options, raw=raw)
    return found
