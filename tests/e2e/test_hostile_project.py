"""Somebody's project folder, full of traps: it opens, previews, checks, exports; nothing leaks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from routestudio.engine.service import EngineService
from tests.e2e.conftest import Cli
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.e2e

ROWS = 12
SECRET = "s3cr3t-of-the-environment"
HEAD = "def route(action, record, changes, metadata):\n"

REFUSED = {
    "globals": "return {'topic': route.__globals__}",
    "format": "return {'topic': '{0.__class__}'.format(record)}",
    "frames": "return {'topic': str((x for x in [1]).gi_frame.f_back)}",
    "file": "return {'topic': open('.env').read()}",
    "environment": "import os\n    return {'topic': os.environ['HOSTILE_TOKEN']}",
    "network": "import socket\n    return {'topic': socket.socket()}",
    "evaluate": "return {'topic': eval('1')}",
}
STOPPED = {
    "loop": "while record['id'] == 5:\n        pass\n    return {'topic': 't'}",
    "memory": "a = 'x' * 10 ** 9 * 9 if record['id'] == 5 else 't'\n    return {'topic': a}",
    "lists": "a = [0]\n    while record['id'] == 5:\n        a = a + a\n    return {'topic': 't'}",
    "power": "a = 9 ** 9 ** 9 if record['id'] == 5 else 't'\n    return {'topic': a}",
    "output": "return {'topic': 't' if record['id'] != 5 else 'x' * 5_000_000}",
    "keys": "return {'topic': 't', **{f'k{n}': n for n in range(99999 * (record['id'] == 5))}}",
    "recursion": "def f(n):\n        return f(n + 1)\n"
                 "    return {'topic': f(0) if record['id'] == 5 else 't'}",
    "regex": "re.match('(a+)+$', 'a' * 40 + 'b') if record['id'] == 5 else 1\n"
             "    return {'topic': 't'}",
}  # fmt: skip
"""Each misbehaves for the row with id 5 only."""


@pytest.fixture
def hostile(tmp_path: Path, closed_port: int) -> Path:
    """The folder. Function files outside of it, by path and by link, hold a marker."""
    root = tmp_path / "shop"
    for folder in ("functions", "samples", "tests"):
        (root / folder).mkdir(parents=True)
    outside = tmp_path / "outside.py"
    outside.write_text(HEAD + f"    return {{'topic': '{SECRET}'}}\n")
    (root / "functions/link.py").symlink_to(outside)
    (root / "samples/passwd.jsonl").symlink_to("/etc/passwd")
    (root / ".env").write_text(f"HOSTILE_TOKEN={SECRET}\n")
    functions: list[dict[str, Any]] = []
    for name, body in {**REFUSED, **STOPPED}.items():
        (root / f"functions/{name}.py").write_text(f"{HEAD}    {body}\n")
        functions.append({"name": name, "file": f"functions/{name}.py"})
    functions += [
        {"name": "up", "file": "../outside.py"},
        {"name": "link", "file": "functions/link.py"},
        {"name": "absolute", "file": str(outside)},
    ]
    common = {"type": "routing", "sink_type": "kafka", "language": "python"}
    data = {
        "functions": [{**item, **common} for item in functions],
        "sinks": [
            {"name": item["name"], "database": "d", "routing": item["name"],
             "destination": {"type": "kafka", "hosts": f"localhost:{closed_port}",
                             "sasl_mechanism": "plain", "username": "u",
                             "password": "${HOSTILE_TOKEN}"}}
            for item in functions
        ],
    }  # fmt: skip
    (root / "sequin.yaml").write_text(json.dumps(data))
    with (root / "samples/rows.jsonl").open("w") as out:
        for number in range(ROWS):
            out.write(json.dumps({"action": "insert", "record": {"id": number}}) + "\n")
    return root


async def preview(engine: EngineService, sink: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    await engine.preview_all(sink, rows.append, sample="rows")
    assert len(rows) == ROWS
    return rows


async def test_every_function_is_refused_or_stopped_and_other_rows_are_fine(hostile: Path) -> None:
    async with EngineService() as engine:
        await engine.open(str(hostile))
        for name in REFUSED:
            rows = await preview(engine, name)
            assert not any(row["ok"] for row in rows), name
            assert rows[0]["error"]["line"] in (2, 3), rows[0]["error"]
        for name in STOPPED:
            async with asyncio.timeout(PATIENCE):
                rows = await preview(engine, name)
            assert [row["index"] for row in rows if not row["ok"]] == [5], name
            assert rows[5]["error"]["message"]
            assert len(json.dumps(rows[5])) < 50_000, name
        for name in ("up", "link", "absolute"):
            rows = await preview(engine, name)
            assert SECRET not in json.dumps(rows)
            assert not any(row["ok"] for row in rows), name


def test_the_commands_come_back_and_give_nothing_away(
    cli: Cli, hostile: Path, tmp_path: Path
) -> None:
    lint = cli("lint", hostile, "--format", "json")
    assert lint.code == 1
    files = {item["file"] for item in lint.document()}
    assert {f"functions/{name}.py" for name in REFUSED} <= files
    check = cli("check", hostile, "globals", "--format", "json")
    assert check.code == 1
    assert {row["step"] for row in check.rows()} >= {"resolve", "connect"}
    passwd = cli("preview", hostile, "loop", "--sample", "passwd", "--format", "json")
    assert passwd.code in (1, 2)
    export = cli("export", hostile, "--target", "routestudio", "--output", "out")
    assert export.code == 2, "function files outside of the folder are refused"
    assert "outside" in export.reason()
    (hostile / "functions/link.py").unlink()
    sequin = cli("export", hostile, "--target", "sequin")
    assert sequin.code == 2
    for result in (lint, check, passwd, export, sequin):
        assert SECRET not in result.out + result.err
        assert "root:" not in result.out + result.err
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or SECRET not in path.read_text()


def test_a_clean_export_of_such_a_folder_takes_nothing_from_outside(
    cli: Cli, hostile: Path, tmp_path: Path
) -> None:
    file = hostile / "sequin.yaml"
    data = YAML(typ="safe").load(file.read_text())
    for key in ("functions", "sinks"):
        data[key] = [item for item in data[key] if item["name"] in {**REFUSED, **STOPPED}]
    file.write_text(json.dumps(data))
    command = ("export", hostile, "--target", "routestudio", "--output", "out")
    assert "samples/passwd.jsonl" in cli(*command).reason()
    assert not (tmp_path / "out").exists()
    (hostile / "samples/passwd.jsonl").unlink()
    assert cli(*command).code == 0
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in written if path.is_symlink()]
    text = "".join(path.read_text() for path in written)
    assert SECRET not in text
    assert "root:" not in text
    assert not (tmp_path / "out/.env").exists()
    assert "HOSTILE_TOKEN=\n" in (tmp_path / "out/.env.example").read_text()
