"""The implementations of Elixir's functions give the editor's help and everything else."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from routestudio.derive.library import elixir_functions
from routestudio.functions.elixir import catalogue, lib, names, registry
from routestudio.functions.elixir.help import entries, entry
from routestudio.functions.elixir.registry import FACTS, FUNCTIONS, UNEVALUATED, elixir, further

INLINE = {"is_binary", "is_nil", "not", "to_string"}
"""Compiled in place, so that they are not in the table."""

PLAIN = {"==", "!=", "===", "!==", "<", ">", "<=", ">=", "+", "-", "*", "/", "++", "pop_path"}
"""What only the compiler calls: operators, and a form of `pop_in`."""


def test_everything_that_is_evaluated_is_described() -> None:
    evaluated = {(module, name) for module, name, _ in FUNCTIONS if module in names.MODULES}
    assert evaluated == {key for key in FACTS if key[0] != "Kernel"}
    kernel = {name for module, name, _ in FUNCTIONS if module == "Kernel"} - PLAIN
    assert kernel | INLINE == {name for module, name in FACTS if module == "Kernel"}
    assert kernel | INLINE <= {*names.KERNEL, "inspect"}


def test_nothing_is_both_evaluated_and_not() -> None:
    assert set(FUNCTIONS).isdisjoint(UNEVALUATED)


def test_a_function_cannot_be_entered_twice() -> None:
    with pytest.raises(ValueError, match="described twice"):
        elixir("Map.get(map, key)", "The value.")
    with pytest.raises(ValueError, match="defined twice"):
        further("Map.get", 2)(lambda map_, key: None)


def test_a_module_of_elixir_is_a_module_here() -> None:
    """`DateTime` is in `date_time`, and nothing else is."""
    for info in pkgutil.iter_modules(lib.__path__):
        if info.name == "common":
            continue
        module = importlib.import_module(f"{lib.__name__}.{info.name}")
        assert module.__file__ is not None
        text = Path(module.__file__).read_text(encoding="utf-8")
        owners = set(re.findall(r"^@?(?:elixir|further|inline)\(\s*f?\"(\w+)\.", text, re.M))
        owners |= set(re.findall(r"^unevaluated\(\s*\"(\w+)\"", text, re.M))
        assert {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", owner).lower() for owner in owners} == {
            info.name
        }


def test_help_has_arguments_and_a_sentence() -> None:
    for item in entries():
        assert item.doc.endswith("."), item
        assert item.doc[0].isupper() or item.doc[0] in "`:1" or item.doc[0].isdigit(), item
        assert item.signature.startswith(item.name.split(".")[0]), item
    assert entry("Map.get") is not None
    assert entry("Map.get").signature == "Map.get(map, key, [default])"
    assert entry("Map.nope") is None


def test_the_arguments_fit_the_arities() -> None:
    several = {"NaiveDateTime.new", "NaiveDateTime.new!", "Decimal.new"}
    for fact in FACTS.values():
        if fact.written in several or fact.written in INLINE:
            continue
        parts = fact.arguments.split(", ") if fact.arguments else []
        least = sum(not part.startswith("[") for part in parts)
        for count in (least, len(parts)):
            assert catalogue.exists(fact.module, fact.name, count), fact


def test_what_is_not_evaluated_is_told_from_what_does_not_exist() -> None:
    assert catalogue.exists("String", "rjust", 2)
    assert ("String", "rjust", 2) not in FUNCTIONS
    assert not catalogue.exists("String", "rjust", 4)
    assert catalogue.similar("String", "rjust", 4) == "String.rjust takes 2 or 3 arguments"
    assert catalogue.similar("String", "upcas", 1) == "did you mean `String.upcase`?"


@pytest.mark.parametrize(
    ("name", "varies"),
    [
        ("DateTime.utc_now", registry.Varies.CLOCK),
        ("DateTime.now!", registry.Varies.CLOCK),
        ("NaiveDateTime.local_now", registry.Varies.CLOCK),
        ("Enum.random", registry.Varies.CHANCE),
        ("Kernel.make_ref", registry.Varies.CHANCE),
        ("Map.get", None),
        ("Map.nope", None),
    ],
)
def test_what_a_result_depends_on(name: str, varies: registry.Varies | None) -> None:
    module, _, function = name.partition(".")
    assert registry.varies(module, function) is varies


def test_the_editor_offers_what_a_server_accepts() -> None:
    offered = {item.name for item in elixir_functions()}
    assert {"Map.get", "Enum.map", "to_string", "match?", "Decimal.to_integer"} <= offered
    assert offered.isdisjoint({"apply", "spawn", "String.to_atom", "case", "inspect/1", "throw"})
