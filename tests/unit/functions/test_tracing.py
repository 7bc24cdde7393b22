"""What a function did for a message: branches taken and where each result was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from routestudio.functions.analysis import reading
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from routestudio.functions.tracing import Trace
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import message_from

PYTHON = """\
def route(action, record, changes, metadata):
    region = record["région"] or "none"
    if metadata.table_name == "items":
        return {"topic": "orders.items", "message_key": str(record["id"])}
    out = {"topic": f"orders.{region}"}
    key = str(record["id"]) if action == "insert" else "none"
    out["message_key"] = key
    return out
"""

ELIXIR = """\
def route(action, record, changes, metadata) do
  topic = if metadata.table_name == "orders", do: "a", else: "b"
  case action do
    "insert" -> %{topic: topic, message_key: record["id"]}
    "delete" when topic == "a" ->
      %{topic: "deleted.#{topic}"}
    _ ->
      cond do
        record["id"] > 3 -> %{topic: "high"}
        true -> %{topic: "low"}
      end
  end
end
"""


@pytest.fixture
async def pool() -> AsyncIterator[FunctionPool]:
    pool = FunctionPool(limits=Limits(seconds_per_message=2.0))
    yield pool
    await pool.close()


async def traced(
    pool: FunctionPool, code: str, of: Language, *messages: tuple[str, str, int]
) -> list[tuple[FunctionResult, Trace, list[str]]]:
    """Results with their traces, and the points taken as `line kind`."""
    function = Function("f", FunctionKind.ROUTING, of, code)
    points = reading.analyse(function).ways
    given = [
        message_from(
            {"action": action, "record": {"id": key, "région": None},
             "metadata": {"table_name": table}}
        )
        for action, table, key in messages
    ]  # fmt: skip
    plain = (await pool.evaluate([function], given))[0]
    found = await pool.trace(function, given)
    assert [result for result, _ in found] == plain
    return [
        (result, trace, [f"{points[n].line} {points[n].kind}" for n in trace.taken])
        for result, trace in found
    ]


async def test_python_tells_branches_and_the_lines_of_results(pool: FunctionPool) -> None:
    first, second = await traced(
        pool, PYTHON, Language.PYTHON, ("insert", "orders", 1), ("delete", "items", 2)
    )
    assert first[0].value == {"topic": "orders.none", "message_key": "1"}
    assert first[2] == ["3 else", "6 if"]
    assert first[1].places == {"topic": (5, 21), "message_key": (6, 11)}
    assert second[2] == ["3 if"]
    assert second[1].places == {"topic": (4, 26), "message_key": (4, 57)}


async def test_elixir_tells_branches_and_the_lines_of_results(pool: FunctionPool) -> None:
    found = await traced(
        pool, ELIXIR, Language.ELIXIR,
        ("insert", "orders", 1), ("delete", "orders", 1), ("update", "x", 5), ("read", "x", 1),
    )  # fmt: skip
    assert [taken for _, _, taken in found] == [
        ["2 if", "4 case"], ["2 if", "5 case"], ["2 else", "7 case", "9 cond"],
        ["2 else", "7 case", "10 cond"],
    ]  # fmt: skip
    lines = [{key: line for key, (line, _) in trace.places.items()} for _, trace, _ in found]
    assert lines == [{"topic": 2, "message_key": 4}, {"topic": 6}, {"topic": 9}, {"topic": 10}]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("try:\n  x = 1 // 0\n except ZeroDivisionError:\n  x = 2", ["4 except"]),
        ("match action:\n  case 'insert':\n   x = 1\n  case _:\n   x = 2", ["3 case"]),
        ("x = 0\n while x < 2:\n  x += 1", ["3 if", "3 else"]),
        ("x = [i if i else 7 for i in range(2)]", ["2 else", "2 if"]),
    ],
)
async def test_forms_of_python(pool: FunctionPool, body: str, taken: list[str]) -> None:
    code = f"def route(action, record, changes, metadata):\n {body}\n return {{'topic': x}}\n"
    found = await traced(pool, code, Language.PYTHON, ("insert", "orders", 1))
    assert found[0][0].fault is None
    assert found[0][2] == taken
    assert "topic" in found[0][1].places


async def test_faults_keep_their_place_and_what_was_done_before(pool: FunctionPool) -> None:
    code = PYTHON.replace('"orders.items"', 'record["none"]')
    result, trace, taken = (await traced(pool, code, Language.PYTHON, ("insert", "items", 1)))[0]
    assert result.fault is not None
    assert (result.fault.line, result.fault.type) == (4, "KeyError")
    assert taken == ["3 if"]
    assert trace.places == {}


@pytest.mark.slow
async def test_an_endless_call_has_an_empty_trace(pool: FunctionPool) -> None:
    code = "def route(action, record, changes, metadata):\n    while True:\n        pass\n"
    function = Function("f", FunctionKind.ROUTING, Language.PYTHON, code)
    given: list[Any] = [message_from({"action": "insert", "record": {}})]
    (result, trace), *_ = await pool.trace(function, given)
    assert result.fault is not None
    assert result.fault.code == "timeout"
    assert trace == Trace()


def test_a_function_with_errors_has_no_points() -> None:
    for of, code in ((Language.PYTHON, "def route(:"), (Language.ELIXIR, "def route(")):
        assert reading.analyse(Function("f", FunctionKind.ROUTING, of, code)).ways == ()
