"""The Redis stand-in: the Redis protocol on loopback, in memory, with a log of what was written.

The data and the commands are those of `fakeredis`; connections are served here, on the engine's
own loop, so that stopping leaves no thread and every write is seen in order of arrival.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any, ClassVar, Final

from routestudio.errors import LinkError
from routestudio.sinks._shared.standins.server import ServerStandin
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived

MAX_BULK: Final = 512 * 1024 * 1024
_MAX_ARGUMENTS: Final = 1_000_000
_TURN: Final = 64
"""Commands of one connection after which other work of the loop gets its turn."""

_READS: Final = frozenset(
    [
        "acl",
        "auth",
        "client",
        "command",
        "config",
        "dbsize",
        "debug",
        "echo",
        "exists",
        "exec",
        "expiretime",
        "get",
        "getrange",
        "hget",
        "hgetall",
        "hkeys",
        "hlen",
        "hmget",
        "hvals",
        "info",
        "keys",
        "lastsave",
        "lindex",
        "llen",
        "lolwut",
        "lrange",
        "memory",
        "mget",
        "module",
        "multi",
        "object",
        "ping",
        "pttl",
        "randomkey",
        "role",
        "scan",
        "scard",
        "select",
        "slowlog",
        "smembers",
        "strlen",
        "time",
        "ttl",
        "type",
        "unwatch",
        "wait",
        "watch",
        "xinfo",
        "xlen",
        "xrange",
        "xread",
        "xrevrange",
        "zcard",
        "zrange",
        "zscore",
    ]
)
_REFUSED: Final = frozenset(
    [
        "blmove",
        "blmpop",
        "blpop",
        "brpop",
        "brpoplpush",
        "bzmpop",
        "bzpopmax",
        "bzpopmin",
        "monitor",
        "psubscribe",
        "replicaof",
        "shutdown",
        "slaveof",
        "ssubscribe",
        "subscribe",
        "sync",
        "psync",
    ]
)
_INFO: Final = (
    b"# Server\r\nredis_version:7.2.0\r\nredis_mode:standalone\r\n"
    b"# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
)


class RedisStandin(ServerStandin):
    """A Redis server in memory: RESP2 and RESP3, any number of clients and databases."""

    kind: ClassVar[str] = "redis"
    title: ClassVar[str] = "Redis in memory"

    def __init__(self) -> None:
        super().__init__()
        self._data: Any = None

    async def start(self) -> StandinAddress:
        try:
            from fakeredis import FakeServer
        except ImportError:
            raise LinkError(
                "the Redis stand-in needs the package fakeredis", hint="pip install fakeredis"
            ) from None
        self._data = FakeServer(version=(7, 2))
        return await super().start()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(self._data)
        try:
            await self._converse(client, reader, writer)
        except _BadFrameError as error:
            writer.write(b"-ERR Protocol error: %b\r\n" % str(error).encode())
        except ValueError:
            pass
        finally:
            client.close()

    async def _converse(
        self, client: _Client, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        turns = 0
        while fields := await _read_command(reader):
            if fields[0].lower() in (b"post", b"host:"):
                return  # A web page speaks HTTP here; a real server closes, too.
            reply = client.run(fields)
            writer.write(reply)
            if not reply.startswith(b"-"):
                self._log(fields, client.database)
            if fields[0].lower() == b"quit":
                return
            turns += 1
            if turns % _TURN == 0:
                await writer.drain()
                await asyncio.sleep(0)

    def _log(self, fields: list[bytes], database: int) -> None:
        command = fields[0].decode("ascii", "replace").upper()
        if command.lower() in _READS or command in ("HELLO", "QUIT") or len(fields) < 2:
            return
        details: dict[str, Any] = {"command": command, "database": database}
        rest = fields[2:]
        body = ""
        if command == "SET" and rest:
            body, options = _text(rest[0]), [_text(item) for item in rest[1:]]
            if len(options) == 2 and options[0].upper() == "PX":
                details["expire_ms"] = int(options[1])
            elif options:
                details["options"] = options
        elif rest:
            body = " ".join(_text(item) for item in rest)
        keys = fields[1:] if command in ("DEL", "UNLINK") else fields[1:2]
        for key in keys:
            name = _text(key)
            self._kept.add(Arrived(name, "" if len(keys) > 1 else body, name, details))


class _BadFrameError(Exception):
    """The client does not speak the Redis protocol."""


class _Client:
    """One client's view of the data: its database and protocol version."""

    def __init__(self, data: Any) -> None:
        from fakeredis import FakeRedis

        self._make: Any = lambda db, protocol: FakeRedis(
            server=data, db=db, protocol=protocol, single_connection_client=True
        )
        self.database = 0
        self._speak(2)

    def run(self, fields: list[bytes]) -> bytes:
        """The reply to one command, encoded."""
        from redis.exceptions import RedisError

        name = fields[0].decode("ascii", "replace").lower()
        try:
            if name == "hello":
                return self._hello(fields[1:])
            if name == "client" and len(fields) > 1 and fields[1].lower() in (b"setinfo",):
                return b"+OK\r\n"
            if name == "quit" or (name == "acl" and fields[1:2] and fields[1].lower() == b"dryrun"):
                return b"+OK\r\n"
            if name in ("info", "role"):
                return _reply(_INFO if name == "info" else [b"master", 0, []], self._resp3)
            if name == "auth":
                return (
                    b"-ERR AUTH <password> called without any password configured for the default "
                    b"user. Are you sure your configuration is correct?\r\n"
                )
            if name in _REFUSED:
                return b"-ERR the stand-in does not offer this command\r\n"
            value = self._redis.execute_command(*fields)
        except RedisError as error:
            return b"-%b\r\n" % _error_text(error).encode("utf-8", "replace")
        except Exception as error:
            return b"-ERR the stand-in cannot do this: %b\r\n" % type(error).__name__.encode()
        if name == "select":
            self.database = int(fields[1])
        return _reply(value, self._resp3, top=True)

    def close(self) -> None:
        self._redis.close()

    def _speak(self, protocol: int) -> None:
        """Answer in this version of the protocol from now on."""
        self._redis: Any = self._make(self.database, protocol)
        self._redis.response_callbacks.clear()
        self._resp3 = protocol == 3

    def _hello(self, arguments: list[bytes]) -> bytes:
        version = arguments[0] if arguments else b"3" if self._resp3 else b"2"
        if version not in (b"2", b"3"):
            return b"-NOPROTO unsupported protocol version\r\n"
        if any(item.lower() == b"auth" for item in arguments[1:]):
            return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        if (version == b"3") != self._resp3:
            self.close()
            self._speak(int(version))
        facts: list[Any] = [
            b"server", b"redis", b"version", b"7.2.0", b"proto", int(version), b"id", 1,
            b"mode", b"standalone", b"role", b"master", b"modules", [],
        ]  # fmt: skip
        head = b"%%%d\r\n" % (len(facts) // 2) if self._resp3 else b"*%d\r\n" % len(facts)
        return head + b"".join(_reply(item, self._resp3) for item in facts)


async def _read_command(reader: asyncio.StreamReader) -> list[bytes] | None:
    """The next command as its parts; `None` at the end. Raises `_BadFrameError`."""
    line = await _line(reader)
    while line == b"":
        if reader.at_eof():
            return None
        line = await _line(reader)
    if not line.startswith(b"*"):
        return line.split()
    fields = []
    for _ in range(_number(line, _MAX_ARGUMENTS)):
        head = await _line(reader)
        if not head.startswith(b"$"):
            raise _BadFrameError("expected '$'")
        size = _number(head, MAX_BULK)
        fields.append((await reader.readexactly(size + 2))[:-2])
    return fields or [b"ping"]


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n"))[:-1].rstrip(b"\r")
    except asyncio.LimitOverrunError:
        raise _BadFrameError("too big inline request") from None
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""


def _number(line: bytes, maximum: int) -> int:
    if not line[1:].isdigit() or int(line[1:]) > maximum:
        raise _BadFrameError("invalid length")
    return int(line[1:])


def _reply(value: Any, resp3: bool, *, top: bool = False) -> bytes:
    if value is None:
        return b"_\r\n" if resp3 else b"$-1\r\n"
    if value is True or (top and value in (b"OK", b"PONG", b"QUEUED")):
        return b"+OK\r\n" if value is True else b"+%b\r\n" % value
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, Exception):
        return b"-%b\r\n" % _error_text(value).encode("utf-8", "replace")
    if isinstance(value, float) and resp3:
        return b",%b\r\n" % repr(value).encode()
    if isinstance(value, dict):
        if resp3:
            items = b"".join(_reply(part, resp3) for pair in value.items() for part in pair)
            return b"%%%d\r\n" % len(value) + items
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, (list, tuple, set, frozenset)):
        return b"*%d\r\n" % len(value) + b"".join(_reply(item, resp3) for item in value)
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


def _error_text(error: BaseException) -> str:
    text = " ".join(str(error).split())
    word = text.partition(" ")[0]
    return text if word.isupper() and word.isalpha() else f"ERR {text}"


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()
