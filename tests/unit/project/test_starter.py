"""New projects: they open without problems, and nothing is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.errors import ProjectError
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.project.starter import create_project
from routestudio.project.store import OpenProject
from routestudio.sinks import registry
from routestudio.sinks.base import Sink
from routestudio.sources import files

SINKS = sorted(set(registry.default().names().values()))


@pytest.mark.parametrize("key", SINKS)
def test_a_new_project_opens_without_problems(tmp_path: Path, key: str) -> None:
    sink: type[Sink] = registry.default().get(key)
    written = create_project(tmp_path / "new", sink)
    project = OpenProject.open(tmp_path / "new", registry.default().names())
    assert project.project.problems == ()
    assert project.project.sinks[0].type == key
    assert project.project.functions[0].code
    assert {path.name for path in written} >= {"sequin.yaml", "orders.jsonl"}
    rows = list(RowReader().read_all(files.read_file(project.sample_path("orders"))))
    assert [row.action for row in rows if isinstance(row, Message)] == [
        "insert", "update", "read", "delete"
    ]  # fmt: skip
    ignored = (tmp_path / "new" / ".gitignore").read_text().splitlines()
    assert ignored == [".env", ".env.*", "!.env.example", ".routestudio/"]


def test_a_project_without_a_sink_is_a_start_too(tmp_path: Path) -> None:
    create_project(tmp_path / "new", None)
    project = OpenProject.open(tmp_path / "new", registry.default().names()).project
    assert (project.sinks, project.samples, project.problems) == ((), ("orders",), ())


def test_a_folder_with_files_is_left_alone(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    for target in (folder, folder / "sequin.yaml"):
        with pytest.raises(ProjectError, match="not an empty folder"):
            create_project(target, None)
    assert sorted(folder.rglob("*")) == before
