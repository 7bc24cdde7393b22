"""An open project: edits, undo, saving, recovery, and what may never leave its folder."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.errors import ProjectError, RouteStudioError, UsageError
from routestudio.project.store import OpenProject
from routestudio.project.user_state import ProjectState
from tests.unit.project.conftest import CODE, ROW, TEXT, TYPES, secret_keys

ORDERS = ["sinks", "orders"]


def opened(folder: Path) -> OpenProject:
    return OpenProject.open(folder, TYPES)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, without the program's own state."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".routestudio" not in path.parts
    }


def journal_of(folder: Path) -> Path:
    """The journal of this process, in the user's own state."""
    return next(ProjectState(folder).folder.glob("recovery-*.jsonl"))


def rename(kind: str, name: str, to: str) -> dict[str, Any]:
    return {"op": "rename", "kind": kind, "name": name, "to": to}


def sink(name: str) -> dict[str, Any]:
    item = {"name": name, "database": "shop", "destination": {"type": "kafka", "hosts": "h"}}
    return {"op": "add_sink", "item": item}


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"op": "add_function", "item": {"name": name, "type": "filter", "code": "x", **more}}


# --- opening ---------------------------------------------------------------------------------


def test_opening_and_saving_an_untouched_project_changes_no_byte(folder: Path) -> None:
    (folder / "sequin.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    before = tree(folder)
    project = opened(folder)
    assert project.dirty == ()
    assert project.save() == []
    assert tree(folder) == before
    assert not (folder / ".routestudio").exists()
    assert project.project.problems == ()


def test_a_yaml_file_is_a_project_too(folder: Path) -> None:
    (folder / "sequin.yaml").rename(folder / "other.yml")
    project = opened(folder / "other.yml")
    assert [s.name for s in project.project.sinks] == ["orders", "hook"]
    project.apply({"op": "set", "path": [*ORDERS, "batch_size"], "value": 5})
    assert project.dirty == ("other.yml",)
    assert project.save() == [folder / "other.yml"]


def test_what_the_file_says(folder: Path) -> None:
    project = opened(folder).project
    orders, hook = project.sinks
    assert (orders.type, orders.routing, orders.filter) == ("kafka", "by-region", "wanted")
    assert orders.destination == {
        "hosts": "${HOSTS:-localhost:9092}", "password": "${KAFKA_PASSWORD}"
    }  # fmt: skip
    assert (hook.type, hook.yaml_type, hook.routing) == ("http_push", "webhook", None)
    assert project.functions[0].code == CODE
    assert project.functions[0].file == "functions/by_region.py"
    assert (project.databases, project.samples) == (("shop",), ("orders",))


@pytest.mark.parametrize("missing", ["folder", "file"])
def test_without_a_file_it_says_what_to_do(tmp_path: Path, missing: str) -> None:
    path = tmp_path if missing == "file" else tmp_path / "no"
    with pytest.raises(ProjectError) as caught:
        opened(path)
    assert str(path) in str(caught.value)


# --- edits -----------------------------------------------------------------------------------


def test_an_edit_is_seen_at_once_and_written_on_save_only(folder: Path) -> None:
    project = opened(folder)
    before = tree(folder)
    project.apply({"op": "set", "path": [*ORDERS, "batch_size"], "value": 7})
    project.apply({"op": "set_code", "name": "by-region", "code": "new code\n"})
    project.apply({"op": "set_code", "name": "wanted", "code": "a\nb\n"})
    assert project.project.sinks[0].batch_size == 7
    assert [f.code for f in project.project.functions] == ["new code\n", "a\nb\n"]
    assert set(project.dirty) == {"sequin.yaml", "functions/by_region.py"}
    assert tree(folder) == before
    project.save()
    assert project.dirty == ()
    assert opened(folder).project == project.project
    text = (folder / "sequin.yaml").read_text()
    assert "filter: wanted   # only some\n" in text
    assert "    code: |\n      a\n      b\n" in text


def test_renaming_a_function_follows_in_the_sinks(folder: Path) -> None:
    project = opened(folder)
    project.apply(rename("functions", "by-region", "route2"))
    project.apply(rename("http_endpoints", "hooks", "hooks2"))
    assert project.project.sinks[0].routing == "route2"
    assert project.project.sinks[1].destination["http_endpoint"] == "hooks2"
    assert project.project.problems == ()
    assert project.undo() == "Rename hooks"
    assert project.project.sinks[1].destination["http_endpoint"] == "hooks"


def test_a_duplicate_has_a_file_of_its_own(folder: Path) -> None:
    project = opened(folder)
    project.apply({"op": "duplicate", "kind": "functions", "name": "by-region", "to": "copy"})
    copy = project.project.functions[-1]
    assert (copy.name, copy.file, copy.code) == ("copy", "functions/copy.py", CODE)
    project.undo()
    project.save()
    assert not (folder / "functions" / "copy.py").exists()


@pytest.mark.parametrize(
    "edit",
    [
        {}, {"op": "nonsense"}, {"op": "set"}, {"op": "set", "path": []},
        {"op": "set", "path": 5, "value": 1}, {"op": "set", "path": ["sinks", "no", "x"],
                                               "value": 1},
        {"op": "set_code", "name": "no", "code": ""}, {"op": "set_code", "name": "wanted"},
        {"op": "set_code", "name": "by-region", "code": "\ud800"},
        {"op": "set_sample", "name": "orders", "text": "\udfff"},
        {"op": "remove", "path": ["functions", "wanted"]},
        {"op": "add_sample", "name": "orders", "text": ""},
        {"op": "add_sample", "name": "../x", "text": ""}, {"op": "add_sample", "name": "..",
                                                           "text": ""},
        {"op": "remove_sample", "name": "no"}, rename("samples", "no", "x"),
        rename("sinks", "orders", "hook"), rename("sinks", "orders", "none"),
        rename("sinks", "orders", "a b"), rename("nothing", "a", "b"),
        sink("orders"), sink("none"), sink(""), function("wanted"),
        function("f", file="../out.py"), function("f", file="/etc/x.py"),
        {"op": "add_sink", "item": 5}, {"op": "add_sink", "item": None}, {"op": "add_sink"},
        {"op": "duplicate", "kind": "sinks", "name": "no", "to": "x"},
        {"op": "set", "path": ["sinks", "orders", "name", "deep"], "value": float("nan")},
    ],
)  # fmt: skip
def test_a_refused_edit_changes_nothing(folder: Path, edit: dict[str, Any]) -> None:
    project = opened(folder)
    before = (project.document.text, project.dirty, project.snapshot(secret_keys))
    if edit.get("path") == ["sinks", "orders", "name", "deep"]:
        project.apply(edit)
        assert project.undo() == "Change deep"
        assert project.document.text == before[0]
        return
    with pytest.raises(RouteStudioError) as caught:
        project.apply(edit)
    assert isinstance(caught.value, (UsageError, ProjectError))
    assert (project.document.text, project.dirty, project.snapshot(secret_keys)) == before
    assert not (folder / ".routestudio").exists()


def test_samples_are_added_renamed_and_removed_whatever_their_ending(folder: Path) -> None:
    (folder / "samples" / "people.csv").write_text("id,name\n1,Ada\n")
    project = opened(folder)
    project.apply(rename("samples", "people", "persons"))
    project.apply({"op": "add_sample", "name": "new", "text": ROW})
    with pytest.raises(UsageError, match="already"):
        project.apply(rename("samples", "new", "orders"))
    with pytest.raises(UsageError, match=r"persons\.csv is not edited here"):
        project.apply({"op": "set_sample", "name": "persons", "text": ROW})
    project.apply({"op": "remove_sample", "name": "orders"})
    assert project.project.samples == ("new", "persons")
    with pytest.raises(UsageError, match="no sample `orders`"):
        project.sample_path("orders")
    project.save()
    assert sorted(p.name for p in (folder / "samples").iterdir()) == ["new.jsonl", "persons.csv"]
    assert project.sample_path("persons") == folder / "samples" / "persons.csv"
    while project.undo():
        pass
    project.save()
    assert sorted(p.name for p in (folder / "samples").iterdir()) == ["orders.jsonl", "people.csv"]


# --- undo ------------------------------------------------------------------------------------


def test_typing_is_one_step_until_it_pauses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    project = opened(folder)
    for text in ("a", "ab", "abc"):
        now[0] += 1.9
        project.apply({"op": "set_code", "name": "by-region", "code": text})
    now[0] += 2.1
    project.apply({"op": "set_code", "name": "by-region", "code": "abcd"})
    assert project.undo() == "Edit by-region"
    assert project.project.functions[0].code == "abc"
    assert project.undo() == "Edit by-region"
    assert project.project.functions[0].code == CODE
    assert project.undo() is None
    assert project.redo() == "Edit by-region"
    assert project.project.functions[0].code == "abc"


def test_different_edits_within_a_moment_stay_different_steps(folder: Path) -> None:
    project = opened(folder)
    project.apply(function("one", file="functions/one.py"))
    project.apply(function("two", file="functions/two.py"))
    assert project.undo() == "Add function two"
    assert [f.name for f in project.project.functions] == ["by-region", "wanted", "one"]
    assert project.undo() == "Add function one"
    assert project.dirty == ()


EDITS = st.one_of(
    st.builds(lambda v: {"op": "set", "path": [*ORDERS, "batch_size"], "value": v},
              st.integers(1, 1000) | st.none()),
    st.builds(lambda v: {"op": "set", "path": [*ORDERS, "destination", "topic"], "value": v},
              st.text("ab #:\n", max_size=5)),
    st.builds(lambda n, c: {"op": "set_code", "name": n, "code": c},
              st.sampled_from(["by-region", "wanted"]), st.text("x\n é", max_size=8)),
    st.builds(lambda n, c: {"op": "set_sample", "name": n, "text": c},
              st.sampled_from(["orders", "more"]), st.sampled_from(["", ROW, ROW * 2])),
    st.builds(sink, st.sampled_from(["s1", "s2"])),
    st.builds(function, st.sampled_from(["f1", "f2"]), file=st.sampled_from(
        [None, "functions/f1.py", "functions/f2.py"])),
    st.builds(lambda p: {"op": "remove", "path": p}, st.sampled_from(
        [["sinks", "s1"], ["sinks", "orders"], ["functions", "f1"], ["functions", "wanted"]])),
    st.builds(lambda n: {"op": "remove_sample", "name": n}, st.sampled_from(["orders", "more"])),
    st.builds(rename, st.sampled_from(["functions", "sinks", "samples"]),
              st.sampled_from(["orders", "wanted", "s1"]), st.sampled_from(["r1", "r2"])),
    st.just({"op": "UNDO"}), st.just({"op": "REDO"}), st.just({"op": "SAVE"}),
)  # fmt: skip


def state(project: OpenProject) -> tuple[Any, ...]:
    texts = {path: project.read(path) for path in project.files("functions")
             + project.files("samples")}  # fmt: skip
    return project.project, project.document.text, texts


def perform(project: OpenProject, edit: Mapping[str, Any]) -> None:
    actions: dict[str, Callable[[], object]] = {
        "UNDO": project.undo, "REDO": project.redo, "SAVE": project.save,
    }  # fmt: skip
    action = actions.get(edit["op"])
    try:
        action() if action else project.apply(edit)
    except RouteStudioError:
        assert edit["op"] not in ("UNDO", "REDO", "SAVE")


def small(root: Path) -> Path:
    (root / "functions").mkdir(parents=True)
    (root / "samples").mkdir()
    (root / "sequin.yaml").write_text(TEXT)
    (root / "functions" / "by_region.py").write_text(CODE)
    (root / "samples" / "orders.jsonl").write_text(ROW)
    return root


@pytest.mark.slow
@settings(max_examples=40)
@given(edits=st.lists(EDITS, min_size=1, max_size=12))
def test_undo_all_redo_all_and_a_crash_at_any_point_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, edits: list[dict[str, Any]]
) -> None:
    folder = small(tmp_path_factory.mktemp("p") / "shop")
    project = opened(folder)
    start = state(project)
    for edit in edits:
        perform(project, edit)
    end = state(project)
    # A crash: nothing is closed or saved, the next program finds the folder as it is.
    again = opened(folder)
    waiting = again.recoverable["count"]
    assert again.recover() == waiting
    assert state(again) == end
    steps = 0
    while project.undo():
        steps += 1
    assert state(project) == start
    for _ in range(steps):
        project.redo()
    final = state(project)
    project.save()
    assert state(opened(folder))[1:] == final[1:]
    assert opened(folder).recoverable["count"] == 0


# --- recovery --------------------------------------------------------------------------------


def test_every_edit_is_in_the_journal_when_apply_returns(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("more"))
    project.apply({"op": "set_code", "name": "by-region", "code": "lost?"})
    again = opened(folder)
    assert again.recoverable["count"] == 2
    assert again.recoverable["time"]
    assert again.dirty == ()
    assert again.recover() == 2
    assert state(again) == state(project)
    assert again.recoverable["count"] == 0
    assert again.undo() == "Edit by-region"


def test_unanswered_recovery_survives_new_edits_and_a_save(folder: Path) -> None:
    opened(folder).apply(sink("first"))
    second = opened(folder)
    second.apply(sink("second"))
    second.save()
    third = opened(folder)
    assert third.recoverable["count"] == 1
    assert third.recover() == 1
    assert [s.name for s in third.project.sinks] == ["orders", "hook", "second", "first"]
    third.save()
    assert opened(folder).recoverable["count"] == 0


def test_what_was_undone_to_what_is_on_the_disk_is_not_offered(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("first"))
    project.apply(sink("second"))
    project.undo()
    assert opened(folder).recoverable["count"] == 3
    project.undo()
    assert opened(folder).recoverable["count"] == 0
    project.redo()
    again = opened(folder)
    assert again.recover() == 1
    assert [s.name for s in again.project.sinks] == ["orders", "hook", "first"]


def test_discarding_forgets(folder: Path) -> None:
    opened(folder).apply(sink("first"))
    project = opened(folder)
    project.discard_recovery()
    assert project.recover() == 0
    assert opened(folder).recoverable == {"count": 0, "time": None, "files": []}


def test_a_cut_off_journal_loses_only_its_last_line(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("first"))
    project.apply(sink("second"))
    journal = journal_of(folder)
    journal.write_bytes(journal.read_bytes()[:-20])
    again = opened(folder)
    again.recover()
    again.apply(sink("third"))
    last = opened(folder)
    last.recover()
    assert [s.name for s in last.project.sinks][2:] == ["first", "third"]


def test_the_journal_is_private_and_not_in_the_project(folder: Path) -> None:
    opened(folder).apply(sink("first"))
    journal = journal_of(folder)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.parent.stat().st_mode) == 0o700
    assert not (folder / ".routestudio").exists()


def test_undo_does_not_copy_the_file_into_the_journal(folder: Path) -> None:
    text = TEXT.replace("${KAFKA_PASSWORD}", "literal-hunter2")
    (folder / "sequin.yaml").write_text(text)
    project = opened(folder)
    project.apply({"op": "set", "path": [*ORDERS, "batch_size"], "value": 5})
    project.undo()
    project.redo()
    journal = journal_of(folder)
    assert "hunter2" not in journal.read_text()
    again = opened(folder)
    assert again.recover() == 1  # the redo: the undo brought back what is on the disk
    assert again.project.sinks[0].batch_size == 5


@pytest.mark.parametrize(
    "lines",
    [
        '{"edit": {"op": "patch", "patches": [{"path": "../out.txt", "of": null, "text": "x"}]}}',
        '{"edit": {"op": "patch", "patches": [{"path": "/tmp/out", "of": null, "text": "x"}]}}',
        '{"edit": {"op": "patch", "patches": [{"path": "sequin.yaml", "of": "0", "text": ":"}]}}',
        '{"edit": {"op": "patch", "patches": 5}}', '{"edit": {"op": "patch", "patches": [5]}}',
        '{"edit": {"op": "add_function", "item": {"name": "f", "code": "", "file": "../x"}}}',
        '{"edit": 5}', "5", "[]", '{"edit": {"op": ["x"]}}', "\x00\xff", "[" * 100_000,
    ],
    ids=range(12),
)  # fmt: skip
def test_a_hostile_journal_does_nothing(folder: Path, tmp_path: Path, lines: str) -> None:
    project = opened(folder)
    project.apply(sink("first"))
    journal = journal_of(folder)
    header = journal.read_bytes().split(b"\n", 1)[0]
    journal.write_bytes(header + b"\n" + lines.encode("utf-8", "surrogatepass") + b"\n")
    project = opened(folder)
    assert project.recover() == 0
    assert project.save() == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shop"]


# --- saving ----------------------------------------------------------------------------------


def test_a_file_changed_by_another_program_is_not_overwritten(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("mine"))
    (folder / "sequin.yaml").write_text(TEXT + "# theirs\n")
    with pytest.raises(ProjectError, match="changed by another program"):
        project.save()
    assert (folder / "sequin.yaml").read_text() == TEXT + "# theirs\n"
    assert project.dirty == ("sequin.yaml",)
    project.save(overwrite=True)
    assert "mine" in (folder / "sequin.yaml").read_text()


@pytest.mark.parametrize("point", ["fsync", "replace"])
def test_killed_while_saving_the_old_file_is_whole(folder: Path, point: str) -> None:
    project = opened(folder)
    project.apply(sink("mine"))
    child = os.fork()
    if child == 0:
        if point == "fsync":
            os.fsync = lambda handle: os._exit(9)  # type: ignore[assignment]
        else:
            os.replace = lambda *_, **__: os._exit(9)
        try:
            project.save()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (folder / "sequin.yaml").read_text() == TEXT
    again = opened(folder)
    assert again.recover() == 1
    again.save()
    assert "mine" in (folder / "sequin.yaml").read_text()


def test_a_failing_save_keeps_the_edits_and_their_journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = opened(folder)
    project.apply(sink("mine"))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProjectError, match="No space left on device"):
        project.save()
    monkeypatch.undo()
    assert tree(folder).keys() == {"sequin.yaml", "functions/by_region.py", "samples/orders.jsonl"}
    assert (folder / "sequin.yaml").read_text() == TEXT
    assert opened(folder).recoverable["count"] == 1
    assert project.save() == [folder / "sequin.yaml"]


def test_the_mode_of_files_is_kept(folder: Path) -> None:
    (folder / "sequin.yaml").chmod(0o640)
    project = opened(folder)
    project.apply(sink("mine"))
    project.save()
    assert "mine" in (folder / "sequin.yaml").read_text()
    assert stat.S_IMODE((folder / "sequin.yaml").stat().st_mode) == 0o640


# --- other people's projects -----------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    ["../outside.txt", "/etc/passwd", "functions/../../outside.txt", "link.txt", "folder",
     '"a\\0b"', "x" * 5000, "missing.py", "pipe", ".", '""', "loop"],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_a_function_file_outside_is_a_problem_and_is_not_read(
    folder: Path, tmp_path: Path, file: str
) -> None:
    (tmp_path / "outside.txt").write_text("outside secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "sequin.yaml").write_text(TEXT.replace("functions/by_region.py", file))
    project = opened(folder)
    found = [p for p in project.project.problems if p.code == "file"]
    assert found
    assert found[0].place.line == 16
    assert "outside secret" not in json.dumps(project.snapshot(secret_keys))
    if file not in ("missing.py", "folder", "pipe", ".", '""'):
        with pytest.raises(RouteStudioError):
            project.apply({"op": "set_code", "name": "by-region", "code": "x"})
    assert (tmp_path / "outside.txt").read_text() == "outside secret"


def test_samples_that_lead_outside_are_not_read_or_written(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text(ROW * 5)
    (folder / "samples" / "leak.jsonl").symlink_to(outside)
    project = opened(folder)
    with pytest.raises(ProjectError, match="outside of the project"):
        project.sample_path("leak")
    with pytest.raises(ProjectError, match="outside of the project"):
        project.apply({"op": "set_sample", "name": "leak", "text": ""})
    rows = {s["name"]: s["rows"] for s in project.snapshot(secret_keys)["samples"]}
    assert rows == {"leak": 0, "orders": 3}
    assert outside.read_text() == ROW * 5


# --- the snapshot ----------------------------------------------------------------------------


def test_the_snapshot_is_plain_and_shows_no_literal_secret(folder: Path) -> None:
    text = TEXT.replace("${KAFKA_PASSWORD}", "literal-hunter2").replace(
        "Bearer ${HOOK_TOKEN}", "${HOOK}\n      X-Key: literal-hunter3"
    )
    (folder / "sequin.yaml").write_text(text)
    shown = opened(folder).snapshot(secret_keys)
    assert json.loads(json.dumps(shown)) == shown
    assert "hunter" not in json.dumps(shown)
    assert shown["sinks"][0]["destination"] == {
        "hosts": "${HOSTS:-localhost:9092}", "password": {"$secret": True}
    }  # fmt: skip
    assert shown["http_endpoints"]["hooks"]["encrypted_headers"] == {
        "Authorization": "${HOOK}", "X-Key": {"$secret": True}
    }  # fmt: skip
    assert [(s["name"], s["rows"]) for s in shown["samples"]] == [("orders", 3)]


def test_the_snapshot_follows_edits(folder: Path) -> None:
    project = opened(folder)
    project.apply({"op": "set_sample", "name": "orders", "text": ROW + "not json\n" + ROW})
    shown = project.snapshot(secret_keys)
    assert [(s["name"], s["rows"]) for s in shown["samples"]] == [("orders", 3)]
    assert (shown["dirty"], shown["undo"], shown["redo"]) == (
        ["samples/orders.jsonl"], "Edit samples orders", None
    )  # fmt: skip
    project.undo()
    shown = project.snapshot(secret_keys)
    assert (shown["dirty"], shown["undo"], shown["redo"]) == ([], None, "Edit samples orders")
