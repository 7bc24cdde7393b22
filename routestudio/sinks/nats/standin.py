"""The NATS stand-in: core NATS on loopback, with subscribers, and a log of what was published.

Facts: https://docs.nats.io/reference/protocols/client. There is no JetStream: a request to its API
is answered as by a server without it, so nothing is acknowledged.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from routestudio import __version__
from routestudio.sinks._shared.standins.server import ServerStandin
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived, as_text

MAX_PAYLOAD: Final = 8 * 1024 * 1024
_MAX_PENDING: Final = 64 * 1024 * 1024
"""Bytes that a subscriber may leave unread before it is dropped as too slow."""

_RESERVED: Final = "_R_."
_NO_RESPONDERS: Final = b"NATS/1.0 503\r\n\r\n"


@dataclass(slots=True, eq=False)
class _Subscription:
    """Interest of one client, which ends after `most` messages (`None`: never)."""

    client: _Client
    parts: tuple[str, ...]
    queue: str
    number: str
    most: int | None = None
    got: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has got all that it wanted."""
        return self.most is not None and self.got >= self.most

    def covers(self, parts: tuple[str, ...]) -> bool:
        """Whether a subject is of interest: `*` stands for one part, `>` for all that follow."""
        for index, part in enumerate(self.parts):
            if part == ">":
                return len(parts) > index
            if index >= len(parts) or part not in ("*", parts[index]):
                return False
        return len(parts) == len(self.parts)


@dataclass(slots=True, eq=False)
class _Client:
    """One connection and the content of its CONNECT."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    options: dict[str, Any] = field(default_factory=dict)

    def wants(self, option: str, default: bool = False) -> bool:
        """Whether the client switched an option on."""
        return self.options.get(option, default) is True

    def say(self, data: bytes) -> None:
        """Write, unless the client has left."""
        if not self.writer.is_closing():
            self.writer.write(data)


class _ViolationError(Exception):
    """The client broke the protocol; the text is the server's last word."""


class NatsStandin(ServerStandin):
    """A NATS server without JetStream and without accounts: anybody may publish and subscribe."""

    kind: ClassVar[str] = "nats"
    title: ClassVar[str] = "NATS server"

    def __init__(self) -> None:
        super().__init__()
        self._subscriptions: list[_Subscription] = []
        self._turn = 0
        self._info = b""

    async def start(self) -> StandinAddress:
        address = await super().start()
        info = {
            "server_id": "ROUTESTUDIO", "server_name": "routestudio", "version": __version__,
            "proto": 1, "host": address.host, "port": address.port, "headers": True,
            "max_payload": MAX_PAYLOAD,
        }  # fmt: skip
        self._info = b"INFO %b \r\n" % json.dumps(info).encode()
        return address

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(reader, writer)
        client.say(self._info)
        try:
            while line := await _line(reader):
                if await self._obey(client, line) and client.wants("verbose"):
                    client.say(b"+OK\r\n")
                await writer.drain()
        except _ViolationError as error:
            client.say(b"-ERR '%b'\r\n" % str(error).encode())
        finally:
            self._subscriptions = [s for s in self._subscriptions if s.client is not client]

    async def _obey(self, client: _Client, line: str) -> bool:
        """Carry out one command; true when a client that wants it gets a reply."""
        word, _, rest = line.partition(" ")
        word, fields = word.upper(), rest.split()
        if word == "PING":
            client.say(b"PONG\r\n")
            return False
        if word == "PONG":
            return False
        if word == "CONNECT":
            client.options = _options(rest)
        elif word == "SUB" and len(fields) in (2, 3):
            queue = fields[1] if len(fields) == 3 else ""
            parts = tuple(fields[0].split("."))
            self._subscriptions.append(_Subscription(client, parts, queue, fields[-1]))
        elif word == "UNSUB" and len(fields) in (1, 2):
            self._unsubscribe(client, fields[0], _count(fields[1]) if len(fields) == 2 else 0)
        elif word == "PUB" and len(fields) in (2, 3):
            return await self._publish(client, fields, 0)
        elif word == "HPUB" and len(fields) in (3, 4):
            return await self._publish(client, fields[:-2] + fields[-1:], _count(fields[-2]))
        else:
            raise _ViolationError("Unknown Protocol Operation")
        return True

    def _unsubscribe(self, client: _Client, number: str, after: int) -> None:
        mine = [s for s in self._subscriptions if s.client is client and s.number == number]
        for subscription in mine:
            subscription.most = after
        self._forget_spent()

    async def _publish(self, client: _Client, fields: list[str], headers: int) -> bool:
        size = _count(fields[-1])
        if size > MAX_PAYLOAD:
            raise _ViolationError("Maximum Payload Violation")
        if headers > size:
            raise _ViolationError("Unknown Protocol Operation")
        block = (await client.reader.readexactly(size + 2))[:-2]
        subject, reply = fields[0], fields[1] if len(fields) == 3 else ""
        if reply.startswith(_RESERVED):
            text = f'Permissions Violation for Publish with Reply of "{reply}"'
            client.say(b"-ERR '%b'\r\n" % text.encode())
            return False
        if not subject.startswith(("$", "_INBOX.")):
            found = _headers(block[:headers])
            details = {"headers": found} | ({"reply": reply} if reply else {})
            self._kept.add(Arrived(subject, as_text(block[headers:]), None, details))
        heard = self._hand_out(client, subject, reply, block[:headers], block[headers:])
        if not heard and reply and client.wants("no_responders"):
            self._hand_out(None, reply, "", _NO_RESPONDERS, b"")
        return True

    def _hand_out(
        self, sender: _Client | None, subject: str, reply: str, headers: bytes, body: bytes
    ) -> bool:
        """Give a message to whom it interests, to one of each queue; whether anybody got it."""
        parts = tuple(subject.split("."))
        chosen: list[_Subscription] = []
        queues: dict[tuple[str, tuple[str, ...]], list[_Subscription]] = {}
        for subscription in self._subscriptions:
            if not subscription.covers(parts):
                continue
            if subscription.client is sender and not sender.wants("echo", True):
                continue
            if subscription.queue:
                group = (subscription.queue, subscription.parts)
                queues.setdefault(group, []).append(subscription)
            else:
                chosen.append(subscription)
        self._turn += 1
        chosen += [members[self._turn % len(members)] for members in queues.values()]
        for subscription in chosen:
            _deliver(subscription, subject, reply, headers, body)
        if any(subscription.spent for subscription in chosen):
            self._forget_spent()
        return bool(chosen)

    def _forget_spent(self) -> None:
        self._subscriptions = [s for s in self._subscriptions if not s.spent]


def _deliver(
    subscription: _Subscription, subject: str, reply: str, headers: bytes, body: bytes
) -> None:
    client = subscription.client
    if client.writer.transport.get_write_buffer_size() > _MAX_PENDING:
        client.writer.transport.abort()
        return
    place = f"{subject} {subscription.number}" + (f" {reply}" if reply else "")
    if headers and client.wants("headers"):
        size = len(headers) + len(body)
        head = f"HMSG {place} {len(headers)} {size}\r\n"
        client.say(head.encode() + headers + body + b"\r\n")
    else:
        client.say(f"MSG {place} {len(body)}\r\n".encode() + body + b"\r\n")
    subscription.got += 1


async def _line(reader: asyncio.StreamReader) -> str:
    """The next command without its end; empty at the end. Raises `_ViolationError`."""
    try:
        return (await reader.readuntil(b"\r\n"))[:-2].decode() or " "
    except asyncio.IncompleteReadError:
        return ""
    except (asyncio.LimitOverrunError, UnicodeDecodeError):
        raise _ViolationError("Unknown Protocol Operation") from None


def _options(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise _ViolationError("Unknown Protocol Operation")
    return options


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise _ViolationError("Unknown Protocol Operation")
    return int(text)


def _headers(block: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in as_text(block).split("\r\n")[1:] if line)
    return {name: text.strip() for name, _, text in lines}
