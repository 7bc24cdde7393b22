"""Where the program's own resources are: icons, themes, the demo project."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from routestudio.errors import RouteStudioError


@cache
def resources() -> Path:
    """The folder of resources: beside the package in a checkout, under `share` when installed."""
    beside = Path(__file__).resolve().parent.parent / "resources"
    installed = Path(sys.prefix) / "share" / "routestudio"
    for folder in (beside, installed):
        if (folder / "demo").is_dir():
            return folder
    raise RouteStudioError("the program's resources are missing", hint="install RouteStudio again")
