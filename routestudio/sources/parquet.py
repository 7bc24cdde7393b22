"""Rows of Parquet files, read batch by batch. Needs the optional package `pyarrow`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, UsageError

BATCH: Final = 1_000


def available() -> bool:
    """Whether Parquet files can be read here."""
    try:
        importlib.import_module("pyarrow.parquet")
    except ImportError:
        return False
    return True


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file by column names: plain values, `Decimal`, dates, times, bytes.

    Raises `UsageError` when the file is not Parquet, or the package is not there.
    """
    file = _open(path)
    try:
        for batch in file.iter_batches(batch_size=BATCH):
            yield from batch.to_pylist()
    except (ValueError, OSError) as error:
        raise UsageError(f"cannot be read: {_first(error)}", place=Place(str(path))) from None
    finally:
        file.close()


def count(path: Path) -> int:
    """Number of rows, from the end of the file. Raises `UsageError` like `rows`."""
    file = _open(path)
    try:
        return int(file.metadata.num_rows)
    finally:
        file.close()


def _open(path: Path) -> Any:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            "Parquet files need the package `pyarrow`", place=Place(str(path)),
            hint="install routestudio[parquet], or convert the file to CSV or JSON lines",
        ) from None  # fmt: skip
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError) as error:
        raise UsageError(f"is not Parquet: {_first(error)}", place=Place(str(path))) from None


def _first(error: Exception) -> str:
    return (str(error).splitlines() or ["unreadable"])[0][:200]
