"""What the engine recognises of rows that are not in the project yet, and the sets made of them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import RouteStudioError, UsageError

OWN = {"action": "insert", "record": {"id": 1}, "changes": None,
       "metadata": {"table_schema": "public", "table_name": "orders"}}  # fmt: skip


def changes(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Events as Debezium writes them for PostgreSQL, without schema."""
    return [
        {"before": None, "after": {"code": f"c-{n}", "qty": n}, "op": "c", "ts_ms": 1_700_000_000,
         "source": {"connector": "postgresql", "name": "shop", "db": "shop", "schema": "public",
                    "table": "stock", "lsn": 100 + n, "txId": n}}
        for n in range(start, start + count)
    ]  # fmt: skip


def lines(values: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


async def test_a_paste_is_recognised_with_counts_and_faults(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    place = {"connector": "postgresql", "schema": "public", "table": "stock"}
    truncate = {"before": None, "op": "t", "ts_ms": 1, "source": place}
    text = lines([*changes(3), truncate]) + "{broken\n"
    found = await service.methods["recognise"](text=text)
    assert found["recognised"] == {"Debezium, PostgreSQL": 3}
    assert found["passed_over"] == {"truncate": 1}
    assert (found["messages"], found["faults"], found["own"]) == (3, 1, False)
    assert found["first_faults"][0]["place"] == "text:5"
    assert "not JSON" in found["first_faults"][0]["message"]
    assert found["tables"] == {"public.stock": 3}
    assert found["keys"] == [{"table": "public.stock", "columns": [], "origin": "unknown",
                              "rows": 3}]  # fmt: skip
    assert found["rows"][2]["record"] == {"code": "c-2", "qty": 2}


async def test_what_a_person_chooses_is_in_all_messages(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    text = "code,qty\nc-1,1\nc-2,2\n"
    chosen = {"text": text, "table": "shop.stock", "key": "code", "action": "insert"}
    found = await service.methods["recognise"](**chosen)
    assert (found["formats"], found["tables"]) == (["plain"], {"shop.stock": 2})
    assert found["keys"][0]["columns"] == ["code"]
    assert found["keys"][0]["origin"] == "user"
    made = await service.methods["sample_of"](**chosen)
    messages = [json.loads(line) for line in made["text"].splitlines()]
    assert [m["action"] for m in messages] == ["insert", "insert"]
    assert [m["metadata"]["record_pks"] for m in messages] == [["c-1"], ["c-2"]]
    assert {m["metadata"]["table_schema"] for m in messages} == {"shop"}
    assert len({m["metadata"]["idempotency_key"] for m in messages}) == 2
    # Rows that say their action keep it.
    made = await service.methods["sample_of"](text=lines(changes(1)), action="delete")
    assert json.loads(made["text"])["action"] == "insert"


async def test_the_table_that_is_chosen_has_the_key_of_the_project(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    tables = [{"name": "public.stock", "key": ["qty", "code"]}]
    await service.apply({"op": "set", "path": ["tables"], "value": tables})
    found = await service.methods["recognise"](text="code,qty\nc-1,1\n", table="stock")
    assert found["keys"] == [{"table": "public.stock", "columns": ["qty", "code"],
                              "origin": "project", "rows": 1}]  # fmt: skip


async def test_wrong_settings_say_what_to_do(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    for wrong in ({"action": "upsert"}, {"table": ".orders"}, {"envelope": "debezum"}, {}):
        with pytest.raises(UsageError) as caught:
            await service.methods["recognise"](**({"text": "{}", **wrong} if wrong else {}))
        assert caught.value.hint or not wrong


async def test_rows_of_a_wrong_format_are_faults(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    found = await service.methods["recognise"](text=lines(changes(25)), envelope="maxwell")
    assert (found["messages"], found["faults"], len(found["first_faults"])) == (0, 25, 20)
    keys = [key for key, _ in await service.methods["row_formats"]()]
    assert keys[0] == "auto"
    assert {"debezium", "plain", "maxwell"} <= set(keys)


async def test_our_own_form_is_known_as_such(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    found = await service.methods["recognise"](text=lines([OWN]))
    assert (found["own"], found["lines"]) == (True, True)
    found = await service.methods["recognise"](text=json.dumps([OWN]))
    assert (found["own"], found["lines"]) == (True, False)


@pytest.mark.slow
async def test_a_large_file_is_copied_as_it_is(
    service: EngineService, demo: Path, tmp_path: Path
) -> None:
    await service.open(str(demo))
    file = tmp_path / "big.ndjson"
    file.write_text(lines(changes(40_000)))
    found = await service.methods["recognise"](path=str(file))
    assert (found["large"], found["lines"], found["whole"]) == (True, True, False)
    assert found["messages"] == 20_000
    snapshot = await service.methods["add_sample_file"](path=str(file), name="big")
    assert [s["rows"] for s in snapshot["samples"] if s["name"] == "big"] == [40_000]
    assert (demo / "samples" / "big.jsonl").read_bytes() == file.read_bytes()
    for name in ("big", "../out"):
        with pytest.raises(RouteStudioError):
            await service.methods["add_sample_file"](path=str(file), name=name)
    table = tmp_path / "table.csv"
    table.write_text("code,qty\n" + "".join(f"c-{n},{n}\n" for n in range(50)))
    await service.methods["add_sample_file"](path=str(table), name="table", table="stock")
    made = (demo / "samples" / "table.jsonl").read_text().splitlines()
    assert len(made) == 50
    assert json.loads(made[7])["metadata"]["table_name"] == "stock"
    with pytest.raises(UsageError, match="more than 8,000,000"):
        await service.methods["sample_of"](path=str(file))


async def test_what_cannot_be_read_is_refused(
    service: EngineService, demo: Path, tmp_path: Path
) -> None:
    await service.open(str(demo))
    for given in ({"path": str(tmp_path / "none")}, {"address": "ftp://host/x"}):
        with pytest.raises(UsageError):
            await service.methods["recognise"](**given)


def _heard(found: list[tuple[str, dict[str, Any]]], name: str, data: dict[str, Any]) -> None:
    found.append((name, data))


@pytest.mark.slow
async def test_a_preview_says_what_was_recognised(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    truncate = {**changes(1)[0], "op": "t", "after": None}
    (demo / "samples" / "stock.jsonl").write_text(lines([*changes(3), truncate]))
    # Large: paged by its lines, of which each is one message, or not.
    (demo / "samples" / "each.jsonl").write_text(lines(changes(30_000)))
    (demo / "samples" / "some.jsonl").write_text(lines([truncate, *changes(30_000)]))
    await service.methods["outside"]()
    for name, recognised, passed in (
        ("stock", {"Debezium, PostgreSQL": 3}, {"truncate": 1}),
        ("some", {"Debezium, PostgreSQL": 30_000}, {"truncate": 1}),
    ):
        for _ in range(2):
            heard: list[tuple[str, dict[str, Any]]] = []
            emit = partial(_heard, heard)
            await service.preview("orders-to-kafka", sample=name, limit=10, emit=emit)
            said = dict(heard[:1])["started"]
            if name == "some":  # the rest of a large file is found after its first rows
                assert len(heard) > 1
                said = await service.methods["find_rows"]()
                assert (said["rows"], said["fraction"]) == (30_000, 1.0)
            assert (said["recognised"], said["passed_over"]) == (recognised, passed)


async def test_the_key_of_a_table_is_an_edit(service: EngineService, demo: Path) -> None:
    snapshot = await service.open(str(demo))
    assert snapshot["table_keys"] == {}
    set_key = {"op": "set_key", "table": "public.orders"}
    snapshot = await service.apply({**set_key, "key": ["region", "id"]})
    assert snapshot["table_keys"] == {"public.orders": ["region", "id"]}
    snapshot = await service.apply({**set_key, "key": ["region"]})
    assert snapshot["table_keys"] == {"public.orders": ["region"]}
    snapshot = await service.undo()
    assert snapshot["table_keys"] == {"public.orders": ["region", "id"]}
    snapshot = await service.apply({**set_key, "key": []})
    assert snapshot["table_keys"] == {}
    with pytest.raises(UsageError):
        await service.apply({**set_key, "key": [""]})


async def test_a_table_without_schema_keeps_its_name(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    tables = [{"name": "orders", "columns": {"total": "numeric"}}]
    await service.apply({"op": "set", "path": ["tables"], "value": tables})
    key = {"op": "set_key", "table": "public.orders", "key": ["code"]}
    assert (await service.apply(key))["table_keys"] == {"orders": ["code"]}
