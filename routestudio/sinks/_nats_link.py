"""Delivery to NATS: acknowledged where a JetStream stream stores the subject, else published.

A publish acknowledgement is JSON with `stream` and `seq`, or with `error` (its `code` is like
HTTP's): https://docs.nats.io/nats-concepts/jetstream/streams and ADR-8 of nats-architecture.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected, retry, unreachable
from routestudio.sinks._idle import Idle, fresh
from routestudio.sinks._nats_account import Account, WireError
from routestudio.sinks._nats_streams import (
    NO_RESPONDERS,
    NOBODY,
    UNKNOWN,
    UNNAMED,
    Storage,
    look_up,
)
from routestudio.sinks._nats_wire import (
    Connection,
    Denied,
    Pong,
    Reply,
    printable,
    publication,
)
from routestudio.sinks.base import Link, SinkRouting

TIMEOUT: Final = 15.0
"""Seconds for one batch with all its acknowledgements."""

CONNECT_TIMEOUT: Final = 10.0
KEEP_SECONDS: Final = 60.0
"""Seconds for which it is believed whether a stream stores a subject."""

GUESS_SECONDS: Final = 1.0
"""Seconds to wait for an acknowledgement of a subject of which nobody may say who stores it."""

_ALIVE_SECONDS: Final = 2.0
_MAX_SUBJECTS: Final = 100_000
_PING: Final = b"PING\r\n"


class Publication(Protocol):
    """A record that is one message for a subject; `headers` is the encoded block."""

    @property
    def subject(self) -> str: ...
    @property
    def headers(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...
    @property
    def size(self) -> int: ...


class NatsLink(Link):
    """One connection per batch in flight; nothing reconnects by itself."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._context: ssl.SSLContext | None = None
        self._idle: Idle[Connection] = Idle()
        self._storage: dict[str, tuple[float, Storage]] = {}

    async def send(self, batch: Sequence[Publication]) -> Sequence[Outcome]:
        if not batch:
            return []
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connection = await self._take()
        except TimeoutError:
            lost = unreachable("connect_timeout", f"no connection within {CONNECT_TIMEOUT:g} s")
            return [lost] * len(batch)
        except WireError as error:
            return [unreachable(error.code, str(error))] * len(batch)
        sending, kept = _Sending(batch), False
        try:
            async with asyncio.timeout(TIMEOUT):
                storage = await self._look_up(connection, sending.subjects)
                await sending.run(connection, storage)
        except TimeoutError:
            sending.give_up("timeout", f"no answer within {TIMEOUT:g} s")
        except WireError as error:
            sending.give_up(error.code, str(error))
        else:
            kept = not connection.leaving
        finally:
            if kept:
                self._idle.give(connection)
            else:
                connection.abort()
        self._remember(sending.learned)
        for subject in sending.doubtful:
            self._storage.pop(subject, None)
        return [outcome or _LOST for outcome in sending.outcomes]

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        from routestudio.sinks._nats_check import check_server

        subjects = list(dict.fromkeys(str(getattr(target, "subject", "")) for target in targets))
        async with aclosing(check_server(self._account, subjects)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def close(self) -> None:
        for connection in self._idle.empty():
            await connection.close()

    async def _take(self) -> Connection:
        """An idle connection that still lives, else a new one."""
        if found := await self._idle.take(_usable, _drop):
            return found
        connection = await Connection.dial(self._account)
        try:
            await connection.greet(self._tls())
            await connection.sign_in()
        except BaseException:
            connection.abort()
            raise
        return connection

    def _tls(self) -> ssl.SSLContext | None:
        if self._account.tls and self._context is None:
            self._context = ssl.create_default_context()
        return self._context

    async def _look_up(self, connection: Connection, subjects: Iterable[str]) -> dict[str, Storage]:
        """Who stores each subject: asked of the server once, then believed for a while."""
        now = time.monotonic()
        found: dict[str, Storage] = {}
        for subject in subjects:
            at, storage = self._storage.get(subject, (-KEEP_SECONDS, UNKNOWN))
            if now - at < KEEP_SECONDS:
                found[subject] = storage
        missing = [subject for subject in subjects if subject not in found]
        if missing:
            asked = await look_up(connection, missing)
            self._remember({s: storage for s, storage in asked.items() if storage.known})
            found |= asked
        return found

    def _remember(self, found: dict[str, Storage]) -> None:
        if len(self._storage) + len(found) > _MAX_SUBJECTS:
            self._storage.clear()
        now = time.monotonic()
        self._storage.update((subject, (now, storage)) for subject, storage in found.items())


async def _usable(connection: Connection, since: float) -> bool:
    return fresh(since) or await connection.alive(_ALIVE_SECONDS)


async def _drop(connection: Connection) -> None:
    connection.abort()


@dataclass(slots=True)
class _Sending:
    """One batch on its way. An outcome is `None` until it is settled."""

    batch: Sequence[Publication]
    outcomes: list[Outcome | None] = field(init=False)
    learned: dict[str, Storage] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    _waiting: dict[int, int] = field(default_factory=dict)
    _guesses: set[int] = field(default_factory=set)
    _written: bool = False

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.batch)

    @property
    def subjects(self) -> list[str]:
        """The distinct subjects, in order."""
        return list(dict.fromkeys(record.subject for record in self.batch))

    async def run(self, connection: Connection, storage: dict[str, Storage]) -> None:
        """Write all that fits, in order, and settle every record.

        The PONG to a PING behind the last one proves that the server has taken all of them, and
        follows its complaints about lacking rights. Acknowledgements may come later. Raises
        `WireError` when the connection ends.
        """
        connection.write(b"".join([*self._commands(connection, storage), _PING]))
        self._written = True
        await connection.drain()
        while not isinstance(event := await connection.event(), Pong):
            self._take(event)
        self._taken()
        while len(self._waiting) > len(self._guesses):
            self._take(await connection.event())
        try:
            async with asyncio.timeout(GUESS_SECONDS):
                while self._waiting:
                    self._take(await connection.event())
        except TimeoutError:
            for number, index in self._waiting.items():
                self.outcomes[index] = DELIVERED
                self.learned[self.batch[index].subject] = NOBODY
                self._guesses.discard(number)
            self._waiting.clear()

    def give_up(self, code: str, reason: str) -> None:
        """The end came early: what has no outcome may have been taken, if it was written."""
        outcome = retry(code, reason, unknown=True) if self._written else unreachable(code, reason)
        for index, record in enumerate(self.batch):
            if self.outcomes[index] is None:
                self.outcomes[index] = outcome
                self.doubtful.add(record.subject)

    def _commands(self, connection: Connection, storage: dict[str, Storage]) -> Iterable[bytes]:
        limit = connection.info.get("max_payload")
        for index, record in enumerate(self.batch):
            if isinstance(limit, int) and record.size > limit:
                self.outcomes[index] = rejected(
                    "max_payload",
                    f"the message has {record.size:,} bytes with its headers; the server takes "
                    f"{limit:,}",
                )
                continue
            if record.headers and not connection.info.get("headers"):
                self.outcomes[index] = rejected("headers", "the server does not support headers")
                continue
            stored, reply = storage[record.subject], ""
            if not connection.deaf and (stored.confirms or not stored.known):
                number, reply = connection.ticket()
                self._waiting[number] = index
                if not stored.known:
                    self._guesses.add(number)
            yield publication(record.subject, reply, record.headers, record.body)

    def _take(self, event: Pong | Denied | Reply) -> None:
        if isinstance(event, Denied):
            self._forbid(event)
        elif isinstance(event, Reply) and event.number in self._waiting:
            self._acknowledged(event)

    def _forbid(self, event: Denied) -> None:
        if event.right != "publish":
            return
        outcome = rejected("permission", f"the user may not publish to {event.subject}")
        for index, record in enumerate(self.batch):
            if record.subject == event.subject and self.outcomes[index] is None:
                self.outcomes[index] = outcome
        for number, index in list(self._waiting.items()):
            if self.outcomes[index] is outcome:
                self._settled(number)

    def _acknowledged(self, reply: Reply) -> None:
        index = self._waiting[reply.number]
        subject, guessed = self.batch[index].subject, reply.number in self._guesses
        answer = reply.json()
        error = answer.get("error")
        if reply.status == NO_RESPONDERS:
            if guessed:
                self.outcomes[index], self.learned[subject] = DELIVERED, NOBODY
            else:
                self.outcomes[index] = retry("no_stream", f"no stream takes {subject} any more")
                self.doubtful.add(subject)
        elif isinstance(error, dict):
            self.outcomes[index] = _refused(answer, error)
            self.doubtful.add(subject)
        elif isinstance(answer.get("stream"), str):
            self.outcomes[index] = DELIVERED
            if guessed:
                self.learned[subject] = UNNAMED
        else:
            # Somebody who listens to the subject answered; that is no acknowledgement.
            return
        self._settled(reply.number)

    def _settled(self, number: int) -> None:
        del self._waiting[number]
        self._guesses.discard(number)

    def _taken(self) -> None:
        """The server took everything: what nobody else confirms is delivered."""
        for index in set(range(len(self.batch))).difference(self._waiting.values()):
            if self.outcomes[index] is None:
                self.outcomes[index] = DELIVERED


_LOST: Final = retry("connection_lost", "the connection ended early", unknown=True)


def _refused(answer: dict[str, Any], error: dict[str, Any]) -> Outcome:
    """The outcome of a message that a stream did not store."""
    code = printable(error.get("err_code") or error.get("code") or "refused")
    stream = f"stream {printable(answer['stream'])}" if answer.get("stream") else "JetStream"
    said = printable(error.get("description") or "no reason given")
    reason = f"{stream} refuses the message: {said}"
    status = error.get("code")
    # As in HTTP: 4xx is about this message, 5xx about the stream as it is now.
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 429):
        return rejected(code, reason)
    return retry(code, reason)
