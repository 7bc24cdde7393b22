"""Reading back streams and keys with a Redis sink's own settings; nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.model import jsonio
from routestudio.sinks._shared.redis.node import CONNECT_TIMEOUT, Account, connected
from routestudio.sinks.reading import SECONDS, Bounds, Reader, Stored, Wanted, Window

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

_PAGE: Final = 100
"""Entries, or keys, that are asked for at once."""

_REDIRECTIONS: Final = 5


class RedisReader(Reader):
    """Asks one server, or those of a cluster that hold the keys."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._open: dict[tuple[str, int], Connection] = {}
        self._where = f"Redis at {account.host}:{account.port}"

    async def ask(self, *command: str | int) -> Any:
        """The reply to a command whose first argument is a key. Raises `LinkError`."""
        from redis.exceptions import MovedError, RedisError

        place = (self._account.host, self._account.port)
        try:
            async with asyncio.timeout(SECONDS):
                for _ in range(_REDIRECTIONS):
                    connection = await self._connection(place)
                    try:
                        await connection.send_command(*command)
                        return await connection.read_response()
                    except MovedError as error:
                        place = (error.host or self._account.host, int(error.port))
        except TimeoutError:
            raise LinkError(f"{self._where} does not answer within {SECONDS:g} s") from None
        except (RedisError, OSError) as error:
            raise self._broken(error) from None
        raise LinkError(f"{self._where} moves this key from server to server", hint="try again")

    async def ask_all(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """The replies to many commands, asked at once; a refusal is its reply."""
        from redis.exceptions import MovedError, RedisError, ResponseError

        found: list[Any] = []
        try:
            async with asyncio.timeout(SECONDS):
                connection = await self._connection((self._account.host, self._account.port))
                await connection.send_packed_command(
                    [part for command in commands for part in connection.pack_command(*command)]
                )
                for _ in commands:
                    try:
                        found.append(await connection.read_response())
                    except ResponseError as error:
                        found.append(error)
        except TimeoutError:
            raise LinkError(f"{self._where} does not answer within {SECONDS:g} s") from None
        except (RedisError, OSError) as error:
            raise self._broken(error) from None
        for index, reply in enumerate(found):
            if isinstance(reply, MovedError):
                found[index] = await self.ask(*commands[index])
        return found

    async def _connection(self, place: tuple[str, int]) -> Connection:
        if place not in self._open:
            account = replace(self._account, host=place[0], port=place[1])
            async with asyncio.timeout(CONNECT_TIMEOUT):
                self._open[place] = await connected(account.connection())
        return self._open[place]

    def _broken(self, error: BaseException) -> LinkError:
        return LinkError(f"{self._where} cannot be read: {error}",
                         hint="check host, TLS, credentials and rights")  # fmt: skip

    async def close(self) -> None:
        for connection in self._open.values():
            await connection.disconnect()
        self._open.clear()


class StreamReader(RedisReader):
    """The last entries of a stream (XREVRANGE)."""

    async def read(self, wanted: Wanted) -> Window:
        key, bounds = wanted.destination, Bounds(wanted.limit)
        kind = await self.ask("TYPE", key)
        if kind not in (b"stream", b"none"):
            raise UsageError(f"{self._where}: `{key}` is a {_text(kind)}, not a stream",
                             hint="choose another key")  # fmt: skip
        held = int(await self.ask("XLEN", key)) if kind == b"stream" else 0
        found: list[Stored] = []
        end = "+"
        while held and not bounds.reached:
            page = await self.ask("XREVRANGE", key, end, "-", "COUNT", min(_PAGE, bounds.left))
            for number, fields in page:
                entry = _entry(key, _text(number), fields)
                if bounds.take(entry.size):
                    found.append(entry)
                end = _before(_text(number))
            if not page:
                break
        return Window(found[::-1], held > len(found))


class StringReader(RedisReader):
    """What is under each key (GET)."""

    async def read(self, wanted: Wanted) -> Window:
        bounds = Bounds(wanted.limit)
        found: list[Stored] = []
        for start in range(0, len(wanted.expected), _PAGE):
            page = wanted.expected[start : start + _PAGE]
            keys = [item.key or "" for item in page]
            sizes = await self.ask_all([("STRLEN", key) for key in keys])
            for key, size in zip(keys, sizes, strict=True):
                if isinstance(size, Exception):
                    raise LinkError(f"{self._where}: `{key}` cannot be read: {size}",
                                    hint="the key must hold a string, and the user may need the "
                                    "rights to STRLEN and GET")  # fmt: skip
            taken = [key for key, size in zip(keys, sizes, strict=True) if bounds.take(size)]
            values = await self.ask_all([("GET", key) for key in taken])
            for item, value in zip(page, values, strict=False):
                body = value if isinstance(value, bytes) else None
                found.append(replace(item, body=body, place=item.key or ""))
            if len(taken) < len(page):
                return Window(found, more=True)
        return Window(found)


def fields_body(fields: dict[str, str]) -> bytes:
    """The fields of an entry as one JSON map, so that each can be compared."""
    return jsonio.dump_bytes(fields)


def _entry(key: str, number: str, fields: Sequence[bytes]) -> Stored:
    pairs = {_text(fields[i]): _text(fields[i + 1]) for i in range(0, len(fields), 2)}
    return Stored(key, None, fields_body(pairs), place=f"{key}@{number}")


def _before(number: str) -> str:
    """The largest id below one; servers before 6.2 know no other way to leave one out."""
    time, _, step = number.partition("-")
    return f"{time}-{int(step) - 1}" if int(step) else f"{int(time) - 1}-{2**64 - 1}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
