"""One rule for the files of a project: no links, nothing hidden, outside or special."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import ConfigError, ProjectError, RouteStudioError
from routestudio.project import files
from routestudio.project.environment import Environment
from routestudio.project.store import OpenProject
from routestudio.project.transfer import export_routestudio, export_sequin
from routestudio.project.user_state import ProjectState
from tests.unit.project.conftest import CODE, TEXT, TYPES, secret_keys

CANARY = "CANARY70envtoken"


def opened(folder: Path) -> OpenProject:
    return OpenProject.open(folder, TYPES)


def sink(name: str) -> dict[str, Any]:
    item = {"name": name, "database": "shop", "destination": {"type": "kafka", "hosts": "h"}}
    return {"op": "add_sink", "item": item}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- links -----------------------------------------------------------------------------------


def test_the_yaml_file_is_not_read_or_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.yaml"
    (folder / "sequin.yaml").rename(victim)
    (folder / "sequin.yaml").symlink_to(victim)
    for path in (folder, folder / "sequin.yaml"):
        with pytest.raises(ProjectError, match=r"sequin\.yaml: is a link"):
            OpenProject.open(path, TYPES)
    (folder / "sequin.yaml").unlink()
    (folder / "sequin.yaml").write_text(TEXT)
    project = opened(folder)
    project.apply(sink("more"))
    (folder / "sequin.yaml").unlink()
    (folder / "sequin.yaml").symlink_to(victim)
    with pytest.raises(ProjectError, match="is a link"):
        project.save(overwrite=True)
    assert victim.read_text() == TEXT


def test_the_env_file_is_not_read_or_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "other.env"
    victim.write_text(f"HOSTS={CANARY}\n")
    (folder / ".env").symlink_to(victim)
    environment = Environment(folder, environ={})
    with pytest.raises(ProjectError, match=r"\.env: is a link"):
        environment.get("HOSTS")
    with pytest.raises(ProjectError, match="is a link"):
        environment.store.put("NEW", "secret-value")
    assert victim.read_text() == f"HOSTS={CANARY}\n"


@pytest.mark.parametrize("name", [".gitignore", ".routestudio"])
def test_what_the_program_writes_goes_through_no_link(
    folder: Path, tmp_path: Path, name: str
) -> None:
    victim = tmp_path / "victim"
    if name == ".gitignore":
        victim.write_text("alias ls=ls\n")
    else:
        victim.mkdir()
    (folder / name).symlink_to(victim)
    with pytest.raises(ProjectError, match="is a link"):
        Environment(folder, environ={}).store.put("NEW", "secret-value")
    project = opened(folder)
    project.apply(sink("more"))
    if name == ".routestudio":
        with pytest.raises(ProjectError, match="is a link"):
            project.save()
        assert list(victim.iterdir()) == []
    else:
        assert victim.read_text() == "alias ls=ls\n"


@pytest.mark.parametrize("name", ["functions", "samples", "tests"])
def test_a_folder_that_is_a_link_gives_no_files(folder: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "by_region.py").write_text(CANARY)
    (outside / "orders.jsonl").write_text("{}\n")
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).symlink_to(outside, target_is_directory=True)
    project = opened(folder)
    assert project.files(name) == []
    assert CANARY not in json.dumps(project.snapshot(secret_keys))


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [".env", ".git/config", ".routestudio/runs/x.py", "functions/.hidden.py", "functions/../.env",
     "./.env", "notes.txt", "secrets.yaml", "functions/", "functions\\\\x.py"],
)  # fmt: skip
def test_a_function_is_in_no_hidden_or_other_file_and_no_export_has_it(
    folder: Path, tmp_path: Path, file: str
) -> None:
    (folder / ".env").write_text(f"API_TOKEN={CANARY}\n")
    for name in (".git/config", ".routestudio/runs/x.py", "functions/.hidden.py", "notes.txt",
                 "secrets.yaml"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CANARY)
    (folder / "sequin.yaml").write_text(TEXT.replace("functions/by_region.py", f'"{file}"'))
    project = opened(folder)
    assert [p.code for p in project.project.problems if p.code == "file"] == ["file"]
    assert CANARY not in json.dumps(project.snapshot(secret_keys))
    with pytest.raises(RouteStudioError) as caught:
        export_sequin(project, None, secret_keys)
    assert CANARY not in str(caught.value)
    with pytest.raises(RouteStudioError):
        export_routestudio(project, tmp_path / "out", secret_keys)
    assert not (tmp_path / "out").exists()


def hostile(folder: Path, edits: list[dict[str, Any]]) -> OpenProject:
    """A project whose journal, in the user's own state, holds these edits."""
    opened(folder).apply(sink("first"))
    journal = next(ProjectState(folder).folder.glob("recovery-*.jsonl"))
    header = journal.read_bytes().split(b"\n", 1)[0]
    lines = [json.dumps({"time": "now", "edit": edit}).encode() for edit in edits]
    journal.write_bytes(b"\n".join([header, *lines, b""]))
    return opened(folder)


@pytest.mark.parametrize(
    "path",
    [".git/config", ".git/hooks/pre-commit", ".env", ".vscode/settings.json", ".gitignore",
     ".routestudio/x", "README.md", "Makefile", "functions/other.py", "samples/.x.jsonl",
     "samples/x.sh", "tests/conftest.py", "functions/by_region.pth"],
)  # fmt: skip
def test_no_edit_concerns_another_file(folder: Path, path: str) -> None:
    before = everything(folder)
    text = "[core]\n\tfsmonitor = touch owned\n"
    project = hostile(folder, [
        {"op": "patch", "patches": [{"path": path, "of": None, "text": text}]},
        {"op": "patch", "patches": [{"path": f"{path}#lines", "of": None, "text": "{}"}]},
    ])  # fmt: skip
    assert path in project.recoverable["files"]
    assert project.recover() == 0
    assert project.save() == []
    with pytest.raises(RouteStudioError):
        project.apply({"op": "add_function", "item": {"name": "f", "type": "filter", "code": "x",
                                                      "file": ".git/config"}})  # fmt: skip
    assert everything(folder) == before


def test_the_offer_says_which_files_change(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("first"))
    project.apply({"op": "set_code", "name": "by-region", "code": "x"})
    project.apply({"op": "set_sample", "name": "orders", "text": "{}\n"})
    project.undo()
    assert opened(folder).recoverable["files"] == [
        "functions/by_region.py", "samples/orders.jsonl", "sequin.yaml"
    ]  # fmt: skip


# --- journals --------------------------------------------------------------------------------


def test_a_journal_that_comes_with_a_project_is_not_offered(folder: Path, tmp_path: Path) -> None:
    opened(folder).apply(sink("first"))
    journal = next(ProjectState(folder).folder.glob("recovery-*.jsonl"))
    (folder / ".routestudio").mkdir()
    for name in ("recovery-sequin.yaml.jsonl", journal.name):
        shutil.copy(journal, folder / ".routestudio" / name)
    clone = tmp_path / "clone"
    shutil.copytree(folder, clone)
    assert opened(clone).recoverable["count"] == 0
    # Nor one that was put into the state of another project.
    ProjectState(clone).make()
    shutil.copy(journal, ProjectState(clone).folder / journal.name)
    assert opened(clone).recoverable["count"] == 0


WINDOW = """
import sys
from pathlib import Path
from routestudio.project.store import OpenProject
project = OpenProject.open(Path(sys.argv[1]), {"kafka": "kafka", "webhook": "http_push"})
for line in sys.stdin:
    match line.split():
        case ["add", name]:
            item = {"name": name, "destination": {"type": "kafka", "hosts": "h"}}
            project.apply({"op": "add_sink", "item": item})
        case ["save"]:
            project.save(overwrite=True)
        case ["offered"]:
            pass
        case ["recover"]:
            project.recover()
        case ["discard"]:
            project.discard_recovery()
    print(project.recoverable["count"], len(project.project.sinks), flush=True)
"""


class Window:
    """A program that has the project open."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(folder)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def says(self, *words: str) -> tuple[int, int]:
        """Do something; how many edits are offered then, and how many sinks there are."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        offered, sinks = self.process.stdout.readline().split()
        return int(offered), int(sinks)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
def test_two_windows_have_two_journals(folder: Path) -> None:
    with Window(folder) as first, Window(folder) as second:
        assert first.says("add", "a") == (0, 3)
        assert second.says("add", "b") == (0, 3)
        with Window(folder) as third:
            assert third.says("offered") == (0, 2), "both still run"
            third.says("discard")
        first.says("save")
        second.kill()
        with Window(folder) as fourth:
            assert fourth.says("offered") == (1, 3)
            assert fourth.says("recover") == (0, 4)
            fourth.kill()
        with Window(folder) as fifth:
            assert fifth.says("offered") == (1, 3), "recovered and not saved"
            fifth.says("recover")
            fifth.says("save")
        with Window(folder) as sixth:
            assert sixth.says("offered") == (0, 4)
        assert first.says("add", "c") == (0, 4)


@pytest.mark.slow
def test_edits_of_several_that_ended_are_offered_together(folder: Path) -> None:
    for name in ("a", "b"):
        with Window(folder) as window:
            assert window.says("add", name)[1] == 3
    with Window(folder) as last:
        assert last.says("offered") == (2, 2)
        assert last.says("recover") == (0, 4)


def test_a_pipe_in_the_place_of_the_journal_does_not_stop_anything(folder: Path) -> None:
    project = opened(folder)
    project.apply(sink("first"))
    path = next(ProjectState(folder).folder.glob("recovery-*.jsonl"))
    project.save()
    os.mkfifo(path)
    try:
        project.apply(sink("second"))
        assert "recovery journal cannot be written" in str(project.journal_problem)
        assert opened(folder).recoverable["count"] == 0
    finally:
        path.unlink()


def test_an_edit_stays_and_is_shown_when_the_journal_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = opened(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProjectState, "make", full)
    project.apply(sink("kept"))
    shown = project.snapshot(secret_keys)
    assert [s["name"] for s in shown["sinks"]] == ["orders", "hook", "kept"]
    assert "No space left" in shown["journal_problem"]
    assert shown["dirty"] == ["sequin.yaml"]
    monkeypatch.undo()
    project.apply(sink("next"))
    assert project.snapshot(secret_keys)["journal_problem"] is None


# --- saving ----------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("point", ["fsync", "replace"])
def test_git_sees_nothing_of_a_save_that_was_killed(folder: Path, point: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    child = os.fork()
    if child == 0:
        try:
            setattr(os, point, lambda *_, **__: os._exit(9))
            files.write_own(folder, ".env", f"TOKEN={CANARY}\n", mode=0o600)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = [path for path in (folder / files.SAVING).iterdir() if path.is_file()]
    assert len(left) == 1
    seen = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=folder, check=True,
                          capture_output=True, text=True).stdout.split()[1::2]  # fmt: skip
    assert sorted(seen) == ["functions/by_region.py", "samples/orders.jsonl", "sequin.yaml"]
    opened(folder)
    assert list((folder / files.SAVING).iterdir()) == []


def test_leftovers_of_earlier_versions_are_swept(folder: Path) -> None:
    left = [folder / "..env.ybehu3a6", folder / ".sequin.yaml.a_b1c2d3",
            folder / "functions" / ".by_region.py.abcd_fgh"]  # fmt: skip
    kept = [folder / ".eslintrc.template", folder / ".sequin.yaml.original"]
    for path in left + kept:
        path.write_text(CANARY)
        path.chmod(0o600)
    kept.append(folder / ".sequin.yaml.zzzz9zzz")
    kept[-1].write_text("mine, readable for all")
    kept[-1].chmod(0o644)
    opened(folder)
    assert [path.name for path in left if path.exists()] == []
    assert [path.name for path in kept if not path.exists()] == []


def test_a_removed_folder_is_not_called_saved(folder: Path) -> None:
    project = opened(folder)
    shutil.rmtree(folder)
    with pytest.raises(ProjectError, match="was removed by another program"):
        project.save()
    assert project.save(overwrite=True)
    assert (folder / "sequin.yaml").read_text() == TEXT
    assert (folder / "functions" / "by_region.py").read_text() == CODE


def test_what_is_on_disk_is_taken_by_the_same_rule(folder: Path, tmp_path: Path) -> None:
    project = opened(folder)
    (tmp_path / "victim.yaml").write_text(TEXT.replace("name: hook", "name: theirs"))
    (folder / "sequin.yaml").unlink()
    (folder / "sequin.yaml").symlink_to(tmp_path / "victim.yaml")
    for refused in (project.changed_outside, lambda: project.take_outside(["sequin.yaml"])):
        with pytest.raises(ProjectError, match="is a link"):
            refused()


# --- exports ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "place"),
    [("code", "functions/by_region.py line 1"), ("sample", "samples/orders.jsonl line 4"),
     ("test", "tests/t.yaml line 1"), ("yaml", "sinks.hook.destination"), ("comment", "line ")],
)  # fmt: skip
def test_no_export_carries_a_secret(folder: Path, tmp_path: Path, where: str, place: str) -> None:
    (folder / ".env").write_text(f"API_TOKEN={CANARY}\nHOSTS=h:1\nDB_PASSWORD=x\nHOOK_TOKEN=y\n")
    match where:
        case "code":
            (folder / "functions" / "by_region.py").write_text(f"# {CANARY}\n")
        case "sample":
            with (folder / "samples" / "orders.jsonl").open("a") as file:
                file.write(json.dumps({"record": {"a": CANARY}}) + "\n")
        case "test":
            (folder / "tests").mkdir()
            (folder / "tests" / "t.yaml").write_text(f"# {CANARY}\n")
        case "yaml":
            text = TEXT.replace("name: hook\n", f"name: hook\n    annotations: {{a: x{CANARY}}}\n")
            (folder / "sequin.yaml").write_text(text)
        case "comment":
            (folder / "sequin.yaml").write_text(TEXT + f"# {CANARY}\n")
    with pytest.raises(ConfigError, match="holds the value of `API_TOKEN`") as caught:
        export_routestudio(opened(folder), tmp_path / "out", secret_keys)
    assert CANARY not in str(caught.value)
    assert place.split(".")[0] in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_password_that_is_a_plain_word_refuses_no_other_use_of_it(
    folder: Path, tmp_path: Path
) -> None:
    (folder / ".env").write_text("DB_PASSWORD=shop\n")
    assert export_routestudio(opened(folder), tmp_path / "out", secret_keys)
    (folder / "functions" / "by_region.py").write_text("password = 'shop'\n")
    with pytest.raises(ConfigError, match=r"functions/by_region\.py line 1"):
        export_routestudio(opened(folder), tmp_path / "other", secret_keys)


# --- time ------------------------------------------------------------------------------------

READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from routestudio.errors import RouteStudioError
from routestudio.project.dotenv import parse_env
from routestudio.project.yamlread import read_yaml
text = eval(sys.argv[2])
try:
    (parse_env if sys.argv[1] == "env" else read_yaml)(text, "file")
except RouteStudioError as error:
    print(str(error)[:200])
# Of this program: what getrusage says begins with the memory of whoever started it.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("env", "'A=x' + ' ' * 900_000 + 'y'"),
        ("env", "'A=1\\n' * 200_000"),
        ("env", "'A=\"x\\n' * 150_000"),
        ("env", "'A=x' + ' #' * 400_000"),
        ("env", "' ' * 900_000 + 'x'"),
        ("yaml", "'a:\\n  b: 1\\n' + '  # a comment\\n' * 70_000"),
        ("yaml", "'a: 1\\n' + ''.join(' ' * (n % 60) + '# c\\n' for n in range(30_000))"),
        ("yaml", "'a:\\n' + '- 1\\n' * 250_000"),
        ("yaml", "'k: 1\\n' * 150_000"),
        ("yaml", "'x: &x {a: 1}\\n' + ''.join(f'k{n}:\\n  <<: *x\\n' for n in range(20_000))"),
        ("yaml", "'x: 1\\n' * 9_000 + 'a:\\t1\\n' * 9_000"),
        ("yaml", "'a: [' * 200_000"),
    ],
)
def test_hostile_text_is_answered_or_refused_in_bounds(kind: str, text: str) -> None:
    """A limit of processor time ends what grows with the square."""
    found = subprocess.run([sys.executable, "-c", READ, kind, text], capture_output=True,
                           text=True, timeout=300, check=False)  # fmt: skip
    assert found.returncode == 0, found.stderr[-400:]
    assert int(found.stdout.split()[-1]) < 250 * 1024
