"""How Kafka records travel: one producer, one polling thread, one outcome per record."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, retry
from routestudio.sinks import _kafka_check
from routestudio.sinks._kafka_settings import outcome_of, producer_settings
from routestudio.sinks._phash2 import partition
from routestudio.sinks.base import Link, SinkRouting

if TYPE_CHECKING:
    from routestudio.sinks.kafka import Kafka, KafkaRecord

_POLL_SECONDS: Final = 0.05
_PARTITIONS_SECONDS: Final = 60.0
_METADATA_SECONDS: Final = 10.0


class _Batch:
    """Outcomes of one `send`, filled by the polling thread."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, size: int, future: asyncio.Future[None]) -> None:
        self.outcomes: list[Outcome] = [DELIVERED] * size
        self.left = size
        self.future = future


class KafkaLink(Link):
    """A producer of one sink. Made on first use; `close` ends its thread."""

    def __init__(self, config: Kafka.Config) -> None:
        self._config = config
        self._producer: Any = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finished: list[_Batch] = []
        self._executor = ThreadPoolExecutor(2, "kafka")
        self._partitions: dict[str, tuple[float, int]] = {}
        self._lock = asyncio.Lock()
        self._pending = 0

    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        return _kafka_check.check(self._config, targets, tls_context(self._config))

    async def send(self, batch: Sequence[KafkaRecord]) -> Sequence[Outcome]:
        producer = await self._connected()
        counts: dict[str, int] = {}
        unknown: dict[str, Outcome] = {}
        for topic in {record.topic for record in batch}:
            found = await self._partition_count(topic)
            if isinstance(found, Outcome):
                unknown[topic] = found
            else:
                counts[topic] = found
        state = _Batch(len(batch), asyncio.get_running_loop().create_future())
        self._pending += 1
        try:
            for index, record in enumerate(batch):
                if record.topic in unknown:
                    self._settle(state, index, unknown[record.topic])
                else:
                    await self._produce(producer, state, index, record, counts[record.topic])
            if state.left:
                await state.future
        finally:
            self._pending -= 1
        return state.outcomes

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        thread, self._thread = self._thread, None
        self._stop.set()
        if producer is not None and self._pending:
            producer.purge()
        if thread is not None:
            await asyncio.to_thread(thread.join, 5)
        del producer
        await asyncio.to_thread(self._executor.shutdown, True, cancel_futures=True)

    async def _connected(self) -> Any:
        async with self._lock:
            if self._producer is None:
                self._loop = asyncio.get_running_loop()
                self._stop.clear()
                self._producer = await self._loop.run_in_executor(self._executor, self._create)
                self._thread = threading.Thread(
                    target=self._poll, args=(self._producer,), name="kafka poll", daemon=True
                )
                self._thread.start()
        return self._producer

    def _create(self) -> Any:
        from confluent_kafka import Producer

        return Producer(producer_settings(self._config))

    async def _produce(
        self, producer: Any, state: _Batch, index: int, record: KafkaRecord, count: int
    ) -> None:
        from confluent_kafka import KafkaException

        key = record.key
        while True:
            try:
                if key:
                    producer.produce(
                        record.topic, record.value, key, partition(key, count),
                        partial(self._reported, state, index),
                    )  # fmt: skip
                else:
                    producer.produce(
                        record.topic, record.value, None, -1, partial(self._reported, state, index)
                    )
                return
            except BufferError:
                await asyncio.sleep(0.002)
            except KafkaException as error:
                self._settle(state, index, outcome_of(error.args[0], record.topic))
                return

    def _settle(self, state: _Batch, index: int, outcome: Outcome) -> None:
        """Called on the loop: an outcome without a delivery report."""
        state.outcomes[index] = outcome
        with _count_lock:
            state.left -= 1

    def _reported(self, state: _Batch, index: int, error: Any, message: Any) -> None:
        """Called in the polling thread for each record."""
        if error is not None:
            state.outcomes[index] = outcome_of(error, message.topic())
        with _count_lock:
            state.left -= 1
            if state.left == 0:
                self._finished.append(state)

    def _poll(self, producer: Any) -> None:
        while not self._stop.is_set():
            producer.poll(_POLL_SECONDS)
            self._hand_over()
        producer.poll(0)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._finished and self._loop is not None:
            with _count_lock:
                finished, self._finished = self._finished, []
            try:
                self._loop.call_soon_threadsafe(_resolve, finished)
            except RuntimeError:
                return

    async def _partition_count(self, topic: str) -> int | Outcome:
        known = self._partitions.get(topic)
        if known is not None and monotonic() - known[0] < _PARTITIONS_SECONDS:
            return known[1]
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._executor, self._ask_partitions, topic)
        if isinstance(found, int):
            if len(self._partitions) > 100_000:
                self._partitions.clear()
            self._partitions[topic] = (monotonic(), found)
        elif known is not None:
            return known[1]
        return found

    def _ask_partitions(self, topic: str) -> int | Outcome:
        from confluent_kafka import KafkaException

        producer = self._producer
        if producer is None:
            return retry("closed", "the connection is closed")
        try:
            metadata = producer.list_topics(topic, timeout=_METADATA_SECONDS)
        except KafkaException as error:
            return outcome_of(error.args[0], topic)
        entry = metadata.topics[topic]
        if entry.error is not None:
            return outcome_of(entry.error, topic)
        return len(entry.partitions) or retry("unknown_topic", f"{topic} has no partitions yet")


_count_lock = threading.Lock()


def _resolve(finished: list[_Batch]) -> None:
    for batch in finished:
        if not batch.future.done():
            batch.future.set_result(None)


def tls_context(config: Kafka.Config) -> ssl.SSLContext | None:
    """The context of the check's own handshake, by the same authorities as delivery uses."""
    return ssl.create_default_context() if config.tls else None
