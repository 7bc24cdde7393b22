"""A worker that is sent only what a function reads gives what it would give for all of it."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.functions import desk, errands
from routestudio.functions.analysis.reading import analyse
from routestudio.functions.metadata import Metadata
from routestudio.functions.pool import FunctionPool
from routestudio.functions.projection import WHOLE, Reads, project, reads, remember, rows
from routestudio.functions.python import compile_function
from routestudio.functions.wire import encode
from routestudio.functions.wire.decode import answer_of, results_of
from routestudio.functions.worker import _failed
from routestudio.model.analysis import Analysis
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message, message_from

HEAD = "def route(action, record, changes, metadata):\n"


def routing(body: str, head: str = HEAD) -> Function:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return Function("f", FunctionKind.ROUTING, Language.PYTHON, head + lines)


def evaluated(function: Function, messages: list[Message], wanted: Reads) -> list[FunctionResult]:
    """What the worker does, on the messages as `wanted` leaves them."""
    call = compile_function(function.code, function.kind)
    count = len(messages)
    packed = pickle.dumps(project(messages, wanted))
    records, changes, metadata = (rows(part, count) for part in pickle.loads(packed))
    column = encode.Column()
    for message, record, change, given_ in zip(messages, records, changes, metadata, strict=True):
        try:
            value = call(
                message.action, record, change, None if given_ is None else Metadata(given_)
            )
            column.add(encode.encode(value)[0])
        except BaseException as error:
            column.add(_failed(error, function.code, True))
    (answer,) = answer_of(encode.joined([column]))
    return results_of(answer)


EXACT = [
    ('return {"topic": record["a"]}', ("a",), (), ()),
    ('return {"topic": record.get("a"), "message_key": record.get("b", "x")}', ("a", "b"), (), ()),
    ('return {"topic": f"{record[\'a\']}-{metadata.table_name}"}', ("a",), (), ("table_name",)),
    ('return {"topic": "y" if "a" in record and "b" not in record else "n"}', ("a", "b"), (), ()),
    ('if changes is None:\n    return 1\nreturn changes.get("a")', (), ("a",), ()),
    ('return changes is not None and "b" in changes', (), ("b",), ()),
    ("return metadata.consumer.name", (), (), ("consumer",)),
    ('return metadata["database"]["name"]', (), (), ("database",)),
    ('return metadata.get("table_schema")', (), (), ("table_schema",)),
    ('return [record["a"] for _n in range(3)]', ("a",), (), ()),
    ('def inner(x):\n    return record["a"]\nreturn inner(1)', ("a",), (), ()),
    ('pick = lambda key: record["b"]\nreturn pick("a")', ("b",), (), ()),
    ('return record["n"]["deep"]', ("n",), (), ()),
    ('return "a" + record["missing"]', ("missing",), (), ()),
    ('return changes["a"]', (), ("a",), ()),
    ('return metadata["nothing"]', (), (), ("nothing",)),
    ('return float(record["a"]) > 1', ("a",), (), ()),
    ("return action", (), (), ()),
    ('return record["n"].pop("deep")', ("n",), (), ()),
]
DOUBTFUL = [
    "return [list(pair) for pair in record.items()]",
    "return len(record)",
    'r = record\nreturn r["b"]',
    "return dict(record)",
    'def key(row):\n    return row.get("b")\nreturn key(record)',
    'name = "b"\nreturn record.get(name)',
    'return record["" + "b"]',
    'return [key for key in ("a", "b") if key in record]',
    "return sorted(record)",
    "return str(record)",
    'return f"{record}"',
    "return bool(record)",
    'record["z"] = 1\nreturn record["b"]',
    'del record["b"]\nreturn "b" in record',
    'record.update(b=5)\nreturn record["b"]',
    'return record.pop("b", None)',
    'return {**record, "x": 1}',
    'match record:\n    case {"b": found}:\n        return found\nreturn None',
    "if (row := record):\n    return len(row)",
    "return changes == None",
    "return (changes or {}).get('a')",
    "return not changes",
    'return [record, 1][0]["b"]',
    "return record.get(*['b'])",
    "get = record.get\nreturn get('b')",
    'record = {"a": 1}\nreturn record["a"]',
    "return list(metadata.keys())",
    "return metadata",
    'f = lambda r=record: r["b"]\nreturn f()',
    'return list(map(record.get, ["a", "b"]))',
    "return record['b'] if record else 0",
    'record["b"] += 1\nreturn record["b"]',
    "return record is not changes",
]

values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=5),
    st.floats(allow_nan=False), st.just("\ud800"),
    st.dictionaries(st.sampled_from(["deep", "x"]), st.integers(0, 9)),
)  # fmt: skip
parts = st.dictionaries(st.sampled_from(["a", "b", "n", "z"]), values)
given_messages = st.lists(
    st.builds(
        lambda action, record, changes, table: message_from(
            {"action": action, "record": record, "changes": changes,
             "metadata": {"table_name": table}}
        ),
        st.sampled_from(["insert", "update", "delete"]), parts, st.none() | parts,
        st.text(max_size=3),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.parametrize(("body", "record", "changes", "metadata"), EXACT)
def test_only_the_keys_that_are_read_are_sent(
    body: str, record: Any, changes: Any, metadata: Any
) -> None:
    found = analyse(routing(body)).reach
    assert (found.record, found.changes, found.metadata) == (record, changes, metadata)
    assert ("record" in found.unread) == (not record)


@pytest.mark.parametrize("body", DOUBTFUL)
def test_what_may_be_read_as_a_whole_is_sent_whole(body: str) -> None:
    found = analyse(routing(body)).reach
    assert None in (found.record, found.changes, found.metadata)


@pytest.mark.slow
@pytest.mark.parametrize("body", [case[0] for case in EXACT] + DOUBTFUL)
@settings(max_examples=40)
@given(messages=given_messages)
def test_a_projected_evaluation_equals_a_full_one(body: str, messages: list[Message]) -> None:
    function = routing(body)
    full = evaluated(function, messages, WHOLE)
    assert evaluated(function, messages, analyse(function).reach) == full


@pytest.mark.slow
@given(messages=given_messages)
def test_parameters_may_be_written_with_an_underscore(messages: list[Message]) -> None:
    head = "def route(_action, _record, changes, _metadata):\n"
    function = routing('return [_record["a"], record["b"]]', head)
    assert analyse(function).reach.record == ("a", "b")
    full = evaluated(function, messages, WHOLE)
    assert evaluated(function, messages, analyse(function).reach) == full


def test_several_functions_get_what_any_of_them_reads() -> None:
    one, two = routing('return record["b"]'), routing('return record["a"] + str(changes)')
    assert reads([one, two]) == WHOLE, "no worker has read them"
    for function in (one, two):
        found = errands.value_of(json.loads(desk.perform("analysis", [function])))
        remember(function, Analysis.of_json(function, found).reach)
    assert reads([one, two]) == Reads(("a", "b"), None, (), frozenset({"metadata"}))
    elixir = Function("e", FunctionKind.ROUTING, Language.ELIXIR, 'record["a"]')
    assert reads([one, elixir]) == WHOLE
    assert reads([]) == WHOLE


async def test_the_worker_gives_the_same_for_both() -> None:
    """A mention that hides nothing makes the same function read everything."""
    messages = [
        message_from({"action": "update", "record": {"a": n, "b": f"t{n}", "n": {"deep": n}},
                      "changes": {"a": n} if n % 2 else None})
        for n in range(7)
    ] + [message_from({"action": "insert", "record": {"b": "only"}})]  # fmt: skip
    pool = FunctionPool(1)
    try:
        for body, *_ in EXACT:
            whole = "len(record), len(metadata), str(changes)\n" + body
            (projected,) = await pool.evaluate([routing(body)], messages)
            (full,) = await pool.evaluate([routing(whole)], messages)
            assert [item.value for item in projected] == [item.value for item in full]
            for mine, theirs in zip(projected, full, strict=True):
                if mine.fault is not None and theirs.fault is not None:
                    assert mine.fault.message == theirs.fault.message
                    assert mine.fault.column == theirs.fault.column
                    assert mine.fault.line == (theirs.fault.line or 0) - 1
                else:
                    assert mine.fault is theirs.fault
    finally:
        await pool.close()


async def test_what_a_filter_changes_inside_a_value_is_not_seen_by_the_next() -> None:
    spoil = Function(
        "s", FunctionKind.FILTER, Language.PYTHON,
        'def filter(action, record, changes, metadata):\n    record["tags"].append("x")\n'
        "    return True\n",
    )  # fmt: skip
    message = message_from({"action": "insert", "record": {"tags": ["a"], "more": 1}})
    pool = FunctionPool(1)
    try:
        _, seen = await pool.evaluate([spoil, routing('return record["tags"]')], [message])
    finally:
        await pool.close()
    assert seen == [FunctionResult(["a"])]
    assert message.record["tags"] == ["a"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        2**63 - 1, -(2**63), 2**64, 2**80, "\ud83d", "é\u2028\x00", True, 1.5, {"a": 2**65},
        {"a": "\ud83d", "b": None}, {}, "x" * 9000,
    ],
)  # fmt: skip
async def test_results_come_back_as_they_were(value: Any) -> None:
    pool = FunctionPool(1)
    message = message_from({"action": "insert", "record": {"a": value}})
    try:
        (results,) = await pool.evaluate([routing('return record["a"]')], [message, message])
    finally:
        await pool.close()
    assert results == [FunctionResult(value)] * 2
    assert type(results[0].value) is type(value)
