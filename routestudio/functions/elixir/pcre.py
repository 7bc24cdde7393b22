"""Regular expressions of PCRE, as Erlang uses it, in the dialect of the `regex` package.

Without the modifier `u` PCRE works on bytes: the pattern and the subject are then handed over as
Latin-1 text of their UTF-8 bytes, with the byte classes written out
(docs/reference/elixir.md#regular-expressions).
"""

from __future__ import annotations

import re as std
from typing import Any, Final

import regex

from routestudio.functions.elixir import pcre_size
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.values import bytes_of

_HORIZONTAL: Final = r"\t \xa0"
_VERTICAL: Final = r"\n\x0b\f\r\x85"
_WIDE_H: Final = _HORIZONTAL + r"\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_WIDE_V: Final = _VERTICAL + r"\u2028\u2029"
_BYTE: Final = {
    "d": "0-9", "s": r"\t\n\x0b\f\r ", "h": _HORIZONTAL, "v": _VERTICAL,
    "w": r"A-Za-z0-9_\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff",
}  # fmt: skip
_WIDE: Final = {
    "d": r"\p{Nd}", "s": r"\p{Z}\t\n\x0b\f\r\x85", "h": _WIDE_H, "v": _WIDE_V,
    "w": r"\p{L}\p{N}_",
}  # fmt: skip
_LETTERS: Final = r"\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff"
_POSIX_BYTE: Final = {
    "alpha": "A-Za-z" + _LETTERS, "digit": "0-9", "alnum": "A-Za-z0-9" + _LETTERS,
    "upper": r"A-Z\xc0-\xd6\xd8-\xde", "lower": r"a-z\xb5\xdf-\xf6\xf8-\xff",
    "space": r"\t\n\x0b\f\r ", "blank": r"\t ", "word": _BYTE["w"], "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7",
    "cntrl": r"\x00-\x1f\x7f-\x9f",
    "graph": r"!-~\xa1-\xff", "print": r" -~\xa0-\xff", "ascii": r"\x00-\x7f",
}  # fmt: skip
_POSIX_WIDE: Final = {
    "alpha": r"\p{L}", "digit": r"\p{Nd}", "alnum": r"\p{L}\p{N}", "upper": r"\p{Lu}",
    "lower": r"\p{Ll}", "space": _WIDE["s"], "blank": _WIDE_H, "word": _WIDE["w"],
    "xdigit": "0-9A-Fa-f", "punct": r"\p{P}$+<=>\^`|~", "cntrl": r"\p{Cc}",
    "graph": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}", "print": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Zs}",
    "ascii": r"\x00-\x7f",
}  # fmt: skip
_QUANTIFIER: Final = std.compile(r"\{\d+(?:,\d*)?\}")
_KINDS: Final = frozenset("dDsSwWhHvVRbBAZzGKNX")
_NO_TERMINATOR: Final = "syntax error in subpattern name (missing terminator?)"
_NO_OCTAL: Final = "non-octal character in \\o{} (closing brace missing?)"
_TOO_LARGE: Final = "character code point value in \\x{} or \\o{} is too large"
_SIMPLE: Final = {"a": r"\x07", "e": r"\x1b", "f": r"\f", "n": r"\n", "r": r"\r", "t": r"\t"}


class PatternError(Exception):
    """The pattern is not valid: text and byte position, as `Regex.compile` reports."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Pattern:
    """A compiled pattern; `wide` when it works on characters instead of bytes."""

    def __init__(self, source: str, options: frozenset[str]) -> None:
        self.wide = "unicode" in options
        text = source if self.wide else bytes_of(source).decode("latin-1")
        flags = regex.VERSION1
        if "caseless" in options:
            flags |= regex.IGNORECASE
        if "dotall" in options:
            flags |= regex.DOTALL
        if "multiline" in options:
            flags |= regex.MULTILINE
        if "firstline" in options:
            raise NotEvaluated("the modifier f of regular expressions")
        try:
            translated = _Translator(text, self.wide, options).translate()
            self.compiled = regex.compile(translated, flags)
        except regex.error as error:
            raise PatternError(error.msg, error.pos or 0) from None
        except (RecursionError, OverflowError, ValueError) as error:
            raise PatternError(str(error), 0) from None
        self.names: list[str] = sorted(self.compiled.groupindex)

    def subject(self, text: str) -> str:
        """The subject in the form that the pattern works on."""
        if self.wide or text.isascii():
            return text
        return bytes_of(text).decode("latin-1")


class _Translator:
    def __init__(self, text: str, wide: bool, options: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._wide = wide
        self._classes = _WIDE if wide else _BYTE
        self._posix = _POSIX_WIDE if wide else _POSIX_BYTE
        self._extended = "extended" in options
        self._lazy = "ungreedy" in options
        self._multiline = "multiline" in options
        self._groups = 0
        self._size = pcre_size.Measure()

    def translate(self) -> str:
        """The pattern for the `regex` package, once it is known to be no larger than PCRE's."""
        out: list[str] = []
        text = self._text
        while self._at < len(text):
            at, groups = self._at, self._groups
            out.append(self._piece(text[at]))
            if text[at] == "(":
                if out[-1].startswith("(") and (not out[-1].endswith(")") or out[-1][:3] == "(?("):
                    self._size.opened(capture=self._groups > groups)
                elif out[-1]:
                    self._size.atom(pcre_size.CHARACTER)
            elif text[at] == ")":
                self._size.closed()
            elif text[at] == "[":
                self._size.atom(pcre_size.SET)
            elif out[-1] and not self._repeats(text[at], out[-1]):
                self._size.atom(self._bytes_of(text[at], text[at + 1 : at + 2]))
        try:
            self._size.finish()
        except pcre_size.TooLargeError:
            raise PatternError("regular expression is too large", 0) from None
        return "".join(out)

    def _bytes_of(self, char: str, escaped: str) -> int:
        """Bytes of a compiled character, or of an escape for a kind of character."""
        if char == "\\":
            return pcre_size.KIND if escaped in _KINDS else pcre_size.CHARACTER
        if char in "^$.|":
            return pcre_size.KIND
        return 1 + len(char.encode("utf-8", "surrogatepass")) if self._wide else pcre_size.CHARACTER

    def _repeats(self, char: str, written: str) -> bool:
        """Note a quantifier. Whether it is one."""
        if char in "*+?":
            self._size.repeated(char == "+", 1 if char == "?" else None)
            return True
        if char != "{" or not written.startswith("{"):
            return False
        low, comma, high = written.strip("{}?+").rstrip("}").partition(",")
        self._size.repeated(int(low), int(high) if high else None if comma else int(low))
        return True

    def _piece(self, char: str) -> str:
        text, at = self._text, self._at
        self._at += 1
        if self._extended:
            if char in " \t\n\r\f\v":
                return ""
            if char == "#":
                end = text.find("\n", at)
                self._at = len(text) if end < 0 else end + 1
                return ""
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._set()
        if char == "(":
            return self._group()
        if char in "*+?":
            return self._quantified(char)
        if char == "{":
            found = _QUANTIFIER.match(text, at)
            if found is None:
                return r"\{"
            self._at = found.end()
            return self._quantified(self._counted(found))
        if char in "}]":
            return "\\" + char
        if char == "^" and self._multiline:
            return r"(?:\A|(?<=\n)(?!\Z))"
        if char in "^$.|)":
            return char
        return std.escape(char)

    def _counted(self, found: std.Match[str]) -> str:
        """`{n,m}`, its counts no larger than PCRE's."""
        counts = [int(count) for count in found[0][1:-1].split(",") if count.strip()]
        if any(count > pcre_size.MAX_COUNT for count in counts):
            raise PatternError("number too big in {} quantifier", found.end() - 1)
        if counts != sorted(counts):
            raise PatternError("numbers out of order in {} quantifier", found.end() - 1)
        return found[0]

    def _quantified(self, quantifier: str) -> str:
        follows = self._text[self._at : self._at + 1]
        if follows == "+":
            self._at += 1
            return quantifier + "+"
        lazy = follows == "?"
        self._at += lazy
        return quantifier + ("?" if lazy != self._lazy else "")

    def _group(self) -> str:
        text, at = self._text, self._at
        if text.startswith("*", at):
            raise NotEvaluated("verbs in regular expressions, such as (*SKIP)")
        if not text.startswith("?", at):
            self._groups += 1
            return "("
        if text.startswith("?#", at):
            end = text.find(")", at)
            if end < 0:
                raise PatternError("missing ) after (?# comment", len(text))
            self._at = end + 1
            return ""
        for opening, closing in (("?<", ">"), ("?P<", ">"), ("?'", "'")):
            if text.startswith(opening, at) and text[at + len(opening) :][:1] not in ("=", "!"):
                end = text.find(closing, at + len(opening))
                if end < 0:
                    raise PatternError(_NO_TERMINATOR, len(text))
                name = text[at + len(opening) : end]
                self._at = end + 1
                self._groups += 1
                return f"(?P<{name}>"
        for kept in ("?:", "?=", "?!", "?<=", "?<!", "?>", "?|", "?(", "?R)", "?&", "?P>", "?P="):
            if text.startswith(kept, at):
                if kept == "?(":
                    end = text.find(")", at)
                    if end < 0:
                        raise PatternError("missing closing parenthesis for condition", len(text))
                    condition = text[at + 2 : end].strip("<>'")
                    self._at = end + 1
                    return f"(?({condition})"
                self._at += len(kept)
                if kept in ("?R)",):
                    return "(?R)"
                return "(" + kept
        found = std.compile(r"\?([+-]?\d+)\)").match(text, at)
        if found:
            self._at = found.end()
            return f"({found[0]}"
        found = std.compile(r"\?([a-zA-Z^]*)(-[a-zA-Z]*)?([:)])").match(text, at)
        if found is None:
            raise PatternError("unrecognized character after (? or (?-", at + 1)
        return self._inline(found)

    def _inline(self, found: std.Match[str]) -> str:
        """`(?i)`, `(?i-s:...)`."""
        self._at = found.end()
        on, off = found[1], (found[2] or "-")[1:]
        if "x" in on:
            self._extended = True
        if "x" in off:
            self._extended = False
        if "U" in on + off or "J" in on + off:
            raise NotEvaluated("the inline modifiers U and J of regular expressions")
        if "m" in on:
            self._multiline = True
        keep = "".join(c for c in on if c in "ims")
        drop = "".join(c for c in off if c in "ims")
        flags = keep + (f"-{drop}" if drop else "")
        if found[3] == ")":
            return f"(?{flags})" if flags else ""
        return f"(?{flags}:" if flags else "(?:"

    def _escape(self) -> str:
        text = self._text
        if self._at >= len(text):
            raise PatternError("\\ at end of pattern", self._at)
        char = text[self._at]
        self._at += 1
        if char in "dswhv":
            return f"[{self._classes[char]}]"
        if char in "DSWHV":
            return f"[^{self._classes[char.lower()]}]"
        if char in "bB" and self._wide:
            word = f"[{_WIDE['w']}]"
            bound = f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
            return bound if char == "b" else f"(?!{bound})"
        if char == "z":
            return r"\Z"
        if char == "Z":
            return r"(?=\n?\Z)"
        if char == "R":
            return r"(?>\r\n|[" + (_WIDE_V if self._wide else _VERTICAL) + "])"
        if char == "N":
            return r"[^\n]"
        if char in "AbBGKX":
            return "\\" + char
        if char == "Q":
            end = text.find("\\E", self._at)
            quoted = text[self._at :] if end < 0 else text[self._at : end]
            self._at = len(text) if end < 0 else end + 2
            for _ in quoted[1:]:
                self._size.atom(pcre_size.CHARACTER)
            return std.escape(quoted)
        if char == "E":
            return ""
        if char in "pP":
            return self._property(char)
        if char in "gk":
            return self._reference(char)
        if char == "C":
            raise NotEvaluated("\\C in regular expressions")
        if char in "123456789":
            found = std.compile(r"\d+").match(text, self._at - 1)
            assert found is not None
            number = int(found[0])
            if number < 10 or number <= self._text.count("("):
                self._at = found.end()
                return rf"(?:\{number})" if number < 10 else f"(?:\\g<{number}>)"
        return self._character(char)

    def _property(self, char: str) -> str:
        found = std.compile(r"\{\^?[\w&]+\}|[A-Z]").match(self._text, self._at)
        if found is None:
            raise PatternError("malformed \\P or \\p sequence", self._at)
        self._at = found.end()
        name = found[0].strip("{}")
        negated = (char == "P") != name.startswith("^")
        name = name.lstrip("^")
        name = {"Xan": "L}\\p{N", "Xwd": "L}\\p{N}_\\p{N", "L&": "LC"}.get(name, name)
        return f"[{'^' if negated else ''}\\p{{{name}}}]"

    def _reference(self, char: str) -> str:
        found = std.compile(r"\{([^}]+)\}|<([^>]+)>|'([^']+)'|(-?\d+)").match(self._text, self._at)
        if found is None:
            raise PatternError("a numbered reference must not be zero", self._at)
        self._at = found.end()
        name = next(part for part in found.groups() if part is not None)
        if char == "g" and found[0][0] in "<'":
            return f"(?{name})" if std.match(r"[-+]?\d", name) else f"(?&{name})"
        if std.fullmatch(r"-\d+", name):
            name = str(self._groups + 1 + int(name))
        if name.isdigit():
            return f"(?:\\g<{name}>)"
        return f"(?P={name})"

    def _character(self, char: str) -> str:
        """An escape that stands for one character, outside of and in sets."""
        text = self._text
        if char in _SIMPLE:
            return _SIMPLE[char]
        if char == "x":
            found = std.compile(r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2})").match(text, self._at)
            assert found is not None
            self._at = found.end()
            return _char(int(found[1] or found[2] or "0", 16), self._at)
        if char == "o" and text.startswith("{", self._at):
            end = text.find("}", self._at)
            digits = text[self._at + 1 : end] if end > 0 else ""
            if not std.fullmatch("[0-7]+", digits):
                raise PatternError(_NO_OCTAL, self._at)
            code = int(digits, 8)
            self._at = end + 1
            return _char(code, self._at)
        if char == "c":
            if self._at >= len(text):
                raise PatternError("\\c at end of pattern", self._at)
            code = ord(text[self._at].upper()) ^ 64
            self._at += 1
            return _char(code)
        if char in "01234567":
            found = std.compile(r"[0-7]{1,3}").match(text, self._at - 1)
            assert found is not None
            self._at = found.end()
            return _char(int(found[0], 8))
        return _char(ord(char))

    def _set(self) -> str:
        text = self._text
        negated = text.startswith("^", self._at)
        self._at += negated
        out: list[str] = []
        first = True
        while True:
            if self._at >= len(text):
                raise PatternError("missing terminating ] for character class", self._at)
            char = text[self._at]
            if char == "]" and not first:
                self._at += 1
                break
            first = False
            named = std.compile(r"\[:(\^?)(\w+):\]").match(text, self._at)
            if named:
                self._at = named.end()
                content = self._posix.get(named[2])
                if content is None:
                    raise PatternError("unknown POSIX class name", self._at)
                out.append(f"[^{content}]" if named[1] else content)
                continue
            item = self._member()
            follows = text[self._at + 1 : self._at + 2]
            single = not item.startswith(("[", r"\p")) and len(item) < 12
            is_range = single and text.startswith("-", self._at) and follows not in ("]", "")
            if is_range:
                self._at += 1
                last = self._member()
                out.append(f"{item}\\-{last}" if last.startswith("[") else f"{item}-{last}")
            else:
                out.append(item)
        return f"[{'^' if negated else ''}{''.join(out)}]"

    def _member(self) -> str:
        text = self._text
        char = text[self._at]
        self._at += 1
        if char != "\\":
            return _char(ord(char))
        char = text[self._at : self._at + 1]
        self._at += 1
        if char and char in "dswhv":
            return f"[{self._classes[char]}]"
        if char and char in "DSWHV":
            return f"[^{self._classes[char.lower()]}]"
        if char == "b":
            return r"\x08"
        if char and char in "pP":
            return self._property(char)
        return self._character(char) if char else r"\\"


def _char(code: int, at: int = 0) -> str:
    """One character, written so that it means itself everywhere."""
    if code > 0x10FFFF:
        raise PatternError(_TOO_LARGE, at)
    char = chr(code)
    if char.isascii() and char.isalnum():
        return char
    return f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"


def compile_pattern(source: str, options: list[Any]) -> Pattern:
    """A pattern with options by name (`caseless`, `unicode` ...). Raises `PatternError`."""
    return Pattern(source, frozenset(getattr(option, "name", "") for option in options))
