"""Parquet files as samples."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from routestudio.errors import UsageError
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.sources import files, parquet


def test_rows_become_read_messages(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    tables = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "orders.parquet"
    table = arrow.table(
        {
            "id": [1, 2**62],
            "total": [Decimal("10.10"), None],
            "at": [dt.datetime(2024, 5, 6, 7, 8, tzinfo=dt.UTC), None],
            "tags": [["a"], []],
        }
    )
    tables.write_table(table, file)
    found = list(RowReader().read_all(files.read_file(file)))
    assert all(isinstance(item, Message) for item in found)
    first, second = found
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.action, first.metadata["table_name"]) == ("read", "orders")
    assert first.record == {
        "id": 1, "total": "10.10", "at": "2024-05-06T07:08:00.000000Z", "tags": ["a"],
    }  # fmt: skip
    assert second.record["id"] == 2**62
    assert files.count_rows(file) == 2


def test_other_files_and_a_missing_package_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "orders.parquet"
    file.write_text("no parquet")
    if parquet.available():
        with pytest.raises(UsageError, match="is not Parquet"):
            list(files.read_file(file))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert not parquet.available()
    with pytest.raises(UsageError, match="need the package `pyarrow`") as caught:
        list(files.read_file(file))
    assert "routestudio[parquet]" in str(caught.value.hint)
