"""The engine's process parses no text of a project's functions: that is done in a worker."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.functions.elixir import lexer
from routestudio.functions.elixir import parser as elixir_parser
from tests.support.projects import write_project

MARK = "zebra_" + "of_the_project"  # not as one word: pytest parses this file, too
PYTHON = f"""def route(action, record, changes, metadata):
    {MARK} = record["id"]
    if action == "delete":
        return {{"key": "gone"}}
    return {{"key": str({MARK})}}
"""
ELIXIR = f"""def filter(action, record, changes, metadata) do
  {MARK} = record["id"]
  {MARK} != nil
end
"""
YAML = """functions:
  - {name: by-id, type: routing, sink_type: redis_string, language: python,
     file: functions/by-id.py}
  - {name: some, type: filter, language: elixir, file: functions/some.ex}
sinks:
  - name: one
    filter: some
    routing: by-id
    destination: {type: redis_string, host: localhost, port: 6379}
"""
ROWS = [
    {"action": "insert", "record": {"id": 1, "name": "a"}},
    {"action": "insert", "record": {"id": 2, "other": 1}},
    {"action": "delete", "record": {"id": 2, "name": "b"}},
]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever parses a function of the project in this process fails."""
    compiled = builtins.compile

    def compile_others(source: Any, *args: Any, **kwargs: Any) -> Any:
        assert MARK not in str(source), "a Python function is parsed in the engine"
        return compiled(source, *args, **kwargs)

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("an Elixir function is parsed in the engine")

    monkeypatch.setattr(builtins, "compile", compile_others)
    # The code itself, so that whoever imported the function before has the same one.
    monkeypatch.setattr(elixir_parser.parse, "__code__", refused.__code__)
    monkeypatch.setattr(lexer.Lexer, "__init__", refused)


@pytest.mark.usefixtures("guarded")
async def test_what_the_window_asks_for_is_parsed_by_a_worker(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    write_project(folder, YAML, {"by-id": PYTHON}, ROWS)
    (folder / "functions" / "some.ex").write_text(ELIXIR)
    async with EngineService() as engine:
        await engine.open(str(folder))
        found = await engine.checks.lint()
        assert [item for item in found if item.severity == "error"] == []
        done = await engine.preview("one", sample="rows")
        assert done["evolution"]["columns"]
        assert [row["ok"] for row in await engine.rows(0, 9)] == [True] * len(ROWS)
        assert await engine.row(0) is not None
        ask = engine.methods
        assert await ask["explain"](0)
        assert await ask["coverage"]()
        await ask["determinism"]()
        await ask["forecast"]()
        await ask["outcome_diff"]("one", sample="rows", code={"by-id": PYTHON + "\n"})
        for name in ("by-id", "some"):
            found = await ask["convert"](name)
            assert found["code"], found
        assert MARK in await ask["format"](PYTHON, language="python")
        assert MARK in (await engine.export("sequin"))["text"]
        await ask["pin"]("one", index=0)
        await ask["test"]()
