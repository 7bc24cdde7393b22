"""What a program loads, seen from inside: also what is imported late or by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """Return the names of all modules of a fresh process that has run `code`."""
    ending = "import json, sys\nprint()\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def within(names: set[str], packages: tuple[str, ...]) -> set[str]:
    """Return those that are one of the packages or in one."""
    return {name for name in names if any(f"{name}.".startswith(f"{each}.") for each in packages)}
