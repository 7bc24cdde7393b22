"""How Kafka records travel: producers of one sink, and one outcome per record.

A broker refuses a produce batch as a whole, and librdkafka blames every record of it. So what was
refused as part of a batch is sent again by a second producer, each record in its own batch;
only what is refused there is rejected. Batches in which groups repeat have a third one
(`order`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

from routestudio.errors import LinkError
from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, retry
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.base import InOrder, Link, SinkRouting
from routestudio.sinks.kafka import check as kafka_check
from routestudio.sinks.kafka.order import Ordered
from routestudio.sinks.kafka.phash2 import hashes
from routestudio.sinks.kafka.producer import PolledProducer, release
from routestudio.sinks.kafka.refused import REFUSED_TOGETHER, TOO_LARGE
from routestudio.sinks.kafka.settings import (
    ALONE,
    BATCH_BYTES,
    STOPPING,
    before_sending,
    outcome_of,
    producer_settings,
)
from routestudio.sinks.kafka.thread import in_thread

if TYPE_CHECKING:
    from routestudio.sinks.kafka.sink import Kafka, KafkaRecord

_PARTITIONS_SECONDS: Final = 60.0
_METADATA_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 1.0
"""Longest single call that blocks a thread: a closed link lets go of its sockets after it."""
_CLOSE_SECONDS: Final = 0.05
_MAX_TOPICS: Final = 100_000
_LEAST_BATCH: Final = 2_000
_CLOSED: Final = retry("closed", "the connection was closed")


Kind = Literal["many", "alone", "ordered"]


class KafkaLink(Link):
    """The producers of one sink, made on first use and again after a fatal error.

    What blocks (metadata, the end of a client) happens in daemon threads that `close` does not
    wait for.
    """

    def __init__(self, config: Kafka.Config) -> None:
        self._config = config
        self._producers: dict[Kind, PolledProducer] = {}
        self._ordered = Ordered(partial(self._producer, "ordered"), self._unordered, self._shrink)
        self._old: set[PolledProducer] = set()
        self._closed = threading.Event()
        self._lock = asyncio.Lock()
        self._partitions: dict[str, tuple[float, int]] = {}
        self._batch_bytes = BATCH_BYTES

    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        return kafka_check.check(self._config, targets, tls_context(self._config))

    async def send(self, batch: Sequence[KafkaRecord]) -> Sequence[Outcome]:
        counts = {
            topic: self._known(topic) or await self._partition_count(topic)
            for topic in {record.topic for record in batch}
        }
        refused = {topic: c for topic, c in counts.items() if isinstance(c, Outcome)}
        known = {topic: c for topic, c in counts.items() if not isinstance(c, Outcome)}
        if not refused:
            return await self._deliver(batch, known)
        if isinstance(batch, InOrder):
            return [before_sending(next(iter(refused.values())))] * len(batch)
        found = await self._deliver([r for r in batch if r.topic in known], known)
        sent = iter(found)
        return [
            next(sent) if record.topic in known else before_sending(refused[record.topic])
            for record in batch
        ]

    async def _deliver(
        self, batch: Sequence[KafkaRecord], counts: Mapping[str, int]
    ) -> list[Outcome]:
        """Send records to topics of which the number of partitions is known."""
        hashed = hashes([record.key or b"" for record in batch])
        partitions = [
            number % counts[record.topic] if record.key else -1
            for record, number in zip(batch, hashed, strict=True)
        ]
        if isinstance(batch, InOrder):
            return await self._ordered.send(batch, partitions)
        return await self._unordered(batch, partitions)

    async def _unordered(
        self, batch: Sequence[KafkaRecord], partitions: Sequence[int]
    ) -> list[Outcome]:
        """Send records that may pass each other."""
        many = await self._producer("many")
        found = await many.send(batch, partitions)
        if found.count(DELIVERED) != len(found):
            await self._each_alone(batch, partitions, found, many)
        return found

    async def _each_alone(
        self,
        batch: Sequence[KafkaRecord],
        partitions: Sequence[int],
        found: list[Outcome],
        many: PolledProducer,
    ) -> None:
        """Send what was refused as part of a batch again, each record in its own batch.

        In their order, and one after the other. Smaller batches are made from now on where the
        size was refused.
        """
        refused = [i for i, outcome in enumerate(found) if outcome.code == REFUSED_TOGETHER]
        if not refused:
            return
        self._shrink(many, [batch[i].size for i in refused if found[i].reason == TOO_LARGE])
        try:
            alone = await self._producer("alone")
        except LinkError as error:
            # Others of the batch may be written, so it cannot be lost as a whole.
            again = [retry("closed", error.message)] * len(refused)
        else:
            again = await alone.send([batch[i] for i in refused], [partitions[i] for i in refused])
        for index, outcome in zip(refused, again, strict=True):
            found[index] = outcome

    def _shrink(self, producer: PolledProducer, sizes: Sequence[int]) -> None:
        """Make smaller batches from now on, after one of records of these sizes was too large."""
        if producer.settings["batch.size"] != self._batch_bytes:
            return  # a producer from before: it is known already
        if any(size < self._batch_bytes for size in sizes):
            refused = min(self._batch_bytes, sum(sizes))
            self._batch_bytes = max(refused // 2, _LEAST_BATCH)
            for kind in [kind for kind in self._producers if kind != "alone"]:
                self._retire(self._producers.pop(kind))

    async def close(self) -> None:
        self._closed.set()
        self._closed = threading.Event()
        producers = [*self._producers.values(), *self._old]
        self._producers.clear()
        self._old.clear()
        clients = [each.stop() for each in producers]
        clients = [client for client in clients if client is not None]
        if clients:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(in_thread(partial(release, clients)), _CLOSE_SECONDS)

    async def _producer(self, kind: Kind) -> PolledProducer:
        """A producer that can send: the one that is there, or a new one."""
        found = self._producers.get(kind)
        if found is not None and not found.ended:
            return found
        async with self._lock:
            found = self._producers.get(kind)
            if found is not None and not found.ended:
                return found
            if found is not None:
                self._retire(found)
            settings, closed = self._settings(kind), self._closed
            made = PolledProducer(settings, self._config.hosts, whole=kind != "alone",
                                  stops=kind == "ordered")  # fmt: skip
            await made.start()
            if closed.is_set():
                client = [made.stop()]
                await in_thread(partial(release, client))
            else:
                self._producers[kind] = made
            return made

    def _settings(self, kind: Kind) -> dict[str, Any]:
        more = {"many": {}, "alone": ALONE, "ordered": STOPPING}[kind]
        return {**producer_settings(self._config), "batch.size": self._batch_bytes, **more}

    def _retire(self, producer: PolledProducer) -> None:
        """Nothing more is sent by it; what it has is served to its end."""
        producer.retire()
        self._old = {old for old in self._old if old.raw is not None} | {producer}

    def _known(self, topic: str) -> int | None:
        known = self._partitions.get(topic)
        return known[1] if known and monotonic() - known[0] < _PARTITIONS_SECONDS else None

    async def _partition_count(self, topic: str) -> int | Outcome:
        producer = await self._producer("many")
        asked, closed = monotonic(), self._closed
        while True:
            raw = producer.raw
            if raw is None or closed.is_set():
                return _CLOSED
            found = await in_thread(partial(_ask_partitions, raw, topic))
            del raw
            if isinstance(found, int):
                if len(self._partitions) > _MAX_TOPICS:
                    self._partitions.clear()
                self._partitions[topic] = (monotonic(), found)
                return found
            if topic in self._partitions:
                return self._partitions[topic][1]
            if closed.is_set():
                return _CLOSED
            if found.code not in ("_transport", "_timed_out"):
                return found
            hopeless = producer.trouble.hopeless
            if hopeless is not None and hopeless[0] >= asked:
                return outcome_of(hopeless[1], topic)
            if monotonic() - asked >= _METADATA_SECONDS:
                return found


def _ask_partitions(producer: Any, topic: str) -> int | Outcome:
    from confluent_kafka import KafkaException

    try:
        metadata = producer.list_topics(topic, timeout=_CALL_SECONDS)
    except KafkaException as error:
        return outcome_of(error.args[0], topic)
    entry = metadata.topics[topic]
    if entry.error is not None:
        return outcome_of(entry.error, topic)
    return len(entry.partitions) or retry("unknown_topic", f"{topic} has no partitions yet")


def tls_context(config: Kafka.Config) -> ssl.SSLContext | None:
    """The context of the check's own handshake, by the same authorities as delivery uses."""
    return client_context() if config.tls else None
