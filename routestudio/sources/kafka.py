"""Topics of Kafka as a source, in a consumer group: more processes share the partitions.

The client runs in its own thread. Each assignment of partitions is one session. Before
partitions are given away, what is in flight of the session is finished and committed, so two
processes never work on a partition at the same time (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Final

from routestudio.errors import LinkError, RouteStudioError, UsageError
from routestudio.model.rows import Raw, RawRow
from routestudio.sinks._shared import tls
from routestudio.sources.base import CHUNK, Session, Source
from routestudio.sources.kafka_session import KafkaSession, Mark
from routestudio.sources.uri import (
    Resolve,
    SourceUri,
    check_options,
    choice,
    number,
    parse,
    password_of,
)

log = logging.getLogger(__name__)

_OPTIONS: Final = {
    "group": "the consumer group, which keeps the position; needed to deliver, not to look",
    "start": "where a new group begins, or a look: `earliest` (default) or `latest`",
    "until": "`stopped` (default) reads on for ever, `end` stops at the end of the topics",
    "tls": "`true` for TLS; so does the scheme `kafkas`",
    "ca": "a file with the certificates of authorities to trust",
    "password": "a variable, written `${NAME}`",
    "sasl": "`plain` (default), `scram_sha_256` or `scram_sha_512`, when there is a user",
    "release": "seconds for which work may go on when partitions are taken away (default 20)",
    "session": "seconds after which the group gives a silent member up (default 30)",
}
_SASL: Final = {"plain": "PLAIN", "scram_sha_256": "SCRAM-SHA-256",
                "scram_sha_512": "SCRAM-SHA-512"}  # fmt: skip
_CONNECT_SECONDS: Final = 15.0
_ASK_SECONDS: Final = 2.0
"""Between two questions whether the broker is back."""


def settings(uri: SourceUri, resolve: Resolve, *, looking: bool = False) -> dict[str, Any]:
    """The client's configuration. Raises `UsageError`."""
    check_options(uri, _OPTIONS, () if looking else ("group",))
    secure = uri.tls or choice(uri, "tls", ("false", "true")) == "true"
    mechanism = choice(uri, "sasl", ("plain", *[name for name in _SASL if name != "plain"]))
    password = password_of(uri, resolve)
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(f"{host}:{port}" for host, port in uri.hosts),
        "group.id": uri.options.get("group", "routestudio"),
        "auto.offset.reset": choice(uri, "start", ("earliest", "latest")),
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "partition.assignment.strategy": "range",
        "session.timeout.ms": round(1000 * number(uri, "session", 30, 6, 300)),
        "security.protocol": ("SASL_" if uri.user else "") + ("SSL" if secure else "PLAINTEXT"),
        "queued.max.messages.kbytes": 16_384,
    }
    if uri.user:
        found |= {"sasl.mechanism": _SASL[mechanism], "sasl.username": uri.user,
                  "sasl.password": password or ""}  # fmt: skip
    elif password:
        raise UsageError("there is a password and no user", hint="write kafka://user@host:port/…")
    if "ca" in uri.options:
        found["ssl.ca.location"] = uri.options["ca"]
    if secure:
        found |= tls.librdkafka()
    return found


class KafkaSource(Source):
    """`kafka://` or `kafkas://`."""

    title = "Kafka topics"
    schemes = ("kafka", "kafkas")
    example = "kafka://broker:9092/changes?group=routes"
    about = (
        "Records of one or more topics (`/orders,customers`), in a consumer group: more processes "
        "share the partitions, and offsets are committed when the messages are finished."
    )
    options = _OPTIONS

    def __init__(self, text: str, resolve: Resolve, *, looking: bool = False) -> None:
        uri = parse(text, 9092)
        self.name = uri.shown
        self.topics = [topic for topic in uri.path.split(",") if topic]
        if not self.topics or "/" in uri.path:
            raise UsageError("the address names no topic", hint="write kafka://host:port/topic?…")
        self._settings = settings(uri, resolve, looking=looking)
        self._latest = choice(uri, "start", ("earliest", "latest")) == "latest"
        self._until_end = choice(uri, "until", ("stopped", "end")) == "end"
        self.patience = number(uri, "release", 20, 1, 240)
        self.loop = asyncio.get_running_loop()
        self.rebalances = 0
        self.waiting = ""
        self._sessions: asyncio.Queue[KafkaSession | RouteStudioError | None] = asyncio.Queue()
        self._session: KafkaSession | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._held: list[Any] = []
        self._paused = False
        self._proven = False
        self._ask_at = 0.0

    async def sessions(self) -> AsyncGenerator[Session, None]:
        """One session for each assignment. Raises `LinkError` or `UsageError` at the start."""
        self._thread = threading.Thread(target=self._run, name="kafka source", daemon=True)
        self._thread.start()
        while True:
            item = await self._sessions.get()
            if item is None:
                return
            if isinstance(item, RouteStudioError):
                raise item
            yield item
            if self._until_end and len(item.at_end) == len(item.partitions):
                return

    @property
    def lag(self) -> int | None:
        """Records behind what was read, in our partitions."""
        session = self._session
        return None if session is None or not session.behind else sum(session.behind.values())

    @property
    def connected(self) -> bool:
        """Whether the broker was heard of since the last trouble."""
        return not self.waiting

    async def look(self, limit: int) -> AsyncIterator[Sequence[RawRow]]:
        """The first records of the partitions, or with `start=latest` the last ones."""
        from routestudio.sources.kafka_look import look

        rows = await asyncio.to_thread(look, self._settings, self.topics, limit, self._latest)
        for start in range(0, len(rows), CHUNK):
            yield rows[start : start + CHUNK]

    async def close(self) -> None:
        """Commit, leave the group and end the thread."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        while thread is not None and thread.is_alive():
            session = self._session
            if session is not None:
                await session.finish()
            await asyncio.sleep(0.01)

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        from confluent_kafka import KafkaException

        try:
            self._consume()
        except RouteStudioError as error:
            self._fail(error)
        except KafkaException as error:
            self._fail(LinkError(f"{self._where}: {_reason(error)}"))
        except Exception as error:
            log.exception("a Kafka source failed")
            self._fail(LinkError(f"{self._where}: a fault in RouteStudio ({type(error).__name__})"))

    def _fail(self, error: RouteStudioError) -> None:
        if self._session is not None:
            self._session.end(error)
        else:
            self.loop.call_soon_threadsafe(self._sessions.put_nowait, error)

    @property
    def _where(self) -> str:
        return f"Kafka at {self._settings['bootstrap.servers']}"

    def _consume(self) -> None:
        from confluent_kafka import Consumer

        quiet = logging.getLogger("routestudio.sources.kafka.client")
        quiet.setLevel(logging.CRITICAL)
        consumer = Consumer({**self._settings, "error_cb": self._client_error}, logger=quiet)
        try:
            self._prove(consumer)
            self._proven, self.waiting = True, ""
            consumer.subscribe(
                self.topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
            while not self._stopping.is_set():
                self._step(consumer)
            if self._session is not None:
                self._give_back(consumer, self._session)
        finally:
            consumer.close()

    def _prove(self, consumer: Any) -> None:
        """Every topic must be there before anything is promised."""
        from confluent_kafka import KafkaException

        for topic in self.topics:
            try:
                found = consumer.list_topics(topic, timeout=_CONNECT_SECONDS).topics[topic]
            except KafkaException as error:
                with contextlib.suppress(KafkaException, RuntimeError):
                    consumer.poll(0)  # lets the client report why
                reason = self.waiting or _reason(error)
                raise LinkError(f"{self._where} cannot be read: {reason}",
                                hint="check hosts, TLS and credentials") from None  # fmt: skip
            if found.error is not None:
                raise UsageError(f"{self._where} has no topic `{topic}` that can be read",
                                 hint=found.error.str())  # fmt: skip

    def _step(self, consumer: Any) -> None:
        """One turn: commit what may be, then read, or keep the membership alive."""
        session = self._session
        if session is not None:
            self._commit(consumer, session, wait=False)
            if self.waiting:
                self._ask(consumer, session)
        ready = session is not None and not session.released and not session.full
        if session is None or not ready or not session.slots.acquire(blocking=False):
            self._wait(consumer)
            return
        if self._paused:
            consumer.resume(consumer.assignment())
            self._paused = False
        found, self._held = self._held, []
        while len(found) < CHUNK:
            message = consumer.poll(0.0 if found else 0.1)
            if self._session is not session:
                # Taken away meanwhile: whoever has the partitions now reads those records again.
                # What came with the new assignment is the new session's.
                self._held += [] if message is None else [message]
                return
            if message is None:
                break
            found.append(message)
        if found:
            self.waiting = ""
            self._look(consumer, session, found[-1])
        rows, marks = self._rows(session, found)
        if rows:
            session.give(rows, marks)
        else:
            session.slots.release()
        if self._until_end and session.partitions <= session.at_end:
            session.at_end = set(session.partitions)
            self._session_over(consumer, session)

    def _look(self, consumer: Any, session: KafkaSession, last: Any) -> None:
        """Note how far the end of the last record's partition is away."""
        from confluent_kafka import KafkaException, TopicPartition

        if last.error() is None:
            place = (last.topic(), last.partition())
            with contextlib.suppress(KafkaException):
                marks = consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
                if marks is not None and marks[1] >= 0:
                    session.behind[place] = max(0, marks[1] - last.offset() - 1)

    def _ask(self, consumer: Any, session: KafkaSession) -> None:
        """See whether the broker is back; a topic where nothing happens would not show it."""
        from confluent_kafka import KafkaException, TopicPartition

        if time.monotonic() < self._ask_at:
            return
        with contextlib.suppress(KafkaException):
            consumer.get_watermark_offsets(TopicPartition(*min(session.partitions)), timeout=1.0)
            self.waiting = ""
            log.info("%s: connected again", self._where)
        self._ask_at = time.monotonic() + _ASK_SECONDS

    def _wait(self, consumer: Any) -> None:
        """Stay a member of the group without reading on; what comes nevertheless is kept."""
        if len(self._held) >= CHUNK and not self._paused:
            consumer.pause(consumer.assignment())
            self._paused = True
        session = self._session
        message = consumer.poll(0.02)
        if self._session is not session:
            self._held = []
        if message is not None:
            self._held.append(message)

    def _session_over(self, consumer: Any, session: KafkaSession) -> None:
        """The end was reached: wait until all is worked off, still a member of the group."""
        session.end()
        assigned = consumer.assignment()
        if assigned:
            consumer.pause(assigned)
        while not session.released and not self._stopping.is_set() and self._session is session:
            consumer.poll(0.02)
            self._commit(consumer, session, wait=False)
        if self._session is session:
            self._commit(consumer, session, wait=True)
            self._session = None
        self._stopping.wait()

    def _rows(
        self, session: KafkaSession, messages: Sequence[Any]
    ) -> tuple[list[RawRow], list[Mark]]:
        from confluent_kafka import KafkaError

        rows: list[RawRow] = []
        marks: list[Mark] = []
        for message in messages:
            place = (message.topic(), message.partition())
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    session.at_end.add(place)
                elif error.fatal() or error.code() in (
                    KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
                    KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC,
                ):  # fmt: skip
                    raise LinkError(f"{self._where}: {error.str()}")
                else:
                    self._client_error(error)
                continue
            rows.append(raw_of(message))
            marks.append(Mark(place, message.offset()))
        return rows, marks

    # --- the group -------------------------------------------------------------------------------

    def _assigned(self, consumer: Any, partitions: Sequence[Any]) -> None:
        places = [(item.topic, item.partition) for item in partitions]
        self._held, self._paused = [], False
        log.info("partitions assigned: %s", ", ".join(f"{t}[{n}]" for t, n in places) or "none")
        if places:
            self._session = KafkaSession(self.name, self.loop, places)
            self.loop.call_soon_threadsafe(self._sessions.put_nowait, self._session)

    def _revoked(self, consumer: Any, partitions: Sequence[Any]) -> None:
        session = self._session
        self.rebalances += 1
        if session is not None:
            self._give_back(consumer, session)

    def _lost(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """The group has given our partitions away already: nothing can be committed any more."""
        session, self._session = self._session, None
        self.rebalances += 1
        log.warning("the consumer group took the partitions away: they are read again by others")
        if session is not None:
            # Somebody else may deliver newer messages of the same groups already.
            self._wait_for(session, 0.0)

    def _give_back(self, consumer: Any, session: KafkaSession) -> None:
        """Let the session's work end, and commit what is finished."""
        self._wait_for(session, self.patience)
        self._commit(consumer, session, wait=True)
        self._session = None

    def _wait_for(self, session: KafkaSession, seconds: float) -> None:
        waiting = asyncio.run_coroutine_threadsafe(session.release(seconds), self.loop)
        try:
            waiting.result(seconds + 5)
        except TimeoutError:
            waiting.cancel()
            log.warning("the work on given-away partitions did not end in time")

    def _commit(self, consumer: Any, session: KafkaSession, *, wait: bool) -> None:
        from confluent_kafka import KafkaException, TopicPartition

        offsets = session.take_due(everything=wait)
        if not offsets:
            return
        wanted = [TopicPartition(t, p, o) for (t, p), o in offsets.items()]
        try:
            found = consumer.commit(offsets=wanted, asynchronous=not wait)
        except KafkaException as error:
            log.warning("offsets could not be committed: %s", _reason(error))
            return
        failed = [item for item in found or () if item.error is not None]
        if failed:
            log.warning("offsets could not be committed: %s", failed[0].error.str())

    def _client_error(self, error: Any) -> None:
        first, self.waiting = not self.waiting, error.str()
        if first and self._proven:
            log.warning("%s: %s; waiting", self._where, self.waiting)


def raw_of(message: Any) -> Raw:
    """A record of the client as a raw row."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    headers = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
        for name, value in message.headers() or ()
    }
    return Raw(message.value(), message.key(), headers, topic,
               f"{topic}/{partition}/{offset}", f"{topic}[{partition}]@{offset}")  # fmt: skip


def _reason(error: Any) -> str:
    with contextlib.suppress(Exception):
        return str(error.args[0].str())
    return type(error).__name__
