"""The generated pages in docs are those that the sink types and the hazards produce now."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from routestudio.hazards import catalog

ROOT = Path(__file__).parents[2]


def pages(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.md"))}


def test_generated_pages_are_fresh(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "routestudio", "docs", "--write", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    written = pages(tmp_path / "sinks")
    assert written
    assert pages(ROOT / "docs" / "sinks") == written, "run `routestudio docs --write`"
    hazards = (tmp_path / "hazards.md").read_text(encoding="utf-8")
    kept = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert kept == hazards, "run `routestudio docs --write`"


def test_the_readme_counts_the_hazards() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\[(\d+) hazards\]", text) == [str(len(catalog.HAZARDS))]
