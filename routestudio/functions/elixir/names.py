"""The names that a Sequin server lets functions use (docs/reference/elixir.md#accepted-sources)."""

from __future__ import annotations

from typing import Final

PARAMETERS: Final = ("action", "record", "changes", "metadata")
ENTRY_POINTS: Final = frozenset(["transform", "route", "filter"])

FUNCTIONS: Final = frozenset(
    [
        "abs",
        "binary_part",
        "bit_size",
        "byte_size",
        "ceil",
        "div",
        "elem",
        "floor",
        "get_and_update_in",
        "get_in",
        "hd",
        "length",
        "make_ref",
        "map_size",
        "max",
        "min",
        "not",
        "pop_in",
        "put_elem",
        "put_in",
        "rem",
        "round",
        "self",
        "tl",
        "trunc",
        "tuple_size",
        "update_in",
        "to_string",
    ]
)
GUARDS: Final = frozenset(
    [
        "is_integer",
        "is_binary",
        "is_bitstring",
        "is_atom",
        "is_boolean",
        "is_float",
        "is_number",
        "is_list",
        "is_map",
        "is_map_key",
        "is_nil",
        "is_reference",
        "is_tuple",
        "is_exception",
        "is_struct",
        "is_function",
    ]
)
KERNEL: Final = FUNCTIONS | GUARDS
VALUE_OPERATORS: Final = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "==",
        "!=",
        "===",
        "!==",
        ">",
        ">=",
        "<",
        "<=",
        "&&",
        "||",
        "and",
        "or",
        "not",
        "in",
        "<>",
        "++",
    ]
)
"""Operators that make a value of their operands, so that they can be captured."""

OPERATORS: Final = VALUE_OPERATORS | frozenset(
    [
        "|>",
        "|",
        ".",
        "::",
        "<<>>",
        "{}",
        "__block__",
        "fn",
        "->",
        "when",
        "&",
    ]
)
SIGILS: Final = frozenset(f"sigil_{name}" for name in "CDNRSTUcrsw")
MODULES: Final = frozenset(
    [
        "Map",
        "Enum",
        "Date",
        "DateTime",
        "NaiveDateTime",
        "Decimal",
        "URI",
        "Base",
        "UUID",
        "JSON",
        "Integer",
        "Regex",
        "List",
        "String",
    ]
)
FREE: Final = frozenset(["action", "changes", "metadata"])
"""Arguments whose fields may be read with dots."""

NOT_STRING: Final = frozenset(["to_atom", "to_existing_atom"])
SPECIAL: Final = frozenset(
    ["__MODULE__", "__ENV__", "__DIR__", "__CALLER__", "__STACKTRACE__", "_"]
)
"""Names that are not variables."""

GUARD_CALLS: Final = GUARDS | frozenset(
    [
        "abs",
        "binary_part",
        "bit_size",
        "byte_size",
        "ceil",
        "div",
        "elem",
        "floor",
        "hd",
        "length",
        "map_size",
        "node",
        "rem",
        "round",
        "self",
        "tl",
        "trunc",
        "tuple_size",
    ]
)
GUARD_OPERATORS: Final = frozenset(
    ["+", "-", "*", "/", "==", "!=", "===", "!==", ">", ">=", "<", "<=", "and", "or", "not", "in"]
)
"""What may stand in a guard, as Elixir itself decides."""
