"""Code in the other language is recognised: the hint names what to do."""

from __future__ import annotations

import pytest

from routestudio.functions import python
from routestudio.functions.elixir import checking
from routestudio.functions.elixir.source import PYTHON_HINT
from routestudio.model.function import FunctionKind

PYTHON = 'def route(action, record, changes, metadata):\n    return {"topic": f"{action}"}\n'
ELIXIR = 'def route(action, record, changes, metadata) do\n  %{topic: "a"}\nend\n'


def test_python_in_an_elixir_function() -> None:
    assert checking.check(PYTHON, FunctionKind.ROUTING)[0].hint == PYTHON_HINT


def test_elixir_in_a_python_function() -> None:
    assert python.check(ELIXIR, FunctionKind.ROUTING)[0].hint == python.ELIXIR_HINT


@pytest.mark.parametrize("code", ["def route(action) do\n  %{a: }\nend\n", 'x = "def a(b):"\n%{'])
def test_mistakes_in_elixir_are_not_taken_for_python(code: str) -> None:
    found = checking.check(code, FunctionKind.ROUTING)
    assert found
    assert all(item.hint != PYTHON_HINT for item in found)


def test_mistakes_in_python_are_not_taken_for_elixir() -> None:
    found = python.check(PYTHON.replace("{action}", "{action"), FunctionKind.ROUTING)
    assert found[0].hint is None
