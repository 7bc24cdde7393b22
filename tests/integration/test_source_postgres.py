"""PostgreSQL as a source, on real servers: changes, backfill, resuming, what is left behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.run_control import RunControl
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from routestudio.model.rows import Raw
from tests.support.oracle import Wanted, judge
from tests.support.postgres_server import PostgresServer, start_postgres
from tests.support.projects import write_project
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

TEXT = """\
sinks:
  - name: numbers
    database: shop
    batch_size: 50
    transform: bare
    destination:
      type: redis_stream
      host: 127.0.0.1
      port: {port}
      stream_key: arrived
functions:
  - name: bare
    type: transform
    language: python
    file: functions/bare.py
"""
BARE = (
    "def transform(action, record, changes, metadata):\n"
    '    return {"number": record["number"], "group": record["id"], "action": action,\n'
    '            "lsn": metadata["commit_lsn"], "pks": metadata["record_pks"]}\n'
)
TABLES = (
    "create table numbers (id int primary key, number int)",
    "create publication routes for table numbers",
    "select pg_create_logical_replication_slot('routes', 'pgoutput')",
)


def prepare(server: PostgresServer, database: str, *more: str) -> None:
    """Table, publication and slot, and what else is wanted before the slot."""
    server.run(*TABLES[:2], *more, database=database)
    server.ask(TABLES[2], database)


async def until(found: Callable[[], bool], timeout: float = 60.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(timeout):
        while not await asyncio.to_thread(found):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def fill(server: PostgresServer, database: str, count: int, *, start: int = 0) -> None:
    """Changes of 17 rows, in transactions of different sizes."""
    with server.link(database) as link:
        at, size = start, 1
        while at < start + count:
            size = size % 29 + 1
            with link.transaction():
                for number in range(at, min(at + size, start + count)):
                    link.execute(
                        "insert into numbers values (%s, %s) on conflict (id) "
                        "do update set number = excluded.number",
                        (number % 17, number),
                    )
            at += size


def entries(server: RedisServer) -> list[dict[str, Any]]:
    import redis

    with redis.Redis(port=server.port, decode_responses=True) as connection:
        return [json.loads(next(iter(fields.values())))
                if len(fields) == 1 else
                {"number": json.loads(fields["number"]), "group": int(fields["group"]),
                 "action": fields["action"]}
                for _, fields in connection.xrange("arrived")]  # fmt: skip


def arrived(server: RedisServer) -> list[int]:
    return [int(entry["number"]) for entry in entries(server)]


def verdict(server: RedisServer, count: int, explained: Any = ()) -> Any:
    wanted = [Wanted(number, str(number % 17)) for number in range(count)]
    return judge(wanted, {"arrived": arrived(server)}, explained=explained)


@pytest.fixture
async def opened(
    redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> EngineService:
    (tmp_path / "p").mkdir()
    write_project(tmp_path / "p", TEXT.format(port=redis_server.port), {"bare": BARE}, [])
    await service.open(str(tmp_path / "p"))
    return service


def source(server: PostgresServer, database: str, **more: str) -> str:
    given = {"slot": "routes", "publication": "routes", "until": "end", **more}
    return server.address(database, **given)


async def test_changes_are_delivered_and_confirmed(
    opened: EngineService, redis_server: RedisServer, postgres: PostgresServer, shop: str
) -> None:
    prepare(postgres, shop)
    fill(postgres, shop, 500)
    found = await opened.run("numbers", input=source(postgres, shop))
    assert (found["read"], found["delivered"]) == (500, 500)
    assert verdict(redis_server, 500).good
    fill(postgres, shop, 100, start=500)
    again = await opened.run("numbers", input=source(postgres, shop))
    assert again["delivered"] == 100
    assert verdict(redis_server, 600).good
    assert postgres.value("select count(*) from pg_stat_replication") == 0


async def test_rows_of_tables_come_between_their_changes(
    opened: EngineService, redis_server: RedisServer, postgres: PostgresServer, shop: str
) -> None:
    prepare(postgres, shop)
    fill(postgres, shop, 60)
    postgres.run("delete from numbers where id = 3", database=shop)
    await opened.run("numbers", input=source(postgres, shop, backfill="public.numbers"))
    found = entries(redis_server)
    reads = [entry for entry in found if entry["action"] == "read"]
    assert sorted(entry["group"] for entry in reads) == [n for n in range(17) if n != 3]
    last = {entry["group"]: entry for entry in found}
    assert all(last[n]["action"] == "read" for n in range(17) if n != 3)
    assert last[3]["action"] == "delete"
    assert {entry["number"] for entry in reads} == {n for n in range(43, 60) if n % 17 != 3}
    fill(postgres, shop, 5, start=60)
    again = await opened.run("numbers", input=source(postgres, shop))
    assert again["delivered"] == 5


async def test_rows_that_changed_after_the_snapshot_are_left_out(
    postgres_15: PostgresServer,
) -> None:
    """What the border between changes and rows has to hold: a change that was committed after the
    snapshot and before the border is newer than the row."""
    from routestudio.sources._postgres_backfill import Backfill
    from routestudio.sources.postgres import PostgresSource

    with postgres_15.database("border", TABLES[0]) as name:
        postgres_15.run("insert into numbers select n, n from generate_series(1, 5) n",
                        database=name)  # fmt: skip
        made = PostgresSource(postgres_15.address(name, table="numbers"), lambda _: None,
                              looking=True)  # fmt: skip
        backfill = Backfill(made.server, ["numbers"])
        await backfill.begin()
        with postgres_15.link(name) as link:
            xid = link.execute("begin").execute("select txid_current()").fetchone()[0]
            link.execute("update numbers set number = 50 where id = 5")
            link.execute("commit")
        shape = {"schema": "public", "name": "numbers", "columns": ["id", "number"], "key": ["id"]}
        backfill.see(Raw({"postgres": {"table": shape, "new": ["5", "50"]}}), xid & 0xFFFFFFFF)
        backfill.see(Raw({"postgres": {"table": shape, "new": ["1", "1"]}}), 3)
        rows = [row async for chunk in backfill.rows() for row in chunk]
        await backfill.end()
        found = [row.value["postgres"]["new"] for row in rows if isinstance(row, Raw)]
        assert found == [["1", "1"], ["2", "2"], ["3", "3"], ["4", "4"]]


@pytest.mark.allow_log
async def test_a_lost_connection_is_made_again_and_repeats_nothing(
    opened: EngineService, redis_server: RedisServer, postgres: PostgresServer, shop: str
) -> None:
    prepare(postgres, shop)
    control = RunControl()
    running = asyncio.ensure_future(
        opened.run("numbers", input=source(postgres, shop, until="stopped"), control=control)
    )
    for part in range(6):
        await asyncio.to_thread(fill, postgres, shop, 50, start=50 * part)
        if not part:  # a run that cannot begin ends; this one is to lose what it had
            await until(lambda: bool(arrived(redis_server)))
        await asyncio.to_thread(
            postgres.ask, "select pg_terminate_backend(active_pid) from pg_replication_slots "
            f"where database = '{shop}' and active",
        )  # fmt: skip
    await until(lambda: len(set(arrived(redis_server))) == 300)
    control.drain(10.0)
    summary = await running
    assert verdict(redis_server, 300).good
    assert summary["delivered"] == 300, "what was finished before is not read again"


@pytest.mark.allow_log
@pytest.mark.parametrize("crash", [False, True], ids=["shutdown", "crash"])
async def test_a_server_that_restarts_is_waited_for(
    opened: EngineService, redis_server: RedisServer, crash: bool
) -> None:
    with start_postgres(settings=["max_wal_senders = 5"]) as server:
        server.run('create database "shop"')
        prepare(server, "shop")
        fill(server, "shop", 100)
        control = RunControl()
        address = source(server, "shop", until="stopped")
        running = asyncio.ensure_future(opened.run("numbers", input=address, control=control))
        await until(lambda: len(arrived(redis_server)) >= 100)
        await asyncio.to_thread(server.restart, crash=crash)
        await asyncio.to_thread(fill, server, "shop", 100, start=100)
        await until(lambda: len(set(arrived(redis_server))) == 200)
        control.drain(10.0)
        await running
        assert verdict(redis_server, 200).good


async def test_a_slot_serves_one_run(
    opened: EngineService, postgres_15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routestudio.sources.postgres._BUSY_SECONDS", 0.5)
    with postgres_15.database("busy") as name:
        prepare(postgres_15, name)
        from routestudio.sources.postgres import PostgresSource

        other = PostgresSource(source(postgres_15, name), lambda _: None)
        sessions = other.sessions()
        session = await anext(sessions)
        logging.getLogger("routestudio").setLevel(logging.ERROR)
        try:
            with pytest.raises(LinkError, match="slot `routes` is in use"):
                await opened.run("numbers", input=source(postgres_15, name))
        finally:
            logging.getLogger("routestudio").setLevel(logging.NOTSET)
            await session.finish()
            await sessions.aclose()


async def test_what_is_missing_is_named(opened: EngineService, postgres_15: PostgresServer) -> None:
    with postgres_15.database("missing") as name:
        with pytest.raises(LinkError, match="no replication slot `routes`"):
            await opened.run("numbers", input=source(postgres_15, name))
        postgres_15.ask(TABLES[2], name)
        with pytest.raises(LinkError, match="no publication `routes`"):
            await opened.run("numbers", input=source(postgres_15, name))
        postgres_15.drop_slots(name)
        postgres_15.ask("select pg_create_logical_replication_slot('routes', 'test_decoding')",
                        name)  # fmt: skip
        with pytest.raises(LinkError, match="has the plug-in test_decoding"):
            await opened.run("numbers", input=source(postgres_15, name))
        with pytest.raises(LinkError, match="does not exist"):
            await opened.run("numbers", input=source(postgres_15, "nowhere"))


async def test_a_slot_that_lost_its_log_is_an_error(opened: EngineService) -> None:
    settings = ["max_slot_wal_keep_size = '1MB'", "min_wal_size = '32MB'", "max_wal_size = '32MB'"]
    with start_postgres(settings=settings) as server:
        server.run('create database "shop"')
        prepare(server, "shop")
        with server.link("shop") as link:
            for _ in range(4):
                link.execute("insert into numbers select n, n from generate_series(1, 20000) n "
                             "on conflict (id) do update set number = excluded.number")  # fmt: skip
                link.execute("select pg_switch_wal()")
                link.execute("checkpoint")
        server.until("select wal_status = 'lost' from pg_replication_slots")
        with pytest.raises(LinkError, match="has lost changes"):
            await opened.run("numbers", input=source(server, "shop"))


async def test_texts_that_are_not_utf8_end_no_run(
    opened: EngineService, redis_server: RedisServer, postgres_15: PostgresServer, tmp_path: Path
) -> None:
    postgres_15.run("create database latin template template0 encoding 'SQL_ASCII'")
    try:
        prepare(postgres_15, "latin", "create table notes (id int primary key, note text)",
                "alter publication routes add table notes")  # fmt: skip
        postgres_15.run("insert into notes values (1, convert_from('\\xe9', 'SQL_ASCII'))",
                        "insert into numbers values (1, 0)", database="latin")  # fmt: skip
        letters = str(tmp_path / "letters.jsonl")
        found = await opened.run("numbers", input=source(postgres_15, "latin"),
                                 dead_letters=letters)  # fmt: skip
        assert (found["delivered"], found["rejected"]) == (1, 1)
        assert "UTF-8" in await asyncio.to_thread(Path(letters).read_text)
    finally:
        postgres_15.drop_slots("latin")
        postgres_15.run("drop database latin with (force)")


RUN_KILLS = int(os.environ.get("ROUTESTUDIO_RUN_KILLS", "3"))
"""How many runs are killed; 200 take a quarter of an hour."""


async def test_runs_that_are_killed_lose_nothing(
    redis_server: RedisServer, postgres_15: PostgresServer, tmp_path: Path
) -> None:
    """A program that is killed again and again, at random moments, while rows change."""
    chance = random.Random(int(os.environ.get("ROUTESTUDIO_SEED", "7")))
    folder = tmp_path / "p"
    folder.mkdir()
    write_project(folder, TEXT.format(port=redis_server.port), {"bare": BARE}, [])
    with postgres_15.database("killed") as name:
        prepare(postgres_15, name)
        rows, address = 0, source(postgres_15, name, until="stopped")
        command = [sys.executable, "-m", "routestudio", "run", str(folder), "numbers",
                   "--input", address]  # fmt: skip
        for number in range(RUN_KILLS):
            child = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            before = len(arrived(redis_server))
            await asyncio.to_thread(fill, postgres_15, name, 150, start=rows)
            rows += 150
            if number % 2 == 0:  # others are killed before anything was delivered
                await until(lambda seen=before: len(arrived(redis_server)) > seen, 60)
            await asyncio.sleep(chance.random() * 0.2)
            child.send_signal(signal.SIGKILL)
            await child.wait()
        child = await asyncio.create_subprocess_exec(
            *command[:-1], source(postgres_15, name), stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(90):
            assert await child.wait() == 0
        repeats = verdict(redis_server, rows, explained=range(rows))
        assert repeats.good, repeats
        assert set(arrived(redis_server)) == set(range(rows))
        postgres_15.until("select count(*) = 0 from pg_stat_activity where datname = 'killed' "
                          "and application_name = 'RouteStudio'")  # fmt: skip
