"""The generated pages in docs/sinks are those that the sink types produce now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pages(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.md"))}


def test_pages_of_the_sink_types_are_fresh(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "routestudio", "docs", "--write", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    written = pages(tmp_path)
    assert written
    assert pages(ROOT / "docs" / "sinks") == written, "run `routestudio docs --write`"
