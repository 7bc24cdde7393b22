"""How Kafka records travel: one producer, polled by the event loop, one outcome per record."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from routestudio.errors import LinkError
from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, retry
from routestudio.sinks import _kafka_check
from routestudio.sinks._kafka_settings import before_sending, outcome_of, producer_settings
from routestudio.sinks._phash2 import hashes
from routestudio.sinks.base import Link, SinkRouting

if TYPE_CHECKING:
    from routestudio.sinks.kafka import Kafka, KafkaRecord

_PARTITIONS_SECONDS: Final = 60.0
_METADATA_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 1.0
"""Longest single call that blocks a thread: a closed link lets go of its sockets after it."""
_POLL_SECONDS: Final = (0.001, 0.02)
_CLOSE_SECONDS: Final = 0.05
_MAX_TOPICS: Final = 100_000
_HOPELESS: Final = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_SSL"})
_CLOSED: Final = retry("closed", "the connection was closed; the record may have been written",
                       unknown=True)  # fmt: skip
T = TypeVar("T")


class _Batch:
    """Outcomes of one `send`; `None` until the delivery report of a record came."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, size: int, future: asyncio.Future[None]) -> None:
        self.outcomes: list[Outcome | None] = [None] * size
        self.left = size
        self.future = future

    def settle(self, index: int, outcome: Outcome) -> None:
        """The end of one record."""
        self.outcomes[index] = outcome
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(None)

    def reported(self, index: int, error: Any, message: Any) -> None:
        """The delivery report of one record. Written out: it is called for every message."""
        self.outcomes[index] = DELIVERED if error is None else outcome_of(error, message.topic())
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(None)

    def give_up(self) -> None:
        """The link is closed: what has no report may have been written."""
        for index, outcome in enumerate(self.outcomes):
            if outcome is None:
                self.settle(index, _CLOSED)


class KafkaLink(Link):
    """A producer of one sink, made on first use.

    Delivery reports are served on the loop, so nothing here needs a lock. What blocks (metadata,
    the end of a client) happens in daemon threads that `close` does not wait for.
    """

    def __init__(self, config: Kafka.Config) -> None:
        self._config = config
        self._producer: Any = None
        self._closed = threading.Event()
        self._lock = asyncio.Lock()
        self._partitions: dict[str, tuple[float, int]] = {}
        self._pending: set[_Batch] = set()
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._pause = _POLL_SECONDS[0]
        self._broken: tuple[float, Any] | None = None
        self._refusal: type[Exception] = Exception

    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        return _kafka_check.check(self._config, targets, tls_context(self._config))

    async def send(self, batch: Sequence[KafkaRecord]) -> Sequence[Outcome]:
        producer = self._producer or await self._connected()
        self._users += 1
        self._pause = _POLL_SECONDS[0]
        self._keep_polling()
        state = _Batch(len(batch), asyncio.get_running_loop().create_future())
        self._pending.add(state)
        try:
            found = {
                topic: self._known(topic) or await self._partition_count(producer, topic)
                for topic in {record.topic for record in batch}
            }
            hashed = hashes([record.key or b"" for record in batch])
            taken = self._produce(producer, state, batch, 0, found, hashed)
            while taken < len(batch):
                await asyncio.sleep(0.002)
                taken = self._produce(producer, state, batch, taken, found, hashed)
            if state.left:
                await state.future
        finally:
            self._users -= 1
            self._pending.discard(state)
        return [outcome or _CLOSED for outcome in state.outcomes]

    async def close(self) -> None:
        self._closed.set()
        self._closed = threading.Event()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        producer, self._producer = self._producer, None
        pending, self._pending = self._pending, set()
        for batch in pending:
            batch.give_up()
        if producer is None:
            return
        clients = [producer]
        del producer
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_in_thread(partial(_release, clients)), _CLOSE_SECONDS)

    async def _connected(self) -> Any:
        async with self._lock:
            if self._producer is None:
                settings = {**producer_settings(self._config), "error_cb": self._report_error}
                closed = self._closed
                from confluent_kafka import KafkaException

                self._refusal = KafkaException
                producer = await _in_thread(partial(_create, settings))
                if closed.is_set():
                    return producer
                self._producer = producer
        return self._producer

    def _report_error(self, error: Any) -> None:
        """Called by `poll`, on the loop: the client as a whole has a problem."""
        if error.name() in _HOPELESS:
            self._broken = (monotonic(), error)

    def _produce(
        self,
        producer: Any,
        state: _Batch,
        batch: Sequence[KafkaRecord],
        start: int,
        counts: Mapping[str, int | Outcome],
        hashed: Sequence[int],
    ) -> int:
        """Hand the records from `start` on to the client; how many of the batch are handed over.

        Fewer than all when its queue is full. One loop, because it runs for every message.
        """
        produce, reported = producer.produce, state.reported
        for index in range(start, len(batch)):
            record = batch[index]
            count, key = counts[record.topic], record.key
            if isinstance(count, Outcome):
                state.settle(index, before_sending(count))
                continue
            try:
                produce(
                    record.topic, record.value, key or None,
                    hashed[index] % count if key else -1, partial(reported, index),
                )  # fmt: skip
            except BufferError:
                if self._producer is not producer:
                    state.give_up()
                    return len(batch)
                return index
            except self._refusal as error:
                state.settle(index, outcome_of(error.args[0], record.topic))
        return len(batch)

    def _keep_polling(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._pause, self._poll)

    def _poll(self) -> None:
        """Serve delivery reports while anybody waits, less often while none come."""
        self._timer = None
        if self._producer is None:
            return
        served = self._producer.poll(0)
        if self._users:
            fast, slow = _POLL_SECONDS
            self._pause = fast if served else min(self._pause * 1.5, slow)
            self._keep_polling()

    def _known(self, topic: str) -> int | None:
        known = self._partitions.get(topic)
        return known[1] if known and monotonic() - known[0] < _PARTITIONS_SECONDS else None

    async def _partition_count(self, producer: Any, topic: str) -> int | Outcome:
        asked, closed = monotonic(), self._closed
        while True:
            found = await _in_thread(partial(_ask_partitions, producer, topic))
            if isinstance(found, int):
                if len(self._partitions) > _MAX_TOPICS:
                    self._partitions.clear()
                self._partitions[topic] = (monotonic(), found)
                return found
            if topic in self._partitions:
                return self._partitions[topic][1]
            if closed.is_set():
                return retry("closed", "the connection was closed")
            if found.code not in ("_transport", "_timed_out"):
                return found
            if self._broken is not None and self._broken[0] >= asked:
                return outcome_of(self._broken[1], topic)
            if monotonic() - asked >= _METADATA_SECONDS:
                return found


def _create(settings: dict[str, Any]) -> Any:
    from confluent_kafka import KafkaException, Producer

    try:
        return Producer(settings)
    except KafkaException as error:
        raise LinkError(
            f"the Kafka client cannot start: {error.args[0].str()}",
            hint="check the TLS settings and SSL_CERT_FILE",
        ) from None


def _release(clients: list[Any]) -> None:
    """End a client: letting go of the last reference joins its threads and closes its sockets."""
    clients[0].purge()
    clients.clear()


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


async def _in_thread(function: Callable[[], T]) -> T:
    """Run `function` in a daemon thread; when the waiting ends early, the thread still ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        nonlocal function
        result: T | None = None
        failure: Exception | None = None
        try:
            result = function()
        except Exception as error:
            failure = error
        del function
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_hand_over, future, result, failure)

    threading.Thread(target=work, name="kafka", daemon=True).start()
    return await future


def _hand_over(future: asyncio.Future[Any], result: object, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)


def tls_context(config: Kafka.Config) -> ssl.SSLContext | None:
    """The context of the check's own handshake, by the same authorities as delivery uses."""
    return ssl.create_default_context() if config.tls else None
