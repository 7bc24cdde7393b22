"""Calls for which a server has no clause fail here, too: their rows would be lost there."""

from __future__ import annotations

import pytest

from routestudio.functions.elixir import checking
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from tests.unit.functions.helpers import message

CODE = "def transform(action, record, changes, metadata) do\n  {}\nend"
INTEGERS = ["positive?", "negative?", "nan?", "inf?", "abs", "normalize", "scale"]


def transform(body: str) -> Function:
    return Function("f", FunctionKind.TRANSFORM, Language.ELIXIR, CODE.format(body))


async def test_decimal_functions_that_take_no_integer(pool: FunctionPool) -> None:
    given = [transform(f'Decimal.{name}(record["n"])') for name in INTEGERS]
    found = await pool.evaluate(given, [message({"n": 3})])
    faults = [result.fault for (result,) in found]
    assert [(fault.type, fault.message) for fault in faults if fault] == [
        ("FunctionClauseError", f"no function clause matching in Decimal.{name}/1")
        for name in INTEGERS
    ]
    decimals = [transform(f'Decimal.{name}(Decimal.new(record["n"]))') for name in INTEGERS]
    assert all(
        result.fault is None for (result,) in await pool.evaluate(decimals, [message({"n": 3})])
    )


async def test_only_text_is_asked_whether_it_is_valid(pool: FunctionPool) -> None:
    bodies = ["String.valid?(nil)", 'String.valid?("é", :fast_ascii)', 'String.valid?("é")']
    found = await pool.evaluate([transform(body) for body in bodies], [message()])
    (first,), (second,), (third,) = found
    assert first.fault is not None
    assert first.fault.type == "FunctionClauseError"
    assert second.value is True
    assert third.value is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2025-06-09 12:00:00+02:00", "non_utc_offset"), ("2025-06-09 12:00:00", "missing_offset"),
     ("2025-06-09 12:00:00+00:00", None), ("2025-06-09 12:00:00Z", None)],
)  # fmt: skip
def test_times_of_another_zone_are_no_literals(text: str, reason: str | None) -> None:
    found = checking.check(CODE.format(f"~U[{text}]"), FunctionKind.TRANSFORM)
    errors = [item.message for item in found if item.severity == "error"]
    assert [message.rpartition(":")[2] for message in errors] == ([reason] if reason else [])
