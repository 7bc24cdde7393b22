"""Redis streams as a source when things go wrong: trimmed, unreadable, claimed, held up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from routestudio.engine.reading import SessionRows
from routestudio.formats.reader import Row, RowReader
from routestudio.model.message import Message
from routestudio.model.rows import Fault
from routestudio.sources.redis_streams import RedisSource
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real


def client(server: RedisServer) -> Any:
    import redis

    return redis.Redis(port=server.port, decode_responses=True)


def fill(server: RedisServer, count: int) -> None:
    with client(server) as connection, connection.pipeline(transaction=False) as pipe:
        for number in range(count):
            record = {"id": number % 17, "number": number}
            pipe.xadd("in", {"message": json.dumps({"action": "insert", "record": record})})
        pipe.execute()


def read_as(server: RedisServer, consumer: str, count: int) -> None:
    """A consumer that reads and is never heard of again."""
    with client(server) as connection:
        if not connection.exists("in") or not connection.xinfo_groups("in"):
            connection.xgroup_create("in", "g", "0", mkstream=True)
        connection.xreadgroup("g", consumer, {"in": ">"}, count=count)


def grow_old(server: RedisServer, consumer: str) -> None:
    """The pending entries of a consumer look as if they were two minutes old."""
    with client(server) as connection:
        found = connection.xpending_range("in", "g", "-", "+", 100_000, consumername=consumer)
        numbers = [entry["message_id"] for entry in found]
        for start in range(0, len(numbers), 1000):
            connection.execute_command(
                "XCLAIM", "in", "g", consumer, 0, *numbers[start : start + 1000],
                "IDLE", 120_000, "JUSTID",
            )  # fmt: skip


def pending(server: RedisServer) -> int:
    with client(server) as connection:
        return int(connection.xpending("in", "g")["pending"])


def address(server: RedisServer, **options: str) -> str:
    given = {"stream": "in", "group": "g", "consumer": "one", "until": "end", **options}
    return f"redis://127.0.0.1:{server.port}/0?" + "&".join(f"{k}={v}" for k, v in given.items())


def numbers(rows: list[Row]) -> list[int]:
    return [row.record["number"] for row in rows if isinstance(row, Message)]


@asynccontextmanager
async def opened(text: str) -> AsyncIterator[tuple[RedisSource, SessionRows]]:
    """A source and its one session."""
    source = RedisSource(text, lambda reference: None)
    sessions = source.sessions()
    try:
        yield source, SessionRows(await anext(sessions), RowReader())
    finally:
        await source.close()
        await sessions.aclose()


async def every_row(session: SessionRows) -> list[Row]:
    """All rows; none is finished meanwhile."""
    return [row async for chunk in session.chunks() for row in chunk]


async def finish(session: SessionRows, count: int) -> None:
    session.save(count)
    await session.session.finish()


async def test_entries_still_in_work_here_are_not_taken_over_from_oneself(
    redis_server: RedisServer,
) -> None:
    """A sink that is away longer than `idle` makes our own entries look abandoned."""
    fill(redis_server, 1000)
    async with opened(address(redis_server, idle="1")) as (_, session):
        rows: list[Row] = []
        async for chunk in session.chunks():
            rows += chunk
            grow_old(redis_server, "one")
            await asyncio.sleep(0.6)  # past the next look for abandoned entries
        assert numbers(rows) == list(range(1000))
        await finish(session, len(rows))
        assert pending(redis_server) == 0


async def test_all_entries_of_a_dead_consumer_are_claimed_at_once_and_before_newer_ones(
    redis_server: RedisServer,
) -> None:
    fill(redis_server, 7000)
    read_as(redis_server, "alive", 5200)
    read_as(redis_server, "dead", 1300)
    grow_old(redis_server, "dead")
    async with opened(address(redis_server)) as (_, session):
        rows = await every_row(session)
        assert numbers(rows) == list(range(5200, 7000))
        await finish(session, len(rows))
        assert pending(redis_server) == 5200


@pytest.mark.allow_log
async def test_entries_that_were_trimmed_away_hold_nothing_up(
    redis_server: RedisServer,
) -> None:
    fill(redis_server, 900)
    read_as(redis_server, "one", 600)
    with client(redis_server) as connection:
        connection.xtrim("in", maxlen=350, approximate=False)
    async with opened(address(redis_server)) as (_, session):
        rows = await every_row(session)
        assert numbers(rows) == list(range(550, 900))
        await finish(session, len(rows))
        assert pending(redis_server) == 0


async def test_an_entry_that_is_not_text_is_one_fault_and_no_end(
    redis_server: RedisServer,
) -> None:
    fill(redis_server, 3)
    redis_server.command("XADD", "in", "*", "message", b"\xff\xfe\x00")
    redis_server.command("XADD", "in", "*", b"\xc3", b"{}")
    fill(redis_server, 2)
    async with opened(address(redis_server)) as (_, session):
        rows = await every_row(session)
        assert numbers(rows) == [0, 1, 2, 0, 1]
        faults = [row for row in rows if isinstance(row, Fault)]
        assert len(faults) == 2
        assert all(row.place.startswith("in@") for row in faults)
        assert all("not text in UTF-8" in row.message for row in faults)
        await finish(session, len(rows))
        assert pending(redis_server) == 0


async def test_what_is_finished_is_acknowledged_whatever_moment_the_run_ends_at(
    redis_server: RedisServer,
) -> None:
    """The last acknowledgement waits for the one that is under way."""
    fill(redis_server, 2000)
    async with opened(address(redis_server)) as (source, session):
        rows = await every_row(session)
        session.save(len(rows))
        under_way = asyncio.ensure_future(source.acknowledge(session.session))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await session.session.finish()
        assert pending(redis_server) == 0
        await under_way
