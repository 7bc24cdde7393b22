"""What a Sequin server reads of a destination: names of keys, stated in the rooms of the sinks.

Facts: docs/reference/sequin.md#configuration-file and docs/reference/services.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from routestudio import sinks as package

LOGIN: Final = frozenset({"host", "port", "username", "password", "tls"})
"""Keys of a destination that is a host with an account."""


@dataclass(frozen=True, slots=True)
class MapKey:
    """A key that is a map for a server, and may be its JSON text or a reference here.

    `needed` are the parts that a server demands as separate references, `fixed` those with one
    value, and `copied` those that are the destination's own keys. `secret` parts are never shown.
    """

    needed: tuple[str, ...]
    fixed: Mapping[str, str]
    copied: tuple[str, ...]
    secret: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The keys of one destination for a server, `type` aside. What is not listed is ignored.

    `hidden` are keys that a server reads and that its export leaves out, `derived` those of an
    export that it works out itself and does not read. `refused` has what to say of values that a
    server cannot take: problem and hint by key and value. With `single` false a server refuses a
    batch size over 1.
    """

    read: frozenset[str]
    hidden: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    refused: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    maps: Mapping[str, MapKey] = field(default_factory=dict)
    single: str | None = None


@cache
def of(key: str | None) -> ServerKeys | None:
    """The keys for a sink type; `None` for a type without a room, which servers alone may have."""
    if key not in _rooms():
        return None
    found: ServerKeys = importlib.import_module(f"{package.__name__}.{key}.server").SERVER
    return found


@cache
def _rooms() -> frozenset[str]:
    found = (info for info in pkgutil.iter_modules(package.__path__) if info.ispkg)
    return frozenset(info.name for info in found if not info.name.startswith("_"))
