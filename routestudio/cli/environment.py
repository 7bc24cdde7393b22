"""`--env NAME` and `ROUTESTUDIO_ENV`: the environment that a command of a project speaks of."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "ROUTESTUDIO_ENV"


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add `--env` to a command of a project."""
    parser.add_argument("--env", metavar="NAME", help="take variables from .env.NAME before .env "
                        f"(also {VARIABLE})")  # fmt: skip


def choose_environment(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Take the variable where the command has the option and it was not given."""
    if getattr(options, "env", "") is None:
        options.env = environ.get(VARIABLE) or None
