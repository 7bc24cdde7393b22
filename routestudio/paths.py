"""Where the program's own files are: icons, themes, the demo project, pages of documentation."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from routestudio.errors import RouteStudioError


@cache
def resources() -> Path:
    """The folder of resources: in the package when installed, beside it in a checkout."""
    installed = Path(str(files("routestudio").joinpath("_resources")))
    beside = Path(__file__).resolve().parent.parent / "resources"
    for folder in (installed, beside):
        if (folder / "demo").is_dir():
            return folder
    raise RouteStudioError("the program's resources are missing", hint="install RouteStudio again")


def documentation() -> Path | None:
    """The folder of pages, as `resources`; `None` in an installation without them."""
    installed = Path(str(files("routestudio").joinpath("_docs")))
    beside = Path(__file__).resolve().parent.parent / "docs"
    return next((folder for folder in (installed, beside) if (folder / "guides").is_dir()), None)
