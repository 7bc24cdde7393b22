"""Enrichments on real PostgreSQL: what they give, who is asked first, and what faults do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.cli import main
from routestudio.engine.service import EngineService
from routestudio.pipeline.ending import RunStoppedError
from tests.support.http_server import HttpReceiver, start_http
from tests.support.ports import LOOPBACK
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

TABLES = (
    "create table accounts (id int primary key, plan text, since timestamptz, credit numeric, "
    "tags text[], more jsonb)",
    "insert into accounts values (1, 'pro', '2024-05-06 07:08:09.5+02', 12.50, '{a,b}', "
    "'{\"k\": 1}'), (2, 'free', null, null, null, null)",
    "create table orders (id int primary key, account int)",
    "insert into orders select n, 1 + n % 2 from generate_series(1, 600) n",
)
SQL = (
    "select o.id, a.plan, a.since, a.credit, a.tags, a.more from orders o "
    "join accounts a on a.id = o.account where o.id = any($1)"
)
ROUTE = (
    "def route(action, record, changes, metadata):\n"
    '    found = metadata["enrichment"] or {"plan": "none"}\n'
    '    return {"method": "POST", "endpoint_path": "/" + found["plan"]}\n'
)
YAML = """\
databases:
  - name: shop
    hostname: {host}
    port: {port}
    database: {database}
    username: postgres
    annotations: {{routestudio: {{enrichment_timeout: 2}}}}
http_endpoints:
  - name: api
    url: {url}
functions:
  - name: plan
    type: enrichment
    code: |
{sql}
  - name: route
    type: routing
    sink_type: webhook
    language: python
    file: functions/route.py
sinks:
  - name: orders
    database: shop
    enrichment: plan
    routing: route
    batch_size: 1
    max_retry_count: 2
    destination: {{type: webhook, http_endpoint: api}}
"""


def row(number: int, action: str = "insert", **metadata: Any) -> dict[str, Any]:
    return {
        "action": action, "record": {"id": number, "account": 1}, "changes": None,
        "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": number,
                     "commit_idx": 0, **metadata},
    }  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with start_http() as found:
        yield found


@pytest.fixture
def project(tmp_path: Path, receiver: HttpReceiver) -> Callable[..., Path]:
    """Write a project whose enrichment is `sql`, with rows as the sample set `rows`."""

    def write(
        server: PostgresServer, database: str, rows: list[dict[str, Any]], *, sql: str = SQL,
        host: str = LOOPBACK, port: int | None = None,
    ) -> Path:  # fmt: skip
        folder = tmp_path / "p"
        for name in ("functions", "samples"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        indented = "\n".join("      " + line for line in sql.splitlines())
        (folder / "sequin.yaml").write_text(
            YAML.format(host=host, port=port or server.port, database=database, url=receiver.url,
                        sql=indented)
        )  # fmt: skip
        (folder / "functions" / "route.py").write_text(ROUTE)
        lines = "".join(json.dumps(item) + "\n" for item in rows)
        (folder / "samples" / "rows.jsonl").write_text(lines)
        return folder

    return write


async def agreed(engine: EngineService) -> None:
    """Agree to everything that the window would ask about."""
    found = await engine.methods["outside_variables"](sinks=["orders"], standin=True)
    await engine.methods["agree_outside"](items=found)


async def previewed(engine: EngineService) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    totals = await engine.preview("orders", sample="rows")
    return totals, await engine.rows(0, 1000)


def connections(server: PostgresServer, database: str) -> int:
    return int(server.value("select count(*) from pg_stat_activity where datname = "
                            f"'{database}' and application_name = 'RouteStudio'"))  # fmt: skip


async def test_rows_get_what_the_query_finds_after_the_user_agreed(
    postgres: PostgresServer, shop: str, project: Callable[..., Path]
) -> None:
    postgres.run(*TABLES, database=shop)
    rows = [row(1), row(2), row(1, "update"), row(9999, "delete"),
            row(1, enrichment={"plan": "given"})]  # fmt: skip
    folder = project(postgres, shop, rows)
    async with EngineService() as engine:
        await engine.open(str(folder))
        totals, found = await previewed(engine)
        # Nobody agreed: nothing was connected to, and null does not stand for what is not known.
        assert connections(postgres, shop) == 0
        assert totals["enrichment"]["ask"] is True
        assert totals["enrichment"]["database"] == "shop"
        assert [item["enrichment"] for item in found] == ["unknown"] * 4 + ["given"]
        assert any("unknown, not null" in note for note in found[0]["notes"])
        shown = await engine.row(0)
        assert shown is not None
        assert shown["message"]["metadata"]["enrichment"] == "(unknown)"
        assert shown["payload"]["metadata"]["enrichment"] == "(unknown)"
        assert found[4]["routing"]["endpoint_path"] == "/given"

        await agreed(engine)
        totals, found = await previewed(engine)
        assert totals["enrichment"]["state"] == "evaluated"
        assert [item["enrichment"] for item in found] == ["known"] * 4 + ["given"]
        assert [item["routing"]["endpoint_path"] for item in found] == [
            "/free", "/pro", "/free", "/none", "/given"]  # fmt: skip
        shown = await engine.row(1)
        assert shown is not None
        assert shown["message"]["metadata"]["enrichment"] == {
            "id": 2, "plan": "pro", "since": "2024-05-06T05:08:09.500000Z", "credit": "12.50",
            "tags": ["a", "b"], "more": {"k": 1},
        }  # fmt: skip
        explained = await engine.methods["explain"](index=1)
        assert explained[0]["values"]["endpoint_path"]["line"] == 3
        pinned = await engine.methods["pin"]("orders", index=1, sample="rows", name="pro")
        assert pinned["test"]["name"] == "pro"
        result = (await engine.methods["test"]())[0]
        assert result["ok"], result
    assert connections(postgres, shop) == 0
    # Another program on this machine: it was agreed to for this project.
    async with EngineService() as engine:
        await engine.open(str(folder))
        assert (await previewed(engine))[0]["enrichment"]["state"] == "evaluated"


async def test_another_place_is_another_question(
    postgres_15: PostgresServer, project: Callable[..., Path]
) -> None:
    with postgres_15.database("place", *TABLES) as name:
        folder = project(postgres_15, name, [row(1)])
        async with EngineService() as engine:
            await engine.open(str(folder))
            await agreed(engine)
        project(postgres_15, name, [row(1)], host="localhost")
        async with EngineService() as engine:
            await engine.open(str(folder))
            assert (await previewed(engine))[0]["enrichment"]["ask"] is True


async def test_keys_of_several_columns_are_lists_by_the_alphabet(
    postgres: PostgresServer, shop: str, project: Callable[..., Path]
) -> None:
    """`$1` is `area`, `$2` is `zone`, although the table has them the other way round."""
    postgres.run(
        "create table orders (zone uuid, area numeric, note text, primary key (zone, area))",
        "insert into orders values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1.50, "
        "'it''s \"here\" \\ {')",
        database=shop,
    )
    sql = ("select t.area, t.zone, t.note as plan from orders t join "
           "unnest($1::numeric[], $2::uuid[]) as k (area, zone) using (area, zone)")  # fmt: skip
    message = row(1)
    message["record"] = {"zone": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "area": "1.5"}
    folder = project(postgres, shop, [message], sql=sql)
    async with EngineService() as engine:
        await engine.open(str(folder))
        await agreed(engine)
        _, found = await previewed(engine)
        assert found[0]["routing"]["endpoint_path"] == '/it\'s "here" \\ {'


@pytest.mark.parametrize(
    ("sql", "wrong", "line"),
    [
        ("select id,\n  plann as plan from orders where id = any($1)", "plann", 2),
        ("update orders set account = 2 where id = any($1) returning id, 'x' as plan",
         "read-only transaction", None),
        ("select 'x' as plan from orders where id = any($1)", "does not select the key", None),
        ("select id, 'x' as plan from orders where id = any($1) and account = any($2)",
         "parameter", None),
        ("select o.id, 'x' as plan from orders o, accounts where o.id = any($1)",
         "more than one row", None),
        ("select id, pg_sleep(9)::text as plan from orders where id = any($1)",
         "statement timeout", None),
        ("select id, 'x' as plan from orders where id = any($1); drop table orders",
         "multiple commands", None),
    ],
)  # fmt: skip
@pytest.mark.allow_log
async def test_a_query_that_fails_is_named_and_nothing_goes_out(
    postgres: PostgresServer, shop: str, project: Callable[..., Path], receiver: HttpReceiver,
    sql: str, wrong: str, line: int | None,
) -> None:  # fmt: skip
    postgres.run(*TABLES, database=shop)
    folder = project(postgres, shop, [row(1)], sql=sql)
    async with EngineService() as engine:
        await engine.open(str(folder))
        await agreed(engine)
        _, found = await previewed(engine)
        assert found[0]["error"]["stage"] == "enrich"
        assert wrong in found[0]["error"]["message"]
        assert found[0]["error"]["line"] == line
        if "more than one" in wrong:  # the row is to blame, not the query
            summary = await engine.run("orders", sample="rows")
            assert (summary["delivered"], summary["rejected"]) == (0, 1)
        else:
            with pytest.raises(RunStoppedError, match=wrong) as stopped:
                await engine.run("orders", sample="rows")
            assert stopped.value.summary.rejected == stopped.value.summary.delivered == 0
    assert receiver.requests == []
    assert postgres.value("select count(*) from orders where account = 2", shop) == 300


async def test_a_value_that_the_database_refuses_is_its_row_s_fault_alone(
    postgres_15: PostgresServer, project: Callable[..., Path]
) -> None:
    with postgres_15.database("values", *TABLES) as name:
        rows = [row(number) for number in range(1, 40)]
        rows[17]["record"]["id"] = "seventeen"
        folder = project(postgres_15, name, rows)
        async with EngineService() as engine:
            await engine.open(str(folder))
            await agreed(engine)
            _, found = await previewed(engine)
            failed = [item["index"] for item in found if not item["ok"]]
            assert failed == [17]
            assert "invalid input syntax" in found[17]["error"]["message"]
            summary = await engine.run("orders", sample="rows")
            assert (summary["delivered"], summary["rejected"]) == (38, 1)


@pytest.mark.allow_log
async def test_a_lost_connection_is_tried_again_and_nothing_wrong_goes_out(
    postgres_15: PostgresServer, project: Callable[..., Path], receiver: HttpReceiver
) -> None:
    """Every message is delivered with what the query gives, although its connection is ended
    again and again meanwhile."""
    with postgres_15.database("lost", *TABLES) as name:
        rows = [row(number) for number in range(1, 601)]
        sql = SQL.replace("select o.id", "select pg_sleep(0.001), o.id")
        folder = project(postgres_15, name, rows, sql=sql)
        async with EngineService() as engine:
            await engine.open(str(folder))
            await agreed(engine)
            running = asyncio.ensure_future(engine.run("orders", sample="rows"))
            ended = 0
            while not running.done() and not ended:
                ended += len(await asyncio.to_thread(
                    postgres_15.ask, "select pg_terminate_backend(pid) from pg_stat_activity "
                    f"where datname = '{name}' and application_name = 'RouteStudio' "
                    "and query like '%pg_sleep%'",
                ))  # fmt: skip
            summary = await running
        assert ended, "no query was ended"
        assert summary["delivered"] == 600
        for request in receiver.requests:
            [body] = request.json()["data"]
            plan = "pro" if body["record"]["id"] % 2 == 0 else "free"
            assert request.target.endswith(plan)
            assert body["metadata"]["enrichment"]["plan"] == plan


@pytest.mark.allow_log
async def test_a_database_that_is_gone_ends_the_run(
    postgres_15: PostgresServer, project: Callable[..., Path], receiver: HttpReceiver,
    closed_port: int,
) -> None:  # fmt: skip
    with postgres_15.database("gone", *TABLES) as name:
        folder = project(postgres_15, name, [row(1)], port=closed_port)
        async with EngineService() as engine:
            await engine.open(str(folder))
            await agreed(engine)
            _, found = await previewed(engine)
            assert found[0]["error"]["stage"] == "enrich"
            with pytest.raises(RunStoppedError, match="enrichment `plan`"):
                await engine.run("orders", sample="rows")
    assert receiver.requests == []


async def test_a_run_without_consent_sends_nothing(
    postgres_15: PostgresServer, project: Callable[..., Path], receiver: HttpReceiver
) -> None:
    with postgres_15.database("asked", *TABLES) as name:
        folder = project(postgres_15, name, [row(1)])
        async with EngineService() as engine:
            await engine.open(str(folder))
            with pytest.raises(RunStoppedError, match="database `shop` was not asked"):
                await engine.run("orders", sample="rows")
        assert receiver.requests == []
        assert connections(postgres_15, name) == 0


def test_the_command_line_asks_only_when_it_is_told_to(
    postgres_15: PostgresServer, project: Callable[..., Path], receiver: HttpReceiver,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with postgres_15.database("line", *TABLES) as name:
        folder = project(postgres_15, name, [row(2)])
        (folder / "tests").mkdir()
        lines = ["- name: pro", "  sink: orders", "  sample: {name: rows, row: 0}", "  expect:",
                 "    routing: {endpoint_path: /pro}", ""]  # fmt: skip
        (folder / "tests" / "t.yaml").write_text("\n".join(lines))
        assert main.run(["test", str(folder)]) == 1, capsys.readouterr()
        assert "the enrichment is unknown" in capsys.readouterr().out
        assert main.run(["preview", str(folder), "orders"]) == 0
        shown = capsys.readouterr()
        assert "/none" in shown.out
        assert "`metadata.enrichment` is unknown, not null" in shown.out
        assert connections(postgres_15, name) == 0

        assert main.run(["preview", str(folder), "orders", "--enrich"]) == 0
        shown = capsys.readouterr()
        assert "/pro" in shown.out
        assert shown.err.count("the enrichment `plan` of sink `orders` reads PostgreSQL") == 1
        assert main.run(["test", str(folder), "--enrich"]) == 0
        assert "reads PostgreSQL" not in capsys.readouterr().err  # it was agreed to
        assert main.run(["check", str(folder), "orders"]) in (0, 1)
        rows = str(folder / "samples" / "rows.jsonl")
        assert main.run(["run", str(folder), "orders", "--input", rows]) == 0
        assert [request.target for request in receiver.requests if request.body] == ["/pro"]


def test_a_run_names_the_database_it_reads(
    postgres_15: PostgresServer, project: Callable[..., Path], receiver: HttpReceiver,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with postgres_15.database("named", *TABLES) as name:
        folder = project(postgres_15, name, [row(1), row(2)])
        rows = str(folder / "samples" / "rows.jsonl")
        assert main.run(["run", str(folder), "orders", "--input", rows, "--dry-run"]) == 0
        assert "reads PostgreSQL database `named`" in capsys.readouterr().err
        assert main.run(["run", str(folder), "orders", "--input", rows]) == 0
        assert sorted(request.target for request in receiver.requests) == ["/free", "/pro"]
