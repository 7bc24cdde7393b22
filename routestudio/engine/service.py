"""The engine's facade: what window and command line call. Every result is plain data.

The window calls the methods through `engine.server`; the command line calls them in-process.
Methods that take long report through `emit(name, data)` and stop when they are cancelled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from routestudio.api.calls import unheard
from routestudio.engine import drift, enrichment
from routestudio.engine.check_methods import CheckMethods
from routestudio.engine.columns import ColumnMethods
from routestudio.engine.commands import CommandMethods
from routestudio.engine.conversions import ConversionMethods, for_server
from routestudio.engine.databases import DatabaseMethods
from routestudio.engine.editing import EditingMethods
from routestudio.engine.environments import EnvironmentMethods
from routestudio.engine.evolution import evolution
from routestudio.engine.exporting import ExportMethods
from routestudio.engine.finding import FindingMethods
from routestudio.engine.outside import OutsideMethods
from routestudio.engine.picture_methods import PictureMethods
from routestudio.engine.previews import CHUNK, Preview
from routestudio.engine.read_back import ReadBackMethods
from routestudio.engine.reading import reading_of
from routestudio.engine.rehearsal import RehearsalMethods
from routestudio.engine.run_methods import Desks, LetterMethods, RunMethods
from routestudio.engine.runner import Emit, Runner, ignore
from routestudio.engine.saving import SavingMethods
from routestudio.engine.snapshot import diagnostics_of, snapshot_of
from routestudio.engine.sources import opened
from routestudio.engine.stands import Standins
from routestudio.engine.transfers import TransferMethods, summary
from routestudio.engine.workbench import WorkbenchMethods
from routestudio.engine.workspace import source_of
from routestudio.errors import UsageError
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.project import transfer
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.fields import config_fields
from routestudio.sinks.registry import Registry

Method = Callable[..., Awaitable[Any]]


class EngineService(Runner):
    """One open project and what runs for it. Close it, or use it as an async context manager."""

    def __init__(self, *, sinks: Registry | None = None, workers: int = 1) -> None:
        super().__init__(sinks=sinks, workers=workers)
        self.standins = Standins()
        self.on_event: Callable[[object], object] = unheard
        self._previews: dict[str, Preview] = {}
        self.checks = CheckMethods(self)
        self.reading = ReadBackMethods(self)
        self.finding = FindingMethods(self)
        desks = Desks(self)
        self.runs, self.letters = RunMethods(desks), LetterMethods(desks)
        self.saving = SavingMethods(self)
        self.methods: dict[str, Method] = {
            "open": self.open,
            "create": self.create,
            "apply": self.apply,
            "undo": self.undo,
            "redo": self.redo,
            "recover": self.recover,
            "discard_recovery": self.discard_recovery,
            "put_secret": self.put_secret,
            "diagnose": self.diagnose,
            "preview": self.preview,
            "forget_preview": self.forget_preview,
            "rows": self.rows,
            "row": self.row,
            "export": self.export,
            "import": self.import_file,
            "ping": self.ping,
            **WorkbenchMethods(self).methods,
            **TransferMethods(self).methods,
            **ColumnMethods(self).methods,
            **ConversionMethods(self).methods,
            **EditingMethods(self).methods,
            **self.saving.methods,
            **OutsideMethods(self).methods,
            **DatabaseMethods(self).methods,
            **EnvironmentMethods(self).methods,
            **RehearsalMethods(self).methods,
            **ExportMethods(self).methods,
            **PictureMethods(self).methods,
            **CommandMethods(self).methods,
        }

    async def close(self) -> None:
        """Stop stand-ins and function workers."""
        await self.standins.stop()
        await super().close()

    async def ping(self, *, emit: Emit = ignore) -> str:
        """Proof of life."""
        return "pong"

    # --- the project -------------------------------------------------------------------------

    async def open(
        self, path: str, environment: str | None = None, *, emit: Emit = ignore
    ) -> dict[str, Any]:
        """Open a project folder or `sequin.yaml` in an environment; returns its snapshot."""
        self.open_project(path, environment)
        self._previews.clear()
        return self.snapshot()

    async def create(
        self, path: str, sink: str | None = None, *, emit: Emit = ignore
    ) -> dict[str, Any]:
        """Create a project with starter function and samples, and open it."""
        from routestudio.project.starter import create_project

        create_project(Path(path), self.registry.get(sink) if sink else None)
        return await self.open(path)

    def snapshot(self) -> dict[str, Any]:
        """The project as plain data, with the problems of each sink; secrets masked."""
        return snapshot_of(self.workspace)

    async def apply(self, edit: dict[str, Any], *, emit: Emit = ignore) -> dict[str, Any]:
        """Apply one edit; it is in the recovery journal before this returns.

        When the journal cannot be written, the edit stays and `journal_problem` shows why.
        """
        self.workspace.project.apply(edit)
        return self.snapshot()

    async def undo(self, *, emit: Emit = ignore) -> dict[str, Any]:
        """Undo the last edit, if any."""
        self.workspace.project.undo()
        return self.snapshot()

    async def redo(self, *, emit: Emit = ignore) -> dict[str, Any]:
        """Redo the last undone edit, if any."""
        self.workspace.project.redo()
        return self.snapshot()

    async def recover(self, *, emit: Emit = ignore) -> dict[str, Any]:
        """Re-apply edits that were not saved before the last end of the program."""
        count = self.workspace.project.recover()
        return {**self.snapshot(), "recovered": count}

    async def discard_recovery(self, own: bool = False, *, emit: Emit = ignore) -> dict[str, Any]:
        """Forget those edits; with `own`, the unsaved ones of this run."""
        self.workspace.project.discard_recovery(own=own)
        return self.snapshot()

    async def put_secret(
        self, path: list[str], name: str, value: str, where: str = "env", *, emit: Emit = ignore
    ) -> dict[str, Any]:
        """Store a secret outside the YAML and set a reference to it at `path`."""
        environment = self.workspace.project.environment
        reference = environment.store.put(name, value, where=where)
        environment.forget(name)
        return await self.apply({"op": "set", "path": path, "value": reference})

    # --- functions ---------------------------------------------------------------------------

    async def diagnose(
        self,
        code: str,
        kind: str,
        language: str = "python",
        name: str = "",
        *,
        emit: Emit = ignore,
    ) -> list[dict[str, Any]]:
        """All diagnostics of a function's text; with its name, those about databases, too."""
        function = Function("", FunctionKind(kind), Language(language), code)
        found = await self.pool.check(function)
        if self._workspace is not None and self._workspace.seen:
            found = [*found, *await drift.of_function(self._workspace, name, code)]
        return diagnostics_of(found)

    # --- preview -----------------------------------------------------------------------------

    async def preview(
        self,
        sink: str,
        *,
        view: str = "preview",
        code: dict[str, str] | None = None,
        use: dict[str, str] | None = None,
        limit: int | None = None,
        emit: Emit = ignore,
        **source: Any,
    ) -> dict[str, Any]:
        """Preview a sample set under the name `view`; a later call with it takes its place.

        Emits `progress` with totals; the rows are asked for with `rows`. `code` maps function
        names to text being typed, `use` roles to functions that the sink is to have for it. Of a
        large set it ends when `limit` rows are found; `find_rows` finds the others.
        """
        prepared = self.workspace.prepare(sink, code=code, use=use)
        found = opened(self.workspace, *source_of(source), reading_of(source))
        enriched = enrichment.attach(self.workspace, prepared)
        preview = Preview(prepared, found.rows)
        self._previews[view] = preview
        fields = list(prepared.sink.Routing.model_fields)
        problems = _problems(prepared.problems)
        emit("started", {**found.as_json(), "problems": problems, "fields": fields,
                         "enrichment": enriched, "tool": prepared.sink.tool})  # fmt: skip
        totals = await preview.run(lambda item: emit("progress", item.as_json()), limit=limit)
        return {
            **totals.as_json(),
            "problems": problems,
            "dynamic": prepared.bound.dynamic,
            "fields": fields,
            "evolution": await evolution(
                preview.shapes, prepared.functions.present, self.workspace.pool
            ),
            "whole": preview.whole,
            "enrichment": enriched,
        }

    async def rows(
        self, start: int, count: int, *, view: str = "preview", emit: Emit = ignore
    ) -> list[dict[str, Any]]:
        """Rows of a preview (those of its selection) without payload and request; empty when that
        preview is gone."""
        preview = self._previews.get(view)
        if preview is None:
            return []
        rows = await preview.selected(start, min(count, 4 * CHUNK))
        shown: list[dict[str, Any]] = self.workspace.redact_data(rows)
        return shown

    async def row(
        self, index: int, *, view: str = "preview", emit: Emit = ignore
    ) -> dict[str, Any] | None:
        """One row of a preview in full, with its `message` (`None` for an unreadable line).

        A row that did not fail has the facts of `Preview.facts` too.
        """
        preview = self._previews.get(view)
        rows = [] if preview is None else await preview.rows(index, 1)
        if preview is None or not rows:
            return None
        facts = await preview.facts(index) if rows[0]["ok"] else {}
        row = {**rows[0], "message": await preview.message(index), **facts}
        shown: dict[str, Any] = self.workspace.redact_data(row)
        return shown

    async def forget_preview(self, *, view: str, emit: Emit = ignore) -> None:
        """Drop a preview that nobody looks at any more, with its rows."""
        self._previews.pop(view, None)

    def preview_of(self, view: str) -> Preview | None:
        """The preview under a name, if it is still there."""
        return self._previews.get(view)

    # --- runs --------------------------------------------------------------------------------

    async def standin_of(self, sink: str) -> StandinAddress:
        """Where the stand-in of a sink listens, started when needed."""
        return await self.standins.address(self.registry.get(self.workspace.spec(sink).type))

    # --- transfer ----------------------------------------------------------------------------

    async def export(
        self, target: str, output: str | None = None, *, emit: Emit = ignore
    ) -> dict[str, Any]:
        """Export to `sequin` (text, written to `output` when given) or `routestudio` (a folder)."""
        if target == "sequin":
            converted = await for_server(self.workspace, self.pool)
            export = transfer.export_for_server(
                self.workspace.project, self._write_always, self.workspace.secret_keys, converted
            )
            if output:
                transfer.write_text(Path(output), export.text)
            notes = [f"{name}: converted from Python to Elixir, and tried" for name in converted]
            return {"target": target, "text": export.text, "notes": [*notes, *export.notes],
                    "written": [output] if output else []}  # fmt: skip
        if target == "routestudio":
            if not output:
                raise UsageError("an export for the headless runner needs a folder to write to",
                                 hint="name it with --output")  # fmt: skip
            files = transfer.export_routestudio(
                self.workspace.project, Path(output), self.workspace.secret_keys
            )
            return {"target": target, "text": None, "notes": [],
                    "written": [str(path) for path in files]}  # fmt: skip
        raise UsageError(f"unknown target `{target}`", hint="targets: sequin, routestudio")

    def _write_always(self, key: str) -> dict[str, Any]:
        """The keys that an export writes even when they hold their defaults.

        docs/hazards.md, YML-07
        """
        sink = self.registry.get(key)
        fields = config_fields(sink.Config)
        return {field.name: field.default for field in fields if field.name in sink.write_always}

    async def import_file(self, source: str, output: str, *, emit: Emit = ignore) -> dict[str, Any]:
        """Make a project folder from a `sequin.yaml` and open it."""
        secret_keys = self.workspace.secret_keys if self._workspace else _secret_keys(self.registry)
        transfer.import_file(Path(source), Path(output), self.registry.names(), secret_keys)
        return {**await self.open(output), "imported": summary(self.workspace)}


def _secret_keys(sinks: Registry) -> Callable[[str], frozenset[str]]:
    from routestudio.sinks.fields import secret_names

    return lambda name: secret_names(sinks.get(name)) if name in sinks else frozenset()


def _problems(problems: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"field": p.field, "message": p.message, "hint": p.hint} for p in problems]
