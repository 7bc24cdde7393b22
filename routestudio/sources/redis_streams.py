"""Streams of Redis as a source, in a consumer group: entries are acknowledged when finished.

Redis hands entries of a stream to any consumer of the group, so the order of a group of messages
holds as long as one consumer reads a stream (docs/guides/sources.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

from routestudio import tasks
from routestudio.errors import LinkError, UsageError
from routestudio.model import jsonio
from routestudio.model.rows import Fault, Raw, RawRow
from routestudio.sinks._shared import tls
from routestudio.sources.base import CHUNK, MAX_UNFINISHED, Session, Source
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
    "stream": "one or more streams, with commas",
    "group": "the consumer group, which keeps the position; needed to deliver, not to look",
    "consumer": "the name in the group; the name of the machine unless given",
    "start": "where a new group begins, or a look: `earliest` (default) or `latest`",
    "until": "`stopped` (default) reads on for ever, `end` stops at the end of the streams",
    "idle": "seconds after which the entries of a silent consumer are taken over (default 60)",
    "ca": "a file with the certificates of authorities to trust",
    "password": "a variable, written `${NAME}`",
}
_BLOCK_MS: Final = 500
_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 1.0
_ACK: Final = 1_000
"""Entries that are acknowledged by one command."""

Entry = tuple[str, str]
"""Stream and id."""


class RedisSession:
    """All entries that this consumer gets. There is one for a run."""

    def __init__(self, source: RedisSource) -> None:
        self.name = source.name
        self.released = False
        self.on_release: Callable[[float], None] = lambda seconds: None
        self._source = source
        self._entries: deque[Entry] = deque()
        self._mark = 0
        self._pending: list[Entry] = []
        self._held: set[Entry] = set()
        self._wake = asyncio.Event()

    async def chunks(self) -> AsyncIterator[Sequence[RawRow]]:
        """Entries as rows: first those that this consumer had before, then new ones."""
        async for entries in self._source.read():
            rows: list[RawRow] = []
            for stream, number_, fields in entries:
                # Whoever has been slow looks abandoned, also to himself: what we still have in
                # work must not be read a second time.
                if (stream, number_) in self._held:
                    continue
                self._held.add((stream, number_))
                if not fields:
                    self._source.trimmed(f"{stream}@{number_}")
                    self._pending.append((stream, number_))
                    continue
                rows.append(raw_of(stream, number_, fields))
                self._entries.append((stream, number_))
            if rows:
                yield rows
            while len(self._entries) >= MAX_UNFINISHED:
                self._wake.clear()
                await self._wake.wait()

    def save(self, position: int) -> None:
        """Note the entries that may be acknowledged."""
        while self._mark < position:
            self._pending.append(self._entries.popleft())
            self._mark += 1
        self._wake.set()

    def take_pending(self) -> list[Entry]:
        """Entries to acknowledge, once."""
        found, self._pending = self._pending, []
        return found

    def keep(self, entries: list[Entry]) -> None:
        """Entries whose acknowledgement failed: they are due again."""
        self._pending = entries + self._pending

    def forget(self, entries: list[Entry]) -> None:
        """Entries that are acknowledged."""
        self._held.difference_update(entries)

    async def finish(self) -> None:
        """Acknowledge what is finished; raises nothing, for the entries come again otherwise."""
        self.released = True
        await self._source.acknowledge(self, last=True)


class RedisSource(Source):
    """`redis://` or `rediss://`."""

    title = "Redis streams"
    schemes = ("redis", "rediss")
    example = "redis://host:6379/0?stream=changes&group=routes"
    about = (
        "Entries of one or more streams, in a consumer group: they are acknowledged when the "
        "messages are finished. An entry has the fields that a Redis stream sink writes, or one "
        "field, or `value` (and `key`) as Debezium Server writes them."
    )
    options = _OPTIONS
    connected = True
    lag: int | None = None

    def __init__(self, text: str, resolve: Resolve, *, looking: bool = False) -> None:
        uri = parse(text, 6379)
        check_options(uri, _OPTIONS, ("stream",) if looking else ("stream", "group"))
        self.name = uri.shown
        self.streams = [name for name in uri.options["stream"].split(",") if name]
        self._group = uri.options.get("group", "")
        self._consumer = uri.options.get("consumer") or socket.gethostname()
        self._start = "0" if choice(uri, "start", ("earliest", "latest")) == "earliest" else "$"
        self._until_end = choice(uri, "until", ("stopped", "end")) == "end"
        self._idle = number(uri, "idle", 60, 1, 86_400)
        self._uri = uri
        self._arguments = _arguments(uri, password_of(uri, resolve))
        self._client: Any = None
        self._acknowledger: asyncio.Task[None] | None = None
        self._acknowledging = asyncio.Lock()
        self._trimmed = 0

    async def sessions(self) -> AsyncGenerator[Session, None]:
        """The one session. Raises `LinkError` or `UsageError` at the start."""
        import redis.asyncio as redis
        from redis.exceptions import RedisError, ResponseError

        self._client = redis.Redis(**self._arguments)
        try:
            for stream in self.streams:
                try:
                    await self._client.xgroup_create(
                        stream, self._group, self._start, mkstream=True
                    )
                except ResponseError as error:
                    if not str(error).startswith("BUSYGROUP"):
                        raise
        except (RedisError, OSError) as error:
            raise LinkError(f"{self._where} cannot be read: {_text(error)}",
                            hint="check host, TLS and credentials") from None  # fmt: skip
        session = RedisSession(self)
        self._acknowledger = tasks.spawn(self._acknowledge_on(session), name="redis source")
        yield session

    async def close(self) -> None:
        """Close the connections."""
        await tasks.stop(self._acknowledger)
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def read(self) -> AsyncIterator[list[tuple[str, str, dict[str, str]]]]:
        """Chunks of entries: own pending ones, those of dead consumers, new ones."""
        last = dict.fromkeys(self.streams, "0")
        while last:  # what this consumer had not finished when it ended
            found = await self._asked(self._own(dict(last)))
            for stream in list(last):
                if not found.get(stream):
                    del last[stream]
                else:
                    last[stream] = found[stream][-1][0]
            entries = _flat(found)
            if entries:
                yield entries
        claimed = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() >= claimed:
                claimed = loop.time() + self._idle / 2
                for stream in self.streams:
                    cursor = "-"
                    while cursor:
                        cursor, entries = await self._asked(self._claimed(stream, cursor))
                        if entries:
                            yield entries
            entries = _flat(await self._asked(self._new()))
            if entries:
                yield entries
            elif self._until_end:
                return

    async def look(self, limit: int) -> AsyncIterator[Sequence[RawRow]]:
        """The first entries of the streams, or with `start=latest` the last ones."""
        import redis.asyncio as redis
        from redis.exceptions import RedisError

        client = redis.Redis(**self._arguments)
        share = -(-limit // len(self.streams))
        try:
            for stream in self.streams:
                entries: Any
                if self._start == "$":
                    entries = reversed(list(await client.xrevrange(stream, count=share) or ()))
                else:
                    entries = await client.xrange(stream, count=share)
                rows = [raw_of(stream, number_, fields) for number_, fields in entries][:limit]
                limit -= len(rows)
                for start in range(0, len(rows), CHUNK):
                    yield rows[start : start + CHUNK]
        except (RedisError, OSError) as error:
            raise LinkError(f"{self._where} cannot be read: {_text(error)}",
                            hint="check host, TLS and credentials") from None  # fmt: skip
        finally:
            await client.aclose()

    def trimmed(self, place: str) -> None:
        """An entry was taken out of its stream while it waited for a consumer: it is skipped."""
        self._trimmed += 1
        if self._trimmed == 1:
            log.warning("%s was trimmed from its stream before it was delivered", place)

    async def acknowledge(self, session: RedisSession, *, last: bool = False) -> None:
        """Report to Redis what is finished. What cannot be reported now is reported later."""
        async with self._acknowledging:
            await self._acknowledge(session, last)

    async def _acknowledge(self, session: RedisSession, last: bool) -> None:
        from redis.exceptions import RedisError

        entries = session.take_pending()
        if not entries or self._client is None:
            return
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for start in range(0, len(entries), _ACK):
                    by_stream: dict[str, list[str]] = {}
                    for stream, number_ in entries[start : start + _ACK]:
                        by_stream.setdefault(stream, []).append(number_)
                    for stream, numbers in by_stream.items():
                        pipe.xack(stream, self._group, *numbers)
                await pipe.execute()
            session.forget(entries)
        except (RedisError, OSError) as error:
            session.keep(entries)
            if last:
                log.warning("entries could not be acknowledged: %s", _text(error))
        except asyncio.CancelledError:
            session.keep(entries)
            raise

    async def _acknowledge_on(self, session: RedisSession) -> None:
        while True:
            await asyncio.sleep(0.2)
            await self.acknowledge(session)

    @property
    def _where(self) -> str:
        host, port = self._uri.hosts[0]
        return f"Redis at {host}:{port}"

    async def _asked(self, question: Callable[[], Any]) -> Any:
        """The answer, waiting for a server that is away. Raises `LinkError` for a refusal."""
        from redis.exceptions import ConnectionError as LostError
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as LateError

        told = False
        while True:
            try:
                answer = await question()
                self.connected = True
                return answer
            except (LostError, LateError, OSError) as error:
                if not told:
                    log.warning("%s: %s; waiting", self._where, _text(error))
                    told = True
                self.connected = False
                await asyncio.sleep(_RETRY_SECONDS)
            except RedisError as error:
                raise LinkError(f"{self._where}: {_text(error)}") from None

    def _own(self, after: dict[str, str]) -> Callable[[], Any]:
        return lambda: self._reading(after, block=None)

    def _new(self) -> Callable[[], Any]:
        block = None if self._until_end else _BLOCK_MS
        return lambda: self._reading(dict.fromkeys(self.streams, ">"), block=block)

    async def _reading(self, streams: dict[str, str], block: int | None) -> dict[str, Any]:
        found = await self._client.xreadgroup(
            self._group, self._consumer, streams, count=CHUNK, block=block
        )
        return dict(found or ())

    def _claimed(self, stream: str, start: str) -> Callable[[], Any]:
        """A part of what is abandoned, and where the next part begins: empty after the last.

        By XPENDING and XCLAIM: XAUTOCLAIM, which does both, is not in Redis 6.0.
        https://redis.io/docs/latest/commands/xautoclaim/
        """
        idle = round(self._idle * 1000)

        async def claim() -> tuple[str, list[tuple[str, str, dict[str, str]]]]:
            waiting = await self._client.xpending_range(stream, self._group, start, "+", CHUNK)
            numbers = [e["message_id"] for e in waiting if e["time_since_delivered"] >= idle]
            entries: Sequence[tuple[str | None, dict[str, str] | None]] = ()
            if numbers:
                entries = await self._client.xclaim(
                    stream, self._group, self._consumer, idle, numbers
                )
            found = [(stream, each, fields) for each, fields in entries if each and fields]
            full = len(waiting) == CHUNK
            return _after(waiting[-1]["message_id"]) if full else "", found

        return claim


def _after(number: str) -> str:
    """The least number of an entry that is greater: `1700-3` gives `1700-4`."""
    time, _, count = number.partition("-")
    return f"{time}-{int(count) + 1}"


def raw_of(stream: str, number: str, fields: Mapping[str, str]) -> RawRow:
    """A stream's entry as a raw row; a fault when its fields are not a row.

    `action`, `record`, `changes` and `metadata` are the fields that a Redis stream sink writes;
    `key` and `value` those of Debezium Server (its setting `message.format=extended`); otherwise
    the entry has one field, whose name is the key when both are JSON (`compact`), or one of the
    names `message`, `value`, `payload` and `data`.
    """
    place, position = f"{stream}@{number}", f"{stream}/{number}"
    try:
        parts = {name.encode(): value.encode() for name, value in fields.items()}
    except UnicodeEncodeError:
        return Fault(0, "the entry is not text in UTF-8", None, None, ascii(fields)[:2000],
                     place=place)  # fmt: skip
    key: bytes | None = None
    if {"action", "record"} <= fields.keys():
        return _own_fields(fields, stream, position, place)
    if {"key", "value"} <= fields.keys():
        key, value = parts[b"key"], parts[b"value"]
    elif len(parts) == 1:
        name, value = next(iter(parts.items()))
        key = name if name.startswith((b"{", b'"')) else None
    else:
        found = [n for n in ("message", "value", "payload", "data") if n in fields]
        if not found:
            names = ", ".join(sorted(fields)[:8])
            return Fault(0, f"the entry's fields ({names}) are not a row", None, None,
                         repr(dict(fields))[:2000], place=place)  # fmt: skip
        value = parts[found[0].encode()]
    return Raw(value, key, topic=stream, position=position, place=place)


def _own_fields(fields: Mapping[str, str], stream: str, position: str, place: str) -> RawRow:
    value: dict[str, Any] = {"action": fields["action"]}
    try:
        for name in ("record", "changes", "metadata"):
            if name in fields:
                value[name] = jsonio.loads(fields[name])
    except ValueError as error:
        return Fault(0, f"not JSON: {error}", None, None, repr(dict(fields))[:2000], place=place)
    return Raw(value, topic=stream, position=position, place=place)


def _arguments(uri: SourceUri, password: str | None) -> dict[str, Any]:
    if len(uri.hosts) != 1:
        raise UsageError("Redis has one host in its address")
    database = uri.path or "0"
    if not database.isdigit():
        raise UsageError("the path of a Redis address is the number of a database")
    host, port = uri.hosts[0]
    found: dict[str, Any] = {
        "host": host, "port": port, "db": int(database), "username": uri.user,
        "password": password, "decode_responses": True, "protocol": 2,
        "encoding_errors": "surrogateescape",  # `raw_of` looks for it: one bad entry ends no run
        "socket_connect_timeout": _SECONDS, "socket_timeout": _SECONDS,
    }  # fmt: skip
    if uri.tls:
        found |= {"ssl": True, "ssl_ca_certs": uri.options.get("ca"), **tls.redis()}
    return found


def _flat(found: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (stream, number_, fields)
        for stream, entries in found.items()
        for number_, fields in entries
    ]


def _text(error: BaseException) -> str:
    with contextlib.suppress(Exception):
        return str(error) or type(error).__name__
    return type(error).__name__
