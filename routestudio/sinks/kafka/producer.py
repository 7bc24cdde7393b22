"""One librdkafka producer, polled by the event loop: what is handed over gets an outcome.

Whatever happens inside of `poll` (librdkafka's fatal errors come out of it as exceptions), the
polling goes on until every record has its outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import orjson

from routestudio.errors import LinkError
from routestudio.model.outcome import DELIVERED, Outcome, retry
from routestudio.sinks.kafka.refused import GAP, STOPPED
from routestudio.sinks.kafka.settings import (
    Trouble,
    fatal_outcome,
    not_sent,
    outcome_of,
    perhaps_sent,
    refused_together,
)
from routestudio.sinks.kafka.thread import in_thread

if TYPE_CHECKING:
    from routestudio.sinks.kafka.sink import KafkaRecord

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = (0.001, 0.02)
_IDLE_SECONDS: Final = 0.5
"""Between two polls while nothing is sent: what the client has to report must not pile up."""

_STUCK_SECONDS: Final = 8.0
"""Seconds without any report, while a broker refuses connections, until what was never sent is
taken back."""

_LATE_SECONDS: Final = 30.0
"""Seconds until a producer is given up whose settings have no limit for a record."""

_END_SECONDS: Final = 5.0
"""Seconds for the last reports of a producer that had to stop."""

_SNAPSHOTS: Final = 64
_SNAPSHOT_BYTES: Final = 1_000_000
_UNUSED: Final = retry("closed", "the connection was closed")
_CLOSED: Final = retry("closed", "the connection was closed; the record may have been written",
                       unknown=True)  # fmt: skip
Place = tuple[str, int]

_QUIET: Final = logging.getLogger("routestudio.librdkafka")
"""librdkafka writes fatal errors to standard error, whatever its level; they are outcomes here."""
_QUIET.disabled = True


class _Batch:
    """Outcomes of one `send`; `None` until the delivery report of a record came."""

    __slots__ = ("begun", "doubtful", "future", "left", "outcomes", "whole")

    def __init__(self, size: int, future: asyncio.Future[None], whole: bool) -> None:
        self.outcomes: list[Outcome | None] = [None] * size
        self.left = size
        self.future = future
        self.whole = whole
        self.begun = monotonic()
        self.doubtful: dict[int, Place] = {}

    def settle(self, index: int, outcome: Outcome) -> None:
        """The end of one record."""
        self.outcomes[index] = outcome
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(None)

    def reported(self, index: int, error: Any, message: Any) -> None:
        """The delivery report of one record. Written out: it is called for every message."""
        if error is None:
            self.outcomes[index] = DELIVERED
        else:
            name = error.name()
            if name in ("_MSG_TIMED_OUT", "_PURGE_QUEUE"):
                # Whether it was ever sent is known from the next statistics.
                partition = message.partition()
                self.doubtful[index] = (
                    message.topic(), -1 if partition is None else partition
                )  # fmt: skip
                return
            together = refused_together(name) if self.whole else None
            self.outcomes[index] = together or outcome_of(error, message.topic())
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(None)

    def give_up(self, outcome: Outcome = _CLOSED) -> None:
        """Nothing more will be reported: what has no report may have been written."""
        self.doubtful.clear()
        for index, known in enumerate(self.outcomes):
            if known is None:
                self.settle(index, outcome)


class _Sent:
    """How many records went out to each partition, as librdkafka counts them in its statistics.

    Its delivery reports do not show whether a record that timed out was ever sent.
    """

    def __init__(self) -> None:
        self._texts: deque[tuple[float, str]] = deque(maxlen=_SNAPSHOTS)

    def note(self, text: str) -> None:
        """New statistics. Those of very many topics are not kept."""
        self._texts.append((monotonic(), text if len(text) <= _SNAPSHOT_BYTES else ""))

    def since(self, moment: float) -> Callable[[Place], bool]:
        """Whether something may have been sent to a place since `moment`."""
        if not self._texts or not self._texts[-1][1]:
            return lambda place: True
        before = [text for at, text in self._texts if at <= moment]
        first = _counts(before[-1]) if before else {}
        last = _counts(self._texts[-1][1])

        def sent(place: Place) -> bool:
            # A record without a partition has not been sent to one.
            return place[1] >= 0 and last.get(place, 0) > first.get(place, 0)

        return sent

    def anything_since(self, moment: float) -> bool:
        """Whether something may have been sent anywhere since `moment`."""
        if not self._texts:
            return True
        sent = self.since(moment)
        return any(sent(place) for place in _counts(self._texts[-1][1])) or sent(("", 0))


def _counts(text: str) -> dict[Place, int]:
    if not text:
        return {}
    topics = orjson.loads(text).get("topics", {})
    return {
        (topic, int(number)): partition.get("txmsgs", 0)
        for topic, found in topics.items()
        for number, partition in found.get("partitions", {}).items()
    }


class PolledProducer:
    """A client whose reports are served on the loop, so nothing here needs a lock.

    `whole`: its batches hold several records, and the broker refuses a batch as a whole. `stops`:
    nothing is sent after a record that was refused or given up; what was handed over behind it and
    was not sent is `STOPPED`. `ended` means that it takes nothing more; make another one.
    """

    def __init__(
        self, settings: dict[str, Any], hosts: str, *, whole: bool, stops: bool = False
    ) -> None:
        self.settings = settings
        self.whole = whole
        self.stops = stops
        self.ended = False
        self.retired = False
        self.trouble = Trouble(hosts)
        self.raw: Any = None
        self._fatal: Any = None
        self._stopped_at: float | None = None
        self._given_up = False
        self._sent = _Sent()
        self._pending: set[_Batch] = set()
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._pause = _POLL_SECONDS[0]
        self._reported_at = 0.0
        self._left = 0
        self._refusal: type[Exception] = Exception

    async def start(self) -> None:
        """Make the client. Raises `LinkError` for settings that it refuses."""
        from confluent_kafka import KafkaException

        self._refusal = KafkaException
        callbacks = {"error_cb": self.trouble.note, "stats_cb": self._count, "logger": _QUIET}
        settings = {**self.settings, "statistics.interval.ms": 1000, **callbacks}
        self.raw = await in_thread(partial(_create, settings))
        self._keep_polling()

    async def send(self, batch: Sequence[KafkaRecord], partitions: Sequence[int]) -> list[Outcome]:
        """An outcome for each record; see `refused_together`."""
        if not batch:
            return []
        state = _Batch(len(batch), asyncio.get_running_loop().create_future(), self.whole)
        if self.raw is None or self.ended:
            stopped = self._stopped_at is not None
            return [self._unsent() if stopped else _UNUSED] * len(batch)
        if not self._users:
            self._reported_at = monotonic()
        self._users += 1
        self._pending.add(state)
        self._pause = _POLL_SECONDS[0]
        self._keep_polling(at_once=True)
        try:
            taken = self._produce(state, batch, partitions, 0)
            while taken < len(batch):
                await asyncio.sleep(0.002)
                taken = self._produce(state, batch, partitions, taken)
            if state.left:
                await state.future
        finally:
            self._users -= 1
            self._pending.discard(state)
        return [outcome or _CLOSED for outcome in state.outcomes]

    def _produce(
        self, state: _Batch, batch: Sequence[KafkaRecord], partitions: Sequence[int], start: int
    ) -> int:
        """Hand the records from `start` on to the client; how many of the batch are handed over.

        Fewer than all when its queue is full. One loop, because it runs for every message.
        """
        if self.raw is None:
            state.give_up()
            return len(batch)
        if self.stops and self._stopped_at is not None:
            return self._leave(state, batch, start)
        produce, reported = self.raw.produce, state.reported
        for index in range(start, len(batch)):
            record = batch[index]
            try:
                produce(
                    record.topic, record.value, record.key or None, partitions[index],
                    partial(reported, index),
                )  # fmt: skip
            except BufferError:
                return index
            except self._refusal as error:
                if error.args[0].name() == "_FATAL" and self._fatal is None:
                    # What the fatal error is comes out of the next poll.
                    self._end(None)
                    state.doubtful[index] = (record.topic, -1)
                else:
                    state.settle(index, self._refused(error, record))
                if self.stops:
                    return self._leave(state, batch, index + 1)
        return len(batch)

    def _leave(self, state: _Batch, batch: Sequence[KafkaRecord], start: int) -> int:
        """Hand over nothing more of a batch: what comes behind may not pass what was refused."""
        for index in range(start, len(batch)):
            if self._stopped_at is None:
                state.settle(index, STOPPED)
            else:
                state.doubtful[index] = (batch[index].topic, -1)
        return len(batch)

    def _unsent(self) -> Outcome:
        """The outcome of what was never sent, after the client had to stop."""
        if self.stops and (self._fatal is None or self._fatal.name() == GAP):
            return STOPPED
        return fatal_outcome(self._fatal, sent=False)

    def _refused(self, error: Exception, record: KafkaRecord) -> Outcome:
        """The outcome of a record that the client does not take."""
        found = error.args[0]
        if found.name() == "_FATAL":
            return self._unsent()
        together = refused_together(found.name()) if self.whole else None
        return together or outcome_of(found, record.topic, by_client=True)

    # --- polling -----------------------------------------------------------------------------

    def _keep_polling(self, *, at_once: bool = False) -> None:
        if self._timer is not None:
            if not at_once:
                return
            self._timer.cancel()
        pause = self._pause if self._users else _IDLE_SECONDS
        self._timer = asyncio.get_running_loop().call_later(pause, self._poll)

    def _poll(self) -> None:
        """Serve delivery reports: often while they come, seldom while nothing is sent."""
        self._timer = None
        if self.raw is None:
            return
        served = 0
        try:
            served = self.raw.poll(0)
        except self._refusal as error:
            self._end(error.args[0])
            served = 1
        except Exception:
            log.exception("a report of the Kafka client could not be taken")
            self._end(None)
        now = monotonic()
        left = sum(batch.left for batch in self._pending)
        if left != self._left:
            self._left, self._reported_at = left, now
        if self._stopped_at is not None:
            self._after_the_end(now)
        elif self._users and now - self._reported_at >= _STUCK_SECONDS:
            self._reported_at = now
            self._take_back(now)
        elif self.stops and now - self._begun(now) >= _LATE_SECONDS:
            self._give_all_up()
        if self.retired and not self._users:
            self._let_go()
            return
        fast, slow = _POLL_SECONDS
        self._pause = fast if served else min(self._pause * 1.5, slow)
        self._keep_polling()

    def _end(self, error: Any) -> None:
        """The client will never send again; the reports of what it had still come."""
        if self._stopped_at is None:
            self.ended, self._stopped_at = True, monotonic()
        self._fatal = self._fatal or error

    def _after_the_end(self, now: float) -> None:
        assert self._stopped_at is not None
        if now - self._stopped_at >= _END_SECONDS:
            self._give_up(fatal_outcome(self._fatal, sent=True))
        elif self.stops:
            # What the broker refused for the gap is put into the queue again, and stays there.
            self._purge(in_flight=False)

    def _take_back(self, now: float) -> None:
        """Nothing comes back: end the waiting of what can be sure to be unsent."""
        begun = self._begun(now)
        if not self.trouble.recent(begun) or self._sent.anything_since(begun):
            return
        if self.stops:
            self._give_all_up()
        else:
            self._purge(in_flight=False)

    def _begun(self, now: float) -> float:
        """When the oldest of the batches was handed over whose reports are not complete."""
        return min((batch.begun for batch in self._pending), default=now)

    def _give_all_up(self) -> None:
        """End a producer that stops. Nothing it has is left to be sent, so nothing is passed."""
        self._given_up = True
        self._end(None)
        self._purge(in_flight=True)

    def _purge(self, *, in_flight: bool) -> None:
        with contextlib.suppress(self._refusal):
            self.raw.purge(in_queue=True, in_flight=in_flight, blocking=False)

    def _count(self, text: str) -> None:
        """New statistics: they show which of the records without an answer were never sent."""
        self._sent.note(text)
        for batch in [batch for batch in self._pending if batch.doubtful]:
            sent = self._sent.since(batch.begun)
            doubtful, batch.doubtful = batch.doubtful, {}
            for index, place in doubtful.items():
                if self._stopped_at is not None and not self._given_up:
                    gone = fatal_outcome(self._fatal, sent=True) if sent(place) else self._unsent()
                    batch.settle(index, gone)
                elif sent(place):
                    batch.settle(index, perhaps_sent(place[0]))
                else:
                    batch.settle(index, not_sent(place[0], self.trouble))

    def _give_up(self, outcome: Outcome) -> None:
        for batch in list(self._pending):
            batch.give_up(outcome)

    # --- the end -----------------------------------------------------------------------------

    def stop(self) -> Any:
        """Take nothing more and settle what is being sent; returns the client, to be released."""
        self.ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        raw, self.raw = self.raw, None
        self._give_up(_CLOSED)
        return raw

    def retire(self) -> None:
        """Take nothing more; end when nobody waits for a report any more."""
        self.ended = self.retired = True
        if self.raw is not None:
            self._keep_polling(at_once=True)

    def _let_go(self) -> None:
        clients = [self.stop()]
        threading.Thread(target=release, args=(clients,), name="kafka", daemon=True).start()


def _create(settings: dict[str, Any]) -> Any:
    from confluent_kafka import KafkaException, Producer

    try:
        return Producer(settings)
    except KafkaException as error:
        raise LinkError(
            f"the Kafka client cannot start: {error.args[0].str()}",
            hint="check the TLS settings and SSL_CERT_FILE",
        ) from None


def release(clients: list[Any]) -> None:
    """End clients: letting go of the last reference joins their threads and closes sockets."""
    for client in clients:
        client.purge()
    del client
    clients.clear()
