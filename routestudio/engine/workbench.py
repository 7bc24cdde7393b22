"""The requests of the function workbench: explain, variants, route tests, forecast, determinism."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio.engine import enrichment, outcome_diff, pinning, route_tests
from routestudio.engine.coverage import Coverage
from routestudio.engine.determinism import unsteady
from routestudio.engine.expectations import rendered
from routestudio.engine.explain import explain
from routestudio.engine.messages import messages
from routestudio.engine.previews import CHUNK, Preview
from routestudio.engine.rows import message_of, row_of
from routestudio.engine.stored_rows import StoredRows
from routestudio.engine.test_methods import TestMethods
from routestudio.engine.workspace import PreparedSink, Workspace, source_of
from routestudio.errors import UsageError
from routestudio.model.message import Message, message_from, table_of
from routestudio.model.rows import Fault
from routestudio.samples.variants import VARIANTS, key_columns, variants_of

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Emit = Callable[[str, dict[str, Any]], None]

MAX_TRACED: Final = 2_000
"""Rows of a preview that coverage and determinism look at."""

MAX_CHANGES: Final = 1_000
"""Rows that an outcome diff lists one by one; all are counted."""

_NEIGHBOURS: Final = 200
"""Rows of a sample from which the key columns of its tables are seen."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class WorkbenchMethods:
    """Requests about rows of a preview (`view`) and about the project's route tests."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "explain": self.explain,
            "variants": self.variants,
            "vary": self.vary,
            "select": self.select,
            "evaluate_all": self.evaluate_all,
            "forecast": self.forecast,
            "find_rows": self.find_rows,
            "coverage": self.coverage,
            "determinism": self.determinism,
            "outcome_diff": self.outcome_diff,
            "pin": self.pin,
            "accept": self.accept,
            "rename_test": self.rename_test,
            "delete_test": self.delete_test,
            **TestMethods(service).methods,
        }

    async def explain(
        self, index: int, *, view: str = "preview", emit: Emit = _ignore
    ) -> list[dict[str, Any]]:
        """Lines and branches that made the values of one row (`engine.explain`)."""
        preview = self._preview(view)
        message = _message(preview, index)
        return await explain(self._service.pool, preview.prepared, message)

    async def variants(self, *, emit: Emit = _ignore) -> list[dict[str, Any]]:
        """The hard variants that there are: key, title, help."""
        return [{"key": v.key, "title": v.title, "help": v.help} for v in VARIANTS]

    async def vary(
        self,
        index: int,
        *,
        view: str = "preview",
        chosen: list[str] | None = None,
        emit: Emit = _ignore,
    ) -> list[dict[str, Any]]:
        """Variants of one row: `{"key", "title", "help", "message", "row"}` each; only those that
        can be made. `row` is what becomes of it, brief, as in a preview."""
        preview = self._preview(view)
        message = _message(preview, index)
        near = preview.source.read(max(0, index - _NEIGHBOURS // 2), _NEIGHBOURS)
        keys = key_columns([message, *(item for item in near if isinstance(item, Message))])
        try:
            made = variants_of(message, keys.get(table_of(message), ()), chosen)
        except KeyError as error:
            raise UsageError(f"there is no variant {error}") from None
        prepared = preview.prepared
        staged = await prepared.stages.apply([item for _, item in made])
        return [
            {
                "key": variant.key,
                "title": variant.title,
                "help": variant.help,
                "message": message_of(item),
                "row": {
                    **row_of(outcome, prepared.bound, prepared.functions, brief=True),
                    "destination": rendered(outcome, prepared.sink),
                },
            }
            for (variant, item), outcome in zip(made, staged, strict=True)
        ]

    async def select(
        self,
        *,
        view: str = "preview",
        state: str | None = None,
        action: str | None = None,
        destination: str | None = None,
        changed: bool = False,
        text: str = "",
        column: int | None = None,
        sort: int | None = None,
        descending: bool = False,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Let `rows` of a preview give only the rows of a state, an action or a destination.

        With `changed`: those that end elsewhere than with the project as it is on the disk. With
        `text`: those that contain it in a column, or in any. `sort` is the column that they are
        sorted by. Columns are numbered as in `model.preview_text.heads`. Without any, all rows.
        Returns how many there are, and how many rows were looked at.
        """
        preview = self._preview(view)
        preview.selects += 1
        turn = preview.selects
        if not (state or action or destination or changed or text or sort is not None):
            preview.selection = None
            return {"count": len(preview.source), "of": len(preview.source)}
        among = await self._changed(preview) if changed else None
        order = None if sort is None else await preview.ordered(sort, descending=descending)
        newer = preview.selection
        found = preview.select(state=state, action=action, destination=destination, among=among,
                               text=text, column=column, order=order)  # fmt: skip
        if turn != preview.selects:
            preview.selection = newer  # meanwhile others were asked for
        return {"count": len(found), "of": len(preview.states)}

    async def evaluate_all(self, *, view: str = "preview", emit: Emit = _ignore) -> dict[str, Any]:
        """Evaluate the rows of a preview that were not yet, so that filter and sort cover all.

        Emits `progress` with totals, and returns them.
        """
        preview = self._preview(view)
        totals = await preview.run(lambda item: emit("progress", item.as_json()))
        await preview.index.prepare()
        return totals.as_json()

    async def _changed(self, preview: Preview) -> set[int]:
        async def chunks() -> AsyncIterator[Sequence[Message | Fault]]:
            for start in range(0, preview.totals.done, CHUNK):
                yield preview.source.read(start, CHUNK)

        found: set[int] = set()
        old = self._on_disk(preview.prepared.spec.name)
        await outcome_diff.compare(old, preview.prepared, chunks(), lambda c: found.add(c.index))
        return found

    def _on_disk(self, sink: str) -> PreparedSink | None:
        """A sink as the project's files have it; `None` when they have no such sink."""
        service = self._service
        project = service.workspace.project
        saved = Workspace.open(project.file, service.registry, service.pool)
        saved.project.environment.use(project.environment.name)
        saved.project.reread()
        try:
            prepared = saved.prepare(sink)
        except UsageError:
            return None
        saved.agreed, saved.queries = service.workspace.agreed, service.workspace.queries
        enrichment.attach(saved, prepared)
        return prepared

    async def find_rows(self, *, view: str = "preview", emit: Emit = _ignore) -> dict[str, Any]:
        """Find all rows of a preview's large file. Emits `found` with how many there are so far,
        how much was read (`fraction`) and what was recognised; returns the same at the end."""
        preview = self._preview(view)
        while not preview.whole:
            await preview.grow()
            emit("found", _found(preview))
        return _found(preview)

    async def forecast(self, *, view: str = "preview", emit: Emit = _ignore) -> dict[str, Any]:
        """Destinations, batches, groups and partitions of what a preview evaluated so far."""
        return self._preview(view).forecast.as_json()

    async def coverage(
        self, *, view: str = "preview", emit: Emit = _ignore
    ) -> list[dict[str, Any]]:
        """Branches that the rows of a preview take, and those that the route tests take.

        Per function as `FunctionCoverage.as_json`; each point with `taken` (rows) and `tested`.
        `first` is how many rows were looked at where there are more, else `None`.
        """
        preview = self._preview(view)
        by_rows, by_tests = Coverage(self._service.pool), Coverage(self._service.pool)
        items = preview.source.read(0, MAX_TRACED)
        rows = [item for item in items if isinstance(item, Message)]
        await by_rows.add(preview.prepared, rows)
        project = self._service.workspace.project
        name = preview.prepared.spec.name
        for test in route_tests.load(project):
            if test.sink == name:
                message = route_tests.message_of(self._service.workspace, test)
                await by_tests.add(preview.prepared, [message], now=test.body.get("now"))
        tested = {item.function.name: item.taken for item in by_tests.functions()}
        found = []
        for item in by_rows.functions():
            more = len(preview.source) > MAX_TRACED
            data = {**item.as_json(), "first": MAX_TRACED if more else None}
            counts = tested.get(item.function.name, [0] * len(item.points))
            for point, count in zip(data["points"], counts, strict=True):
                point["tested"] = count
            found.append(data)
        return found

    async def determinism(
        self, *, view: str = "preview", emit: Emit = _ignore
    ) -> list[dict[str, Any]]:
        """Rows of a preview that end elsewhere at another time; `index` is the row's number."""
        preview = self._preview(view)
        items = preview.source.read(0, MAX_TRACED)
        numbers = [n for n, item in enumerate(items) if isinstance(item, Message)]
        messages = [item for item in items if isinstance(item, Message)]
        found = await unsteady(preview.prepared, messages)
        return [{**item.as_json(), "index": numbers[item.index]} for item in found]

    async def outcome_diff(
        self,
        sink: str,
        *,
        code: Mapping[str, str] | None = None,
        emit: Emit = _ignore,
        **source: Any,
    ) -> dict[str, Any]:
        """Which rows end elsewhere than with the project as it is on the disk.

        `code` maps function names to text that is being typed. The rows that change are in
        `changes`, at most `MAX_CHANGES` of them.
        """
        workspace = self._service.workspace
        old, new = self._on_disk(sink), workspace.prepare(sink, code=dict(code or {}))
        changes: list[dict[str, Any]] = []

        def keep(change: outcome_diff.RowChange) -> None:
            if len(changes) < MAX_CHANGES:
                changes.append(change.as_json())

        enrichment.attach(workspace, new)
        chunks = messages(workspace, *source_of(source), chunk=CHUNK)
        totals = await outcome_diff.compare(old, new, chunks, keep)
        return {**totals.as_json(), "changes": changes}

    async def pin(
        self,
        sink: str,
        *,
        view: str = "preview",
        index: int | None = None,
        message: Mapping[str, Any] | None = None,
        sample: str | None = None,
        name: str | None = None,
        variants: list[str] | None = None,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Make a route test of a row's outcome: of row `index` of a preview, or of a message.

        With `sample`, the test refers to that row of the sample. Returns the snapshot, with file,
        line and name as `test`; the test is written when the project is saved.
        """
        if message is not None:
            given = message_from(json.loads(json.dumps(message)))
        elif index is not None:
            preview = self._preview(view)
            given = _message(preview, index)
            if preview.prepared.stages.enricher is not None:
                # With what the database says of it now, so that the test needs no database.
                [given] = await preview.prepared.stages.enriched([given])
                sample = None
        else:
            raise UsageError("there is neither a row nor a message to pin")
        place = (sample, index) if sample is not None and index is not None else None
        made = await pinning.pin(
            self._service.workspace, sink, given,
            sample=place, name=name, variants=variants or (),
        )  # fmt: skip
        return {**self._service.snapshot(), "test": made}

    async def accept(
        self,
        file: str,
        index: int,
        expect: Mapping[str, Any],
        *,
        variant: str | None = None,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Let a route test expect what it got."""
        made = await pinning.accept(self._service.workspace, file, index, expect, variant)
        return {**self._service.snapshot(), "test": made}

    async def rename_test(
        self, *, file: str, index: int, name: str, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """Give a route test another name."""
        made = pinning.rename(self._service.workspace, file, index, name)
        return {**self._service.snapshot(), "test": made}

    async def delete_test(self, *, file: str, index: int, emit: Emit = _ignore) -> dict[str, Any]:
        """Remove a route test, with its variants."""
        made = pinning.delete(self._service.workspace, file, index)
        return {**self._service.snapshot(), "test": made}

    def _preview(self, view: str) -> Preview:
        preview = self._service.preview_of(view)
        if preview is None:
            raise UsageError("this preview is gone", hint="preview the sample again")
        return preview


def _found(preview: Preview) -> dict[str, Any]:
    rows = preview.source
    if not isinstance(rows, StoredRows):
        return {"rows": len(rows), "fraction": 1.0}
    return {"rows": len(rows), "fraction": rows.fraction, "recognised": rows.recognised,
            "passed_over": rows.passed_over}  # fmt: skip


def _message(preview: Preview, index: int) -> Message:
    items = preview.source.read(index, 1) if 0 <= index < len(preview.source) else ()
    if not items or not isinstance(items[0], Message):
        raise UsageError(f"row {index} is not a message")
    return items[0]
