"""The Redis string sink: encoding, replies as outcomes, check steps, against scripted servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.jsonio import loads
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.redis.standin import RedisStandin, _read_command
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.redis_string.sink import RedisString

MESSAGE = message_from({"action": "insert", "record": {"id": 1, "name": "ü"}})
CONFIG = RedisString.Config(host="localhost", port=6379)


def encode(value: Any = None, **routing: Any) -> Any:
    routing = {"key": "k", "action": "set", "expire_ms": None, **routing}
    payload = Payload(MESSAGE.as_json() if value is None else value)
    return RedisString.encode(
        CONFIG, MESSAGE, RedisString.Routing.model_construct(**routing), payload
    )


async def parts(wire: bytes) -> list[bytes] | None:
    reader = asyncio.StreamReader()
    reader.feed_data(wire)
    reader.feed_eof()
    return await _read_command(reader)


@asynccontextmanager
async def server(answer: Callable[[list[bytes]], bytes | None]) -> AsyncIterator[int]:
    """A server that answers each command with raw bytes, or hangs up on `None`."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while command := await _read_command(reader):
                if command[0].upper() == b"CLIENT":
                    writer.write(b"+OK\r\n")
                    continue
                reply = answer(command)
                if reply is None:
                    break
                writer.write(reply)
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


async def send(port: int, records: list[Any]) -> list[Any]:
    link = RedisString.connect(RedisString.Config(host="127.0.0.1", port=port))
    try:
        return list(await link.send(records))
    finally:
        await link.close()


async def check(config: Any, *targets: Any) -> list[CheckStep]:
    link = RedisString.connect(config)
    try:
        return [step async for step in link.check(targets)]
    finally:
        await link.close()


async def test_commands_on_the_wire() -> None:
    assert await parts(encode("v").wire) == [b"SET", b"k", b"v"]
    assert await parts(encode("v", expire_ms=1500).wire) == [b"SET", b"k", b"v", b"PX", b"1500"]
    assert await parts(encode("v", action="del", expire_ms=5).wire) == [b"DEL", b"k"]


@given(key=st.text(min_size=1), value=st.text(), expire=st.none() | st.integers(1, 2**53))
def test_any_text_survives_the_wire(key: str, value: str, expire: int | None) -> None:
    found = asyncio.run(parts(encode(value, key=key, expire_ms=expire).wire))
    tail = [] if expire is None else [b"PX", str(expire).encode()]
    assert found == [b"SET", key.encode(), value.encode(), *tail]


@pytest.mark.parametrize(
    ("value", "stored"),
    [("text", b"text"), ("", b""), (5, b"5"), (1.5, b"1.5"), (True, b"true"), (["a"], b'["a"]'),
     ({"a": Decimal("1.0")}, b'{"a":"1.0"}'), (Decimal("1.0"), b'"1.0"')],
)  # fmt: skip
def test_text_and_numbers_are_stored_raw_all_else_as_json(value: Any, stored: bytes) -> None:
    assert encode(value).value == stored


def test_without_a_transform_the_whole_message_is_stored() -> None:
    record = encode()
    assert loads(record.value) == MESSAGE.as_json()
    assert record.size == len(record.wire)


def test_descriptions() -> None:
    assert encode("v", expire_ms=9).describe() == {
        "command": "SET k <value> PX 9", "key": "k", "value": "v", "expire_ms": 9,
    }  # fmt: skip
    assert encode("v", action="del").describe() == {"command": "DEL k", "key": "k"}


async def test_each_reply_is_the_outcome_of_its_own_record() -> None:
    replies = {
        b"a": b"+OK\r\n",
        b"b": b"-WRONGTYPE Operation against a key\r\n",
        b"c": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"d": b"-NOPERM User eve has no permissions to access the 'd' key\r\n",
        b"e": b"-READONLY You can't write against a read only replica.\r\n",
        b"f": b"-MOVED 1 127.0.0.1:%d\r\n",
        b"g": b"-MISCONF Redis is configured to save RDB snapshots\r\n",
        b"h": b":1\r\n",
        b"i": b"-TRYAGAIN Multiple keys request\r\n",
        b"j": b"-ERR something\r\n",
    }

    def reply(command: list[bytes]) -> bytes:
        """A server that does not know who holds its keys, and names itself."""
        found = replies.get(command[1], b"-ERR unknown command\r\n")
        return found % port if b"%d" in found else found

    async with server(reply) as port:
        outcomes = await send(port, [encode("v", key=name.decode()) for name in replies])
    assert [(o.status, o.code) for o in outcomes] == [
        ("delivered", ""), ("rejected", "WRONGTYPE"), ("retry", "OOM"), ("rejected", "NOPERM"),
        ("retry", "READONLY"), ("retry", "MOVED"), ("retry", "MISCONF"), ("delivered", ""),
        ("retry", "TRYAGAIN"), ("rejected", "ERR"),
    ]  # fmt: skip
    assert not any(o.unknown for o in outcomes)


async def test_a_reply_too_many_is_not_taken_for_that_of_the_next_command() -> None:
    replies = {b"first": b"+OK\r\n+OK\r\n", b"second": b"-ERR no\r\n", b"third": b"-ERR no\r\n"}
    async with server(lambda c: replies[c[1]]) as port:
        link = RedisString.connect(RedisString.Config(host="127.0.0.1", port=port))
        outcomes = []
        for name in ("first", "second", "third"):
            outcomes += await link.send([encode("v", key=name)])
            await asyncio.sleep(0.02)
        await link.close()
    assert [o.status for o in outcomes] == ["delivered", "rejected", "rejected"]


async def test_a_connection_cut_in_a_pipeline_leaves_the_rest_unknown() -> None:
    async with server(lambda c: None if c[1] == b"k2" else b"+OK\r\n") as port:
        outcomes = await send(port, [encode("v", key=f"k{i}") for i in range(4)])
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [
        ("delivered", "", False), ("delivered", "", False),
        ("retry", "connection_lost", True), ("retry", "connection_lost", True),
    ]  # fmt: skip


async def test_a_server_that_is_loading_did_not_do_the_first_command() -> None:
    async with server(lambda c: b"-LOADING Redis is loading the dataset in memory\r\n") as port:
        outcomes = await send(port, [encode("v"), encode("v")])
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [
        ("retry", "LOADING", False),
        ("retry", "LOADING", True),
    ]


async def test_wrong_credentials_reject_no_record() -> None:
    async with server(lambda c: b"-WRONGPASS invalid username-password pair\r\n") as port:
        config = RedisString.Config(host="127.0.0.1", port=port, username="u", password="hunter2")
        link = RedisString.connect(config)
        outcomes = await link.send([encode("v")])
        await link.close()
    assert [(o.status, o.code, o.unreachable) for o in outcomes] == [("retry", "NOAUTH", True)]
    assert "hunter2" not in repr(outcomes)


async def test_no_server_is_a_retry() -> None:
    outcomes = await send(1, [encode("v"), encode("w")])
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [("retry", "connect", False)] * 2


async def test_a_connection_that_died_while_idle_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("routestudio.sinks._shared.idle.FRESH", 0.0)
    seen = []

    def answer(command: list[bytes]) -> bytes | None:
        seen.append(command)
        return b"+OK\r\n+BYE\r\n" if len(seen) == 1 else b"+OK\r\n"

    async with server(answer) as port:
        link = RedisString.connect(RedisString.Config(host="127.0.0.1", port=port))
        first = await link.send([encode("v")])
        await asyncio.sleep(0.02)
        second = await link.send([encode("v")])
        await link.close()
    assert [o.status for o in (*first, *second)] == ["delivered", "delivered"]


async def test_a_server_that_never_replies_ends_in_an_unknown_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("routestudio.sinks._shared.redis.node.TIMEOUT", 0.1)
    async with server(lambda c: b"") as port:
        outcomes = await send(port, [encode("v")])
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [("retry", "timeout", True)]


def steps(found: list[CheckStep]) -> dict[str, str]:
    return {step.step: step.status for step in found}


async def test_a_check_writes_nothing_and_asks_for_the_right() -> None:
    seen: list[bytes] = []

    def answer(command: list[bytes]) -> bytes:
        seen.append(b" ".join(command))
        if command[0] == b"INFO":
            return b"$13\r\nrole:master\r\n\r\n"
        if command[:2] == [b"ACL", b"DRYRUN"]:
            text = b"OK" if command[4] == b"a" else b"User has no permissions to access the key"
            return b"$%d\r\n%b\r\n" % (len(text), text)
        return b"+PONG\r\n" if command[0] == b"PING" else b"+OK\r\n"

    routing = RedisString.Routing
    async with server(answer) as port:
        config = RedisString.Config(host="127.0.0.1", port=port, database=3)
        found = await check(config, routing(key="a", action="set", expire_ms=5),
                            routing(key="b", action="del"))  # fmt: skip
    assert [(s.step, s.status, s.target) for s in found[3:]] == [
        ("authenticate", "passed", None), ("target", "passed", "a"), ("target", "failed", "b"),
    ]  # fmt: skip
    assert seen == [
        b"PING",
        b"SELECT 3",
        b"INFO",
        b"ACL DRYRUN default SET a value PX 5",
        b"ACL DRYRUN default DEL b",
    ]


async def test_a_read_only_replica_fails_and_names_its_master() -> None:
    text = b"role:slave\r\nmaster_host:db1\r\nmaster_port:6380\r\nslave_read_only:1\r\n"

    def answer(command: list[bytes]) -> bytes:
        return b"$%d\r\n%b\r\n" % (len(text), text) if command[0] == b"INFO" else b"+PONG\r\n"

    async with server(answer) as port:
        found = await check(RedisString.Config(host="127.0.0.1", port=port))
    assert (found[-1].step, found[-1].status) == ("target", "failed")
    assert "db1:6380" in (found[-1].hint or "")


async def test_a_user_who_may_neither_ping_nor_ask_is_inconclusive() -> None:
    async with server(lambda c: b"-NOPERM User eve has no permissions to run it\r\n") as port:
        target = RedisString.Routing(key="a", action="set")
        found = await check(RedisString.Config(host="127.0.0.1", port=port), target)
    assert steps(found)["authenticate"] == "inconclusive"
    assert steps(found)["target"] == "inconclusive"


@pytest.mark.parametrize(
    ("reply", "given", "said"),
    [
        (b"-NOAUTH Authentication required.\r\n", None, "asks for a password"),
        (b"-WRONGPASS invalid username-password pair\r\n", "pw-hunter2", "refused the credentials"),
        (b"-ERR AUTH <password> called without any password configured for the default user.\r\n",
         "pw-hunter2", "has no password"),
        (b"HTTP/1.1 400 Bad Request\r\n", None, "Redis protocol"),
        (None, None, "Redis protocol"),
    ],
)  # fmt: skip
async def test_refused_logins(reply: bytes | None, given: str | None, said: str) -> None:
    async with server(lambda c: reply) as port:
        found = await check(RedisString.Config(host="127.0.0.1", port=port, password=given))
    assert found[3].step == "authenticate"
    assert found[3].status == "failed"
    assert said in found[3].detail
    assert found[3].hint
    assert [s.status for s in found[4:]] == ["skipped"]
    assert "hunter2" not in repr(found)


async def test_the_standin_shows_what_arrived_in_order() -> None:
    standin = RedisStandin()
    address = await standin.start()
    try:
        config = RedisString.at_standin(
            RedisString.Config(host="db", port=1, password="x", tls=True, database=2), address
        )
        link = RedisString.connect(config)
        records = [encode("1", key="a"), encode("2", key="a", expire_ms=9000),
                   encode(action="del", key="b")]  # fmt: skip
        outcomes = await link.send(records)
        found = [
            step.status async for step in link.check([RedisString.Routing(key="a", action="set")])
        ]
        await link.close()
        arrived = await standin.arrived()
        assert [(a.destination, a.body, a.details["command"]) for a in arrived] == [
            ("a", "1", "SET"), ("a", "2", "SET"), ("b", "", "DEL"),
        ]  # fmt: skip
        assert arrived[1].details == {"command": "SET", "database": 2, "expire_ms": 9000}
        assert {o.status for o in outcomes} == {"delivered"}
        assert found == ["passed", "passed", "skipped", "passed", "passed"]
        await standin.clear()
        assert list(await standin.arrived()) == []
    finally:
        await standin.stop()
        await standin.stop()


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"*1\r\n$-5\r\n", b"*9999999999\r\n",
                                   b"\xff" * 200_000, b"*1\r\n:1\r\n"])  # fmt: skip
async def test_the_standin_survives_what_is_not_redis(noise: bytes) -> None:
    standin = RedisStandin()
    address = await standin.start()
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(noise)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert [o.status for o in await send(address.port, [encode("v")])] == ["delivered"]
    finally:
        await standin.stop()


def test_the_standin_config_has_no_secrets() -> None:
    config = RedisString.Config(host="db", port=1, username="u", password="x", tls=True, database=4)
    there = RedisString.at_standin(config, StandinAddress("127.0.0.1", 9))
    assert there == RedisString.Config(host="127.0.0.1", port=9, database=4)
