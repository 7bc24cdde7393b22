"""Every command of the command line contract, through the installed program."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.e2e.conftest import DEMO, Cli
from tests.support.http_server import HttpReceiver, Reply

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PREVIEW = {"index", "action", "ok", "filtered", "routing", "provenance", "batch_key", "group_id",
           "payload", "request", "error"}  # fmt: skip
SUMMARY = {"read", "filtered", "delivered", "rejected", "retried", "batches", "seconds"}
TYPES = {"kafka", "redis_string", "http_push"}

MESSAGES = [
    {"action": action, "record": {"id": number, "region": "eu"}, "changes": None,
     "metadata": {"table_name": "orders"}}
    for number, action in enumerate(("insert", "update", "read", "delete"), 1)
]  # fmt: skip


def lines(items: list[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def webhook(folder: Path, url: str, **sink: object) -> Path:
    """A project with one static sink `hook` that posts each message to `url`."""
    folder.mkdir()
    data = {
        "http_endpoints": [{"name": "api", "url": url}],
        "sinks": [{"name": "hook", "database": "shop", **sink,
                   "destination": {"type": "webhook", "http_endpoint": "api", "batch": False}}],
    }  # fmt: skip
    (folder / "sequin.yaml").write_text(json.dumps(data))
    return folder


# --- the program itself --------------------------------------------------------------------------


def test_bad_usage_is_one_line_and_2(cli: Cli, demo: Path) -> None:
    assert "COMMAND" in cli("nonsense-command", "x").reason()
    assert "nonsense" in cli("nonsense").reason()
    assert "PROJECT, SINK" in cli("preview").reason()
    assert "kind" in cli("eval", "f.py", "--kind", "rout").reason()
    reason = cli("preview", demo, "orders-to-kafak").reason()
    assert "orders-to-kafak" in reason
    assert "orders-to-kafka" in reason.replace("orders-to-kafak", "")


def test_without_a_display_the_window_names_the_headless_commands(cli: Cli) -> None:
    bare = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    assert "preview" in cli(**bare).reason()
    assert "demo --headless" in cli("demo", **bare).reason()


def test_help_names_every_command(cli: Cli) -> None:
    found = cli("--help")
    assert found.code == 0
    for name in ("demo", "new", "sinks", "eval", "preview", "test", "check", "run", "lint",
                 "import", "export", "docs", "schema"):  # fmt: skip
        assert name in found.out


def test_demo_runs_headless_and_agrees(cli: Cli) -> None:
    found = cli("demo", "--headless", DISPLAY="", WAYLAND_DISPLAY="")
    assert found.code == 0, found.out
    for text in ("orders-to-kafka", "customers-to-redis", "events-to-http", "Preview", "Check",
                 "Delivery", "What arrived", "Export", "everything agrees"):  # fmt: skip
        assert text in found.out
    assert "✗" not in found.out


# --- describing ----------------------------------------------------------------------------------


def test_sinks_describes_every_type(cli: Cli) -> None:
    every = cli("sinks", "--format", "json").document()
    assert {item["key"] for item in every} >= TYPES
    for item in every:
        assert item["title"]
        assert item["yaml_type"]
        assert item["batch"]["messages"] > 0
        for field in item["config"] + item["routing"]:
            assert {"name", "type", "required", "secret", "default", "choices", "help"} <= set(
                field
            )
    kafka = next(item for item in every if item["key"] == "kafka")
    config = {field["name"]: field for field in kafka["config"]}
    assert config["hosts"]["required"]
    assert not config["hosts"]["secret"]
    assert config["password"]["secret"]
    assert config["password"]["default"] is None
    assert "gzip" in config["compression"]["choices"]
    assert [field["name"] for field in kafka["routing"]] == ["topic", "message_key"]

    one = cli("sinks", "kafka", "--format", "json")
    assert one.code == 0
    assert one.document() == kafka
    assert cli("sinks", "webhook", "--format", "json").document()["key"] == "http_push"
    text = cli("sinks", "redis_string")
    assert "Configuration" in text.out
    assert "Routing" in text.out
    assert "kafka" in cli("sinks", "kafak").reason()


def test_docs_are_fresh(cli: Cli, tmp_path: Path) -> None:
    found = cli("docs", "--write")
    assert (found.code, found.out) == (0, "")
    written = {path.name: path.read_text() for path in (tmp_path / "docs/sinks").iterdir()}
    there = {path.name: path.read_text() for path in (ROOT / "docs/sinks").glob("*.md")}
    assert written == there, "run `routestudio docs --write` in the project's folder"


def test_schema_accepts_the_demo_and_refuses_a_misspelled_key(cli: Cli) -> None:
    found = cli("schema")
    assert found.code == 0
    schema = found.document()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    project = YAML(typ="safe").load((DEMO / "sequin.yaml").read_text())
    assert [error.message for error in validator.iter_errors(project)] == []
    project["sinks"][0]["destination"]["topc"] = "orders"
    assert list(validator.iter_errors(project))


# --- eval ----------------------------------------------------------------------------------------


def test_eval_gives_one_row_per_message(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "route.py").write_text(
        "def route(action, record, changes, metadata):\n"
        "    return {\"topic\": f\"orders.{record['id'] // (record['id'] - 2)}\"}\n"
    )
    (tmp_path / "rows.jsonl").write_text(lines(MESSAGES))
    found = cli("eval", "route.py", "--input", "rows.jsonl", "--format", "json")
    rows = found.rows()
    assert found.code == 1
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert [row["ok"] for row in rows] == [True, False, True, True]
    assert rows[2] == {"index": 2, "ok": True, "output": {"topic": "orders.3"}}
    assert set(rows[1]) == {"index", "ok", "error"}
    error = rows[1]["error"]
    assert set(error) == {"code", "message", "line", "column"}
    assert error["line"] == 2
    assert "zero" in error["message"]

    routed = cli("eval", "route.py", "--input", "-", "--sink-type", "kafka", "--format", "json",
                 stdin=lines(MESSAGES[2:]))  # fmt: skip
    assert routed.code == 0
    assert routed.rows()[0]["output"]["topic"] == "orders.3"
    assert "message_key" in routed.rows()[0]["output"]
    assert "kafka" in cli("eval", "route.py", "--input", "-", "--sink-type", "kafak").reason()


def test_eval_refuses_an_unknown_routed_field_with_a_hint(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(
        'def route(action, record, changes, metadata):\n    return {"topc": "orders"}\n'
    )
    found = cli("eval", "f.py", "--input", "-", "--sink-type", "kafka", "--format", "json",
                stdin=lines(MESSAGES[:1]))  # fmt: skip
    assert found.code == 1
    assert "topic" in found.rows()[0]["error"]["message"]


def test_eval_runs_filters_and_transforms(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "filter.py").write_text(
        'def filter(action, record, changes, metadata):\n    return record["id"] > 2\n'
    )
    (tmp_path / "transform.py").write_text(
        'def transform(action, record, changes, metadata):\n    return {"key": record["id"]}\n'
    )
    kept = cli("eval", "filter.py", "--kind", "filter", "--input", "-", "--format", "json",
               stdin=lines(MESSAGES))  # fmt: skip
    assert [row["output"] for row in kept.rows()] == [False, False, True, True]
    shaped = cli("eval", "transform.py", "--kind", "transform", "--input", "-", "--format", "json",
                 stdin=lines(MESSAGES[:1]))  # fmt: skip
    assert shaped.rows() == [{"index": 0, "ok": True, "output": {"key": 1}}]


def test_eval_marks_bad_lines_and_lists_diagnostics(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import os\ndef route(action, record, changes, metadata):\n    return open('x')\n"
    )
    found = cli("eval", "bad.py", "--input", "-", "--format", "json", stdin=lines(MESSAGES[:1]))
    assert found.code == 1
    assert not found.rows()[0]["ok"]
    assert "bad.py: line 1, column" in found.err
    assert "bad.py: line 3, column" in found.err

    (tmp_path / "f.py").write_text("def route(action, record, changes, metadata):\n    return {}\n")
    mixed = cli("eval", "f.py", "--input", "-", "--format", "json",
                stdin=lines(MESSAGES[:1]) + "{broken\n" + lines(MESSAGES[:1]))  # fmt: skip
    rows = mixed.rows()
    assert [row["ok"] for row in rows] == [True, False, True]
    assert (rows[1]["index"], rows[1]["error"]["code"]) == (1, "unreadable")
    assert rows[1]["error"]["line"] == 2
    assert "none.py" in cli("eval", "none.py", "--input", "-").reason()
    assert "--input" in cli("eval", "f.py").reason()


def test_a_preview_goes_on_after_numbers_that_are_not_json(cli: Cli, tmp_path: Path) -> None:
    project = webhook(tmp_path / "numbers", "http://127.0.0.1:9/", transform="numbers")
    settings = json.loads((project / "sequin.yaml").read_text())
    code = 'def transform(action, record, changes, metadata):\n    return [float(record["v"])]\n'
    settings["functions"] = [
        {"name": "numbers", "type": "transform", "language": "python", "code": code}
    ]
    (project / "sequin.yaml").write_text(json.dumps(settings))
    rows = [{**MESSAGES[0], "record": {"v": text}} for text in ("1", "nan", "-inf", "2")]
    found = cli("preview", project, "hook", "--input", "-", "--format", "json", stdin=lines(rows))
    shown = [row["payload"] for row in found.rows()]
    assert shown == [[1.0], ["NaN"], ["-Infinity"], [2.0]]
    assert [row["ok"] for row in found.rows()] == [True, False, False, True]


def test_eval_batch_answers_in_order_with_tagged_values(cli: Cli, tmp_path: Path) -> None:
    head = "def transform(action, record, changes, metadata):\n    "
    message = {"action": "insert", "record": {"at": {"$datetime": "2024-01-31T10:20:30Z"},
               "sum": {"$decimal": "1.50"}}, "changes": None, "metadata": {}}  # fmt: skip
    programs: list[dict[str, Any]] = [
        {"id": "a", "language": "python", "kind": "transform", "code": head + "return record",
         "input": message},
        {"id": "b", "language": "python", "kind": "transform", "code": head + "return 1 / 0",
         "input": message},
        {"id": "c", "language": "python", "kind": "transform", "code": head + "return (",
         "input": message},
        {"id": "d", "language": "python", "kind": "transform", "code": head + "return 1"},
        {"id": "e", "language": "python", "kind": "transform",
         "code": head + "while True:\n        pass", "input": message},
        {"id": "f", "language": "python", "kind": "route",
         "code": "def route(action, record, changes, metadata):\n    return {}", "input": message},
    ]  # fmt: skip
    (tmp_path / "programs.jsonl").write_text(lines(programs) + "nonsense\n")
    found = cli("eval", "--batch", "programs.jsonl", "--format", "json")
    rows = found.rows()
    assert found.code == 1
    assert [row["id"] for row in rows] == ["a", "b", "c", "d", "e", "f", None]
    assert [row["ok"] for row in rows] == [True, False, False, True, False, True, False]
    assert rows[0]["output"] == {"at": {"$datetime": "2024-01-31T10:20:30Z"},
                                 "sum": {"$decimal": "1.50"}}  # fmt: skip
    assert all(set(row["error"]) == {"code", "type", "message", "line"}
               for row in rows if not row["ok"])  # fmt: skip
    assert rows[1]["error"]["line"] == 2
    assert rows[1]["error"]["type"] == "ZeroDivisionError"
    piped = cli("eval", "--batch", "-", stdin=lines(programs[:1]))
    assert (piped.code, piped.rows()[0]["ok"]) == (0, True)


# --- projects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_new_makes_a_project_that_works(cli: Cli, tmp_path: Path, kind: str) -> None:
    assert cli("new", "shop", "--sink", kind).code == 0
    name = "orders-to-" + ("webhook" if kind == "http_push" else kind.replace("_", "-"))
    preview = cli("preview", "shop", name, "--format", "json")
    assert preview.code == 0, preview.out + preview.err
    assert [row["action"] for row in preview.rows()] == ["insert", "update", "read", "delete"]
    lint = cli("lint", "shop", "--format", "json")
    assert (lint.code, lint.document()) == (0, [])
    assert ".env" in (tmp_path / "shop/.gitignore").read_text()


def test_new_refuses_a_folder_with_files_and_unknown_types(cli: Cli, demo: Path) -> None:
    before = sorted(demo.rglob("*"))
    assert str(demo) in cli("new", demo).reason()
    assert "did you mean `kafka`" in cli("new", "other", "--sink", "kafak").reason()
    assert sorted(demo.rglob("*")) == before


def test_preview_rows_have_the_fields_of_the_contract(cli: Cli, demo: Path) -> None:
    found = cli("preview", demo, "orders-to-kafka", "--sample", "awkward", "--format", "json")
    rows = found.rows()
    assert found.code == 1
    assert all(set(row) >= PREVIEW for row in rows)
    assert [row["index"] for row in rows] == list(range(8))
    first = rows[0]
    assert first["ok"] is True
    assert first["filtered"] is False
    assert first["routing"] == {"topic": "orders.unknown", "message_key": "1003"}
    assert first["provenance"] == {"topic": "function", "message_key": "function"}
    assert first["batch_key"] == ["orders.unknown"]
    assert first["payload"]["record"]["id"] == 1003
    assert first["request"]["topic"] == "orders.unknown"
    assert first["error"] is None
    assert rows[2]["payload"]["record"]["id"] == 9007199254740993
    assert rows[4]["filtered"] is True
    assert rows[4]["error"] is None
    bad = rows[7]
    assert (bad["ok"], bad["error"]["field"]) == (False, "topic")
    assert "whitespace" in bad["error"]["message"]


def test_preview_reads_files_and_standard_input(cli: Cli, demo: Path) -> None:
    file = demo / "samples/shop.jsonl"
    by_file = cli("preview", demo, "events-to-http", "--input", file, "--format", "json")
    by_name = cli("preview", demo, "events-to-http", "--sample", "shop", "--format", "json")
    piped = cli("preview", demo, "events-to-http", "--input", "-", "--format", "json",
                stdin=file.read_bytes())  # fmt: skip
    assert by_file.code == 0
    assert by_file.out == by_name.out == piped.out
    assert len(by_file.rows()) == len(file.read_text().splitlines())
    text = cli("preview", demo, "events-to-http")
    assert "POST /" in text.out
    assert "deliverable" in text.err
    assert "--input" in cli("preview", demo, "events-to-http", "--sample", "a", "--input",
                            "b").reason()  # fmt: skip
    assert "nope" in cli("preview", demo, "events-to-http", "--sample", "nope").reason()
    assert "nope" in cli("preview", demo, "events-to-http", "--input", "nope.jsonl").reason()


def test_route_tests_pass_fail_and_report(cli: Cli, demo: Path, tmp_path: Path) -> None:
    found = cli("test", demo, "--junit", "report.xml")
    assert found.code == 0
    suite = ET.parse(tmp_path / "report.xml").getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "4", "0")
    file = demo / "tests/orders.yaml"
    file.write_text(file.read_text().replace("topic: orders.eu", "topic: orders.us"))
    failed = cli("test", demo, "--junit", "report.xml", "--format", "json")
    assert failed.code == 1
    rows = failed.rows()
    assert [row["ok"] for row in rows] == [False, True, True, True]
    assert rows[0]["line"] == 2
    assert "orders.us" in rows[0]["failures"][0]
    assert "orders.eu" in rows[0]["failures"][0]
    suite = ET.parse(tmp_path / "report.xml").getroot()
    assert suite.get("failures") == "1"
    file.write_text("- name: x\n  sink: orders-to-kafka\n  expct: {}\n")
    assert "tests/orders.yaml: line 1" in cli("test", demo).reason()


def test_lint_finds_what_is_wrong_with_file_and_line(cli: Cli, demo: Path) -> None:
    clean = cli("lint", demo)
    assert clean.code == 0
    assert "samples/awkward.jsonl:8" in clean.out
    file = demo / "sequin.yaml"
    file.write_text(file.read_text().replace("      hosts:", "      hsts:"))
    (demo / "functions/rest_path.py").write_text(
        "def route(action, record, changes, metadata):\n    return open('x')\n"
    )
    found = cli("lint", demo, "--format", "json")
    items = found.document()
    assert found.code == 1
    assert all({"severity", "code", "message", "hint", "file", "line", "column", "sink", "field",
                "title"} == set(item) for item in items)  # fmt: skip
    text = json.dumps(items)
    assert "hsts" in text
    assert any(item["file"] == "functions/rest_path.py" and item["line"] == 2 for item in items)


def test_check_reports_steps(cli: Cli, tmp_path: Path, closed_port: int,
                             http_receiver: HttpReceiver) -> None:  # fmt: skip
    closed = webhook(tmp_path / "closed", f"http://127.0.0.1:{closed_port}/x")
    found = cli("check", closed, "--format", "json")
    assert found.code == 1
    for row in found.rows():
        assert {"sink", "step", "status", "detail", "ms"} <= set(row)
        assert row["sink"] == "hook"
        assert row["status"] in ("passed", "failed", "inconclusive", "skipped")
    status = {row["step"]: row["status"] for row in found.rows()}
    assert status["connect"] == "failed"
    assert any(row["hint"] for row in found.rows() if row["status"] == "failed")
    open_ = webhook(tmp_path / "open", http_receiver.url + "/x")
    assert cli("check", open_, "hook").code == 0
    assert "nope" in cli("check", open_, "nope").reason()


# --- run -----------------------------------------------------------------------------------------


def test_run_delivers_what_the_preview_shows(cli: Cli, tmp_path: Path,
                                             http_receiver: HttpReceiver) -> None:  # fmt: skip
    project = webhook(tmp_path / "hooks", http_receiver.url + "/in", actions=["insert", "delete"])
    (tmp_path / "rows.jsonl").write_text(lines(MESSAGES))
    preview = cli("preview", project, "hook", "--input", "rows.jsonl", "--format", "json").rows()
    found = cli("run", project, "hook", "--input", "rows.jsonl", "--format", "json")
    assert found.code == 0
    summary = found.rows()[-1]
    assert set(summary) >= SUMMARY
    assert {key: summary[key] for key in ("read", "filtered", "delivered", "rejected", "retried")} \
        == {"read": 4, "filtered": 1, "delivered": 3, "rejected": 0, "retried": 0}  # fmt: skip
    sent = [request.json() for request in http_receiver.requests]
    wanted = [row["payload"] for row in preview if row["ok"] and not row["filtered"]]
    order = lambda item: item["record"]["id"]  # noqa: E731
    assert sorted(sent, key=order) == sorted(wanted, key=order)
    text = cli("run", project, "hook", "--input", "-", stdin=lines(MESSAGES))
    assert text.code == 0
    assert "4 read, 3 delivered" in text.out


def test_dead_letters_can_be_fed_back(cli: Cli, tmp_path: Path,
                                      http_receiver: HttpReceiver) -> None:  # fmt: skip
    project = webhook(tmp_path / "hooks", http_receiver.url + "/in")
    http_receiver.answer = lambda request: Reply(
        400 if request.json()["record"]["id"] in (2, 3) else 200
    )
    options = ("hook", "--dead-letters", "dead.jsonl", "--format", "json")
    first = cli("run", project, *options, "--input", "-", stdin=lines(MESSAGES) + "{broken\n")
    assert first.code == 1
    summary = first.rows()[-1]
    assert (summary["read"], summary["delivered"], summary["rejected"]) == (5, 2, 3)
    dead = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert sorted(item["message"]["record"]["id"] for item in dead if item["message"]) == [2, 3]
    assert all(item["reason"]["message"] and item["sink"] == "hook" for item in dead)
    http_receiver.reset()
    (tmp_path / "again.jsonl").write_text(lines([item for item in dead if item["message"]]))
    again = cli("run", project, "hook", "--input", "again.jsonl", "--format", "json")
    assert (again.code, again.rows()[-1]["delivered"]) == (0, 2)
    assert sorted(r.json()["record"]["id"] for r in http_receiver.requests) == [2, 3]


def test_a_checkpoint_continues_the_run(cli: Cli, tmp_path: Path,
                                        http_receiver: HttpReceiver) -> None:  # fmt: skip
    project = webhook(tmp_path / "hooks", http_receiver.url + "/in")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(lines(MESSAGES[:2]))
    command = ("run", project, "hook", "--input", "rows.jsonl", "--checkpoint", "at.json",
               "--format", "json")  # fmt: skip
    assert cli(*command).rows()[-1]["delivered"] == 2
    rows.write_text(lines(MESSAGES))
    assert cli(*command).rows()[-1]["delivered"] == 2
    assert sorted(r.json()["record"]["id"] for r in http_receiver.requests) == [1, 2, 3, 4]
    (tmp_path / "at.json").write_text("nonsense")
    assert "at.json" in cli(*command).reason()


def test_run_refuses_what_is_not_ready(cli: Cli, demo: Path, tmp_path: Path) -> None:
    assert "nope.jsonl" in cli("run", demo, "events-to-http", "--input", "nope.jsonl").reason()
    assert "--input" in cli("run", demo, "events-to-http").reason()
    project = webhook(tmp_path / "hooks", "${HOOK_URL}")
    reason = cli("run", project, "hook", "--input", "-", stdin=lines(MESSAGES)).reason()
    assert "HOOK_URL" in reason
    missing = tmp_path / "none/dead.jsonl"
    reason = cli("run", demo, "events-to-http", "--input", "-", "--dead-letters", missing).reason()
    assert str(missing) in reason


# --- import and export ---------------------------------------------------------------------------


def test_import_keeps_secrets_out_of_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "server.yaml").write_text(
        "# kept comment\nsinks:\n  - name: orders\n    database: shop\n    destination:\n"
        "      type: kafka\n      hosts: localhost:9092\n      topic: orders\n"
        "      sasl_mechanism: plain\n      username: u\n      password: hunter2-secret\n"
    )
    found = cli("import", "server.yaml", "--output", "shop")
    assert (found.code, found.out) == (0, ""), found.err
    text = (tmp_path / "shop/sequin.yaml").read_text()
    assert "# kept comment" in text
    assert "hunter2" not in text
    assert "${ORDERS_PASSWORD}" in text
    assert "hunter2-secret" in (tmp_path / "shop/.env").read_text()
    sequin = cli("export", "shop", "--target", "sequin")
    assert sequin.code == 0
    assert "hunter2" not in sequin.out
    data = YAML(typ="safe").load(sequin.out)["sinks"][0]
    assert data["destination"]["compression"] == "none", "a server must not see it missing"
    assert data["routing"] == data["filter"] == data["transform"] == data["enrichment"] == "none"
    masked = (tmp_path / "server.yaml").read_text().replace("hunter2-secret", "hun*****t")
    (tmp_path / "server.yaml").write_text(masked)
    assert "server.yaml: line" in cli("import", "server.yaml", "--output", "other").reason()
    assert not (tmp_path / "other").exists()


def test_export_for_the_runner_is_self_contained(cli: Cli, demo: Path, tmp_path: Path) -> None:
    found = cli("export", demo, "--target", "routestudio", "--output", "out")
    assert (found.code, found.out) == (0, ""), found.err
    shutil.rmtree(demo)
    assert cli("test", "out").code == 0
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*")}
    assert {"sequin.yaml", "functions/orders_by_region.py", "samples/shop.jsonl",
            "tests/orders.yaml", ".env.example", "README.md"} <= names  # fmt: skip
    assert "SHOP_DB_PASSWORD=\n" in (tmp_path / "out/.env.example").read_text()


def test_export_converts_python_for_a_server_or_names_the_place(cli: Cli, demo: Path) -> None:
    done = cli("export", demo, "--target", "sequin")
    assert done.code == 0
    assert "orders-by-region: converted from Python to Elixir" in done.err
    assert "language: python" not in done.out
    function = next((demo / "functions").glob("orders*"))
    function.write_text(
        "def route(action, record, changes, metadata):\n    while True:\n        return {}\n"
    )
    reason = cli("export", demo, "--target", "sequin").reason()
    assert "orders-by-region" in reason
    assert "Elixir" in reason
    assert "folder" in cli("export", demo, "--target", "routestudio").reason()
    assert "--target" in cli("export", demo).reason()
