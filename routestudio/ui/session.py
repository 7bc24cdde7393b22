"""The open project as the window knows it: the engine's last snapshot, edits in order.

Views read `snapshot` and listen to `changed`; they change things only through `apply`, which
sends edits one after the other, so what a person did first is done first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from routestudio.api.client import OnEvent
from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Engine, Job
from routestudio.ui.ordering import Order, Snapshot

PATIENCE = 5.0
"""Seconds that closing waits for edits that the engine has not answered."""


class Session(QObject):
    """State shared by all views of one window."""

    opened = Signal()
    """A project was opened; views build themselves again."""
    changed = Signal()
    """The snapshot is new; views refresh what they show."""
    tests_changed = Signal()
    """A route test was pinned, accepted, renamed or deleted."""
    edit_failed = Signal(str)
    recoverable = Signal(int, str)
    """So many unsaved edits of an earlier run, and their time, can be recovered."""
    saved = Signal()
    """Everything is on the disk."""
    conflict = Signal(list, object)
    """Files that another program changed while they have unsaved edits, or removed
    (`engine.saving`), and what to call after they are saved, or `None`."""
    read_again = Signal(list)
    """Paths that another program changed, and that were read again."""
    database_seen = Signal()
    """A database was looked at; functions are compared with its tables from now on."""
    rows_come = Signal(str, str)
    """Sink and sample set: rows come into it while the sink is looked at."""
    sample_chosen = Signal()
    """A person chose a sample set for a sink."""
    workers_changed = Signal()
    """How many processes deliver was chosen, or is remembered."""
    notice = Signal(str, str)
    """Kind (`info`, `success`, `warning`, `error`) and a sentence for a toast."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine = engine
        self.snapshot: Snapshot = {}
        self._order = Order(engine)
        self.api = self._order.api
        """The engine's methods, about the project as every edit so far has left it."""
        self._columns: list[tuple[str, str, str]] = []
        self._samples: object = None
        self.last_samples: dict[str, str] = {}
        """The sample set that each sink was last previewed on."""
        self.workers = 1
        """How many processes deliver a run of this project."""
        engine.restarted.connect(self._reopen)

    # --- reading -----------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a project is open."""
        return bool(self.snapshot)

    @property
    def path(self) -> Path | None:
        """The open project's folder or file."""
        return self._order.path

    @property
    def dirty(self) -> bool:
        """Whether something is not saved."""
        return bool(self.snapshot.get("dirty"))

    def sinks(self) -> list[dict[str, Any]]:
        """All sinks of the snapshot."""
        return list(self.snapshot.get("sinks", ()))

    def sink(self, name: str) -> dict[str, Any] | None:
        """One sink by name."""
        return next((item for item in self.sinks() if item["name"] == name), None)

    def databases(self) -> dict[str, dict[str, Any]]:
        """The databases of the snapshot by name."""
        return dict(self.snapshot.get("database_entries", {}))

    @property
    def environment(self) -> dict[str, Any] | None:
        """Name, colour, `read_only` and file of the environment in use; `None` without one."""
        found = self.snapshot.get("environment")
        return dict(found) if found else None

    @property
    def variables_file(self) -> str:
        """The file that takes secrets: that of the environment in use, or `.env`."""
        return str((self.environment or {}).get("file", ".env"))

    def environments(self) -> list[dict[str, Any]]:
        """Every environment of the project."""
        return list(self.snapshot.get("environments", ()))

    def functions(self, kind: str | None = None) -> list[dict[str, Any]]:
        """All functions, or those of one kind."""
        items = self.snapshot.get("functions", ())
        return [item for item in items if kind is None or item["kind"] == kind]

    def function(self, name: str) -> dict[str, Any] | None:
        """One function by name."""
        return next((item for item in self.functions() if item["name"] == name), None)

    def samples(self) -> list[dict[str, Any]]:
        """All sample sets with their counts."""
        return list(self.snapshot.get("samples", ()))

    def endpoints(self) -> dict[str, dict[str, Any]]:
        """All HTTP endpoints by name."""
        return dict(self.snapshot.get("http_endpoints", {}))

    def columns(self) -> list[tuple[str, str, str]]:
        """Names, types and their origins of the samples' columns, as last read."""
        return self._columns

    def remember_sample(self, sink: str, sample: str) -> None:
        """Keep the sample set that a person chose for a sink."""
        self.last_samples[sink] = sample
        self.sample_chosen.emit()

    def sinks_using(self, function: str) -> list[dict[str, Any]]:
        """The sinks that use a function in any role."""
        roles = ("routing", "filter", "transform", "enrichment")
        return [s for s in self.sinks() if any(s.get(role) == function for role in roles)]

    async def request(self, method: str, *, on_event: OnEvent | None = None, **params: Any) -> Any:
        """Ask about the project as it is after every edit so far. Raises `RouteStudioError`.

        A request that goes to the engine directly may overtake edits that wait for their turn.
        """
        return await self._order.ask(method, on_event=on_event, **params)

    # --- changing ----------------------------------------------------------------------------

    def open(
        self,
        path: Path,
        done: Callable[[], object] | None = None,
        environment: str | None = None,
    ) -> Job:
        """Open a project; failures go to the engine's `failed` signal."""

        def opened(snapshot: Snapshot) -> None:
            self._order.path, self._order.environment = path, environment
            self._take(snapshot)
            self.opened.emit()
            pending = snapshot.get("recoverable") or {}
            if pending.get("count"):
                self.recoverable.emit(pending["count"], str(pending.get("time", "")))
            if done is not None:
                done()

        work = self._order.change("open", path=str(path), environment=environment)
        return self.engine.run(work, owner=self, title=f"Open {path.name}", done=opened)

    def create(self, path: Path, sink: str | None, done: Callable[[], object] | None = None) -> Job:
        """Create a project with starters and open it."""

        def opened(snapshot: Snapshot) -> None:
            self._order.path, self._order.environment = path, None
            self._take(snapshot)
            self.opened.emit()
            if done is not None:
                done()

        work = self._order.change("create", path=str(path), sink=sink)
        return self.engine.run(work, owner=self, title=f"Create {path.name}", done=opened)

    def apply(self, edit: dict[str, Any], done: Callable[[], object] | None = None) -> Job:
        """Apply one edit (see `project.store`). A refused edit is reported and changes nothing."""
        return self._change("apply", done, edit=edit)

    def set_value(self, path: list[str], value: Any) -> Job:
        """Set one value of the YAML file."""
        return self.apply({"op": "set", "path": path, "value": value})

    def undo(self) -> Job:
        """Undo the last edit of the project."""
        return self._change("undo", None)

    def redo(self) -> Job:
        """Redo the last undone edit."""
        return self._change("redo", None)

    def save(self, done: Callable[[], object] | None = None, *, overwrite: bool = False) -> Job:
        """Save everything; `done` is called when it is on the disk.

        Where another program changed or removed a file, nothing is written and `conflict` is sent.
        """

        def saved() -> None:
            found = self.snapshot.get("conflicts")
            if found:
                self.conflict.emit(found, done)
                return
            self.saved.emit()
            if done is not None:
                done()

        return self._change("save", saved, ask=True, overwrite=overwrite)

    def save_as(self, path: Path, done: Callable[[], object] | None = None) -> Job:
        """Write the project, with its unsaved edits, to a new folder and go on there."""

        def saved() -> None:
            self._order.path = Path(self.snapshot["path"]).parent
            self.opened.emit()
            if done is not None:
                done()

        return self._change("save_as", saved, path=str(path))

    def look_outside(self) -> Job:
        """Read again what other programs changed; `conflict` is sent for what was edited here."""

        def found() -> None:
            snapshot = self.snapshot
            if snapshot.get("taken"):
                self.read_again.emit(snapshot["taken"])
            if snapshot.get("conflicts"):
                self.conflict.emit(snapshot["conflicts"], None)

        return self._change("outside", found)

    def take_outside(self, paths: list[str], done: Callable[[], object] | None = None) -> Job:
        """Read files again and drop their unsaved edits."""
        return self._change("take_outside", done, paths=paths)

    def recover(self) -> Job:
        """Take back the unsaved edits of an earlier run."""
        return self._change("recover", self.opened.emit)

    def discard_recovery(self, *, own: bool = False) -> Job:
        """Forget them."""
        return self._change("discard_recovery", None, own=own)

    def put_secret(self, path: list[str], name: str, value: str, where: str) -> Job:
        """Store a secret outside the YAML and refer to it."""
        return self._change("put_secret", None, path=path, name=name, value=value, where=where)

    def use_environment(self, name: str | None) -> Job:
        """Take variables from another environment."""
        return self._environment_change("use_environment", name=name)

    def add_environment(self, name: str) -> Job:
        """Make a new environment and use it."""
        return self._environment_change("add_environment", name=name)

    def set_variable(self, name: str, value: str, where: str, shared: bool) -> Job:
        """Set a variable of the environment in use, or of all."""
        return self._change("set_variable", None, name=name, value=value, where=where,
                            shared=shared)  # fmt: skip

    def remove_variable(self, name: str, place: str) -> Job:
        """Take a variable out of the place where it is set."""
        return self._change("remove_variable", None, name=name, place=place)

    def _environment_change(self, method: str, **params: Any) -> Job:
        def changed() -> None:
            self._order.environment = (self.environment or {}).get("name")

        return self._change(method, changed, **params)

    def add_sample_file(
        self, settings: dict[str, Any], name: str, done: Callable[[], object]
    ) -> Job:
        """Write a file that is too large to be an edit into the project's samples.

        `settings` as in the engine's request `add_sample_file`.
        """

        def added() -> None:
            file = Path(settings["path"]).name
            text = f"{file} was large and is written to samples/{name}.jsonl at once"
            self.notice.emit("info", text)
            done()

        return self._change("add_sample_file", added, name=name, **settings)

    def edit_tests(
        self, method: str, done: Callable[[dict[str, Any]], object] | None = None, **params: Any
    ) -> Job:
        """Pin, accept, rename or delete a route test (`engine.workbench`): an edit as any other."""

        def finished() -> None:
            if done is not None:
                done(self.snapshot["test"])
            self.tests_changed.emit()

        return self._change(method, finished, **params)

    def after_edits(self, then: Callable[[bool], object]) -> Job:
        """Call `then` when all edits so far are answered, or with False when that takes long."""

        async def work() -> bool:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._order.settled()
                    return True
            except TimeoutError:
                return False

        return self.engine.run(work(), owner=self, title="Wait for edits", done=then)

    def _change(self, method: str, done: Callable[[], object] | None, **params: Any) -> Job:
        def finished(snapshot: Snapshot) -> None:
            problem = snapshot.get("journal_problem")
            news = problem != self.snapshot.get("journal_problem")
            self._take(snapshot)
            if problem and news:
                self.notice.emit("warning", problem)
            if done is not None:
                done()

        def failed(error: RouteStudioError) -> None:
            self.edit_failed.emit(str(error))
            self.notice.emit("error", str(error))
            self.changed.emit()

        work = self._order.change(method, **params)
        return self.engine.run(work, owner=self, title=method, done=finished, failed=failed)

    def _reopen(self) -> None:
        if self._order.path is None:
            return

        def done(snapshot: Snapshot | None) -> None:
            if snapshot is not None:  # else an edit was first, and its snapshot is newer
                self._take(snapshot)
            self.notice.emit("warning", "Engine restarted. No edits were lost.")

        self.engine.run(self._order.reopen(), owner=self, title="Open again", done=done)

    def _take(self, snapshot: Snapshot) -> None:
        problem = snapshot.get("journal_problem")
        if problem and problem != self.snapshot.get("journal_problem"):
            self.notice.emit("warning", str(problem))
        self.snapshot = snapshot
        samples = snapshot.get("samples"), snapshot.get("table_types")
        if samples != self._samples:
            self._samples = samples
            self._read_columns()
        self.changed.emit()

    def looked_at_database(self) -> None:
        """A database was looked at: its columns are known, and functions are compared with them."""
        self._read_columns()
        self.database_seen.emit()

    def _read_columns(self) -> None:
        def done(found: list[list[str]]) -> None:
            self._columns = [(name, kind, origin) for name, kind, origin in found]
            self.changed.emit()

        self.engine.run(self.request("columns"), owner=self, title="Columns", done=done)
