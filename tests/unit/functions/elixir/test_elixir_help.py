"""The editor's help names exactly the functions that are evaluated."""

from __future__ import annotations

from routestudio.derive.library import elixir_functions
from routestudio.functions.elixir import (
    catalogue,
    names,
    program,  # noqa: F401 - fills the table of functions
)
from routestudio.functions.elixir.help import FORMS, entries, entry
from routestudio.functions.elixir.registry import FUNCTIONS

INLINE = {"is_binary", "is_nil", "not", "to_string"}
"""Compiled in place, so that they are not in the table."""


def written(module: str, name: str) -> str:
    return name if module == "Kernel" else f"{module}.{name}"


def test_every_evaluated_function_has_help_and_no_other() -> None:
    evaluated = {
        written(module, name) for module, name, _ in FUNCTIONS
        if module in names.MODULES or name in names.KERNEL or name == "inspect"
    }  # fmt: skip
    named = {item.name for item in entries()} - {form.name for form in FORMS}
    assert named - INLINE == evaluated - INLINE
    assert {name for name in named if "." not in name} <= {*names.KERNEL, "inspect"}


def test_help_has_arguments_and_a_sentence() -> None:
    for item in entries():
        assert item.doc.endswith("."), item
        assert item.doc[0].isupper() or item.doc[0] in "`:1" or item.doc[0].isdigit(), item
        assert item.signature.startswith(item.name.split(".")[0]), item
    assert entry("Map.get") is not None
    assert entry("Map.get").signature == "Map.get(map, key, [default])"  # type: ignore[union-attr]
    assert entry("Map.nope") is None


def test_the_arguments_fit_the_arities() -> None:
    several = {"NaiveDateTime.new", "NaiveDateTime.new!", "Decimal.new"}
    for item in entries():
        if item in FORMS or item.name in several:
            continue
        module, _, name = item.name.rpartition(".")
        given = item.signature[len(item.name) + 1 : -1]
        parts = given.split(", ") if given else []
        least = sum(not part.startswith("[") for part in parts)
        counts = {
            count for count in range(least, len(parts) + 1)
            if catalogue.exists(module or "Kernel", name, count) or item.name in INLINE
            or (module or "Kernel", name, count) in FUNCTIONS
        }  # fmt: skip
        assert {least, len(parts)} <= counts, item


def test_the_editor_offers_what_a_server_accepts() -> None:
    offered = {item.name for item in elixir_functions()}
    assert {"Map.get", "Enum.map", "to_string", "match?", "Decimal.to_integer"} <= offered
    assert offered.isdisjoint({"apply", "spawn", "String.to_atom", "case", "inspect/1", "throw"})
