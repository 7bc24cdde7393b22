"""Delivery to RabbitMQ: every publication is confirmed, and what no queue gets is reported.

The first record of a batch travels alone. Its fate decides about the exchange (missing, forbidden)
before anything else is written, and a server that is short of memory, which reports it only after
it took a publication, is not filled up with messages that it would read and store much later.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from routestudio.model.outcome import (
    DELIVERED,
    CheckStep,
    Outcome,
    kept_back,
    rejected,
    retry,
    unreachable,
)
from routestudio.sinks._shared.idle import Idle, fresh
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.base import Link, SinkRouting
from routestudio.sinks.rabbitmq.codec import header_size
from routestudio.sinks.rabbitmq.wire import (
    Account,
    ChannelClosed,
    Confirm,
    Connection,
    Returned,
    WireError,
)

TIMEOUT: Final = 15.0
"""Seconds for one batch with all its confirms."""

CONNECT_TIMEOUT: Final = 10.0
BLOCKED_SECONDS: Final = 3.0
"""Seconds to wait for a server that takes no publications, before a record is put off."""

CAREFUL_SECONDS: Final = 60.0
"""Seconds for which records travel one by one after the server refused one among several."""

_AFTER: Final = 5.0
_ALIVE_SECONDS: Final = 2.0


class Publication(Protocol):
    """A record that is one message for an exchange; `properties` are encoded."""

    @property
    def exchange(self) -> str: ...
    @property
    def routing_key(self) -> str: ...
    @property
    def properties(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...


class RabbitLink(Link):
    """One connection with one channel per batch in flight; nothing reconnects by itself."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._context: ssl.SSLContext | None = None
        self._idle: Idle[Connection] = Idle()
        self._careful_until = 0.0

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
        careful = time.monotonic() < self._careful_until
        sending, kept = _Sending(batch, self._account, careful), False
        try:
            async with asyncio.timeout(TIMEOUT):
                await sending.run(connection)
        except TimeoutError:
            sending.give_up("timeout", f"no confirm within {TIMEOUT:g} s", connection.blocked)
            # Ended now, it would be read to its end later, and all its successors likewise.
            kept = bool(connection.blocked)
        except WireError as error:
            sending.give_up(error.code, str(error), "")
        else:
            kept = True
        finally:
            if kept:
                self._idle.give(connection)
            else:
                connection.abort()
        if sending.doubted:
            self._careful_until = time.monotonic() + CAREFUL_SECONDS
        return [outcome or _LOST for outcome in sending.outcomes]

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        from routestudio.sinks.rabbitmq.check import Target, check_server

        wanted = [
            Target(str(getattr(target, "exchange", "")), str(getattr(target, "routing_key", "")))
            for target in targets
        ]
        steps = check_server(self._account, list(dict.fromkeys(wanted)))
        async with aclosing(steps):  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def close(self) -> None:
        for connection in self._idle.empty():
            if connection.blocked:
                connection.abort()
            else:
                await connection.close()

    async def _take(self) -> Connection:
        """An idle connection that still lives, else a new one, with an open channel."""
        if found := await self._idle.take(_usable, _drop):
            return found
        if self._account.tls and self._context is None:
            self._context = client_context()
        connection = await Connection.dial(self._account, self._context)
        try:
            await connection.sign_in()
            await connection.open()
            await connection.open_channel()
        except BaseException:
            connection.abort()
            raise
        return connection


async def _usable(connection: Connection, since: float) -> bool:
    """Whether a connection from the pool may be tried; one that is still blocked reports it
    later."""
    stale = bool(connection.blocked)
    if stale:
        try:
            if not await connection.resumed(BLOCKED_SECONDS):
                return True
        except WireError:
            return False
    # Asking also reads away what is reported about messages that nobody waits for any more.
    trusted = fresh(since) and not stale and not connection.unread
    return connection.channel_open and (trusted or await connection.alive(_ALIVE_SECONDS))


async def _drop(connection: Connection) -> None:
    connection.abort()


@dataclass(slots=True)
class _Sending:
    """One batch on its way. An outcome is `None` until it is settled.

    `doubted`: the server refused one of several publications, and it is not sure which.
    """

    batch: Sequence[Publication]
    account: Account
    careful: bool
    outcomes: list[Outcome | None] = field(init=False)
    doubted: bool = False
    _waiting: deque[int] = field(default_factory=deque)
    _flying: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.batch)
        self._waiting.extend(range(len(self.batch)))

    async def run(self, connection: Connection) -> None:
        """Publish everything in order and settle every record. Raises `WireError`."""
        alone = True
        while self._waiting:
            if connection.blocked:
                self._put_off(connection.blocked)
                return
            if not connection.channel_open:
                await connection.open_channel()
            while self._waiting:
                index = self._waiting.popleft()
                if self._fits(index, connection.frame_max):
                    item = self.batch[index]
                    number = connection.publish(
                        item.exchange, item.routing_key, item.properties, item.body
                    )
                    self._flying[number] = index
                    if alone or self.careful:
                        break
            await self._settle(connection)
            alone = False

    def give_up(self, code: str, reason: str, blocked: str) -> None:
        """The end came early: what is under way may have been taken."""
        if blocked:
            code, reason = "blocked", f"the server takes no messages now: {blocked}"
        lost = retry(code, reason, unknown=True)
        for index in self._flying.values():
            self.outcomes[index] = self.outcomes[index] or lost
        kept = any(self.outcomes) or bool(self._flying)
        rest = kept_back(code, reason) if kept else unreachable(code, reason)
        for index, outcome in enumerate(self.outcomes):
            self.outcomes[index] = outcome or rest

    def _put_off(self, blocked: str) -> None:
        later = retry("blocked", f"the server takes no messages now: {blocked}", after=_AFTER)
        while self._waiting:
            self.outcomes[self._waiting.popleft()] = later

    def _fits(self, index: int, frame_max: int) -> bool:
        size = header_size(self.batch[index].properties)
        if size <= frame_max:
            return True
        self.outcomes[index] = rejected(
            "headers_too_large",
            f"the headers need {size:,} bytes; the server takes {frame_max:,} in one frame",
        )
        return False

    async def _settle(self, connection: Connection) -> None:
        """Wait until nothing is under way."""
        while self._flying:
            event = await connection.event()
            if isinstance(event, Confirm):
                self._confirmed(event)
            elif isinstance(event, Returned):
                self._returned(event)
            elif isinstance(event, ChannelClosed):
                self._refused(event)

    def _confirmed(self, event: Confirm) -> None:
        if event.multiple:
            numbers = [number for number in self._flying if number <= event.number]
        else:
            numbers = [event.number]
        for number in numbers:
            index = self._flying.pop(number, None)
            if index is not None and self.outcomes[index] is None:
                self.outcomes[index] = DELIVERED if event.ok else _NACK

    def _returned(self, event: Returned) -> None:
        """Find the record; equal ones share their fate, so the first is as good as any."""
        found: int | None = None
        for index in self._flying.values():
            item = self.batch[index]
            if self.outcomes[index] is not None or item.body != event.body:
                continue
            if (item.exchange, item.routing_key) != (event.exchange, event.key):
                continue
            if item.properties == event.properties:
                found = index
                break
            found = index if found is None else found
        if found is not None:
            self.outcomes[found] = rejected(
                "unroutable",
                f"no queue gets messages of exchange {event.exchange} with the routing key "
                f"{event.key!r}",
            )

    def _refused(self, event: ChannelClosed) -> None:
        """The server closed the channel: it took nothing from the culprit on."""
        flying = [index for index in self._flying.values() if self.outcomes[index] is None]
        alone = len(self._flying) == 1
        self._flying.clear()
        if alone:
            for index in flying:
                self._refuse(event, index)
            return
        self.doubted = self.careful = True
        named = (index for index in flying if _named(event, self.batch[index]))
        culprit = next(named, len(self.batch))
        for index in flying:
            if index < culprit:
                self.outcomes[index] = retry(
                    "channel_closed", f"the channel was closed before the confirm: {event.text}",
                    unknown=True,
                )  # fmt: skip
            elif index == culprit:
                self.outcomes[index] = refusal(event, self.batch[index], self.account)
        self._waiting.extendleft(index for index in reversed(flying) if index > culprit)

    def _refuse(self, event: ChannelClosed, index: int) -> None:
        """Refuse one record, and with it what waits for the same impossible exchange."""
        item = self.batch[index]
        said = self.outcomes[index] = refusal(event, item, self.account)
        if about_exchange(event):
            for other in self._waiting:
                if self.batch[other].exchange == item.exchange:
                    self.outcomes[other] = said
            self._waiting = deque(i for i in self._waiting if self.outcomes[i] is None)


_LOST: Final = retry("connection_lost", "the connection ended early", unknown=True)
_NACK: Final = retry("nack", "a queue refused the message; it may be full")


def about_exchange(event: ChannelClosed) -> bool:
    """Whether every message for the exchange fares alike."""
    return event.code in (403, 404) and " topic '" not in event.text


def refusal(event: ChannelClosed, item: Publication, account: Account) -> Outcome:
    """The outcome of a record because of which the server closed the channel."""
    exchange, user, host = item.exchange, account.user, account.virtual_host
    if event.code == 404:
        text = f"there is no exchange {exchange} in the virtual host {host}"
        return rejected("no_exchange", text)
    if event.code == 403 and not about_exchange(event):
        text = f"the user {user} may not publish to {exchange} with the key {item.routing_key!r}"
        return rejected("permission", text)
    if event.code == 403 and "internal exchange" in event.text:
        return rejected("internal", f"nobody may publish to {exchange}, an internal exchange")
    if event.code == 403:
        return rejected("permission", f"the user {user} may not publish to exchange {exchange}")
    return rejected(f"refused_{event.code}", f"the server refuses the message: {event.text}")


def _named(event: ChannelClosed, item: Publication) -> bool:
    """Whether the server's words name this record: its routing key, or its size."""
    size = re.search(r"message size (\d+) ", event.text)
    return f"topic '{item.routing_key}'" in event.text or (
        size is not None and int(size.group(1)) == len(item.body)
    )
