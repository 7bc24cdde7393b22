"""No row, however spoiled, makes a reader raise, hang, or give what cannot be delivered."""

from __future__ import annotations

import os
import time
from itertools import islice
from typing import Any

import pytest

from routestudio.formats import registry
from routestudio.formats.base import Fault
from routestudio.formats.reader import RowReader
from routestudio.model import jsonio
from routestudio.model.message import ACTIONS, Message
from tests.fuzz.rows import rows

SECONDS = float(os.environ.get("ROUTESTUDIO_FUZZ", "0"))
SHORT = 3_000
"""Rows that are read without `ROUTESTUDIO_FUZZ`."""


def check(found: list[Any], reader: RowReader) -> None:
    """Rows are whole messages or faults with something to say.

    Only a dump that holds a record twice gives a position twice: then the rows are the same, too.
    """
    said: dict[str, Any] = {}
    for row in found:
        if isinstance(row, Message):
            what = (row.action, row.record, row.changes)
            assert said.setdefault(row.position, what) == what
    for row in found:
        if isinstance(row, Fault):
            assert row.message
            assert row.line >= 0
            continue
        assert isinstance(row, Message)
        assert row.action in ACTIONS
        assert isinstance(row.record, dict)
        if row.format != "message":  # which says itself what it has
            assert (row.changes is None) is (row.action != "update")
        assert all(isinstance(pk, str) for pk in row.metadata["record_pks"])
        assert row.metadata["idempotency_key"]
        assert all(isinstance(type_, str) for type_ in row.types.values())
        assert all(isinstance(note, str) for note in row.notes)
        jsonio.dump_bytes(row.as_json())


def read(readers: dict[str, RowReader], start: Any, raw: Any) -> int:
    """Read one row by its own format and by recognition; the rows that came of it."""
    count = 0
    for name in {registry.AUTO, start.format or registry.AUTO}:
        reader = readers.setdefault(name, RowReader(envelope=name))
        found = reader.read(raw)
        check(found, reader)
        count += len(found)
    return count


def test_spoiled_rows_are_messages_or_faults() -> None:
    readers: dict[str, RowReader] = {}
    count = sum(read(readers, start, raw) for start, raw in islice(rows(2026), SHORT))
    assert count > SHORT / 2


@pytest.mark.skipif(not SECONDS, reason="ROUTESTUDIO_FUZZ=seconds runs it")
def test_spoiled_rows_for_long() -> None:
    end = time.monotonic() + SECONDS
    seed = int(time.time())
    number = count = 0
    readers: dict[str, RowReader] = {}
    slowest, slow = 0.0, b""
    for start, raw in rows(seed):
        if number % 20_000 == 0:
            readers = {}  # what was learned is bounded, but one reader serves one reading
        began = time.perf_counter()
        try:
            count += read(readers, start, raw)
        except BaseException:
            print(f"seed {seed}, row {number}: {raw!r}"[:2_000])
            raise
        took = time.perf_counter() - began
        if took > slowest:
            slowest, slow = took, repr(raw.value)[:200].encode()
        number += 1
        if time.monotonic() > end:
            break
    print(f"{number} rows, {count} messages and faults, seed {seed}; "
          f"slowest {slowest * 1000:.1f} ms: {slow!r}")  # fmt: skip
    assert number > 100
