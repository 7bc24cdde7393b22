"""The judge finds what it is there for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support import oracle
from tests.support.oracle import Wanted, judge, judge_states

SIX = [Wanted(number, "ab"[number % 2]) for number in range(6)]


def test_it_shares_no_code_with_the_program() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text())
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert not [name for name in names if name.startswith(("routestudio", "tests"))]


def test_everything_once_in_any_order_of_groups_is_good() -> None:
    verdict = judge(SIX, {"s": [1, 0, 3, 5, 2, 4]})
    assert verdict.good
    assert (verdict.wanted, verdict.arrived, verdict.doubled) == (6, 6, 0)
    assert judge(SIX, {"x": [0, 4], "y": [1, 2, 3, 5]}).good, "sequences have no common order"
    assert judge([Wanted(n, None) for n in range(3)], {"s": [2, 0, 1]}).good, "without a group"


@pytest.mark.parametrize(
    ("arrived", "fault", "what"),
    [
        ([0, 1, 2, 3, 5], "missing", [4]),
        ([0, 1, 2, 3, 4, 5, 9], "foreign", [9]),
        ([0, 4, 2, 1, 3, 5], "disorder", ["s: a: 4 arrived before 2"]),
        ([0, 4, 2, 1, 3, 5], "stale", ["s: a: 2 after 4"]),
        ([0, 1, 2, 3, 4, 0, 4, 5], "disorder", ["s: a: 4 was replayed without 2"]),
        ([0, 1, 2, 3, 4, 5, 2], "stale", ["s: a: 2 after 4"]),
        ([0, 0, 1, 2, 3, 4, 5, 5], "unexplained", [0, 5]),
    ],
)
def test_what_is_wrong_is_found(arrived: list[int], fault: str, what: list[object]) -> None:
    verdict = judge(SIX, {"s": arrived})
    assert not verdict.good
    assert getattr(verdict, fault) == what
    assert fault in str(verdict)


def test_a_replay_is_fine_when_it_is_explained() -> None:
    arrived = [0, 1, 2, 3, 0, 2, 4, 1, 3, 5, 5]
    verdict = judge(SIX, {"s": arrived}, explained=range(6))
    assert verdict.good
    assert verdict.doubled == 5


def test_dead_letters_are_not_missing_and_may_be_left_out_of_a_replay() -> None:
    assert judge(SIX, {"s": [0, 1, 4, 3, 5]}, letters=[2]).good
    assert judge(SIX, {"s": [0, 1, 2, 4, 0, 4, 3, 5]}, letters=[2, 2], explained={0, 4}).good
    assert judge(SIX, {"s": [0, 1, 2, 4, 3, 5]}, letters=[8]).foreign == [8]


def test_a_message_that_arrived_may_be_rejected_when_it_comes_again() -> None:
    arrived = [0, 1, 2, 3, 4, 5, 0, 2]
    assert judge(SIX, {"s": arrived}, letters=[4], explained={0, 2}).good
    assert judge(SIX, {"s": arrived[:-1]}, letters=[4], explained={0}).stale == ["s: a: 0 after 2"]


def test_last_states() -> None:
    assert judge_states(SIX, {"a": 4, "b": 5}).good
    assert judge_states(SIX, {"a": 4, "b": 3}, letters=[5]).good
    assert judge_states(SIX, {"a": 2, "b": 5}).stale == ["a: 2 instead of 4"]
    assert judge_states(SIX, {"b": 5}).missing == [4]
    assert judge_states(SIX, {"a": 4, "b": 5, "c": 1}).foreign == [1]


def test_numbers_are_found_in_json_within_json(tmp_path: Path) -> None:
    assert oracle.numbers_in('{"number": 3, "x": "{\\"number\\":14}"}') == [3, 14]
    path = tmp_path / "dead.jsonl"
    assert oracle.letters_of(path) == []
    path.write_text('{"message": {"record": {"number": 7}}}\n{"mess')
    with pytest.raises(ValueError, match="not whole"):
        oracle.letters_of(path)
