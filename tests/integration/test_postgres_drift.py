"""Columns that functions read, against the tables of real servers as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.cli import main
from routestudio.engine.service import EngineService
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

TABLES = (
    "create table orders (id int primary key, total numeric(10,2) not null, region text not null, "
    "note text, code varchar(10) not null, placed timestamptz not null, vat numeric generated "
    "always as (total * 0.2) stored)",
    "create table customers (id int primary key, region text not null)",
    "alter table customers replica identity full",
)
YAML = """\
databases:
  - {{name: shop, hostname: 127.0.0.1, port: {port}, database: {database}}}
tables:
  - name: orders
    key: [id, region]
    columns:
      total: text
      placed: timestamp with time zone
functions:
  - name: route
    type: routing
    sink_type: redis_stream
    language: python
    file: functions/route.py
sinks:
  - name: orders
    database: shop
    routing: route
    source: {{include_tables: [{tables}]}}
    destination: {{type: redis_stream, host: 127.0.0.1, port: 1}}
"""
ROUTE = """\
def route(action, record, changes, metadata):
    if record["totl"] > 5 and record["total"]:
        return {"stream_key": record["region"]}
    if record.get("note") is None:
        return {"stream_key": record["code"]}
    return {"stream_key": record["note"] + record["vat"]}
"""


def write(folder: Path, server: PostgresServer, database: str, tables: str = "orders") -> Path:
    for name in ("functions", "samples"):
        (folder / name).mkdir()
    (folder / "sequin.yaml").write_text(
        YAML.format(port=server.port, database=database, tables=tables)
    )
    (folder / "functions" / "route.py").write_text(ROUTE)
    row = {"action": "insert", "record": {"id": "1", "old": 2}, "types": {"id": "text"},
           "metadata": {"table_name": "orders"}}  # fmt: skip
    (folder / "samples" / "rows.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def drifts(text: str) -> list[dict[str, Any]]:
    return [item for item in json.loads(text) if item["code"] == "drift"]


def test_every_difference_is_found_with_its_place(
    postgres: PostgresServer, shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.run(*TABLES, database=shop)
    folder = write(tmp_path, postgres, shop)
    assert main.run(["lint", str(folder), "--format", "json"]) in (0, 1)
    assert drifts(capsys.readouterr().out) == []  # without a network nothing is known
    assert main.run(["lint", str(folder), "--database", "shop", "--format", "json"]) == 1
    found = drifts(capsys.readouterr().out)
    at = {(item["file"], item["line"], item["severity"]): item for item in found}
    missing = at["functions/route.py", 2, "error"]
    assert "public.orders has no column `totl`" in missing["message"]
    assert missing["hint"] == "did you mean `total`?"
    assert missing["column"] == 8
    texts = {item["message"] for item in found}
    assert "`total` of public.orders is numeric(10,2), not text" in texts
    assert "the primary key of public.orders is id, not id, region" in texts
    assert "public.orders has no column `old`, which rows of this sample have" in texts
    assert "`id` of public.orders is integer; rows of this sample have text" in texts
    assert any("`vat` of public.orders is generated" in text for text in texts)
    assert any("`region` of public.orders are `unchanged_toast`" in text for text in texts)
    # `note` may be null, and the function asks for that; `code` is too short to be stored apart;
    # a type by another of its names is the same type.
    assert not any("`note` of public.orders may be null" in text for text in texts)
    assert not any("`code`" in text or "`placed`" in text for text in texts)
    assert at["sequin.yaml", 7, "warning"]["message"].startswith("`total` of")
    assert at["samples/rows.jsonl", 1, "warning"]


def test_tables_that_are_not_there_and_columns_that_some_lack(
    postgres_15: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgres_15.database("some", *TABLES) as name:
        folder = write(tmp_path, postgres_15, name, "order, customers, orders")
        assert main.run(["lint", str(folder), "--database", "all", "--format", "json"]) == 1
        texts = {item["message"]: item for item in drifts(capsys.readouterr().out)}
    assert "sink `orders`: the database has no table public.order" in texts
    gone = texts["sink `orders`: the database has no table public.order"]
    assert gone["hint"] == "did you mean `public.orders`?"
    assert any("public.customers has no column `total`, other tables have" in t for t in texts)
    assert "sink `orders`: public.customers, public.orders has no column `totl`" in texts or any(
        "`totl`" in text for text in texts
    )


def test_a_database_that_is_not_there(
    postgres_15: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, postgres_15, "nowhere")
    assert main.run(["lint", str(folder), "--database", "shop"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main.run(["lint", str(folder), "--database", "other"]) == 2
    assert "databases: shop" in capsys.readouterr().err


async def test_text_that_is_being_typed_is_compared_without_asking_again(
    postgres_15: PostgresServer, tmp_path: Path
) -> None:
    folder = write(tmp_path, postgres_15, "typed")
    async with EngineService() as engine:
        await engine.open(str(folder))
        with postgres_15.database("typed", *TABLES):
            await engine.methods["database_tables"]("shop")
        # The database is gone; what it had is known.
        found = await engine.diagnose(ROUTE, "routing", "python", "route")
        lines = [item["line"] for item in found if item["code"] == "drift"]
        assert lines[0] == 2
        fixed = ROUTE.replace("totl", "total")
        found = await engine.diagnose(fixed, "routing", "python", "route")
        assert not any("totl" in item["message"] for item in found)
        columns = await engine.methods["columns"]()
        assert ["placed", "timestamp with time zone", "database"] in columns
        assert any(item.code == "drift" for item in await engine.checks.lint())
