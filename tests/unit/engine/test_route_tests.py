"""Route tests: reading, variants, stopped clock, differences, pinning, coverage."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine import pinning, route_tests
from routestudio.engine.coverage import Coverage, as_lines
from routestudio.engine.service import EngineService
from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Workspace
from routestudio.errors import ProjectError, UsageError
from routestudio.model.message import Message
from routestudio.paths import resources


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """The demo project, without route tests."""
    shutil.copytree(resources() / "demo", tmp_path / "shop")
    shutil.rmtree(tmp_path / "shop" / "tests")
    async with EngineService() as engine:
        await engine.open(str(tmp_path / "shop"))
        yield engine.workspace


def write(workspace: Workspace, text: str, name: str = "t.yaml") -> Path:
    folder = workspace.project.root / "tests"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


async def run(workspace: Workspace, coverage: Coverage | None = None) -> list[dict[str, Any]]:
    runner = route_tests.Runner(workspace, coverage)
    return [(await runner.run(t)).as_json() for t in route_tests.load(workspace.project)]


def row(workspace: Workspace, sample: str, number: int) -> Message:
    found = read_some(workspace, "sample", sample, number + 1)[number]
    assert isinstance(found, Message)
    return found


async def test_variants_make_a_test_each(workspace: Workspace) -> None:
    write(workspace, """\
- name: any change of an order
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  expect: {destination: orders.eu}
  variants: [update, read]
- name: awkward ones
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  variants:
    delete_keys: {destination: orders.unknown}
    no_key: {routing: {message_key: "1001"}}
    nulls: {destination: orders.eu}
""")  # fmt: skip
    results = await run(workspace)
    assert [(r["name"], r["ok"]) for r in results] == [
        ("any change of an order [update]", True), ("any change of an order [read]", True),
        ("awkward ones [delete_keys]", True), ("awkward ones [no_key]", True),
        ("awkward ones [nulls]", False),
    ]  # fmt: skip
    assert [r["line"] for r in results] == [1, 1, 6, 6, 6]
    failed = results[-1]
    assert failed["failures"] == ["destination: expected 'orders.eu', got 'orders.unknown'"]
    assert failed["differences"][0]["got"] == "orders.unknown"
    assert failed["actual"]["destination"] == "orders.unknown"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- {name: a, sink: s, expect: {}}",
            "`expect` must hold destination, routing, filtered or",
        ),
        ("- {name: a, expect: {filtered: true}}", "a test must name its `sink`"),
        ("- {sink: s, expect: {filtered: true}, wat: 1}", "unknown key `wat`"),
        ("- {sink: s, expect: {filtered: true}, variants: [toast]}", "unknown variant `toast`"),
        ("- {sink: s, expect: {filtered: true}, now: noon}", "`now` must be a time, in quotes"),
        ("- {sink: s, expect: {routing: eu}}", "`routing` must be a map"),
        ("- {sink: s, variants: {read: {no: 1}}}", "`expect` must hold"),
        ("name: a", "must be a list of tests"),
        ("- just text", "a test must be a map"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    workspace: Workspace, text: str, message: str
) -> None:
    write(workspace, "# a comment\n" + text + "\n")
    with pytest.raises(ProjectError, match=message) as caught:
        route_tests.load(workspace.project)
    assert caught.value.place is not None
    assert caught.value.place.file == "tests/t.yaml"


async def test_the_clock_of_a_test_can_be_stopped(workspace: Workspace) -> None:
    code = workspace.project.root / "functions"
    source = next(code.glob("orders*"))
    source.write_text(
        "def route(action, record, changes, metadata):\n"
        '    return {"topic": "orders." + str(datetime.datetime.now(datetime.timezone.utc).year)}\n'
    )
    write(workspace, """\
- name: in its year
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  now: '2031-05-06T00:00:00Z'
  expect: {destination: orders.2031}
""")  # fmt: skip
    async with EngineService() as engine:
        await engine.open(str(workspace.project.root))
        assert [r["failures"] for r in await run(engine.workspace)] == [[]]


async def test_an_outcome_is_pinned_and_then_holds(workspace: Workspace) -> None:
    first = row(workspace, "shop", 0)
    place = await pinning.pin(workspace, "orders-to-kafka", first, sample=("shop", 0))
    assert place["file"] == "tests/orders-to-kafka.yaml"
    await pinning.pin(workspace, "orders-to-kafka", first, variants=["delete_keys"], name="bare")
    filtered = row(workspace, "shop", 3)
    await pinning.pin(workspace, "orders-to-kafka", filtered)
    results = await run(workspace)
    assert [r["name"] for r in results] == [
        "insert of orders 1001 goes to orders.eu", "bare [delete_keys]",
        "insert of payments 5001 is filtered",
    ]  # fmt: skip
    assert [r["ok"] for r in results] == [True, False, True]
    assert not (workspace.project.root / place["file"]).exists(), "a pin is an edit until saved"
    workspace.project.save()
    text = (workspace.project.root / place["file"]).read_text()
    assert text.startswith("# Route tests")
    assert "transaction_annotations" not in text
    with pytest.raises(UsageError, match="there is a test `bare`"):
        await pinning.pin(workspace, "orders-to-kafka", first, name="bare")


async def test_the_same_outcome_pinned_twice_has_two_names(workspace: Workspace) -> None:
    first = row(workspace, "shop", 0)
    names = [(await pinning.pin(workspace, "orders-to-kafka", first))["name"] for _ in range(2)]
    assert names[1] == f"{names[0]} (2)"


async def test_a_new_outcome_is_accepted_and_nothing_else_changes(workspace: Workspace) -> None:
    path = write(workspace, """\
# kept
- name: one   # and this
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  expect: {destination: elsewhere}
- name: two
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  variants: [read, delete_keys]
  expect:
    destination: orders.eu
""")  # fmt: skip
    before = await run(workspace)
    assert [r["ok"] for r in before] == [False, True, False]
    for failed in (before[0], before[2]):
        await pinning.accept(
            workspace, failed["file"], failed["index"], failed["actual"], failed["variant"]
        )
    assert all(r["ok"] for r in await run(workspace))
    workspace.project.save()
    text = path.read_text()
    assert text.startswith("# kept\n- name: one   # and this\n")
    assert "destination: orders.eu\n" in text
    with pytest.raises(UsageError, match="no test number 8"):
        await pinning.accept(workspace, "tests/t.yaml", 7, {"filtered": True})
    with pytest.raises(UsageError, match="no test file"):
        await pinning.accept(workspace, "../../etc/passwd", 0, {"filtered": True})


async def test_a_name_that_tells_the_outcome_follows_it(workspace: Workspace) -> None:
    first = row(workspace, "shop", 0)
    place = await pinning.pin(workspace, "orders-to-kafka", first, sample=("shop", 0))
    workspace.project.apply({"op": "set_code", "name": "orders-by-region", "code":
                             "def route(action, record, changes, metadata):\n"
                             "    return {'topic': 'moved'}\n"})  # fmt: skip
    failed = (await run(workspace))[0]
    await pinning.accept(workspace, place["file"], 0, failed["actual"])
    again = (await run(workspace))[0]
    assert again["ok"]
    assert again["name"] == "insert of orders 1001 goes to moved"


async def test_a_test_is_renamed_and_deleted(workspace: Workspace) -> None:
    first = row(workspace, "shop", 0)
    place = await pinning.pin(workspace, "orders-to-kafka", first, name="one")
    await pinning.pin(workspace, "orders-to-kafka", first, name="two")
    pinning.rename(workspace, place["file"], 0, "first")
    with pytest.raises(UsageError, match="there is a test `two`"):
        pinning.rename(workspace, place["file"], 0, "two")
    assert [t.name for t in route_tests.load(workspace.project)] == ["first", "two"]
    pinning.delete(workspace, place["file"], 0)
    assert [t.name for t in route_tests.load(workspace.project)] == ["two"]
    workspace.project.undo()
    assert [t.name for t in route_tests.load(workspace.project)] == ["first", "two"]


@pytest.mark.parametrize(("kind", "old", "key"), [("sinks", "orders-to-kafka", "sink"),
                                                  ("samples", "shop", "sample")])  # fmt: skip
async def test_a_rename_takes_route_tests_along(
    workspace: Workspace, kind: str, old: str, key: str
) -> None:
    text = """\
# kept
- name: one   # and this
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  expect: {destination: orders.eu}
"""
    path = write(workspace, text)
    workspace.project.apply({"op": "rename", "kind": kind, "name": old, "to": "renamed"})
    assert [r["ok"] for r in await run(workspace)] == [True]
    workspace.project.save()
    assert path.read_text() == text.replace(old, "renamed")
    workspace.project.undo()
    workspace.project.save()
    assert path.read_text() == text
    assert key in text


async def test_coverage_tells_the_branches_that_no_test_takes(workspace: Workspace) -> None:
    write(workspace, """\
- name: one
  sink: orders-to-kafka
  sample: {name: shop, row: 0}
  expect: {destination: orders.eu}
""")  # fmt: skip
    coverage = Coverage(workspace.pool)
    await run(workspace, coverage)
    (found,) = coverage.functions()
    assert (found.reached, len(found.points)) == (1, 2)
    lines = as_lines([found.as_json()])
    assert lines == ["orders-by-region:4: `if` is never taken"]
    await coverage.add(workspace.prepare("orders-to-kafka"), [row(workspace, "shop", 1)])
    assert as_lines([item.as_json() for item in coverage.functions()]) == []
