"""Stand-ins by kind, found by scanning: each is in the module `standin` of a package.

That package is the room of the sink, or what several sinks share.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from routestudio import sinks as package
from routestudio.errors import UsageError
from routestudio.sinks.standin import Standin


@cache
def kinds() -> dict[str, type[Standin]]:
    """All stand-in classes of this installation by their kind."""
    found: dict[str, type[Standin]] = {}
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not info.name.endswith(".standin") or info.name == Standin.__module__:
            continue
        module = importlib.import_module(info.name)
        for _, item in inspect.getmembers(module, inspect.isclass):
            if item.__module__ != module.__name__ or inspect.isabstract(item):
                continue
            if issubclass(item, Standin):
                found[item.kind] = item
    return found


def create(kind: str) -> Standin:
    """A new, not yet started stand-in. Raises `UsageError` for an unknown kind."""
    try:
        return kinds()[kind]()
    except KeyError:
        raise UsageError(f"there is no stand-in `{kind}`") from None
