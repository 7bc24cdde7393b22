"""What rules look at: functions as text, variants of messages, and views made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.functions.analysis.reading import analyse
from routestudio.hazards import catalog
from routestudio.hazards.linting import findings
from routestudio.hazards.variants import backfills, deletes, formers
from routestudio.model.analysis import Analysis, of_path
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message, message_from
from routestudio.model.project import SinkSpec
from routestudio.pipeline.stages import Staged, StageProblem
from routestudio.routing import Effective
from routestudio.samples.variants import key_columns
from routestudio.sinks.hazard_view import Known, Outcome, SinkView
from routestudio.sinks.hazards import RULES, by_sink
from tests.unit.hazards.projects import row

HEAD = "def route(action, record, changes, metadata):\n"


def of(body: str, language: Language = Language.PYTHON) -> Analysis:
    code = body if language is Language.ELIXIR else HEAD + body
    return analyse(Function("f", FunctionKind.ROUTING, language, code))


@pytest.mark.parametrize(
    ("body", "guarded"),
    [
        ('    return {"a": record["x"]}', False),
        ('    return {"a": record["x"] or "none"}', True),
        ('    return {"a": "none" or record["x"]}', False),
        ('    return {"a": record.get("x", "none")}', True),
        ('    return {"a": record.get("x")}', False),
        ('    if record["x"] is None:\n        return {}\n    return {"a": record["x"]}', True),
        ('    return {"a": record["x"] if record["x"] else "none"}', True),
        ('    return {"a": record["x"] == "y"}', False),
        ('    return {} if "x" not in record else {"a": 1}', False),
    ],
)
def test_a_read_is_guarded_when_its_absence_is_dealt_with(body: str, guarded: bool) -> None:
    reads = of(body).reads
    if "not in" in body:
        assert reads == ()
        return
    assert {read.text for read in reads} == {"x"}
    assert all(read.guarded is guarded for read in reads)


@pytest.mark.parametrize(
    ("body", "odd"),
    [
        ('    return {"a": 1}', []),
        ('    if action == "read":\n        return {}', ["none"]),
        ('    if action == "read":\n        return {}\n    else:\n        return {}', []),
        ("    match action:\n        case 'read':\n            return {}", ["none"]),
        ("    match action:\n        case _:\n            return {}", []),
        ("    try:\n        return {}\n    except KeyError:\n        pass", ["none"]),
        ("    try:\n        return {}\n    except KeyError:\n        return {}", []),
        ("    while True:\n        return {}", []),
        ("    return [{}]", ["list"]),
        ("    return 'a'", ["value"]),
        ("    return", ["none"]),
        ("    def inner():\n        return 'a'\n    return {'a': inner()}", []),
        ("    raise ValueError('x')", []),
    ],
)
def test_results_that_are_no_map_are_seen(body: str, odd: list[str]) -> None:
    assert [spot.text for spot in of(body).odd_returns] == odd


def test_a_place_counts_characters() -> None:
    read = of('    return {"ü": "ü" + record["x"]}').reads[0]
    assert (read.line, read.column) == (2, 24)
    assert of("    return {").reads == ()
    assert of_path(Function("p", FunctionKind.PATH, path="record.a.b")).reads[0].text == "a"
    assert of_path(Function("p", FunctionKind.PATH, path="metadata.a")).reads == ()


def test_an_underscore_parameter_is_the_same_one() -> None:
    code = "def route(_action, _record, _changes, _metadata):\n    return {'a': record['x']}\n"
    found = analyse(Function("f", FunctionKind.ROUTING, Language.PYTHON, code))
    assert [read.text for read in found.reads] == ["x"]


def test_elixir_is_read_by_its_forms() -> None:
    found = of(
        "def route(action, record, changes, metadata) do\n"
        '  # record["hidden"]\n'
        '  %{"topic" => record["region"] || "none",\n'
        '    "message_key" => changes["id"], headers: nil, x: metadata.table_name}\n'
        "end\n",
        Language.ELIXIR,
    )
    assert [(r.text, r.source, r.line, r.guarded) for r in found.reads] == [
        ("region", "record", 3, True),
        ("id", "changes", 4, False),
    ]
    assert [spot.text for spot in found.null_keys] == ["headers"]
    assert {"topic", "message_key"} <= {spot.text for spot in found.keys}
    assert found.metadata == {"table_name"}
    assert found.entry is not None
    assert (found.entry.text, found.entry.line, found.entry.column) == ("route", 1, 5)


def elixir(body: str) -> Analysis:
    head = "def route(action, record, changes, metadata) do\n"
    return of(f"{head}{body}\nend\n", Language.ELIXIR)


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ('%{"a" => a} = record\n%{key: a}', [("a", "record", False)]),
        ('%{key: record |> Map.get("a", 1)}', [("a", "record", True)]),
        ('%{key: Map.get(changes, "a")}', [("a", "changes", False)]),
        ('%{key: get_in(record, ["a", "b"])}', [("a", "record", True)]),
        ('if is_nil(record["a"]), do: %{}, else: %{key: record["a"]}',
         [("a", "record", True), ("a", "record", True)]),
        ('%{key: "x#{record["a"]["b"]}"}', [("a", "record", False)]),
        ('%{key: "record[\\"a\\"]"}', []),
        ('case record["a"] do\n  nil -> %{}\n  v -> %{key: v}\nend', [("a", "record", True)]),
    ],
)  # fmt: skip
def test_columns_that_elixir_reads(body: str, reads: list[tuple[str, str, bool]]) -> None:
    assert [(r.text, r.source, r.guarded) for r in elixir(body).reads] == reads


@pytest.mark.parametrize(
    ("body", "branches", "complete"),
    [
        ('case action do\n  "insert" -> %{}\n  _ -> %{}\nend', ["insert"], True),
        ('case action do\n  "insert" -> %{}\n  "delete" -> %{}\nend', ["insert", "delete"], False),
        ('case action do\n  a when a in ["insert", "read"] -> %{}\nend', ["insert", "read"], False),
        ('if action == "delete", do: %{}, else: %{}', ["delete"], True),
        ('cond do\n  action == "read" -> %{}\nend', ["read"], False),
        ('cond do\n  action == "read" -> %{}\n  true -> %{}\nend', ["read"], True),
        ('case record["x"] do\n  "insert" -> %{}\nend', [], True),
    ],
)
def test_branches_of_elixir(body: str, branches: list[str], complete: bool) -> None:
    found = elixir(body)
    assert [spot.text for spot in found.branches] == branches
    assert found.catch_all is complete


@pytest.mark.parametrize(
    ("body", "odd"),
    [
        ("%{topic: nil}", []),
        ('if record["x"] do\n  %{}\nend', ["none"]),
        ('if record["x"], do: %{}, else: "a"', ["value"]),
        ("[%{}]", ["list"]),
        ('case action do\n  "read" -> nil\n  _ -> Enum.map([1], &{&1, 1})\nend', ["none", "list"]),
        ('"a#{action}"', ["value"]),
        ("record |> Map.take([])", []),
        ("with %{} = x <- record do\n  x\nelse\n  _ -> :none\nend", ["value"]),
    ],
)
def test_results_of_elixir_that_are_no_map(body: str, odd: list[str]) -> None:
    assert [spot.text for spot in elixir(body).odd_returns] == odd


def test_places_in_elixir() -> None:
    found = elixir('  x = "ü" <> record["a"]\n  %{topic: x, "k" => 1}\n  %{key: x, topic: nil}')
    assert found.keys == ()  # pairs with `key:` come last, so this does not parse
    found = elixir('  x = "ü" <> record["a"]\n  Map.put(%{topic: x}, :key, nil)')
    assert [(r.line, r.column) for r in found.reads] == [(2, 14)]
    assert [(s.text, s.line, s.column) for s in found.keys] == [("key", 3, 24), ("topic", 3, 13)]
    assert [s.text for s in found.null_keys] == ["key"]
    assert [(s.text, s.line, s.column) for s in found.calls] == [("Map.put", 3, 3)]


# --- variants ------------------------------------------------------------------------------------


def messages(*rows: dict[str, Any]) -> list[Message]:
    return [message_from(each, index=number) for number, each in enumerate(rows)]


def test_key_columns_are_seen_from_the_values() -> None:
    found = key_columns(
        messages(
            row(record={"a": 1, "b": 1, "c": 2}, pks=["1", "2"]),
            row(record={"a": 3, "b": 1, "c": 4}, pks=["3", "4"]),
            row(record={"x": 1}, pks=["9"], table="odd"),
            row(record={"x": 1}, pks=[], table="none"),
        )
    )
    assert found == {"public.orders": ("a", "c")}


def test_deletes_are_made_until_full_ones_are_seen() -> None:
    whole = row(record={"id": 1, "x": 2})
    keys = {"public.orders": ("id",)}
    pairs = deletes(messages(whole), keys)
    assert [(a.action, a.record, b.record) for a, b in pairs] == [
        ("delete", {"id": 1, "x": 2}, {"id": 1, "x": None})
    ]
    assert deletes(messages(whole, row("delete", {"id": 1, "x": 2})), keys) == []
    assert len(deletes(messages(whole, row("delete", {"id": 1, "x": None})), keys)) == 1
    assert len(deletes(messages(*[whole] * 100), keys)) == 20


def test_former_rows_have_their_former_key() -> None:
    pairs = formers(
        messages(row("update", {"id": 2, "x": 1}, changes={"id": 1}), row("update"), row()),
        {"public.orders": ("id",)},
    )
    assert len(pairs) == 1
    new, old = pairs[0]
    assert (new.record_pks, old.record_pks, old.record) == (["2"], ["1"], {"id": 1, "x": 1})
    assert [b.action for _, b in backfills(messages(row(), row("delete"), row("read")))] == ["read"]


# --- views ---------------------------------------------------------------------------------------


def outcome(values: dict[str, Any], problem: StageProblem | None = None) -> Outcome:
    message = messages(row())[0]
    effective = Effective(values, dict.fromkeys(values, "function"), "1", (), (), (), (), None,
                          ((), message, "1"))  # fmt: skip
    staged = Staged(message, None, effective, problems=(problem,) if problem else ())
    return Outcome("samples/a.jsonl", staged)


def view(kind: str, *outcomes: Outcome, python: bool = True, **more: Any) -> SinkView:
    language = Language.PYTHON if python else Language.ELIXIR
    code = HEAD + '    return {"routing_key": "a"}\n' if python else ""
    routing = analyse(Function("f", FunctionKind.ROUTING, language, code, file="functions/f.py"))
    values = {"raw": {}, "destination": {}, "dynamic": True, "routing": routing, **more}
    known = by_sink().get(kind, Known())
    spec = SinkSpec("s", kind, kind)
    return SinkView(spec, "sequin.yaml", known=known, outcomes=outcomes, **values)


def concerned(code: str) -> tuple[str, ...]:
    """The sinks that a rule is asked for, none for all."""
    return catalog.BY_ID[code].sinks if code in catalog.BY_ID else ()


def codes(made: SinkView) -> dict[str, str]:
    return {item.code: item.message for item in findings(made) if item.code[:3] in ("RAB", "S2-")}


def test_rabbitmq_rules_need_no_module_of_the_sink() -> None:
    refused = StageProblem("route", "routing", "has too many bytes", "routing_key")
    assert codes(view("rabbitmq", outcome({"routing_key": "sequin.shop.a"}))) == {}
    assert set(codes(view("rabbitmq", outcome({"routing_key": "sequin.changes.a"})))) == {"RAB-01"}
    long = codes(view("rabbitmq", outcome({"routing_key": "é" * 128}, refused)))
    assert "256 bytes" in long["RAB-06"]
    assert set(codes(view("rabbitmq", python=False))) == {"RAB-05"}
    assert set(codes(view("rabbitmq", destination={"headers": {"a": "b"}}))) == {"RAB-07"}
    assert set(codes(view("rabbitmq", destination={"connection_id": "1"}))) == {"RAB-07"}
    assert set(codes(view("s2", python=False))) == {"S2-01"}


def test_no_rule_of_a_type_is_asked_for_another() -> None:
    for item in RULES.values():
        if concerned(item.id):
            assert item.id not in {f.code for f in findings(view("no_such_type", outcome({})))}


def test_every_rule_takes_an_empty_view(caplog: pytest.LogCaptureFixture) -> None:
    for kind in {name for item in RULES.values() for name in concerned(item.id)}:
        list(findings(view(kind)))
        list(findings(view(kind, outcome({}))))
        odd = {"headers": 5, "key": None, "topic_arn": 7, "action": [], "index_name": {}}
        list(findings(view(kind, outcome(odd), destination={"credentials": 5, "region": []})))
    assert caplog.records == []
