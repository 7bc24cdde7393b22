"""Rows of Parquet files, read batch by batch. Needs the optional package `pyarrow`."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable, Iterator, Mapping
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


def types(path: Path) -> dict[str, str]:
    """The types of a file's columns by PostgreSQL's names. Raises `UsageError` like `rows`."""
    file = _open(path)
    try:
        return {field.name: type_name(str(field.type)) for field in file.schema_arrow}
    finally:
        file.close()


def type_name(written: str) -> str:
    """PostgreSQL's name of a type of Arrow, such as `decimal128(10, 2)`, `list<element: int32>`."""
    name, _, inner = written.partition("<")
    if name.endswith("list"):
        return (
            type_name(inner.removesuffix(">").partition(": ")[2].removesuffix(" not null")) + "[]"
        )
    if name == "dictionary":
        return type_name(inner.removeprefix("values=").partition(", indices=")[0])
    if name == "timestamp" or written.startswith("timestamp["):
        return "timestamptz" if ", tz=" in written else "timestamp"
    return _TYPES.get(name.partition("[")[0].partition("(")[0], "jsonb" if inner else "text")


_TYPES: Final[Mapping[str, str]] = {
    "int8": "int2", "uint8": "int2", "int16": "int2", "uint16": "int4", "int32": "int4",
    "uint32": "int8", "int64": "int8", "uint64": "numeric", "halffloat": "float4",
    "float": "float4", "double": "float8", "bool": "bool", "decimal32": "numeric",
    "decimal64": "numeric", "decimal128": "numeric", "decimal256": "numeric", "date32": "date",
    "date64": "date", "time32": "time", "time64": "time", "duration": "interval",
    "binary": "bytea", "large_binary": "bytea", "fixed_size_binary": "bytea",
    "binary_view": "bytea",
}  # fmt: skip


def _interval(value: dt.timedelta) -> dict[str, int]:
    days, rest = value.days, value.seconds * 1_000_000 + value.microseconds
    return {"months": 0, "days": days, "microseconds": rest}


_VALUES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "bytea": lambda value: "\\x" + value.hex(), "interval": _interval,
}  # fmt: skip


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file by column names: plain values, `Decimal`, dates and times.

    Bytes and durations are what a server makes of them. Times have microseconds: further digits are
    cut off. Raises `UsageError` when the file is not Parquet, or the package is not there.
    """
    file = _open(path)
    try:
        wanted = _microseconds(file.schema_arrow)
        made = {field.name: of for field in file.schema_arrow
                if (of := _VALUES.get(type_name(str(field.type)))) is not None}  # fmt: skip
        for batch in file.iter_batches(batch_size=BATCH):
            cast = batch if wanted is None else batch.cast(wanted, safe=False)
            for row in cast.to_pylist():
                for name, of in made.items():
                    if row[name] is not None:
                        row[name] = of(row[name])
                yield row
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


def _microseconds(schema: Any) -> Any:
    """The schema with microseconds in the place of nanoseconds; `None` where it has none."""
    arrow = importlib.import_module("pyarrow")
    finer = {arrow.time64("ns"): arrow.time64("us"), arrow.duration("ns"): arrow.duration("us")}
    changed = schema
    for number, field in enumerate(schema):
        new = finer.get(field.type)
        if arrow.types.is_timestamp(field.type) and field.type.unit == "ns":
            new = arrow.timestamp("us", field.type.tz)
        if new is not None:
            changed = changed.set(number, field.with_type(new))
    return None if changed is schema else changed


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
