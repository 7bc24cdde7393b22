"""The requests of the workbench, on the demo project."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import ProjectError, UsageError
from routestudio.model.preview_text import cells
from routestudio.paths import resources
from routestudio.sinks.kafka.partition import java_client
from routestudio.sinks.kafka.phash2 import partition

CLOCK = """\
def route(action, record, changes, metadata):
    year = datetime.datetime.now(datetime.timezone.utc).year
    return {"topic": f"orders.{year}", "message_key": str(record["id"])}
"""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineService]:
    shutil.copytree(resources() / "demo", tmp_path / "shop")
    async with EngineService() as service:
        await service.open(str(tmp_path / "shop"))
        yield service


async def ask(engine: EngineService, method: str, *args: Any, **kwargs: Any) -> Any:
    """Ask as the window does: plain data there and back."""
    return json.loads(json.dumps(await engine.methods[method](*args, **kwargs)))


async def test_a_row_is_explained_by_line_and_branch(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    (entry,) = await ask(engine, "explain", 1)
    assert (entry["stage"], entry["function"]) == ("route", "orders-by-region")
    assert [(b["line"], b["kind"]) for b in entry["branches"]] == [(4, "if")]
    assert entry["values"]["topic"]["line"] == 6
    assert entry["values"]["topic"]["text"] == '"topic": "orders.items",'


async def test_a_row_tells_size_partition_and_time(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    row = await engine.row(0)
    assert row is not None
    key = row["routing"]["message_key"].encode()
    assert row["limit"] == 1_048_588 > row["size"] > 0
    assert row["partitions"] == {"server": partition(key, 6), "Java client": java_client(key, 6)}
    assert row["of"] == 6
    assert 0 < row["used_ms"] < 10_000
    brief = (await engine.rows(0, 1))[0]
    assert "used_ms" not in brief


async def test_a_filter_that_drops_is_the_last_entry(engine: EngineService) -> None:
    await engine.preview("customers-to-redis", sample="shop")
    rows = await engine.rows(0, 84)
    dropped = next(r["index"] for r in rows if r["filtered"] == "filter")
    (entry,) = await ask(engine, "explain", dropped)
    assert (entry["stage"], entry["dropped"]) == ("filter", True)


async def test_variants_of_a_row(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    known = {item["key"] for item in await ask(engine, "variants")}
    made = {item["key"]: item["message"] for item in await ask(engine, "vary", 0)}
    assert made.keys() <= known
    bare = made["delete_keys"]
    assert bare["action"] == "delete"
    assert {c for c, v in bare["record"].items() if v is not None} == {"id"}
    (only,) = await ask(engine, "vary", 0, chosen=["read"])
    assert only["message"]["action"] == "read"
    with pytest.raises(UsageError, match="no variant 'toast'"):
        await engine.methods["vary"](0, chosen=["toast"])


async def test_a_forecast_counts_what_is_delivered(engine: EngineService) -> None:
    totals = await engine.preview("orders-to-kafka", sample="shop")
    found = await ask(engine, "forecast")
    assert found["rows"] == totals["ok"] == sum(d["rows"] for d in found["destinations"])
    assert {(d["name"], d["rows"]) for d in found["destinations"]} == {
        (name, count) for name, count in totals["destinations"]
    }
    assert found["bytes"] == sum(d["bytes"] for d in found["destinations"]) > 0
    assert [p["by"] for p in found["partitions"]] == ["server", "Java client"]
    assert all(sum(p["rows"]) == found["rows"] for p in found["partitions"])
    batch = found["batch"]
    assert batch["keys"] == found["distinct"]
    assert batch["mean"] == pytest.approx(found["rows"] / batch["batches"], abs=0.01)
    assert found["warnings"] == []


async def test_a_value_per_row_ends_batching_and_that_is_said(engine: EngineService) -> None:
    code = (
        "def route(action, record, changes, metadata):\n"
        '    return {"topic": "o." + str(metadata.idempotency_key).replace("=", "")}\n'
    )
    await engine.preview("orders-to-kafka", sample="shop", code={"orders-by-region": code})
    found = await ask(engine, "forecast")
    assert found["distinct"] > 20
    assert any("differ from row to row" in text for text in found["warnings"])
    assert any("destinations grow with the rows" in text for text in found["warnings"])


async def test_coverage_of_rows_and_tests(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    (found,) = await ask(engine, "coverage")
    points = {p["kind"]: p for p in found["points"]}
    assert points["if"]["taken"] > 0
    assert points["else"]["taken"] > 0
    assert points["if"]["tested"] == 0
    assert points["else"]["tested"] > 0


async def test_what_depends_on_the_clock_is_shown(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    assert await ask(engine, "determinism") == []
    await engine.preview("orders-to-kafka", sample="shop", code={"orders-by-region": CLOCK})
    found = await ask(engine, "determinism")
    assert found[0]["what"] == ["topic"]
    assert (found[0]["one"]["destination"], found[0]["other"]["destination"]) == (
        "orders.2024", "orders.2031",
    )  # fmt: skip


async def test_an_edit_is_compared_before_it_is_saved(engine: EngineService) -> None:
    source = next((engine.workspace.project.root / "functions").glob("orders*")).read_text()
    code = source.replace('"orders.items"', '"orders.lines"')
    found = await ask(
        engine, "outcome_diff", "orders-to-kafka", code={"orders-by-region": code}, sample="shop"
    )
    (move,) = found["moves"]
    assert (move["from"], move["to"]) == ("orders.items", "orders.lines")
    assert move["rows"] == found["changed"] == len(found["changes"])


async def test_rows_are_selected_by_what_became_of_them(engine: EngineService) -> None:
    totals = await engine.preview("orders-to-kafka", sample="shop")
    everything = await ask(engine, "rows", 0, 100)
    for only, holds in (
        ({"state": "filtered"}, lambda r: bool(r["filtered"])),
        ({"state": "failed"}, lambda r: not r["ok"]),
        ({"action": "update"}, lambda r: r["action"] == "update"),
        ({"destination": "orders.items"}, lambda r: r["batch_key"] == ["orders.items"]),
        ({"destination": "orders.eu", "action": "delete"},
         lambda r: r["batch_key"] == ["orders.eu"] and r["action"] == "delete"),
        ({"changed": True}, lambda r: False),
        ({}, lambda r: True),
    ):  # fmt: skip
        count = (await ask(engine, "select", **only))["count"]
        rows = await ask(engine, "rows", 0, 100)
        assert [r["index"] for r in rows] == [r["index"] for r in everything if holds(r)], only
        assert count == len(rows)
    assert totals["rows"] == len(everything)


async def test_rows_that_an_edit_moves_are_selected(engine: EngineService) -> None:
    source = next((engine.workspace.project.root / "functions").glob("orders*")).read_text()
    code = source.replace('"orders.items"', '"orders.lines"')
    await engine.preview("orders-to-kafka", sample="shop", code={"orders-by-region": code})
    count = (await ask(engine, "select", changed=True))["count"]
    rows = await ask(engine, "rows", 0, 100)
    assert {tuple(r["batch_key"]) for r in rows} == {("orders.lines",)}
    assert count == len(rows) > 0


@pytest.mark.slow
async def test_tests_are_pinned_run_and_accepted(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="awkward")
    place = (await ask(engine, "pin", "orders-to-kafka", index=0, sample="awkward"))["test"]
    events: list[tuple[str, dict[str, Any]]] = []
    results = await engine.methods["test"](emit=lambda name, data: events.append((name, data)))
    assert all(item["ok"] for item in results)
    assert place["name"] in {item["name"] for item in results}
    assert [name for name, _ in events] == ["result"] * len(results) + ["coverage"]
    mine = next(item for item in results if item["name"] == place["name"])
    await ask(engine, "accept", mine["file"], mine["index"], {"destination": "elsewhere"})
    again = await ask(engine, "test")
    failed = [item for item in again if not item["ok"]]
    assert [item["index"] for item in failed] == [mine["index"]]
    assert failed[0]["name"].endswith("goes to elsewhere")


async def test_a_view_that_is_gone_says_so(engine: EngineService) -> None:
    for method in ("forecast", "coverage", "determinism"):
        with pytest.raises(UsageError, match="this preview is gone"):
            await engine.methods[method](view="none")
    await engine.preview("orders-to-kafka", sample="shop")
    with pytest.raises(UsageError, match="row 900 is not a message"):
        await engine.methods["explain"](900)


async def test_a_preview_packs_the_cells_that_its_rows_show(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="awkward")
    preview = engine.preview_of("preview")
    assert preview is not None
    fields = list(preview.prepared.sink.Routing.model_fields)
    rows = await preview.rows(0, 100, brief=True)
    assert {row["ok"] for row in rows} == {True, False}
    for number, row in enumerate(rows):
        for column, cell in enumerate(cells(row, fields)[1:]):
            assert preview.index.containing(cell, column)[number] == 1, (number, column, cell)


async def test_rows_are_found_sorted_copied_and_exported(
    engine: EngineService, tmp_path: Path
) -> None:
    await engine.preview("orders-to-kafka", sample="shop", limit=50)
    found = await ask(engine, "select", text="INSERT", column=1, sort=0, descending=True)
    assert found["of"] == 50
    rows = await ask(engine, "rows", 0, 100)
    numbers = [row["index"] for row in rows]
    assert len(numbers) == found["count"] > 1
    assert numbers == sorted(numbers, reverse=True)
    assert {row["action"] for row in rows} == {"insert"}
    copied = await ask(engine, "copy_rows", "csv", ranges=[[1, 1]])
    assert copied["text"].splitlines()[1].startswith(f"{numbers[1]},insert,")
    written = tmp_path / "rows.jsonl"
    assert await ask(engine, "export_rows", str(written)) == found["count"]
    lines = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert [line["index"] for line in lines] == numbers
    assert all(line["request"] for line in lines if line["ok"] and not line["filtered"])
    assert await ask(engine, "export_rows", str(tmp_path / "r.csv")) == found["count"]
    with pytest.raises(UsageError, match="no known ending"):
        await ask(engine, "export_rows", str(tmp_path / "rows.xlsx"))
    totals = await ask(engine, "evaluate_all")
    assert totals["done"] == totals["rows"] == 84
    assert (await ask(engine, "select", text="delete", column=1))["of"] == 84


async def test_many_rows_are_pinned_as_one_edit(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    await ask(engine, "select", text="insert", column=1)
    told = await ask(engine, "pin_rows", "orders-to-kafka", ranges=[[0, 1], [3, 3]], sample="shop")
    place = told["test"]
    assert place["count"] == 3
    results = [r for r in await ask(engine, "test") if r["file"] == place["file"]]
    pinned = [r for r in results if r["index"] >= len(results) - 3]
    assert [r["ok"] for r in pinned] == [True] * 3
    assert len({r["name"] for r in results}) == len(results)
    before = await ask(engine, "undo")
    assert len([r for r in await ask(engine, "test") if r["file"] == place["file"]]) + 3 == len(
        results
    )
    assert before["redo"] == "Pin 3 rows as tests"
    await ask(engine, "select")
    with pytest.raises(UsageError, match="too many to pin"):
        await ask(engine, "pin_rows", "orders-to-kafka", ranges=[[0, 300]] * 5)


async def test_some_tests_run_alone_are_edited_reported_and_removed(
    engine: EngineService, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no route test has run"):
        await ask(engine, "export_tests", str(tmp_path / "report.xml"))
    every = await ask(engine, "test")
    first = every[0]
    chosen = [(first["file"], first["index"])]
    some = await ask(engine, "test", only=chosen)
    assert [(r["file"], r["index"]) for r in some] == chosen * len(some)
    body = await ask(engine, "test_body", file=first["file"], index=first["index"])
    body["expect"] = {"filtered": True}
    await ask(engine, "edit_test", file=first["file"], index=first["index"], body=body)
    again = await ask(engine, "test", only=chosen)
    assert not any(r["ok"] for r in again)
    report = tmp_path / "report.xml"
    assert await ask(engine, "export_tests", str(report)) == len(every)
    suite = ElementTree.fromstring(report.read_text(encoding="utf-8"))
    assert int(suite.attrib["failures"]) == len(again)
    for wrong in ({"name": "x"}, {**body, "expect": {}}, {**body, "surprise": 1}):
        with pytest.raises(ProjectError):
            await ask(engine, "edit_test", file=first["file"], index=first["index"], body=wrong)
    await ask(engine, "delete_tests", tests=chosen)
    left = await ask(engine, "test")
    assert len(left) == len(every) - len(again)


async def test_rows_become_commands_without_secrets(engine: EngineService) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    found = await ask(engine, "commands", ranges=[[0, 9]])
    assert found["count"] + found["left_out"] == 10
    row = await engine.row(0)
    assert row is not None
    words = shlex.split(found["text"].splitlines()[0])
    assert words[2] == row["request"]["value"]
    assert words[words.index("-t") + 1] == row["routing"]["topic"]
    await ask(engine, "select", text="filtered", column=4)
    with pytest.raises(UsageError, match="none of these rows is delivered"):
        await ask(engine, "commands", ranges=[[0, 0]])


async def test_a_command_names_the_variables_of_the_project(
    engine: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_PASSWORD", "hunter2-hunter2")
    for path, value in ((("username",), "shop"), (("password",), "${CACHE_PASSWORD}")):
        place = ["sinks", "customers-to-redis", "destination", *path]
        await ask(engine, "apply", {"op": "set", "path": place, "value": value})
    await engine.preview("customers-to-redis", sample="shop")
    await ask(engine, "select", text="ok", column=4)
    found = await ask(engine, "commands", ranges=[[0, 0]])
    assert found["text"].startswith('REDISCLI_AUTH="$CACHE_PASSWORD" redis-cli ')
    assert "hunter2" not in json.dumps(found)
    assert found["notes"] == ["set 1 variable of the shell first: CACHE_PASSWORD"]


def told(folder: Path, key: str) -> str:
    """A file with one row of a table with this key."""
    row = {"action": "insert", "record": {"id": key}, "changes": {},
           "metadata": {"table_name": "customers", "table_schema": "public",
                        "record_pks": [key]}}  # fmt: skip
    (folder / "told.jsonl").write_text(json.dumps(row) + "\n")
    return str(folder / "told.jsonl")


async def test_no_secret_of_another_sink_is_copied(engine: EngineService, tmp_path: Path) -> None:
    """A row that holds a secret: its variable stands for it, or the row is not copied."""
    secret = "hunter2+/hunter2"
    (tmp_path / "shop" / ".env").write_text(f"OTHER_TOKEN={secret}\n")
    await engine.preview("customers-to-redis", input=told(tmp_path, secret))
    found = await ask(engine, "commands", ranges=[[0, 0]])
    assert secret not in found["text"]
    assert '"$OTHER_TOKEN"' in found["text"]
    await engine.preview("customers-to-redis", input=told(tmp_path, secret.encode().hex()))
    with pytest.raises(UsageError, match="in a form that no variable"):
        await ask(engine, "commands", ranges=[[0, 0]])


async def test_a_slow_sort_does_not_replace_what_was_asked_for_later(
    engine: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.preview("orders-to-kafka", sample="shop")
    preview = engine.preview_of("preview")
    assert preview is not None
    ready, ordered = asyncio.Event(), preview.ordered

    async def slow(column: int, *, descending: bool) -> Any:
        await ready.wait()
        return await ordered(column, descending=descending)

    monkeypatch.setattr(preview, "ordered", slow)
    older = asyncio.create_task(engine.methods["select"](sort=3))
    await asyncio.sleep(0)
    newer = await ask(engine, "select", text="filtered", column=4)
    ready.set()
    assert (await older)["count"] > newer["count"] > 0
    assert preview.selection is not None
    assert len(preview.selection) == newer["count"]
    await ask(engine, "select", sort=3)
    assert len(preview.selection) > newer["count"]
