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
from typing import Final

from routestudio.model.outcome import CheckStep, Outcome, retry, unreachable
from routestudio.sinks._shared.idle import Idle, fresh
from routestudio.sinks._shared.repeats import SentIds
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.base import Link, SinkRouting
from routestudio.sinks.nats.account import Account, WireError
from routestudio.sinks.nats.sending import Publication, Sending
from routestudio.sinks.nats.streams import UNKNOWN, Storage, look_up
from routestudio.sinks.nats.wire import Connection

TIMEOUT: Final = 15.0
"""Seconds for one batch with all its acknowledgements."""

CONNECT_TIMEOUT: Final = 10.0
KEEP_SECONDS: Final = 60.0
"""Seconds for which it is believed whether a stream stores a subject."""

_ALIVE_SECONDS: Final = 2.0
_MAX_SUBJECTS: Final = 100_000


class NatsLink(Link):
    """One connection per batch in flight; nothing reconnects by itself."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._context: ssl.SSLContext | None = None
        self._idle: Idle[Connection] = Idle()
        self._storage: dict[str, tuple[float, Storage]] = {}
        self._sent = SentIds()

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
        sending, kept = Sending(batch, self._sent), False
        try:
            async with asyncio.timeout(TIMEOUT):
                storage = await self._look_up(connection, sending.subjects)
                if objected := sending.objected(storage):  # may be over, if it was asked before
                    storage |= await look_up(connection, objected)
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
        from routestudio.sinks.nats.check import check_server

        subjects: dict[str, int] = {}
        for target in targets:
            subject = str(getattr(target, "subject", ""))
            largest = max([record.size for record in target.sampled], default=0)
            subjects[subject] = max(subjects.get(subject, 0), largest)
        others = _sharing(targets)
        async with aclosing(check_server(self._account, subjects, others)) as steps:  # type: ignore[type-var]
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
            self._context = client_context()
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


def _sharing(targets: Sequence[SinkRouting]) -> dict[str, list[str]]:
    """By the names of other sinks: subjects to which they send messages with the same ids."""
    ids = {record.message_id for target in targets for record in target.sampled}
    found: dict[str, list[str]] = {}
    for name, others in targets[0].beside.items() if targets else ():
        subjects = [
            str(getattr(other, "subject", ""))
            for other in others
            if any(record.message_id in ids for record in other.sampled if record.message_id)
        ]
        if subjects:
            found[name] = list(dict.fromkeys(subjects))
    return found


async def _usable(connection: Connection, since: float) -> bool:
    """Whether an idle connection still lives, and owes and is owed no answer."""
    if not await connection.settled():
        return False
    return fresh(since) or (await connection.alive(_ALIVE_SECONDS) and await connection.settled())


async def _drop(connection: Connection) -> None:
    connection.abort()


_LOST: Final = retry("connection_lost", "the connection ended early", unknown=True)
