"""Reads back what a sink's real destination holds, and compares it with the preview.

The preview is that of the same rows by the same stages; the service is read with the sink's own
settings (`Sink.read_back`). Nothing is written, so read-only environments may be read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.api.codec import load
from routestudio.api.reading import ReadAnswer, ReadingSide
from routestudio.api.reading import ReadBack as Result
from routestudio.api.sources import Source
from routestudio.engine import enrichment
from routestudio.engine.environments import name_of
from routestudio.engine.messages import first
from routestudio.engine.previews import CHUNK, staged_of
from routestudio.engine.read_back_diff import MEANINGS, Compared, compare
from routestudio.engine.targets import target_of
from routestudio.engine.workspace import Opened, PreparedSink, Workspace
from routestudio.errors import LinkError, UsageError
from routestudio.project.redaction import MARGIN, beginning
from routestudio.sinks.reading import (
    NoReadBack,
    ReadBack,
    Reader,
    Stored,
    TraceError,
    Wanted,
    Window,
)

Redact = Callable[[str], str]

MOST_MESSAGES: Final = 10_000
"""Rows of the source that are previewed for it."""

LEAST: Final = 100
MOST: Final = 1_000
"""Records that are read of a destination without a limit: as many as were previewed, within
these."""

MOST_RECORDS: Final = 10_000
"""Largest limit."""

MOST_DESTINATIONS: Final = 100
DEADLINE: Final = 60.0
"""Seconds for reading all destinations."""

_PREVIEW_BYTES: Final = 64 << 20
_BODY: Final = 64 << 10
_SHOWN: Final = 8 << 20
_SHORT: Final = 200


@dataclass(slots=True)
class Found:
    """What was read back of one sink. `uncompared` messages have an outcome that no preview knows;
    `cut` is the number of rows that were previewed, where there are more."""

    sink: str
    rows: list[Compared]
    windows: Mapping[str, Window]
    how: str
    previewed: int
    failed: int
    uncompared: int
    cut: int | None
    more_destinations: int
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many records have each verdict."""
        counted = Counter(row.verdict for row in self.rows)
        return {name: counted[name] for name in MEANINGS}

    @property
    def good(self) -> bool:
        """Whether what was previewed is there: nothing differs or is missing."""
        counts = self.counts
        found = counts["equal"] + counts["repeated"]
        return not (counts["different"] or counts["missing"]) and (found > 0 or not self.previewed)


def reading_side(workspace: Workspace, sink: str) -> ReadBack | NoReadBack:
    """How a sink is read back, or why it is not."""
    return workspace.registry.get(workspace.spec(sink).type).read_back


async def read_back(
    workspace: Workspace,
    sink: str,
    source: Mapping[str, Any],
    *,
    limit: int | None = None,
    destination: str | None = None,
    agreed: bool = False,
) -> Found:
    """Read the last `limit` records of each destination, and compare them with the preview.

    `destination` is the only one to read, or what a sink's `ReadBack.names` asks for. Raises
    `UsageError` for a sink that cannot be read, `ConfigError`, `LinkError`, and `TraceError` until
    `agreed`.
    """
    side = reading_side(workspace, sink)
    if isinstance(side, NoReadBack):
        raise UsageError(f"sink `{sink}` cannot be read back: {side.why}", hint=side.instead)
    if limit is not None and not 0 < limit <= MOST_RECORDS:
        raise UsageError(f"at most {MOST_RECORDS:,} records can be read", hint="lower the limit")
    if side.names and destination is None:
        raise UsageError(f"sink `{sink}` needs the name of a {side.names} to be read back",
                         hint=f"{side.how} Name it with --destination")  # fmt: skip
    prepared = workspace.prepare(sink, for_delivery=True)
    prepared.require_ready()
    enrichment.attach(workspace, prepared)
    expected = await _expected(prepared, side, workspace, source)
    if destination is not None and not side.names:
        expected.items = [pair for pair in expected.items if pair[1].destination == destination]
    places = _places(side, expected.items, destination)
    chosen = places[:MOST_DESTINATIONS]
    windows = await _windows(prepared, side, chosen, expected.items, limit, agreed)
    rows = compare(expected.items, _as_expected(side, windows, expected.items), keyed=side.keyed)
    found = Found(sink, rows, windows, side.how, len(expected.items), expected.failed,
                  expected.uncompared, expected.cut, len(places) - len(chosen))  # fmt: skip
    notes = [note for window in windows.values() for note in window.notes]
    if len(windows) < len(chosen):
        notes.append(f"only {len(windows)} of {len(chosen)} destinations answered in "
                     f"{DEADLINE:g} s")  # fmt: skip
    if side.note and not found.good:
        notes.insert(0, side.note)
    found.notes = list(dict.fromkeys(notes))
    return found


async def _windows(
    prepared: PreparedSink, side: ReadBack, places: Sequence[str],
    items: Sequence[tuple[int, Stored]], limit: int | None, agreed: bool,
) -> dict[str, Window]:  # fmt: skip
    """What each destination holds, as far as they answer in time."""
    found: dict[str, Window] = {}
    reader = side.reader(prepared.ready_config())
    try:
        async with asyncio.timeout(DEADLINE):
            for place in places:
                found[place] = await _read(reader, side, place, items, limit, agreed)
    except TimeoutError:
        if not found:
            raise LinkError(f"reading took longer than {DEADLINE:g} s",
                            hint="read fewer records with --limit") from None  # fmt: skip
    finally:
        await reader.close()
    return found


@dataclass(slots=True)
class _Expected:
    items: list[tuple[int, Stored]] = field(default_factory=list)
    failed: int = 0
    uncompared: int = 0
    cut: int | None = None


async def _expected(
    prepared: PreparedSink, side: ReadBack, workspace: Workspace, source: Mapping[str, Any]
) -> _Expected:
    """What the preview of a source expects at the service."""
    rows, cut = await first(workspace, source, MOST_MESSAGES)
    found = _Expected(cut=cut)
    size = 0
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        staged = await staged_of(prepared, chunk)
        found.failed += len(chunk) - len(staged) + sum(not item.ok for item in staged)
        for item in staged:
            if item.record is None:
                continue
            stored = side.stored(item.record)
            if stored is None:
                found.uncompared += 1
                continue
            found.items.append((item.message.index, stored))
            size += stored.size
        if size > _PREVIEW_BYTES:
            found.cut = start + len(chunk)
            break
    return found


def _places(
    side: ReadBack, items: Sequence[tuple[int, Stored]], destination: str | None
) -> list[str]:
    """The destinations to read; services that are asked by key are asked once."""
    if side.keyed:
        return [""]
    if destination is not None:
        return [destination]
    return list(dict.fromkeys(item.destination for _, item in items))


async def _read(
    reader: Reader, side: ReadBack, place: str, items: Sequence[tuple[int, Stored]],
    limit: int | None, agreed: bool,
) -> Window:  # fmt: skip
    expected = [item for _, item in items if side.keyed or side.names or item.destination == place]
    if side.keyed:
        expected = list({(item.destination, item.key): item for item in expected}.values())
    count = limit or max(LEAST, min(len(expected), MOST))
    return await reader.read(Wanted(place, count, expected[-count:], agreed))


def _as_expected(
    side: ReadBack, windows: Mapping[str, Window], items: Sequence[tuple[int, Stored]]
) -> Mapping[str, Window]:
    """Windows by the destinations that the preview names, where something else was read."""
    if not side.names:
        return windows
    [window] = windows.values()
    names = dict.fromkeys(item.destination for _, item in items)
    return {**dict.fromkeys(names, Window((), window.more, window.oldest)), "": window}


# --- plain data ------------------------------------------------------------------------------


def as_json(found: Found, workspace: Workspace) -> dict[str, Any]:
    """The result as plain data, without secrets and with long bodies cut."""
    left = _SHOWN
    rows = []
    for row in found.rows:
        shown = _row(row, _BODY if left > 0 else _SHORT, workspace.redact)
        left -= sum(len(side["body"] or "") for side in (shown["expected"], shown["found"]) if side)
        rows.append(shown)
    prepared = workspace.prepare(found.sink)
    data = {
        "sink": found.sink, "type": prepared.sink.key, "host": target_of(prepared.bound.config),
        "environment": name_of(workspace), "how": found.how, "good": found.good,
        "previewed": found.previewed, "failed": found.failed, "uncompared": found.uncompared,
        "cut": found.cut, "counts": found.counts,
        "destinations": [{"name": name, "read": len(window.records), "more": window.more}
                         for name, window in found.windows.items()],
        "more_destinations": found.more_destinations, "notes": found.notes, "rows": rows,
    }  # fmt: skip
    redacted: dict[str, Any] = workspace.redact_data(data)
    return redacted


def _row(row: Compared, most: int, redact: Redact) -> dict[str, Any]:
    record = row.found or row.expected
    assert record is not None, "a row has one side at least"
    alike = row.verdict in ("equal", "repeated")
    return {
        "verdict": row.verdict, "meaning": MEANINGS[row.verdict], "row": row.index,
        "destination": record.destination or record.key or "", "key": record.key,
        "place": row.found.place if row.found else "", "parts": list(row.parts),
        "changes": [{"path": change.path, "expected": _cut(change.expected, redact),
                     "found": _cut(change.found, redact)} for change in row.changes],
        "expected": None if alike or row.expected is None else _side(row.expected, most, redact),
        "found": None if row.found is None else _side(row.found, most, redact),
    }  # fmt: skip


def _side(record: Stored, most: int, redact: Redact) -> dict[str, Any]:
    body = record.body
    text = None if body is None else beginning(redact, _decoded(body, most), most)
    return {"destination": record.destination or record.key or "", "key": _text(record.key),
            "headers": {_text(name): beginning(redact, _text(str(value)), _BODY) for name, value in
                        list(record.headers.items())[:100]},
            "body": text, "cut": body is not None and len(body) > most,
            "size": record.size}  # fmt: skip


def _text(value: Any) -> Any:
    """A text in which nothing is left that no JSON could hold."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _decoded(body: bytes, most: int) -> str:
    """What is needed of a body as text; a character has up to four bytes."""
    return body[: 4 * (most + MARGIN)].decode("utf-8", "backslashreplace")


def _cut(value: Any, redact: Redact) -> Any:
    """A value of a difference, as it can be shown on a line."""
    if isinstance(value, (dict, list)):
        from routestudio.model import jsonio

        value = jsonio.dumps(jsonio.readable(value))
    if isinstance(value, str) and len(value) > _SHORT:
        return beginning(redact, value, _SHORT) + "…"
    return value


class ReadBackMethods:
    """`ReadingApi` on the open project."""

    def __init__(self, engine: Opened) -> None:
        self._engine = engine

    async def side(self, sink: str) -> ReadingSide:
        """As in `ReadingApi`."""
        workspace = self._engine.workspace
        side = reading_side(workspace, sink)
        host, environment = target_of(workspace.prepare(sink).bound.config), name_of(workspace)
        if isinstance(side, NoReadBack):
            return ReadingSide(host, environment, why=side.why, instead=side.instead)
        return ReadingSide(host, environment, readable=True, how=side.how, names=side.names,
                           keyed=side.keyed, note=side.note)  # fmt: skip

    async def read_back(
        self,
        sink: str,
        source: Source,
        *,
        limit: int | None = None,
        destination: str | None = None,
        agreed: bool = False,
    ) -> ReadAnswer:
        """As in `ReadingApi`."""
        workspace = self._engine.workspace
        try:
            found = await read_back(workspace, sink, source.params(), limit=limit,
                                    destination=destination, agreed=agreed)  # fmt: skip
        except TraceError as error:
            return ReadAnswer(ask=workspace.redact(error.message))
        return ReadAnswer(load(Result, as_json(found, workspace)))
