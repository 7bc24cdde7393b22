"""`inspect`: values as Elixir 1.19 writes them in error texts and in `&inspect/1`."""

from __future__ import annotations

import re
from types import FunctionType
from typing import Any, Final

from routestudio.functions.elixir.ops import sorted_items
from routestudio.functions.elixir.values import (
    Atom,
    Cons,
    Reference,
    Struct,
    atom_name,
    bytes_of,
    is_utf8,
)

_WIDTH: Final = 80
_LIMIT: Final = 50
_PLAIN_ATOM: Final = re.compile(r"[^\W\d][\w@]*[?!]?\Z")
_ALIAS: Final = re.compile(r"Elixir(\.[A-Z]\w*)+\Z", re.ASCII)
_OPERATOR_ATOMS: Final = frozenset(
    [
        "===",
        "!==",
        "==",
        "!=",
        "=~",
        "=",
        "<<<",
        "<<>>",
        "<=",
        "<-",
        "<>",
        "<~",
        "<",
        ">>>",
        ">=",
        ">",
        "~>>",
        "~>",
        "~~~",
        "|||",
        "||",
        "|>",
        "|",
        "&&&",
        "&&",
        "&",
        "^^^",
        "^",
        "+++",
        "++",
        "+",
        "---",
        "--",
        "->",
        "-",
        "**",
        "*",
        "//",
        "/",
        "...",
        "..//",
        "..",
        ".",
        "!",
        "@",
        "\\\\",
        "%{}",
        "%",
        "{}",
    ]
)
_ESCAPES: Final = {
    "\x07": "\\a", "\b": "\\b", "\x7f": "\\d", "\x1b": "\\e", "\f": "\\f", "\n": "\\n",
    "\r": "\\r", "\t": "\\t", "\v": "\\v", "\0": "\\0", "\\": "\\\\",
}  # fmt: skip

Doc = str | tuple[str, list["Doc"], str]
"""A text, or something between brackets that may be written on several lines."""


def float_text(value: float) -> str:
    """A float as `to_string` writes it: the shorter of both notations, plain ones on a tie."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    power = int(exponent or 0) + len(whole)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if not digits:
        return sign + "0.0"
    scientific = f"{digits[0]}.{digits[1:] or '0'}e{power - 1}"
    if power <= 0:
        plain = "0." + "0" * -power + digits
    elif power >= len(digits):
        plain = digits + "0" * (power - len(digits)) + ".0"
    else:
        plain = digits[:power] + "." + digits[power:]
    if abs(value) >= 2.0**53 or len(scientific) < len(plain):
        return sign + scientific
    return sign + plain


def inspect(value: Any) -> str:
    """The text of a value."""
    return _render(_doc(value), 0, _WIDTH)


def _render(doc: Doc, indent: int, width: int) -> str:
    if isinstance(doc, str):
        return doc
    flat = _flat(doc)
    if len(flat) <= width:
        return flat
    opening, items, closing = doc
    inner = indent + 2
    lines: list[str] = []
    for index, item in enumerate(items):
        comma = "," if index + 1 < len(items) else ""
        lines.append(" " * inner + _render(item, inner, _WIDTH - inner - len(comma)) + comma)
    return opening + "\n" + "\n".join(lines) + "\n" + " " * indent + closing


def _flat(doc: Doc) -> str:
    if isinstance(doc, str):
        return doc
    opening, items, closing = doc
    return opening + ", ".join(map(_flat, items)) + closing


def _doc(value: Any) -> Doc:
    kind = type(value)
    if kind is str:
        return inspect_text(value)
    if kind is Atom or value is None or kind is bool:
        return inspect_atom(atom_name(value) or "")
    if kind is int:
        return str(value)
    if kind is float:
        if 1.0 <= abs(value) < 1.0e16 and value == int(value):
            return f"{int(value)}.0"
        return float_text(value)
    if kind is list:
        return _list(value)
    if kind is tuple:
        return "{", _limited([_doc(item) for item in value[: _LIMIT + 1]]), "}"
    if kind is dict:
        return "%{", _entries(value), "}"
    if kind is FunctionType:
        return f"#Function<0.0/{value.__code__.co_argcount}>"
    if kind is Cons:
        tail = _flat(_doc(value.tail))
        return "[" + ", ".join(_flat(_doc(item)) for item in value.items) + " | " + tail + "]"
    if kind is Reference:
        return str(value.text)
    return _struct(value)


def _limited(docs: list[Doc]) -> list[Doc]:
    return docs if len(docs) <= _LIMIT else [*docs[:_LIMIT], "..."]


def _list(value: list[Any]) -> Doc:
    if value and all(type(item) is int for item in value) and printable_codes(value):
        return '~c"' + _escaped("".join(map(chr, value))) + '"'
    if value and is_keyword(value):
        return "[", _limited([_pair(k, v) for k, v in value[: _LIMIT + 1]]), "]"
    return "[", _limited([_doc(item) for item in value[: _LIMIT + 1]]), "]"


def is_keyword(value: Any) -> bool:
    """Whether a list holds pairs with atoms as keys only (and is not empty)."""
    return all(
        type(item) is tuple
        and len(item) == 2
        and type(item[0]) in (Atom, bool, type(None))
        and not (atom_name(item[0]) or "").startswith("Elixir.")
        for item in value
    )


def printable_codes(value: list[int]) -> bool:
    """Whether code points are ASCII text, which `inspect` shows as a charlist."""
    return all(32 <= code <= 126 or 7 <= code <= 13 or code == 27 for code in value)


def _pair(key: Any, value: Any) -> Doc:
    return _joined(f"{_key(atom_name(key) or '')}: ", _doc(value))


def _joined(prefix: str, doc: Doc) -> Doc:
    if isinstance(doc, str):
        return prefix + doc
    return prefix + doc[0], doc[1], doc[2]


def _entries(data: dict[Any, Any]) -> list[Doc]:
    items = sorted_items(data)
    atoms = all(type(k) in (Atom, bool, type(None)) for k, _ in items)
    if items and atoms and not any((atom_name(k) or "").startswith("Elixir.") for k, _ in items):
        return _limited([_pair(k, v) for k, v in items[: _LIMIT + 1]])
    return _limited([_joined(_flat(_doc(k)) + " => ", _doc(v)) for k, v in items[: _LIMIT + 1]])


def _struct(value: Any) -> Doc:
    shown = getattr(value, "inspected", None)
    if shown is not None:
        return str(shown())
    if isinstance(value, Struct):
        return f"%{value.module}{{", _entries(value.fields()), "}"
    return f"#{type(value).__name__}<>"


def _key(name: str) -> str:
    if _PLAIN_ATOM.match(name) or name in _OPERATOR_ATOMS:
        return name
    return '"' + _escaped(name) + '"'


def inspect_atom(name: str) -> str:
    """An atom: `:name`, `nil`, `true`, `String`, `:"quoted name"`."""
    if name in ("nil", "true", "false"):
        return name
    if _ALIAS.match(name):
        return name[len("Elixir.") :]
    return ":" + _key(name)


def inspect_text(text: str) -> str:
    """A binary: quoted when it is printable text, its bytes otherwise."""
    if printable(text):
        return '"' + _escaped(text) + '"'
    data = bytes_of(text)
    shown = [str(byte) for byte in data[:_LIMIT]]
    return "<<" + ", ".join(shown) + (", ..." if len(data) > _LIMIT else "") + ">>"


def printable(text: str) -> bool:
    """Whether all characters can be shown, as `String.printable?` decides."""
    if not is_utf8(text):
        return False
    return (text.isascii() and text.isprintable()) or all(
        " " <= c <= "~"
        or c in "\n\r\t\v\b\f\x1b\x7f\x07"
        or (c >= "\xa0" and c not in "\ufffe\uffff")
        for c in text
    )


def _escaped(text: str) -> str:
    text = "".join(_ESCAPES.get(char, char) for char in text)
    return text.replace('"', '\\"').replace("#{", "\\#{")


def type_name(value: Any) -> str:
    """The name that protocols have for a value's type."""
    kind = type(value)
    if kind is str:
        return "BitString"
    if kind is Atom or value is None or kind is bool:
        return "Atom"
    names = {int: "Integer", float: "Float", list: "List", Cons: "List", tuple: "Tuple",
             dict: "Map", FunctionType: "Function", Reference: "Reference"}  # fmt: skip
    if kind in names:
        return names[kind]
    return f"{value.module} (a struct)" if isinstance(value, Struct) else kind.__name__
