"""Live changes through a temporary slot: what is shown meanwhile, and that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import LinkError, UsageError
from routestudio.model.rows import Raw
from routestudio.sources.postgres import PostgresSource
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

READY = (
    "create table numbers (id int primary key, number int)",
    "create publication routes for table numbers",
)
LEFT = (
    "select (select count(*) from pg_replication_slots where database = '{0}') + "
    "(select count(*) from pg_stat_activity where datname = '{0}' "
    "and application_name = 'RouteStudio')"
)


def source(
    server: PostgresServer, database: str, **options: str
) -> tuple[PostgresSource, list[str]]:
    given = {"publication": "routes", "capture": "true", **options}
    found = PostgresSource(server.address(database, **given), lambda _: None, looking=True)
    notices: list[str] = []
    found.notice = notices.append  # type: ignore[method-assign,assignment]
    return found, notices


async def until(condition: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def nothing_left(server: PostgresServer, database: str) -> bool:
    return bool(server.value(LEFT.format(database)) == 0)


async def test_changes_come_as_they_are_committed_and_nothing_is_left(
    postgres: PostgresServer, shop: str
) -> None:
    postgres.run(*READY, database=shop)
    made, notices = source(postgres, shop, seconds="60")

    async def change() -> None:
        await until(lambda: "Changes are captured from now on." in notices)
        for number in range(12):
            await asyncio.to_thread(
                postgres.run, f"insert into numbers values ({number}, {number})", database=shop
            )

    changing = asyncio.ensure_future(change())
    rows = [row async for chunk in made.look(10) for row in chunk]
    await changing
    found = [row.value["postgres"] for row in rows if isinstance(row, Raw)]
    assert [value["new"] for value in found] == [[str(n), str(n)] for n in range(10)]
    assert len({value["commit_lsn"] for value in found}) == 10
    # The server's process notices the end of its connection a moment later.
    await until(lambda: nothing_left(postgres, shop))
    assert postgres.ask("select pubname::text from pg_publication", shop) == [("routes",)]


async def test_open_transactions_are_named_and_waiting_has_an_end(
    postgres: PostgresServer, shop: str
) -> None:
    """A slot waits for every open transaction that has an id, of other databases, too."""
    postgres.run(*READY, database=shop)
    made, notices = source(postgres, shop, wait="3")
    with postgres.link("postgres", application_name="night job") as other:
        other.execute("begin")
        other.execute("select txid_current()")
        with pytest.raises(LinkError, match="transactions that are open kept the capture"):
            async for _ in made.look(1):
                pass
    assert any("Waiting for transactions of postgres in postgres (night job, open for" in text
               for text in notices)  # fmt: skip
    await until(lambda: nothing_left(postgres, shop))


async def test_cancelling_while_waiting_leaves_nothing(postgres: PostgresServer, shop: str) -> None:
    postgres.run(*READY, database=shop)
    made, notices = source(postgres, shop, wait="60")

    async def look() -> None:
        async for _ in made.look(1):
            pass

    with postgres.link("postgres") as other:
        other.execute("begin")
        other.execute("select txid_current()")
        looking = asyncio.ensure_future(look())
        await until(lambda: notices)
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        await until(lambda: nothing_left(postgres, shop))


async def test_a_capture_ends_before_the_log_hurts(postgres_15: PostgresServer) -> None:
    with postgres_15.database("log", *READY, "create table other (t text)") as name:
        made, notices = source(postgres_15, name, wal="1", seconds="60")
        holder = postgres_15.link(name)

        async def change() -> None:
            await until(lambda: "Changes are captured from now on." in notices)
            holder.execute("begin")  # an open transaction keeps the slot from moving on
            holder.execute("insert into numbers values (1, 1)")
            await asyncio.to_thread(
                postgres_15.run, "insert into other select repeat('x', 500) "
                "from generate_series(1, 9000)", database=name,
            )  # fmt: skip

        changing = asyncio.ensure_future(change())
        async with asyncio.timeout(120):
            rows = [row async for chunk in made.look(10) for row in chunk]
        await changing
        holder.close()
        assert rows == []
        assert any("MB of its log, so the capture ended" in text for text in notices)
        await until(lambda: nothing_left(postgres_15, name))


PROGRAM = """
import asyncio, sys
from routestudio.sources.postgres import PostgresSource

async def look():
    source = PostgresSource(sys.argv[1], lambda _: None, looking=True)
    source.notice = lambda text: print(text, flush=True)
    async for rows in source.look(1_000_000):
        print(len(rows), flush=True)

asyncio.run(look())
"""
KILLS = int(os.environ.get("ROUTESTUDIO_CAPTURE_KILLS", "4"))
"""How many captures are killed; 200 take some minutes."""


@pytest.mark.parametrize("moment", ["starting", "waiting", "running"])
async def test_killed_at_any_moment_it_leaves_nothing(
    postgres_15: PostgresServer, moment: str
) -> None:
    with postgres_15.database("kills", *READY) as name:
        address = postgres_15.address(name, publication="routes", capture="true", wait="120",
                                      seconds="120")  # fmt: skip
        chance = random.Random(f"{os.environ.get('ROUTESTUDIO_SEED', '7')} {moment}")
        for number in range(KILLS):
            other = postgres_15.link("postgres")
            if moment == "waiting":
                other.execute("begin")
                other.execute("select txid_current()")
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, address, stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )  # fmt: skip
            assert child.stdout is not None
            if moment == "starting":  # connecting, making the slot, or not there yet
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(chance.random() * 2):
                        await child.stdout.readline()
            else:
                async with asyncio.timeout(60):
                    said = (await child.stdout.readline()).decode()
                assert said.startswith("Waiting" if moment == "waiting" else "Changes"), said
            for row in range(number * 7 % 5):
                postgres_15.run(f"insert into numbers values ({number * 10 + row}, 1)",
                                database=name)  # fmt: skip
            await asyncio.sleep(chance.random() * 0.2)
            child.send_signal(signal.SIGKILL)
            await child.wait()
            # Also while the transaction is still open that it waits for.
            await until(lambda: nothing_left(postgres_15, name))
            other.close()
        assert postgres_15.ask("select pubname::text from pg_publication", name) == [("routes",)]


MADE = "select count(*) from pg_publication"


def made_source(server: PostgresServer, database: str, **options: str) -> tuple[Any, list[str]]:
    """A capture that makes its own publication."""
    given = {"table": "numbers", "make_publication": "mine", "capture": "true", **options}
    found = PostgresSource(server.address(database, **given), lambda _: None, looking=True)
    notices: list[str] = []
    found.notice = notices.append  # type: ignore[method-assign,assignment]
    return found, notices


async def test_a_publication_is_made_for_a_capture_and_dropped_with_it(
    postgres: PostgresServer, shop: str
) -> None:
    postgres.run(READY[0], database=shop)
    made, notices = made_source(postgres, shop, seconds="60")

    async def change() -> None:
        await until(lambda: "Changes are captured from now on." in notices)
        assert postgres.value(MADE, shop) == 1
        for number in range(5):
            await asyncio.to_thread(
                postgres.run, f"insert into numbers values ({number}, {number})", database=shop
            )

    changing = asyncio.ensure_future(change())
    rows = [row async for chunk in made.look(5) for row in chunk]
    await changing
    assert [row.value["postgres"]["new"][0] for row in rows] == list("01234")
    assert postgres.value(MADE, shop) == 0
    await until(lambda: nothing_left(postgres, shop))


async def test_a_publication_of_somebody_else_is_left_alone(
    postgres_15: PostgresServer,
) -> None:
    with postgres_15.database("others", READY[0], "create publication mine for table numbers",
                              "create table log (text text)") as name:  # fmt: skip
        made, _ = made_source(postgres_15, name)
        with pytest.raises(LinkError, match="there is a publication `mine` already"):
            async for _rows in made.look(1):
                pass
        made, _ = made_source(postgres_15, name, make_publication="other", table="numbers,log")
        with pytest.raises(LinkError, match="log has no key"):
            async for _rows in made.look(1):
                pass
        assert postgres_15.ask("select pubname::text from pg_publication", name) == [("mine",)]
        await until(lambda: nothing_left(postgres_15, name))


async def test_a_publication_that_a_server_s_end_left_is_dropped_by_the_next_capture(
    postgres_15: PostgresServer,
) -> None:
    with postgres_15.database("left", READY[0], "create publication old for table numbers",
                              "comment on publication old is 'RouteStudio made this for a capture "
                              "of process 1 of 2026-01-01 00:00:00+00'") as name:  # fmt: skip
        made, notices = made_source(postgres_15, name, seconds="60")
        looking = asyncio.ensure_future(_all(made))
        await until(lambda: "Changes are captured from now on." in notices)
        assert postgres_15.ask("select pubname::text from pg_publication", name) == [("mine",)]
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        await until(lambda: postgres_15.value(MADE, name) == 0)


async def _all(source: Any) -> list[Any]:
    return [row async for chunk in source.look(1_000) for row in chunk]


@pytest.mark.parametrize("moment", ["making", "running"])
async def test_a_publication_that_was_made_is_dropped_although_the_program_is_killed(
    postgres: PostgresServer, shop: str, moment: str
) -> None:
    postgres.run(READY[0], database=shop)
    address = postgres.address(shop, table="numbers", make_publication="mine", capture="true",
                               seconds="120")  # fmt: skip
    chance = random.Random(f"{os.environ.get('ROUTESTUDIO_SEED', '7')} made {moment}")
    for number in range(KILLS):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, address, stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert child.stdout is not None
        async with asyncio.timeout(60):
            first = (await child.stdout.readline()).decode()
            assert "publication mine was made" in first, first
            if moment == "running":
                await child.stdout.readline()
        postgres.run(f"insert into numbers values ({number}, 1)", database=shop)
        await asyncio.sleep(chance.random() * 0.2)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        await until(lambda: postgres.value(MADE, shop) == 0)
        await until(lambda: nothing_left(postgres, shop))


async def test_an_address_that_cannot_be_captured(postgres_15: PostgresServer) -> None:
    with postgres_15.database("none") as name:
        made, _ = source(postgres_15, name)
        with pytest.raises(LinkError, match="no publication `routes`"):
            async for _ in made.look(1):
                pass
        with pytest.raises(UsageError, match="a run needs its own slot"):
            PostgresSource(
                postgres_15.address(name, publication="routes", slot="s", capture="true"),
                lambda _: None,
            )
