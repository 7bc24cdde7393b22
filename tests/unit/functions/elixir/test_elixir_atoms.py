"""Atoms in the result of a routing function: a server takes them for choices, not for text."""

from __future__ import annotations

import json

import pytest

from routestudio.functions.elixir.program import compile_function
from routestudio.functions.wire.decode import result_of
from routestudio.functions.wire.encode import encode
from routestudio.model.fields import Choice, Integer, RuleError, Text
from routestudio.model.function import FunctionKind, Identifier

CODE = """def route(action, record, changes, metadata) do
  %{action: :set, key: "k", headers: %{"x" => :y}, none: nil, flag: true}
end"""


def routed() -> dict[str, object]:
    run = compile_function(CODE, FunctionKind.ROUTING)
    answer, _ = encode(run("insert", {"id": 1}, None, {"table_name": "t"}))
    value = result_of(json.loads(answer)).value
    assert isinstance(value, dict)
    return value


def test_the_worker_tells_atoms_from_text() -> None:
    value = routed()
    assert value == {
        "action": "set", "key": "k", "headers": {"x": "y"}, "none": None, "flag": True,
    }  # fmt: skip
    assert {name: type(item) for name, item in value.items()} == {
        "action": Identifier, "key": str, "headers": dict, "none": type(None), "flag": bool,
    }  # fmt: skip


def test_a_choice_takes_an_atom_and_gives_text() -> None:
    value = Choice(("set", "del")).cast(Identifier("set"))
    assert (value, type(value)) == ("set", str)
    assert not Choice(("set",)).quick()(Identifier("set"))


@pytest.mark.parametrize("rule", [Text(), Text(numbers=True), Integer()])
def test_other_fields_refuse_an_atom(rule: Text | Integer) -> None:
    assert not rule.quick()(Identifier("5"))
    with pytest.raises(RuleError, match="the atom :5"):
        rule.cast(Identifier("5"))


def test_the_hint_says_how_to_write_it() -> None:
    with pytest.raises(RuleError) as error:
        Text().cast(Identifier("orders"))
    assert error.value.hint == 'write it as text: "orders"'
