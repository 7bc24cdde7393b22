"""The Kafka stand-in: librdkafka's own mock cluster, read back by a consumer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from routestudio.errors import LinkError
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived, Standin, as_text


class KafkaStandin(Standin):
    """A mock cluster of one broker inside this process. Topics have four partitions."""

    kind: ClassVar[str] = "kafka"
    title: ClassVar[str] = "Kafka cluster"

    def __init__(self) -> None:
        self._cluster: Any = None
        self._address: StandinAddress | None = None
        self._executor = ThreadPoolExecutor(1, "kafka stand-in")
        self._cleared: dict[tuple[str, int], int] = {}

    async def start(self) -> StandinAddress:
        if self._address is None:
            loop = asyncio.get_running_loop()
            self._address = await loop.run_in_executor(self._executor, self._start)
        return self._address

    async def arrived(self, limit: int = 10_000) -> list[Arrived]:
        if self._address is None:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, limit)

    async def clear(self) -> None:
        for item in await self.arrived(10_000_000):
            place = (item.destination, int(item.details["partition"]))
            offset = int(item.details["offset"]) + 1
            self._cleared[place] = max(self._cleared.get(place, 0), offset)

    async def stop(self) -> None:
        self._cluster = None
        self._address = None
        await asyncio.to_thread(self._executor.shutdown, True)

    def _start(self) -> StandinAddress:
        from confluent_kafka import KafkaException, Producer

        try:
            self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
            brokers = list(self._cluster.list_topics(timeout=10).brokers.values())
        except KafkaException as error:
            raise LinkError(f"the Kafka stand-in cannot start: {error.args[0].str()}") from None
        return StandinAddress(brokers[0].host, brokers[0].port)

    def _read(self, limit: int) -> list[Arrived]:
        from confluent_kafka import Consumer, TopicPartition

        address = self._address
        if address is None:
            return []
        consumer = Consumer(
            {"bootstrap.servers": f"{address.host}:{address.port}", "group.id": "stand-in",
             "enable.auto.commit": False, "log_level": 0, "fetch.wait.max.ms": 20}
        )  # fmt: skip
        try:
            ends: dict[tuple[str, int], int] = {}
            places = []
            for topic, entry in consumer.list_topics(timeout=10).topics.items():
                for number in entry.partitions:
                    start = self._cleared.get((topic, number), 0)
                    _, high = consumer.get_watermark_offsets(TopicPartition(topic, number),
                                                             timeout=5)  # fmt: skip
                    if high > start:
                        ends[topic, number] = high
                        places.append(TopicPartition(topic, number, start))
            if not places:
                return []
            consumer.assign(places)
            found: list[tuple[float, Arrived]] = []
            for _ in range(200):
                for message in consumer.consume(1000, 0.05):
                    if message.error() is None:
                        found.append((message.timestamp()[1], _arrived(message)))
                        place = (str(message.topic()), int(message.partition() or 0))
                        if int(message.offset() or 0) + 1 >= ends.get(place, 0):
                            ends.pop(place, None)
                if not ends or len(found) >= limit:
                    break
            found.sort(key=lambda item: item[0])
            return [item for _, item in found[:limit]]
        finally:
            consumer.close()


def _arrived(message: Any) -> Arrived:
    key = message.key()
    return Arrived(
        message.topic(),
        as_text(message.value() or b""),
        None if key is None else as_text(key),
        {"partition": message.partition(), "offset": message.offset()},
    )
