"""Which parts of a message a Python function can read; all of a part where there is any doubt."""

from __future__ import annotations

import ast

from routestudio.functions.analysis.python_tree import Access, Tree
from routestudio.functions.library import DICT_METHODS
from routestudio.functions.metadata import METADATA_FIELDS
from routestudio.model.analysis import PARTS, Reads


def reach_of(tree: Tree) -> Reads:
    """What a call can read of a message."""
    keys: dict[str, set[str]] = {}
    known: set[int] = set()
    for name, key in _key_reads(tree):
        part = _part(name)
        if part is not None:
            known.add(id(name))
            keys.setdefault(part, set())
            if key is not None:
                keys[part].add(key)
    # A part that is mentioned in any other way may be read as a whole.
    mentioned = [node for node in tree.nodes if isinstance(node, ast.Name) and _part(node)]
    whole = {_part(name) for name in mentioned if id(name) not in known}
    taken = [None if part in whole else tuple(sorted(keys.get(part, ()))) for part in PARTS]
    unread = frozenset(part for part in PARTS if part not in whole and part not in keys)
    return Reads(taken[0], taken[1], taken[2], unread)


def _key_reads(tree: Tree) -> list[tuple[ast.Name, str | None]]:
    """Names of which one key is read, for certain. No key: only whether they are null."""
    found = [read for access in tree.accesses if (read := _key_read(access)) is not None]
    for node in tree.nodes:
        match node:
            case ast.Attribute(value=ast.Name() as name, attr=key, ctx=ast.Load()):
                if _part(name) == "metadata" and key in METADATA_FIELDS - DICT_METHODS:
                    found.append((name, key))
            case ast.Compare(
                left=ast.Name() as name,
                ops=[ast.Is() | ast.IsNot()],
                comparators=[ast.Constant(value=None)],
            ):
                found.append((name, None))
    return found


def _key_read(access: Access) -> tuple[ast.Name, str | None] | None:
    if not access.sure or not isinstance(access.of, ast.Name):
        return None
    match access.key:
        case ast.Constant(value=str(key)):
            return access.of, key
    return None


def _part(name: ast.Name) -> str | None:
    """The part that a name stands for; the parameters may be written with a leading `_`."""
    found = name.id.removeprefix("_")
    return found if found in PARTS else None
