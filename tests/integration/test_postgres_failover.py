"""A run whose server fails and whose standby is promoted: nothing is lost, or the run says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from tests.integration.test_source_postgres import (
    BARE,
    TABLES,
    TEXT,
    arrived,
    fill,
    source,
    verdict,
)
from tests.support.postgres_server import newer_binaries, start_postgres, start_standby
from tests.support.projects import write_project
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
async def opened(
    redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> EngineService:
    (tmp_path / "p").mkdir()
    write_project(tmp_path / "p", TEXT.format(port=redis_server.port), {"bare": BARE}, [])
    await service.open(str(tmp_path / "p"))
    return service


async def delivered(engine: EngineService, address: str) -> dict[str, Any]:
    return await engine.run("numbers", input=address)


async def test_a_slot_that_the_standby_has_goes_on_after_its_promotion(
    opened: EngineService, redis_server: RedisServer
) -> None:
    """PostgreSQL 17 and newer keep a slot made with `failover` on the standby, too."""
    with start_postgres(binaries=newer_binaries()) as primary:
        primary.run(*TABLES[:2])
        primary.ask("select pg_create_logical_replication_slot('routes', 'pgoutput', "
                    "failover => true)")  # fmt: skip
        with start_standby(primary, "follower", "sync_replication_slots = on",
                           "hot_standby_feedback = on") as standby:  # fmt: skip
            primary.run("alter system set synchronized_standby_slots = 'follower'")
            primary.ask("select pg_reload_conf()")
            fill(primary, "postgres", 100)
            await delivered(opened, source(primary, "postgres"))
            assert set(arrived(redis_server)) == set(range(100))
            fill(primary, "postgres", 100, start=100)
            end = primary.value("select pg_current_wal_lsn()::text")
            standby.until(f"select pg_last_wal_replay_lsn() >= '{end}'")
            primary.ask("select pg_log_standby_snapshot()")
            standby.until("select bool_or(synced and not temporary and invalidation_reason is null)"
                          " from pg_replication_slots where slot_name = 'routes'", 60)  # fmt: skip
            primary.stop(crash=True)
            standby.ask("select pg_promote()")
            standby.until("select not pg_is_in_recovery()")
            fill(standby, "postgres", 100, start=200)
            await delivered(opened, source(standby, "postgres"))
            found = verdict(redis_server, 300, explained=range(300))
            assert found.good, found
            assert set(arrived(redis_server)) == set(range(300))


async def test_a_slot_that_the_standby_lacks_is_an_error_that_names_it(
    opened: EngineService, redis_server: RedisServer
) -> None:
    """Before PostgreSQL 17 no standby has the slots of its primary: changes would be lost."""
    with start_postgres() as primary:
        primary.run(*TABLES[:2])
        primary.ask(TABLES[2])
        with start_standby(primary, "follower") as standby:
            fill(primary, "postgres", 50)
            await delivered(opened, source(primary, "postgres"))
            end = primary.value("select pg_current_wal_lsn()::text")
            standby.until(f"select pg_last_wal_replay_lsn() >= '{end}'")
            primary.stop(crash=True)
            standby.ask("select pg_promote()")
            standby.until("select not pg_is_in_recovery()")
            fill(standby, "postgres", 50, start=50)
            with pytest.raises(LinkError, match="routes"):
                await delivered(opened, source(standby, "postgres"))
            assert set(arrived(redis_server)) == set(range(50))
