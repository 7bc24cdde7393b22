"""Hover help, snippets and the place of the cursor after formatting, without a window."""

from __future__ import annotations

import textwrap

import pytest

from routestudio.functions.analysis import reading
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.ui.editor.hover import help_at
from routestudio.ui.editor.reformat import same_place
from routestudio.ui.editor.snippets import snippets
from routestudio.ui.editor.vocabulary import vocabulary

WORDS = vocabulary(
    "kafka",
    [("region", "text", "unknown"), ("id", "number", "unknown")],
    examples={"columns": {"region": '"EU"'}, "metadata": {"table_name": '"orders"'}},
)
ELIXIR = vocabulary("kafka", [("region", "text", "unknown")], language="elixir")


@pytest.mark.parametrize(
    ("line", "at", "expected"),
    [
        ('x = record["region"]', "region", ["region  text  (column)", 'Example: "EU"']),
        ("x = record.get('id')", "id", ["id  number  (column)"]),
        ("x = metadata.table_name", "table_name", ["name of the table", 'Example: "orders"']),
        ('x = metadata["table_name"]', "table_name", ['Example: "orders"']),
        ('    return {"topic": x}', "topic", ["topic", "(routed field)", "Default:"]),
        ("y = url.quote(x)", "quote", ["url.quote(text, safe='/')", "escaped"]),
        ("y = len(x)", "len", ["len(value)", "Number of items"]),
        ("if action:", "action", ["insert, update, delete or read"]),
    ],
)
def test_help(line: str, at: str, expected: list[str]) -> None:
    text = help_at(WORDS, line, line.index(at) + 1)
    assert all(part in text for part in expected), text


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("x = nothing", "nothing"),
        ('x = "region"', "region"),
        ("# len of it", "len"),
        ("x = 1 + 2", "+"),
        ('x = record["other"]', "other"),
    ],
)
def test_no_help(line: str, at: str) -> None:
    assert help_at(WORDS, line, line.index(at)) == ""


def test_help_of_elixir() -> None:
    line = '  %{topic: String.upcase(record["region"])}'
    assert "routed field" in help_at(ELIXIR, line, line.index("topic"))
    assert help_at(ELIXIR, line, line.index("upcase")).startswith("String.upcase(")
    assert "column" in help_at(ELIXIR, line, line.index("region"))
    assert "len" not in {item.text for item in ELIXIR.library}


@pytest.mark.parametrize("item", snippets("python"), ids=lambda item: item.text)
def test_python_snippets_are_accepted(item: object) -> None:
    body = item.body.replace("$0", "")  # type: ignore[attr-defined]
    if "return" not in body and "if" not in body:
        body = f'return {{"topic": {body}}}'
    code = "def route(action, record, changes, metadata):\n" + textwrap.indent(body, "    ")
    function = Function("f", FunctionKind.ROUTING, Language.PYTHON, code + "\n")
    assert reading.check(function) == []


@pytest.mark.parametrize("item", snippets("elixir"), ids=lambda item: item.text)
def test_elixir_snippets_are_accepted(item: object) -> None:
    body = item.body.replace("$0", "")  # type: ignore[attr-defined]
    code = f"def route(action, record, changes, metadata) do\n{body}\nend\n"
    function = Function("f", FunctionKind.ROUTING, Language.ELIXIR, code)
    assert [d for d in reading.check(function) if d.severity == "error"] == []


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        ("def f( a,b ):\n  return {'x':|a}", 'def f(a, b):\n    return {"x": |a}\n', "|"),
        ("|x=1", "|x = 1\n", "|"),
        ("x=1|", "x = 1|\n", "|"),
        ("f(aaa, bbb, c|cc)", "f(\n    aaa,\n    bbb,\n    c|cc,\n)\n", "|"),
    ],
)
def test_the_cursor_stays_at_its_word(old: str, new: str, mark: str) -> None:
    place = same_place(old.replace(mark, ""), new.replace(mark, ""), old.index(mark))
    left = new.index(mark)
    between = new.replace(mark, "")[min(place, left) : max(place, left)]
    assert between.strip(" \"'") == ""
