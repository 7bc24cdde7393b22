"""Reading back what JetStream stores of a subject: messages by their number, without a consumer.

Facts: https://docs.nats.io/reference/protocols/jetstream/nats_api_reference (STREAM.INFO with
`subjects_filter`, STREAM.MSG.GET).
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.nats.account import Account, WireError
from routestudio.sinks.nats.streams import ask, look_up
from routestudio.sinks.nats.wire import Connection
from routestudio.sinks.reading import SECONDS, Bounds, Reader, Stored, Wanted, Window

_AT_ONCE: Final = 25
_MOST_ASKED: Final = 20_000
"""Messages of a stream that are looked at, from its end, to find those of one subject."""

_NO_STREAM: Final = (
    "subscribe before the run (`nats sub SUBJECT`), or create a stream for the subject"
)


class NatsReader(Reader):
    """The last messages of a subject in the stream that stores it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._open: Connection | None = None
        self._where = f"NATS at {account.host}:{account.port}"

    async def read(self, wanted: Wanted) -> Window:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._read(wanted)
        except TimeoutError:
            raise LinkError(f"{self._where} does not answer within {SECONDS:g} s") from None
        except WireError as error:
            hint = error.hint or "check host, TLS and credentials"
            raise LinkError(f"{self._where} cannot be read: {error}", hint=hint) from None

    async def _read(self, wanted: Wanted) -> Window:
        connection, subject = await self._connection(), wanted.destination
        storage = (await look_up(connection, [subject]))[subject]
        if not storage.known:
            raise LinkError(f"{self._where}: the user may not ask which stream stores {subject}",
                            hint="allow the JetStream API to it")  # fmt: skip
        if not storage.stream:
            raise UsageError(f"{self._where}: no JetStream stream stores {subject}, and NATS "
                             "itself keeps no messages", hint=_NO_STREAM)  # fmt: skip
        state = await self._state(connection, storage.stream, subject)
        counts = state.get("subjects")
        held = counts.get(subject, 0) if isinstance(counts, dict) else 0
        bounds, found = Bounds(wanted.limit), list[Stored]()
        first, last = int(state.get("first_seq", 0)), int(state.get("last_seq", 0))
        floor = max(first, last - _MOST_ASKED, 1)
        while last >= floor and len(found) < held and not bounds.reached:
            numbers = range(last, max(floor, last - _AT_ONCE + 1) - 1, -1)
            for message in await _messages(connection, storage.stream, numbers):
                if message.destination == subject and bounds.take(message.size):
                    found.append(message)
            last = numbers[-1] - 1
        short = len(found) < held and last < floor and floor > first
        notes = (f"only the last {_MOST_ASKED:,} messages of the stream were looked at",)
        return Window(found[::-1], held > len(found), notes=notes if short else ())

    async def _state(self, connection: Connection, stream: str, subject: str) -> dict[str, Any]:
        question = json.dumps({"subjects_filter": subject})
        [reply] = await ask(connection, [(f"$JS.API.STREAM.INFO.{stream}", question)])
        state = reply.json().get("state") if reply is not None else None
        if not isinstance(state, dict):
            raise LinkError(f"{self._where}: the user may not read the stream {stream}",
                            hint="allow STREAM.INFO and STREAM.MSG.GET of $JS.API")  # fmt: skip
        return state

    async def _connection(self) -> Connection:
        if self._open is None:
            connection = await Connection.dial(self._account)
            try:
                await connection.greet(client_context() if self._account.tls else None)
                await connection.sign_in()
            except BaseException:
                connection.abort()
                raise
            self._open = connection
        return self._open

    async def close(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            await connection.close()


async def _messages(connection: Connection, stream: str, numbers: range) -> list[Stored]:
    """The messages that a stream has under these numbers, in their order."""
    asked = [(f"$JS.API.STREAM.MSG.GET.{stream}", json.dumps({"seq": n})) for n in numbers]
    replies = await ask(connection, asked)
    if not any(replies):
        raise LinkError(f"the messages of the stream {stream} cannot be read",
                        hint="allow $JS.API.STREAM.MSG.GET to the user")  # fmt: skip
    found = []
    for number, reply in zip(numbers, replies, strict=True):
        message = reply.json().get("message") if reply is not None else None
        if isinstance(message, dict) and isinstance(message.get("subject"), str):
            place = f"{stream}#{number}"
            found.append(Stored(message["subject"], None, _bytes(message.get("data")),
                                headers_of(_bytes(message.get("hdrs"))), place))  # fmt: skip
    return found


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def headers_of(block: bytes) -> dict[str, str]:
    """The headers of an encoded block; its first line is the protocol's version."""
    found = {}
    for line in block.decode("utf-8", "replace").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            found[name] = value.removeprefix(" ")
    return found
