"""Commands about rows as such: `sample` reads a source as messages, `formats` describes formats."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TextIO

from routestudio.cli.inputs import rows_of_input, say_recognised
from routestudio.cli.output import json_line, out, paint, redact_with, say, table
from routestudio.cli.reading_options import reading_params
from routestudio.derive import formats_pages
from routestudio.engine.looking import looked_at
from routestudio.engine.reading import Reading, reading_of
from routestudio.engine.rows import message_of
from routestudio.errors import Place, UsageError
from routestudio.formats import registry
from routestudio.formats.reader import Row, RowReader
from routestudio.model import jsonio
from routestudio.model.message import Message
from routestudio.model.wording import counted
from routestudio.project.redaction import Redactor
from routestudio.sources.uri import is_uri

_CHUNK = 500
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


async def sample(options: argparse.Namespace) -> int:
    """`routestudio sample`: rows as messages; exit code 1 when a row could not be read."""
    reading = reading_of(reading_params(options))
    address = options.source
    if is_uri(address):
        address, reading = reading.taken_from(address)
    reader = reading.reader(None)
    written = 0
    with ExitStack() as stack:
        target = stack.enter_context(_opened(options.output)) if options.output else None
        async for rows in _rows(address, reading, reader):
            for row in rows:
                written += isinstance(row, Message)
                _show(row, options.format, target)
    counts = dict(reader.counts)
    summary = {"envelope": counts, "messages": written, "passed_over": dict(reader.passed_over),
               "faults": reader.faults, "cut": reader.cut}  # fmt: skip
    if options.format == "json":
        json_line({"summary": summary})
    else:
        many = f"{counted(written, 'message')}, {counted(reader.faults, 'fault')}"
        say(many)
        say_recognised(reader)
    return 1 if reader.faults else 0


async def formats(options: argparse.Namespace) -> int:
    """`routestudio formats`: every row format, or one of them in full."""
    if options.name is None:
        found = [formats_pages.describe(item) for item in registry.formats().values()]
        if options.format == "json":
            json_line(found)
        else:
            table([(f["key"], f["title"], ", ".join(f["passes_over"])) for f in found],
                  ("name", "format", "passed over"), limit=70)  # fmt: skip
        return 0
    described = formats_pages.describe(registry.get(options.name))
    if options.format == "json":
        json_line(described)
        return 0
    out(paint(described["title"], "bold"))
    for line in formats_pages.lines(registry.get(options.name)):
        out(line)
    return 0


async def _rows(address: str, reading: Reading, reader: RowReader) -> AsyncIterator[Sequence[Row]]:
    if is_uri(address):
        async for rows in looked_at(address, _resolve, reading, reader):
            yield rows
        return
    found = rows_of_input(address, reading, reader)
    left = reading.limit
    while rows := list(islice(found, _CHUNK if left is None else min(_CHUNK, left))):
        yield rows
        left = None if left is None else left - len(rows)


def _show(row: Row, form: str, target: TextIO | None) -> None:
    if isinstance(row, Message):
        message, types = message_of(row), dict(row.types)
        # Without the types, functions would see text where this row has decimals and times.
        line = {**message, "types": types} if types else message
        if target is not None:
            target.write(jsonio.dump_bytes(line).decode() + "\n")
        if form == "json":
            json_line({"message": message, "place": row.place, "position": row.position,
                       "format": row.format, "types": types, "notes": list(row.notes)})  # fmt: skip
        elif target is None:
            json_line(line)
    elif form == "json":
        json_line({"fault": row.message, "hint": row.hint, "place": row.place})
    else:
        hint = f" ({row.hint})" if row.hint else ""
        say(f"{row.place}: {row.message}{hint}")


def _resolve(reference: str) -> str | None:
    """The value of a variable that an address names for its password: printed nowhere."""
    found = _VARIABLE.fullmatch(reference)
    value = os.environ.get(found[1]) if found else None
    if value:
        redact_with(Redactor((value,)).redact)
    return value


def _opened(name: str) -> TextIO:
    try:
        return Path(name).open("w", encoding="utf-8", errors="surrogatepass")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", place=Place(name)) from None
