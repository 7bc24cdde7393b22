"""Escapes and sets of PCRE in the dialect of the `regex` package."""

from __future__ import annotations

import re as std
from dataclasses import dataclass

from routestudio.functions.elixir.pcre_pieces import (
    INVALID_RANGE,
    NO_OCTAL,
    PERL_ESCAPE,
    SIMPLE,
    UNKNOWN_ESCAPE,
    PatternError,
    bytes_with,
    character,
)
from routestudio.functions.elixir.pcre_tables import BYTE, POSIX_BYTE, POSIX_WIDE, WIDE


@dataclass(slots=True)
class Reading:
    """A pattern, how far it is read, and how many groups were opened. `wide`: by characters."""

    text: str
    wide: bool
    at: int = 0
    groups: int = 0


class Escapes:
    """What stands behind a backslash, outside of sets and in them."""

    def __init__(self, pattern: Reading) -> None:
        self._pattern = pattern
        self._wide = pattern.wide

    def property(self, char: str) -> str:
        r"""`\p{...}`, of which the first two characters are read."""
        found = std.compile(r"\{[ \t]*\^?[\w&=]+[ \t]*\}|[A-Za-z]").match(
            self._pattern.text, self._pattern.at
        )
        if found is None:
            raise PatternError("malformed \\P or \\p sequence", self._pattern.at)
        self._pattern.at = found.end()
        name = found[0].strip("{} \t")
        negated = (char == "P") != name.startswith("^")
        name = name.lstrip("^")
        name = {"Xan": "L}\\p{N", "Xwd": "L}\\p{N}_\\p{N", "L&": "LC"}.get(name, name)
        if not self._wide:
            return bytes_with(name, negated)
        return f"[{'^' if negated else ''}\\p{{{name}}}]"

    def reference(self, char: str) -> str:
        r"""`\g`, `\k`: another group."""
        found = std.compile(r"\{([^}]+)\}|<([^>]+)>|'([^']+)'|(-?\d+)").match(
            self._pattern.text, self._pattern.at
        )
        if found is None:
            raise PatternError("a numbered reference must not be zero", self._pattern.at)
        self._pattern.at = found.end()
        name = next(part for part in found.groups() if part is not None)
        if char == "g" and found[0][0] in "<'":
            return f"(?{name})" if std.match(r"[-+]?\d", name) else f"(?&{name})"
        if std.fullmatch(r"-\d+", name):
            number = self._pattern.groups + 1 + int(name)
            if number < 1:
                raise PatternError("reference to non-existent subpattern", found.start())
            name = str(number)
        if name.isdigit():
            return f"(?:\\g<{name}>)"
        return f"(?P={name})"

    def character(self, char: str) -> str:
        """An escape that stands for one character, outside of and in sets."""
        text = self._pattern.text
        if char in SIMPLE:
            return SIMPLE[char]
        if char in "FLlUu":
            raise PatternError(PERL_ESCAPE, self._pattern.at)
        if char.isascii() and char.isalpha() and char not in "xoc":
            raise PatternError(UNKNOWN_ESCAPE, self._pattern.at)
        if char == "x":
            found = std.compile(r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2})").match(
                text, self._pattern.at
            )
            assert found is not None
            self._pattern.at = found.end()
            return character(int(found[1] or found[2] or "0", 16), self._pattern.at)
        if char == "o":
            if not text.startswith("{", self._pattern.at):
                raise PatternError("missing opening brace after \\o", self._pattern.at)
            end = text.find("}", self._pattern.at)
            digits = text[self._pattern.at + 1 : end] if end > 0 else ""
            if not std.fullmatch("[0-7]+", digits):
                raise PatternError(NO_OCTAL, self._pattern.at)
            code = int(digits, 8)
            self._pattern.at = end + 1
            return character(code, self._pattern.at)
        if char == "c":
            if self._pattern.at >= len(text):
                raise PatternError("\\c at end of pattern", self._pattern.at)
            code = ord(text[self._pattern.at].upper()) ^ 64
            self._pattern.at += 1
            return character(code)
        if char in "01234567":
            found = std.compile(r"[0-7]{1,3}").match(text, self._pattern.at - 1)
            assert found is not None
            self._pattern.at = found.end()
            return character(int(found[0], 8))
        return character(ord(char))


class Sets:
    """Sets in brackets."""

    def __init__(self, pattern: Reading, escapes: Escapes) -> None:
        self._pattern = pattern
        self._escapes = escapes
        self._classes = WIDE if pattern.wide else BYTE
        self._posix = POSIX_WIDE if pattern.wide else POSIX_BYTE

    def set(self) -> str:
        """A set, of which the opening bracket is read."""
        text = self._pattern.text
        negated = text.startswith("^", self._pattern.at)
        self._pattern.at += negated
        out: list[str] = []
        first = True
        while True:
            if self._pattern.at >= len(text):
                raise PatternError("missing terminating ] for character class", self._pattern.at)
            char = text[self._pattern.at]
            if char == "]" and not first:
                self._pattern.at += 1
                break
            if text.startswith("\\E", self._pattern.at):
                self._pattern.at += 2
                continue
            if text.startswith("\\Q", self._pattern.at):
                out.append(self._quoted())
                first = False
                continue
            first = False
            named = std.compile(r"\[:(\^?)(\w+):\]").match(text, self._pattern.at)
            if named:
                self._pattern.at = named.end()
                content = self._posix.get(named[2])
                if content is None:
                    raise PatternError("unknown POSIX class name", self._pattern.at)
                if text.startswith("-", self._pattern.at) and text[self._pattern.at + 1 :][
                    :1
                ] not in ("]", ""):
                    raise PatternError(INVALID_RANGE, self._pattern.at + 1)
                out.append(f"[^{content}]" if named[1] else content)
                continue
            item = self._member()
            follows = text[self._pattern.at + 1 : self._pattern.at + 2]
            single = not item.startswith(("[", r"\p")) and len(item) < 12
            is_range = text.startswith("-", self._pattern.at) and follows not in ("]", "")
            if is_range:
                self._pattern.at += 1
                if not single:
                    raise PatternError(INVALID_RANGE, self._pattern.at)
                last = self._member()
                if last.startswith("["):
                    raise PatternError(INVALID_RANGE, self._pattern.at)
                out.append(f"{item}-{last}")
            else:
                out.append(item)
        return f"[{'^' if negated else ''}{''.join(out)}]"

    def _quoted(self) -> str:
        """`\\Q...\\E` in a set."""
        start = self._pattern.at + 2
        end = self._pattern.text.find("\\E", start)
        self._pattern.at = len(self._pattern.text) if end < 0 else end + 2
        return "".join(
            character(ord(char)) for char in self._pattern.text[start : end if end >= 0 else None]
        )

    def _member(self) -> str:
        text = self._pattern.text
        char = text[self._pattern.at]
        self._pattern.at += 1
        if char != "\\":
            return character(ord(char))
        char = text[self._pattern.at : self._pattern.at + 1]
        self._pattern.at += 1
        if char and char in "dswhv":
            return f"[{self._classes[char]}]"
        if char and char in "DSWHV":
            return f"[^{self._classes[char.lower()]}]"
        if char == "b":
            return r"\x08"
        if char and char in "BRXAzZGK":
            raise PatternError("escape sequence is invalid in character class", self._pattern.at)
        if char == "N":
            raise PatternError("\\N is not supported in a class", self._pattern.at)
        if char and char in "pP":
            return self._escapes.property(char)
        return self._escapes.character(char) if char else r"\\"
