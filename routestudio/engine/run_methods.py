"""The service's methods about runs: names and parameters of the protocol, one `RunDesk` behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routestudio.engine.run_desk import Emit, RunDesk
from routestudio.model.limits import MOST_WORKERS
from routestudio.project_names import STATE_FOLDER

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Method = Callable[..., Awaitable[Any]]


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class RunMethods:
    """Requests about runs. The desk of a project lives on when the project is opened again."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self._desks: dict[Path, RunDesk] = {}
        self.methods: dict[str, Method] = {
            "runs": self.runs,
            "run_detail": self.run_detail,
            "delete_run": self.delete_run,
            "deliver": self.deliver,
            "resume_run": self.resume_run,
            "retry_letters": self.retry_letters,
            "stop_run": self.stop_run,
            "run_destinations": self.run_destinations,
            "recent": self.recent,
            "delivered": self.delivered,
            "letters": self.letters,
            "letter_rows": self.letter_rows,
            "letter": self.letter,
            "edit_letters": self.edit_letters,
            "set_in_letters": self.set_in_letters,
            "export_letters": self.export_letters,
        }

    @property
    def desk(self) -> RunDesk:
        """The desk of the open project. Raises `UsageError` when there is none."""
        workspace = self._service.workspace
        root = workspace.project.root
        desk = self._desks.get(root)
        if desk is None:
            desk = self._desks[root] = RunDesk(
                workspace, root / STATE_FOLDER, self._service.prepare_delivery,
                lambda: self._service.on_event("runs_changed", {}),
            )  # fmt: skip
        desk.workspace = workspace
        return desk

    async def runs(self, *, emit: Emit = _ignore) -> list[dict[str, Any]]:
        """Every kept run, newest first."""
        return self.desk.runs()

    async def run_detail(self, run: str, *, emit: Emit = _ignore) -> dict[str, Any]:
        """One run."""
        return self.desk.detail(run)

    async def delete_run(self, run: str, *, emit: Emit = _ignore) -> None:
        """Forget one run with its dead letters."""
        self.desk.delete(run)

    async def deliver(
        self,
        sink: str,
        standin: bool = False,
        confirmed: str | None = None,
        workers: int = 1,
        *,
        emit: Emit = _ignore,
        **source: Any,
    ) -> dict[str, Any]:
        """Deliver a source as a run that is kept. Emits `started`, `progress`; returns the run.

        More than one of `workers` are processes that share the messages.
        `confirmed`, here and below: `environments.require_writable`.
        """
        return await self.desk.start(
            sink, standin, source, emit, confirmed, min(max(1, workers), MOST_WORKERS)
        )

    async def resume_run(
        self,
        run: str,
        confirmed: str | None = None,
        workers: int | None = None,
        *,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Go on with a cancelled, stopped or interrupted run, by as many processes as before or by
        `workers`."""
        most = None if workers is None else min(max(1, workers), MOST_WORKERS)
        return await self.desk.resume(run, emit, confirmed, most)

    async def retry_letters(
        self,
        run: str,
        numbers: list[int] | None = None,
        group: int | None = None,
        confirmed: str | None = None,
        *,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Send dead letters again: those of `numbers`, of a group, or all."""
        return await self.desk.retry(run, numbers, group, emit, confirmed)

    async def stop_run(self, run: str, *, emit: Emit = _ignore) -> None:
        """End a run; its own request answers with what was done."""
        self.desk.stop(run)

    async def run_destinations(
        self, run: str, start: int, count: int, *, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """A page of the destinations of a run."""
        return self.desk.destinations(run, start, count)

    async def recent(self, run: str, *, emit: Emit = _ignore) -> list[dict[str, Any]]:
        """The last delivered messages of a run."""
        return self.desk.recent(run)

    async def delivered(
        self, run: str, number: int, *, emit: Emit = _ignore
    ) -> dict[str, Any] | None:
        """One of them in full."""
        return self.desk.delivered(run, number)

    async def letters(self, run: str, *, emit: Emit = _ignore) -> dict[str, Any]:
        """The dead letters of a run by reason."""
        return await self.desk.letters(run)

    async def letter_rows(
        self, run: str, start: int, count: int, group: int | None = None, *, emit: Emit = _ignore
    ) -> list[dict[str, Any]]:
        """A page of its dead letters."""
        return await self.desk.letter_rows(run, group, start, count)

    async def letter(self, run: str, number: int, *, emit: Emit = _ignore) -> dict[str, Any]:
        """One dead letter."""
        return await self.desk.letter(run, number)

    async def edit_letters(
        self, run: str, changes: dict[str, Any], *, emit: Emit = _ignore
    ) -> list[int]:
        """Correct the messages of dead letters, by number; returns their new numbers."""
        return await self.desk.edit(run, changes)

    async def set_in_letters(
        self, run: str, numbers: list[int], path: list[str], value: Any, *, emit: Emit = _ignore
    ) -> list[int]:
        """Set one value in several dead letters; returns their new numbers."""
        return await self.desk.set_value(run, numbers, path, value)

    async def export_letters(
        self, run: str, output: str, group: int | None = None, *, emit: Emit = _ignore
    ) -> int:
        """Write dead letters to a file; returns how many."""
        return await self.desk.export(run, output, group)
