"""Elixir functions in the function worker: what a server would deliver, and the same limits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message, message_from

KINDS = {
    "route": FunctionKind.ROUTING, "filter": FunctionKind.FILTER,
    "transform": FunctionKind.TRANSFORM,
}  # fmt: skip


def elixir(body: str, kind: str = "transform") -> Function:
    code = f"def {kind}(action, record, changes, metadata) do\n{body}\nend"
    return Function("f", KINDS[kind], Language.ELIXIR, code)


def message(record: dict[str, Any] | None = None, **parts: Any) -> Message:
    return message_from({"action": "insert", "record": record or {"id": 1}, **parts})


async def run(
    pool: FunctionPool, body: str, kind: str = "transform", given: Message | None = None
) -> FunctionResult:
    (results,) = await pool.evaluate([elixir(body, kind)], [given or message()])
    return results[0]


async def value(
    pool: FunctionPool, body: str, kind: str = "transform", given: Message | None = None
) -> Any:
    result = await run(pool, body, kind, given)
    assert result.fault is None, result.fault
    return result.value


async def test_a_route_gives_its_fields(pool: FunctionPool) -> None:
    body = '%{topic: "a.#{metadata.table_name}", action: :index, n: 1, none: nil, "in": [:a]}'
    assert await value(pool, body, "route") == {
        "topic": "a.unknown", "action": "index", "n": 1, "none": None, "in": ["a"],
    }  # fmt: skip
    assert await value(pool, '%{"topic" => "x"}', "route") == {"topic": "x"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('%{:a => 1, "b" => 2}', "Ecto.CastError"),
        ("%{1 => 2}", "Ecto.CastError"),
        ('"topic"', "FunctionClauseError"),
        ("nil", "FunctionClauseError"),
        ("%{a: {1, 2}}", "Protocol.UndefinedError"),
    ],
)
async def test_a_route_must_give_a_map(pool: FunctionPool, body: str, kind: str) -> None:
    result = await run(pool, body, "route")
    assert result.fault is not None
    assert (result.fault.code, result.fault.type) == ("raised", kind)


async def test_times_stay_times_in_a_route_and_become_text_in_a_transform(
    pool: FunctionPool,
) -> None:
    when = dt.datetime(2024, 5, 6, 7, 8, 9, 120_000, dt.UTC)
    local = dt.datetime(2024, 5, 6, 7, 8, 9)
    given = message({"d": dt.date(2024, 5, 6), "u": when, "n": local, "t": dt.time(1, 2, 3, 4),
                     "p": Decimal("1E+3"), "list": [Decimal("1.50")]})  # fmt: skip
    routed = await value(pool, "record", "route", given)
    assert routed["u"] == when
    assert routed["d"] == dt.date(2024, 5, 6)
    assert routed["p"] == Decimal(1000)
    assert await value(pool, "record", "transform", given) == {
        "d": "2024-05-06", "u": "2024-05-06T07:08:09.120000Z", "n": "2024-05-06T07:08:09.000000",
        "t": "01:02:03", "p": "1000", "list": ["1.50"],
    }  # fmt: skip


async def test_what_a_function_sees_of_typed_values(pool: FunctionPool) -> None:
    given = message(
        {"u": dt.datetime(2024, 5, 6, tzinfo=dt.UTC), "p": Decimal("1.50"), "f": 1000.0}
    )
    body = '"#{record["u"]} #{record["p"]} #{record["f"]} #{is_map(record["p"])}"'
    assert await value(pool, body, given=given) == "2024-05-06 00:00:00.000000Z 1.50 1.0e3 true"


@pytest.mark.parametrize(
    "body", ["{1, 2}", "[a: 1]", "fn -> 1 end", "~r/a/", "%{k: {1}}", "<<255>>", "make_ref()"]
)
async def test_what_has_no_json_form_is_a_fault(pool: FunctionPool, body: str) -> None:
    result = await run(pool, body)
    assert result.fault is not None
    assert result.fault.code == "raised"
    assert result.fault.type in ("Protocol.UndefinedError", "Jason.EncodeError")


async def test_a_filter_gives_true_or_false(pool: FunctionPool) -> None:
    assert await value(pool, 'record["id"] == 1', "filter") is True
    result = await run(pool, 'if record["id"] == 2, do: true', "filter")
    assert result.fault is not None
    assert result.fault.message == "Filter function must return true or false, got: nil"


async def test_a_false_filter_skips_what_comes_after(pool: FunctionPool) -> None:
    after = Function("p", FunctionKind.TRANSFORM, Language.PYTHON,
                     "def transform(action, record, changes, metadata):\n    return 1")  # fmt: skip
    drop, kept = await pool.evaluate([elixir("false", "filter"), after], [message()])
    assert (drop[0].value, kept[0].value) == (False, None)


async def test_metadata_has_atoms_and_its_inner_maps_have_text(pool: FunctionPool) -> None:
    given = message(metadata={
        "table_name": "orders", "enrichment": {"plan": "pro"},
        "consumer": {"id": "1", "name": "c", "annotations": {"team": "a"}},
    })  # fmt: skip
    body = (
        '[metadata.table_name, metadata[:table_name], metadata["table_name"],\n'
        'metadata.consumer.name, metadata.consumer.annotations["team"],\n'
        'metadata.enrichment["plan"],\n'
        "map_size(metadata), metadata.consumer[:name], is_struct(metadata.commit_timestamp)]"
    )
    found = await value(pool, body, given=given)
    assert found == ["orders", "orders", None, "c", "a", "pro", 12, "c", True]


@pytest.mark.parametrize(
    ("body", "kind", "line", "column", "text"),
    [
        ('x = 1\n  String.upcase(record["no"])', "FunctionClauseError", 3, 10, "String.upcase"),
        ("metadata.nope", "KeyError", 2, 10, "key :nope not found"),
        ("changes.x", "BadMapError", 2, 9, "expected a map"),
        ("%{\n  a: 1,\n  b: 1 + nil\n}", "ArithmeticError", 4, 8, "bad argument"),
        ('record\n|> Map.get("id")\n|> Map.get(:x)', "BadMapError", 4, 8, "expected a map"),
        ('"é" <>\n  String.downcase(nil)', "FunctionClauseError", 3, 10, "String.downcase"),
        ("Enum.map([1], fn x ->\n  x / 0\nend)", "ArithmeticError", 3, 5, "bad argument"),
        ("Enum.flatten([1])", "UndefinedFunctionError", 2, 6, "Enum.flatten/1"),
    ],
)
async def test_errors_have_their_place(
    pool: FunctionPool, body: str, kind: str, line: int, column: int, text: str
) -> None:
    fault = (await run(pool, body)).fault
    assert fault is not None
    assert (fault.code, fault.type, fault.line) == ("raised", kind, line)
    assert fault.column == column
    assert text in fault.message


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Regex.recompile!(~r/a/)", "not evaluated here: Regex.recompile!/1"),
        ("<<1::3>>", "not evaluated here: bit strings that are not whole bytes"),
        ('f = &apply/3\nf.(String, :upcase, ["a"])', "not evaluated here: &apply/3"),
        ("Integer.pow(10, 10000000)", "not evaluated here: an integer"),
        ("Integer.pow(10, 5000)", "not evaluated here: an integer"),
        ("f = fn f, n -> 1 + f.(f, n + 1) end\nf.(f, 0)", "not evaluated here: more than about"),
        ('String.upcase("a", :turkic)', "not evaluated here: the :turkic mode"),
    ],
)
async def test_what_is_not_evaluated_says_exactly_that(
    pool: FunctionPool, body: str, text: str
) -> None:
    fault = (await run(pool, body)).fault
    assert fault is not None
    assert (fault.code, fault.type) == ("not_evaluated", None)
    assert fault.message.startswith(text)


async def test_a_name_that_is_piped_into_is_a_function(pool: FunctionPool) -> None:
    assert await value(pool, "1 |> to_string") == "1"


async def test_a_part_that_is_not_reached_does_no_harm(pool: FunctionPool) -> None:
    assert await value(pool, "if true, do: 1, else: Regex.recompile!(~r/a/)") == 1


ENDLESS = "loop = fn f, n -> f.(f, n + 1) end\nloop.(loop, 0)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (ENDLESS, {"timeout"}),
        ('Regex.match?(~r/^(a+)+$/, String.duplicate("a", 40) <> "b")', {"timeout", "ok"}),
        ("f = fn f, l -> f.(f, l ++ l) end\nf.(f, [1])", {"memory", "timeout", "crashed"}),
        ("f = fn f, t -> f.(f, t <> t) end\nf.(f, \"aaaa\")", {"memory", "timeout", "crashed"}),
        ("f = fn f, n -> f.(f, n * n) end\nf.(f, 7)", {"not_evaluated", "timeout"}),
        ("f = fn f -> Enum.map([1, 2], fn _ -> f.(f) end) end\nf.(f)",
         {"not_evaluated", "timeout", "crashed"}),
        ('String.duplicate("a", 2000000)', {"output"}),
        ("List.duplicate(1, 100000000000)", {"not_evaluated"}),
        ('String.pad_leading("a", 100000000000)', {"not_evaluated"}),
        ('Decimal.new("1E+999999999")', {"not_evaluated"}),
        ('Decimal.add(Decimal.new("1E+999999999"), 1)', {"not_evaluated"}),
        ('Decimal.round(1, 999999999)', {"not_evaluated"}),
        ("Enum.reduce(List.duplicate(1, 200), [], fn _, acc -> [acc] end)", {"output"}),
        ("Date.range(~D[0001-01-01], ~D[9999-12-31]) |> Enum.map(&Date.to_string/1)",
         {"timeout", "output", "ok", "memory"}),
    ],
)  # fmt: skip
async def test_no_function_outruns_its_limits(
    pool: FunctionPool, body: str, codes: set[str]
) -> None:
    guilty = f'if record["id"] == 1 do\n{body}\nelse\n record["id"]\nend'
    messages = [message({"id": i}) for i in range(3)]
    (results,) = await pool.evaluate([elixir(guilty)], messages)
    assert [item.value for item in (results[0], results[2])] == [0, 2]
    fault = results[1].fault
    assert ("ok" if fault is None else fault.code) in codes


@pytest.mark.slow
async def test_a_loop_of_many_turns_needs_no_stack(pool: FunctionPool) -> None:
    body = (
        "sum = fn sum, n, acc ->\n  if n == 0 do\n    acc\n  else\n    sum.(sum, n - 1, acc + n)\n"
        "  end\nend\nsum.(sum, 50000, 0)"
    )
    assert await value(pool, body) == 1_250_025_000


async def test_a_function_cannot_change_the_message(pool: FunctionPool) -> None:
    given = message({"id": 1, "m": {"a": [1]}})
    await run(pool, 'put_in(record["m"]["a"], [2])', given=given)
    assert given.record == {"id": 1, "m": {"a": [1]}}
    assert await value(pool, 'x = put_in(record["m"]["a"], 2)\n[x, record]', given=given) == [
        {"id": 1, "m": {"a": 2}}, {"id": 1, "m": {"a": [1]}},
    ]  # fmt: skip


async def test_python_and_elixir_side_by_side(pool: FunctionPool) -> None:
    python = Function("p", FunctionKind.ROUTING, Language.PYTHON,
                      "def route(action, record, changes, metadata):\n"
                      "    return {'topic': metadata.table_name}")  # fmt: skip
    results = await pool.evaluate([python, elixir("%{topic: metadata.table_name}", "route")],
                                  [message()] * 5)  # fmt: skip
    assert results[0] == results[1]
