"""Elixir's tokens, as its own tokenizer makes them: newlines and spaces get their meaning here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from routestudio.functions.elixir.escapes import SourceError, dedent, unescape
from routestudio.functions.elixir.numbers import code_point, number
from routestudio.functions.elixir.values import atom


@dataclass(slots=True)
class Token:
    """`kind` is the token's class or its own text; `space`: white space stands before it."""

    kind: str
    value: Any
    line: int
    column: int
    end: tuple[int, int]
    space: bool
    newlines: bool = False

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.column


@dataclass(slots=True)
class Sigil:
    """A sigil's name, its parts (raw text, or tokens of an interpolation) and modifiers."""

    name: str
    parts: list[Any]
    modifiers: str
    heredoc: bool


_WORD_OPERATORS: Final = frozenset(["and", "or", "in", "when", "not"])
WORDS: Final = frozenset(
    ["do", "end", "fn", "true", "false", "nil", "and", "or", "not", "in", "when",
     "else", "rescue", "after", "catch"]
)  # fmt: skip
BLOCKS: Final = frozenset(["else", "rescue", "after", "catch"])

_OPERATORS: Final = sorted(
    ["===", "!==", "==", "!=", "=~", "=>", "=", "<<<", "<<~", "<~>", "<|>", "<=", "<-", "<>", "<~",
     "<<", "<", ">>>", ">>", ">=", ">", "~>>", "~>", "~~~", "|||", "||", "|>", "|", "&&&", "&&",
     "&", "^^^", "^", "+++", "++", "+", "---", "--", "->", "-", "**", "*", "//", "/", "...", "..",
     ".", "!", "@", "::", "\\\\", "%", "(", ")", "[", "]", "{", "}", ",", ";"],
    key=len, reverse=True,
)  # fmt: skip
_UNARY: Final = frozenset(["!", "^", "~~~", "not", "&", "@", "%", "...", "("])
# A line that begins with one of these goes on with the line before.
_CONTINUES: Final = frozenset(
    ["===", "!==", "==", "!=", "=~", "=>", "=", "<<<", "<<~", "<~>", "<|>", "<=", "<-", "<>", "<~",
     "<", ">>>", ">=", ">", "~>>", "~>", "|||", "||", "|>", "|", "&&&", "&&", "^^^", "+++", "++",
     "---", "--", "->", "**", "*", "//", "/", "..", "::", "\\\\", "and", "or", "in", "not in",
     "when", ".", ")", "]", "}", ">>"]
)  # fmt: skip
_ATOM_OPERATORS: Final = sorted(
    ["===", "!==", "==", "!=", "=~", "=", "<<<", "<<>>", "<=", "<-", "<>", "<~", "<", ">>>", ">=",
     ">", "~>>", "~>", "~~~", "|||", "||", "|>", "|", "&&&", "&&", "&", "^^^", "^", "+++", "++",
     "+", "---", "--", "->", "-", "**", "*", "//", "/", "...", "..//", "..", ".", "!", "@", "::",
     "\\\\", "%{}", "%", "{}"],
    key=len, reverse=True,
)  # fmt: skip
_SPACE: Final = re.compile(r"(?:[ \t\r]|\\\r?\n|#(?!\{)[^\n]*|#[^\n]*)*")
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}", "<": ">"}


class Lexer:
    """Tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._line = 0

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position in the text."""
        line = self._line
        starts = self._starts
        if position < starts[line]:
            line = 0
        while line + 1 < len(starts) and starts[line + 1] <= position:
            line += 1
        self._line = line
        return line + 1, position - starts[line] + 1

    def tokens(self) -> list[Token]:
        """All tokens, the last of kind `eof`. Raises `SourceError`."""
        tokens, _ = self._run(0, nested=False)
        return tokens

    def _run(self, at: int, *, nested: bool) -> tuple[list[Token], int]:
        text, size = self.text, len(self.text)
        out: list[Token] = []
        depth = 0
        while True:
            start = at
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            space = at > start
            if at >= size:
                if nested:
                    raise SourceError("missing terminator: } of an interpolation", self.place(at))
                place = self.place(size)
                out.append(Token("eof", None, *place, place, space))
                return out, at
            char = text[at]
            if char == "\n":
                at += 1
                if out and out[-1].kind != "eol":
                    out.append(Token("eol", None, *self.place(at - 1), self.place(at - 1), space))
                continue
            if nested and char == "}" and depth == 0:
                place = self.place(at)
                out.append(Token("eof", None, *place, place, space))
                return out, at + 1
            kind, value, end = self._token(at, out, space or bool(out and out[-1].kind == "eol"))
            if kind == "{":
                depth += 1
            elif kind == "}":
                depth -= 1
            newlines = False
            if kind in _CONTINUES and out and out[-1].kind == "eol":
                out.pop()
                newlines = True
            line, column = self.place(at)
            out.append(Token(kind, value, line, column, self.place(end), space, newlines))
            at = end

    def _token(self, at: int, out: list[Token], space: bool) -> tuple[str, Any, int]:
        """Kind, value and end of the token at a position."""
        text = self.text
        char = text[at]
        if char.isdigit() and char.isascii():
            return number(text, at, self.place)
        if char in "\"'":
            return self._quoted(at, out)
        if char == "~" and at + 1 < len(text) and text[at + 1].isascii() and text[at + 1].isalpha():
            return self._sigil(at)
        if char == "?" and at + 1 < len(text):
            return code_point(text, at, self.place)
        if char == ":" and not text.startswith("::", at):
            return self._atom(at)
        if char == "_" or char.isidentifier():
            return self._name(at, out)
        if char == "&" and at + 1 < len(text) and text[at + 1].isdigit():
            found = re.compile("[0-9]+").match(text, at + 1)
            assert found is not None
            return "capture", int(found[0]), found.end()
        if text.startswith("%{", at):
            return "%{}", None, at + 1
        operator = next((o for o in _OPERATORS if text.startswith(o, at)), None)
        if operator is None:
            hint = None
            if char in "“”‘’":
                hint = "write straight quotes"
            raise SourceError(f"unexpected token: {char}", self.place(at), hint)
        after = at + len(operator)
        if operator == ".":
            return ".", None, after
        named = out and out[-1].kind == "&" and re.compile(r"[ ]*/[ ]*\d").match(text, after)
        if named and operator not in _UNARY - {"!", "^", "not"}:
            return "name", operator, after
        follows = text[after : after + 1]
        if (
            follows == ":"
            and text[after + 1 : after + 2] in (" ", "\n", "\t")
            and operator not in ("(", ")", "[", "]", "{", "}", ",", ";", ":", "%", "<<", ">>")
        ):
            return "key", atom(operator), after + 1
        return operator, operator, after

    def _name(self, at: int, out: list[Token]) -> tuple[str, Any, int]:
        text = self.text
        end = at + 1
        while end < len(text) and (text[end] == "_" or ("a" + text[end]).isidentifier()):
            end += 1
        if (end < len(text) and text[end] in "?!" and text[end + 1 : end + 2] != "=") or (
            end < len(text) and text[end] in "?!" and text[end + 1 : end + 3] == "=="
        ):
            end += 1
        if text[end : end + 1] == "@":
            raise SourceError(
                f'invalid character "@" in identifier: {text[at:end]}@', self.place(end)
            )
        word = text[at:end]
        after_dot = bool(out) and out[-1].kind == "." and out[-1].value is None
        if text[end : end + 1] == ":" and text[end + 1 : end + 2] != ":" and not after_dot:
            if text[end + 1 : end + 2] in (" ", "\n", "\t", "\r", ""):
                return "key", atom(word), end + 1
            raise SourceError(
                f"keyword argument must be followed by space after: {word}:",
                self.place(at),
                "write a space after the colon",
            )
        if after_dot and word in WORDS:
            return "name", word, end
        if word == "not":
            found = re.compile(r"[ \t]+in(?![\w?!:])").match(text, end)
            if found and out and out[-1].kind in _OPERAND:
                return "not in", "not in", found.end()
        if word in WORDS:
            captured = bool(out) and out[-1].kind == "&" and word in _WORD_OPERATORS
            if captured and re.compile(r"[ ]*/[ ]*\d").match(text, end):
                return "name", word, end
            return word, word, end
        if word[0].isupper():
            if not word.isascii() or word[-1] in "?!":
                raise SourceError(f"invalid character in alias: {word}", self.place(at))
            return "alias", word, end
        return "name", word, end

    def _atom(self, at: int) -> tuple[str, Any, int]:
        text = self.text
        following = text[at + 1 : at + 2]
        if following and following in "\"'":
            parts, end = self._until(at + 2, following, interpolate=True)
            return "quoted atom", parts, end
        found = re.compile(r"[^\W\d][\w@]*[?!]?").match(text, at + 1)
        if found:
            end = found.end()
            if text[end - 1] in "?!" and text[end : end + 1] == "=":
                end -= 1
            return "atom", atom(text[at + 1 : end]), end
        operator = next((o for o in _ATOM_OPERATORS if text.startswith(o, at + 1)), None)
        if operator is None:
            raise SourceError("unexpected token: :", self.place(at))
        return "atom", atom(operator), at + 1 + len(operator)

    def _quoted(self, at: int, out: list[Token]) -> tuple[str, Any, int]:
        text = self.text
        quote = text[at]
        kind = "string" if quote == '"' else "charlist"
        if text.startswith(quote * 3, at):
            parts, end, width = self._heredoc(at + 3, quote, interpolate=True)
            return kind, self._unescaped(dedent(parts, width), at), end
        parts, end = self._until(at + 1, quote, interpolate=True)
        if out and out[-1].kind == "." and out[-1].value is None and text[end : end + 1] == "(":
            return "name", "".join(p for p in parts if isinstance(p, str)), end
        if text[end : end + 1] == ":" and text[end + 1 : end + 2] in (" ", "\n", "\t", "\r"):
            return "quoted key", parts, end + 1
        return kind, parts, end

    def _sigil(self, at: int) -> tuple[str, Any, int]:
        text = self.text
        found = re.compile(r"~([a-z]|[A-Z][A-Z0-9]*)").match(text, at)
        if found is None:
            raise SourceError("invalid sigil name", self.place(at))
        name, start = found[1], found.end()
        opener = text[start : start + 1]
        raw = name[0].isupper()
        if opener in ('"', "'") and text.startswith(opener * 3, start):
            parts, end, width = self._heredoc(start + 3, opener, interpolate=not raw)
            parts, heredoc = dedent(parts, width), True
        else:
            if not opener or opener not in "/<\"'[({|":
                raise SourceError(f"invalid sigil delimiter: {opener}", self.place(start))
            close = _CLOSERS.get(opener, opener)
            parts, end = self._until(start + 1, close, interpolate=not raw, sigil=True)
            heredoc = False
        modifiers = re.compile("[a-zA-Z0-9]*").match(text, end)
        assert modifiers is not None
        return "sigil", Sigil(name, parts, modifiers[0], heredoc), modifiers.end()

    def _heredoc(self, at: int, quote: str, *, interpolate: bool) -> tuple[list[Any], int, int]:
        found = re.compile(r"[ \t\r]*\n").match(self.text, at)
        if found is None:
            raise SourceError(
                f"heredoc allows only white space after opening {quote * 3}", self.place(at)
            )
        close = re.compile(rf"\n([ \t]*){re.escape(quote * 3)}")
        parts, end = self._until(found.end() - 1, close, interpolate=interpolate, sigil=True)
        if parts and isinstance(parts[0], str):
            parts[0] = parts[0][1:]
        last = self.text.rfind("\n", 0, end)
        width = end - 3 - last - 1
        if parts and isinstance(parts[-1], str):
            parts[-1] += "\n"
        else:
            parts.append("\n")
        if parts == ["\n"] and last == found.end() - 1:
            parts = [""]
        return parts, end, width

    def _until(
        self, at: int, close: str | re.Pattern[str], *, interpolate: bool, sigil: bool = False
    ) -> tuple[list[Any], int]:
        """Parts up to a closing quote: text, or the tokens of an interpolation."""
        text, size, start = self.text, len(self.text), at
        parts: list[Any] = []
        buffer: list[str] = []

        def flush() -> None:
            if buffer:
                parts.append("".join(buffer))
                buffer.clear()

        while at < size:
            char = text[at]
            if isinstance(close, str):
                if char == close:
                    flush()
                    at += 1
                    return (parts if sigil else self._unescaped(parts, start)), at
            elif char == "\n" and (found := close.match(text, at)):
                flush()
                return parts, found.end()
            if char == "\\" and at + 1 < size:
                if sigil and isinstance(close, str) and text[at + 1] == close:
                    buffer.append(close)
                elif not isinstance(close, str) and (found := close.match(text, at + 1)):
                    buffer.append("\\")
                    flush()
                    return parts, found.end()
                else:
                    buffer.append(text[at : at + 2])
                at += 2
            elif interpolate and char == "#" and text.startswith("#{", at):
                flush()
                tokens, at = self._run(at + 2, nested=True)
                parts.append(tokens)
            else:
                buffer.append(char)
                at += 1
        shown = close if isinstance(close, str) else '"""'
        raise SourceError(
            f"missing terminator: {shown} (for a text that begins here)",
            self.place(max(0, start - 1)),
        )

    def _unescaped(self, parts: list[Any], at: int) -> list[Any]:
        place = self.place(at)
        return [unescape(part, place) if isinstance(part, str) else part for part in parts]


_OPERAND: Final = frozenset(
    ["name", "alias", "int", "float", "string", "charlist", "atom", "quoted atom", "sigil", ")",
     "]", "}", ">>", "true", "false", "nil", "capture", "end"]
)  # fmt: skip
