"""All sources on servers by the schemes of their addresses, found by scanning this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from routestudio import sources as package
from routestudio.errors import UsageError
from routestudio.sources.base import Source
from routestudio.sources.uri import scheme_of


@cache
def by_scheme() -> dict[str, type[Source]]:
    """Every source on a server by each of its schemes. Clashing schemes are refused."""
    found: dict[str, type[Source]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if info.name in ("base", "registry"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for _, item in inspect.getmembers(module, inspect.isclass):
            if not issubclass(item, Source) or item.__module__ != module.__name__:
                continue
            for scheme in item.schemes:
                if scheme in found:
                    raise ValueError(f"two sources have the scheme {scheme}")
                found[scheme] = item
    return found


def get(address: str) -> type[Source]:
    """The source of an address. Raises `UsageError` for a scheme that is not known."""
    scheme = scheme_of(address)
    try:
        return by_scheme()[scheme]
    except KeyError:
        known = ", ".join(f"{name}://" for name in by_scheme())
        raise UsageError(
            f"`{scheme[:40]}://` is not a source", hint=f"known: {known}, a file, or -"
        ) from None
