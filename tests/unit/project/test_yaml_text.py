"""The YAML file edited as text: undo, journal, texts that cannot be read yet, other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.errors import ProjectError, UsageError
from routestudio.project.copying import write_copy
from routestudio.project.store import MAX_YAML, OpenProject

TEXT = """\
# ours
sinks:
  - name: one
    database: shop
    destination: {type: kafka, hosts: "localhost:9092", topic: orders}
"""
OTHER = TEXT.replace("topic: orders", "topic: other")
BROKEN = TEXT.replace("destination: {", "destination: [")
SET = {"op": "set", "path": ["sinks", "one", "batch_size"], "value": 5}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "sequin.yaml").write_text(TEXT)
    return folder


def opened(root: Path) -> OpenProject:
    return OpenProject.open(root, {"kafka": "kafka"})


def typed(project: OpenProject, text: str) -> None:
    project.apply({"op": "set_yaml", "text": text})


def problems(project: OpenProject) -> list[tuple[str, int]]:
    found = project.snapshot(lambda _: ())["problems"]
    return [(p["code"], p["line"]) for p in found]


def test_a_text_is_one_step_of_undo_and_is_saved_as_it_is(root: Path) -> None:
    project = opened(root)
    before = project.snapshot(lambda _: ())["yaml"]
    typed(project, OTHER)
    assert project.project.sinks[0].destination["topic"] == "other"
    assert project.snapshot(lambda _: ())["yaml"] != before
    assert project.undo() == "Edit sequin.yaml"
    assert project.yaml_text == TEXT
    assert project.redo()
    project.save()
    assert (root / "sequin.yaml").read_text() == OTHER


def test_what_is_typed_in_a_row_is_one_step(root: Path) -> None:
    project = opened(root)
    for end in range(3):
        typed(project, TEXT + "#" * (end + 1) + "\n")
    project.undo()
    assert project.yaml_text == TEXT


def test_a_text_that_cannot_be_read_is_kept_and_the_project_stays(root: Path) -> None:
    project = opened(root)
    typed(project, BROKEN)
    assert project.yaml_text == BROKEN
    assert project.project.sinks[0].destination["topic"] == "orders"
    assert project.dirty == ("sequin.yaml",)
    assert problems(project) == [("draft", 5)]
    with pytest.raises(ProjectError, match="nothing was saved"):
        project.save()
    with pytest.raises(ProjectError, match="cannot be changed elsewhere"):
        project.apply(SET)
    with pytest.raises(ProjectError, match="no copy"):
        write_copy(project, root.parent / "copy")
    assert (root / "sequin.yaml").read_text() == TEXT
    project.undo()
    assert (project.yaml_text, project.dirty, problems(project)) == (TEXT, (), [])  # type: ignore[comparison-overlap]
    project.redo()
    typed(project, OTHER)
    assert problems(project) == []
    project.apply(SET)
    project.save()
    assert "batch_size: 5" in (root / "sequin.yaml").read_text()


@pytest.mark.parametrize("last", [OTHER, BROKEN])
def test_texts_are_recovered(root: Path, last: str) -> None:
    project = opened(root)
    project.apply(SET)
    for text in (BROKEN, OTHER, BROKEN):
        typed(project, text)
    project.undo()
    typed(project, last)
    again = opened(root)
    assert again.recoverable["files"] == ["sequin.yaml"]
    assert again.recover() == again.recoverable["count"] + 6
    assert again.yaml_text == last
    assert again.project.sinks[0].destination["topic"] == "other"


def test_an_edit_elsewhere_changes_the_text(root: Path) -> None:
    project = opened(root)
    typed(project, OTHER)
    project.apply(SET)
    assert project.yaml_text == OTHER + "    batch_size: 5\n"
    typed(project, project.yaml_text.replace("5", "6"))
    assert project.project.sinks[0].batch_size == 6


def test_the_file_of_another_program_takes_the_place_of_a_draft_when_chosen(root: Path) -> None:
    project = opened(root)
    typed(project, BROKEN)
    (root / "sequin.yaml").write_text(OTHER)
    assert list(project.changed_outside()) == ["sequin.yaml"]
    assert project.texts()["sequin.yaml"] == BROKEN
    project.take_outside(["sequin.yaml"])
    assert (project.yaml_text, project.dirty) == (OTHER, ())


def test_too_much_text_and_half_characters_are_refused(root: Path) -> None:
    project = opened(root)
    for text in ("#" * (MAX_YAML + 1), TEXT + "# \ud800"):
        with pytest.raises(UsageError):
            typed(project, text)
    assert project.dirty == ()


def test_a_copy_holds_no_file_for_changed_lines(root: Path) -> None:
    (root / "samples").mkdir()
    (root / "samples" / "a.jsonl").write_text('{"id": 1}\n{"id": 2}\n')
    project = opened(root)
    line = {
        "op": "set_sample_line",
        "name": "a",
        "line": 2,
        "old": '{"id": 2}',
        "text": '{"id": 3}',
    }
    project.apply(line)
    write_copy(project, root.parent / "copy")
    assert sorted(p.name for p in (root.parent / "copy" / "samples").iterdir()) == ["a.jsonl"]
    assert '{"id": 3}' in (root.parent / "copy" / "samples" / "a.jsonl").read_text()
