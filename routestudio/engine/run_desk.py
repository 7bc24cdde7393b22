"""The runs of the window: started, resumed, looked at, their dead letters corrected and retried."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from routestudio.api.calls import Tell
from routestudio.api.codec import JsonMap
from routestudio.api.runs import (
    DeliveredBrief,
    DestinationPage,
    Letter,
    LetterGroup,
    LetterGroups,
    LetterRow,
    Run,
    RunProgress,
    RunStarted,
    RunStatus,
)
from routestudio.api.sources import Source
from routestudio.engine.environments import name_of
from routestudio.engine.messages import CHUNK, messages
from routestudio.engine.run_answers import (
    counts_of,
    delivered_of,
    destination_of,
    letter_of,
    progress_of,
    recent_of,
    run_of,
)
from routestudio.engine.run_control import RunControl
from routestudio.engine.run_store import RunRecord, RunStore, added
from routestudio.engine.runs import AnyDelivery, RunOptions, outfit
from routestudio.engine.sources import KEPT_BYTES, changes_of, count_all, path_of
from routestudio.engine.workspace import PreparedSink, Workspace, source_of
from routestudio.errors import RouteStudioError, UsageError
from routestudio.pipeline.checkpoint import Checkpoint
from routestudio.pipeline.ending import RunStoppedError
from routestudio.pipeline.letters import Letters
from routestudio.pipeline.report import DestinationCount, Progress
from routestudio.pipeline.run import Finished
from routestudio.pipeline.tally import Tally

Hears = Tell[RunStarted | RunProgress]
Prepare = Callable[[str, bool, str | None], Any]
"""Prepares a sink by name for its stand-in or its real service (awaitable); last is the name of
the environment that somebody confirmed."""

_KEPT_TALLIES: Final = 3
_KEPT_DESTINATIONS: Final = 1_000
_PAGE: Final = 500
_SAVE_SECONDS: Final = 2.0
"""How often the counts of a run are kept, for the case that the program is killed."""


@dataclass(slots=True, eq=False)
class _Live:
    """A run of this process, going on or ended a short while ago."""

    record: RunRecord
    tally: Tally
    delivery: AnyDelivery | None


class RunDesk:
    """Every run of one open project.

    `prepare` gives a sink ready for delivery, `told` is called when the list of runs changed.
    """

    def __init__(
        self,
        workspace: Workspace,
        state: Path,
        prepare: Prepare,
        told: Callable[[], object],
    ) -> None:
        self.workspace = workspace
        self._prepare = prepare
        self._told = told
        self._store = RunStore(state)
        self._live: dict[str, _Live] = {}
        # The same few texts are sent ten times a second.
        self._redact = lru_cache(maxsize=2_000)(self._clean)
        self._letters: dict[Path, Letters] = {}
        self._busy: dict[Path, set[int]] = {}

    # --- the list ----------------------------------------------------------------------------

    def runs(self) -> list[Run]:
        """Every kept run, newest first."""
        return [run_of(record, self._store.left(record)) for record in self._store.all()]

    def detail(self, number: str) -> Run:
        """One run with the latency of its last part, in percentiles."""
        record = self._store.get(number)
        return run_of(record, self._store.left(record), latency=True)

    def delete(self, number: str) -> None:
        """Forget a run with its dead letters."""
        self._letters.pop(self._store.letters_path(self._store.get(number)), None)
        self._store.delete(number)
        self._live.pop(number, None)
        self._told()

    # --- running -----------------------------------------------------------------------------

    async def start(
        self,
        sink: str,
        standin: bool,
        source: Source,
        tell: Hears,
        confirmed: str | None = None,
        workers: int = 1,
    ) -> Run:
        """Deliver a source as a new run, by so many processes; returns the run.

        Raises as `Delivery.run`; whatever happens, the run is kept with how it ended.
        """
        kind, value = source_of(source.params())
        prepared = await self._ready(sink, standin, confirmed, workers)
        total = await count_all(self.workspace, kind, value)
        record = self._store.begin(
            sink=sink, kind=kind, value=value, standin=standin, total=total,
            source=self._state_of(kind, value), environment=name_of(self.workspace),
            workers=workers,
        )  # fmt: skip
        return await self._deliver(record, prepared, tell)

    async def resume(
        self, number: str, tell: Hears, confirmed: str | None = None, workers: int | None = None
    ) -> Run:
        """Go on with a run where it was. Raises `UsageError` when its messages are others now."""
        record = self._store.get(number)
        if not record.resumable:
            raise UsageError("nothing of this run is left", hint="run the samples again")
        if self._state_of(record.kind, record.value) != record.source:
            raise UsageError(
                f"the messages of {record.value} have changed since this run",
                hint="run them from the start: what was delivered would be skipped by its place",
            )
        self._require_same(record)
        record = replace(record, workers=workers or record.workers)
        prepared = await self._ready(record.sink, record.standin, confirmed, record.workers)
        return await self._deliver(self._store.again(record), prepared, tell)

    async def retry(
        self,
        number: str,
        numbers: Sequence[int] | None,
        group: int | None,
        tell: Hears,
        confirmed: str | None = None,
    ) -> Run:
        """Send dead letters of a run again, by the same sink, as a new run.

        What is delivered or filtered leaves the list, and what the service was seen to hold
        already; what is refused stays in it with its new reason; what the run did not come to
        stays as it is.
        """
        origin = self._store.get(number)
        origin = self._store.get(origin.parent) if origin.parent else origin
        letters = await self._open_letters(origin)
        busy = self._busy.setdefault(letters.path, set())
        wanted = list(letters.numbers(group)) if numbers is None else list(numbers)
        wanted = [item for item in wanted if item not in busy]
        if not wanted:
            raise UsageError("there is nothing to send again", hint="choose dead letters first")
        self._require_same(origin)
        prepared = await self._ready(origin.sink, origin.standin, confirmed)
        record = self._store.begin(
            sink=origin.sink, kind=origin.kind, value=origin.value, standin=origin.standin,
            total=len(wanted), parent=origin.id, environment=origin.environment,
        )  # fmt: skip
        busy.update(wanted)
        try:
            return await self._deliver(record, prepared, tell, letters=letters, wanted=wanted)
        finally:
            busy.difference_update(wanted)

    async def _ready(
        self, sink: str, standin: bool, confirmed: str | None, workers: int = 1
    ) -> PreparedSink:
        """A sink for so many processes. Raises `UsageError` for one that needs a single one."""
        found: PreparedSink = await self._prepare(sink, standin, confirmed)
        found.require_ready()
        if workers > 1:
            from routestudio.engine.shared_runs import require_shareable

            require_shareable(found)
        return found

    def _require_same(self, record: RunRecord) -> None:
        """Raise `UsageError` when a run at a real service would go on in another environment."""
        now = name_of(self.workspace)
        if not record.standin and record.environment != now:
            was = f"environment `{record.environment}`" if record.environment else "no environment"
            used = f"`{now}`" if now else "none"
            raise UsageError(f"this run was in {was}, and {used} is in use",
                             hint="switch back to it first")  # fmt: skip

    def stop(self, number: str) -> None:
        """End a run that goes on; its request then returns within 100 ms."""
        live = self._live.get(number)
        if live is not None and live.delivery is not None:
            live.delivery.cancel()

    async def _deliver(
        self,
        record: RunRecord,
        prepared: PreparedSink,
        tell: Hears,
        *,
        letters: Letters | None = None,
        wanted: Sequence[int] = (),
    ) -> Run:
        before, path = dict(record.counts), self._store.letters_path(record)
        source: AsyncIterator[Any] = (
            messages(self.workspace, record.kind, record.value, chunk=CHUNK * record.workers)
            if letters is None
            else letters.messages(wanted)
        )

        saved = time.monotonic()

        def progress(found: Progress) -> None:
            nonlocal saved
            told = progress_of(found, before, self._redact)
            tell(told)
            if (now := time.monotonic()) - saved >= _SAVE_SECONDS:
                saved = now
                self._store.save(replace(self._store.get(record.id), counts=asdict(told.counts)))

        def outcome(finished: Sequence[Finished]) -> None:
            assert letters is not None
            # One that the service knows, and was not seen to hold, stays in the list.
            settled = [item for item in finished if item.status != "duplicate" or item.held]
            letters.settle([item.message.index for item in settled if item.message is not None])

        self._redact.cache_clear()
        options = RunOptions(
            dead_letters=path, control=RunControl(progress), workers=record.workers,
            on_outcome=None if letters is None else outcome,
        )  # fmt: skip
        try:
            async with outfit(self.workspace, prepared, options, _unheard) as make:
                place = self._store.checkpoint_path(record)
                delivery = make(source, Checkpoint(place) if letters is None else None, None)
                delivery.tally.recall(DestinationCount.of(item) for item in record.destinations)
                live = self._take_on(record, delivery)
                done = 0 if record.parent else record.total - self._store.left(record)
                shown = run_of(record, self._store.left(record))
                tell(RunStarted(shown, counts_of(before), done))
                return await self._run(live, delivery, before)
        except RunStoppedError:
            raise
        except RouteStudioError as error:
            self._store.end(record, "stopped", self.workspace.redact(error.message))
            self._told()
            raise
        finally:
            if letters is not None and record.parent is not None:
                await letters.refresh()
                self._store.save(replace(self._store.get(record.parent), letters=letters.open))
                self._told()

    async def _run(self, live: _Live, delivery: AnyDelivery, before: dict[str, float]) -> Run:
        status: RunStatus = "stopped"
        error = None
        try:
            summary = await delivery.run()
            status = "cancelled" if summary.cancelled else "done"
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        except RunStoppedError as stopped:
            error = self.workspace.redact(str(stopped))
            raise
        finally:
            live.delivery = None
            live.record = self._store.end(self._counted(live, delivery, before), status, error)
            self._told()
        return self.detail(live.record.id)

    def _counted(self, live: _Live, delivery: AnyDelivery, before: dict[str, float]) -> RunRecord:
        """The record with what this part of the run did."""
        tally, record, now = live.tally, self._store.get(live.record.id), time.monotonic()
        summary = delivery.summary.as_json()
        own = 0 if record.parent else int(summary["rejected"])
        return replace(
            record,
            counts={**added(before, summary), "bytes": before.get("bytes", 0) + tally.size},
            letters=record.letters + own,
            latency=tally.latency.as_json(),
            destinations=tuple(
                asdict(destination_of(item, self._redact))
                for item in tally.destinations(0, _KEPT_DESTINATIONS, now)
            ),
            distinct=tally.distinct,
        )

    def _clean(self, text: str) -> str:
        return self.workspace.redact(text)

    def _take_on(self, record: RunRecord, delivery: AnyDelivery) -> _Live:
        live = self._live[record.id] = _Live(record, delivery.tally, delivery)
        for old in [key for key, item in self._live.items() if item.delivery is None][
            :-_KEPT_TALLIES
        ]:
            del self._live[old]
        self._told()
        return live

    # --- looking at one ----------------------------------------------------------------------

    def destinations(self, number: str, start: int, count: int) -> DestinationPage:
        """Destinations by delivered messages."""
        start, count = max(0, start), min(count, _PAGE)
        live = self._live.get(number)
        if live is not None:
            found = live.tally.destinations(start, count, time.monotonic())
            rows = [destination_of(item, self._redact) for item in found]
            return DestinationPage(rows, live.tally.distinct)
        kept = self._store.get(number).destinations
        rows = [destination_of(DestinationCount.of(item)) for item in kept[start : start + count]]
        return DestinationPage(rows, len(kept))

    def recent(self, number: str) -> list[DeliveredBrief]:
        """The last delivered messages of a run of this session, newest first."""
        live = self._live.get(number)
        return recent_of(live.tally.recent.latest()) if live is not None else []

    def delivered(self, number: str, item: int) -> JsonMap | None:
        """One of them with the routing that was used; `None` when newer ones took its place."""
        live = self._live.get(number)
        found = live.tally.recent.get(item) if live is not None else None
        return None if found is None else delivered_of(found)

    # --- dead letters ------------------------------------------------------------------------

    async def letters(self, number: str) -> LetterGroups:
        """The groups of the open dead letters of a run, most frequent first."""
        letters = await self._open_letters(self._store.get(number))
        groups = sorted((g for g in letters.groups if g.count), key=lambda g: -g.count)
        shown = [
            LetterGroup(g.number, g.stage, g.code, g.field, g.line, g.reason, g.count)
            for g in groups
        ]
        return LetterGroups(letters.open, shown)

    async def letter_rows(
        self, number: str, group: int | None, start: int, count: int
    ) -> list[LetterRow]:
        """Open dead letters of a group, or of all, in short."""
        letters = await self._open_letters(self._store.get(number))
        return letters.rows(group, max(0, start), min(count, _PAGE))

    async def letter(self, number: str, item: int) -> Letter:
        """One dead letter in full."""
        return letter_of((await self._open_letters(self._store.get(number))).letter(item))

    async def edit(self, number: str, changes: Mapping[str, Any]) -> list[int]:
        """Keep corrected messages (by letter) in the list; returns their new numbers."""
        record = self._store.get(number)
        letters = await self._open_letters(record)
        busy = self._busy.get(letters.path, set())
        wanted = {int(key): message for key, message in changes.items()}
        if busy & wanted.keys():
            raise UsageError("this dead letter is being sent again", hint="wait for its outcome")
        return letters.replace(wanted)

    async def set_value(
        self, number: str, numbers: Sequence[int], path: Sequence[str], value: Any
    ) -> list[int]:
        """Set one value, such as `["record", "region"]`, in several letters' messages."""
        letters = await self._open_letters(self._store.get(number))
        changes: dict[str, Any] = {}
        for item in numbers:
            message = letters.letter(item)["message"]
            if isinstance(message, dict):
                changes[str(item)] = _with(message, list(path), value)
        return await self.edit(number, changes)

    async def export(self, number: str, output: str, group: int | None) -> int:
        """Write the open letters to a file; returns how many."""
        letters = await self._open_letters(self._store.get(number))
        return letters.export(Path(output), group)

    async def _open_letters(self, record: RunRecord) -> Letters:
        path = self._store.letters_path(record)
        found = self._letters.get(path)
        if found is None:
            while len(self._letters) >= _KEPT_TALLIES and (
                idle := next((p for p in self._letters if not self._busy.get(p)), None)
            ):
                del self._letters[idle]
            found = self._letters[path] = Letters(path)
        await found.refresh()
        return found

    def _state_of(self, kind: str, value: str) -> str:
        """What shows whether a source is still the same: its content, or its size and time."""
        text: str | None = value if kind == "text" else None
        if kind == "sample":
            text = self.workspace.project.unsaved_sample(value)
        if text is not None:
            return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        path = path_of(self.workspace, kind, value)
        info = path.stat()
        changes = changes_of(self.workspace, kind, value)
        if changes:
            changed = hashlib.sha256(repr(sorted(changes.items())).encode()).hexdigest()
            return f"{info.st_size}:{info.st_mtime_ns}:{changed}"
        if info.st_size <= KEPT_BYTES:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{info.st_size}:{info.st_mtime_ns}"


def _unheard(name: str, data: dict[str, Any]) -> None:
    """Progress is told by the control."""


def _with(message: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy of `message` with `value` at `path`. Raises `UsageError` where there is no map."""
    if not path:
        raise UsageError("no field is named", hint="name one such as record.region")
    copied = dict(message)
    place = copied
    for key in path[:-1]:
        inner = place.get(key)
        if inner is not None and not isinstance(inner, dict):
            raise UsageError(f"`{key}` is not a map", hint="name a field of record or metadata")
        place[key] = dict(inner or {})
        place = place[key]
    place[path[-1]] = value
    return copied
