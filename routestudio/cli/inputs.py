"""The rows of a file without a project, and what was recognised in rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from routestudio.cli.output import say
from routestudio.engine.reading import MORE, Reading, cut_text
from routestudio.errors import Place, UsageError
from routestudio.formats.message import OwnForm
from routestudio.formats.reader import Row, RowReader
from routestudio.sources import files, lines


def rows_of_input(name: str, reading: Reading, reader: RowReader | None = None) -> Iterator[Row]:
    """Messages and faults of a file or, for `-`, of standard input. Raises `UsageError`."""
    reader = reader or reading.reader(None)
    if name != "-":
        yield from reader.read_all(files.read_file(Path(name)))
        return
    try:
        yield from reader.read_all(lines.read_stream(sys.stdin.buffer, "<standard input>"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(name)) from None


def say_recognised(reader: RowReader) -> None:
    """What was recognised and passed over, and whether there is more, on standard error; nothing
    for our own form alone."""
    text = recognised(reader.counts, reader.passed_over)
    if text:
        say(text)
    if reader.cut is not None:
        say(f"{cut_text(reader.cut)} ({MORE})")


def recognised(counts: Mapping[str, int], passed_over: Mapping[str, int]) -> str:
    """`Debezium, PostgreSQL: 61 messages; 8 passed over (8 tombstones)`; empty when there is
    nothing to report: messages in our own form, and nothing passed over."""
    parts = [f"{title}: {number:,} message{'s' * (number != 1)}"
             for title, number in counts.items() if title != OwnForm.title]  # fmt: skip
    if passed_over:
        kinds = ", ".join(f"{number:,} {kind}{'s' * (number != 1)}"
                          for kind, number in passed_over.items())  # fmt: skip
        parts.append(f"{sum(passed_over.values()):,} passed over ({kinds})")
    return "; ".join(parts)
