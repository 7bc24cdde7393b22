"""The example project in Elixir: what its previews show is what the real Elixir gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from routestudio.app import main
from routestudio.functions.elixir.incoming import timed
from routestudio.functions.elixir.inspecting import inspect
from tests.support.elixir_process import Elixir

PROJECT: Final = Path(__file__).parents[2] / "resources" / "examples" / "elixir"
DATA: Final[dict[str, Any]] = YAML(typ="safe").load(PROJECT / "sequin.yaml")
MESSAGES: Final = [
    json.loads(line) for line in (PROJECT / "samples" / "saas.jsonl").read_text().splitlines()
]


@pytest.fixture(scope="module")
def elixir() -> Iterator[Elixir]:
    with Elixir("x = 1") as process:
        yield process


def literal(value: Any) -> str:
    """A value of a sample as Elixir's text, typed as a server has it."""
    if isinstance(value, str):
        return inspect(timed(value))
    if isinstance(value, dict):
        return f"%{{{', '.join(f'{inspect(k)} => {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return inspect(value)


def source(code: str, message: dict[str, Any]) -> str:
    """The body of a function with the four bindings before it."""
    body = code.strip().split("\n", 1)[1].rsplit("\n", 1)[0]
    metadata = ", ".join(f"{key}: {literal(v)}" for key, v in message["metadata"].items())
    return (
        f"action = {literal(message['action'])}\nrecord = {literal(message['record'])}\n"
        f"changes = {literal(message['changes'])}\nmetadata = %{{{metadata}}}\n{body}"
    )


def plain(value: Any) -> Any:
    """A tagged value as a preview writes it."""
    if isinstance(value, dict) and "$map" in value:
        return {plain(key): plain(item) for key, item in value["$map"]}
    return value["$atom"] if isinstance(value, dict) else value


def test_there_are_ten_functions_for_ten_sink_types() -> None:
    kinds = {function["sink_type"] for function in DATA["functions"]}
    assert len(DATA["functions"]) == len(kinds) == len(DATA["sinks"]) == 10


@pytest.mark.parametrize("sink", DATA["sinks"], ids=lambda sink: sink["routing"])
def test_previews_agree_with_elixir(
    elixir: Elixir, sink: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code = next(f["code"] for f in DATA["functions"] if f["name"] == sink["routing"])
    assert main(["preview", str(PROJECT), sink["name"], "--format", "json"]) in (0, 1)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == len(MESSAGES)
    for row, message in zip(rows, MESSAGES, strict=True):
        found = elixir.evaluate(source(code, message))
        wanted = plain(found["value"])
        assert {name: row["routing"][name] for name in wanted} == wanted
        assert all(row["provenance"][name] == "function" for name in wanted)
