"""No real service of an environment that is read-only is written to before somebody names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routestudio import app
from routestudio.api.sources import Source
from routestudio.cli import main
from routestudio.engine.service import EngineService
from routestudio.errors import UsageError
from tests.support.http_server import HttpReceiver
from tests.support.run_project import SINK, refuse, rows, write_run_project

ORDERS = Source(sample="orders")


def with_environments(folder: Path, url: str, count: int = 6) -> Path:
    """A run project whose service is `${HOOK_URL}`: nothing without, the receiver in others."""
    write_run_project(folder, url, rows(count), name="orders")
    file = folder / "sequin.yaml"
    file.write_text(file.read_text().replace(url, "${HOOK_URL}"))
    for name in ("dev", "production"):
        (folder / f".env.{name}").write_text(f"HOOK_URL={url}\n")
    return folder


async def test_a_read_only_environment_has_to_be_named(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await service.open(str(folder), "production")
    for confirmed in (None, "", "dev", "Production"):
        with pytest.raises(UsageError, match=r"read-only|was confirmed"):
            await service.runs.deliver(SINK, ORDERS, confirmed=confirmed)
        with pytest.raises(UsageError, match=r"read-only|was confirmed"):
            await service.run(SINK, sample="orders", confirmed=confirmed)
    assert http_receiver.requests == []
    assert await service.runs.kept() == []
    done = await service.runs.deliver(SINK, ORDERS, confirmed="production")
    assert (done.status, done.environment) == ("done", "production")
    assert len(http_receiver.requests) == 6


async def test_what_was_confirmed_is_what_is_written_to(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    """The environment may have been switched between the question and its answer."""
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await service.open(str(folder), "dev")
    with pytest.raises(UsageError, match="no environment was confirmed, and environment `dev`"):
        await service.runs.deliver(SINK, ORDERS, confirmed="")
    await service.methods["use_environment"](name="production")
    with pytest.raises(UsageError, match="`dev` was confirmed, and environment `production`"):
        await service.runs.deliver(SINK, ORDERS, confirmed="dev")
    assert http_receiver.requests == []
    standin = await service.runs.deliver(SINK, ORDERS, standin=True)
    assert standin.status == "done"
    assert http_receiver.requests == []


async def test_a_run_and_its_dead_letters_stay_in_their_environment(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await service.open(str(folder), "dev")
    http_receiver.answer = refuse(*range(6))
    done = await service.runs.deliver(SINK, ORDERS, confirmed="dev")
    assert done.letters == 6
    sent = len(http_receiver.requests)
    for name in ("production", None):
        await service.methods["use_environment"](name=name)
        with pytest.raises(UsageError, match="this run was in environment `dev`"):
            await service.runs.retry(done.id, confirmed=name or "")
    assert len(http_receiver.requests) == sent
    http_receiver.answer = refuse()
    await service.methods["use_environment"](name="dev")
    again = await service.runs.retry(done.id, confirmed="dev")
    assert again.environment == "dev"
    assert again.counts.delivered == 6


async def test_switching_shows_what_is_unset_and_where_variables_are_used(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    (folder / ".env").write_text("UNUSED=1\nAPI_TOKEN=top-secret-1\n")
    snapshot = await service.open(str(folder))
    assert snapshot["environment"] is None
    assert [item["name"] for item in snapshot["environments"]] == ["dev", "production"]
    (found,) = [v for v in await service.methods["variables"]() if v["name"] == "HOOK_URL"]
    assert (found["unset"], found["origin"]) == (True, "")
    assert found["uses"][0]["kind"] == "http_endpoints"
    assert snapshot["sinks"][0]["field_problems"][0]["unset"]
    snapshot = await service.methods["use_environment"](name="dev")
    assert not snapshot["sinks"][0]["field_problems"]
    variables = {v["name"]: v for v in await service.methods["variables"]()}
    assert variables["HOOK_URL"]["origin"] == ".env.dev"
    assert variables["API_TOKEN"] == {
        "name": "API_TOKEN", "value": None, "secret": True, "origin": ".env", "unset": False,
        "default": None, "uses": [],
    }  # fmt: skip
    assert "top-secret-1" not in json.dumps(variables)
    await service.methods["set_variable"](name="UNUSED", value="2")
    assert (folder / ".env.dev").read_text().endswith("UNUSED=2\n")
    await service.methods["set_variable"](name="UNUSED", value="3", shared=True)
    assert "UNUSED=3" in (folder / ".env").read_text()
    snapshot = await service.methods["remove_variable"](name="HOOK_URL", place=".env.dev")
    assert snapshot["sinks"][0]["field_problems"][0]["unset"]
    snapshot = await service.methods["add_environment"](name="qa")
    assert snapshot["environment"]["name"] == "qa"
    assert ".env.qa" in (folder / ".gitignore").read_text().splitlines()


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.run(list(arguments))
    found = capsys.readouterr()
    return code, found.out, found.err


def test_the_command_line_names_the_environment(
    tmp_path: Path, http_receiver: HttpReceiver, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = str(with_environments(tmp_path / "p", http_receiver.url))
    sample = f"{folder}/samples/orders.jsonl"
    said = "environment: production (read-only: check and preview only)"
    for command in (["preview", folder, SINK], ["lint", folder], ["check", folder],
                    ["export", folder, "--target", "sequin"],
                    ["plan", folder, "--against", f"{folder}/sequin.yaml"],
                    ["diff", folder, folder, SINK, "--input", sample]):  # fmt: skip
        code, _, errors = call(capsys, *command, "--env", "production")
        assert said in errors, command
        monkeypatch.setenv("ROUTESTUDIO_ENV", "production")
        assert call(capsys, *command)[0] == code
        assert said in call(capsys, *command)[2]
        assert said not in call(capsys, *command, "--env", "dev")[2]
        monkeypatch.delenv("ROUTESTUDIO_ENV")
        code, _, errors = call(capsys, *command, "--env", "qa")
        assert code == 2
        assert "there is no environment `qa`" in errors
    _, out, _ = call(capsys, "check", folder, "--env", "dev", "--format", "json")
    assert {json.loads(line)["environment"] for line in out.splitlines()} == {"dev"}


def test_the_command_line_does_not_write_where_it_may_not(
    tmp_path: Path, http_receiver: HttpReceiver, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = str(with_environments(tmp_path / "p", http_receiver.url))
    run = ["run", folder, SINK, "--input", f"{folder}/samples/orders.jsonl", "--format", "json"]
    for more in (
        ["--env", "production"],
        ["--env", "production", "--confirm", "dev"],
        ["--env", "dev", "--confirm", "production"],
        ["--confirm", "production"],
    ):
        assert call(capsys, *run, *more)[0] == 2
    assert http_receiver.requests == []
    code, out, errors = call(capsys, *run, "--env", "production", "--dry-run")
    assert code == 0
    assert "environment: production" in errors
    assert http_receiver.requests == []
    monkeypatch.setenv("ROUTESTUDIO_CONFIRM", "production")
    code, out, _ = call(capsys, *run, "--env", "production")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["environment"] == "production"
    assert len(http_receiver.requests) == 6


def test_the_window_opens_in_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path | None, str | None]] = []

    def window(project: Path | None, *, demo: bool = False, environment: str | None = None) -> int:
        opened.append((project, environment))
        return 0

    monkeypatch.setattr(app, "window", window)
    assert app.main([str(tmp_path), "--env", "dev"]) == 0
    monkeypatch.setenv("ROUTESTUDIO_ENV", "staging")
    assert app.main([str(tmp_path)]) == 0
    assert app.main([str(tmp_path), "--env", "dev"]) == 0
    assert opened == [(tmp_path, "dev"), (tmp_path, "staging"), (tmp_path, "dev")]
