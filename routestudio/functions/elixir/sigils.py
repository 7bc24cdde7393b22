"""Sigils: `~w`, `~r`, `~D` and the others as values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.errors import ElixirError, NotEvaluated
from routestudio.functions.elixir.quoted import Node
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.unit import CompileFault, Unit
from routestudio.functions.elixir.values import Atom, atom

Interpolation = Callable[[list[Any], pyast.Place], ast.expr]
"""Makes one text of its parts."""


def sigil(unit: Unit, interpolation: Interpolation, node: Node) -> ast.expr:
    """The value of a sigil. Raises `CompileFault` for text that is not a date, expression ..."""
    name = str(node.name).removeprefix("sigil_")
    content, modifiers = node.args or []
    options = "".join(map(chr, modifiers))
    parts = content.args
    place = node.place
    if len(parts) == 1 and type(parts[0]) is str:
        try:
            return unit.constant(value(name, parts[0], options), place)
        except ElixirError as error:
            raise CompileFault(diagnostic("compile", str(error), node)) from None
        except NotEvaluated as error:
            raise CompileFault(diagnostic("not_evaluated", str(error), node)) from None
    text = interpolation(parts, place)
    if name == "s":
        return text
    unit.names["sigil_value"] = value
    arguments = [pyast.const(name, place), text, pyast.const(options, place)]
    return pyast.call("sigil_value", arguments, place)


def value(name: str, text: str, options: str) -> Any:
    """The value of a sigil with this text and these modifiers."""
    match name:
        case "s" | "S":
            return text
        case "c" | "C":
            return [ord(char) for char in text]
        case "w":
            words = FUNCTIONS["String", "split", 1](text)
            if options in ("", "s"):
                return words
            if options == "a":
                return [atom(word) for word in words]
            if options == "c":
                return [[ord(char) for char in word] for word in words]
            raise ElixirError("ArgumentError", "modifier must be one of: s, a, c")
        case "r" | "R":
            return FUNCTIONS["Regex", "compile!", 2](text, options)
    kinds = {"D": "Date", "T": "Time", "N": "NaiveDateTime", "U": "DateTime"}
    module = kinds[name]
    found = FUNCTIONS[module, "from_iso8601", 1](text)
    reason = found[1].name if type(found) is tuple and type(found[1]) is Atom else "invalid_format"
    if type(found) is tuple and found[0] is atom("ok"):
        if found[2:] in ((), (0,)):
            return found[1]
        reason = "non_utc_offset"
    raise ElixirError(
        "ArgumentError", f'cannot parse "{text}" as {module} for sigil_{name}, reason: :{reason}'
    )
