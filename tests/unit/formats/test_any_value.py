"""Any JSON and any bytes: messages or faults, never an exception, and never without an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routestudio.formats import registry
from routestudio.formats.base import Fault, Raw
from routestudio.formats.reader import RowReader
from routestudio.model import jsonio
from routestudio.model.message import Message

NAMES = sorted({
    name for kind in registry.formats().values() for example in kind.examples
    if isinstance(example.value, dict) for name in example.value
})  # fmt: skip
WORDS = ("insert", "INSERT", "c", "I", "update", "delete", "D", "read")
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(WORDS)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def check(value: Any, envelope: str = registry.AUTO, **more: Any) -> list[Any]:
    rows = RowReader(envelope=envelope).read(Raw(value, position="p:1", place="p:1", **more))
    for row in rows:
        assert isinstance(row, (Message, Fault))
        if isinstance(row, Message):
            jsonio.dump_bytes(row.as_json())
        else:
            assert row.message
    return rows


@pytest.mark.slow
@SETTINGS
@given(value=VALUES, key=VALUES)
def test_any_json_is_read_or_refused(value: Any, key: Any) -> None:
    check(value, key=key)
    check(json.dumps(value).encode(), key=json.dumps(key).encode(), topic="a.b.c")


@SETTINGS
@given(value=VALUES, envelope=st.sampled_from([*registry.formats()]))
def test_any_json_is_read_or_refused_by_a_format_that_is_named(value: Any, envelope: str) -> None:
    check(value, envelope)


@SETTINGS
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data, key=data)


@SETTINGS
@given(value=VALUES)
def test_how_much_a_value_looks_like_a_format_is_never_an_error(value: Any) -> None:
    for kind in registry.formats().values():
        kind().likeness(value, Raw(value))


LONG = 200_000
HUGE: dict[str, bytes] = {
    "deep lists": b"[" * LONG,
    "deep lists that end": b"[" * 900 + b"]" * 900,
    "deep objects": b'{"after":' * 900 + b"{}" + b"}" * 900,
    "deep wrappers": b'{"data":[' * 300 + b"{}" + b"]}" * 300,
    "deep documents": b'{"operationType":"insert","_id":{},"ns":{},"documentKey":{},"fullDocument":'
    + b'{"a":' * 800 + b"1" + b"}" * 801,
    "deep items": b'{"eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{"Keys":{"a":'
    + b'{"L":[' * 400 + b'{"S":"x"}' + b"]}" * 400 + b"}}}",
    "digits": b'{"id":' + b"9" * LONG + b"}",
    "fraction": b'{"id":1.' + b"9" * LONG + b"}",
    "tabs": b"\t" * LONG + b"{}",
    "tabs and braces": b'{"a"\t' * (LONG // 5) + b"{}",
    "headers": b"Offset:1\t" + b"a:" * LONG + b"\t{}",
    "array": json.dumps({"action": "I", "schema": "s", "table": "t", "columns": [
        {"name": "a", "type": "text[]", "value": "{" * LONG}]}).encode(),
    "array with an end": json.dumps({"action": "I", "schema": "s", "table": "t", "columns": [
        {"name": "a", "type": "int[]", "value": "{" * LONG + "}" * LONG}]}).encode(),
    "open text in an array": json.dumps({"action": "I", "schema": "s", "table": "t", "columns": [
        {"name": "a", "type": "text[]", "value": '{"' + "\\" * LONG + "}"}]}).encode(),
    "type": json.dumps({"action": "I", "schema": "s", "table": "t", "columns": [
        {"name": "a", "type": "x(" * LONG, "value": "1"}]}).encode(),
    "interval": json.dumps({"action": "I", "schema": "s", "table": "t", "columns": [
        {"name": "a", "type": "interval", "value": "1 day " * LONG}]}).encode(),
    "set": json.dumps({"database": "d", "table": "t", "isDdl": False, "type": "INSERT", "es": 1,
                       "mysqlType": {"a": "set(" + "'x'," * LONG}, "data": [
                           {"a": "99999999999999999999"}]}).encode(),
    "scale": b'{"action":"I","schema":"s","table":"t","columns":'
    b'[{"name":"a","type":"numeric(9,999999999999999)","value":1.5}]}',
}  # fmt: skip


@pytest.mark.parametrize("data", HUGE.values(), ids=HUGE)
def test_rows_that_are_huge_or_deep_come_to_an_end(data: bytes) -> None:
    """Nothing here takes longer than its size; a search that goes back and forth would not end."""
    check(data)
    for envelope in registry.formats():
        check(data, envelope)
