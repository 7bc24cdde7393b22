"""Defaults as data: values, and what documentation says about them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.defaults import NAMES, ByAction, Const, Mapping, Template
from routestudio.model.message import message_from

MESSAGE = message_from(
    {
        "action": "delete",
        "record": {"id": 1},
        "metadata": {"table_schema": "shop", "table_name": "orders", "database_name": "main",
                     "record_pks": ["1", "2"]},
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("sequin.{table_schema}.{table_name}", "sequin.shop.orders",
         "sequin.<table_schema>.<table_name>"),
        ("sequin:{table_name}:{primary_keys}", "sequin:orders:1-2",
         "sequin:<table_name>:<primary_keys>"),
        ("{group_id}", "g", "<group_id>"),
        ("g={group_id}!", "g=g!", "g=<group_id>!"),
        ("100% {action}", "100% delete", "100% <action>"),
        ("{{literal}} {action}", "{literal} delete", "{literal} <action>"),
        ("fixed", "fixed", "fixed"),
        ("{database_name}.{table_schema}.{table_name}.{action}", "main.shop.orders.delete",
         "<database_name>.<table_schema>.<table_name>.<action>"),
    ],
)  # fmt: skip
def test_templates(text: str, value: str, words: str) -> None:
    template = Template(text)
    assert template.compile()(MESSAGE, "g") == value
    assert template.describe() == words


def test_a_template_of_one_name_may_be_nothing() -> None:
    assert Template("{group_id}").compile()(MESSAGE, None) is None
    assert Template("x{group_id}").compile()(MESSAGE, None) == "x"


@pytest.mark.parametrize(
    "text", ["{record}", "{table_name.x}", "{table_name[0]}", "{table_name!r}", "{table_name:>9}"]
)
def test_a_template_takes_bare_names_only(text: str) -> None:
    with pytest.raises(ValueError, match="not a name a template may use"):
        Template(text).compile()


@given(
    st.lists(st.tuples(st.text(alphabet="ab%{}: é", max_size=5), st.sampled_from(sorted(NAMES))))
)
def test_a_template_is_its_pieces_in_order(pieces: list[tuple[str, str]]) -> None:
    escaped = [(lit.replace("{", "{{").replace("}", "}}"), name) for lit, name in pieces]
    text = "".join(f"{lit}{{{name}}}" for lit, name in escaped)
    expected = "".join(lit + str(NAMES[name](MESSAGE, "g")) for lit, name in pieces)
    assert Template(text).compile()(MESSAGE, "g") == expected


def test_constants() -> None:
    assert Const("POST").compile()(MESSAGE, None) == "POST"
    given: tuple[Any, ...] = (None, "", {}, "x")
    assert [Const(v).describe() for v in given] == [
        "none", "empty text", "no entries", "x",
    ]  # fmt: skip
    make = Const({}).compile()
    first = make(MESSAGE, None)
    first["a"] = 1
    assert make(MESSAGE, None) == {}, "messages share one map"


def test_by_action() -> None:
    default = ByAction({"delete": "del"}, "set")
    assert default.compile()(MESSAGE, None) == "del"
    assert default.compile()(message_from({"action": "read", "record": {}}), None) == "set"
    assert default.describe() == "set; del for delete"


def test_mapping() -> None:
    default = Mapping({"Id": Template("{idempotency_key}"), "n": Const("1")})
    assert default.compile()(MESSAGE, None) == {
        "Id": MESSAGE.metadata["idempotency_key"], "n": "1",
    }  # fmt: skip
    assert default.describe() == "Id: <idempotency_key>, n: 1"
