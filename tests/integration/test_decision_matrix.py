"""One decision matrix on every surface: what is previewed is what is tested, run and exported.

Routes of several sink types are put through generated messages. `ROUTESTUDIO_MATRIX` is the number
of messages (default 20), `ROUTESTUDIO_SEED` chooses others.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from routestudio.engine.service import EngineService
from routestudio.project.starter import create_project
from routestudio.sinks import registry
from tests.support.conversion_routes import messages, routes

COUNT = int(os.environ.get("ROUTESTUDIO_MATRIX", "20"))
SEED = int(os.environ.get("ROUTESTUDIO_SEED", "1"))

DESTINATION: dict[str, Callable[[dict[str, Any]], str]] = {
    "kafka": lambda request: request["topic"],
    "http_push": lambda request: urlsplit(request["url"]).path,
    "redis_string": lambda request: request["key"],
    "redis_stream": lambda request: request["key"],
    "nats": lambda request: request["subject"],
}
"""Where a rendered request goes, in the words in which a stand-in says where something came."""

CONFINED = {"kafka": "topic", "http_push": "method", "redis_string": "action", "nats": "subject"}
PATTERNS = {"kafka": r".*(region|eu|us).*", "http_push": "POST|PUT", "redis_string": "set",
            "nats": r".*(insert|update)"}  # fmt: skip

FILTER = """\
def filter(action, record, changes, metadata):
    return action != "read" or record["status"] != "paid"
"""

RAGGED = """\
def route(action, record, changes, metadata):
    if action == "insert":
        return {}
    if action == "delete":
        return {"unknown": 1}
    return {"%s": record["region"] if record.get("total") else None}
"""
"""Defaults, keys that nobody knows, values of wrong types, missing columns."""


def cases() -> list[tuple[str, str]]:
    return [(key, kind) for key in DESTINATION for kind in ("region", "change", "tenant", "ragged")]


def write_case(folder: Path, key: str, kind: str) -> str:
    """A project with the route, a filter and where there is one a confined field; the sink."""
    sink = registry.default().get(key)
    create_project(folder, sink)
    file = folder / "sequin.yaml"
    reader = YAML(typ="safe")
    project = reader.load(file.read_text())
    [entry], [function] = project["sinks"], project["functions"]
    first = next(iter(sink.Routing.model_fields))
    code = RAGGED % first if kind == "ragged" else routes(key)[kind]
    (folder / function["file"]).write_text(code)
    if kind == "change":
        (folder / "functions" / "wanted.py").write_text(FILTER)
        project["functions"].append({"name": "wanted", "type": "filter", "language": "python",
                                     "file": "functions/wanted.py"})  # fmt: skip
        entry["filter"] = "wanted"
    if kind == "region" and key in CONFINED:
        entry["annotations"] = {"routestudio": {"confine": {CONFINED[key]: PATTERNS[key]}}}
    if kind == "tenant":
        entry["message_grouping"] = False
    with file.open("w") as output:
        YAML(typ="safe").dump(project, output)
    rows = (
        {"action": m.action, "record": m.record, "changes": m.changes, "metadata": m.metadata}
        for m in messages(COUNT, SEED)
    )
    (folder / "samples" / "orders.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    )
    return str(entry["name"])


async def previewed(service: EngineService, sink: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    await service.preview_all(sink, rows.append, sample="orders")
    return rows


def decision(row: dict[str, Any]) -> tuple[Any, ...]:
    """What was decided about a row, without the words in which a language says what went wrong."""
    problems = sorted((p["stage"], p["field"] or "") for p in row["problems"])
    return (row["filtered"], row["routing"] if row["ok"] else None, row["provenance"],
            row["group_id"], row["request"], problems)  # fmt: skip


def outcome(row: dict[str, Any], where: Callable[[dict[str, Any]], str]) -> str:
    """What became of a row: filtered, a failure, or its destination."""
    if row["filtered"]:
        return "filtered"
    if row["ok"] and "method" in row["routing"]:  # the endpoint itself is not the route's
        return "{method} {endpoint_path}".format_map(row["routing"]).strip()
    return where(row["request"]) if row["ok"] else "failed"


def expected(test: dict[str, Any]) -> str:
    """The same of what a route test expects; a URL or a command is cut down to its destination."""
    expect = test["expect"]
    if "error" in expect:
        return "failed"
    return "filtered" if "filtered" in expect else str(expect["destination"])


@pytest.mark.parametrize(("key", "kind"), cases())
async def test_every_surface_decides_the_same(key: str, kind: str, tmp_path: Path) -> None:
    where = DESTINATION[key]
    name = write_case(tmp_path / "project", key, kind)
    async with EngineService() as service:
        await service.open(str(tmp_path / "project"))
        rows = await previewed(service, name)
        assert len(rows) == COUNT
        sent = [row for row in rows if row["ok"] and not row["filtered"]]
        failed = [row for row in rows if not row["ok"] and not row["filtered"]]
        assert sent

        # test: every row is pinned, and what is pinned is what was previewed
        await service.preview(name, sample="orders")
        for row in rows:
            await service.methods["pin"](name, index=row["index"], sample="orders")
        await service.saving.save()
        results = await service.methods["test"]()
        assert [result["failures"] for result in results if not result["ok"]] == []
        assert len(results) == COUNT
        pinned = [
            expected(item)
            for path in sorted((tmp_path / "project" / "tests").glob("*.yaml"))
            for item in YAML(typ="safe").load(path.read_text())["tests"]
        ]
        assert len(pinned) == COUNT
        for row, found in zip(rows, pinned, strict=True):
            assert outcome(row, where) in found, (row["index"], found)

        # check: the destinations of the rows, and no others
        steps = await service.checks.sink(name, standin=True, sample="orders")
        assert "failed" not in {step.status for step in steps}, steps
        proved = {step.target.split(" ")[-1] for step in steps if step.target}
        assert proved
        assert proved <= {where(row["request"]) for row in sent}

        # run: what arrived, and what is in the dead letters
        letters = tmp_path / "dead.jsonl"
        summary = await service.run(name, standin=True, sample="orders", dead_letters=str(letters))
        filtered = COUNT - len(sent) - len(failed)
        assert (summary["delivered"], summary["rejected"], summary["filtered"]) == (
            len(sent), len(failed), filtered
        )  # fmt: skip
        arrived = await service.checks.arrived(name)
        assert Counter(item.destination for item in arrived) == Counter(
            where(row["request"]) for row in sent
        )
        places = {row["index"]: where(row["request"]) for row in sent}
        for item in arrived:
            if (item.body or "").startswith("{"):
                body = json.loads(item.body)
                assert places[body["metadata"]["commit_idx"]] == item.destination
        dead = [json.loads(line) for line in letters.read_text().splitlines()] if failed else []
        assert sorted(item["message"]["metadata"]["commit_idx"] for item in dead) == [
            row["index"] for row in failed
        ]

        # export: for the runner, and for a server, which has the routes in Elixir
        await service.export("routestudio", str(tmp_path / "runner"))
        await service.export("sequin", str(tmp_path / "server.yaml"))
        decided = [decision(row) for row in rows]
        await service.open(str(tmp_path / "runner"))
        (tmp_path / "runner" / "samples").mkdir(exist_ok=True)
        copied = (tmp_path / "project" / "samples" / "orders.jsonl").read_text()
        (tmp_path / "runner" / "samples" / "orders.jsonl").write_text(copied)
        await service.open(str(tmp_path / "runner"))
        assert [decision(row) for row in await previewed(service, name)] == decided
        await service.import_file(str(tmp_path / "server.yaml"), str(tmp_path / "back"))
        (tmp_path / "back" / "samples").mkdir(exist_ok=True)
        (tmp_path / "back" / "samples" / "orders.jsonl").write_text(copied)
        snapshot = await service.open(str(tmp_path / "back"))
        assert {item["language"] for item in snapshot["functions"]} == {"elixir"}
        assert [decision(row) for row in await previewed(service, name)] == decided
