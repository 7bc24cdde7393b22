"""Quick fixes as plain edits of a text."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.functions.analysis import reading
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.ui.editor.fixes import (
    READ_FAULT,
    ROW_FAULT,
    Fix,
    fixes_for,
    line_of,
    read_branch,
    row_faults,
)

HEAD = "def route(action, record, changes, metadata):\n"


def fixed(code: str, kind: Language = Language.PYTHON) -> str:
    """The text after the first fix of its first diagnostic that has one."""
    function = Function("f", FunctionKind.ROUTING, kind, code)
    for item in reading.check(function):
        for fix in fixes_for(item, code, kind.value):
            return fix.applied(code)
    return code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + '    return {"topic": record.region}\n',
         HEAD + '    return {"topic": record["region"]}\n'),
        (HEAD + '    return {"🛒": record.region.lower()}\n',
         HEAD + '    return {"🛒": record["region"].lower()}\n'),
        (HEAD + '    return {"topic": metadata.table_nam}\n',
         HEAD + '    return {"topic": metadata.table_name}\n'),
        (HEAD + '    region = "eu"\n    return {"topic": regin}\n',
         HEAD + '    region = "eu"\n    return {"topic": region}\n'),
        ("import json\n" + HEAD + "    return {}\n", HEAD + "    return {}\n"),
        ("from re import (\n    sub,\n)\n" + HEAD + "    return {}\n", HEAD + "    return {}\n"),
        (HEAD + "    import re\n    return {}\n", HEAD + "    return {}\n"),
        (HEAD + "    try:\n        pass\n    except :\n        pass\n    return {}\n",
         HEAD + "    try:\n        pass\n    except Exception:\n        pass\n    return {}\n"),
        ("def rout(action, record, changes, metadata):\n    return {}\n", HEAD + "    return {}\n"),
        ("def route(record):\n    return {}\n", HEAD + "    return {}\n"),
    ],
)  # fmt: skip
def test_a_diagnostic_is_corrected(before: str, after: str) -> None:
    assert fixed(before) == after


@pytest.mark.parametrize(
    "code",
    [
        HEAD + '    return {"topic": print(1)}\n',
        HEAD + "    x = 1; import json\n    return {}\n",
        HEAD + '    return {"topic": somethingquiteelse}\n',
    ],
)
def test_what_cannot_be_corrected_surely_is_left(code: str) -> None:
    assert fixed(code) == code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('if action == "insert":', 'if action in ("insert", "read"):'),
        ('if action in ["update", "insert"]:', 'if action in ["update", "insert", "read"]:'),
        ('m = {"insert": "POST", "delete": "DELETE"}[action]\n    if m:',
         'm = {"insert": "POST", "delete": "DELETE", "read": "POST"}[action]\n    if m:'),
    ],
)  # fmt: skip
def test_reads_take_the_branch_of_inserts(before: str, after: str) -> None:
    code = HEAD + f"    {before}\n        return {{}}\n"
    fix = read_branch(code, "python")
    assert fix is not None
    assert fix.applied(code) == HEAD + f"    {after}\n        return {{}}\n"
    assert line_of(fix, code) == 2
    assert read_branch(fix.applied(code), "python") is None


def test_reads_in_a_match_and_in_elixir() -> None:
    code = HEAD + '    match action:\n        case "insert":\n            return {}\n'
    fix = read_branch(code, "python")
    assert fix is not None
    assert 'case "insert" | "read":' in fix.applied(code)
    code = (
        "def route(action, record, changes, metadata) do\n  case action do\n"
        '    "insert" -> %{method: "POST"}\n    "delete" -> %{method: "DELETE"}\n  end\nend\n'
    )
    fix = read_branch(code, "elixir")
    assert fix is not None
    new = fix.applied(code)
    assert 'action when action in ["insert", "read"] -> %{method: "POST"}' in new
    function = Function("f", FunctionKind.ROUTING, Language.ELIXIR, new)
    assert reading.check(function) == []
    assert read_branch(HEAD + '    return {"topic": action}\n', "python") is None
    assert read_branch("def route(:\n", "python") is None


def row(action: str, **problem: Any) -> dict[str, Any]:
    empty = {"line": None, "column": None, "field": None, "hint": None, "function": None}
    return {"action": action, "problems": [{**empty, "message": "unknown key", **problem}]}


def test_an_unknown_key_of_the_rows_is_marked_where_it_is_written_and_corrected() -> None:
    code = HEAD + '    # "topc" is wrong\n    return {"🛒": 1, "topc": "orders"}\n'
    rows = [row("insert", field="topc", hint="did you mean `topic`?")] * 2
    (item,) = row_faults(rows, "f", code)
    assert (item.line, item.column, item.end_column, item.code) == (3, 22, 26, ROW_FAULT)
    assert item.message == "topc: unknown key (2 rows of the preview)"
    at = code.rindex("topc")
    assert fixes_for(item, code, "python") == [
        Fix("Replace `topc` by `topic`", at, at + 4, "topic")
    ]
    elixir = 'def route(a, b, c, d) do\n  %{topc: "orders"}\nend\n'
    (item,) = row_faults(rows, "f", elixir)
    assert fixes_for(item, elixir, "elixir")[0].applied(elixir) == elixir.replace("topc", "topic")


def test_rows_of_a_backfill_that_fail_are_given_a_branch() -> None:
    code = HEAD + '    methods = {"insert": "POST"}\n    return {"method": methods[action]}\n'
    rows = [row("read", message="KeyError: 'read'", line=3, column=23, function="f"),
            row("read", message="elsewhere", line=3, function="other"),
            row("read", message="not accepted", line=3, code="invalid", function="f"),
            row("read", message="nowhere")]  # fmt: skip
    (item,) = row_faults(rows, "f", code)
    assert (item.line, item.code) == (3, READ_FAULT)
    assert '"read": "POST"' in fixes_for(item, code, "python")[0].applied(code)


def test_a_text_longer_than_any_function_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ast.parse", None)
    code = "def route(action, record, changes, metadata):\n    return {}\n" + "#" * 10_000
    assert read_branch(code, "python") is None
