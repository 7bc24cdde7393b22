"""Whose variables go where: shown before the first check or run, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keyring
import pytest

from routestudio.cli import main
from routestudio.engine.databases import located
from routestudio.engine.service import EngineService
from routestudio.errors import UsageError
from routestudio.project.environment import Environment
from tests.support.ports import free_port

YAML = """\
http_endpoints:
  - name: api
    url: http://127.0.0.1:{port}/?k=${{MY_CLOUD_SECRET_KEY}}
    headers: {{x-one: "${{FROM_FILE}}", x-two: "${{UNSET:-plain}}"}}
sinks:
  - name: hook
    database: shop
    destination: {{type: webhook, http_endpoint: api}}
"""
VALUE = "CANARY09outside"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "sequin.yaml").write_text(YAML.format(port=free_port()))
    (folder / ".env").write_text("FROM_FILE=x-file\n")
    monkeypatch.setenv("MY_CLOUD_SECRET_KEY", VALUE)
    return folder


async def test_variables_of_the_user_are_shown_with_their_host_once(shop: Path) -> None:
    async with EngineService() as engine:
        await engine.open(str(shop))
        found = await engine.methods["outside_variables"](sinks=["hook"])
        assert [item["variable"] for item in found] == ["MY_CLOUD_SECRET_KEY"]
        assert found[0]["host"].startswith("http://127.0.0.1:")
        assert VALUE not in str(found)
        await engine.methods["agree_outside"](items=found)
        assert await engine.methods["outside_variables"](sinks=["hook"]) == []
    # Another host is another question.
    text = (shop / "sequin.yaml").read_text().replace("127.0.0.1", "localhost")
    (shop / "sequin.yaml").write_text(text)
    async with EngineService() as engine:
        await engine.open(str(shop))
        assert len(await engine.methods["outside_variables"](sinks=["hook"])) == 1


DATABASE = """\
databases:
  - name: shop
    hostname: 127.0.0.1
    port: {port}
    database: shop
    username: clerk
    password: ${{MY_CLOUD_SECRET_KEY}}
sinks: []
"""


@pytest.fixture
def database(shop: Path) -> Path:
    (shop / "sequin.yaml").write_text(DATABASE.format(port=free_port()))
    return shop


async def test_no_variable_goes_to_a_database_before_it_was_shown(database: Path) -> None:
    async with EngineService() as engine:
        await engine.open(str(database))
        address = "database://shop?table=public.orders"
        for ask, given in (
            ("database_tables", {"database": "shop"}),
            ("database_table", {"database": "shop", "schema": "public", "name": "orders"}),
        ):
            with pytest.raises(UsageError, match="`MY_CLOUD_SECRET_KEY` from your environment"):
                await engine.methods[ask](**given)
        with pytest.raises(UsageError, match="would send it to 127"):
            located(engine.workspace, address, lambda text: None)
        (step,) = await engine.checks.database("shop")
        assert (step.step, step.status) == ("configuration", "failed")
        assert "would send it to 127.0.0.1:" in step.detail
        found = await engine.methods["outside_variables"](databases=["shop"])
        assert [item["variable"] for item in found] == ["MY_CLOUD_SECRET_KEY"]
        await engine.methods["agree_outside"](items=found)
        assert await engine.methods["outside_variables"](databases=["shop"]) == []
        first, *_ = await engine.checks.database("shop")
        assert first.step != "configuration"  # nobody listens at the port, but it was asked


def test_the_command_line_notes_what_goes_to_a_database(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", str(database), "--database", "shop"]
    noted = []
    for _ in range(2):
        assert main.run(command) == 1
        shown = capsys.readouterr()
        assert VALUE not in shown.out + shown.err
        noted.append("from your environment" in shown.err and "(database `shop`)" in shown.err)
    assert noted == [True, False]


def test_the_command_line_says_it_once_and_never_the_value(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "m.jsonl").write_text("")
    commands = (["check", str(shop)], ["run", str(shop), "hook", "--input", str(shop / "m.jsonl")])
    noted = []
    for command in commands:
        main.run(command)
        shown = capsys.readouterr()
        assert VALUE not in shown.out + shown.err
        noted.append("`MY_CLOUD_SECRET_KEY` comes from your environment" in shown.err)
        assert "FROM_FILE" not in shown.err
    assert noted == [True, False]


def test_a_project_of_the_same_name_gets_no_entries_of_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(keyring, "set_password", lambda s, n, v: kept.update({(s, n): v}))
    monkeypatch.setattr(keyring, "get_password", lambda s, n: kept.get((s, n)))
    mine, download = tmp_path / "mine" / "shop", tmp_path / "downloads" / "shop"
    for folder in (mine, download):
        folder.mkdir(parents=True)
    Environment(mine, environ={}).store.put("TOKEN", "mine-only", where="keyring")
    assert Environment(mine, environ={}).get("TOKEN") == "mine-only"
    assert Environment(download, environ={}).get("TOKEN") is None
    kept["routestudio", "shop/OLD"] = "of-an-earlier-version"
    assert Environment(download, environ={}).get("OLD") is None


def modes(folder: Path) -> dict[str, Any]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}


@pytest.mark.slow
async def test_runs_and_dead_letters_are_for_their_owner(shop: Path, tmp_path: Path) -> None:
    (shop / "m.jsonl").write_text('{"action": "insert", "record": {"id": 1}, "changes": null, '
                                  '"metadata": {"table_name": "t"}}\nnot json\n')  # fmt: skip
    letters = tmp_path / "letters.jsonl"
    main_code = main_run(["run", str(shop), "hook", "--input", str(shop / "m.jsonl"),
                          "--dead-letters", str(letters)])  # fmt: skip
    assert main_code == 1
    assert letters.stat().st_mode & 0o777 == 0o600
    from routestudio.engine.run_store import RunStore

    store = RunStore(shop / ".routestudio")
    store.begin(sink="hook", kind="sample", value="m", standin=True, total=1)
    found = modes(shop / ".routestudio")
    assert (shop / ".routestudio").stat().st_mode & 0o777 == 0o700
    assert {mode for name, mode in found.items() if name == "run.json"} == {0o600}
    assert {mode for path, mode in found.items() if "." not in path} == {0o700}


def main_run(command: list[str]) -> int:
    """One command in a process of its own: it has its own loop."""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "routestudio", *command], check=False,
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert VALUE not in done.stdout + done.stderr
    return done.returncode
