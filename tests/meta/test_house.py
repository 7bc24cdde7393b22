"""Rules of the house that no linter knows: sizes, docstrings, words, versions."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import routestudio
from routestudio.sinks import registry

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "routestudio"
MODULES = sorted(PACKAGE.rglob("*.py"))
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:home|root|work|Users)/\w")
REGISTRY_HOSTS = re.compile(
    r"(?:pypi\.org|pythonhosted|repo\d?\.maven|deb\.debian|artifactory|nexus\.|[./]mirrors?\.)",
    re.I,
)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """Return the files under version control, or those of a source archive."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return [
            each
            for folder in ("routestudio", "tests", "packaging", "docs", "resources", ".ci")
            for each in (ROOT / folder).rglob("*")
            if each.is_file() and "__pycache__" not in each.parts
        ]
    done = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """Return a file's text; an empty one for pictures and other binary files."""
    raw = path.read_bytes()
    return "" if b"\0" in raw[:4096] else raw.decode("utf-8", errors="replace")


def described(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a decorator holds the sentence: functions of Elixir's library."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id in ("elixir", "further")
        for each in node.decorator_list
    )


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_public_modules_say_what_they_are(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), "the module has no docstring"
    silent = [
        f"{node.name}, line {node.lineno}"
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and not node.name.startswith("_")
        and not module.stem.startswith("_")
        and not ast.get_docstring(node)
        and not described(node)
    ]
    assert silent == [], "public classes and functions without a docstring"


def test_no_machine_is_named() -> None:
    found = [
        f"{named(path)}:{number}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE_PATHS.search(line) or REGISTRY_HOSTS.search(line)
        if path != Path(__file__)
    ]
    assert found == [], "paths of one machine, or registry hosts"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_lock_files_pin_every_dependency(lock: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(settings["dependencies"])
    if "test" in lock:
        wanted += settings["optional-dependencies"]["test"]
    pinned = {
        line.split("==")[0]
        for line in (ROOT / "packaging" / lock).read_text().splitlines()
        if "==" in line
    }
    names = {re.split(r"[^\w.-]", each)[0].lower().replace(".", "-") for each in wanted}
    assert names - pinned == set(), "run packaging/lock"


def test_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[0] == routestudio.__version__
    assert "Unreleased" not in headings[1:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == routestudio.__version__


def test_tasks_are_created_in_one_place() -> None:
    """Ruff bans the two functions of asyncio; this sees a loop's method too."""
    found = [
        named(module)
        for module in MODULES
        if module != PACKAGE / "tasks.py" and ".create_task(" in module.read_text(encoding="utf-8")
    ]
    assert found == []


def test_test_files_have_names_of_their_own() -> None:
    """pytest imports them by base name: two that share one cannot be collected together."""
    names = Counter(each.name for each in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_sink_has_its_icon_and_its_table_of_checks() -> None:
    for sink in registry.default():
        assert (ROOT / "resources" / "icons" / f"{sink.icon}.svg").is_file(), sink.key
        assert (ROOT / "docs" / "checks" / f"{sink.key}.md").is_file(), sink.key


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_what_a_class_leaves_to_others_is_abstract(module: Path) -> None:
    """So that it is missed when an object is made, or by mypy, and not when it is called."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    assert [
        node.lineno for node in raised if "NotImplementedError" in ast.unparse(node.exc or node)
    ] == []
