"""Makes files of a given size in any row format. Rows repeat, but for their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from routestudio.formats import registry

PAD = "leave at the door, ring twice; " * 130
"""About 4 kB, as a row with a document in it has."""
ROWS = 2_000
"""Rows of a block, which is written again and again."""


def debezium(number: int) -> dict[str, Any]:
    """A change event without schema; every tenth is a truncate, which is passed over."""
    row = {"id": number, "note": PAD}
    source = {"connector": "postgresql", "name": "shop", "db": "shop", "schema": "public",
              "table": "orders", "lsn": 100 + number, "txId": 1}  # fmt: skip
    op = "t" if number % 10 == 9 else "c"
    return {"before": None, "after": None if op == "t" else row, "source": source, "op": op,
            "ts_ms": 1_700_000_000}  # fmt: skip


def message(number: int) -> dict[str, Any]:
    """A message in our own form."""
    return {"action": "insert", "record": {"id": number, "note": PAD}, "changes": None,
            "metadata": {"table_name": "orders", "table_schema": "public"}}  # fmt: skip


def plain(number: int) -> dict[str, Any]:
    """A row and nothing else."""
    return {"id": number, "note": PAD}


def of_format(key: str) -> Callable[[int], dict[str, Any]]:
    """A row like the first example of a format that is a message."""
    value = next(e.value for e in registry.get(key).examples
                 if not (isinstance(e.gives, str) or e.named or e.value is None))  # fmt: skip
    found: dict[str, Any] = value
    return lambda _: found


MAKERS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "own form": ("jsonl", message),
    "Debezium": ("jsonl", debezium),
    "JSON array": ("json", plain),
    "CSV": ("csv", plain),
    "Parquet": ("parquet", plain),
    **{key: ("jsonl", of_format(key)) for key in registry.formats()
       if key not in ("message", "plain", "debezium-flat")},
}  # fmt: skip
"""Kinds of files: ending, and what makes a row."""


def write(path: Path, kind: str, size: int) -> None:
    """Write a file of this kind with at least `size` bytes."""
    ending, make = MAKERS[kind]
    if ending == "parquet":
        _parquet(path, make, size)
        return
    with path.open("wb") as file:
        if ending == "csv":
            file.write(b"id,note\n")
        if ending == "json":
            file.write(b"[")
        first = True
        for block in _blocks(ending, make):
            file.write(b"" if first or ending != "json" else b",\n")
            file.write(block)
            first = False
            if file.tell() >= size:
                break
        if ending == "json":
            file.write(b"]")


def _blocks(ending: str, make: Callable[[int], dict[str, Any]]) -> Iterator[bytes]:
    rows = [make(number) for number in range(ROWS)]
    if ending == "csv":
        text = "".join(f'{row["id"]},"{row["note"]}"\n' for row in rows)
    elif ending == "json":
        text = ",\n".join(map(json.dumps, rows))
    else:
        text = "".join(json.dumps(row) + "\n" for row in rows)
    while True:
        yield text.encode()


def _parquet(path: Path, make: Callable[[int], dict[str, Any]], size: int) -> None:
    """Without compression, since rows that repeat would become nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([make(number) for number in range(ROWS)])
    with path.open("wb") as file:
        options = {"compression": "none", "use_dictionary": False}
        with pq.ParquetWriter(file, table.schema, **options) as writer:
            while file.tell() < size:
                writer.write_table(table)


def described(path: Path) -> str:
    """Size of a file in words."""
    return f"{path.stat().st_size / 1e9:.2f} GB"
