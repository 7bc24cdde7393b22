"""The project's files and other programs: conflicts, reading again, copies, large samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import ProjectError, UsageError
from routestudio.paths import resources
from routestudio.project.journal import Journal

SIZE = ["sinks", "orders-to-kafka", "batch_size"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    shutil.copytree(resources() / "demo", folder)
    return folder


@pytest.fixture
async def engine(project: Path) -> AsyncIterator[EngineService]:
    async with EngineService() as service:
        await service.open(str(project))
        yield service


async def edit(engine: EngineService, value: int) -> dict[str, Any]:
    return await engine.apply({"op": "set", "path": SIZE, "value": value})


async def test_a_file_that_changed_outside_is_not_overwritten(
    engine: EngineService, project: Path
) -> None:
    await edit(engine, 71)
    yaml = project / "sequin.yaml"
    theirs = yaml.read_text() + "# theirs\n"
    yaml.write_text(theirs)
    found = await engine.saving.save(ask=True)
    assert found["written"] == []
    assert found["conflicts"] == [{"path": "sequin.yaml", "state": "changed", "edited": True}]
    assert yaml.read_text() == theirs
    with pytest.raises(ProjectError, match="changed by another program"):
        await engine.saving.save()
    sides = await engine.saving.compare_file(path="sequin.yaml")
    assert sides["disk"] == theirs
    assert "batch_size: 71" in sides["here"]
    await engine.saving.take_outside(paths=["sequin.yaml"])
    assert (await engine.saving.save(ask=True))["conflicts"] == []
    assert yaml.read_text() == theirs
    with pytest.raises(UsageError, match="the same on the disk"):
        await engine.saving.compare_file(path="sequin.yaml")


async def test_both_wrote_the_same(engine: EngineService, project: Path) -> None:
    snapshot = await edit(engine, 72)
    yaml = project / "sequin.yaml"
    yaml.write_text(engine.workspace.project.document.text)
    assert snapshot["dirty"] == ["sequin.yaml"]
    assert (await engine.saving.outside())["conflicts"] == []
    assert (await engine.saving.save(ask=True))["conflicts"] == []


async def test_a_clean_file_is_read_again_and_undo_does_not_bring_the_old_one_back(
    engine: EngineService, project: Path
) -> None:
    await edit(engine, 73)
    await engine.saving.save()
    yaml = project / "sequin.yaml"
    yaml.write_text(yaml.read_text().replace("batch_size: 73", "batch_size: 74"))
    found = await engine.saving.outside()
    assert (found["taken"], found["conflicts"], found["dirty"]) == (["sequin.yaml"], [], [])
    await engine.undo()
    assert engine.snapshot()["sinks"][0]["batch_size"] == 74


async def test_a_removed_folder_is_a_conflict_also_without_edits(
    engine: EngineService, project: Path
) -> None:
    shutil.rmtree(project)
    found = await engine.saving.save(ask=True)
    assert {item["state"] for item in found["conflicts"]} == {"removed"}
    assert found["written"] == []
    written = (await engine.saving.save(ask=True, overwrite=True))["written"]
    assert str(project / "sequin.yaml") in written
    assert (project / "functions" / "rest_path.py").is_file()


async def test_a_copy_holds_everything_and_is_open_afterwards(
    engine: EngineService, project: Path, tmp_path: Path
) -> None:
    await edit(engine, 75)
    (project / ".env").write_text("A=1\n")
    target = tmp_path / "copy"
    found = await engine.saving.save_as(path=str(target))
    assert found["root"] == str(target)
    assert found["dirty"] == []
    assert "batch_size: 75" in (target / "sequin.yaml").read_text()
    assert "batch_size: 200" in (project / "sequin.yaml").read_text()
    for name in (".env", "samples/shop.jsonl", "functions/rest_path.py", "tests/orders.yaml"):
        assert (target / name).read_bytes() == (project / name).read_bytes()
    assert (await engine.open(str(project)))["recoverable"]["count"] == 0
    with pytest.raises(ProjectError, match="not an empty folder"):
        await engine.saving.save_as(path=str(target))


async def test_a_journal_that_cannot_be_written_does_not_hide_the_edit(
    engine: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ProjectError("the recovery journal cannot be written: disk full")

    monkeypatch.setattr(Journal, "append", refuse)
    found = await edit(engine, 76)
    assert found["sinks"][0]["batch_size"] == 76
    assert found["dirty"] == ["sequin.yaml"]
    assert "disk full" in found["journal_problem"]
    with pytest.raises(UsageError):
        await engine.apply({"op": "no such edit"})


async def test_a_sample_that_is_not_saved_yet_is_no_problem(engine: EngineService) -> None:
    row = {"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "orders"}}
    text = json.dumps(row) + "\n"
    await engine.apply({"op": "add_sample", "name": "five", "text": text})
    assert [item for item in await engine.checks.lint() if item.code == "sample"] == []


async def test_a_large_file_becomes_a_sample_set_at_once(
    engine: EngineService, project: Path, tmp_path: Path
) -> None:
    row = {"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "orders"}}
    source = tmp_path / "large.jsonl"
    source.write_text((json.dumps(row) + "\n") * 500 + "not a message\n")
    add = engine.methods["add_sample_file"]
    found = await add(path=str(source), name="large")
    assert {"name": "large", "rows": 501} in [
        {"name": item["name"], "rows": item["rows"]} for item in found["samples"]
    ]
    assert found["dirty"] == []
    assert (project / "samples" / "large.jsonl").read_text() == source.read_text()
    with pytest.raises(UsageError, match="already"):
        await add(path=str(source), name="large")


async def test_the_state_of_samples_follows_their_content(
    engine: EngineService, project: Path
) -> None:
    def state() -> str:
        return str(next(i["state"] for i in engine.snapshot()["samples"] if i["name"] == "shop"))

    first = state()
    text = (project / "samples" / "shop.jsonl").read_text()
    other = text.replace("EU", "US", 1)
    assert len(other) == len(text)
    await engine.apply({"op": "set_sample", "name": "shop", "text": other})
    second = state()
    assert second != first
    await engine.saving.save()
    assert state() == second, "saving changes no message"


async def test_a_preview_may_use_another_function_and_is_forgotten(engine: EngineService) -> None:
    code = "def route(action, record, changes, metadata):\n    return {'topic': 'other'}\n"
    item = {"name": "other", "type": "routing", "sink_type": "kafka", "language": "python",
            "file": "functions/other.py", "code": code}  # fmt: skip
    await engine.apply({"op": "add_function", "item": item})
    use = {"routing": "other"}
    await engine.preview("orders-to-kafka", sample="shop", view="v", use=use)
    rows = await engine.rows(0, 1, view="v")
    assert rows[0]["routing"]["topic"] == "other"
    await engine.forget_preview(view="v")
    assert await engine.rows(0, 1, view="v") == []


async def test_the_snapshot_names_where_a_sink_delivers_to(
    engine: EngineService, project: Path
) -> None:
    (project / ".env").write_text("SHOP_KAFKA_HOSTS=kafka.example:9092\n")
    targets = {item["name"]: item["target"] for item in engine.snapshot()["sinks"]}
    assert targets["orders-to-kafka"] == "kafka.example:9092"
    assert targets["customers-to-redis"] == "localhost:6379"
    assert targets["events-to-http"].startswith("http")
