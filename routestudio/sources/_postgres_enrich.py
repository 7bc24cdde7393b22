"""Queries for enrichments: the rows that one statement finds for the keys of many messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from routestudio import tasks
from routestudio.errors import RouteStudioError
from routestudio.formats.postgres import cast_of
from routestudio.model.message import text_of
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import Server, connect, literal, quoted, translated
from routestudio.sources._postgres_look import as_it_is, raw_execute

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

Key = tuple[Any, ...]
"""Values of the key columns of a message."""

_IDLE_SECONDS: Final = 10.0
"""After so long without a question the connection is closed."""
_CONNECT_SECONDS: Final = 5


class UnsuitableError(RouteStudioError):
    """An answer that cannot be given to messages: it has no key columns."""


@dataclass(frozen=True, slots=True)
class Several:
    """The answer for a key that has more than one row."""


Answer = dict[str, Any] | Several | None
"""The row of one key; `None` where there is none."""


class Queries:
    """Asks one database. A connection is made when one is needed, and closed when none is."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server = server
        self._seconds = seconds
        self._link: Link | None = None
        self._types = catalog.Types()
        self._keys: dict[tuple[str, str], tuple[str, ...]] = {}
        self._lock = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def key_of(self, schema: str, table: str) -> tuple[str, ...]:
        """The columns of a table's primary key; none where there is no such table.

        Raises `PostgresError`.
        """
        if (schema, table) not in self._keys:
            async with self._lock:
                link = await self._linked()
                try:
                    with translated(self.server):
                        name = literal(quoted(schema, table))
                        sql = catalog.key_columns(f"to_regclass({name})")
                        found = await (await link.execute(sql.encode())).fetchall()
                except BaseException:
                    await self._drop()
                    raise
                self._keys[schema, table] = tuple(row[0] for row in found)
        return self._keys[schema, table]

    async def ask(self, sql: str, columns: Sequence[str], keys: Sequence[Key]) -> list[Answer]:
        """What `sql` gives for each key: `$1` and so on are lists of the values of `columns`.

        Nothing can be written, and the statement ends after a time. Raises `PostgresError`,
        `UnsuitableError`.
        """
        async with self._lock:
            link = await self._linked()
            try:
                with translated(self.server):
                    result = await self._asked(link, sql, keys)
                    oids = {result.ftype(number) for number in range(result.nfields)}
                    await self._types.learn(link, oids)
            except (asyncio.CancelledError, TimeoutError):
                await self._drop()  # its answer may still be under way
                raise
            except RouteStudioError:
                if link.closed or link.broken:
                    await self._drop()
                raise
            finally:
                self._rest()
        return self._read(result, columns, keys)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        async with self._lock:
            await self._drop()

    async def _asked(self, link: Link, sql: str, keys: Sequence[Key]) -> Any:
        """The result in a separate transaction, which is taken back: so is what it has set."""
        limit = round(self._seconds * 1000)
        begin = (f"begin read only; set local statement_timeout = {limit}; "
                 f"set local lock_timeout = {limit}")  # fmt: skip
        await link.execute(begin.encode())
        try:
            await as_it_is(link)
            texts = [[None if v is None else text_of(v) for v in key] for key in keys]
            lists = [_list(values) for values in zip(*texts, strict=True)]
            return await raw_execute(link, sql, lists)
        finally:
            if not link.closed:
                with contextlib.suppress(Exception):
                    await link.execute(b"rollback")

    def _read(self, result: Any, columns: Sequence[str], keys: Sequence[Key]) -> list[Answer]:
        names = [result.fname(number).decode() for number in range(result.nfields)]
        missing = [column for column in columns if column not in names]
        if missing:
            raise UnsuitableError(
                "the query does not select the key, by which its rows are known: "
                f"`{'`, `'.join(missing)}`",
                hint="select every column of the primary key",
            )
        types = [self._types.name(result.ftype(n)) or "text" for n in range(result.nfields)]
        casts = [cast_of(type_) for type_ in types]
        places = [names.index(column) for column in columns]
        kinds = [types[place] for place in places]
        found: dict[Any, Answer] = {}
        for number in range(result.ntuples):
            texts = [_text(result.get_value(number, place)) for place in range(result.nfields)]
            values = [text if cast is None or text is None else cast(text)
                      for text, cast in zip(texts, casts, strict=True)]  # fmt: skip
            key = _comparable([values[place] for place in places], kinds)
            found[key] = Several() if key in found else dict(zip(names, values, strict=True))
        return [found.get(_comparable(key, kinds)) for key in keys]

    async def _linked(self) -> Link:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._link is None or self._link.closed:
            self._link = None
            self._keys.clear()
            self._link = await connect(self.server, seconds=self._seconds,
                                       connect_seconds=_CONNECT_SECONDS)  # fmt: skip
        return self._link

    def _rest(self) -> None:
        """Close the connection when nobody asks for a while."""
        loop = asyncio.get_running_loop()

        def close() -> None:
            self._idle = None
            tasks.spawn(self.close(), name="idle enrichment")

        self._idle = loop.call_later(_IDLE_SECONDS, close)

    async def _drop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        link, self._link = self._link, None
        if link is not None:
            await asyncio.shield(link.close())


def _comparable(values: Sequence[Any], types: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(comparable(value, type_) for value, type_ in zip(values, types, strict=True))


def comparable(value: Any, type_: str) -> str | None:
    """A value of a key as a text that is the same for equal values of its type."""
    if value is None:
        return None
    text = text_of(value)
    if type_ == "uuid":
        return text.lower()
    if type_ == "numeric":
        with contextlib.suppress(InvalidOperation):
            return format(Decimal(text).normalize(), "f")
    cast = cast_of(type_)
    return text if cast is None or not isinstance(value, str) else text_of(cast(text))


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("utf-8", "replace")


def _list(values: Sequence[str | None]) -> str:
    """Values as the text of an array, whose type the statement decides."""
    return "{" + ",".join("NULL" if value is None else _item(value) for value in values) + "}"


def _item(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
