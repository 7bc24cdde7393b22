"""What rows travel in: dumps of topics, batches of webhooks, dead letters."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.formats import registry
from routestudio.formats.base import Fault, Raw, Wrapper
from routestudio.formats.reader import RowReader
from routestudio.formats.wrappers.batches import EventHubs, JsonArray, PubSubBatch, WebhookBatch
from routestudio.formats.wrappers.console import ConsoleLine
from routestudio.formats.wrappers.kcat import KcatLine
from routestudio.formats.wrappers.records import DeadLetter, RecordedRecord
from routestudio.model.message import Message

DATA = Path(__file__).parents[2] / "data" / "formats"
HERE: dict[str, Any] = {"position": "dump:3", "place": "dump.txt:3", "line": 3}


def opened(wrapper: type[Wrapper], value: Any, **more: Any) -> list[Raw] | None:
    found = wrapper().opens(value, Raw(value, **HERE, **more))
    return None if found is None else list(found)


def read(value: Any, **more: Any) -> tuple[list[Any], RowReader]:
    reader = RowReader()
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return reader.read(Raw(data, **HERE, **more)), reader


@pytest.mark.parametrize("wrapper", registry.wrappers().values(), ids=lambda kind: kind.key)
def test_every_example_is_opened_and_read(wrapper: type[Wrapper]) -> None:
    assert wrapper.examples
    assert wrapper.about.strip() == wrapper.about
    assert wrapper.facts
    for example in wrapper.examples:
        assert opened(wrapper, example) is not None
        others = [kind.key for kind in registry.wrappers().values()
                  if kind is not wrapper and opened(kind, example) is not None]  # fmt: skip
        assert not others, "only one wrapper opens a value"
        rows, reader = read(example)
        assert not any(isinstance(row, Fault) for row in rows)
        assert rows or reader.passed_over


# --- dumps of topics ------------------------------------------------------------------------------


def test_a_line_of_kcat_has_the_position_of_its_record() -> None:
    line = {"topic": "orders", "partition": 2, "offset": 17, "tstype": "create", "ts": 1,
            "broker": 1, "headers": ["a", "1", "b", None, "c"], "key": '{"id":1}',
            "payload": '{"id":1,"qty":2}'}  # fmt: skip
    found = opened(KcatLine, line)
    assert found is not None
    assert (found[0].value, found[0].key) == (b'{"id":1,"qty":2}', b'{"id":1}')
    assert (found[0].position, found[0].place) == ("orders/2/17", "orders[2]@17")
    assert found[0].headers == {"a": "1"}
    rows, _ = read(line)
    assert [(row.record, row.record_pks, row.metadata["table_name"]) for row in rows] == [
        ({"id": 1, "qty": 2}, ["1"], "orders")
    ]


def test_two_dumps_of_a_topic_have_the_same_idempotency_keys() -> None:
    line = {"topic": "orders", "partition": 0, "offset": 5, "tstype": "create", "ts": 1,
            "broker": 1, "key": None, "payload": '{"code":"x"}'}  # fmt: skip
    one, _ = read(line)
    two = RowReader().read(Raw(json.dumps(line).encode(), position="other:9"))
    assert isinstance(one[0], Message)
    assert isinstance(two[0], Message)
    assert one[0].metadata["idempotency_key"] == two[0].metadata["idempotency_key"]


@pytest.mark.parametrize("part", ["topic", "payload"])
def test_a_cut_line_of_kcat_is_a_fault(part: str) -> None:
    line = {"topic": "orders", "partition": 0, "offset": 5, "tstype": "create", "ts": 1,
            "broker": 1, "key": "1", "payload": "{}"}  # fmt: skip
    del line[part]
    rows, _ = read(line)
    assert [type(row) for row in rows] == [Fault]
    assert "kcat" in rows[0].message


def test_lines_of_the_console_consumer() -> None:
    """Written by the formatter of Kafka 3.9.1, with and without what it can add."""
    wanted = [
        (b'{"id":1}', b'{"id":1,"note":"a\\tb"}'),
        (b"k1", b'{"id":1}'),
        (None, b'{"id":2}'),
        (b'{"id":1}', None),
    ]
    alone = [(None, value) for _, value in wanted]
    lines = (DATA / "console.txt").read_bytes().splitlines()
    found = [opened(ConsoleLine, line, topic="orders") for line in lines]
    assert [(part.key, part.value) for raws in found for part in raws or ()] == (
        wanted + wanted + alone + wanted
    )
    first, third = found[4], found[12]
    assert first is not None
    assert third is not None
    assert first[0].headers["trace"] == "abc"
    assert first[0].position == "orders/0/17"
    assert third[0].position == "orders/0/17"
    assert found[0] is not None
    assert found[0][0].position == "dump:3"


@pytest.mark.parametrize(
    "line", [b"a\tb", b"1\t2\t3", b"{}\t", b"x" + b"\t" * 20, b"a\t{bad}", b"\t\xff"]
)
def test_a_line_with_tabs_that_is_not_of_the_console_stays_a_fault(line: bytes) -> None:
    assert opened(ConsoleLine, line) is None
    rows, _ = read(line)
    assert [type(row) for row in rows] == [Fault]


def test_a_key_gives_the_key_of_a_row_in_a_console_dump() -> None:
    rows, _ = read(b'{"code":"c-1"}\t{"code":"c-1","qty":2}', topic="stock")
    assert [(row.record_pks, row.key_columns) for row in rows] == [(["c-1"], ("code",))]


def test_a_recorded_record_keeps_key_topic_and_headers() -> None:
    line = {"topic": "pre.public.t", "key": '{"id":1}', "value": '{"id":1}',
            "headers": [["a", "1"], ["b", None], "x"]}  # fmt: skip
    found = opened(RecordedRecord, line)
    assert found is not None
    assert (found[0].topic, found[0].key, found[0].headers) == (
        "pre.public.t", b'{"id":1}', {"a": "1"})  # fmt: skip
    assert found[0].position == "dump:3"


# --- batches --------------------------------------------------------------------------------------

MESSAGE = {"action": "insert", "record": {"id": 1}, "changes": None, "metadata": {}}


def test_a_batch_of_a_webhook_is_its_messages_and_one_bad_one_spoils_no_other() -> None:
    rows, _ = read({"data": [MESSAGE, {**MESSAGE, "action": "x"}, MESSAGE]})
    assert [type(row) for row in rows] == [Message, Fault, Message]
    assert len({row.position for row in rows if isinstance(row, Message)}) == 2
    assert {row.place for row in rows} == {"dump.txt:3"}


@pytest.mark.parametrize("value", [{"data": []}, {"data": [1]}, {"data": [{"a": 1}]},
                                   {"data": [MESSAGE], "more": 1}, {"data": MESSAGE}])  # fmt: skip
def test_a_column_called_data_is_not_a_batch(value: Any) -> None:
    assert opened(WebhookBatch, value) is None


def test_an_event_of_event_hubs_in_both_forms() -> None:
    event = {"data": MESSAGE, "attributes": {"trace_id": "t", "type": "event"}}
    for value in (event, [{"Body": json.dumps(event)}]):
        rows, _ = read(value)
        assert [row.record for row in rows] == [{"id": 1}]
    assert opened(EventHubs, {"Body": "x", "Subject": "y"}) is None


def test_messages_of_pub_sub_are_base64() -> None:
    data = base64.b64encode(json.dumps(MESSAGE).encode()).decode()
    rows, _ = read({"messages": [{"data": data}, {"data": data}]})
    assert [row.record for row in rows] == [{"id": 1}, {"id": 1}]
    assert opened(PubSubBatch, {"messages": [{"data": "%"}]}) is None
    assert opened(PubSubBatch, {"messages": [{"text": "hello"}]}) is None


@pytest.mark.parametrize("value", [[1, 2], [[1]], [True], [{"a": 1}, 5]])
def test_a_list_of_other_things_is_not_a_list_of_rows(value: Any) -> None:
    assert opened(JsonArray, value) is None


def test_a_dead_letter_is_its_message_or_its_text() -> None:
    letter = {"message": MESSAGE, "reason": {"stage": "route"}, "attempts": 1, "sink": "s",
              "at": "2026-11-28T10:00:00.000Z"}  # fmt: skip
    assert [row.record for row in read(letter)[0]] == [{"id": 1}]
    text = {**letter, "message": None, "raw": '{"id":2}'}
    assert [row.record for row in read(text)[0]] == [{"id": 2}]
    nothing = {**letter, "message": None}
    assert "neither a message nor the text" in read(nothing)[0][0].message
    assert opened(DeadLetter, {"message": "hello", "reason": "none"}) is None
