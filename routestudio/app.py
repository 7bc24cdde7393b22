"""Entry point: decides between the window and a command."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from routestudio.system import current as system


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `routestudio`; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from routestudio.cli.environment import VARIABLE
    from routestudio.cli.main import COMMANDS, run

    first = given[0] if given else ""
    if first == "demo" and "--headless" not in given[1:] and len(given) == 1:
        return window(None, demo=True)
    if first in COMMANDS or first.startswith("-"):
        return run(given)
    environment = os.environ.get(VARIABLE) or None
    if len(given) == 3 and given[1] == "--env":
        environment = given[2]
    elif len(given) > 1:
        return run(given)
    if first and not Path(first).exists():
        sys.stderr.write(
            f"routestudio: `{first}` is neither a command nor a project that exists "
            "(see `routestudio --help`)\n"
        )
        return 2
    return window(Path(first) if first else None, environment=environment)


def window(project: Path | None, *, demo: bool = False, environment: str | None = None) -> int:
    """Open the window, unless it cannot be shown: then report it and name the other commands.

    `environment` is the one in which the project is opened.
    """
    headless = "routestudio demo --headless" if demo else "routestudio preview PROJECT SINK"
    missing = [name for name in ("PySide6", "qasync") if not _installed(name)]
    if missing:
        sys.stderr.write(
            f"routestudio: the window's packages are not installed ({', '.join(missing)}); "
            f"without them, try `{headless}` or `routestudio --help`\n"
        )
        return 2
    if not system.desktop.has_display(os.environ):
        sys.stderr.write(
            f"routestudio: there is no display for the window; without one, try `{headless}` "
            "or `routestudio --help`\n"
        )
        return 2
    from routestudio.ui.main import run_window

    return run_window(project, demo=demo, environment=environment)


def _installed(name: str) -> bool:
    """Whether a package could be imported; it is not imported for that."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main())
