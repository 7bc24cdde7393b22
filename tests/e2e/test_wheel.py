"""The wheel, and the wheel of the source archive: everything is in it, and it runs alone.

What it depends on is taken from the tests' environment; `packaging/prove-installs` installs it with
its dependencies, by pip, pipx and uv, on bare systems.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.meta.test_house import tracked

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def environ(**more: str) -> dict[str, str]:
    return {**os.environ, "ROUTESTUDIO_COMMIT": COMMIT, "SOURCE_DATE_EPOCH": "1700000000", **more}


def build(source: Path, what: str, target: Path) -> Path:
    """Build by the project's own backend, as `python -m build` does it."""
    code = (f"import setuptools.build_meta as backend\n"
            f"print(backend.build_{what}({str(target)!r}))")  # fmt: skip
    target.mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", code], cwd=source, env=environ(), timeout=300,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is under version control, somewhere else: nothing of a checkout helps it."""
    folder = tmp_path_factory.mktemp("source")
    for path in tracked():
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and with the other packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # As a line of a .pth file only: the .pth files there, the editable installation, do not count.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bin" / "python", *map(str, arguments)], cwd=folder, timeout=300, check=False,
        env=environ(QT_QPA_PLATFORM="offscreen"), capture_output=True, text=True,
    )  # fmt: skip


def test_the_wheel_holds_all_resources_and_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (folder,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        facts = archive.read(f"{folder}/METADATA").decode()
        assert archive.read("routestudio/_commit").decode().strip() == COMMIT
    wanted = {f"routestudio/_{path.relative_to(ROOT).as_posix()}" for path in tracked()
              if path.relative_to(ROOT).parts[0] == "resources"}  # fmt: skip
    assert len(wanted) > 60
    wanted |= {f"routestudio/_{path.relative_to(ROOT).as_posix()}" for path in tracked()
               if path.relative_to(ROOT).parts[0] == "docs" and path.suffix == ".md"}  # fmt: skip
    assert wanted - names == set()
    assert {"routestudio/py.typed", f"{folder}/licenses/LICENSE"} <= names
    assert {name.split("/")[0] for name in names} == {"routestudio", folder}
    assert "License-Expression: Apache-2.0" in facts
    assert "Classifier: Typing :: Typed" in facts


def test_the_source_archive_makes_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    archive = build(source, "sdist", tmp_path)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert (unpacked / "routestudio" / "_commit").read_text().strip() == COMMIT
    kept = {
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.relative_to(ROOT).parts[0] in ("routestudio", "resources", "tests", "docs")
    }
    assert {name for name in kept if not (unpacked / name).is_file()} == set()
    again = build(unpacked, "wheel", tmp_path / "again")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {item.filename: item.CRC for item in one.infolist()} == {
            item.filename: item.CRC for item in other.infolist()
        }


def test_a_commit_gives_the_same_bytes_twice(source: Path, wheel: Path, tmp_path: Path) -> None:
    again = build(source, "wheel", tmp_path)
    assert (
        hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()
    )


def test_it_runs_the_demo_without_a_checkout(installed: Path) -> None:
    version = run(installed, "-m", "routestudio", "--version")
    assert version.stdout.strip().endswith(f"(commit {COMMIT[:12]})"), version
    demo = run(installed, "-m", "routestudio", "demo", "--headless")
    assert (demo.returncode, "everything agrees" in demo.stdout) == (0, True), demo


def test_it_opens_the_window_with_every_theme_and_icon(installed: Path) -> None:
    found = run(installed, ROOT / "packaging" / "look.py")
    assert found.returncode == 0, found
    seen = json.loads(found.stdout.splitlines()[-1])
    assert Path(seen["program"]).is_relative_to(installed)
    assert Path(seen["resources"]).is_relative_to(installed)
    icons = len(list((ROOT / "resources" / "icons").glob("*.svg")))
    assert (seen["icons"], seen["themes"], seen["messages"]) == (icons, 3, [])
    assert "Traceback" not in found.stderr
