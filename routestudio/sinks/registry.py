"""All sink types, found by scanning this package. Tests narrow it or build their own.

Each package without an underscore is the room of a sink type, whose class is in its module `sink`.
That is imported when the sink type is asked for: a project has few of them, and all of them
together cost more than the rest of a command's start.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from routestudio import sinks as package
from routestudio.errors import UsageError
from routestudio.sinks.base import Sink


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

    def names(self) -> Mapping[str, str]:
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


class Installed(Registry):
    """Every sink type of this installation; a room is named like the key of its sink type."""

    def __init__(self) -> None:
        super().__init__(())
        self._rooms = frozenset(
            info.name
            for info in pkgutil.iter_modules(package.__path__)
            if info.ispkg and not info.name.startswith("_")
        )
        self._whole = False

    def __iter__(self) -> Iterator[type[Sink]]:
        self._load_all()
        return super().__iter__()

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and self._room(name):
            return True
        self._load_all()
        return super().__contains__(name)

    def keys(self) -> tuple[str, ...]:
        self._load_all()
        return super().keys()

    def names(self) -> Mapping[str, str]:
        return _Names(self)

    def all_names(self) -> Mapping[str, str]:
        """The names of all sink types, with every room imported."""
        self._load_all()
        return super().names()

    def key_of(self, name: str) -> str:
        """The key of a name. Raises `KeyError`."""
        return self._room(name) or self.all_names()[name]

    def get(self, name: str) -> type[Sink]:
        room = self._room(name)
        if room and not self._whole:
            return _classes(room)[0]
        self._load_all()
        return super().get(name)

    def narrow(self, *keys: str) -> Registry:
        return Registry(map(self.get, keys))

    def _room(self, name: str) -> str | None:
        if name in self._rooms:
            return name
        return next(
            (room for room in sorted(self._rooms) if name in _light(room, "NAMES", ())), None
        )

    def _load_all(self) -> None:
        if not self._whole:
            types = [item for room in sorted(self._rooms) for item in _classes(room)]
            super().__init__(types)
            self._whole = True


class _Names(Mapping[str, str]):
    """Names and keys of the installed sink types; to ask for one imports nothing."""

    def __init__(self, registry: Installed) -> None:
        self._registry = registry

    def __getitem__(self, name: str) -> str:
        return self._registry.key_of(name)

    def __contains__(self, name: object) -> bool:
        return name in self._registry

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.all_names())

    def __len__(self) -> int:
        return len(self._registry.all_names())


def _classes(room: str) -> list[type[Sink]]:
    found = importlib.import_module(f"{package.__name__}.{room}.sink")
    return [
        item
        for _, item in inspect.getmembers(found, inspect.isclass)
        if issubclass(item, Sink) and item.__module__ == found.__name__
    ]


def _light(room: str, name: str, default: Any) -> Any:
    """What the package of a room states; to ask for it imports nothing else."""
    return getattr(importlib.import_module(f"{package.__name__}.{room}"), name, default)


@cache
def proposed() -> str:
    """The key of the sink type that is proposed for a new project."""
    rooms = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.ispkg)
    return next((room for room in rooms if _light(room, "PROPOSED", False)), rooms[0])


@cache
def default() -> Registry:
    """The registry of every sink type of this installation."""
    return Installed()
