"""The NATS sink: rules, messages, and a connection to servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks import _nats_link, _nats_streams, _nats_wire
from routestudio.sinks._nats_account import Account, WireError
from routestudio.sinks._nats_wire import Connection, publication
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.nats import Nats
from tests.support.certificates import Authority

MESSAGE = message_from(
    {"action": "insert", "record": {"id": 7}, "metadata": {"table_name": "orders"}}
)
KEY = MESSAGE.metadata["idempotency_key"]
INFO = {"server_id": "X", "version": "2.9.10", "headers": True, "max_payload": 1000}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def encode(headers: dict[str, str], value: Any = None) -> Any:
    config = Nats.Config(host="localhost")
    return Nats.encode(
        config, MESSAGE, Nats.Routing(subject="orders.new", headers=headers),
        Payload({"n": "é"} if value is None else value),
    )  # fmt: skip


def routed(result: dict[str, Any]) -> Any:
    return Router(bind(Nats, {"host": "h"}, dynamic=True)).route(MESSAGE, FunctionResult(result))


# --- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "a b"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"tls": "maybe"}, "tls"),
        ({"password": "x"}, "username: is required with a password"),
        ({"subject": "orders"}, "subject: unknown key"),
        ({"nkeyseed": "x"}, "did you mean `nkey_seed`"),
    ],
)
def test_a_wrong_destination_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(Nats, {"host": "localhost", **values}, dynamic=False)


def test_the_port_has_a_default_that_exports_always_write() -> None:
    assert Nats.Config(host="h").port == 4222
    assert Nats.write_always == ("port",)


def test_defaults() -> None:
    effective = routed({})
    database = MESSAGE.metadata["database_name"]
    assert effective.values == {
        "subject": f"sequin.{database}.public.orders.insert",
        "headers": {"Nats-Msg-Id": KEY},
    }
    assert effective.batch_key == ()


@pytest.mark.parametrize(
    "subject", ["", "a b", "a.*", ">", "a..b", ".a", "a.", "a\r\nPUB b 0", "ä", "x" * 256, "a/b", 5]
)
def test_subjects_that_nats_cannot_have_are_refused(subject: Any) -> None:
    assert [p.field for p in routed({"subject": subject}).problems] == ["subject"]


@pytest.mark.parametrize("subject", ["orders", "a.B-c_9", "x" * 255])
def test_subjects(subject: str) -> None:
    assert routed({"subject": subject}).values["subject"] == subject


@pytest.mark.parametrize(
    "headers", [None, {"a": None}, {"a": 1}, {"a b": "c"}, {"a": "b\r\nc: d"}, {"a:": "b"}, "x"]
)
def test_headers_that_nats_cannot_have_are_refused(headers: Any) -> None:
    assert {p.field for p in routed({"headers": headers}).problems} == {"headers"}


# --- messages ---------------------------------------------------------------------------------


def test_the_body_is_json_and_the_size_is_what_the_server_counts() -> None:
    found = encode({"Nats-Msg-Id": "1"})
    assert found.body == '{"n":"é"}'.encode()
    assert found.headers == b"NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n"
    assert found.size == len(found.body) + len(found.headers)
    assert found.describe() == {
        "kind": "nats message", "subject": "orders.new", "headers": {"Nats-Msg-Id": "1"},
        "payload": '{"n":"é"}',
    }  # fmt: skip
    assert encode({}, "text").body == b'"text"'


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"Nats-Msg-Id": KEY}),
        ({"X-Source": "cdc"}, {"X-Source": "cdc", "Nats-Msg-Id": KEY}),
        ({"Nats-Msg-Id": "own"}, {"Nats-Msg-Id": "own"}),
        ({"nats-msg-id": "own"}, {"Nats-Msg-Id": "own"}),
        ({"Nats-Msg-Id": ""}, {}),
        ({"Nats-Msg-Id": "", "a": "b"}, {"a": "b"}),
    ],
)
def test_the_message_id_stays_unless_a_function_says_otherwise(
    given: dict[str, str], sent: dict[str, str]
) -> None:
    found = encode(given)
    assert found.describe()["headers"] == sent
    assert (found.headers == b"") == (not sent)


def test_commands() -> None:
    assert publication("a.b", "", b"", b"xy") == b"PUB a.b 2\r\nxy\r\n"
    assert publication("a", "r", b"H", b"xy") == b"HPUB a r 1 3\r\nHxy\r\n"


# --- connections ------------------------------------------------------------------------------


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
    monkeypatch.setattr(_nats_wire, "INFO_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(talk) as port:
        outcomes = await send(port, "a")
    assert outcomes[0].code == "not_nats"
    assert outcomes[0].unreachable


async def test_tls_that_comes_before_the_greeting(
    ca: Authority, trusted_ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_nats_wire, "TLS_FIRST_SECONDS", 0.1)

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
        assert first == _nats_wire.Reply(5, 503, b"ab")
        assert second == _nats_wire.Reply(6, None, b"\r\nc")
        assert third == _nats_wire.Pong()
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
    outcome = _nats_link._refused({"stream": "ORDERS"}, error)
    assert outcome.status == status
    assert "ORDERS" in outcome.reason


async def test_what_is_believed_of_subjects_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_nats_link, "_MAX_SUBJECTS", 3)
    link = _nats_link.NatsLink(Account("h", 1))
    for number in range(10):
        link._remember({f"s{number}": _nats_streams.NOBODY})
    assert 0 < len(link._storage) <= 3
