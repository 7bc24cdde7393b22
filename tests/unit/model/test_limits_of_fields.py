"""Patterns that routed fields must match."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.model.confinement import Limit, limits, of, problems

FIELDS = ("topic", "key")


def given(patterns: Any) -> dict[str, Any]:
    return {"routestudio": {"confine": patterns}}


def test_a_pattern_is_matched_by_whole_values() -> None:
    limit = Limit(r"orders\.(eu|us)")
    values: list[Any] = ["orders.eu", "orders.eux", None, {}, []]
    assert [limit.allows(value) for value in values] == [True, False, True, True, True]
    assert Limit("[0-9]+").allows(12)
    assert not Limit("(a|aa)+$b").allows("a" * 5_000), "it takes too long"
    problem = limit.problem("topic", "x" * 100)
    assert problem.field == "topic"
    assert "`" + "x" * 60 + "`" in problem.message
    assert limit.pattern in str(problem.hint)


def test_a_pattern_that_is_none_lets_nothing_pass() -> None:
    found = limits({"topic": "orders", "key": "("})
    assert found["topic"].allows("orders")
    assert not found["key"].allows("anything")


@pytest.mark.parametrize(
    ("patterns", "field", "text"),
    [
        ([], "confine", "must be a map"),
        ({"topc": "x"}, "confine.topc", "is not a routed field"),
        ({"topic": 5}, "confine.topic", "at most 1,000 characters"),
        ({"topic": "x" * 1_001}, "confine.topic", "at most 1,000 characters"),
        ({"topic": "("}, "confine.topic", "is not a valid pattern"),
    ],
)
def test_what_is_wrong_is_said(patterns: Any, field: str, text: str) -> None:
    [problem] = problems(given(patterns), FIELDS)
    assert problem.field == field
    assert text in problem.message


def test_what_is_right_is_used() -> None:
    assert problems(given({"topic": "x", "key": ".*"}), FIELDS) == []
    assert problems({}, FIELDS) == problems({"routestudio": {}}, FIELDS) == []
    assert of(given({"topic": "x", "key": 5})) == {"topic": "x"}
    assert of({"routestudio": {"confine": 5}}) == of({}) == {}
