"""Functions that read the clock or random values are told, with the place."""

from __future__ import annotations

import pytest

from routestudio.functions.analysis import determinism, reading
from routestudio.model.function import Function, FunctionKind, Language

PYTHON = """def route(action, record, changes, metadata):
    day = {expression}
    return {{"topic": f"orders.{{day}}"}}
"""
ELIXIR = """def route(action, record, changes, metadata) do
  value = {expression}
  %{{topic: "orders.#{{inspect(value)}}"}}
end
"""


def found(code: str, kind: Language) -> list[tuple[int, int, int | None, str, str]]:
    function = Function("f", FunctionKind.ROUTING, kind, code)
    return [
        (d.line, d.column, d.end_column, d.severity, d.message.split(":")[0])
        for d in reading.check(function)
        if d.code == determinism.CODE
    ]


@pytest.mark.parametrize(
    ("expression", "column", "end"),
    [
        ("datetime.datetime.now()", 11, 32),
        ("datetime.date.today()", 11, 30),
        ('("🛒", datetime.datetime.now())', 17, 38),
        ("map(datetime.datetime.now, [None])", 15, 36),
    ],
)
def test_python_that_reads_the_clock(expression: str, column: int, end: int) -> None:
    code = PYTHON.format(expression=expression)
    assert found(code, Language.PYTHON) == [(2, column, end, "warning", "reads the clock")]


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("DateTime.utc_now()", "reads the clock"),
        ("Date.utc_today", "reads the clock"),
        ("NaiveDateTime.local_now()", "reads the clock"),
        ("Enum.random([1, 2])", "reads random values"),
        ("Enum.map([[1]], &Enum.random/1) |> Enum.at(0)", "reads random values"),
        ('"#{Date.utc_today()}"', "reads the clock"),
        ("make_ref()", "reads random values"),
        ("Kernel.self()", "reads random values"),
    ],
)
def test_elixir_that_reads_clock_or_chance(expression: str, what: str) -> None:
    code = ELIXIR.format(expression=expression)
    (one,) = found(code, Language.ELIXIR)
    assert (one[0], one[3:]) == (2, ("warning", what))
    assert code.splitlines()[1][one[1] - 1 :].startswith(
        ("DateTime", "Date", "NaiveDateTime", "Enum.random", "make_ref", "Kernel")
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (PYTHON.format(expression='metadata.commit_timestamp or "now()"'), Language.PYTHON),
        (PYTHON.format(expression="datetime.datetime.fromisoformat(action)"), Language.PYTHON),
        (PYTHON.format(expression="datetime.datetime.now("), Language.PYTHON),
        (ELIXIR.format(expression='"DateTime.utc_now()"'), Language.ELIXIR),
        (ELIXIR.format(expression="record.now # DateTime.utc_now()"), Language.ELIXIR),
        (ELIXIR.format(expression="DateTime.utc_now("), Language.ELIXIR),
    ],
)
def test_others_are_not_told(code: str, kind: Language) -> None:
    assert found(code, kind) == []


def test_elixir_warns_once() -> None:
    code = ELIXIR.format(expression="DateTime.utc_now()").replace("inspect", "to_string")
    given = Function("f", FunctionKind.ROUTING, Language.ELIXIR, code)
    checked = reading.check(given)
    assert [(d.code, d.severity) for d in checked] == [(determinism.CODE, "warning")]
    assert [spot.text for spot in reading.analyse(given).varying] == ["DateTime.utc_now"]


def test_every_place_is_told_in_order() -> None:
    code = PYTHON.format(expression="(datetime.date.today(), datetime.datetime.now())")
    assert [item[1] for item in found(code, Language.PYTHON)] == [12, 35]
