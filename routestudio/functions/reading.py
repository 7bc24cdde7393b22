"""What a text shows of a function without running it: its facts, and the parts it can read.

For a worker: parsing is not done in any other process.
"""

from __future__ import annotations

import ast

from routestudio.functions import python, python_facts
from routestudio.functions.library import DICT_METHODS
from routestudio.functions.metadata import METADATA_FIELDS
from routestudio.functions.projection import PARTS, WHOLE, Keys, Reads
from routestudio.model.facts import Facts
from routestudio.model.function import Function, Language


def facts_of(function: Function) -> Facts:
    """The facts of a function; hardly any for one that cannot be parsed."""
    if function.language is Language.PYTHON:
        return python_facts.of_python(function)
    from routestudio.functions.elixir.facts import of_elixir

    return of_elixir(function)


def reads_of(function: Function) -> Reads:
    """What a function can read of a message."""
    if function.language is Language.PYTHON:
        return _python_reads(function.code)
    return _elixir_reads(function.code)


def _python_reads(code: str) -> Reads:
    try:
        tree = python.parsed(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return WHOLE
    keys: dict[str, set[str]] = {}
    known: set[int] = set()
    names: list[ast.Name] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if _part(node) is not None:
                names.append(node)
            continue
        found = _key_read(node)
        if found is not None:
            name, key = found
            known.add(id(name))
            part = _part(name)
            assert part is not None
            keys.setdefault(part, set())
            if key is not None:
                keys[part].add(key)
    # A part that is mentioned in any other way may be read as a whole.
    whole = {_part(name) for name in names if id(name) not in known}
    taken = [None if part in whole else tuple(sorted(keys.get(part, ()))) for part in PARTS]
    unread = frozenset(part for part in PARTS if part not in whole and part not in keys)
    return Reads(taken[0], taken[1], taken[2], unread)


def _elixir_reads(code: str) -> Reads:
    from routestudio.functions.elixir.reads import parts_read

    found = parts_read(code)
    if found is None:
        return WHOLE
    taken = [_sorted(found.get(part, set())) for part in PARTS]
    return Reads(taken[0], taken[1], taken[2], frozenset(set(PARTS) - set(found)))


def _sorted(keys: set[str] | None) -> Keys:
    return None if keys is None else tuple(sorted(keys))


def _key_read(node: ast.AST) -> tuple[ast.Name, str | None] | None:
    """The part that an expression reads one key of. No key: only whether the part is null."""
    match node:
        case ast.Subscript(
            value=ast.Name() as name, slice=ast.Constant(value=str(key)), ctx=ast.Load()
        ):
            pass
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as name, attr="get"),
            args=[ast.Constant(value=str(key))] | [ast.Constant(value=str(key)), _],
            keywords=[],
        ):
            if isinstance(node.args[-1], ast.Starred):
                return None
        case ast.Attribute(value=ast.Name() as name, attr=key, ctx=ast.Load()):
            if _part(name) != "metadata" or key not in METADATA_FIELDS - DICT_METHODS:
                return None
        case ast.Compare(
            left=ast.Constant(value=str(key)),
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Name() as name],
        ):
            pass
        case ast.Compare(
            left=ast.Name() as name,
            ops=[ast.Is() | ast.IsNot()],
            comparators=[ast.Constant(value=None)],
        ):
            return (name, None) if _part(name) is not None else None
        case _:
            return None
    return (name, str(key)) if _part(name) is not None else None


def _part(name: ast.Name) -> str | None:
    """The part that a name stands for; the parameters may be written with a leading `_`."""
    found = name.id.removeprefix("_")
    return found if found in PARTS else None
