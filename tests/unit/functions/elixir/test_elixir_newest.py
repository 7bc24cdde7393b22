"""Expressions as Elixir 1.19.4 on OTP 28.5 with `decimal` 2.3.0 evaluates them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.functions.analysis.reading import analyse
from routestudio.functions.elixir import key_order
from routestudio.functions.elixir.parser import parse
from routestudio.model.function import Function, FunctionKind, Language
from tests.integration.test_elixir_differential import differ, ours

FILE = Path(__file__).parents[3] / "data" / "vectors" / "elixir_newest.jsonl"
RECORDED: list[dict[str, Any]] = [
    json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()
]


def test_recorded_expressions_give_what_elixir_gives() -> None:
    found = [(row, ours(row["code"])) for row in RECORDED]
    assert [(row, got) for row, got in found if differ(got, row, row["code"])] == []
    assert [row for row, got in found if got.get("error") == "not_evaluated"] == []
    assert len(found) > 500


@pytest.mark.parametrize(("body", "names"), [
    ("JSON.encode!(%{zeta: 1, alpha: 2})", ["JSON.encode!"]),
    ('JSON.encode!(%{"a" => %{x: 1, y: 2}})', ["JSON.encode!"]),
    ("JSON.encode!(metadata.consumer)", ["JSON.encode!"]),
    ("JSON.encode!(%{a: 1})", []),
    ("JSON.encode!(record)", []),
    ('Enum.map_join(%{b: 1, a: 2}, ",", fn {k, v} -> "#{k}=#{v}" end)', ["Enum.map_join"]),
    ("Map.keys(metadata)", ["Map.keys"]),
    ("metadata |> Map.keys() |> Enum.sort()", []),
    ("metadata |> Map.to_list() |> Enum.into(%{})", []),
    ("Enum.map(%{a: 1, b: 2}, fn {k, v} -> {to_string(k), v} end) |> Map.new()", []),
    (":a in Map.keys(metadata)", []),
    ("x = %{b: 1, a: 2}\nURI.encode_query(x)", ["URI.encode_query"]),
    ("x = Map.take(metadata, [:table_name, :table_schema])\nEnum.join(Map.values(x), \"/\")",
     ["Map.values"]),
    ("x = if action == \"insert\", do: metadata, else: %{}\nURI.encode_query(x)",
     ["URI.encode_query"]),
    ("case action do\n  \"insert\" -> Enum.join(Map.keys(metadata))\n  _ -> \"\"\nend",
     ["Map.keys"]),
    ("Map.put(%{a: 1, b: 2}, :c, 3)", []),
    ("Enum.count(metadata)", []),
    ("Map.keys(Map.new([a: 1, b: 2]))", ["Map.keys"]),
    ("[a: 1, b: 2] |> Enum.into(%{}) |> Map.values()", ["Map.values"]),
    ("Map.keys(Map.new([a: 1]))", []),
    ("~N[2024-01-31 10:00:00] |> Map.from_struct() |> Enum.uniq_by(&is_nil/1)", ["Enum.uniq_by"]),
    ("%{topic: \"a\", key: \"b\"}", []),
    ("Enum.map(record, fn {k, _} -> k end)", []),
    ("this is not Elixir (", []),
])  # fmt: skip
def test_the_order_of_atom_keys_is_seen_where_it_matters(body: str, names: list[str]) -> None:
    code = f"def transform(action, record, changes, metadata) do\n{body}\nend"
    function = Function("f", FunctionKind.TRANSFORM, Language.ELIXIR, code)
    assert [spot.text for spot in analyse(function).key_orders] == names


def test_a_text_is_walked_once_however_deep_its_calls_are() -> None:
    code = "JSON.encode!(" * 60 + "%{b: 1, a: 2}" + ")" * 60
    assert [place[0] for place in key_order.places(parse(code))] == ["JSON.encode!"]
