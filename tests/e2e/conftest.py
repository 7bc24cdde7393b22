"""Starts the installed program as a user does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "resources" / "demo"


@dataclass(frozen=True)
class Result:
    """What one command left: exit code and both streams."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; fails when anything else is there."""
        return [json.loads(line) for line in self.out.splitlines()]

    def document(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    def reason(self) -> str:
        """The one-line reason of a refused command; nothing is on standard output."""
        assert (self.code, self.out) == (2, ""), self
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("routestudio: ")
        return lines[0]


Cli = Callable[..., Result]


def program() -> list[str]:
    """The installed command, or the module where only that is there."""
    installed = Path(sys.executable).with_name("routestudio")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "routestudio"]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run `routestudio` in `tmp_path`. No command may ever show a traceback."""

    def run(
        *arguments: object, stdin: str | bytes = b"", timeout: float = 60, **env: str
    ) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        found = subprocess.run(
            [*program(), *map(str, arguments)], input=data, capture_output=True, cwd=tmp_path,
            env={**os.environ, **env}, timeout=timeout, check=False,
        )  # fmt: skip
        result = Result(found.returncode, found.stdout.decode(), found.stderr.decode())
        assert "Traceback" not in result.err + result.out, result.err
        assert "internal fault" not in result.err, result.err
        return result

    return run


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demo project."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))
