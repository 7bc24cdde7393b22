"""Reading back a queue of RabbitMQ, as far as a queue can be read without consuming it.

What the kinds of queues do, as RabbitMQ 3.10 shows it: a stream queue gives messages again and
again (`x-stream-offset`), other kinds refuse that argument before they give anything. A classic
queue takes messages back to their places and marks them as redelivered. A quorum queue puts them
at its end and counts a delivery, after some of which it drops them. RabbitMQ 3.8, which has no
streams, ignores the argument and would give messages for good, so it is not read.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq.wire import (
    Account,
    Answer,
    ChannelClosed,
    Connection,
    Delivered,
    WireError,
)
from routestudio.sinks.reading import (
    MOST_BYTES,
    SECONDS,
    Bounds,
    Reader,
    Stored,
    TraceError,
    Wanted,
    Window,
)

_CREDIT: Final = 200
"""Messages of a stream that are under way at once."""

_QUIET: Final = 0.5
"""Seconds without a further message, after which a stream's end is taken for reached."""

_ADDED: Final = frozenset({"x-stream-offset", "x-delivery-count"})
"""Headers that the server adds."""

_STREAMS: Final = (3, 9)
"""The first version with streams: https://www.rabbitmq.com/docs/streams"""

_TAG: Final = "routestudio"
_CLASSIC: Final = "rabbit_classic_queue"


class RabbitReader(Reader):
    """The messages of one queue: the destination that is wanted is its name."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._open: Connection | None = None
        self._where = f"RabbitMQ at {account.host}:{account.port}"

    async def read(self, wanted: Wanted) -> Window:
        try:
            async with asyncio.timeout(SECONDS):
                connection = await self._connection()
                self._streams(connection.info)
                refused = await _consume(connection, wanted.destination, "last")
                if refused is None:
                    return await self._stream(connection, wanted)
                self._look_at(refused, wanted)
                await connection.open_channel()
                return await self._classic(connection, wanted)
        except TimeoutError:
            raise LinkError(f"{self._where} does not answer within {SECONDS:g} s") from None
        except (WireError, codec.CodecError) as error:
            raise LinkError(f"{self._where} cannot be read: {error}",
                            hint="check host, TLS and credentials") from None  # fmt: skip

    def _streams(self, info: Mapping[str, Any]) -> None:
        """Raise for a server that would not refuse a consumer of a stream on another queue."""
        version = str(info.get("version", ""))
        found = re.match(r"(\d+)\.(\d+)", version)
        if found is None or (int(found[1]), int(found[2])) < _STREAMS:
            raise UsageError(
                f"{self._where} ({version[:40] or 'of an unknown version'}) does not show the kind "
                "of a queue, so reading one might consume it",
                hint="read from RabbitMQ 3.9 or newer",
            )

    def _look_at(self, refused: ChannelClosed, wanted: Wanted) -> None:
        """Raise unless the queue is a classic one, and somebody agreed to read it."""
        queue = wanted.destination
        if refused.code == 404:
            raise UsageError(f"{self._where} has no queue `{queue}` in the virtual host "
                             f"{self._account.virtual_host}", hint="name one that is bound to "
                             "the exchange")  # fmt: skip
        if refused.code == 403:
            raise LinkError(f"{self._where}: the user {self._account.user} may not read the queue "
                            f"`{queue}`", hint="give it the right to read")  # fmt: skip
        if _CLASSIC not in refused.text:
            raise UsageError(
                f"the queue `{queue}` cannot be read without changing it: a quorum queue puts "
                "messages that were looked at to its end, and counts a delivery",
                hint="bind a stream queue (x-queue-type: stream) to the exchange, and read that",
            )
        if not wanted.agreed:
            raise TraceError(
                f"the classic queue `{queue}` at {self._account.host} gives its messages and takes "
                "them back: they are marked as redelivered, and until then no consumer gets them"
            )

    async def _stream(self, connection: Connection, wanted: Wanted) -> Window:
        """The last messages of a stream. Its last part shows where it ends."""
        first = await _next(connection)
        await _stop(connection)
        if first is None:
            return Window(())
        place, _ = _offset(first)
        start = max(0, place - wanted.limit)
        await connection.open_channel()
        if (refused := await _consume(connection, wanted.destination, start)) is not None:
            raise LinkError(f"{self._where} cannot be read: {refused.text}")
        found: deque[Stored] = deque(maxlen=wanted.limit)
        size, beginning = 0, None
        while (item := await _next(connection)) is not None and size < MOST_BYTES:
            number, record = _offset(item)
            # The server begins with the part that holds the offset, not with the offset.
            if number < start:
                continue
            beginning = number if beginning is None else beginning
            found.append(record)
            size += record.size
        await _stop(connection)
        return Window(list(found), more=bool(start) or (beginning or 0) > 0)

    async def _classic(self, connection: Connection, wanted: Wanted) -> Window:
        """The oldest messages of a queue, which gets them back in their places."""
        bounds, found, left = Bounds(wanted.limit), list[Stored](), 0
        while not bounds.reached:
            connection.ask(codec.GET, b"\x00\x00" + codec.short(wanted.destination) + b"\x00")
            event = await connection.event()
            if isinstance(event, ChannelClosed):
                raise LinkError(f"{self._where} cannot be read: {event.text}")
            if event == Answer(codec.GET_EMPTY):
                break
            if isinstance(event, Delivered):
                record = _stored(event, f"{wanted.destination}#{len(found) + 1}")
                bounds.take(record.size)
                found.append(record)
                left = event.left
        # All at once, so that they get back to their places.
        connection.ask(codec.NACK, struct.pack(">QB", 0, 3))
        await _settled(connection)
        notes = ("a queue gives its oldest messages first",) if left else ()
        return Window(found, left > 0, oldest=True, notes=notes)

    async def _connection(self) -> Connection:
        if self._open is None:
            context = client_context() if self._account.tls else None
            connection = await Connection.dial(self._account, context)
            try:
                await connection.sign_in()
                await connection.open()
            except BaseException:
                connection.abort()
                raise
            self._open = connection
        if not self._open.channel_open:
            await self._open.open_channel()
        return self._open

    async def close(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            await connection.close()


async def _consume(connection: Connection, queue: str, offset: str | int) -> ChannelClosed | None:
    """Begin to read a stream; why the server refuses, for any other kind of queue."""
    connection.ask(codec.QOS, struct.pack(">IHB", 0, _CREDIT, 0))
    connection.ask(
        codec.CONSUME,
        b"\x00\x00" + codec.short(queue) + codec.short(_TAG) + b"\x00"
        + codec.table({"x-stream-offset": offset}),
    )  # fmt: skip
    while (event := await connection.event()) != Answer(codec.CONSUME_OK):
        if isinstance(event, ChannelClosed):
            return event
    return None


async def _next(connection: Connection) -> Delivered | None:
    """The next message of the stream; `None` when it is quiet."""
    try:
        async with asyncio.timeout(_QUIET):
            while not isinstance(event := await connection.event(), Delivered):
                if isinstance(event, ChannelClosed):
                    raise WireError("closed", event.text)
    except TimeoutError:
        return None
    if "x-stream-offset" not in codec.identified(event.properties)[0]:
        raise WireError("not a stream", "the queue gave a message that is not of a stream",
                        "read a stream queue")  # fmt: skip
    # On a stream this asks for more, and changes nothing.
    connection.ask(codec.ACK, struct.pack(">QB", event.tag, 0))
    return event


async def _stop(connection: Connection) -> None:
    """End the consumer; what is still under way is dropped with the channel."""
    connection.ask(codec.CHANNEL_CLOSE, struct.pack(">H", 200) + codec.short("bye") + bytes(4))
    while await connection.event() != Answer(codec.CHANNEL_CLOSE_OK):
        pass
    connection.channel_open = False


async def _settled(connection: Connection) -> None:
    """Wait until the server has dealt with everything that was written."""
    connection.ask(codec.SELECT, b"\x00")
    while await connection.event() != Answer(codec.SELECT_OK):
        pass


def _offset(item: Delivered) -> tuple[int, Stored]:
    headers, _ = codec.identified(item.properties)
    number = headers.get("x-stream-offset")
    number = number if isinstance(number, int) else 0
    return number, _stored(item, f"#{number}")


def _stored(item: Delivered, place: str) -> Stored:
    headers, identity = codec.identified(item.properties)
    kept = {name: value for name, value in headers.items() if name not in _ADDED}
    return Stored(item.exchange, item.key, item.body, headers_shown(kept, identity), place=place)


def headers_shown(headers: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """Headers of a message with its id among them, as both sides are compared."""
    shown = {n: float(v) if isinstance(v, Decimal) else v for n, v in headers.items()}
    return {**shown, "message-id": identity} if identity else shown
