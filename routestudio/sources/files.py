"""Files, pastes and standard input as raw rows, by what they hold."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from routestudio.model import jsonio
from routestudio.model.rows import Fault, Raw, RawRow
from routestudio.sources import parquet
from routestudio.sources.documents import read_array, read_table
from routestudio.sources.lines import index_file, position, read_stream, unreadable

LINES: Final = (".jsonl", ".ndjson")
"""Endings of files that are read line by line; so is any other that is not named here."""


def read_file(path: Path) -> Iterator[RawRow]:
    """The rows of a file, by its ending: JSON lines, `.json` (an array), `.csv`, `.parquet`.

    Raises `UsageError` for a file that cannot be read or is not text.
    """
    if path.suffix == ".parquet":
        yield from _records(parquet.rows(path), path.name, parquet.types(path))
        return
    try:
        with path.open("rb") as file:
            if path.suffix == ".json":
                yield from read_array(file, str(path))
            elif path.suffix in (".csv", ".tsv"):
                yield from read_table(file, str(path))
            else:
                yield from read_stream(file, str(path))
    except OSError as error:
        raise unreadable(error, path) from None


def read_text(text: str, name: str = "text") -> Iterator[RawRow]:
    """Rows of typed or pasted text: JSON lines, a JSON array, or CSV with a header.

    `name` is the file that the text is of, or will be. Raises `UsageError`.
    """
    data = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    body = text.lstrip("\ufeff \t\r\n")
    if body.startswith("["):
        return read_array(data, name)
    if Path(name).suffix not in LINES and _is_table(body):
        return read_table(data, name)
    return read_stream(data, name)


def count_rows(path: Path, limit: int = 1_000_000_000) -> int:
    """How many rows a sample file has; bad ones count. Raises `UsageError` as `read_file` does."""
    if path.suffix == ".parquet":
        return min(parquet.count(path), limit)
    if path.suffix in LINES:
        return len(index_file(path))
    return sum(1 for _ in islice(read_file(path), limit))


COUNTED: Final = 32 << 20
"""Bytes of a file whose rows are counted; of a longer one their number is estimated."""
_WEIGHED: Final = 2_000
"""Rows by which the number of all is estimated."""


def rows_about(path: Path) -> int:
    """How many rows a sample file has: counted, or estimated by the length of its first ones.

    Raises `UsageError` as `read_file` does.
    """
    size = path.stat().st_size
    if size <= COUNTED or path.suffix == ".parquet":
        return count_rows(path)
    first = [_length(raw) for raw in islice(read_file(path), _WEIGHED)]
    return size * len(first) // max(1, sum(first))


def _length(raw: RawRow) -> int:
    """About as many bytes as a row has in its file."""
    if isinstance(raw, Fault):
        return max(1, len(raw.text or ""))
    if isinstance(raw.value, bytes):
        return len(raw.value) + 1
    if raw.table and isinstance(raw.value, dict):
        return sum(len(str(cell or "").encode()) + 1 for cell in raw.value.values())
    return len(jsonio.dumps(raw.value).encode("utf-8", "surrogatepass")) + 2


def _is_table(body: str) -> bool:
    """Whether a text is CSV: a header of several names, and no JSON in sight."""
    header, _, rest = body.partition("\n")
    if body[:1] in ("", "{") or not rest.strip():
        return False
    return any(mark in header for mark in ",;\t") and "{" not in header


def _records(
    rows: Iterator[dict[str, Any]], name: str, types: Mapping[str, str]
) -> Iterator[RawRow]:
    """Rows of a typed table, with values as they are in JSON."""
    for row, record in enumerate(rows, 1):
        place = f"{name}:{row}"
        try:
            text = jsonio.dumps(record)
            value = jsonio.loads(text)
        except (TypeError, ValueError) as error:
            yield Fault(row, f"the row has no JSON form: {error}", place=place)
            continue
        data = text.encode("utf-8", "surrogatepass")
        yield Raw(value, topic=name, position=position(name, row, data), place=place, line=row,
                  table=True, types=types)  # fmt: skip
