"""The check of a database on real servers: every step, passed and failed, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from routestudio.model.outcome import CheckStep
from routestudio.sources._postgres_check import STEPS, check
from routestudio.sources._postgres_link import Server, connected
from routestudio.sources._postgres_slots import Wanted
from tests.support.certificates import Authority
from tests.support.postgres_fixtures import PASSWORD
from tests.support.postgres_server import PostgresServer, start_postgres
from tests.support.projects import write_project

pytestmark = pytest.mark.real

READY = (
    "create table orders (id int primary key, note text)",
    "create publication routes for table orders",
)
WANTED = Wanted("routes", ("routes",), ("public.orders",))


def server_of(server: PostgresServer, database: str, **more: Any) -> Server:
    return replace(Server("127.0.0.1", server.port, database, "postgres", server.password), **more)


async def steps(server: Server, wanted: Wanted = WANTED) -> list[CheckStep]:
    return [step async for step in check(server, wanted)]


def of(found: Sequence[CheckStep], name: str) -> list[CheckStep]:
    return [step for step in found if step.step == name]


def failed(found: Sequence[CheckStep]) -> dict[str, str]:
    for step in found:
        if step.status in ("failed", "inconclusive"):
            assert step.hint, step
    return {step.step: step.detail for step in found if step.status == "failed"}


async def test_a_ready_database_passes_every_step(postgres: PostgresServer, shop: str) -> None:
    postgres.run(*READY, database=shop)
    postgres.ask("select pg_create_logical_replication_slot('routes', 'pgoutput')", shop)
    found = await steps(server_of(postgres, shop))
    assert {step.step for step in found} == set(STEPS)
    assert {step.status for step in found} == {"passed"}
    assert list(dict.fromkeys(step.step for step in found)) == list(STEPS)
    assert "key id; old values: the primary key" in found[-1].detail


async def test_what_is_missing_in_a_database(postgres: PostgresServer, shop: str) -> None:
    postgres.run("create table orders (id int, note text)", database=shop)
    found = failed(await steps(server_of(postgres, shop)))
    assert found["publication"] == "there is no publication `routes`"
    assert found["slot"] == "there is no replication slot `routes`"
    assert found["table"].startswith("no primary key, replica identity is the primary key")
    postgres.run("create table other (id int primary key)",
                 "create publication routes for table other", database=shop)  # fmt: skip
    found = failed(await steps(server_of(postgres, shop), replace_tables("public.gone")))
    assert found["publication"] == "public.gone not published: public.other"
    assert found["table"] == "there is no table public.gone that can be seen"


def replace_tables(*tables: str) -> Wanted:
    return replace(WANTED, tables=tables)


async def test_rights_that_are_missing(postgres_15: PostgresServer) -> None:
    with postgres_15.database("rights", *READY) as name:
        postgres_15.run("drop role if exists clerk", "create role clerk login")
        found = failed(await steps(server_of(postgres_15, name, user="clerk")))
        assert found["rights"] == "clerk may not select from public.orders"
        said = await steps(server_of(postgres_15, name, user="clerk"))
        assert "may not replicate" in of(said, "rights")[0].detail
        postgres_15.run("drop role clerk")


async def test_identities_and_kinds_of_tables(postgres_15: PostgresServer) -> None:
    with postgres_15.database(
        "kinds", "create table full_row (id int)", "alter table full_row replica identity full",
        "create table nothing (id int primary key)", "alter table nothing replica identity nothing",
        "create unlogged table fast (id int primary key)",
        "create view seen as select 1 as id",
        'create table "Odd. Name" ("Id" int primary key)',
    ) as name:  # fmt: skip
        tables = ("full_row", "nothing", "fast", "seen", '"Odd. Name"')
        found = of(await steps(server_of(postgres_15, name), Wanted(tables=tables)), "table")
        said = {step.target: (step.status, step.detail) for step in found}
        assert said["public.full_row"][0] == "inconclusive"
        assert said["public.nothing"][0] == "failed"
        assert said["public.fast"] == ("inconclusive", "a unlogged table has rows and no changes")
        assert said["public.seen"] == ("inconclusive", "a view has rows and no changes")
        assert said["public.Odd. Name"] == ("passed", "key Id; old values: the primary key")


async def test_the_way_to_a_server(postgres_15: PostgresServer, closed_port: int,
                                   silent_port: int, garbage_port: int) -> None:  # fmt: skip
    good = server_of(postgres_15, "postgres")
    refused = await steps(replace(good, port=closed_port))
    assert failed(refused) == {"connect": f"127.0.0.1:{closed_port} refuses connections"}
    assert [step.status for step in refused][2:] == ["skipped"] * 8
    assert list(failed(await steps(replace(good, host="nowhere.invalid")))) == ["resolve"]
    assert (
        "does not speak PostgreSQL" in failed(await steps(replace(good, port=garbage_port)))["TLS"]
    )
    nobody = failed(await steps(replace(good, database="nowhere")))
    assert nobody == {"authenticate": 'database "nowhere" does not exist'}
    plain = await steps(replace(good, sslmode="require"))
    assert failed(plain) == {"TLS": "the server does not offer TLS"}


async def test_tls_in_all_its_modes(postgres_tls: PostgresServer, ca: Authority) -> None:
    good = server_of(postgres_tls, "postgres")
    for mode in ("prefer", "require"):
        found = of(await steps(replace(good, sslmode=mode), Wanted()), "TLS")
        assert "certificate not verified" in found[0].detail
    trusting = replace(good, sslmode="verify-full", sslrootcert=str(ca.file))
    found = await steps(trusting, Wanted())
    assert not failed(found)
    assert "certificate verified" in of(found, "TLS")[0].detail
    assert "encrypted" in of(found, "authenticate")[0].detail
    unknown = await steps(replace(good, sslmode="verify-full"), Wanted())
    assert "not trusted" in failed(unknown)["TLS"]
    wrong = await steps(replace(good, password="wrong"), Wanted())
    assert "password authentication failed" in failed(wrong)["authenticate"]
    assert PASSWORD not in str(found + unknown + wrong)


async def test_a_server_that_wants_a_client_certificate(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    authority = Authority(tmp_path, clients=True)
    chain, key = authority.server_files("client", "client")
    strange = Authority(tmp_path / "other").server_files("stranger", "stranger")
    with start_postgres(authority=authority) as server:
        without = server_of(server, "postgres", sslmode="verify-full",
                            sslrootcert=str(authority.file))  # fmt: skip
        shown = replace(without, sslcert=str(chain), sslkey=str(key))
        assert not failed(await steps(shown, Wanted()))
        async with connected(shown) as link:
            cursor = await link.execute("select client_dn from pg_stat_ssl where pid = "
                                        "pg_backend_pid()")  # fmt: skip
            [name] = await cursor.fetchone() or [""]
            assert name
        wrong = replace(without, sslcert=str(strange[0]), sslkey=str(strange[1]))
        for each in (without, wrong):
            found = failed(await steps(each, Wanted()))
            print(found)
            assert "certificate" in "".join(found.values())
            with pytest.raises(LinkError, match="certificate"):
                async with connected(each):
                    pass


async def test_a_log_that_is_not_logical() -> None:
    with start_postgres(wal_level="replica") as server:
        found = failed(await steps(server_of(server, "postgres"), Wanted("routes")))
        assert found["wal_level"] == "replica: changes cannot be read, only rows"


TEXT = """\
databases:
  - name: shop
    hostname: 127.0.0.1
    port: {port}
    database: {database}
    password: ${{SHOP_PASSWORD:-unused}}
    slot: {{name: routes}}
    publication: {{name: routes}}
sinks:
  - name: hook
    database: shop
    source: {{include_tables: [public.orders]}}
    destination: {{type: http_push, http_endpoint: api}}
http_endpoints:
  - name: api
    url: http://127.0.0.1:9/
"""


@pytest.fixture
async def project(
    tmp_path: Path, service: EngineService, postgres_15: PostgresServer
) -> EngineService:
    (tmp_path / "p").mkdir()
    text = TEXT.format(port=postgres_15.port, database="first")
    write_project(tmp_path / "p", text, {}, [])
    await service.open(str(tmp_path / "p"))
    return service


async def test_a_database_of_a_project(project: EngineService, postgres_15: PostgresServer) -> None:
    with postgres_15.database("first", *READY):
        ask = project.methods
        found = await project.checks.database("shop")
        assert {step.step for step in found if step.status == "failed"} == {"slot"}
        postgres_15.run("insert into orders select n, 'x' from generate_series(1, 9) n",
                        "analyze orders", database="first")  # fmt: skip
        tables = await ask["database_tables"]("shop")
        assert tables == [{"schema": "public", "name": "orders", "kind": "table",
                           "readable": True, "estimate": 9}]  # fmt: skip
        table = await ask["database_table"]("shop", "public", "orders")
        assert (table["key"], table["estimate"]) == (["id"], 9)
        assert [column["type"] for column in table["columns"]] == ["integer", "text"]
        looked = await ask["recognise"](address="database://shop?table=public.orders", limit=5)
        assert looked["tables"] == {"public.orders": 5}
        unknown = await project.checks.database("nowhere")
        assert unknown[0].detail == "the project has no database `nowhere`"
