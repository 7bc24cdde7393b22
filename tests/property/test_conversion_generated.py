"""Grown functions in both languages, converted: equal on typical rows, never another value.

`ROUTESTUDIO_CONVERT_EXAMPLES=5000` tries that many functions of each kind instead of 120.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from routestudio.functions import python
from routestudio.functions.conversion.common import Refused
from routestudio.functions.conversion.to_elixir import to_elixir
from routestudio.functions.conversion.to_python import to_python
from routestudio.functions.conversion.verify import as_on_server, comparable, variants
from routestudio.functions.elixir import program
from routestudio.functions.metadata import Metadata
from routestudio.model.function import FunctionKind
from routestudio.model.message import ACTIONS, Message, complete_metadata
from tests.support.conversion_grammar import elixir_functions, python_functions

EXAMPLES = int(os.environ.get("ROUTESTUDIO_CONVERT_EXAMPLES", "120"))
KIND = FunctionKind.TRANSFORM
GENERATED = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 120,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

Run = Callable[[Message], tuple[str, str]]


def _typical() -> list[Message]:
    """Rows whose columns have their types: each action, nulls, missing columns, other values."""
    full: dict[str, Any] = {
        "id": 42, "name": "Zoë A", "email": "ada@Example.com", "status": "paid", "region": "EU",
        "total": 120, "price": 19.99, "active": True, "tags": ["new", "vip"], "note": None,
        "created_at": "2024-05-01T09:30:00.000000Z",
    }  # fmt: skip
    rows = [
        full,
        {**full, "total": 2**63, "price": 1200.0, "active": False, "tags": []},
        {**full, "name": "", "status": "new", "region": None, "note": "x", "price": 1e-7},
    ]
    rows += [{**full, name: None} for name in full if name != "id"]
    rows += [{key: value for key, value in full.items() if key != name} for name in full]
    found = []
    for index, row in enumerate(rows):
        action = ACTIONS[index % 4]
        changes = {"status": "old"} if action == "update" else None
        metadata = complete_metadata({"table_name": "orders", "commit_idx": index}, row)
        found.append(Message(action, row, changes, metadata, index))
    return found


TYPICAL = [as_on_server(message) for message in _typical()]
WILD = [as_on_server(message) for message in variants([])]


def run_python(code: str) -> Run:
    errors = [item for item in python.check(code, KIND) if item.severity == "error"]
    assert not errors, f"{errors}\n{code}"
    function = python.compile_function(code, KIND)

    def run(message: Message) -> tuple[str, str]:
        try:
            value = function(message.action, dict(message.record),
                             message.changes and dict(message.changes),
                             Metadata(message.metadata))  # fmt: skip
        except Exception as error:
            return "error", repr(error)
        return "value", comparable(value)

    return run


def run_elixir(code: str) -> Run:
    function = program.compile_function(code, KIND)

    def run(message: Message) -> tuple[str, str]:
        try:
            value = function(message.action, message.record, message.changes, message.metadata)
        except Exception as error:
            found = program.fault(error)
            assert found["code"] == "raised", f"{found}\n{code}"
            return "error", str(found)
        return "value", comparable(value)

    return run


def agree(first: Run, second: Run, codes: str, *, lenient: bool = False) -> None:
    values = 0
    for message in TYPICAL:
        one, two = first(message), second(message)
        values += one[0] == "value"
        same = one == two if one[0] == "value" else two[0] == "error" or lenient
        assert same, f"{message.action} {message.record}\n{one}\n{two}\n{codes}"
    for message in WILD:
        one, two = first(message), second(message)
        if one[0] == two[0] == "value":
            assert one == two, f"{message.action} {message.record}\n{one}\n{two}\n{codes}"
        elif one[0] == "error" and not lenient:
            assert two[0] == "error", f"{message.action} {message.record}\n{one}\n{two}\n{codes}"
    event("some values" if values else "no value")


def converted(convert: Callable[[], str]) -> str:
    try:
        return convert()
    except Refused as refused:
        event(f"refused: {refused.message[:40]}")
        assume(False)
        raise


@pytest.mark.slow
@GENERATED
@given(code=python_functions())
def test_python_in_elixir(code: str) -> None:
    elixir = converted(lambda: to_elixir(code, KIND))
    agree(run_python(code), run_elixir(elixir), f"{code}\n{elixir}")


@pytest.mark.slow
@GENERATED
@given(code=python_functions())
def test_round_trip(code: str) -> None:
    elixir = converted(lambda: to_elixir(code, KIND))
    back = converted(lambda: to_python(elixir, KIND)[0])
    agree(run_python(code), run_python(back), f"{code}\n{elixir}\n{back}", lenient=False)


@pytest.mark.slow
@GENERATED
@given(code=elixir_functions())
def test_elixir_in_python(code: str) -> None:
    try:
        first = run_elixir(code)
    except ValueError:
        assume(False)
        return
    text = converted(lambda: to_python(code, KIND)[0])
    agree(first, run_python(text), f"{code}\n{text}")


@pytest.mark.slow
def test_the_grammars_are_mostly_accepted() -> None:
    seen: list[bool] = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(code=python_functions(), other=elixir_functions())
    def count(code: str, other: str) -> None:
        for convert in (lambda: to_elixir(code, KIND), lambda: to_python(other, KIND)):
            try:
                convert()
                seen.append(True)
            except Refused:
                seen.append(False)
            except ValueError:
                pass

    count()
    assert sum(seen) > 0.6 * len(seen)
