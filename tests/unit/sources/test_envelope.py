"""Messages as they stand in topics and streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routestudio.model.message import Message
from routestudio.samples.reader import SampleFault
from routestudio.sources.envelope import NothingToSay, decode, from_fields


def read(value: Any, kind: str = "auto") -> Message | SampleFault:
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return decode(text, index=3, place="t[0]@7", kind=kind)


def debezium(op: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    source = {"db": "shop", "schema": "public", "table": "orders", "lsn": 77,
              "ts_ms": 1_700_000_000_123}  # fmt: skip
    return {"op": op, "before": before, "after": after, "source": source, "ts_ms": 5, **more}


def message(value: Any, kind: str = "auto") -> Message:
    found = read(value, kind)
    assert isinstance(found, Message), found
    return found


def test_our_own_form_with_further_keys() -> None:
    found = message({"action": "insert", "record": {"id": 1}, "changes": None, "more": 1,
                     "metadata": {"table_name": "t"}})  # fmt: skip
    assert (found.action, found.record, found.index) == ("insert", {"id": 1}, 3)


@pytest.mark.parametrize("wrapped", [False, True])
def test_debezium_with_and_without_schema(wrapped: bool) -> None:
    event = debezium("u", {"id": 1, "a": "old", "b": 2}, {"id": 1, "a": "new", "b": 2})
    found = message({"schema": {}, "payload": event} if wrapped else event)
    assert found.action == "update"
    assert found.record == {"id": 1, "a": "new", "b": 2}
    assert found.changes == {"a": "old"}
    metadata = found.metadata
    assert (metadata["table_schema"], metadata["table_name"]) == ("public", "orders")
    assert (metadata["database_name"], metadata["commit_lsn"]) == ("shop", 77)
    assert metadata["commit_timestamp"] == "2023-11-14T22:13:20.123000Z"


def test_each_operation_of_debezium() -> None:
    row = {"id": 1}
    assert message(debezium("c", None, row)).action == "insert"
    assert message(debezium("r", None, row)).action == "read"
    assert message(debezium("u", None, row)).changes == {}
    deleted = message(debezium("d", row, None))
    assert (deleted.action, deleted.record, deleted.changes) == ("delete", row, None)
    for unavailable in (
        "__debezium_unavailable_value",
        "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        ["__debezium_unavailable_value"],
    ):
        large = message(debezium("u", None, {"id": 1, "t": unavailable}))
        assert large.record["t"] == "unchanged_toast"


@pytest.mark.parametrize(
    "value",
    [
        debezium("t", None, None),
        debezium("m", None, None),
        {"schema": {}, "payload": None},
        {"ts_ms": 1_700_000_000_123},
        {"schema": {}, "payload": {"ts_ms": 1_700_000_000_123}},
    ],
)
def test_what_is_no_row_change_is_skipped(value: Any) -> None:
    with pytest.raises(NothingToSay):
        read(value)


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ("{", "auto", "not JSON"),
        (b"\xff", "auto", "not text in UTF-8"),
        ("[1]", "auto", "a message is an object"),
        ({"op": "x", "source": {}, "after": {}}, "auto", "operation `x`"),
        ({"op": 7, "source": {}, "after": {}}, "auto", "operation `7`"),
        (debezium("c", None, None), "auto", "`after` is missing"),
        (debezium("d", None, None), "auto", "`before` is missing"),
        (debezium("c", None, [1]), "auto", "`after` is no map"),
        ({**debezium("c", None, {}), "source": 5}, "auto", "`source` is no map"),
        ({"action": "insert", "record": {}}, "debezium", "no change event of Debezium"),
        (debezium("c", None, {}), "message", "unknown key"),
        ({**debezium("c", None, {}), "source": {"ts_ms": 10**30}}, "auto", "`ts_ms` is no time"),
    ],
)
def test_what_is_no_message_becomes_a_fault_with_its_place(
    value: Any, kind: str, reason: str
) -> None:
    found = read(value, kind)
    assert isinstance(found, SampleFault)
    assert found.message.startswith("t[0]@7: ")
    assert reason in found.message


def test_fields_of_a_stream_entry() -> None:
    ours = {"action": "insert", "record": '{"id": 1}', "changes": "null", "metadata": "{}"}
    assert from_fields(ours) == {"action": "insert", "record": {"id": 1}, "changes": None,
                                 "metadata": {}}  # fmt: skip
    assert from_fields({"anything": '{"a": 1}'}) == {"a": 1}
    assert from_fields({"key": "k", "value": "[2]"}) == [2]
    with pytest.raises(ValueError, match=r"the entry's fields \(a, b\)"):
        from_fields({"a": "1", "b": "2"})
