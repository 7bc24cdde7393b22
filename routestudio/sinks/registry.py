"""All sink types, found by scanning this package. Tests narrow it or build their own."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache

from routestudio import sinks as package
from routestudio.errors import UsageError
from routestudio.sinks.base import Sink

_NOT_SINKS = frozenset({"base", "binding", "fields", "registry"})


class Registry:
    """Sink types by key, by YAML type and by alias. Clashing names are refused."""

    def __init__(self, types: Iterable[type[Sink]]) -> None:
        self._types: dict[str, type[Sink]] = {}
        self._names: dict[str, str] = {}
        for sink in types:
            for name in {sink.key, sink.yaml_type or sink.key, *sink.aliases}:
                if name in self._names:
                    raise ValueError(f"sink types {self._names[name]} and {sink.key} share {name}")
                self._names[name] = sink.key
            self._types[sink.key] = sink

    def __iter__(self) -> Iterator[type[Sink]]:
        return iter(self._types.values())

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def keys(self) -> tuple[str, ...]:
        """Keys of all sink types, sorted."""
        return tuple(self._types)

    def names(self) -> dict[str, str]:
        """Every name that YAML may use, mapped to the sink key."""
        return dict(self._names)

    def get(self, name: str) -> type[Sink]:
        """The sink type with this key, YAML type or alias. Raises `UsageError` with a hint."""
        try:
            return self._types[self._names[name]]
        except KeyError:
            near = difflib.get_close_matches(name, self._names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(self._types)}"
            raise UsageError(f"unknown sink type `{name}`", hint=hint) from None

    def narrow(self, *keys: str) -> Registry:
        """A registry with only these sink types."""
        return Registry(self._types[key] for key in keys)


@cache
def default() -> Registry:
    """The registry of every sink type of this installation."""
    found: list[type[Sink]] = []
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if info.name.startswith("_") or info.name in _NOT_SINKS:
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found += [
            item
            for _, item in inspect.getmembers(module, inspect.isclass)
            if issubclass(item, Sink) and item.__module__ == module.__name__
        ]
    return Registry(found)
