"""What functions give is bounded as it is written out, and long integers are no internal fault."""

from __future__ import annotations

from decimal import Decimal

import pytest

from routestudio.functions import python
from routestudio.functions.analysis import reading
from routestudio.functions.child import Limits
from routestudio.functions.conversion.convert import convert
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from tests.unit.functions.helpers import codes, function, message, numbered, outcome, value, whole

LONG = "0x" + "f" * 5_000
ELIXIR = "def transform(action, record, changes, metadata) do\n  {}\nend"


def elixir(body: str) -> Function:
    return Function("e", FunctionKind.TRANSFORM, Language.ELIXIR, ELIXIR.format(body))


@pytest.mark.parametrize(
    "result",
    ['[Decimal("1E+200000")] * 6', '{"x": {"y": [Decimal("1E-190000")] * 7}}',
     '[Decimal("-9.9E+150000"), Decimal("0E-150000")] * 4'],
)  # fmt: skip
async def test_decimals_count_as_they_are_written_out(pool: FunctionPool, result: str) -> None:
    fault = (await outcome(pool, f"return {result}")).fault
    assert fault is not None
    assert fault.code == "output"
    assert "characters; at most 1,048,576 are allowed" in fault.message


async def test_few_long_decimals_are_results(pool: FunctionPool) -> None:
    assert await value(pool, 'return [Decimal("1E+200000")] * 2') == [Decimal("1E+200000")] * 2


async def test_decimals_count_in_traced_calls() -> None:
    pool = FunctionPool(limits=Limits())
    try:
        (found,) = await pool.trace(function('return [Decimal("1E+200000")] * 6'), [message()])
        assert found[0].fault is not None
        assert found[0].fault.code == "output"
    finally:
        await pool.close()


async def test_long_integers_end_no_worker(pool: FunctionPool) -> None:
    """Elixir's limit of digits is not left behind for the next function of the worker."""
    text = elixir("Integer.to_string(Integer.pow(10, 5000))")
    ((first,), (second,)) = await pool.evaluate([text, function("return 10 ** 5000")], [message()])
    assert len(first.value) == 5_001
    assert second.fault is not None
    assert (second.fault.code, second.fault.message) == (
        "output", "the result holds an integer of more than 4,300 digits",
    )  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        function(f'return {{"x": {LONG}}}'),
        function(f"return record[{LONG}]"),
        function(f'return f"{{{LONG}}}"'),
        elixir(f'%{{"x" => {LONG}}}'),
    ],
    ids=["value", "key", "in a text", "Elixir"],
)
def test_long_integers_are_not_converted(given: Function) -> None:
    found = convert(given)
    assert [item.code for item in found.problems] == ["not_converted"]
    assert found.problems[0].line == 2
    assert "digits" in found.problems[0].message


HEAD = "def route(action, record, changes, metadata):\n"
CHAINS = {
    "elif": HEAD + " if not record:\n  x = 0\n" + " elif 0:\n  0\n" * 600 + " return 1\n",
    "if else": HEAD + " return " + "1 if not record else " * 450 + "0\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("code", CHAINS.values(), ids=CHAINS)
async def test_deep_choices_are_traced(code: str) -> None:
    """What the checker accepts, coverage and explain understand: their ways are numbered alike."""
    given = whole(code)
    assert python.check(given.code, FunctionKind.ROUTING) == []
    points = reading.analyse(given).ways
    assert len(points) > 500
    pool = FunctionPool()
    try:
        ((result, trace),) = await pool.trace(given, [message()])
    finally:
        await pool.close()
    assert result.fault is None
    assert trace.taken
    assert max(trace.taken) < len(points)


@pytest.mark.parametrize("size", ["-3", "0 - 3"])
async def test_a_negative_size_matches_nothing(pool: FunctionPool, size: str) -> None:
    given = elixir(f'<<x::binary-size({size}), _::binary>> = "abc"\n  x')
    ((found,),) = await pool.evaluate([given], [message()])
    if size == "-3":
        assert found.fault is not None
        assert found.fault.type == "MatchError"
    else:
        assert found.value != ""


async def test_rows_after_a_refused_result_are_evaluated(pool: FunctionPool) -> None:
    body = 'return [Decimal("1E+200000")] * (6 if record["id"] == 1 else 1)'
    found = (await pool.evaluate([function(body)], numbered(3)))[0]
    assert codes(found) == ["ok", "output", "ok"]
