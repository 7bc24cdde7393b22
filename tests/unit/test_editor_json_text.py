"""JSON text that is laid out anew keeps every digit and character."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.ui.documents.sample import pasted
from routestudio.ui.documents.sample_rows import fault
from routestudio.ui.editor.json_text import indented, items_of, on_one_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(JSON, st.booleans())
def test_layout_changes_white_space_only(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    wide = indented(text)
    assert json.loads(wide) == value
    assert on_one_line(wide) == text
    assert indented(wide) == wide


@pytest.mark.slow
@given(st.lists(JSON))
def test_items_of_an_array(values: list[object]) -> None:
    found = items_of(json.dumps(values, indent=2))
    assert [json.loads(item) for item in found] == values
    assert all("\n" not in item for item in found)


def test_numbers_are_not_converted() -> None:
    text = '{"a": 1.10, "b": 12345678901234567890.123, "c": 1E5}'
    assert on_one_line(text) == '{"a":1.10,"b":12345678901234567890.123,"c":1E5}'
    assert indented('{"a":{},"b":[1,{}]}') == (
        '{\n  "a": {},\n  "b": [\n    1,\n    {}\n  ]\n}'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"a": 1}\n\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        ('{\n  "a": 1.10\n}', ['{"a":1.10}']),
        ('[{"a": 1.10},\n {"b": [2]}]', ['{"a":1.10}', '{"b":[2]}']),
        ("[]", []),
        ("  ", []),
        ("no json", ["no json"]),
    ],
)
def test_pasted_texts(text: str, lines: list[str]) -> None:
    assert pasted(text) == lines


def test_faults_say_where() -> None:
    assert fault('{"action":"insert","record":{"id":1},"changes":null,"metadata":{}}') is None
    found = fault('{\n  "action": "insert",\n  "record" 1}')
    assert found is not None
    assert (found.line, found.column) == (3, 12)
    found = fault('{"action":"grow","record":{}}')
    assert found is not None
    assert "action" in found.message
