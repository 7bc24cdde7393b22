"""Patterns of PCRE in the dialect of the `regex` package, piece by piece; their size on the way."""

from __future__ import annotations

import re as std

from routestudio.functions.elixir import pcre_size
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.pcre_pieces import (
    INVALID_RANGE,
    KINDS,
    NO_OCTAL,
    NO_TERMINATOR,
    PERL_ESCAPE,
    QUANTIFIER,
    SIMPLE,
    TWICE,
    UNKNOWN_ESCAPE,
    PatternError,
    bytes_with,
    character,
)
from routestudio.functions.elixir.pcre_tables import (
    BYTE,
    POSIX_BYTE,
    POSIX_WIDE,
    VERTICAL,
    WIDE,
    WIDE_V,
)


class Translator:
    """One pattern while it is read."""

    def __init__(self, text: str, wide: bool, options: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._wide = wide
        self._classes = WIDE if wide else BYTE
        self._posix = POSIX_WIDE if wide else POSIX_BYTE
        self._extended = "extended" in options
        self._lazy = "ungreedy" in options
        self._multiline = "multiline" in options
        self._groups = 0
        self._names: set[str] = set()
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
                    behind = out[-1] in ("(?<=", "(?<!")
                    self._size.opened(capture=self._groups > groups, behind=behind)
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
        except pcre_size.RefusedError as refused:
            raise PatternError(str(refused), 0) from None
        return "".join(out)

    def _bytes_of(self, char: str, escaped: str) -> int:
        """Bytes of a compiled character, or of an escape for a kind of character."""
        if char == "\\":
            return pcre_size.KIND if escaped in KINDS else pcre_size.CHARACTER
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
            found = QUANTIFIER.match(text, at)
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
        low, comma, high = found[1] or "0", found[2] or found[4], found[3] or found[5]
        counts = [int(count) for count in (low, high) if count]
        if any(count > pcre_size.MAX_COUNT for count in counts):
            raise PatternError("number too big in {} quantifier", found.end() - 1)
        if counts != sorted(counts):
            raise PatternError("numbers out of order in {} quantifier", found.end() - 1)
        return f"{{{low},{high or ''}}}" if comma else f"{{{low}}}"

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
                    raise PatternError(NO_TERMINATOR, len(text))
                name = text[at + len(opening) : end]
                if name in self._names and "(?|" not in text:
                    raise PatternError(TWICE, end + 1)
                self._names.add(name)
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
        on, off = found[1], (found[2] or "-")[1:]
        for place, letter in enumerate(found[0], found.start()):
            if letter.isalpha() and letter not in "imsxnUJaDSWPT":
                raise PatternError("unrecognized character after (? or (?-", place + 1)
        self._at = found.end()
        if set(on + off) & set("naDSWPT"):
            raise NotEvaluated("the inline modifiers a and n of regular expressions")
        if on.startswith("^"):
            on, off = on[1:], "".join(letter for letter in "imsx" if letter not in on)
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
            word = f"[{WIDE['w']}]"
            bound = f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
            return bound if char == "b" else f"(?!{bound})"
        if char == "z":
            return r"\Z"
        if char == "Z":
            return r"(?=\n?\Z)"
        if char == "R":
            return r"(?>\r\n|[" + (WIDE_V if self._wide else VERTICAL) + "])"
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
        found = std.compile(r"\{[ \t]*\^?[\w&=]+[ \t]*\}|[A-Za-z]").match(self._text, self._at)
        if found is None:
            raise PatternError("malformed \\P or \\p sequence", self._at)
        self._at = found.end()
        name = found[0].strip("{} \t")
        negated = (char == "P") != name.startswith("^")
        name = name.lstrip("^")
        name = {"Xan": "L}\\p{N", "Xwd": "L}\\p{N}_\\p{N", "L&": "LC"}.get(name, name)
        if not self._wide:
            return bytes_with(name, negated)
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
            number = self._groups + 1 + int(name)
            if number < 1:
                raise PatternError("reference to non-existent subpattern", found.start())
            name = str(number)
        if name.isdigit():
            return f"(?:\\g<{name}>)"
        return f"(?P={name})"

    def _character(self, char: str) -> str:
        """An escape that stands for one character, outside of and in sets."""
        text = self._text
        if char in SIMPLE:
            return SIMPLE[char]
        if char in "FLlUu":
            raise PatternError(PERL_ESCAPE, self._at)
        if char.isascii() and char.isalpha() and char not in "xoc":
            raise PatternError(UNKNOWN_ESCAPE, self._at)
        if char == "x":
            found = std.compile(r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2})").match(text, self._at)
            assert found is not None
            self._at = found.end()
            return character(int(found[1] or found[2] or "0", 16), self._at)
        if char == "o":
            if not text.startswith("{", self._at):
                raise PatternError("missing opening brace after \\o", self._at)
            end = text.find("}", self._at)
            digits = text[self._at + 1 : end] if end > 0 else ""
            if not std.fullmatch("[0-7]+", digits):
                raise PatternError(NO_OCTAL, self._at)
            code = int(digits, 8)
            self._at = end + 1
            return character(code, self._at)
        if char == "c":
            if self._at >= len(text):
                raise PatternError("\\c at end of pattern", self._at)
            code = ord(text[self._at].upper()) ^ 64
            self._at += 1
            return character(code)
        if char in "01234567":
            found = std.compile(r"[0-7]{1,3}").match(text, self._at - 1)
            assert found is not None
            self._at = found.end()
            return character(int(found[0], 8))
        return character(ord(char))

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
            if text.startswith("\\E", self._at):
                self._at += 2
                continue
            if text.startswith("\\Q", self._at):
                out.append(self._quoted())
                first = False
                continue
            first = False
            named = std.compile(r"\[:(\^?)(\w+):\]").match(text, self._at)
            if named:
                self._at = named.end()
                content = self._posix.get(named[2])
                if content is None:
                    raise PatternError("unknown POSIX class name", self._at)
                if text.startswith("-", self._at) and text[self._at + 1 :][:1] not in ("]", ""):
                    raise PatternError(INVALID_RANGE, self._at + 1)
                out.append(f"[^{content}]" if named[1] else content)
                continue
            item = self._member()
            follows = text[self._at + 1 : self._at + 2]
            single = not item.startswith(("[", r"\p")) and len(item) < 12
            is_range = text.startswith("-", self._at) and follows not in ("]", "")
            if is_range:
                self._at += 1
                if not single:
                    raise PatternError(INVALID_RANGE, self._at)
                last = self._member()
                if last.startswith("["):
                    raise PatternError(INVALID_RANGE, self._at)
                out.append(f"{item}-{last}")
            else:
                out.append(item)
        return f"[{'^' if negated else ''}{''.join(out)}]"

    def _quoted(self) -> str:
        """`\\Q...\\E` in a set."""
        start = self._at + 2
        end = self._text.find("\\E", start)
        self._at = len(self._text) if end < 0 else end + 2
        return "".join(
            character(ord(char)) for char in self._text[start : end if end >= 0 else None]
        )

    def _member(self) -> str:
        text = self._text
        char = text[self._at]
        self._at += 1
        if char != "\\":
            return character(ord(char))
        char = text[self._at : self._at + 1]
        self._at += 1
        if char and char in "dswhv":
            return f"[{self._classes[char]}]"
        if char and char in "DSWHV":
            return f"[^{self._classes[char.lower()]}]"
        if char == "b":
            return r"\x08"
        if char and char in "BRXAzZGK":
            raise PatternError("escape sequence is invalid in character class", self._at)
        if char == "N":
            raise PatternError("\\N is not supported in a class", self._at)
        if char and char in "pP":
            return self._property(char)
        return self._character(char) if char else r"\\"
