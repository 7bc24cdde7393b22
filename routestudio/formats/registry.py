"""All row formats and wrappers, found by scanning this package."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Final, TypeVar

from routestudio import formats as package
from routestudio.errors import UsageError
from routestudio.formats import wrappers as wrappers_package
from routestudio.formats.base import Format, Wrapper

_NOT_FORMATS: Final = frozenset({"base", "reader", "registry", "wrappers"})

AUTO: Final = "auto"
"""Stands for "recognise it" wherever a format is named."""

T = TypeVar("T", Format, Wrapper)


@cache
def formats() -> dict[str, type[Format]]:
    """Every format by its key, sorted. Two of one key are refused with `ValueError`."""
    return _scan(package, Format)  # type: ignore[type-abstract]


@cache
def wrappers() -> dict[str, type[Wrapper]]:
    """Every wrapper by its key, sorted."""
    return _scan(wrappers_package, Wrapper)  # type: ignore[type-abstract]


def get(key: str) -> type[Format]:
    """The format of this key. Raises `UsageError` with the nearest name as a hint."""
    try:
        return formats()[key]
    except KeyError:
        near = difflib.get_close_matches(key, formats(), n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names())}"
        raise UsageError(f"`{key[:40]}` is not a row format", hint=hint) from None


def names() -> tuple[str, ...]:
    """`auto` and the keys of all formats."""
    return (AUTO, *formats())


def _scan(folder: ModuleType, base: type[T]) -> dict[str, type[T]]:
    found: dict[str, type[T]] = {}
    for item in _classes(folder):
        if not issubclass(item, base) or inspect.isabstract(item):
            continue
        if item.key in found:
            raise ValueError(f"two parts are called {item.key}")
        found[item.key] = item
    return dict(sorted(found.items()))


def _classes(folder: ModuleType) -> Iterator[type]:
    for info in pkgutil.iter_modules(folder.__path__):
        if info.name.startswith("_") or (folder is package and info.name in _NOT_FORMATS):
            continue
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        for _, item in inspect.getmembers(module, inspect.isclass):
            if item.__module__ == module.__name__:
                yield item
