"""What to write instead of what a server refuses.

docs/reference/elixir.md#refused-and-what-to-write-instead
"""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.quoted import Node

MAP_UPDATE: Final = "write `Map.put(map, key, value)` or `Map.merge(map, %{...})`"
CLOSURE: Final = "write `name = fn x -> ... end` and call it as `name.(x)`"
DOT: Final = (
    "a dot stands after `metadata` and its fields only: write `Map.get(value, :year)`, or bind "
    "the value and match `%{year: y} = value`"
)

_RANGE: Final = "there are no ranges: write `String.slice(text, 0, 4)`, `Enum.slice(list, 1, 3)`"
_INSTEAD: Final[dict[str, str]] = {
    "!": "write `not x` (booleans only), `is_nil(x)`, `x == nil` or `x == false`",
    "=~": "write `String.match?(text, ~r/.../)` or `String.contains?(text, part)`",
    "--": "write `Enum.reject(a, fn x -> x in b end)`",
    "**": "write `Integer.pow(base, exponent)`, or multiply",
    "..": _RANGE,
    "..//": _RANGE,
    "^": "compare in a guard: `value when value == wanted -> ...`",
    "%": "match `%{year: y}` without the struct's name, or left of `=` only",
    "@": "use a variable",
    "unless": "write `if not condition do`",
    "for": "write `Enum.map(list, fn x -> ... end)` or `Map.new(map, fn {k, v} -> {k, v} end)`",
    "case": "write `case value do`; piping into `case` is not allowed",
    "if": "write `if condition do`; piping into `if` is not allowed",
    "try": "errors cannot be caught; test the value before, or use `Integer.parse` and the like",
    "raise": "return a value",
    "throw": "return a value",
    "inspect": "write `to_string(x)`, or `JSON.encode!(x)` for maps and lists",
    "then": "bind the value to a name first",
    "tap": "bind the value to a name first",
    "dbg": "return the value; the preview shows it",
    "import": "write the module's name before the function",
    "alias": "write the module's name before the function",
    "require": "nothing needs to be required",
    "to_charlist": "use strings",
    "size": "write `binary_part(text, 0, 3)` or `String.slice(text, 0, 3)`",
    "sigil_W": "write `~w(...)`",
    "sigil_C": "write `~c(...)`",
    "Elixir.Float.round": "write `round(x * 100) / 100`",
    "Elixir.Float.to_string": "write `to_string(x)`",
    "Elixir.Float.parse": "write `String.to_float(text)`",
    "Elixir.Calendar.strftime": "cut the text of `DateTime.to_iso8601(t)` with `String.slice`",
    "Elixir.Jason.encode!": "write `JSON.encode!(x)`",
    "Elixir.Jason.decode!": "write `JSON.decode!(text)`",
    "Elixir.Jason.encode": "write `JSON.encode!(x)`",
    "Elixir.Jason.decode": "write `JSON.decode(text)`",
    "Elixir.IO.inspect": "return the value; the preview shows it",
    "Elixir.IO.puts": "return the value; the preview shows it",
    "Elixir.Keyword.get": "write `list[:key]`",
    "Elixir.Atom.to_string": "write `to_string(atom)`",
    "Elixir.String.to_atom": "strings are fine as keys and values",
    "Elixir.String.to_existing_atom": "strings are fine as keys and values",
    "Elixir.Tuple.to_list": "match the tuple: `{a, b} = tuple`",
    "erlang.binary_to_atom": "use a string as the key",
}


def instead(name: str) -> str | None:
    """What to write instead of a forbidden function, by the name in the server's message."""
    found = _INSTEAD.get(name)
    if found is None and "." in name and not name.startswith("Elixir.") and name[0] != "_":
        owner, _, field = name.rpartition(".")
        if owner[:1].islower() or owner == "&":
            who = "&1" if owner == "&" else owner
            return f'write `{who}["{field}"]`, or `Map.get({who}, :{field})` for a date\'s part'
    return found


def pattern(node: Any) -> str | None:
    """How to write a pattern that is not understood left of `=` and `<-`."""
    if type(node) is not Node:
        return None
    if node.name == "<>":
        return 'write `String.replace_prefix(text, prefix, "")`, or match in `case`'
    if node.name == "-":
        return "compare with `==`"
    return "match in `case` instead"
