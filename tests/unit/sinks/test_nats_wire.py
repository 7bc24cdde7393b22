"""A connection of the NATS sink to servers that misbehave, and what it makes of their answers."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from routestudio.model.message import message_from
from routestudio.sinks.base import Payload
from routestudio.sinks.nats import link as nats_link
from routestudio.sinks.nats import sending, streams, wire
from routestudio.sinks.nats.account import Account, WireError
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.nats.wire import Connection
from tests.support.certificates import Authority

MESSAGE = message_from({"action": "insert", "record": {"id": 7}})
INFO = {"server_id": "X", "version": "2.9.10", "headers": True, "max_payload": 1000}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that talks like this to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.sleep(0.02)


def hello(**facts: Any) -> bytes:
    return b"INFO %b \r\n" % json.dumps({**INFO, **facts}).encode()


async def signed_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, Any]:
    """Greet a client and let it in; what its CONNECT said."""
    writer.write(hello())
    line = await reader.readuntil(b"\r\n")
    await reader.readuntil(b"PING\r\n")
    writer.write(b"PONG\r\n")
    found: dict[str, Any] = json.loads(line.partition(b" ")[2])
    return found


def records(*subjects: str, body: Any = 1) -> list[Any]:
    config = Nats.Config(host="h")
    return [
        Nats.encode(config, MESSAGE, Nats.Routing(subject=subject), Payload(body))
        for subject in subjects
    ]


async def send(port: int, *subjects: str, **values: Any) -> list[Any]:
    link = Nats.connect(Nats.Config(host="127.0.0.1", port=port, **values))
    try:
        return list(await link.send(records(*subjects)))
    finally:
        await link.close()


@pytest.mark.parametrize(
    ("greeting", "tls", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "not_nats"),
        (b"INFO nonsense\r\n", False, "not_nats"),
        (b"INFO [1]\r\n", False, "not_nats"),
        (b"-ERR 'maximum connections exceeded'\r\n", False, "refused"),
        (hello(tls_required=True), False, "tls_required"),
        (hello(), True, "tls_missing"),
        (b"", False, "connection_lost"),
    ],
)
async def test_who_is_no_fitting_server_gets_no_credentials(
    greeting: bytes, tls: bool, code: str
) -> None:
    heard = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        if not greeting:
            return
        while data := await reader.read(1000):
            heard.extend(data)

    async with served(talk) as port:
        outcomes = await send(port, "a", "b", tls=tls, username="u", password="hunter2")
    assert {(o.status, o.code, o.unreachable) for o in outcomes} == {("retry", code, True)}
    assert heard == b""


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "INFO_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(talk) as port:
        outcomes = await send(port, "a")
    assert outcomes[0].code == "not_nats"
    assert outcomes[0].unreachable


async def test_tls_that_comes_before_the_greeting(
    ca: Authority, trusted_ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TLS_FIRST_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await signed_in(reader, writer))["tls_required"] is True
        await reader.read()

    async with served(talk, ca.server_context()) as port:
        connection = await Connection.dial(Account("localhost", port, tls=True))
        await connection.greet(ssl.create_default_context())
        await connection.sign_in()
        assert connection.tls_version.startswith("TLS")
        await connection.close()


async def test_answers_in_pieces_and_among_pings() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await signed_in(reader, writer)
        text = (b"PING\r\n+OK\r\nINFO {\"ldm\":true}\r\nHMSG _INBOX.x.5 1  16 18\r\n"
                b"NATS/1.0 503\r\n\r\nab\r\nMSG _INBOX.x.6 1 3\r\n\r\nc\r\nPONG\r\n")  # fmt: skip
        for number in range(len(text)):
            writer.write(text[number : number + 1])
            await writer.drain()
        assert await reader.readuntil(b"\r\n") == b"PONG\r\n"

    async with served(talk) as port:
        connection = await Connection.dial(Account("127.0.0.1", port))
        await connection.greet(None)
        await connection.sign_in()
        first, second, third = [await connection.event() for _ in range(3)]
        assert first == wire.Reply(5, 503, b"ab")
        assert second == wire.Reply(6, None, b"\r\nc")
        assert third == wire.Pong()
        assert connection.leaving
        with pytest.raises(WireError, match="closed the connection"):
            await connection.event()
        connection.abort()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "text",
    [b"MSG x.1 1 -5\r\n", b"MSG x.1 1 99999999999\r\n", b"MSG\r\n", b"HMSG x.1 1 9 2\r\n",
     b"MSG x.y 1 1\r\n", b"HELLO\r\n", b"INFO {\r\n"],
)  # fmt: skip
async def test_frames_that_are_no_frames(text: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await signed_in(reader, writer)
        writer.write(text)
        await reader.read()

    async with served(talk) as port:
        outcomes = await send(port, "a")
    assert (outcomes[0].status, outcomes[0].code) == ("retry", "not_nats")


@pytest.mark.parametrize(
    ("lost_in", "code", "unknown"),
    [
        ("question", "connection_lost", False),
        ("delivery", "connection_lost", True),
        ("error", "refused", True),
    ],
)
async def test_what_was_written_before_the_end_may_have_arrived(
    lost_in: str, code: str, unknown: bool
) -> None:
    """Unknown after the messages went out, unreachable before."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await signed_in(reader, writer)
        line = await reader.readuntil(b"\r\n")
        assert line.startswith(b"PUB $JS.API.STREAM.NAMES")
        if lost_in == "question":
            return
        reply = line.split()[2]
        writer.write(b"HMSG %b 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" % reply)
        await reader.readuntil(b"HPUB a ")
        writer.write(b"-ERR 'Slow Consumer'\r\n" if lost_in == "error" else b"")

    async with served(talk) as port:
        (outcome,) = await send(port, "a")
    assert (outcome.status, outcome.code) == ("retry", code)
    assert (outcome.unknown, outcome.unreachable) == (unknown, not unknown)


async def test_an_invalid_seed_is_said_without_showing_it() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(hello(nonce="abc"))
        await reader.read()

    async with served(talk) as port:
        (outcome,) = await send(port, "a", nkey_seed="SUnotaseed")
    assert (outcome.code, outcome.unreachable) == ("credentials", True)
    assert "SUnotaseed" not in repr(outcome)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 400, "err_code": 10054, "description": "too large"}, "rejected"),
        ({"code": 429, "err_code": 10167, "description": "too many"}, "retry"),
        ({"code": 503, "err_code": 10077, "description": "full"}, "retry"),
        ({}, "retry"),
    ],
)
def test_a_streams_refusals(error: dict[str, Any], status: str) -> None:
    outcome = sending._refused({"stream": "ORDERS"}, error)
    assert outcome.status == status
    assert "ORDERS" in outcome.reason


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"streams": ["ORDERS"]}, "ORDERS"),
        ({"streams": None}, None),
        ({"streams": []}, None),
        ({"error": {"code": 503, "err_code": 10039}}, None),
        ({"error": {"code": 503, "err_code": 10008}}, "unknown"),
        ({"streams": ["x 0\r\n\r\nPUB evil 0\r\n"]}, "unknown"),
        ({"streams": [5]}, "unknown"),
        ({}, "unknown"),
    ],
)
async def test_answers_about_streams(answer: dict[str, Any], expected: str | None) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await signed_in(reader, writer)
        while line := await reader.readline():
            if line.startswith(b"PUB "):
                heard.append(line.split()[1])
                reply, body = line.split()[2], json.dumps(answer).encode()
                writer.write(b"MSG %b 1 %d\r\n%b\r\n" % (reply, len(body), body))

    async with served(talk) as port:
        connection = await Connection.dial(Account("127.0.0.1", port))
        await connection.greet(None)
        await connection.sign_in()
        found = (await streams.look_up(connection, ["s"]))["s"]
        await connection.close()
    asked = [b"$JS.API.STREAM.NAMES"]
    assert heard == asked + ([b"$JS.API.STREAM.INFO.ORDERS"] if expected == "ORDERS" else [])
    assert found.stream == (None if expected == "unknown" else expected)
    assert found.known == (expected != "unknown")


async def test_a_servers_words_are_shown_without_controls() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR '\x1b[31m" + b"x" * 500 + b"'\r\n")
        await reader.read()

    async with served(talk) as port:
        (outcome,) = await send(port, "a")
    assert outcome.reason == "the server reports: ?[31m" + "x" * 195


async def test_a_greeting_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MAX_LINE", 1000)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO " + b"x" * 2000)
        await reader.read()

    async with served(talk) as port:
        (outcome,) = await send(port, "a")
    assert outcome.code == "not_nats"


async def test_what_is_believed_of_subjects_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_link, "_MAX_SUBJECTS", 3)
    link = nats_link.NatsLink(Account("h", 1))
    for number in range(10):
        link._remember({f"s{number}": streams.NOBODY})
    assert 0 < len(link._storage) <= 3


@pytest.mark.parametrize(
    ("pattern", "subject", "covered"),
    [
        (">", "a", True), ("a.>", "a.b.c", True), ("a.>", "a", False), ("a.*", "a.b", True),
        ("a.*", "a.b.c", False), ("a.b", "a.b", True), ("*.b", "a.b", True), ("a", "a.b", False),
        ("a.b", "a", False),
    ],
)  # fmt: skip
def test_patterns_of_subjects(pattern: str, subject: str, covered: bool) -> None:
    assert streams.covers(pattern, subject) is covered


async def test_settings_of_any_form_are_read_without_a_fault() -> None:
    for config in ({}, {"max_bytes": "x", "retention": 5, "duplicate_window": None}):
        limits = streams.Limits.of(config, {"bytes": [], "consumer_count": True})
        assert (limits.max_bytes, limits.consumers, limits.full) == (0, 0, "")


@pytest.mark.parametrize("surplus", [b"PONG\r\n", b"PONG", b"-ERR 'Unknown Protocol'\r\n"])
async def test_an_answer_too_many_confirms_no_later_message(surplus: bytes) -> None:
    """What nobody asked for must not be taken for the answer to the next batch."""
    taken: list[list[bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await signed_in(reader, writer)
        taken.append([])
        while True:
            line = await reader.readuntil(b"\r\n")
            if b"$JS.API" in line:
                writer.write(b"HMSG %b 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" % line.split()[2])
            elif line == b"PING\r\n":
                # The first connection answers twice, and takes nothing after that.
                writer.write(b"PONG\r\n" + (surplus if len(taken) == 1 else b""))
                if len(taken) == 1:
                    await reader.read()
            elif b"PUB" in line:
                taken[-1].append(line)

    async with served(talk) as port:
        link = Nats.connect(Nats.Config(host="127.0.0.1", port=port))
        try:
            for number in range(2):
                found = await link.send(records("a"))
                assert [outcome.status for outcome in found] == ["delivered"], found
                assert sum(map(len, taken)) == number + 1
        finally:
            await link.close()


async def test_what_a_server_says_on_its_own_costs_no_connection() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await signed_in(reader, writer)
        while True:
            line = await reader.readuntil(b"\r\n")
            if b"$JS.API" in line:
                writer.write(b"HMSG %b 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" % line.split()[2])
            elif line == b"PING\r\n":
                writer.write(b"PONG\r\nPING\r\n" + hello(connect_urls=[]))

    async with served(talk) as port:
        link = Nats.connect(Nats.Config(host="127.0.0.1", port=port))
        try:
            for _ in range(3):
                assert [item.status for item in await link.send(records("a"))] == ["delivered"]
                await asyncio.sleep(0.02)
        finally:
            await link.close()
    assert connections == 1
