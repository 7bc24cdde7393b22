"""Previews: the stages applied to a sample set, row by row on demand, totals in the background.

Large sets stay on disk: a preview keeps offsets and one byte per row, evaluates what is looked
at, and caches a few chunks. A preview of a changed route is a new preview.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, Protocol

from routestudio.engine.forecast import PARTITIONS, Forecast
from routestudio.engine.row_index import RowIndex, both, chosen, either, equals
from routestudio.engine.rows import (
    batch_key_of,
    destination_of,
    fault_row,
    message_of,
    problem_of,
    row_of,
)
from routestudio.engine.stored_rows import StoredRows
from routestudio.engine.workspace import PreparedSink
from routestudio.functions.prefetch import prefetch
from routestudio.model.message import ACTIONS, Message
from routestudio.model.preview_text import heads, reason, table_text, value_text
from routestudio.model.rows import Fault
from routestudio.pipeline.enriching import given
from routestudio.pipeline.stages import Staged
from routestudio.samples.shapes import Shapes

CHUNK: Final = 250
"""Rows evaluated at a time: small enough to stay interactive."""

_CACHED_CHUNKS: Final = 40
_CACHED_BYTES: Final = 8 << 20
"""Bytes of records in the chunks that are kept; in memory they take several times as much."""
_MAX_DESTINATIONS: Final = 5_000
_PIECE_SECONDS: Final = 0.15
"""Time for which a thread looks for further rows; then others have their turn."""

PENDING, OK, FILTERED, FAILED = 0, 1, 2, 3


_STATES: Final = {"ok": OK, "filtered": FILTERED, "failed": FAILED}

Outcome = Staged | Fault
"""What became of one row: its stages, or why its line holds no message."""


class RowSource(Protocol):
    """Random access to a sample set. `read` returns messages, or faults for bad lines."""

    def __len__(self) -> int: ...
    def read(self, start: int, count: int) -> Sequence[Message | Fault]: ...


@dataclass(slots=True)
class Totals:
    """What is known of a preview so far."""

    rows: int
    done: int = 0
    ok: int = 0
    filtered: int = 0
    failed: int = 0
    seconds: float = 0.0
    destinations: Counter[str] = field(default_factory=Counter)
    more_destinations: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data for events; the thirty most frequent destinations."""
        return {
            "rows": self.rows,
            "done": self.done,
            "ok": self.ok,
            "filtered": self.filtered,
            "failed": self.failed,
            "ms": round(self.seconds * 1000, 2),
            "destinations": self.destinations.most_common(30),
            "distinct": len(self.destinations),
            "more_destinations": self.more_destinations,
        }


class Preview:
    """One route over one sample set. `run` fills the totals; `rows` gives what is looked at."""

    def __init__(self, prepared: PreparedSink, source: RowSource) -> None:
        self.prepared = prepared
        self.source = source
        self.totals = Totals(len(source))
        self.forecast = Forecast(prepared)
        self.shapes = Shapes()
        self.states = bytearray()
        """The state of each row that was evaluated in `run`."""
        self._actions = bytearray()
        self._fields = tuple(prepared.sink.Routing.model_fields)
        self.index = RowIndex(len(heads(self._fields)) - 1)
        """The cells of the same rows, but for their numbers."""
        self._names: dict[str, int] = {}
        self._destinations = array("I")
        self.selection: Sequence[int] | None = None
        """Numbers of the rows that were selected last; `None`: all rows."""
        self.selects = 0
        """How often rows were selected: a slow sort must not take the place of what came after."""
        self._chunks: OrderedDict[int, list[Outcome]] = OrderedDict()
        self._sizes: dict[int, int] = {}

    async def run(
        self, on_progress: Callable[[Totals], None], *, limit: int | None = None
    ) -> Totals:
        """Evaluate the set from the start (up to `limit` rows), reporting after each chunk.

        Of a set whose rows are not all found yet, more are found as far as that needs them.
        """
        while True:
            await self._run_on(on_progress, limit)
            if self.whole or (limit is not None and self.totals.done >= limit):
                return self.totals
            await self.grow()

    async def _run_on(self, on_progress: Callable[[Totals], None], limit: int | None) -> None:
        """Evaluate the rows that are known and were not evaluated, but for a chunk that grows."""
        known = len(self.source)
        last = known if self.whole else known - known % CHUNK
        last = last if limit is None else min(limit, last)
        starts = range(self.totals.done, last, CHUNK)
        evaluated = prefetch(lambda start: self._evaluate(start // CHUNK), starts)
        async with aclosing(evaluated):
            for start in starts:
                begun = perf_counter()
                outcomes = await anext(evaluated)
                self.totals.seconds += perf_counter() - begun
                self._count(start, outcomes[: last - start])
                on_progress(self.totals)

    @property
    def whole(self) -> bool:
        """Whether all rows of the set are known."""
        stored = isinstance(self.source, StoredRows)
        return not stored or self.source.whole  # type: ignore[attr-defined]

    async def grow(self) -> None:
        """Find further rows of a large set, in a thread."""
        if isinstance(self.source, StoredRows):
            await asyncio.to_thread(self.source.grow, _PIECE_SECONDS)
        self.totals.rows = len(self.source)

    async def rows(self, start: int, count: int, *, brief: bool = False) -> list[dict[str, Any]]:
        """Rows `start` to `start + count`, evaluated now when they were not.

        Brief rows leave out payload and request, which only a selected row needs.
        """
        start, stop = max(0, start), min(start + count, len(self.source))
        found: list[dict[str, Any]] = []
        for chunk in range(start // CHUNK, (stop + CHUNK - 1) // CHUNK):
            outcomes = self._chunks.get(chunk)
            if outcomes is None:
                outcomes = await self._evaluate(chunk)
            low = chunk * CHUNK
            first = max(0, start - low)
            found += [
                _row(item, self.prepared, low + first + offset, brief=brief)
                for offset, item in enumerate(outcomes[first : stop - low])
            ]
        return found

    async def staged(self, start: int, count: int) -> list[Staged]:
        """The messages of the selection from a place, evaluated, without unreadable lines."""
        numbers = self.numbers(start, start + count - 1)
        return await staged_of(self.prepared, [self.source.read(n, 1)[0] for n in numbers])

    def numbers(self, first: int, last: int) -> Sequence[int]:
        """Numbers of the rows from one place in the selection to another."""
        every = range(len(self.source)) if self.selection is None else self.selection
        return every[max(0, first) : last + 1]

    def select(
        self,
        *,
        state: str | None = None,
        action: str | None = None,
        destination: str | None = None,
        among: Collection[int] | None = None,
        text: str = "",
        column: int | None = None,
        order: Sequence[int] | None = None,
    ) -> Sequence[int]:
        """Numbers of the evaluated rows of a state (`ok`, `filtered`, `failed`), an action, a
        destination, among the given ones, or with a text in a column (or in any); all that are
        given must hold. They stand in the order of the sample, or in the given one."""
        count = len(self.states)
        masks: list[bytes] = []
        if (wanted := _STATES.get(state or "")) is not None:
            masks.append(equals(self.states, wanted))
        if action in ACTIONS:
            masks.append(equals(self._actions, ACTIONS.index(action) + 1))
        if destination is not None:
            name = self._names.get(destination, -1)
            masks.append(bytes([number == name for number in self._destinations]))
        if among is not None:
            marked = bytearray(count)
            for row in among:
                if row < count:
                    marked[row] = 1
            masks.append(bytes(marked))
        if text:
            masks.append(self._with(text, column))
        rows = range(count) if order is None else order
        self.selection = chosen(rows, both(masks, count), ordered=order is not None)
        return self.selection

    def _with(self, text: str, column: int | None) -> bytes:
        """A byte for each row: 1 where a text is in a column, or in any. Column 0 is the number."""
        found = b"" if column == 0 else self.index.containing(text, column and column - 1)
        if column == 0 or (column is None and text.isdigit()):
            numbers = self.index.numbered(text)
            return numbers if column == 0 else either(found, numbers)
        return found

    async def ordered(self, column: int, *, descending: bool) -> Sequence[int]:
        """Numbers of the evaluated rows in the order of a column; 0 is the number."""
        rows = await self.index.order(column - 1) if column else array("I", range(len(self.states)))
        return rows[::-1] if descending else rows

    async def selected(self, start: int, count: int, *, brief: bool = True) -> list[dict[str, Any]]:
        """Rows of the selection, from its place `start`; those that are not kept are evaluated."""
        if self.selection is None:
            return await self.rows(start, count, brief=brief)
        numbers = self.selection[max(0, start) : max(0, start) + count]
        kept: dict[int, Outcome] = {}
        items: dict[int, Message | Fault] = {}
        for number in numbers:
            if (chunk := self._chunks.get(number // CHUNK)) is not None:
                kept[number] = chunk[number % CHUNK]
            else:
                items[number] = self.source.read(number, 1)[0]
        outcomes = await _outcomes(self.prepared, list(items.values()))
        kept.update(zip(items, outcomes, strict=True))
        return [_row(kept[number], self.prepared, number, brief=brief) for number in numbers]

    async def facts(self, index: int) -> dict[str, Any]:
        """What is reported of one row when it is looked at; it is evaluated alone for that.

        `used_ms`: milliseconds through all stages; `limit`: bytes that the service takes for one
        record, or `None`; `partitions`: by each partitioner the partition among `of`.
        """
        item = self.source.read(index, 1)[0]
        if not isinstance(item, Message):
            return {}
        begun = perf_counter()
        [staged] = await self.prepared.stages.apply([item])
        used = perf_counter() - begun
        sink, effective = self.prepared.sink, staged.effective
        key = sink.partition_key(effective.values, effective.group_id) if effective else None
        return {
            "used_ms": round(used * 1000, 2),
            "limit": sink.max_record,
            "partitions": {
                title: partition(key, PARTITIONS) for title, partition in sink.partitioners.items()
            }
            if key is not None
            else {},
            "of": PARTITIONS,
        }

    async def message(self, index: int) -> dict[str, Any] | None:
        """The message of one row as plain data, as functions see it but with times as they came;
        `None` for an unreadable line. An enrichment that is not known is marked."""
        item = self.source.read(index, 1)[0]
        if not isinstance(item, Message):
            return None
        stages = self.prepared.stages
        [item] = await stages.enriched([item])
        unknown = self.prepared.functions.enrichment is not None and stages.enricher is None
        return message_of(item, unknown=unknown and not given(item))

    async def _evaluate(self, chunk: int) -> list[Outcome]:
        items = self.source.read(chunk * CHUNK, CHUNK)
        outcomes = await _outcomes(self.prepared, items)
        if len(outcomes) == CHUNK or self.whole:  # a chunk at the end may grow
            self._chunks[chunk] = outcomes
            self._sizes[chunk] = sum(map(_size, outcomes))
        while len(self._chunks) > _CACHED_CHUNKS or (
            len(self._chunks) > 1 and sum(self._sizes.values()) > _CACHED_BYTES
        ):
            oldest, _ = self._chunks.popitem(last=False)
            del self._sizes[oldest]
        return outcomes

    def _count(self, start: int, outcomes: Sequence[Outcome]) -> None:
        totals, batch_by = self.totals, self.prepared.sink.batch_by
        self.forecast.add([item for item in outcomes if isinstance(item, Staged)], start)
        for item in outcomes:
            destination = action = 0
            if isinstance(item, Fault) or not item.ok:
                state = FAILED
                totals.failed += 1
            elif item.filtered:
                state = FILTERED
                totals.filtered += 1
            else:
                state = OK
                totals.ok += 1
                values = item.effective.values if item.effective else {}
                name = destination_of(values, batch_by)
                destination = self._names.setdefault(name, len(self._names) + 1)
                if name in totals.destinations or len(totals.destinations) < _MAX_DESTINATIONS:
                    totals.destinations[name] += 1
                else:
                    totals.more_destinations = True
            if isinstance(item, Staged):
                action = ACTIONS.index(item.message.action) + 1
            self.states.append(state)
            self._actions.append(action)
            self._destinations.append(destination)
        totals.done += len(outcomes)
        if outcomes:
            self.index.add(_columns(outcomes, self._fields))
        _add_shapes(self.shapes, outcomes, start)


def _columns(outcomes: Sequence[Outcome], fields: Sequence[str]) -> list[Sequence[str]]:
    """The cells of rows by column, as `model.preview_text` makes them of each row, but for `#`."""
    rows = [_cells(item, fields) for item in outcomes]
    return list(zip(*rows, strict=True))


def _cells(item: Outcome, fields: Sequence[str]) -> tuple[str, ...]:
    if isinstance(item, Fault):
        problem = fault_row(0, item.line or None, item.message, item.hint)["error"]
        return ("", "", "", "failed", *("" for _ in fields), reason(problem, None))
    message, metadata = item.message, item.message.metadata
    values = item.effective.values if item.effective and not item.filtered else {}
    return (
        message.action,
        table_text(f"{metadata['table_schema']}.{metadata['table_name']}"),
        ", ".join(message.record_pks),
        "failed" if item.problems else "filtered" if item.filtered else "ok",
        *[value_text(values.get(name)) for name in fields],
        reason(problem_of(item.problems[0]) if item.problems else None, item.filtered),
    )


async def _outcomes(prepared: PreparedSink, items: Sequence[Message | Fault]) -> list[Outcome]:
    messages = [item for item in items if isinstance(item, Message)]
    staged = iter(await prepared.stages.apply(messages))
    return [next(staged) if isinstance(item, Message) else item for item in items]


def _row(
    item: Outcome, prepared: PreparedSink, index: int, *, brief: bool = False
) -> dict[str, Any]:
    if isinstance(item, Fault):
        return fault_row(index, item.line or None, item.message, item.hint, item.place)
    row = row_of(item, prepared.bound, prepared.functions, brief=brief)
    row["index"] = index
    return row


def _size(item: Outcome) -> int:
    return item.record.size if isinstance(item, Staged) and item.record is not None else 0


def _add_shapes(shapes: Shapes, outcomes: Sequence[Outcome], start: int) -> None:
    """Count the columns of messages that reach a function of the sink."""
    for number, item in enumerate(outcomes, start):
        if isinstance(item, Staged) and item.filtered in (None, "filter"):
            shapes.add(item.message, number)


async def evaluate_rows(
    prepared: PreparedSink,
    items: Sequence[Message | Fault],
    start: int,
    shapes: Shapes | None = None,
) -> list[dict[str, Any]]:
    """Preview rows of a chunk, one per item; unreadable lines become rows that report it.

    `shapes` counts the columns of the rows that reach the sink's functions.
    """
    outcomes = await _outcomes(prepared, items)
    if shapes is not None:
        _add_shapes(shapes, outcomes, start)
    return [_row(item, prepared, start + offset) for offset, item in enumerate(outcomes)]


async def staged_of(prepared: PreparedSink, items: Sequence[Message | Fault]) -> list[Staged]:
    """The evaluated messages of `items`, leaving out unreadable lines (for checks)."""
    return await prepared.stages.apply([item for item in items if isinstance(item, Message)])


__all__ = [
    "CHUNK", "FAILED", "FILTERED", "OK", "PENDING", "Preview", "RowSource", "Totals",
    "batch_key_of", "evaluate_rows", "staged_of",
]  # fmt: skip
