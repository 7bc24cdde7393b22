"""Values and counts in words."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.model.function import Identifier
from routestudio.model.wording import counted, in_words, kind_of, short, text_hint


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"), (True, "true/false"), (1, "a number"), (1.5, "a number"), ("x", "text"),
        ({}, "a map"), ([], "a list"), ((1,), "a list"), (Identifier("ok"), "the atom :ok"),
        (b"x", "bytes"),
    ],
)  # fmt: skip
def test_kinds(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


def test_what_should_be_text() -> None:
    assert text_hint(Identifier("eu")) == 'write it as text: "eu"'
    assert text_hint(5) == "convert it to text with str(...)"
    assert text_hint(True) is None
    assert text_hint([]) is None


def test_short() -> None:
    assert short("x" * 40) == "x" * 40
    assert short("x" * 41) == "x" * 37 + "..."


@pytest.mark.parametrize(
    ("count", "word", "text"),
    [
        (1, "query", "1 query"), (2, "query", "2 queries"), (3, "key", "3 keys"),
        (0, "batch", "0 batches"), (2, "index", "2 indexes"), (2000, "message", "2,000 messages"),
    ],
)  # fmt: skip
def test_counts(count: int, word: str, text: str) -> None:
    assert counted(count, word) == text


def test_names_get_quotation_marks() -> None:
    assert in_words("no column `a`, and a lone `") == "no column “a”, and a lone `"
