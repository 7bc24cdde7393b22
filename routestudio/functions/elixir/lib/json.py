"""JSON, as Elixir's own module writes and reads it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, clause
from routestudio.functions.elixir.inspecting import float_text
from routestudio.functions.elixir.lib.common import limited
from routestudio.functions.elixir.ops import sorted_items
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.runtime import to_text
from routestudio.functions.elixir.structs import Date, Decimal, NaiveDateTime, Time
from routestudio.functions.elixir.value_errors import protocol
from routestudio.functions.elixir.values import ERROR, OK, Atom, atom, bytes_of, is_utf8

_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b",
                 "\f": "\\f"}  # fmt: skip


def quoted(text: str) -> str:
    """A JSON string. Raises for a binary that is not UTF-8."""
    if not is_utf8(text):
        data = bytes_of(text)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            bad = data[error.start]
            raise ElixirError("ErlangError", f"Erlang error: {{:invalid_byte, {bad}}}") from None
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04X}", text) + '"'


def encoded(value: Any) -> str:
    """The JSON text of a value. Raises `Protocol.UndefinedError` for what has none."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return float_text(value)
    if kind is Atom:
        return quoted(value.name)
    if kind is list:
        return "[" + ",".join(map(encoded, value)) + "]"
    if kind is dict:
        return "{" + ",".join(f"{_key(k)}:{encoded(v)}" for k, v in sorted_items(value)) + "}"
    if isinstance(value, NaiveDateTime):
        return quoted(value.text("T"))
    if isinstance(value, (Date, Time, Decimal)):
        return quoted(value.text())
    raise protocol("JSON.Encoder", value)


def _key(key: Any) -> str:
    if type(key) is str:
        return quoted(key)
    return quoted(key.name if type(key) is Atom else "nil" if key is None else to_text(key))


@elixir("JSON.encode!(value)", "The value as JSON text.")
def encode(value: Any) -> str:
    return encoded(value)


class _Bad(ValueError):  # noqa: N818 - a verdict
    """Not JSON: the byte and its offset; `None` at the end of the text."""

    def __init__(self, offset: int, byte: int | None) -> None:
        super().__init__()
        self.offset = offset
        self.byte = byte


_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_STRING: Final = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*)"')
_WORDS: Final = {"true": True, "false": False, "null": None}


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def bad(self, at: int) -> _Bad:
        rest = bytes_of(self._text[at:])
        return _Bad(len(bytes_of(self._text[:at])), rest[0] if rest else None)

    def space(self, at: int) -> int:
        return _SPACE.match(self._text, at).end()  # type: ignore[union-attr]

    def value(self, at: int, depth: int = 0) -> tuple[Any, int]:
        text = self._text
        at = self.space(at)
        if depth > 500:
            limited(10**9)
        char = text[at : at + 1]
        if char == '"':
            return self.string(at)
        if char == "{":
            return self.object(at, depth)
        if char == "[":
            return self.array(at, depth)
        if found := _NUMBER.match(text, at):
            if found[1] or found[2]:
                number = float(found[0])
                if number in (float("inf"), float("-inf")):
                    raise self.bad(at)
                return number, found.end()
            return int(found[0]), found.end()
        for word, meaning in _WORDS.items():
            if text.startswith(word, at):
                return meaning, at + len(word)
            shared = 0
            while shared < len(word) and text[at : at + shared + 1] == word[: shared + 1]:
                shared += 1
            if shared:
                raise self.bad(at + shared)
        raise self.bad(at)

    def string(self, at: int) -> tuple[str, int]:
        found = _STRING.match(self._text, at)
        if found is None:
            raise self.bad(self._string_fault(at + 1))
        if "\\" not in found[1]:
            return found[1], found.end()
        try:
            decoded = json.loads(found[0])
            decoded.encode()
        except ValueError:
            raise self.bad(at) from None
        return decoded, found.end()

    def _string_fault(self, at: int) -> int:
        text = self._text
        while at < len(text) and text[at] >= " " and text[at] != '"':
            if text[at] == "\\":
                if text[at + 1 : at + 2] not in tuple('"\\/bfnrtu'):
                    return at + 1
                at += 1
            at += 1
        return at

    def array(self, at: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self.space(at + 1)
        if self._text.startswith("]", at):
            return found, at + 1
        while True:
            value, at = self.value(at, depth + 1)
            found.append(value)
            at = self.space(at)
            if self._text.startswith("]", at):
                return found, at + 1
            if not self._text.startswith(",", at):
                raise self.bad(at)
            at += 1

    def object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self.space(at + 1)
        if self._text.startswith("}", at):
            return found, at + 1
        while True:
            at = self.space(at)
            if not self._text.startswith('"', at):
                raise self.bad(at)
            key, at = self.string(at)
            at = self.space(at)
            if not self._text.startswith(":", at):
                raise self.bad(at)
            value, at = self.value(at + 1, depth + 1)
            found.setdefault(key, value)  # the first of equal keys stays
            at = self.space(at)
            if self._text.startswith("}", at):
                return found, at + 1
            if not self._text.startswith(",", at):
                raise self.bad(at)
            at += 1


def _decoded(text: str) -> Any:
    reader = _Reader(text)
    value, at = reader.value(0)
    at = reader.space(at)
    if at < len(text):
        raise reader.bad(at)
    return value


@elixir("JSON.decode!(text)", "The value of JSON text; raises for any other text.")
def decode_b(text: Any) -> Any:
    if type(text) is not str:
        raise clause("JSON.decode!/1")
    try:
        return _decoded(text)
    except _Bad as bad:
        if bad.byte is None:
            message = f"unexpected end of JSON binary at position (byte offset) {bad.offset}"
        else:
            message = f"invalid byte {bad.byte} at position (byte offset) {bad.offset}"
        raise ElixirError("JSON.DecodeError", message) from None


@elixir("JSON.decode(text)", "`{:ok, value}`, or an error.")
def decode(text: Any) -> Any:
    if type(text) is not str:
        raise clause("JSON.decode/1")
    try:
        return OK, _decoded(text)
    except _Bad as bad:
        if bad.byte is None:
            return ERROR, (atom("unexpected_end"), bad.offset)
        return ERROR, (atom("invalid_byte"), bad.offset, bad.byte)


unevaluated(
    "JSON",
    "decode/3 encode!/2 encode_to_iodata!/1,2 protocol_encode/2",
)
