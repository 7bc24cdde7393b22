"""Stand-ins by kind, found by scanning this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from routestudio import standins as package
from routestudio.errors import UsageError
from routestudio.standins.base import Standin


@cache
def kinds() -> dict[str, type[Standin]]:
    """All stand-in classes of this installation by their kind."""
    found: dict[str, type[Standin]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_") or info.name in ("base", "registry"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
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
