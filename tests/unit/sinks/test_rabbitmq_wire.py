"""AMQP as the RabbitMQ sink speaks it, read by another client's code; servers that misbehave."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pika import data, frame, spec
from pydantic import SecretStr

from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq.link import RabbitLink
from routestudio.sinks.rabbitmq.wire import (
    Account,
    Alarm,
    ChannelClosed,
    Confirm,
    Connection,
    Returned,
    WireError,
)

WORD = "a-secret-word"


def frames(raw: bytes) -> list[Any]:
    """What the other client reads."""
    found = []
    while raw:
        size, item = frame.decode_frame(raw)
        assert size, "a frame is cut off"
        found.append(item)
        raw = raw[size:]
    return found


# --- codec ------------------------------------------------------------------------------------


def test_a_publication_is_read_by_another_client() -> None:
    known = codec.properties({"X-A": "ü", "X-B": ""}, "id-1")
    body = bytes(range(256)) * 64
    raw = codec.publication(1, "exchange ü", "key", known, body, 4096)
    method, header, *parts = frames(raw)
    assert isinstance(method.method, spec.Basic.Publish)
    assert (method.method.exchange, method.method.routing_key) == ("exchange ü", "key")
    assert (method.method.mandatory, method.method.immediate) == (True, False)
    assert header.body_size == len(body)
    properties = header.properties
    assert properties.headers == {"X-A": "ü", "X-B": ""}
    assert (properties.content_type, properties.delivery_mode) == ("application/json", 2)
    assert properties.message_id == "id-1"
    assert properties.user_id is properties.expiration is properties.app_id is None
    assert b"".join(part.fragment for part in parts) == body
    assert [len(part.fragment) + 8 for part in parts[:-1]] == [4096] * (len(parts) - 1)


def test_what_is_empty_is_left_out() -> None:
    raw = codec.publication(1, "e", "", codec.properties({}, ""), b"", 4096)
    method, header = frames(raw)
    assert method.method.routing_key == ""
    assert (header.properties.headers, header.properties.message_id) == (None, None)
    assert header.body_size == 0


def test_short_texts_have_255_bytes() -> None:
    assert codec.short("ü" * 127) == b"\xfe" + "ü".encode() * 127
    with pytest.raises(codec.CodecError):
        codec.short("ü" * 128)


def test_tables_of_another_client_are_read() -> None:
    values = {
        "text": "ü", "flag": True, "none": None, "small": 5, "large": 2**40, "list": [1, "a", [2]],
        "table": {"deep": {"er": "x"}}, "bytes": b"\xff", "decimal": Decimal("1"),
        "time": datetime(2020, 1, 2, tzinfo=UTC),
    }  # fmt: skip
    pieces: list[bytes] = []
    data.encode_table(pieces, values)
    found = codec.Fields(b"".join(pieces)).table()
    assert found.keys() == values.keys()
    for name in ("text", "flag", "none", "small", "large", "list", "table", "bytes"):
        assert found[name] == values[name]
    written = codec.table({"a": "ü", "b": False, "c": {"d": True}})
    assert data.decode_table(written, 0)[0] == {"a": "ü", "b": False, "c": {"d": True}}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_hostile_tables_are_refused_or_read(raw: bytes) -> None:
    for sized in (raw, codec.long(raw), codec.long(b"\x01aF" + codec.long(raw))):
        try:
            found = codec.Fields(sized).table()
        except codec.CodecError:
            continue
        assert isinstance(found, dict)


def test_tables_have_a_floor() -> None:
    deep = b"\x00\x00\x00\x00"
    for _ in range(2000):
        deep = codec.long(b"\x01aF" + deep)
    with pytest.raises(codec.CodecError, match="too deep"):
        codec.Fields(deep).table()


# --- a server that says what a test wants -----------------------------------------------------

START = codec.method(
    0, codec.START,
    b"\x00\x09" + codec.table({"product": "RabbitMQ", "version": "9\n9"})
    + codec.long(b"AMQPLAIN PLAIN") + codec.long(b"en_US"),
)  # fmt: skip
OPEN_OK = codec.method(0, codec.OPEN_OK, b"\x00")
CHANNEL = codec.method(1, codec.CHANNEL_OPEN_OK, bytes(4)) + codec.method(1, codec.SELECT_OK)


def tune(channels: int = 2047, frame_max: int = 131_072, heartbeat: int = 0) -> bytes:
    arguments = struct.pack(">HIH", channels, frame_max, heartbeat)
    return codec.method(0, codec.TUNE, arguments)


def confirm(number: int, *, ok: bool = True, multiple: bool = False) -> bytes:
    flags = bytes((multiple,))
    return codec.method(1, codec.ACK if ok else codec.NACK, struct.pack(">Q", number) + flags)


def closing(code: int, text: str, channel: int = 0) -> bytes:
    number = codec.CHANNEL_CLOSE if channel else codec.CLOSE
    return codec.method(channel, number, struct.pack(">H", code) + codec.short(text) + bytes(4))


@dataclass
class Peer:
    """The server's end of one conversation. `got` are the frames that the client wrote."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    got: list[Any]

    def say(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def hear(self, count: int = 1) -> list[Any]:
        """Read so many frames."""
        found = []
        for _ in range(count):
            head = await self.reader.readexactly(7)
            rest = await self.reader.readexactly(struct.unpack(">BHI", head)[2] + 1)
            found.append(frame.decode_frame(head + rest)[1])
        self.got += found
        return found

    async def welcome(self, tuned: bytes | None = None) -> None:
        """Go through everything until the channel is open."""
        assert await self.reader.readexactly(8) == codec.PREAMBLE
        self.say(START)
        await self.hear()
        self.say(tuned or tune())
        await self.hear(2)
        self.say(OPEN_OK)
        await self.hear(2)
        self.say(CHANNEL)


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def served(script: Script, **account: Any) -> AsyncIterator[tuple[Account, list[Any]]]:
    """A server that follows `script` in every conversation; what it heard is the list."""
    heard: list[Any] = []
    open_: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        try:
            await script(Peer(reader, writer, heard))
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            open_.discard(writer)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Account("127.0.0.1", port, **account), heard
    finally:
        server.close()
        for writer in open_:
            writer.transport.abort()
        await asyncio.sleep(0.02)


async def connected(account: Account) -> Connection:
    connection = await Connection.dial(account, None)
    try:
        async with asyncio.timeout(5):
            await connection.sign_in()
            await connection.open()
            await connection.open_channel()
    except BaseException:
        connection.abort()
        raise
    return connection


async def welcoming(peer: Peer) -> None:
    await peer.welcome()


async def listen(account: Account, seconds: float = 5) -> None:
    """Connect, and hear what comes until the connection or the time ends."""
    connection = await connected(account)
    try:
        async with asyncio.timeout(seconds):
            while True:
                await connection.event()
    finally:
        connection.abort()


# --- conversations ----------------------------------------------------------------------------


async def test_signing_in() -> None:
    who: dict[str, Any] = {"virtual_host": "ü", "username": "orders", "password": SecretStr(WORD)}
    async with served(welcoming, **who) as (account, heard):
        connection = await connected(account)
        connection.abort()
    start, tuned, opened, channel, select = [item.method for item in heard]
    assert (start.mechanism, start.response) == ("PLAIN", f"\0orders\0{WORD}".encode())
    assert start.client_properties["connection_name"] == "routestudio"
    assert start.client_properties["capabilities"]["connection.blocked"] is True
    assert start.client_properties["capabilities"]["authentication_failure_close"] is True
    assert (tuned.channel_max, tuned.frame_max, tuned.heartbeat) == (1, 131_072, 0)
    assert opened.virtual_host == "ü"
    assert isinstance(channel, spec.Channel.Open)
    assert isinstance(select, spec.Confirm.Select)
    assert connection.info["product"] == "RabbitMQ"
    assert WORD not in repr(account)


@pytest.mark.parametrize(
    ("given", "response"),
    [
        ({}, "\0guest\0guest"),
        ({"username": "a"}, "\0a\0"),
        ({"username": "a", "password": SecretStr("")}, "\0a\0"),
    ],
)
def test_who_signs_in(given: dict[str, Any], response: str) -> None:
    assert Account("h", 1, **given).response == response.encode()


async def test_a_server_without_passwords() -> None:
    async def script(peer: Peer) -> None:
        external = b"\x00\x09" + codec.table({}) + codec.long(b"EXTERNAL\x1b") + codec.long(b"")
        peer.say(codec.method(0, codec.START, external))

    async with served(script) as (account, heard):
        with pytest.raises(WireError, match=r"takes no passwords, but \['EXTERNAL") as raised:
            await connected(account)
    assert raised.value.code == "mechanism"
    assert heard == [], "no credentials were sent"


async def test_smaller_frames_are_kept_to() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome(tune(channels=0, frame_max=4096))
        await peer.hear(5)
        peer.say(confirm(1))

    async with served(script) as (account, heard):
        connection = await connected(account)
        connection.publish("e", "k", codec.properties({}, "m"), b"x" * 10_000)
        assert await connection.event() == Confirm(1, False, True)
        connection.abort()
    assert heard[1].method.frame_max == 4096
    assert [len(item.fragment) for item in heard[-3:]] == [4088, 4088, 1824]


async def test_the_heartbeat() -> None:
    """It is heard from both sides, and ends with the connection."""
    beats = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.welcome(tune(heartbeat=1))
        peer.say(codec.HEARTBEAT * 3 + confirm(9))
        while True:
            found = await peer.hear()
            if isinstance(found[0], frame.Heartbeat) and len(peer.got) > 6:
                beats.set()

    async with served(script) as (account, heard):
        connection = await connected(account)
        assert await connection.event() == Confirm(9, False, True)
        async with asyncio.timeout(3):
            await beats.wait()
        connection.abort()
        assert connection._pulse is None
    assert heard[1].method.heartbeat == 1


async def test_what_a_server_may_say_meanwhile() -> None:
    header = struct.pack(">HHQ", 60, 0, 6) + codec.properties({}, "m")
    returned = (
        struct.pack(">H", 312) + codec.short("NO_ROUTE") + codec.short("e") + codec.short("k")
    )
    empty = struct.pack(">HHQ", 60, 0, 0) + codec.properties({}, "n")

    async def script(peer: Peer) -> None:
        await peer.welcome()
        peer.say(codec.method(1, codec.FLOW, b"\x01"))
        await peer.hear()
        raw = b"".join([
            codec.method(0, codec.BLOCKED, codec.short("low on\x1b memory")),
            codec.method(0, codec.UNBLOCKED),
            codec.method(1, codec.RETURN, returned), codec.frame(codec.HEADER, 1, header),
            codec.HEARTBEAT,
            codec.frame(codec.BODY, 1, b"abc"), codec.frame(codec.BODY, 1, b"def"),
            codec.method(1, codec.RETURN, returned), codec.frame(codec.HEADER, 1, empty),
            confirm(3, ok=False, multiple=True), closing(404, "gone\n", channel=1),
        ])  # fmt: skip
        for at in range(len(raw)):
            peer.say(raw[at : at + 1])
            if at % 40 == 0:
                await asyncio.sleep(0.002)

    async with served(script) as (account, heard):
        connection = await connected(account)
        events, known = [], codec.properties({}, "m")
        while len(events) < 6:
            try:
                async with asyncio.timeout(0.003):
                    events.append(await connection.event())
            except TimeoutError:
                continue
        assert not connection.channel_open
        connection.abort()
    assert isinstance(heard[5].method, spec.Channel.FlowOk)
    assert events == [
        Alarm("low on? memory"), Alarm(""), Returned(312, "NO_ROUTE", "e", "k", known, b"abcdef"),
        Returned(312, "NO_ROUTE", "e", "k", codec.properties({}, "n"), b""),
        Confirm(3, True, False), ChannelClosed(404, "gone?"),
    ]  # fmt: skip


async def test_a_connection_closes_in_good_order() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.hear()
        peer.say(codec.method(0, codec.CLOSE_OK))

    async with served(script) as (account, heard):
        connection = await connected(account)
        await connection.close()
    assert isinstance(heard[-1].method, spec.Connection.Close)
    assert heard[-1].method.reply_code == 200


HOSTILE = {
    "text": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "another version": b"AMQP\x00\x01\x00\x00",
    "too large": struct.pack(">BHI", 1, 0, 2**31),
    "bad end": codec.HEARTBEAT[:-1] + b"\x00",
    "no method": codec.frame(codec.METHOD, 0, b"\x00"),
    "cut arguments": codec.method(0, codec.CLOSE, b"\x01"),
    "cut table": codec.method(0, codec.START, b"\x00\x09\x00\x00\x00\xff"),
    "huge body": codec.frame(codec.HEADER, 1, struct.pack(">HHQ", 60, 0, 2**62) + bytes(2)),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("signed_in", [False, True])
async def test_a_server_that_speaks_something_else(raw: bytes, signed_in: bool) -> None:
    async def script(peer: Peer) -> None:
        if signed_in:
            await peer.welcome()
        peer.say(raw)

    async with served(script) as (account, _):
        if signed_in and raw is HOSTILE["cut table"]:
            # Where nobody awaits a START, one is an answer like any other, and means nothing.
            with pytest.raises(TimeoutError):
                await listen(account, 0.2)
            return
        with pytest.raises(WireError, match=r"does not answer in AMQP 0-9-1"):
            await listen(account)


@settings(max_examples=40, deadline=None)
@given(raw=st.binary(max_size=60), kind=st.sampled_from([1, 2, 3, 8]))
def test_random_frames_never_break_the_client(raw: bytes, kind: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        peer.say(codec.frame(kind, 1, raw) + closing(200, "end"))

    async def converse() -> None:
        async with served(script) as (account, _):
            with pytest.raises(WireError):
                await listen(account)

    asyncio.run(converse())


# --- batches ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    exchange: str = "e"
    routing_key: str = "k"
    properties: bytes = codec.properties({}, "m")
    body: bytes = b"{}"


async def test_confirms_of_several_and_a_connection_that_ends() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.hear(3)
        peer.say(confirm(1))
        await peer.hear(3 * 6)
        peer.say(confirm(3, multiple=True) + confirm(5, ok=False, multiple=True) + confirm(99))
        peer.say(closing(320, "CONNECTION_FORCED - maintenance"))

    async with served(script) as (account, _):
        link = RabbitLink(account)
        outcomes = await link.send([Item() for _ in range(7)])
        await link.close()
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [
        *[("delivered", "", False)] * 3, *[("retry", "nack", False)] * 2,
        *[("retry", "closed", True)] * 2,
    ]  # fmt: skip
    assert "maintenance" in outcomes[-1].reason


async def test_a_confirm_that_comes_too_early_confirms_nothing() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.hear(3)
        peer.say(confirm(1) + confirm(2))
        await peer.hear()
        peer.say(codec.method(1, codec.SELECT_OK))
        await peer.hear(3)
        peer.say(confirm(2, ok=False))

    async with served(script) as (account, _):
        link = RabbitLink(account)
        outcomes = [*await link.send([Item()]), *await link.send([Item()])]
        await link.close()
    assert [(o.status, o.code) for o in outcomes] == [("delivered", ""), ("retry", "nack")]


async def test_one_record_goes_before_the_others() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.hear(3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await peer.hear()
        peer.say(confirm(1))
        await peer.hear(6)
        peer.say(confirm(3, multiple=True))

    async with served(script) as (account, heard):
        link = RabbitLink(account)
        outcomes = await link.send([Item(body=b"0"), Item(body=b"1"), Item(body=b"2")])
        await link.close()
    assert [o.status for o in outcomes] == ["delivered"] * 3
    assert [item.fragment for item in heard if isinstance(item, frame.Body)] == [b"0", b"1", b"2"]


async def test_a_refusal_that_names_nobody_leaves_all_in_doubt() -> None:
    """The next batch goes one by one, and then the culprit is known."""
    refused = "PRECONDITION_FAILED - something"

    async def script(peer: Peer) -> None:
        await peer.welcome()
        number = 0
        while True:
            await peer.hear(2)
            (body,) = await peer.hear()
            number += 1
            if body.fragment == b"bad":
                peer.say(closing(406, refused, channel=1))
                while True:
                    item = (await peer.hear())[0]
                    method = getattr(item, "method", None)
                    if isinstance(method, spec.Channel.CloseOk):
                        break
                await peer.hear(2)
                peer.say(CHANNEL)
                number = 0
            elif body.fragment != b"slow":
                peer.say(confirm(number))

    batch = [Item(body=body) for body in (b"first", b"slow", b"bad", b"last")]
    async with served(script) as (account, _):
        link = RabbitLink(account)
        outcomes = await link.send(batch)
        assert [(o.status, o.unknown) for o in outcomes] == [
            ("delivered", False), ("retry", True), ("retry", True), ("retry", True),
        ]  # fmt: skip
        again = [Item(body=body) for body in (b"1", b"bad", b"2", b"bad")]
        assert [o.status for o in await link.send(again)] == [
            "delivered", "rejected", "delivered", "rejected",
        ]  # fmt: skip
        await link.close()
