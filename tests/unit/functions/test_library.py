"""The table of what functions may use: complete, documented, and made of single functions."""

from __future__ import annotations

import types
from typing import Any

import pytest

from routestudio.functions import library
from routestudio.functions.analysis import reading
from routestudio.model.function import Function, FunctionKind, Language


def _objects() -> list[tuple[str, Any]]:
    names = library.environment()["__builtins__"]
    found = []
    for name, item in names.items():
        if name == "__import__":
            continue  # for C code: see test_library_in_worker
        if isinstance(item, types.SimpleNamespace):
            found += [(f"{name}.{key}", entry) for key, entry in vars(item).items()]
        else:
            found.append((name, item))
    return found


def test_no_module_leaks() -> None:
    assert not [name for name, item in _objects() if isinstance(item, types.ModuleType)]


def test_every_object_is_documented_under_its_name() -> None:
    entries = {entry.name: entry for entry in library.entries()}
    assert len(entries) == len(library.entries())
    assert {name for name, _ in _objects()} - {"Decimal"} == set(entries)
    for entry in entries.values():
        assert entry.doc.endswith((".", "?"))
        assert entry.signature.startswith(entry.name)


DANGEROUS = """
eval exec compile open __import__ getattr setattr delattr hasattr vars dir globals locals type
object super input breakpoint memoryview classmethod property print id iter next format help
BaseException SystemExit KeyboardInterrupt GeneratorExit callable
"""


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_dangerous_builtins_are_missing(name: str) -> None:
    assert name == "__import__" or name not in library.environment()["__builtins__"]
    assert name not in library.builtin_names()


def test_environments_share_nothing_that_can_change() -> None:
    one, two = library.environment(), library.environment()
    assert one is not two
    assert one["__builtins__"] is not two["__builtins__"]
    assert one["__builtins__"]["re"] is not two["__builtins__"]["re"]


def test_each_language_has_its_checker() -> None:
    elixir = Function("f", FunctionKind.FILTER, Language.ELIXIR, "def filter(a, r, c, m), do: true")
    (found,) = reading.check(elixir)
    assert (found.code, found.severity) == ("arguments", "error")


@pytest.mark.parametrize("kind", [FunctionKind.PATH, FunctionKind.ENRICHMENT])
def test_kinds_without_an_entry_point_have_nothing_to_check(kind: FunctionKind) -> None:
    assert reading.check(Function("f", kind, Language.PYTHON, "not ( python")) == []
