"""What a text shows of a function is found from one reading, and passes from a worker unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.functions import python
from routestudio.functions.analysis import reading
from routestudio.functions.elixir import checking
from routestudio.model.analysis import Analysis
from routestudio.model.function import Function, FunctionKind, Language

VECTORS = Path(__file__).parents[2] / "data" / "vectors"
PYTHON = """def route(action, record, changes, metadata):
    table = {"insert": "new", "update": "changed"}
    if "id" not in record or not metadata.table_name:
        return None
    return {"topic": table[action], "key": str(record["id"]), "at": datetime.datetime.now()}
"""
ELIXIR = """def route(action, record, changes, metadata) do
  key = if action == "delete", do: nil, else: record["id"]
  %{topic: metadata.table_name, key: key, at: DateTime.utc_now()}
end
"""


def functions() -> list[Function]:
    found = []
    for path in sorted(VECTORS.glob("elixir*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            code = row["code"]
            if row.get("kind", "expr") == "expr":
                code = f"def route(action, record, changes, metadata) do\n{code}\nend"
            found.append(Function("f", FunctionKind.ROUTING, Language.ELIXIR, code))
    return found


def test_recorded_functions_pass_from_a_worker_unchanged() -> None:
    given = functions()
    assert len(given) > 1000
    for function in [*given, Function("f", FunctionKind.ROUTING, Language.PYTHON, PYTHON)]:
        known = reading.analyse(function)
        assert Analysis.of_json(function, json.loads(json.dumps(known.as_json()))) == known
        assert [spot.line for spot in known.varying] == [
            item.line for item in reading.check(function) if item.code == "not_determined"
        ]


@pytest.mark.parametrize(
    ("language", "code"), [(Language.PYTHON, PYTHON), (Language.ELIXIR, ELIXIR)]
)
def test_both_languages_give_the_same_kind_of_answer(language: Language, code: str) -> None:
    known = reading.analyse(Function("f", FunctionKind.ROUTING, language, code))
    assert known.reach.record == ("id",)
    assert known.reach.metadata == ("table_name",)
    assert "changes" in known.reach.unread
    assert {read.text for read in known.reads} == {"id"}
    assert {spot.text for spot in known.keys} >= {"topic", "key"}
    assert known.metadata == {"table_name"}
    assert known.branches
    assert known.entry is not None
    assert known.entry.text == "route"
    assert {way.kind for way in known.ways} == {"if", "else"}
    assert len(known.varying) == 1


@pytest.mark.parametrize(
    ("language", "code"), [(Language.PYTHON, PYTHON), (Language.ELIXIR, ELIXIR)]
)
def test_a_text_is_read_once(
    language: Language, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = []

    def counted(work: Any) -> Any:
        def read(*given: Any) -> Any:
            readings.append(given)
            return work(*given)

        return read

    monkeypatch.setattr(python, "inspected", counted(python.inspected))
    monkeypatch.setattr(checking, "checked", counted(checking.checked))
    function = Function("f", FunctionKind.ROUTING, language, f"{code}\n")
    assert [item.code for item in reading.check(function)] == ["not_determined"]
    assert reading.analyse(function).reads
    assert reading.analyse(function) is reading.analyse(function)
    assert len(readings) == 1
