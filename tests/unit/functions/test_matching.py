"""What is looked for in texts: literals, words, regular expressions, line by line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.errors import UsageError
from routestudio.functions.matching import LONGEST, Query, places
from routestudio.functions.pool import FunctionPool

TEXT = "topic = orders\nOrders and borders\n\nord.rs\n"


@pytest.mark.parametrize(("query", "found"), [
    (Query("orders"), [(0, 8, 14), (1, 0, 6)]),
    (Query("orders", case=True), [(0, 8, 14), (1, 12, 18)]),
    (Query("orders", word=True), [(0, 8, 14), (1, 0, 6)]),
    (Query("rders", word=True), []),
    (Query("ord.rs"), [(3, 0, 6)]),
    (Query("ord.rs", pattern=True), [(0, 8, 14), (1, 0, 6), (3, 0, 6)]),
    (Query("^ord", pattern=True), [(1, 0, 3), (3, 0, 3)]),
    (Query("s$", pattern=True), [(0, 13, 14), (1, 17, 18), (3, 5, 6)]),
    (Query("x*", pattern=True), []),
    (Query(r"s\s+O", pattern=True), []),
    (Query("or|and", pattern=True, word=True), [(1, 7, 10)]),
])  # fmt: skip
def test_places(query: Query, found: list[tuple[int, int, int]]) -> None:
    assert places(query, TEXT, 100) == found


def test_no_more_than_asked_for() -> None:
    assert places(Query("a"), "a\n" * 50, 3) == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]
    assert len(places(Query("a", pattern=True), "a\n" * 50, 3)) == 3


@given(st.text("ab\n", max_size=60), st.text("ab", min_size=1, max_size=2))
def test_a_literal_is_found_in_the_lines_that_have_it(text: str, wanted: str) -> None:
    expected = [(number, line.index(wanted)) for number, line in enumerate(text.split("\n"))
                if wanted in line]  # fmt: skip
    assert [found[:2] for found in places(Query(wanted), text, 1_000)] == expected
    pattern = Query(re.escape(wanted), pattern=True)
    assert [found[:2] for found in places(pattern, text, 1_000)] == expected


@pytest.mark.parametrize("text", ["(", "a{99999999999}", "(?P<a>x)(?P<a>y)", "x" * (LONGEST + 1)])
def test_what_is_not_an_expression_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        places(Query(text, pattern=True), "x", 1)


@pytest.mark.slow
async def test_a_hostile_expression_is_stopped(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await pool.places(Query("o.d", pattern=True), TEXT, 10) == [
        (0, 8, 11), (1, 0, 3), (3, 0, 3),
    ]  # fmt: skip
    pool.seconds_per_text = 0.05
    with pytest.raises(UsageError, match="takes longer than"):
        await pool.places(Query("(a+)+$", pattern=True), "a" * 60 + "b", 10)
    pool.seconds_per_text = 30.0
    assert await pool.places(Query("b", pattern=True), "ab", 10) == [(0, 1, 2)]
    with pytest.raises(UsageError, match="not valid"):
        await pool.places(Query("(", pattern=True), "ab", 10)
