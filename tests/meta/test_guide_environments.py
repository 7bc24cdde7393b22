"""The guide to environments works as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def routestudio(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "routestudio", *line.split()]
    return subprocess.run(
        command, cwd=folder, timeout=300, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_guide_to_environments_works_as_written(tmp_path: Path) -> None:
    text = (ROOT / "docs/guides/environments.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^    routestudio (.*)$", text)
    files = re.findall(r"`(shop/\.env\.\w+)`:\n\n```text\n(.*?)```", text, re.DOTALL)
    pieces = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert [line.split()[0] for line in commands] == ["new", "preview", "lint", "run"]
    assert routestudio(commands[0], tmp_path).returncode == 0
    project = tmp_path / "shop/sequin.yaml"
    old = "      host: localhost\n      port: 6379\n"
    yaml = project.read_text()
    assert old in yaml
    project.write_text(yaml.replace(old, pieces[0]) + "\n" + pieces[1])
    for name, content in files:
        (tmp_path / name).write_text(content)
    found = routestudio(commands[1], tmp_path)
    assert (found.returncode, found.stderr.splitlines()[0]) == (0, "environment: staging")
    found = routestudio(commands[2], tmp_path)
    assert found.returncode == 0, found.stdout
    assert "environment: production (read-only" in found.stderr
    found = routestudio(commands[3], tmp_path)
    assert found.returncode == 2
    assert "environment `production` is read-only" in found.stderr
    found = routestudio(f"{commands[3]} --dry-run", tmp_path)
    assert found.returncode == 0
