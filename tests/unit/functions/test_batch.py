"""Programs in batches: rows in, rows out, in order; a bad row never ends the batch."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.functions.batch import decode, encode, run_batch
from routestudio.functions.pool import FunctionPool
from tests.unit.functions.helpers import source

INPUT = {
    "action": "update",
    "record": {
        "id": 7,
        "at": {"$datetime": "2024-10-28T21:37:01.127470Z"},
        "total": {"$decimal": "1.50"},
        "day": {"$date": "2024-02-29"},
    },
    "changes": {"total": {"$decimal": "1"}},
    "metadata": {":table_name": "orders", ":database": {":name": "shop"}},
}


def program(body: str, **more: Any) -> dict[str, Any]:
    row = {"id": "p", "language": "python", "kind": "route", "code": source(body), "input": INPUT}
    return {key: item for key, item in (row | more).items() if item is not ...}


async def run(pool: FunctionPool, *rows: Any) -> list[dict[str, Any]]:
    lines = [row if isinstance(row, (str, bytes)) else json.dumps(row) for row in rows]
    return [row async for row in run_batch(lines, pool)]


async def test_rows_come_back_in_order(pool: FunctionPool) -> None:
    rows = [program(f"return {n}", id=n) for n in range(5)]
    assert await run(pool, *rows) == [{"id": n, "ok": True, "output": n} for n in range(5)]


async def test_tagged_values_in_both_directions(pool: FunctionPool) -> None:
    (row,) = await run(pool, program("return {'r': record, 'c': changes, 'a': action}"))
    assert row["output"] == {"r": INPUT["record"], "c": INPUT["changes"], "a": "update"}
    (row,) = await run(pool, program("return metadata.table_name + metadata.database.name"))
    assert row["output"] == "ordersshop"


async def test_a_row_without_input_is_only_validated(pool: FunctionPool) -> None:
    good, bad = await run(
        pool, program("while True:\n    pass", input=...), program("return topc", input=...)
    )
    assert good == {"id": "p", "ok": True, "output": None}
    assert bad["error"]["code"] == "undefined_name"
    assert bad["error"]["line"] == 2


@pytest.mark.parametrize("kind", ["filter", "transform", "route", "routing"])
async def test_kinds(pool: FunctionPool, kind: str) -> None:
    name = "route" if kind == "routing" else kind
    code = f"def {name}(action, record, changes, metadata):\n    return True"
    assert (await run(pool, program("", kind=kind, code=code)))[0]["ok"]


@pytest.mark.slow
async def test_faults_are_rows(pool: FunctionPool) -> None:
    raised, hung, elixir = await run(
        pool,
        program("return record['x']"),
        program("while True:\n    pass"),
        program("", language="elixir"),
    )
    assert raised["error"] == {
        "code": "raised", "type": "KeyError", "message": "there is no key 'x'", "line": 2,
    }  # fmt: skip
    assert (hung["ok"], hung["error"]["code"]) == (False, "timeout")
    assert (elixir["error"]["code"], elixir["error"]["type"]) == ("parse", "invalid")


async def test_elixir_is_the_default_language(pool: FunctionPool) -> None:
    code = "def transform(action, record, changes, metadata), do: {action, 1}"
    (row,) = await run(pool, program("", language=..., kind="transform", code=code))
    assert row["output"] == {"$tuple": ["update", 1]}


BAD = [
    "not json",
    "[1]",
    "5",
    "null",
    '"text"',
    "{}",
    '{"id": 1',
    "[" * 100_000,
    '{"id": NaN}',
    b"\xff\xfe",
    program("return 1", kind="enrich"),
    program("return 1", kind=["route"]),
    program("return 1", kind=...),
    program("return 1", code=...),
    program("return 1", language="ruby"),
    program("return 1", input=5),
    program("return 1", input=[1]),
    program("return 1", input=INPUT | {"record": {"x": {"$decimal": "much"}}}),
    program("return 1", input=INPUT | {"record": {"x": {"$decimal": [1]}}}),
    program("return 1", input=INPUT | {"record": {"x": {"$datetime": "soon"}}}),
    program("return 1", input=INPUT | {"record": {"x": {"$date": 5}}}),
    program("return 1", input=INPUT | {"metadata": 5}),
]


@pytest.mark.slow
@pytest.mark.parametrize("row", BAD, ids=range(len(BAD)))
async def test_a_bad_row_names_its_line_and_the_next_one_runs(
    pool: FunctionPool, row: str | bytes | dict[str, Any]
) -> None:
    bad, good = await run(pool, "", row, program("return 1"))
    assert bad["ok"] is False
    assert bad["error"]["code"] == "bad_row"
    assert bad["error"]["line"] == 2
    assert bad["error"]["message"].startswith("line 2 is not a program: ")
    assert len(bad["error"]["message"]) < 300
    assert good["output"] == 1


async def test_lines_may_be_bytes_and_empty(pool: FunctionPool) -> None:
    row = json.dumps(program("return record['id']")).encode()
    assert [item["output"] for item in await run(pool, b"", row + b"\r\n", b"  ", row)] == [7, 7]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5).filter(lambda key: key[:1] not in ("$", ":")), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(values)
def test_encoding_and_decoding_are_inverse(item: Any) -> None:
    tagged = json.loads(json.dumps(encode(item)))
    assert decode(tagged) == item


def test_the_two_kinds_of_time_differ() -> None:
    assert encode(dt.datetime(2024, 1, 2, tzinfo=dt.UTC)) == {"$datetime": "2024-01-02T00:00:00Z"}
    assert encode(dt.datetime(2024, 1, 2)) == {"$naive": "2024-01-02T00:00:00"}
    assert encode(Decimal("1E+3")) == {"$decimal": "1E+3"}


@pytest.mark.parametrize("depth", [100, 300, 500, 900])
async def test_deep_input_gives_a_row(pool: FunctionPool, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    text = json.dumps(program("return 1")).replace('"changes": {', f'"changes": {deep}, "x": {{', 1)
    assert deep in text
    row, good = await run(pool, text, program("return 2"))
    assert row["ok"] or row["error"]["code"] in ("bad_row", "invalid")
    assert row["ok"] or depth > 100
    assert good["output"] == 2
