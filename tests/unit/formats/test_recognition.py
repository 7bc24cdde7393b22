"""Rows are told apart: whole, mutilated, nested and wrapped ones of every format.

A wrong guess is an error here: a row may be read by its own format, or refused, or called
ambiguous; it is never read by another format, and never passed over when it is a row change.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from routestudio.formats import registry
from routestudio.formats.base import Example, Fault, Format, Likeness, Raw
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message

FORMATS = registry.formats()
ENVELOPES = {key: kind for key, kind in FORMATS.items() if key != "plain"}
OTHERS: tuple[Any, ...] = (None, 5, "x", [], {}, True, 1.5, [1, "x"], {"a": 1})


def cases(wanted: Callable[[Any], bool] = lambda value: True) -> list[Any]:
    """The examples that are recognised by their values, where these are as wanted."""
    return [
        pytest.param(kind, example, id=f"{key}-{example.title}")
        for key, kind in ENVELOPES.items()
        for example in kind.examples
        if example.value is not None and not example.named and wanted(example.value)
    ]


def read(
    value: Any, example: Example | None = None
) -> tuple[list[Message], list[Fault], RowReader]:
    reader = RowReader()
    key = None if example is None else example.key
    topic = None if example is None else example.topic
    headers = {} if example is None else example.headers
    raw = Raw(json.dumps(value).encode(), key=key, topic=topic, headers=headers, position="p")
    rows = reader.read(raw)
    messages = [row for row in rows if isinstance(row, Message)]
    return messages, [row for row in rows if isinstance(row, Fault)], reader


def passes(example: Example) -> bool:
    return isinstance(example.gives, str)


def filled(value: Any, chance: random.Random) -> Any:
    """The value with other numbers and words in its rows; names of parts stay."""
    if isinstance(value, dict):
        return {name: filled(item, chance) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, chance) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100:
        return value
    if isinstance(value, str) and value in ("a", "b", "light", "dark", "Terry", "Terri"):
        return chance.choice(["", "ß", "null", '{"op":"c"}', "insert", "x" * 40])
    return value


def mutilated(value: dict[str, Any], chance: random.Random) -> tuple[str, dict[str, Any]]:
    """The value with one of its parts dropped or replaced, and which."""
    name = chance.choice(list(value))
    changed = dict(value)
    if chance.random() < 0.4:
        del changed[name]
        return name, changed
    kinds = [item for item in OTHERS if type(item) is not type(value[name])]
    changed[name] = copy.deepcopy(chance.choice(kinds))
    return name, changed


@pytest.mark.parametrize(("kind", "example"), cases())
def test_whole_rows_are_certain(kind: type[Format], example: Example) -> None:
    chance = random.Random(example.title)
    for _ in range(8):
        value = filled(example.value, chance)
        messages, faults, reader = read(value, example)
        assert not faults
        assert {message.format for message in messages} <= {kind.key}
        assert set(reader.passed_over) <= set(kind.passes_over)
        assert bool(messages) is not passes(example)


@pytest.mark.parametrize(
    ("kind", "example"), cases(lambda value: isinstance(value, dict) and len(value) > 1)
)
def test_a_row_with_one_wrong_part_is_never_taken_for_another(
    kind: type[Format], example: Example
) -> None:
    chance = random.Random(f"one {kind.key} {example.title}")
    for _ in range(14):
        name, value = mutilated(filled(example.value, chance), chance)
        if name in {"isDdl"} and value.get(name) is True:
            continue  # it says that it is not a row change
        text = isinstance(value.get("schema"), str) and "payload" in value
        if text or value.keys() == {"payload"}:
            continue  # an envelope in a column, as well as one that lost its schema
        messages, _, reader = read(value, example)
        # Flattened rows are plain rows but for the parts that are added.
        flat = kind.key == "debezium-flat" and not any(part[:2] == "__" for part in value)
        lone = {"plain"} if flat or len(value) < 2 else set()
        wrong = {message.format for message in messages} - {kind.key} - lone
        assert not wrong, f"without a right `{name}` it is read as {wrong}: {value}"
        empty = value.get("payload", value) in (None, [])  # nothing, in a schema
        assert empty or set(reader.passed_over) <= set(kind.passes_over), value
        if not empty and not passes(example):
            assert not reader.passed_over, f"passed over without a right `{name}`: {value}"


@pytest.mark.parametrize(("kind", "example"), cases(lambda value: isinstance(value, dict)))
def test_a_row_in_pieces_is_never_taken_for_another_envelope(
    kind: type[Format], example: Example
) -> None:
    chance = random.Random(f"many {kind.key} {example.title}")
    for _ in range(10):
        value = filled(example.value, chance)
        for _ in range(chance.randint(2, 4)):
            if value:
                _, value = mutilated(value, chance)
        messages, _, _ = read(value, example)
        alike = {"cockroachdb"} if value.keys() <= {"after", "before", "key"} else set()
        if kind.key == "debezium-mongodb" and not isinstance(value.get("source"), dict):
            alike.add("debezium")  # only the source tells a collection from a table
        wrong = {message.format for message in messages} - {kind.key, "plain"} - alike
        assert not wrong, f"read as {wrong}: {value}"
        if {message.format for message in messages} == {"plain"} and not passes(example):
            kept = sum(
                1 for part, item in example.value.items() if part in value and value[part] == item
            )
            assert 3 * kept <= 2 * len(example.value) or kept < 2, f"read as a plain row: {value}"


@pytest.mark.parametrize(("kind", "example"), cases())
def test_an_envelope_in_a_column_is_a_plain_row(kind: type[Format], example: Example) -> None:
    for column in ("payload", "event", "message", "value", "data", "body", "row"):
        value = {"id": 7, column: example.value, "made": "2026-11-28"}
        messages, faults, _ = read(value)
        assert not faults, faults
        assert [(message.format, message.record) for message in messages] == [("plain", value)]


@pytest.mark.parametrize(("kind", "example"), cases())
def test_an_envelope_in_a_wrapper_is_found(kind: type[Format], example: Example) -> None:
    text = json.dumps(example.value)
    own = dict.fromkeys(["plain"]) if kind.key == "plain" else {kind.key: None}
    wrapped: list[Any] = [
        {"topic": example.topic or "t", "partition": 0, "offset": 4, "tstype": "create", "ts": 1,
         "broker": 1, "key": json.dumps(example.key), "payload": text},
        {"topic": example.topic or "t", "key": json.dumps(example.key), "value": text,
         "headers": []},
    ]  # fmt: skip
    if example.key is None:  # a key, which these do not have
        wrapped.append([example.value, example.value])
        wrapped.append({"message": None, "reason": {"stage": "read"}, "attempts": 0, "sink": "s",
                        "at": "", "raw": text})  # fmt: skip
    for value in wrapped:
        messages, faults, reader = read(value, example)
        assert not faults, faults
        assert {message.format for message in messages} <= own.keys()
        assert set(reader.passed_over) <= set(kind.passes_over)
        assert messages or reader.passed_over


PLAIN: list[dict[str, Any]] = [
    {"id": 1, "type": "INSERT", "table": "orders"},
    {"id": 1, "type": "insert", "user": "u", "ts": 5},
    {"op": "c", "amount": 3},
    {"op": "u", "before": "2024-01-01", "after": "2024-01-02"},
    {"before": 3, "after": 4},
    {"action": "I", "user": "u"},
    {"action": "insert", "user": "u"},
    {"change": 5, "price": 3},
    {"change": 5, "timestamp": "2024-01-01"},
    {"change": "none"},
    {"resolved": True, "ticket": 3},
    {"resolved": "2024-01-01"},
    {"record": "world", "athlete": "x"},
    {"schema": "public", "table": "orders", "rows": 5},
    {"schema": "public", "table": "orders", "columns": 5},
    {"key": 1, "value": 2},
    {"topic": "news", "key": "k", "value": {"a": 1}},
    {"topic": "news", "offset": 3},
    {"message": "hello", "reason": "none"},
    {"message": {"text": "hello"}, "from": "x"},
    {"data": [1, 2], "name": "x"},
    {"data": [1, 2]},
    {"payload": {"a": 1}, "length": 3},
    {"payload": {"a": 1}},
    {"Records": 5, "artist": "x"},
    {"Body": "text", "Subject": "x"},
    {"source": "web", "operation": "delete"},
    {"metadata": {"a": 1}, "name": "x"},
    {"ns": "x", "_id": 5},
    {"_id": {"$oid": "599af247bb69cd89961c986d"}, "name": "x"},
    {"object": "chair", "payload": 80, "uuid": "u"},
    {"eventName": "party", "eventSource": "mail"},
    {"database": "orders", "size": 5},
    {"database": "orders", "table": "t", "size": 5},
    {"data": "x", "old": "y", "type": 1},
    {"id": None},
]


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_plain_rows_with_names_of_envelopes_stay_plain(value: dict[str, Any]) -> None:
    messages, faults, _ = read(value)
    assert not faults
    assert [(message.format, message.record) for message in messages] == [("plain", value)]


AMBIGUOUS: list[tuple[dict[str, Any], str]] = [
    ({"data": {"id": 1}}, "AWS DMS or Plain rows"),
    ({"change": None}, "wal2json, version 1 or Plain rows"),
    ({"database": "d", "table": "t", "type": "insert"}, "Maxwell or Plain rows"),
    ({"action": "I", "table": "t", "columns": 5}, "Plain rows or wal2json, version 2"),
]


@pytest.mark.parametrize(("value", "names"), AMBIGUOUS, ids=str)
def test_ambiguous_rows_are_said_to_be_so(value: dict[str, Any], names: str) -> None:
    messages, faults, _ = read(value)
    assert not messages
    assert faults[0].message.startswith("this could be "), faults
    for name in names.split(" or "):
        assert name in faults[0].message
    assert faults[0].hint is not None


@pytest.mark.parametrize(("kind", "example"), cases(lambda value: isinstance(value, dict)))
def test_a_row_of_a_table_file_is_a_plain_row(kind: type[Format], example: Example) -> None:
    for likeness in (item().likeness(example.value, Raw(example.value, table=True))
                     for key, item in ENVELOPES.items() if key not in NESTED):  # fmt: skip
        assert likeness is Likeness.NO


NESTED = {key for key in ENVELOPES if key == "message" or key.startswith("debezium")}
"""Formats that may be in table files: other rooms' tests say of which columns."""


@pytest.mark.parametrize("seed", range(10))
def test_mixed_rows_of_one_file_are_each_read_by_their_own_format(seed: int) -> None:
    """What the reader learned of one row does not make it take the next for another."""
    chance = random.Random(seed)
    pool = [(case.values[0], case.values[1]) for case in cases()]
    reader = RowReader()
    for kind, example in chance.choices(pool, k=60):
        before = sum(reader.passed_over.values())
        rows = reader.read(Raw(json.dumps(example.value).encode(), key=example.key,
                               topic=example.topic, headers=example.headers))  # fmt: skip
        assert not any(isinstance(row, Fault) for row in rows)
        assert {row.format for row in rows if isinstance(row, Message)} <= {kind.key}
        assert (sum(reader.passed_over.values()) > before) is passes(example)


def counted(example: Example) -> int:
    """How many rows the tests above make of an example."""
    return 8 + 14 + 10 + 7 + 3 if isinstance(example.value, dict) else 8


def test_the_rows_are_over_two_thousand() -> None:
    made = sum(counted(case.values[1]) for case in cases())
    assert made + len(PLAIN) + len(AMBIGUOUS) + 10 * 60 >= 2_000
    assert {case.values[0].key for case in cases()} == ENVELOPES.keys()
