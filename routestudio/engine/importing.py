"""Requests of imports: what a paste, a file or a topic holds, and the sample set made of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from routestudio.engine.databases import located
from routestudio.engine.looking import resolver
from routestudio.engine.reading import Reading, reading_of
from routestudio.engine.row_types import types_json
from routestudio.engine.rows import message_of
from routestudio.errors import UsageError
from routestudio.formats import registry
from routestudio.formats.message import OwnForm
from routestudio.formats.plain import PlainRows
from routestudio.formats.reader import KeyBook, Row, RowReader
from routestudio.model import jsonio
from routestudio.model.message import ACTIONS, Action, KeyOrigin, Message
from routestudio.model.project import Project
from routestudio.model.rows import RawRow
from routestudio.project.files import write_own
from routestudio.project.parse import NAME
from routestudio.sources import files
from routestudio.sources import registry as sources
from routestudio.sources.base import Source

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Emit = Callable[[str, dict[str, Any]], None]

SHOWN: Final = 20
"""Messages and faults that are shown of an import."""
KNOWN: Final = 20_000
"""Rows that are read to recognise a file; an import reads all."""
LOOKED_AT: Final = 10_000
"""Rows that may be taken of a source on a server."""
LARGEST: Final = 8_000_000
"""Characters of a sample set that is held as text."""
_PAUSE: Final = 500
_DOCUMENTS: Final = (".json", ".csv", ".tsv", ".parquet")
_PIECE: Final = 1 << 20


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


@dataclass(frozen=True, slots=True)
class _OneTable(KeyBook):
    """Keys and types where all rows are of one table, whatever they contain."""

    table: tuple[str, str] = ("public", "unknown")

    def columns_of(self, metadata: Mapping[str, Any]) -> tuple[tuple[str, ...], KeyOrigin]:
        return self.columns(*self.table)

    def types_of(self, metadata: Mapping[str, Any]) -> Mapping[str, str]:
        return self.named_types(*self.table)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose for an import: how rows are read, and what is set in all messages.

    `action` is for plain rows only: the others have their own.
    """

    reading: Reading
    table: tuple[str, str] | None = None
    action: Action | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Settings:
        """Those of a request. Raises `UsageError`."""
        action = params.get("action") or None
        if action is not None and action not in ACTIONS:
            raise UsageError(f"`{str(action)[:40]}` is not an action",
                             hint=f"actions: {', '.join(ACTIONS)}")  # fmt: skip
        text = str(params.get("table") or "").strip()
        schema, dot, name = text.rpartition(".")
        if text and (not name or (dot and not schema)):
            raise UsageError(f"`{text[:80]}` is not a table", hint="for example public.orders")
        table = (schema or "public", name) if text else None
        return cls(reading_of(params), table, cast("Action | None", action))

    def reader(self, project: Project) -> RowReader:
        """A reader for one reading, with the keys and types that the project names."""
        user, keys, types = self.reading.key, project.table_keys, project.table_types
        book = KeyBook(user, keys, types)
        if self.table is not None:
            book = _OneTable(user, keys, types, self.table)
        return RowReader(envelope=self.reading.envelope, keys=book, options=self.reading.options)

    def applied(self, row: Row) -> Row:
        """A row with what was chosen for all."""
        if not isinstance(row, Message):
            return row
        if self.table is not None:
            schema, name = self.table
            metadata = {**row.metadata, "table_schema": schema, "table_name": name}
            row = replace(row, metadata=metadata)
        if self.action is not None and row.format == PlainRows.key:
            row = replace(row, action=self.action, changes={} if self.action == "update" else None)
        return row


class _Report:
    """Counts rows, and keeps the first messages and faults."""

    def __init__(self, reader: RowReader) -> None:
        self.reader = reader
        self.formats: Counter[str] = Counter()
        self.tables: Counter[str] = Counter()
        self.keys: Counter[tuple[str, tuple[str, ...], str]] = Counter()
        self.rows: list[dict[str, Any]] = []
        self.faults: list[dict[str, Any]] = []

    def add(self, row: Row) -> None:
        if not isinstance(row, Message):
            if len(self.faults) < SHOWN:
                self.faults.append({"place": row.place, "message": row.message, "hint": row.hint})
            return
        table = f"{row.metadata['table_schema']}.{row.metadata['table_name']}"
        self.formats[row.format] += 1
        self.tables[table] += 1
        self.keys[table, row.key_columns or (), row.key_origin] += 1
        if len(self.rows) < SHOWN:
            shown = {**message_of(row), "place": row.place, "notes": list(row.notes),
                     "types": types_json(row)}  # fmt: skip
            self.rows.append(shown)

    def as_json(self) -> dict[str, Any]:
        reader = self.reader
        clean = not reader.faults and not reader.passed_over
        return {
            "recognised": dict(reader.counts.most_common()),
            "passed_over": dict(reader.passed_over.most_common()),
            "messages": self.formats.total(),
            "faults": reader.faults,
            "first_faults": self.faults,
            "tables": dict(self.tables.most_common()),
            "keys": [{"table": table, "columns": list(columns), "origin": origin, "rows": rows}
                     for (table, columns, origin), rows in self.keys.most_common()],
            "rows": self.rows,
            "formats": list(self.formats),
            "own": clean and list(self.formats) == [OwnForm.key],
        }  # fmt: skip


class ImportMethods:
    """Requests about rows that are not in the project yet.

    All take one of `text` (with `name` for places), `path` and `address` (of a source on a server,
    with `limit`), and may take `envelope`, `key`, `table` (of all rows, `schema.table`) and
    `action` (of plain rows).
    """

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self._source: Source | None = None
        self._taken: tuple[str, Sequence[RawRow]] = ("", ())
        self.methods: dict[str, Callable[..., Any]] = {
            "row_formats": self.row_formats,
            "end_look": self.end_look,
            "recognise": self.recognise,
            "sample_of": self.sample_of,
            "add_sample_file": self.add_sample_file,
        }

    async def row_formats(self, *, emit: Emit = _ignore) -> list[list[str]]:
        """Keys and titles of the row formats that can be named; the first recognises them."""
        known = registry.formats()
        return [[registry.AUTO, "Recognise"], *([key, known[key].title] for key in known)]

    async def end_look(self, *, emit: Emit = _ignore) -> None:
        """Let a look that waits for more rows end with those that it has."""
        if self._source is not None:
            self._source.end_look()

    async def recognise(self, *, emit: Emit = _ignore, **given: Any) -> dict[str, Any]:
        """What rows hold: `recognised` and `passed_over` with counts, `messages`, `faults` (how
        many) and `first_faults`, `tables`, `keys` (columns and who names them), the first `rows`,
        `formats` (their keys), `own` (all are messages as they are), `whole` (all rows were read),
        `large` (too large for a set that is held as text), `lines` (text or file can be a sample
        set as it is).

        Emits `notice` for what an address waits for, and `taken` with how many rows there are;
        with `live` also `messages`, the new ones. Raises `UsageError` and, for an address,
        `LinkError`.
        """
        settings = Settings.of(given)
        raws, settings = await self._raws(given, settings, again=bool(given.get("again")),
                                          emit=emit)  # fmt: skip
        reader = settings.reader(self._project)
        report = _Report(reader)
        whole = True
        for number, raw in enumerate(raws, 1):
            for row in reader.read(raw):
                report.add(settings.applied(row))
            if number % _PAUSE == 0:
                await asyncio.sleep(0)
            if number == KNOWN and "path" in given:
                whole = next(iter(raws), None) is None
                break
        size = _size(given)
        return {**report.as_json(), "whole": whole, "large": size > LARGEST,
                "lines": _is_lines(given)}  # fmt: skip

    async def sample_of(self, *, emit: Emit = _ignore, **given: Any) -> dict[str, Any]:
        """The messages as JSON lines: `text`, and `skipped`, the rows that cannot be read.

        Raises `UsageError` for what cannot be read, or holds more than `LARGEST` characters.
        """
        settings = Settings.of(given)
        raws, settings = await self._raws(given, settings, again=True)
        reader = settings.reader(self._project)
        lines: list[str] = []
        size = 0
        for number, row in enumerate(reader.read_all(raws), 1):
            if number % _PAUSE == 0:
                await asyncio.sleep(0)
            made = settings.applied(row)
            if not isinstance(made, Message):
                continue
            line = jsonio.dumps(made.as_row()) + "\n"
            size += len(line)
            if size > LARGEST:
                raise UsageError(
                    f"this makes a sample set of more than {LARGEST:,} characters",
                    hint="import it from a file, or take fewer rows",
                )
            lines.append(line)
        return {"text": "".join(lines), "skipped": reader.faults,
                "passed_over": dict(reader.passed_over)}  # fmt: skip

    async def add_sample_file(
        self, *, name: str, emit: Emit = _ignore, **given: Any
    ) -> dict[str, Any]:
        """Write a file of any size into the folder `samples` at once: JSON lines as they are,
        others as messages. It is not an edit: too large for undo. Returns the snapshot.

        Raises `UsageError` and `ProjectError`.
        """
        project = self._service.workspace.project
        if not NAME.fullmatch(name):
            raise UsageError(f"`{name[:40]}` is not a name",
                             hint="letters, digits, `_`, `-` and `.`")  # fmt: skip
        if name in project.project.samples:
            raise UsageError(f"there is a sample `{name}` already", hint="choose another name")
        path, settings = _file(given["path"]), Settings.of(given)
        parts = _pieces(path) if _is_lines(given) else _converted(path, settings, project.project)
        await asyncio.to_thread(write_own, project.root, f"samples/{name}.jsonl", parts)
        project.reread()
        return self._service.snapshot()

    @property
    def _project(self) -> Project:
        return self._service.workspace.project.project

    async def _raws(
        self, given: Mapping[str, Any], settings: Settings, *, again: bool, emit: Emit = _ignore
    ) -> tuple[Iterator[RawRow], Settings]:
        """The raw rows of a request, and the settings with those of an address.

        With `again`, rows that were taken of the same address are not taken another time.
        """
        if "text" in given:
            return iter(files.read_text(given["text"], given.get("name") or "text")), settings
        if "path" in given:
            return iter(files.read_file(_file(given["path"]))), settings
        if not given.get("address"):
            raise UsageError("an import needs a text, a file or an address")
        address, found = Reading().taken_from(str(given["address"]))
        chosen = settings.reading
        if chosen.envelope == registry.AUTO:
            chosen = replace(chosen, envelope=found.envelope)
        chosen = replace(chosen, key=chosen.key or found.key, options=found.options)
        limit = max(1, min(chosen.limit or 100, LOOKED_AT))
        name = f"{limit} {address}"
        if not again or self._taken[0] != name:
            reader = replace(settings, reading=chosen).reader(self._project)
            live = reader if given.get("live") else None
            self._taken = (name, await self._look(address, limit, emit, live))
        return iter(self._taken[1]), replace(settings, reading=chosen)

    async def _look(
        self, address: str, limit: int, emit: Emit, live: RowReader | None
    ) -> list[RawRow]:
        workspace = self._service.workspace
        address, resolve = located(workspace, address, resolver(workspace))
        source = self._source = sources.get(address)(address, resolve, looking=True)
        source.notice = lambda text: emit("notice", {"text": text})  # type: ignore[method-assign]
        rows: list[RawRow] = []
        try:
            async for chunk in source.look(limit):
                rows += chunk
                emit("taken", {"rows": len(rows)})
                if live is not None:
                    found = [row for raw in chunk for row in live.read(raw)]
                    made = [row.as_row() for row in found if isinstance(row, Message)]
                    emit("messages", {"rows": made})
            return rows
        finally:
            self._source = None
            await source.close()


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="choose another file")
    return path


def _is_lines(given: Mapping[str, Any]) -> bool:
    """Whether a file or a text of messages has one on each line."""
    if "path" in given:
        return Path(given["path"]).suffix not in _DOCUMENTS
    return not str(given.get("text", "[")).lstrip("\ufeff \t\r\n").startswith("[")


def _size(given: Mapping[str, Any]) -> int:
    if "path" in given:
        return Path(given["path"]).stat().st_size
    return len(given.get("text", ""))


def _converted(path: Path, settings: Settings, project: Project) -> Iterator[bytes]:
    """The messages of a file as JSON lines, one by one."""
    for row in settings.reader(project).read_all(files.read_file(path)):
        made = settings.applied(row)
        if isinstance(made, Message):
            yield (jsonio.dumps(made.as_row()) + "\n").encode("utf-8", "surrogatepass")


def _pieces(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            while data := file.read(_PIECE):
                yield data
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"{path} cannot be read: {reason}", hint="choose another file") from None
