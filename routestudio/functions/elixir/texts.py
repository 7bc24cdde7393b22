"""Strings, charlists, quoted atoms and sigils in quoted form."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.escapes import unescape, unescape_regex
from routestudio.functions.elixir.lexer import Sigil, Token
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.reading import Expressions, Reader
from routestudio.functions.elixir.values import atom, module_atom


class Texts:
    """The part of the parser that knows texts."""

    def __init__(self, reader: Reader, values: Expressions) -> None:
        self.reader = reader
        self.values = values

    def text(self, parts: list[Any], token: Token) -> Any:
        """A text of these parts; a binary where values are among them."""
        if all(isinstance(part, str) for part in parts):
            return "".join(parts)
        return Node("<<>>", [self._part(part, token) for part in parts], token.place, token.end)

    def _part(self, part: Any, token: Token) -> Any:
        if isinstance(part, str):
            return part
        value = self.values.inner(part, self.reader.depth)
        place = part[0].place
        end = part[-1].end
        access = Node(".", [module_atom("Kernel"), atom("to_string")], place)
        call = Node(access, [value], place, end, frozenset(["interpolation"]))
        return Node("::", [call, Node("binary", None, place)], place, end)

    def charlist(self, token: Token) -> Any:
        """A list of code points."""
        text = self.text(token.value, token)
        if isinstance(text, str):
            return [ord(char) for char in text]
        access = Node(".", [module_atom("List"), atom("to_charlist")], token.place)
        parts = [p.args[0] if is_node(p, "::", 2) else p for p in text.args]
        return Node(access, [parts], token.place, token.end, frozenset(["interpolation"]))

    def quoted_atom(self, token: Token) -> Any:
        """An atom in quotation marks."""
        text = self.text(token.value, token)
        if isinstance(text, str):
            return atom(text)
        access = Node(".", [atom("erlang"), atom("binary_to_atom")], token.place)
        return Node(access, [text, atom("utf8")], token.place, token.end)

    def sigil(self, token: Token) -> Any:
        """A sigil with its parts and modifiers."""
        sigil: Sigil = token.value
        parts = sigil.parts
        if sigil.name == "r":
            parts = [unescape_regex(p) if isinstance(p, str) else p for p in parts]
        elif sigil.name[0].islower():
            parts = [unescape(p, token.place) if isinstance(p, str) else p for p in parts]
        pieces = [self._part(part, token) for part in parts] or [""]
        content = Node("<<>>", pieces, token.place, token.end)
        modifiers = [ord(char) for char in sigil.modifiers]
        return Node(f"sigil_{sigil.name}", [content, modifiers], token.place, token.end)
