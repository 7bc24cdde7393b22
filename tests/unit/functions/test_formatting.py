"""Functions are formatted, or it is said why not."""

from __future__ import annotations

import pytest

from routestudio.errors import UsageError
from routestudio.functions.formatting import formatted
from routestudio.model.function import Language


def test_python_is_formatted_once_and_for_all() -> None:
    code = "def route(action,record , changes,metadata):\n  return {'topic':record['region']}"
    new = formatted(code, Language.PYTHON)
    assert new == (
        "def route(action, record, changes, metadata):\n"
        '    return {"topic": record["region"]}\n'
    )  # fmt: skip
    assert formatted(new, Language.PYTHON) == new


@pytest.mark.parametrize(
    ("code", "language", "said"),
    [
        ("def route(:\n", Language.PYTHON, "line 1"),
        ("x = 1\n  y = 2\n", Language.PYTHON, "line 2"),
        ("x = '\0'", Language.PYTHON, "cannot be formatted"),
        ("(" * 5000, Language.PYTHON, "cannot be formatted"),
        ("def route(a, b, c, d), do: %{}", Language.ELIXIR, "no formatter for Elixir"),
    ],
)
def test_what_is_refused_and_why(code: str, language: Language, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        formatted(code, language)
