"""Route tests: YAML files in `tests/` that say where a message must go, run by the same stages.

A file holds a list (or `tests:` with a list) of
`{name, sink, message | sample: {name, row}, expect: {routing, filtered, error}}`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Workspace
from routestudio.errors import Place, ProjectError, RouteStudioError, UsageError
from routestudio.model.message import Message, MessageError, message_from
from routestudio.project.document import YamlDocument
from routestudio.project.files import read_text

_KEYS = frozenset({"name", "sink", "message", "sample", "row", "expect"})
_EXPECT = frozenset({"routing", "filtered", "error"})


@dataclass(frozen=True, slots=True)
class RouteTest:
    """One test and where it stands."""

    name: str
    sink: str
    file: str
    line: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of one test; `failures` say what differed, empty when it passed."""

    __test__ = False

    test: RouteTest
    failures: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain data for the command line and the window."""
        return {
            "name": self.test.name,
            "sink": self.test.sink,
            "file": self.test.file,
            "line": self.test.line,
            "ok": not self.failures,
            "failures": list(self.failures),
            "ms": round(self.seconds * 1000, 1),
        }


def load(root: Path) -> list[RouteTest]:
    """Every route test of a project. Raises `ProjectError` with file and line."""
    tests: list[RouteTest] = []
    folder = root / "tests"
    files = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    for path in files:
        tests += list(_read(path, path.relative_to(root).as_posix()))
    return tests


async def run(workspace: Workspace, test: RouteTest) -> TestResult:
    """Run one test; a fault of the test itself is a failure that says so."""
    begun = perf_counter()
    try:
        failures = await _failures(workspace, test)
    except (RouteStudioError, MessageError) as error:
        failures = (str(error),)
    return TestResult(test, tuple(failures), perf_counter() - begun)


def junit(results: list[TestResult]) -> str:
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


def _read(path: Path, shown: str) -> Iterator[RouteTest]:
    text = read_text(path, limit=4 << 20)
    wrapped = text if text.lstrip().startswith("tests:") or "\ntests:" in text else None
    shift = 0
    if wrapped is None:
        wrapped = "tests:\n" + text
        shift = 1
    document = YamlDocument(wrapped, name=shown)
    items = document.plain(("tests",))
    if not isinstance(items, list):
        raise ProjectError("must be a list of tests", place=Place(shown, 1))
    for index, item in enumerate(items):
        line = document.position(("tests", str(index)))[0] - shift
        place = Place(shown, line)
        if not isinstance(item, dict):
            raise ProjectError("a test must be a map", place=place)
        unknown = set(item) - _KEYS
        if unknown:
            raise ProjectError(f"unknown key `{sorted(unknown)[0]}`", place=place,
                               hint=f"known: {', '.join(sorted(_KEYS))}")  # fmt: skip
        expect = item.get("expect")
        if not isinstance(expect, dict) or not set(expect) <= _EXPECT or not expect:
            raise ProjectError("`expect` must hold routing, filtered or error", place=place)
        if not isinstance(item.get("sink"), str):
            raise ProjectError("a test must name its `sink`", place=place)
        yield RouteTest(str(item.get("name") or f"test {index + 1}"), item["sink"], shown, line,
                        item)  # fmt: skip


async def _failures(workspace: Workspace, test: RouteTest) -> tuple[str, ...]:
    prepared = workspace.prepare(test.sink)
    staged = (await prepared.stages.apply([_message(workspace, test.body)]))[0]
    expect = test.body["expect"]
    found: list[str] = []
    if "filtered" in expect:
        filtered = staged.filtered is not None
        if filtered is not bool(expect["filtered"]):
            found.append(f"filtered: expected {_say(expect['filtered'])}, got {_say(filtered)}")
    elif staged.filtered is not None:
        found.append(f"the message was filtered by its {staged.filtered}")
    first = staged.problems[0] if staged.problems else None
    if "error" in expect:
        wanted = expect["error"]
        codes = {p.code for p in staged.problems} | {p.field for p in staged.problems}
        if (wanted is True and first is None) or (wanted is not True and wanted not in codes):
            got = first.code if first else "no error"
            found.append(f"error: expected {wanted}, got {got}")
    elif first is not None:
        place = f" (line {first.line})" if first.line else ""
        found.append(f"{first.stage} failed: {first.message}{place}")
    values = staged.effective.values if staged.effective else {}
    for name, wanted in (expect.get("routing") or {}).items():
        if name not in values:
            known = ", ".join(values) or "nothing was routed"
            found.append(f"{name}: is no routed field here (known: {known})")
        elif values[name] != wanted:
            found.append(f"{name}: expected {_say(wanted)}, got {_say(values[name])}")
    return tuple(found)


def _message(workspace: Workspace, body: Mapping[str, Any]) -> Message:
    if isinstance(body.get("message"), dict):
        return message_from(body["message"])
    sample = body.get("sample")
    name, row = (sample.get("name"), sample.get("row", 0)) if isinstance(sample, dict) else (
        sample, body.get("row", 0))  # fmt: skip
    if not isinstance(name, str) or not isinstance(row, int):
        raise UsageError("the test has neither a message nor a sample with a row")
    items = read_some(workspace, "sample", name, row + 1)
    if row >= len(items):
        raise UsageError(f"sample `{name}` has {len(items)} rows; there is no row {row}")
    item = items[row]
    if not isinstance(item, Message):
        raise UsageError(f"row {row} of sample `{name}` holds no message: {item.message}")
    return item


def _say(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
