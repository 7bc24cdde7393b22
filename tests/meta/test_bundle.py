"""What desktops read of the bundles, and what the Debian package wants of a system."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESKTOP = ROOT / "packaging" / "desktop"
SVG = "{http://www.w3.org/2000/svg}"


def control() -> str:
    return (DESKTOP / "control").read_text()


def test_the_entry_starts_the_program_with_the_file_that_it_is_given() -> None:
    entry = dict(
        line.split("=", 1)
        for line in (DESKTOP / "routestudio.desktop").read_text().splitlines()
        if "=" in line
    )
    assert (entry["Exec"], entry["Icon"]) == ("routestudio %f", "routestudio")
    # The window's class, by which a desktop finds the entry of a running window.
    window = (ROOT / "routestudio" / "ui" / "main.py").read_text()
    assert f'setDesktopFileName("{entry["StartupWMClass"]}")' in window
    kinds = ET.parse(DESKTOP / "routestudio.xml").getroot()
    assert [f"{kind.get('type')};" for kind in kinds] == [entry["MimeType"]]
    patterns = {each.get("pattern") for each in kinds.iter() if each.tag.endswith("glob")}
    assert "sequin.yaml" in patterns


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed"
)
def test_the_entry_is_valid() -> None:
    subprocess.run(["desktop-file-validate", DESKTOP / "routestudio.desktop"], check=True)


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="appstream is not installed")
def test_the_metadata_are_valid(tmp_path: Path) -> None:
    text = (DESKTOP / "routestudio.metainfo.xml").read_text()
    place = tmp_path / "routestudio.metainfo.xml"
    place.write_text(text.replace("@VERSION@", "1.2.3").replace("@DATE@", "2026-01-31"))
    found = subprocess.run(["appstreamcli", "validate", "--no-net", place], capture_output=True,
                           text=True, check=False)  # fmt: skip
    # Without a public address there is no homepage, and no name of a domain in the id.
    errors = re.findall(r"^E: .*", found.stdout, re.MULTILINE)
    assert errors == [], found.stdout


def test_metadata_and_package_say_what_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    facts = ET.parse(DESKTOP / "routestudio.metainfo.xml").getroot()
    assert facts.findtext("project_license") == project["license"]
    assert facts.findtext("provides/binary") in project["scripts"]
    assert ET.parse(DESKTOP / "routestudio.svg").getroot().tag == f"{SVG}svg"


def test_the_package_depends_on_what_qt_loads() -> None:
    """`need_qt` is the list that all other ways of installing use."""
    code = 'source packaging/common.sh; need() { printf "%s\\n" "$@"; }; need_qt'
    wanted = subprocess.run(["bash", "-c", code], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout.split()  # fmt: skip
    depends = re.search(r"^Depends: (.*)$", control(), re.MULTILINE)
    assert depends is not None
    named = set(re.findall(r"[\w.+-]+", re.sub(r"\(.*?\)", "", depends[1])))
    # Xinerama came into Qt's list of old; the platform plugin does not load it any more.
    missing = {name for name in wanted if name.startswith("lib")} - named - {"libxcb-xinerama0"}
    assert missing == set()


@pytest.mark.skipif(sys.platform != "linux", reason="a shell of Unix")
def test_the_launcher_uses_the_python_beside_it_whatever_is_set(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(DESKTOP / "launcher", tmp_path / "bin" / "routestudio")
    python = tmp_path / "bin" / "python3"
    python.write_text('#!/bin/sh\necho "$@"\nenv\n')
    python.chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "bin" / "routestudio")
    found = subprocess.run(
        [tmp_path / "link", "run", "a b"], capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONHOME": "/x", "PYTHONPATH": "/y"},
    )  # fmt: skip
    said, *environ = found.stdout.splitlines()
    assert said == "-m routestudio run a b"
    assert "PYTHONNOUSERSITE=1" in environ
    assert [line for line in environ if line.startswith(("PYTHONHOME", "PYTHONPATH"))] == []
