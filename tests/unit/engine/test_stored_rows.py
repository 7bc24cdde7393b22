"""Rows of large files: found piece by piece, read again from any place, the same as in order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine import stored_rows
from routestudio.engine.stored_rows import LineStore, SpooledStore, StoredRows
from routestudio.formats.reader import Row, RowReader
from routestudio.model.message import Message
from routestudio.sources import files


def event(number: int, op: str = "c") -> dict[str, Any]:
    after = None if op == "t" else {"id": number, "note": "ü" * (number % 50)}
    return {"before": None, "after": after, "op": op, "ts_ms": 1_700_000_000,
            "source": {"connector": "postgresql", "name": "shop", "db": "shop",
                       "schema": "public", "table": "stock", "lsn": 100 + number,
                       "txId": 1}}  # fmt: skip


def own(number: int) -> dict[str, Any]:
    return {"action": "insert", "record": {"id": number}, "metadata": {"table_name": "t"}}


def several(number: int) -> dict[str, Any]:
    """A batch of none to three messages."""
    return {"data": [{"record": {"id": n}, "action": "insert", "changes": None, "metadata": {}}
                     for n in range(number % 4)]}  # fmt: skip


KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "own": own,
    "debezium": lambda n: event(n, "t" if n % 7 == 3 else "c"),
    "batches": several,
    "plain": lambda n: {"id": n, "text": 'a "b"\n, c'},
}


def write(folder: Path, kind: str, form: str, count: int) -> Path:
    rows = [KINDS[kind](number) for number in range(count)]
    path = folder / f"rows.{form}"
    if form == "json":
        path.write_text(json.dumps(rows, indent=1 if kind == "plain" else None))
    elif form == "csv":
        path.write_text("id,text\n" + "".join(f'{n},"a, ""b""\nc"\n' for n in range(count)))
    else:
        lines = [json.dumps(row) + ("\n\n" if n % 5 == 0 else "\n") for n, row in enumerate(rows)]
        path.write_text("".join(lines) + "{broken\n")
    return path


def stored(path: Path) -> StoredRows:
    store = LineStore(path, {}) if path.suffix == ".jsonl" else SpooledStore(path)
    return StoredRows(store, RowReader())


def whole(rows: StoredRows) -> StoredRows:
    while not rows.whole:
        rows.grow(1)
    return rows


def same(found: Row, wanted: Row) -> bool:
    if isinstance(found, Message) and isinstance(wanted, Message):
        parts = (found, wanted)
        ours, theirs = ((m.action, m.record, m.changes, m.metadata, m.index, m.position, m.place,
                         m.line, m.key_origin) for m in parts)  # fmt: skip
        return ours == theirs
    return found == wanted


@pytest.fixture(params=[("own", "jsonl"), ("debezium", "jsonl"), ("batches", "jsonl"),
                        ("plain", "jsonl"), ("plain", "json"), ("debezium", "json"),
                        ("plain", "csv")], ids="-".join)  # fmt: skip
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path, *request.param, 1_000)  # type: ignore[call-arg]


def test_rows_are_those_of_a_reading_in_order(path: Path) -> None:
    wanted = list(RowReader().read_all(files.read_file(path)))
    rows = whole(stored(path))
    assert len(rows) == len(wanted)
    assert rows.fraction == 1.0
    chance = random.Random(path.name)
    for start in [0, len(rows) - 1, *(chance.randrange(len(rows)) for _ in range(12))]:
        found = rows.read(start, 70)
        assert len(found) == len(wanted[start : start + 70])
        assert all(map(same, found, wanted[start : start + 70]))
    assert rows.read(len(rows), 10) == []


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    rows = whole(stored(write(tmp_path, "debezium", "jsonl", 700)))
    assert not rows.each
    assert rows.recognised == {"Debezium, PostgreSQL": 600}
    assert rows.passed_over == {"truncate": 100}


def test_messages_in_our_own_form_are_not_read_to_be_counted(tmp_path: Path) -> None:
    rows = whole(stored(write(tmp_path, "own", "jsonl", 700)))
    assert rows.each
    assert rows.recognised == {"Messages of Sequin and RouteStudio": None}
    assert rows._counting.count <= stored_rows.SNIFFED


def test_the_first_rows_are_there_before_the_file_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "FIRST_SECONDS", 0.0)
    rows = stored(write(tmp_path, "debezium", "jsonl", 5_000))
    first = len(rows)
    assert 0 < first < 1_000
    assert not rows.whole
    assert 0 < rows.fraction < 0.5
    found = rows.read(0, 10)
    assert isinstance(found[0], Message)
    assert found[0].record["id"] == 0
    rows.grow(0.0)
    assert first < len(rows) < 5_000
    assert len(whole(rows)) == 5_000 - 714 + 1  # the last line is a fault


def test_little_is_remembered_of_a_row(tmp_path: Path) -> None:
    rows = whole(stored(write(tmp_path, "own", "jsonl", 10_000)))
    assert len(rows._places) <= 10_001 // stored_rows.EVERY + 1
    assert len(rows._firsts) == len(rows._places)


def test_changed_lines_stand_for_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(own(n)) + "\n" for n in range(300)))
    changed = json.dumps({**own(0), "record": {"id": "other"}})
    rows = whole(StoredRows(LineStore(path, {250: ("", changed)}), RowReader()))
    [row] = rows.read(249, 1)
    assert isinstance(row, Message)
    assert row.record == {"id": "other"}


def test_lines_over_the_limit_are_stepped_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routestudio.sources.lines.MAX_LINE", 1_000)
    path = tmp_path / "rows.jsonl"
    long = json.dumps({**own(0), "record": {"id": "x" * 5_000}})
    path.write_text("\n".join([json.dumps(own(1)), long, json.dumps(own(2))]) + "\n")
    rows = whole(StoredRows(LineStore(path, {}), RowReader()))
    first, fault, last = rows.read(0, 3)
    assert isinstance(first, Message)
    assert not isinstance(fault, Message)
    assert isinstance(last, Message)
    assert last.record == {"id": 2}
    assert (fault.line, last.line) == (2, 3)
