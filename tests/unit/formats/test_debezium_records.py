"""Recorded records of Debezium: each becomes the right message, or is passed over by its kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.formats.base import Raw
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message, text_of
from tests.unit.formats.debezium_script import FILES, Expected

DATA = Path(__file__).parents[2] / "data" / "debezium"
FLAT = frozenset({"unwrap", "unwrap_rewrite"})


def raws(name: str) -> Iterator[Raw]:
    for number, line in enumerate((DATA / f"{name}.jsonl").read_text().splitlines()):
        item = json.loads(line)
        value, key = (None if item[part] is None else item[part].encode()
                      for part in ("value", "key"))  # fmt: skip
        yield Raw(value, key, dict(item["headers"]), item["topic"], position=f"{name}@{number}",
                  place=f"{name}:{number + 1}", line=number + 1)  # fmt: skip


def read(name: str, envelope: str = "auto") -> tuple[list[Message], RowReader]:
    reader = RowReader(envelope=envelope)
    rows = list(reader.read_all(raws(name)))
    faults = [row for row in rows if not isinstance(row, Message)]
    assert not faults, faults
    return [row for row in rows if isinstance(row, Message)], reader


def parts(message: Message) -> Expected:
    columns = message.key_columns
    key = None if columns is None else {name: message.record[name] for name in columns}
    return Expected(message.action, message.metadata["table_name"], key, message.record,
                    message.changes)  # fmt: skip


def exact(value: Any) -> str:
    """Text in which 1, 1.0 and true differ."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


@pytest.mark.parametrize("named", [False, True], ids=["recognised", "named"])
@pytest.mark.parametrize("name", FILES)
def test_every_record_becomes_the_right_message_or_is_passed_over(name: str, named: bool) -> None:
    wanted, passed = FILES[name]
    key = "debezium-flat" if name in FLAT else "debezium"
    messages, reader = read(name, key if named else "auto")
    assert len(messages) == len(wanted)
    for message, expected in zip(messages, wanted, strict=True):
        found = parts(message)
        record = {k: ... if expected.record.get(k) is ... else v for k, v in found.record.items()}
        assert exact(found._replace(record=record)) == exact(expected), message.place
        assert message.record_pks == [text_of(v) for v in (expected.key or {}).values()]
        assert message.key_origin == ("unknown" if expected.key is None else "row")
        assert message.metadata["table_schema"] == "public"
        assert message.format == key
    assert dict(reader.passed_over) == passed
    assert reader.faults == 0
    lines = sum(1 for _ in raws(name))
    assert len(messages) + sum(passed.values()) == lines


@pytest.mark.parametrize("name", FILES)
def test_positions_and_idempotency_keys_differ_and_are_the_same_when_read_again(name: str) -> None:
    messages, _ = read(name)
    again, _ = read(name)
    parts: list[Callable[[Message], Any]] = [
        lambda m: m.position, lambda m: m.metadata["idempotency_key"],
    ]  # fmt: skip
    for part in parts:
        assert len({part(m) for m in messages}) == len(messages)
        assert [part(m) for m in messages] == [part(m) for m in again]


@pytest.mark.parametrize("name", FILES)
def test_the_database_is_named(name: str) -> None:
    messages, reader = read(name)
    title = "Debezium, flattened, PostgreSQL" if name in FLAT else "Debezium, PostgreSQL"
    assert dict(reader.counts) == {title: len(messages)}


def test_every_column_of_a_schema_has_its_type() -> None:
    messages, _ = read("schema_on")
    types = next(m.types for m in messages if m.metadata["table_name"] == "t_types")
    assert dict(types) == {
        "id": "int4", "n102": "numeric", "nfree": "numeric", "n5": "numeric", "f8": "float8",
        "f4": "float4", "i2": "int2", "i8": "int8", "m": "numeric", "bo": "bool",
        "tstz": "timestamptz", "ts": "timestamp", "ts3": "timestamp", "ts0": "timestamp",
        "d": "date", "t": "time", "t3": "time", "ttz": "timetz", "iv": "interval", "b": "bytea",
        "u": "uuid", "j": "jsonb", "jb": "jsonb", "x": "xml", "tv": "tsvector", "hs": "jsonb",
        "ci": "text", "lt": "ltree", "ta": "text[]", "ia": "int4[]", "na": "numeric[]",
        "ba": "bool[]", "tsa": "timestamptz[]", "da": "date[]", "ja": "jsonb[]", "ua": "uuid[]",
        "i2d": "int4[]", "byta": "bytea[]", "ea": "text[]", "r4": "text", "nr": "text",
        "tsr": "text", "tstzr": "text", "dr": "text", "ip": "text", "ci4": "text", "mac": "text",
        "bit1": "bool", "bit8": "bit", "vb": "varbit", "oi": "int8", "e": "text", "dp": "numeric",
        "dt": "text", "c5": "text", "vc": "text", "pt": "point", "nm": "text", "dft": "int4",
        "dfttxt": "text", "ident": "int4",
    }  # fmt: skip


def test_places_in_transactions_and_times_with_microseconds() -> None:
    messages, _ = read("txmeta")
    snap = [m for m in messages if m.metadata["table_name"] == "t_snap"]
    order = [m.metadata["commit_idx"] for m in snap if m.record["name"].startswith("tx-")]
    assert order == [0, 1, 2]
    last = messages[-1].metadata
    assert last["commit_timestamp"] == "2026-11-28T17:00:27.343616Z"
    assert last["commit_lsn"] == 124522168
    assert last["source"]["txId"] == 1866
    assert last["transaction"]["total_order"] == 1
    first = read("default")[0][0].metadata
    assert first["commit_timestamp"] == "2026-11-28T16:57:53.561201Z"
