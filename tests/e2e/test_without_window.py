"""On a server the window's packages are not there: every command without a window works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.http_server import HttpReceiver
from tests.support.run_project import SINK, ids_of, rows, write_run_project

pytestmark = pytest.mark.e2e

BLOCKED = ("PySide6", "shiboken6", "qasync")
CODE = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None  # importing it is an ImportError
from routestudio.app import main
sys.exit(main())
"""


def without_window(
    *arguments: object, cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE, *map(str, arguments)], cwd=cwd, input=stdin, text=True,
        capture_output=True, timeout=300, check=False, env={**os.environ, "DISPLAY": ":0"},
    )  # fmt: skip


def test_the_block_works(tmp_path: Path) -> None:
    code = CODE.replace("from routestudio.app import main", "import PySide6")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                           timeout=300, check=False, cwd=tmp_path)  # fmt: skip
    assert "ModuleNotFoundError" in found.stderr


def test_a_route_is_previewed_checked_delivered_and_exported(
    tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    project = write_run_project(tmp_path / "p", http_receiver.url, rows(3))
    for arguments in (
        ("lint", project),
        ("preview", project, SINK),
        ("check", project, SINK),
        ("sinks", "kafka"),
        ("schema",),
        ("export", project, "--target", "routestudio", "--output", "out"),
    ):
        found = without_window(*arguments, cwd=tmp_path)
        assert found.returncode == 0, found
    http_receiver.reset()
    text = "".join(json.dumps(row) + "\n" for row in rows(3))
    found = without_window("run", "out", SINK, "--input", "-", "--metrics", "0",
                           "--log-format", "json", cwd=tmp_path, stdin=text)  # fmt: skip
    assert found.returncode == 0, found
    assert sorted(ids_of(http_receiver.requests)) == [0, 1, 2]


@pytest.mark.parametrize("arguments", [(), ("demo",), (".",)])
def test_the_window_says_in_one_line_that_it_is_missing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    found = without_window(*arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    [line] = found.stderr.splitlines()
    assert line.startswith("routestudio: the window's packages are not installed (PySide6, qasync)")
    assert "--help" in line
