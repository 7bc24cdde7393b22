"""Route tests: YAML files in `tests/` that show where a message must go, run by the same stages.

A file holds a list (or `tests:` with a list) of tests; the guide to route tests describes them:
`{name, sink, message | sample: {name, row}, variants, now, expect}`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from routestudio.engine import enrichment
from routestudio.engine.coverage import Coverage
from routestudio.engine.expectations import KEYS as EXPECT
from routestudio.engine.expectations import Difference, differences, expectation
from routestudio.engine.sources import read_some
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import Place, ProjectError, RouteStudioError, UsageError
from routestudio.functions import clock
from routestudio.model.message import Message, MessageError, message_from, table_of
from routestudio.pipeline.stages import Staged
from routestudio.project.disk import TEST_ENDINGS
from routestudio.project.store import OpenProject
from routestudio.project.test_files import FOLDER, document_of
from routestudio.samples.variants import BY_KEY, key_columns, variants_of

_UNKNOWN: Final = (
    "the enrichment is unknown, and a function may read it: give the message "
    "`metadata.enrichment`, or let the database be asked (`--enrich`)"
)
_KEYS: Final = frozenset({"name", "sink", "message", "sample", "row", "variants", "now", "expect"})


@dataclass(frozen=True, slots=True)
class RouteTest:
    """One test and where it stands: `file` and `line`, and `index` in the file's list.

    `variant` is the hard case that it makes of its message, `expect` what must become of it.
    """

    name: str
    sink: str
    file: str
    line: int
    index: int
    body: Mapping[str, Any]
    expect: Mapping[str, Any]
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of one test; `failures` show what differed, empty when it passed.

    `actual` is the expectation that would have been met; `None` when the test could not be run.
    """

    __test__ = False

    test: RouteTest
    failures: tuple[str, ...]
    seconds: float
    differences: tuple[Difference, ...] = ()
    actual: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data for the command line and the window."""
        test = self.test
        return {
            "name": test.name,
            "sink": test.sink,
            "file": test.file,
            "line": test.line,
            "index": test.index,
            "variant": test.variant,
            "ok": not self.failures,
            "failures": list(self.failures),
            "differences": [item.as_json() for item in self.differences],
            "expect": dict(test.expect),
            "actual": dict(self.actual) if self.actual is not None else None,
            "ms": round(self.seconds * 1000, 1),
        }


def load(project: OpenProject) -> list[RouteTest]:
    """Every route test of a project, with its unsaved edits. Raises `ProjectError` with file and
    line."""
    tests: list[RouteTest] = []
    for path in files(project):
        tests += list(_read(current(project, path), path))
    return tests


def files(project: OpenProject) -> list[str]:
    """The files of route tests, by relative path, in order."""
    found = project.files(FOLDER)
    return [path for path in found if path.count("/") == 1 and path.endswith(TEST_ENDINGS)]


def current(project: OpenProject, path: str) -> str:
    """The text of a file of tests: with unsaved edits, else as the disk has it now."""
    if path not in project.dirty and project.changed_outside((path,)):
        project.take_outside([path])
    return project.read(path) or ""


@dataclass(slots=True)
class Runner:
    """Runs tests of one project. Sinks are bound once; `coverage` collects what was reached."""

    workspace: Workspace
    coverage: Coverage | None = None
    _prepared: dict[str, PreparedSink] = field(default_factory=dict)

    async def run(self, test: RouteTest) -> TestResult:
        """Run one test; a fault of the test itself is a failure that reports it."""
        begun = perf_counter()
        try:
            staged, sink = await self._staged(test)
        except (RouteStudioError, MessageError) as error:
            return TestResult(test, (str(error),), perf_counter() - begun)
        found = tuple(differences(test.expect, staged, sink.sink))
        if staged.enrichment == "unknown" and staged.ok and _matters(test, sink):
            return TestResult(test, (_UNKNOWN,),
                              perf_counter() - begun)  # fmt: skip
        return TestResult(
            test,
            tuple(item.text for item in found),
            perf_counter() - begun,
            found,
            expectation(staged, sink.sink),
        )

    async def _staged(self, test: RouteTest) -> tuple[Staged, PreparedSink]:
        prepared = self._prepared.get(test.sink)
        if prepared is None:
            prepared = self._prepared[test.sink] = self.workspace.prepare(test.sink)
            enrichment.attach(self.workspace, prepared)
        message = message_of(self.workspace, test)
        now = test.body.get("now")
        staged = (await prepared.stages.apply([message], now=now))[0]
        if self.coverage is not None:
            await self.coverage.add(prepared, [message], now=now)
        return staged, prepared


def message_of(workspace: Workspace, test: RouteTest) -> Message:
    """The message of a test, with its variant made. Raises `UsageError`, `MessageError`."""
    message, others = _original(workspace, test.body)
    if test.variant is None:
        return message
    keys = key_columns([*others, message]).get(table_of(message), ())
    made = variants_of(message, keys, {test.variant})
    if not made:
        raise UsageError(f"the variant `{test.variant}` cannot be made of this message")
    return made[0][1]


def _matters(test: RouteTest, prepared: PreparedSink) -> bool:
    """Whether an enrichment that is not known may change the outcome: a function may read it, and
    the test does not say that it is null."""
    message = test.body.get("message")
    metadata = message.get("metadata") if isinstance(message, Mapping) else None
    if isinstance(metadata, Mapping) and "enrichment" in metadata:
        return False
    return enrichment.is_read(prepared.functions)


def junit(results: Sequence[TestResult]) -> str:
    """A JUnit report."""
    failed = sum(1 for item in results if item.failures)
    suite = ET.Element("testsuite", name="routestudio", tests=str(len(results)),
                       failures=str(failed),
                       time=f"{sum(r.seconds for r in results):.3f}")  # fmt: skip
    for item in results:
        case = ET.SubElement(
            suite, "testcase", classname=item.test.sink, name=item.test.name,
            file=item.test.file, line=str(item.test.line), time=f"{item.seconds:.4f}",
        )  # fmt: skip
        if item.failures:
            node = ET.SubElement(case, "failure", message=item.failures[0])
            node.text = f"{item.test.file}:{item.test.line}\n" + "\n".join(item.failures)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"
    )


def _read(text: str, shown: str) -> Iterator[RouteTest]:
    document, shift = document_of(text, shown)
    items = document.plain(("tests",))
    if not isinstance(items, list):
        raise ProjectError("must be a list of tests", place=Place(shown, 1))
    for index, item in enumerate(items):
        line = document.position(("tests", str(index)))[0] - shift
        yield from _tests_of(item, index, Place(shown, line))


def check(item: Any, index: int, place: Place) -> None:
    """Raise `ProjectError` for what is not a test."""
    for _ in _tests_of(item, index, place):
        pass


def _tests_of(item: Any, index: int, place: Place) -> Iterator[RouteTest]:
    """The tests of one entry: one, or one for each of its variants."""
    if not isinstance(item, dict):
        raise ProjectError("a test must be a map", place=place)
    unknown = set(item) - _KEYS
    if unknown:
        raise ProjectError(f"unknown key `{sorted(unknown)[0]}`", place=place,
                           hint=f"known: {', '.join(sorted(_KEYS))}")  # fmt: skip
    if not isinstance(item.get("sink"), str):
        raise ProjectError("a test must name its `sink`", place=place)
    now = item.get("now")
    if now is not None:
        try:
            clock.moment(now)
        except (TypeError, ValueError):
            raise ProjectError(
                "`now` must be a time, in quotes",
                place=place,
                hint="such as '2026-01-31T12:00:00Z'",
            ) from None
    variants = item.get("variants")
    name = str(item.get("name") or f"test {index + 1}")
    shown, line = str(place.file), place.line or 1
    if variants is None:
        expect = _expectation(item.get("expect"), place)
        yield RouteTest(name, item["sink"], shown, line, index, item, expect)
        return
    if not isinstance(variants, (list, dict)) or not variants:
        raise ProjectError("`variants` must be a list, or a map of expectations", place=place)
    for variant in variants:
        if variant not in BY_KEY:
            known = ", ".join(BY_KEY)
            raise ProjectError(f"unknown variant `{variant}`", place=place, hint=f"known: {known}")
        own = variants[variant] if isinstance(variants, dict) else None
        expect = _expectation(item.get("expect") if own is None else own, place)
        title = f"{name} [{variant}]"
        yield RouteTest(title, item["sink"], shown, line, index, item, expect, variant)


def _expectation(expect: Any, place: Place) -> Mapping[str, Any]:
    if not isinstance(expect, dict) or not set(expect) <= set(EXPECT) or not expect:
        raise ProjectError(f"`expect` must hold {', '.join(EXPECT[:-1])} or {EXPECT[-1]}",
                           place=place)  # fmt: skip
    if not isinstance(expect.get("routing", {}), dict):
        raise ProjectError("`routing` must be a map of routed fields", place=place)
    return expect


def _original(workspace: Workspace, body: Mapping[str, Any]) -> tuple[Message, list[Message]]:
    """The message of a test, and those before it in its sample."""
    if isinstance(body.get("message"), dict):
        return message_from(body["message"]), []
    sample = body.get("sample")
    name, row = (sample.get("name"), sample.get("row", 0)) if isinstance(sample, dict) else (
        sample, body.get("row", 0))  # fmt: skip
    if not isinstance(name, str) or not isinstance(row, int) or row < 0:
        raise UsageError("the test has neither a message nor a sample with a row")
    items = read_some(workspace, "sample", name, row + 1)
    if row >= len(items):
        raise UsageError(f"sample `{name}` has {len(items)} rows; there is no row {row}")
    item = items[row]
    if not isinstance(item, Message):
        raise UsageError(f"row {row} of sample `{name}` is not a message: {item.message}")
    return item, [other for other in items if isinstance(other, Message)]
