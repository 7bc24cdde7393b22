"""Functions in both languages get the value that a column's type gives on a server."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from routestudio.functions import projection, typed
from routestudio.functions.pool import FunctionPool
from routestudio.model import jsonio
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message, message_from

AT = "2024-05-06T07:08:09.000000Z"
ROW: dict[str, Any] = {
    "id": 1, "total": "250.00", "day": "2024-05-06", "opens": "07:08:09", "at": AT,
    "local": "2024-05-06T07:08:09.120000", "span": {"months": 1, "days": 2, "microseconds": 3},
    "sums": ["1.50", None], "doc": {"price": "1.50", "at": AT}, "version": "1.10",
    "huge": "12345678901234567890.123456789", "odd": "NaN",
}  # fmt: skip
TYPES = {
    "id": "int4", "total": "numeric", "day": "date", "opens": "time", "at": "timestamptz",
    "local": "timestamp", "span": "interval", "sums": "numeric[]", "doc": "jsonb",
    "version": "text", "huge": "numeric", "odd": "numeric",
}  # fmt: skip


def row(**more: Any) -> Message:
    """A row whose columns all have types."""
    value = {"action": "update", "record": ROW, "changes": {"total": "2.00"}, "types": TYPES}
    return message_from({**value, **more})


def untyped(**record: Any) -> Message:
    return message_from({"action": "insert", "record": record})


def elixir(body: str, kind: FunctionKind = FunctionKind.TRANSFORM) -> Function:
    name = kind.entry_point
    code = f"def {name}(action, record, changes, metadata) do\n{body}\nend\n"
    return Function("f", kind, Language.ELIXIR, code)


def python(body: str, kind: FunctionKind = FunctionKind.TRANSFORM) -> Function:
    code = f"def {kind.entry_point}(action, record, changes, metadata):\n    {body}\n"
    return Function("f", kind, Language.PYTHON, code)


async def result(pool: FunctionPool, function: Function, message: Message) -> FunctionResult:
    return (await pool.evaluate([function], [message]))[0][0]


async def value(pool: FunctionPool, function: Function, message: Message) -> Any:
    found = await result(pool, function, message)
    assert found.fault is None, found.fault
    return found.value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('Decimal.to_float(record["total"])', 250.0),
        ('Decimal.compare(record["total"], Decimal.new(100)) == :gt', True),
        ('Decimal.add(record["total"], "0.5")', "250.50"),
        ('to_string(record["total"])', "250.00"),
        ('record["total"] > 1000', True),  # a map is greater than every number
        ('record["total"] == "250.00"', False),
        ('is_struct(record["total"], Decimal)', True),
        ('Decimal.to_string(changes["total"])', "2.00"),
        ('to_string(record["huge"])', "12345678901234567890.123456789"),
        ('record["odd"]', "NaN"),
        ('Date.add(record["day"], 1)', "2024-05-07"),
        ('%{hour: hour} = record["opens"]\nhour', 7),
        ('"#{record["opens"]}"', "07:08:09"),
        ('DateTime.to_unix(record["at"])', 1714979289),
        ('"#{record["at"]}"', "2024-05-06 07:08:09.000000Z"),
        ('NaiveDateTime.to_iso8601(record["local"])', "2024-05-06T07:08:09.120000"),
        ('record["span"]["months"]', 1),
        ('Decimal.to_float(hd(record["sums"]))', 1.5),
        ('record["doc"]["price"] <> record["doc"]["at"]', "1.50" + AT),
        ('String.split(record["version"], ".")', ["1", "10"]),
    ],
)
async def test_elixir_gets_what_a_server_gives(
    pool: FunctionPool, expression: str, expected: Any
) -> None:
    found = await value(pool, elixir(expression), row())
    assert (found, type(found)) == (expected, type(expected))


async def test_arithmetic_on_a_decimal_fails_in_elixir_as_on_a_server(pool: FunctionPool) -> None:
    found = await result(pool, elixir('record["total"] + 1'), row())
    assert found.fault is not None
    assert found.fault.type == "ArithmeticError"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('record["total"] + 1', Decimal("251.00")),
        ('record["total"] > 100', True),
        ('isinstance(record["total"], Decimal)', True),
        ('str(record["total"])', "250.00"),
        ('changes["total"]', Decimal("2.00")),
        ('record["odd"]', "NaN"),
        ('record["day"].year', 2024),
        ('f"{record[\'day\']}"', "2024-05-06"),
        ('record["opens"].hour', 7),
        ('record["at"].timestamp()', 1714979289.0),
        ('f"{record[\'at\']}"', AT),
        ('record["at"].isoformat()', AT),
        ('isinstance(record["at"], datetime.datetime)', True),
        ('str(record["local"])', "2024-05-06T07:08:09.120000"),
        ('record["span"]["days"]', 2),
        ('sum([x for x in record["sums"] if x is not None])', Decimal("1.50")),
        ('record["doc"]["price"]', "1.50"),
        ('record["version"].split(".")', ["1", "10"]),
        ('json.dumps([record["total"], record["at"], record["day"]])',
         f'["250.00", "{AT}", "2024-05-06"]'),
    ],
)  # fmt: skip
async def test_python_gets_decimals_dates_and_times(
    pool: FunctionPool, expression: str, expected: Any
) -> None:
    found = await value(pool, python(f"return {expression}"), row())
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("function", [elixir("record"), python("return record")])
async def test_a_whole_record_is_written_as_without_a_function(
    pool: FunctionPool, function: Function
) -> None:
    written = json.loads(jsonio.dumps(await value(pool, function, row())))
    assert written == ROW


@pytest.mark.parametrize("kind", [FunctionKind.ROUTING, FunctionKind.FILTER])
async def test_only_the_types_of_columns_that_are_read_are_sent(
    pool: FunctionPool, kind: FunctionKind
) -> None:
    function = python('return record["total"] > 1', kind)
    await pool.evaluate([function], [row()])
    reads = projection.reads([function])
    assert typed.sent([row(), row()], reads) == ([{"total": "numeric"}], [0, 0])
    assert typed.sent([untyped(total="1.50")], reads) is None
    mixed = typed.sent([row(), untyped(total="1.50"), row()], reads)
    assert mixed == ([{"total": "numeric"}, {}], [0, 1, 0])
    assert typed.of_rows(mixed) == [{"total": "numeric"}, {}, {"total": "numeric"}]


async def test_rows_with_and_without_types_may_be_in_one_chunk(pool: FunctionPool) -> None:
    function = python('return isinstance(record["total"], str)')
    messages = [row(), untyped(total="250.00"), row(types={"total": "text"})]
    results = (await pool.evaluate([function], messages))[0]
    assert [item.value for item in results] == [False, True, True]


# --- guesses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "expression", "expected"),
    [
        ({"total": "250.00"}, 'Decimal.to_float(record["total"])', 250.0),
        ({"opens": "07:08:09"}, 'is_struct(record["opens"], Time)', True),
        ({"at": AT}, 'DateTime.to_unix(record["at"])', 1714979289),
        ({"code": "0012"}, 'is_binary(record["code"])', True),
        ({"host": "10.0.0.1"}, 'is_binary(record["host"])', True),
    ],
)
async def test_elixir_takes_a_text_for_what_it_looks_like(
    pool: FunctionPool, record: dict[str, Any], expression: str, expected: Any
) -> None:
    found = await result(pool, elixir(expression), untyped(**record))
    assert (found.value, found.guessed) == (expected, None)


async def test_a_guess_does_not_break_a_function_for_text_and_is_noted(pool: FunctionPool) -> None:
    function = elixir('%{"major" => hd(String.split(record["version"], "."))}')
    found = await result(pool, function, untyped(version="1.10"))
    assert (found.fault, found.value) == (None, {"major": "1"})
    assert found.guessed is not None
    assert found.guessed.type == "FunctionClauseError"
    assert found.guessed.line == 2


async def test_a_filter_that_is_false_for_text_drops_the_message(pool: FunctionPool) -> None:
    keep = elixir('String.starts_with?(record["version"], "2")', FunctionKind.FILTER)
    later = python("return 7")
    first, second = await pool.evaluate([keep, later], [untyped(version="1.10")])
    assert (first[0].value, second[0].value) == (False, None)
    assert first[0].guessed is not None


async def test_a_function_that_fails_both_ways_fails_as_on_a_server(pool: FunctionPool) -> None:
    found = await result(pool, elixir('record["total"] + 1'), untyped(total="250.00"))
    assert found.fault is not None
    assert (found.fault.type, found.guessed) == ("ArithmeticError", None)


async def test_a_known_type_is_no_guess(pool: FunctionPool) -> None:
    function = elixir('String.length(record["total"])')
    failed = await result(pool, function, row())
    assert failed.fault is not None
    assert failed.fault.type == "FunctionClauseError"
    text = await result(pool, function, row(types={"total": "text"}))
    assert (text.value, text.guessed) == (6, None)


async def test_python_keeps_text_where_the_type_is_a_guess(pool: FunctionPool) -> None:
    function = python('return record["total"].split(".") + [record["at"][:10]]')
    found = await value(pool, function, untyped(total="250.00", at=AT))
    assert found == ["250", "00", "2024-05-06"]


async def test_a_traced_call_notes_what_it_did_for_text(pool: FunctionPool) -> None:
    function = elixir('%{subject: hd(String.split(record["total"], "."))}', FunctionKind.ROUTING)
    found, trace = (await pool.trace(function, [untyped(total="250.00")]))[0]
    assert found.value == {"subject": "250"}
    assert found.guessed is not None
    assert trace.places == {"subject": (2, 12)}
