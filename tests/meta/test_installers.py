"""What the installers for macOS and Windows are made of, as far as Linux can look at it."""

from __future__ import annotations

import importlib.util
import plistlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DESKTOP = ROOT / "packaging" / "desktop"


@pytest.fixture
def frozen() -> ModuleType:
    """`packaging/desktop/frozen.py` as a module."""
    spec = importlib.util.spec_from_file_location("frozen", DESKTOP / "frozen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["-I", "-B", "-X", "utf8", "-m", "a.b", "1", "-m"], ("-m", "a.b", ["1", "-m"])),
        (["-m", "routestudio.engine"], ("-m", "routestudio.engine", [])),
        (["-c", "print(1)", "-H", "x"], ("-c", "print(1)", ["-H", "x"])),
        (["demo", "--headless"], None),
        (["run", "-m", "x"], None),
        (["--version"], None),
        (["-m"], None),
        ([], None),
    ],
)
def test_the_frozen_program_knows_when_it_is_its_own_python(
    frozen: ModuleType, arguments: list[str], asked: object
) -> None:
    assert frozen.interpreter(arguments) == asked


def test_every_way_in_which_the_program_starts_its_python_is_known(frozen: ModuleType) -> None:
    """Options before `-m` and `-c`, wherever `sys.executable` is started."""
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "routestudio").rglob("*.py")
    )
    starts = re.findall(r"sys\.executable,((?:\s*\"-\w+\",(?:\s*\"utf8\",)?)*)", text)
    assert len(starts) >= 4
    options = {option for start in starts for option in re.findall(r"-\w+", start)}
    assert options - {"-X", "-m", "-c"} <= frozen.ALONE


def test_it_runs_modules_and_texts_as_python_does() -> None:
    program: list[str | Path] = [sys.executable, DESKTOP / "frozen.py", "-I", "-X", "utf8"]
    done = subprocess.run([*program, "-c", "import sys; print(sys.argv)", "1"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "['-c', '1']\n"
    done = subprocess.run([*program, "-m", "routestudio", "--version"],
                          capture_output=True, text=True, check=True, cwd=ROOT)  # fmt: skip
    assert done.stdout.startswith("routestudio ")


def test_without_streams_children_get_the_program_that_has_them(
    frozen: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, console = tmp_path / "RouteStudio-window.exe", tmp_path / "routestudio.exe"
    monkeypatch.setattr(sys, "executable", str(window))
    frozen.use_program_with_streams()
    assert sys.executable == str(window)
    console.touch()
    frozen.use_program_with_streams()
    assert sys.executable == str(window)
    monkeypatch.setattr(sys, "stdin", None)
    frozen.use_program_with_streams()
    assert sys.executable == str(console)


def test_what_describes_the_installers_names_files_that_are_made() -> None:
    spec = (DESKTOP / "routestudio.spec").read_text()
    setup = (DESKTOP / "routestudio.iss").read_text()
    freeze = (ROOT / "packaging" / "freeze").read_text()
    compile(spec, "routestudio.spec", "exec")
    plistlib.loads((DESKTOP / "entitlements.plist").read_bytes())
    named = set(re.findall(r"\{app\}\\([\w-]+)\.exe", setup))
    assert named <= set(re.findall(r'program\("([\w-]+)"', spec))
    assert set(re.findall(r"\{#(\w+)\}", setup)) == set(re.findall(r'"/D(\w+)=', freeze))


@pytest.mark.parametrize("name", ["test.yml", "installers.yml"])
def test_what_was_not_run_on_hosted_runners_says_so(name: str) -> None:
    assert (ROOT / ".github" / "workflows" / name).read_text().startswith("# Not yet run")
