"""Which parts of a message an Elixir function can read; all of a part where there is any doubt."""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.values import Atom
from routestudio.functions.metadata import METADATA_FIELDS
from routestudio.model.analysis import PARTS, WHOLE, Keys, Reads

_ROWS: Final = frozenset(["record", "changes"])

Found = dict[str, set[str] | None]
"""By part that is mentioned, the keys that are read; `None` for all of it."""


def reach_of(body: Any) -> Reads:
    """What a call can read of a message."""
    found: Found = {}
    try:
        _walk(body, found)
    except RecursionError:
        return WHOLE
    taken = [_sorted(found.get(part, set())) for part in PARTS]
    return Reads(taken[0], taken[1], taken[2], frozenset(PARTS) - frozenset(found))


def _sorted(keys: set[str] | None) -> Keys:
    return None if keys is None else tuple(sorted(keys))


def _walk(value: Any, found: Found) -> None:
    if type(value) is not Node:
        if type(value) in (list, tuple):
            for part in value:
                _walk(part, found)
        return
    if value.args is None:
        if value.name in PARTS:
            found[value.name] = None
        return
    read = _key_read(value)
    if read is not None:
        part, key = read
        keys = found.setdefault(part, set())
        if key is not None and keys is not None:
            keys.add(key)
        return
    if type(value.name) is Node:
        _walk(value.name, found)
    _walk(value.args, found)


def _key_read(node: Node) -> tuple[str, str | None] | None:
    """The part that an expression reads one key of. No key: only whether the part is nil."""
    if node.is_call("is_nil", 1):
        return (name, None) if (name := _part(node.args[0])) is not None else None
    if not is_node(node.name, ".", 2):
        return None
    left, right = node.name.args
    if type(right) is not Atom:
        return None
    if type(left) is Atom and left.name in ("Access", "Elixir.Access") and right.name == "get":
        name, key = _part(node.args[0]), node.args[1] if len(node.args) == 2 else None
        return (name, key) if name in _ROWS and type(key) is str else None
    if _part(left) == "metadata" and right.name in METADATA_FIELDS:
        return "metadata", right.name
    return None


def _part(value: Any) -> str | None:
    """The part that a variable stands for."""
    if type(value) is Node and value.args is None and value.name in PARTS:
        return str(value.name)
    return None
