"""Named environments: which there are, whose values come first, and what is kept of each."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import ConfigError, ProjectError, UsageError
from routestudio.project import environments, transfer
from routestudio.project.copying import write_copy
from routestudio.project.environment import Environment, default_of
from routestudio.project.store import OpenProject
from tests.unit.project.conftest import TYPES, secret_keys


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / (".env" if name == "common" else f".env.{name}")).write_text(text)


def of(root: Path, name: str | None, **values: str) -> Environment:
    found = Environment(root, environ=values, project="shop")
    found.use(name)
    return found


def test_an_environment_comes_before_what_all_share(tmp_path: Path, memory_keyring: Any) -> None:
    write(tmp_path, common="A=all\nB=all\nC=all\n", staging="A=staging\nD=staging\n")
    memory_keyring.set_password("routestudio", "shop/staging/B", "staging's keyring")
    memory_keyring.set_password("routestudio", "shop/B", "keyring")
    memory_keyring.set_password("routestudio", "shop/E", "keyring")
    found = of(tmp_path, "staging", D="process")
    assert {name: found.look(name) for name in "ABCDEF"} == {
        "A": ("staging", ".env.staging"), "B": ("staging's keyring", "keyring of staging"),
        "C": ("all", ".env"), "D": ("process", "outside"), "E": ("keyring", "keyring"),
        "F": (None, ""),
    }  # fmt: skip
    found.use(None)
    assert [found.get(name) for name in "ABCDE"] == ["all", "all", "all", "process", "keyring"]
    found.use("other")
    assert found.get("A") == "all"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Prod", "up to 40 lower-case letters"), ("-eu", "no sign first"), ("x" * 41, "up to 40"),
     ("example", "a template or a copy"), ("old", "a template or a copy")],
)  # fmt: skip
def test_a_refused_name_gets_the_reason(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        environments.refuse_name(name)
    assert hint in (refused.value.hint or "")


def test_a_secret_of_one_environment_is_not_in_another(tmp_path: Path, memory_keyring: Any) -> None:
    staging = of(tmp_path, "staging")
    staging.store.put("PW", "one", where="keyring")
    staging.store.put("TOKEN", "two", where="env")
    assert [staging.get("PW"), staging.get("TOKEN")] == ["one", "two"]
    for other in (None, "production"):
        assert [of(tmp_path, other).get(name) for name in ("PW", "TOKEN")] == [None, None]
    file = tmp_path / ".env.staging"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text().splitlines() == [".env.staging"]
    assert not (tmp_path / ".env").exists()
    assert {"one", "two"} <= staging.hidden
    for name, place in (("PW", "keyring of staging"), ("TOKEN", ".env.staging")):
        staging.store.remove(name, place)
        staging.forget(name)
        assert staging.get(name) is None


def test_only_what_a_person_means_is_an_environment(tmp_path: Path) -> None:
    for name in ("dev", "prod-eu", "example", "sample", "bak", "Prod", "a b", "x" * 41, ""):
        (tmp_path / f".env.{name}").write_text("A=1\n")
    (tmp_path / ".envrc").write_text("")
    assert environments.found(tmp_path) == ("dev", "prod-eu")
    assert environments.found(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("production", True), ("prod", True), ("prod-eu", True), ("eu_production", True),
     ("live", True), ("staging", False), ("product", False), ("reproduction", False),
     ("delivery", False), ("dev", False)],
)  # fmt: skip
def test_what_is_called_production_is_read_only(name: str, kept: bool) -> None:
    assert environments.usual(name).read_only is kept


def test_a_project_marks_its_environments(folder: Path) -> None:
    (folder / ".env.dev").write_text("")
    with (folder / "sequin.yaml").open("a") as file:
        file.write("environments:\n  - name: production\n    read_only: false\n"
                   "  - {name: staging, colour: amber, read_only: true}\n")  # fmt: skip
    opened = OpenProject.open(folder, TYPES)
    assert [(m.name, m.colour, m.read_only) for m in environments.all_of(opened)] == [
        ("production", "red", False), ("staging", "amber", True), ("dev", "blue", False),
    ]  # fmt: skip
    environments.use(opened, "staging")
    mark = environments.current(opened)
    assert mark is not None
    assert mark.read_only
    for name, text in (("qa", "there is no environment `qa`"), ("Dev", "not a name"),
                       ("../dev", "not a name")):  # fmt: skip
        with pytest.raises(UsageError, match=text):
            environments.use(opened, name)
    assert opened.environment.name == "staging"


def test_a_mark_that_cannot_be_read_protects(folder: Path) -> None:
    with (folder / "sequin.yaml").open("a") as file:
        file.write("environments:\n  - {name: staging, read_only: maybe, colour: pink, x: 1}\n"
                   "  - {name: A}\n  - {name: staging}\n  - nothing\n")  # fmt: skip
    opened = OpenProject.open(folder, TYPES)
    assert [(m.name, m.colour, m.read_only) for m in environments.all_of(opened)] == [
        ("staging", "blue", True)
    ]  # fmt: skip
    found = [p.message for p in opened.project.problems if p.code == "environments"]
    assert len(found) == 6
    with (folder / "sequin.yaml").open("w") as file:
        file.write("environments: 5\n")
    found = [p.message for p in OpenProject.open(folder, TYPES).project.problems]
    assert "`environments` must be a list" in found


def test_a_file_of_an_environment_keeps_to_the_rule_of_own_files(
    folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_text("KAFKA_PASSWORD=from-elsewhere\n")
    (folder / ".env.linked").symlink_to(secret)
    (folder / ".env.folder").mkdir()
    for name, text in (("linked", "link"), ("folder", "is not a file")):
        opened = OpenProject.open(folder, TYPES)
        with pytest.raises(ProjectError, match=text):
            environments.use(opened, name)
        with pytest.raises(ProjectError, match=text):
            of(folder, name).store.put("A", "1")
    assert secret.read_text() == "KAFKA_PASSWORD=from-elsewhere\n"


def test_marks_are_edits_with_undo_and_do_not_reach_a_server(folder: Path) -> None:
    opened = OpenProject.open(folder, TYPES)
    before = opened.document.text
    edit = {"op": "mark_environment", "name": "production", "colour": "red", "read_only": True}
    opened.apply(edit)
    opened.apply({**edit, "read_only": False})
    assert opened.document.plain(("environments",)) == [
        {"name": "production", "colour": "red", "read_only": False}
    ]
    with pytest.raises(UsageError, match="not a name"):
        opened.apply({**edit, "name": "No Name"})
    elixir = {"by-region": "def route(action, record, changes, metadata) do\n  %{}\nend\n"}
    exported = transfer.export_for_server(opened, None, secret_keys, elixir)
    assert "environments" not in exported.text
    opened.undo()
    opened.undo()
    assert opened.document.text == before


def test_no_export_holds_a_secret_of_any_environment(folder: Path, tmp_path: Path) -> None:
    """Also of one that is not in use: the file may have been pasted into a function."""
    (folder / ".env.production").write_text("API_TOKEN=s3cretvalue-99\n")
    (folder / "functions/by_region.py").write_text("TOKEN = 's3cretvalue-99'\n")
    opened = OpenProject.open(folder, TYPES)
    with pytest.raises(ConfigError, match="holds the value of `API_TOKEN`"):
        transfer.export_routestudio(opened, tmp_path / "out", secret_keys)


def test_an_export_ignores_and_a_copy_takes_the_files(folder: Path, tmp_path: Path) -> None:
    (folder / ".env.production").write_text("HOSTS=prod:9092\n")
    opened = OpenProject.open(folder, TYPES)
    transfer.export_routestudio(opened, tmp_path / "out", secret_keys)
    assert not list((tmp_path / "out").glob(".env.p*"))
    ignored = (tmp_path / "out/.gitignore").read_text().splitlines()
    assert ignored == [".env", ".env.*", "!.env.example", ".routestudio/"]
    write_copy(opened, tmp_path / "copy")
    copied = tmp_path / "copy/.env.production"
    assert copied.read_text() == "HOSTS=prod:9092\n"
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600


def test_a_changed_environment_is_another_token(tmp_path: Path) -> None:
    write(tmp_path, common="A=1\n", dev="A=2\n")
    found = of(tmp_path, None)
    tokens = [found.token]
    found.use("dev")
    tokens.append(found.token)
    write(tmp_path, dev="A=333\n")
    tokens.append(found.token)
    assert found.get("A") == "333"
    (tmp_path / ".env.dev").unlink()
    tokens.append(found.token)
    assert found.get("A") == "1"
    assert all(one != two for one, two in itertools.pairwise(tokens))


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [("A=1\nB=2\n", "A", "B=2\n"), ("A=1\nB=2", "B", "A=1\n"), ("# note\nA=1\n", "A", "# note\n"),
     ('A="x\nB=3\ny"\nB=2\n', "B", 'A="x\nB=3\ny"\n'), ("A=1\nA=2\nC=3\n", "A", "C=3\n"),
     ("export A=1\nB=2\n", "A", "B=2\n"), ("A=1\n", "Z", "A=1\n"), ("A=1\n", "A", "")],
)  # fmt: skip
def test_a_variable_is_taken_out_and_the_rest_stays(
    tmp_path: Path, before: str, name: str, after: str
) -> None:
    (tmp_path / ".env").write_text(before)
    of(tmp_path, None).store.remove(name, ".env")
    assert (tmp_path / ".env").read_text() == after


def test_nothing_is_removed_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / ".env.production").write_text("A=1\n")
    for place in ("outside", ".env.production", "../x", ""):
        with pytest.raises(UsageError, match="cannot be removed from there"):
            of(tmp_path, "dev").store.remove("A", place)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("${A}", None), ("$A", None), ("${A:-x}", "x"), ("${A-}", ""), ("${A:=y}", "y"),
     ("${A} ${A:-x}", None), ("${B:-x}", None), ("$${A}", None), ("${A:+x}", "")],
)  # fmt: skip
def test_the_default_of_a_reference(text: str, wanted: str | None) -> None:
    assert default_of(text, "A") == wanted
