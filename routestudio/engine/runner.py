"""What commands do with one sink of a project: preview it, and deliver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routestudio.engine.environments import require_writable
from routestudio.engine.messages import messages
from routestudio.engine.opened import Engine
from routestudio.engine.reading import reading_of
from routestudio.engine.workspace import PreparedSink, source_of
from routestudio.errors import UsageError
from routestudio.formats.reader import RowReader
from routestudio.project.files import state_folder
from routestudio.project_names import STATE_FOLDER
from routestudio.sinks.base import StandinAddress
from routestudio.sources.uri import is_uri

if TYPE_CHECKING:
    from routestudio.engine.run_control import RunControl
    from routestudio.samples.shapes import Shapes

Emit = Callable[[str, dict[str, Any]], None]


def ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class Runner(Engine):
    """An engine that previews and delivers."""

    async def preview_all(
        self,
        sink: str,
        on_row: Callable[[dict[str, Any]], None],
        reader: RowReader | None = None,
        shapes: Shapes | None = None,
        **source: Any,
    ) -> int:
        """Every preview row in order, streamed to `on_row`; returns the number of failed rows.

        `shapes` counts the columns of the rows that reach a function.
        """
        from routestudio.engine.previews import CHUNK, evaluate_rows

        prepared = self.workspace.prepare(sink)
        if prepared.functions.enrichment is not None:
            from routestudio.engine import enrichment

            enrichment.attach(self.workspace, prepared)
        failed = index = 0
        reading = reading_of(source)
        rows = messages(
            self.workspace, *source_of(source), chunk=CHUNK, reading=reading, reader=reader
        )
        async for items in rows:
            for row in await evaluate_rows(prepared, items, index, shapes):
                failed += not row["ok"] and not row["filtered"]
                on_row(self.workspace.redact_data(row))
            index += len(items)
        return failed

    async def run(
        self,
        sink: str,
        *,
        standin: bool = False,
        dead_letters: str | None = None,
        checkpoint: str | None = None,
        control: RunControl | None = None,
        confirmed: str | None = None,
        workers: int = 1,
        emit: Emit = ignore,
        **source: Any,
    ) -> dict[str, Any]:
        """Deliver a source. Emits `progress` and returns the summary (docs/guides/command-line.md).

        `control` is for callers in the same process, `confirmed` as in `prepare_delivery`. More
        than one of `workers` are processes that share the messages.
        """
        from routestudio.engine import runs

        prepared = await self.prepare_delivery(sink, standin, confirmed)
        options = runs.RunOptions(
            dead_letters=Path(dead_letters) if dead_letters else None,
            checkpoint=Path(checkpoint) if checkpoint else None,
            control=control,
            workers=workers,
        )
        if options.dead_letters is not None:
            _make_room(options.dead_letters)
        kind, value = source_of(source)
        if kind == "input" and is_uri(value):
            from routestudio.engine import streaming

            return await streaming.deliver(
                self.workspace, prepared, value, options, reading_of(source), emit
            )
        return await runs.deliver(
            self.workspace, prepared, kind, value, options, emit, reading_of(source)
        )

    async def prepare_delivery(
        self, sink: str, standin: bool, confirmed: str | None = None
    ) -> PreparedSink:
        """A sink for a run, pointed at its stand-in when asked for.

        Raises `UsageError` for a real service of an environment that may not be written to:
        `confirmed` is the name that somebody confirmed (`environments.require_writable`).
        """
        if not standin:
            require_writable(self.workspace, confirmed)
        address = await self.standin_of(sink) if standin else None
        prepared = self.workspace.prepare(
            sink, standin=address, for_delivery=not standin, max_overruns=None
        )
        if prepared.functions.enrichment is not None:
            from routestudio.engine import enrichment

            enrichment.require(self.workspace, prepared)
        return prepared

    async def standin_of(self, sink: str) -> StandinAddress:
        """Where the stand-in of a sink listens. Raises `UsageError`: only a service starts some."""
        raise UsageError(f"there are no stand-ins here for `{sink}`")


def _make_room(path: Path) -> None:
    """Make the folder of the window's own dead letters; it is not part of the project."""
    if path.parent.name == STATE_FOLDER and not path.parent.exists():
        state_folder(path.parent.parent)
