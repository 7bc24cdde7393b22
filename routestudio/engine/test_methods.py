"""Requests about route tests as a list: run some, pin many rows, edit and remove, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from routestudio.engine import pinning, route_tests
from routestudio.engine.coverage import Coverage
from routestudio.engine.previews import Preview
from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.functions.pool import FunctionPool
from routestudio.model.message import Message
from routestudio.project.files import write_text

Emit = Callable[[str, dict[str, Any]], None]
Chosen = Sequence[tuple[str, int]]
"""Tests by file and number in it; a number stands for all variants of the test."""

MOST: Final = 200
"""Rows that are pinned at a time."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class Service(Protocol):
    """What is asked for the project and its previews."""

    @property
    def workspace(self) -> Workspace: ...
    @property
    def pool(self) -> FunctionPool: ...
    def preview_of(self, view: str) -> Preview | None: ...
    def snapshot(self) -> dict[str, Any]: ...


class TestMethods:
    """Requests of the list of route tests."""

    __test__ = False

    def __init__(self, service: Service) -> None:
        self._service = service
        self._last: list[route_tests.TestResult] = []
        self.methods: dict[str, Callable[..., Any]] = {
            "test": self.test,
            "export_tests": self.export_tests,
            "pin_rows": self.pin_rows,
            "test_body": self.test_body,
            "edit_test": self.edit_test,
            "delete_tests": self.delete_tests,
        }

    async def test(
        self, *, only: Chosen | None = None, emit: Emit = _ignore
    ) -> list[dict[str, Any]]:
        """Run every route test of the project, or some; emits each `result`, then `coverage`, which
        is about the tests that ran."""
        tests = route_tests.load(self._service.workspace.project)
        if only is not None:
            wanted = {(file, index) for file, index in only}
            tests = [item for item in tests if (item.file, item.index) in wanted]
        collected = Coverage(self._service.pool)
        runner = route_tests.Runner(self._service.workspace, collected)
        found = []
        for item in tests:
            found.append(await runner.run(item))
            emit("result", found[-1].as_json())
        emit("coverage", {"functions": [item.as_json() for item in collected.functions()]})
        self._keep(found, whole=only is None)
        return [item.as_json() for item in found]

    def _keep(self, found: list[route_tests.TestResult], *, whole: bool) -> None:
        """Keep results for a report; those of some tests take the places of the old ones."""
        if whole:
            self._last = found
            return
        again = {(r.test.file, r.test.index, r.test.variant): r for r in found}
        self._last = [again.get((r.test.file, r.test.index, r.test.variant), r)
                      for r in self._last]  # fmt: skip

    async def export_tests(self, output: str, *, emit: Emit = _ignore) -> int:
        """Write the last results as a JUnit report, as `routestudio test --junit` does; returns how
        many there are. Raises `UsageError` before the first run."""
        if not self._last:
            raise UsageError("no route test has run yet", hint="run the tests first")
        text = self._service.workspace.redact(route_tests.junit(self._last))
        write_text(Path(output), text)
        return len(self._last)

    async def pin_rows(
        self,
        sink: str,
        *,
        ranges: Sequence[tuple[int, int]],
        view: str = "preview",
        sample: str | None = None,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Make a route test of each selected row of a preview, as one edit.

        With `sample` the tests refer to its rows. Returns the snapshot, with `count`, `file` and
        the first `name` as `test`.
        """
        preview = self._service.preview_of(view)
        if preview is None:
            raise UsageError("this preview is gone", hint="preview the sample again")
        numbers = [number for first, last in sorted(ranges)
                   for number in preview.numbers(first, last)]  # fmt: skip
        if len(numbers) > MOST:
            raise UsageError(f"{len(numbers):,} rows are too many to pin",
                             hint=f"select up to {MOST} of them")  # fmt: skip
        items = [(preview.source.read(number, 1)[0], number) for number in numbers]
        messages = [(item, number) for item, number in items if isinstance(item, Message)]
        if not messages:
            raise UsageError("none of these rows is a message", hint="select other rows")
        if preview.prepared.stages.enricher is not None:
            # With what the database has of them now, so that the tests need no database.
            given = await preview.prepared.stages.enriched([item for item, _ in messages])
            pinned = [(item, None) for item in given]
        else:
            pinned = [(item, (sample, number) if sample is not None else None)  # type: ignore[misc]
                      for item, number in messages]  # fmt: skip
        made = await pinning.pin_all(self._service.workspace, sink, pinned)
        return {**self._service.snapshot(), "test": {**made[0], "count": len(made)}}

    async def test_body(self, *, file: str, index: int, emit: Emit = _ignore) -> dict[str, Any]:
        """A route test as it is written."""
        return pinning.body(self._service.workspace, file, index)

    async def edit_test(
        self, *, file: str, index: int, body: Mapping[str, Any], emit: Emit = _ignore
    ) -> dict[str, Any]:
        """Give a route test another content."""
        made = pinning.edit(self._service.workspace, file, index, body)
        return {**self._service.snapshot(), "test": made}

    async def delete_tests(self, *, tests: Chosen, emit: Emit = _ignore) -> dict[str, Any]:
        """Remove route tests, with their variants."""
        made = pinning.delete_all(self._service.workspace, [(f, i) for f, i in tests])
        return {**self._service.snapshot(), "test": made}
