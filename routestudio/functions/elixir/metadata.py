"""The metadata of a message as Elixir sees it: the message has text as keys, Elixir atoms."""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.convert import inward
from routestudio.functions.elixir.runtime import dot
from routestudio.functions.elixir.value_errors import key_error
from routestudio.functions.elixir.values import atom

_NESTED: Final = frozenset(["consumer", "database"])


_SIMPLE: Final = frozenset((str, int, bool, type(None), float))


def metadata_map(raw: dict[str, Any]) -> dict[Any, Any]:
    """Metadata as the map that a server hands to functions."""
    return {atom(key): _entry(key, value) for key, value in raw.items()}


def _entry(key: str, value: Any) -> Any:
    if key in _NESTED and type(value) is dict:
        return {atom(name): inward(part) for name, part in value.items()}
    return inward(value)


def metadata_field(raw: dict[str, Any], key: str) -> Any:
    """`metadata.key`."""
    try:
        value = raw[key]
    except KeyError:
        raise key_error(atom(key), metadata_map(raw)) from None
    return value if type(value) in _SIMPLE else _entry(key, value)


def metadata_path(raw: dict[str, Any], key: str, name: str) -> Any:
    """`metadata.key.name`."""
    inner = raw.get(key)
    if key in _NESTED and type(inner) is dict and name in inner:
        value = inner[name]
        return value if type(value) in _SIMPLE else _entry("", value)
    return dot(metadata_field(raw, key), name)
