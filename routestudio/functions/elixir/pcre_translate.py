"""Patterns of PCRE in the dialect of the `regex` package, piece by piece; their size on the way."""

from __future__ import annotations

import re as std

from routestudio.functions.elixir import pcre_size
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.pcre_escapes import Escapes, Reading, Sets
from routestudio.functions.elixir.pcre_pieces import (
    KINDS,
    NO_TERMINATOR,
    QUANTIFIER,
    TWICE,
    PatternError,
)
from routestudio.functions.elixir.pcre_tables import (
    BYTE,
    VERTICAL,
    WIDE,
    WIDE_V,
)


class Translator:
    """One pattern while it is read."""

    def __init__(self, text: str, wide: bool, options: frozenset[str]) -> None:
        self._pattern = Reading(text, wide)
        self._escapes = Escapes(self._pattern)
        self._sets = Sets(self._pattern, self._escapes)
        self._wide = wide
        self._classes = WIDE if wide else BYTE
        self._extended = "extended" in options
        self._lazy = "ungreedy" in options
        self._multiline = "multiline" in options
        self._names: set[str] = set()
        self._size = pcre_size.Measure()

    def translate(self) -> str:
        """The pattern for the `regex` package, once it is known to be no larger than PCRE's."""
        out: list[str] = []
        text = self._pattern.text
        while self._pattern.at < len(text):
            at, groups = self._pattern.at, self._pattern.groups
            out.append(self._piece(text[at]))
            if text[at] == "(":
                if out[-1].startswith("(") and (not out[-1].endswith(")") or out[-1][:3] == "(?("):
                    behind = out[-1] in ("(?<=", "(?<!")
                    self._size.opened(capture=self._pattern.groups > groups, behind=behind)
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
        text, at = self._pattern.text, self._pattern.at
        self._pattern.at += 1
        if self._extended:
            if char in " \t\n\r\f\v":
                return ""
            if char == "#":
                end = text.find("\n", at)
                self._pattern.at = len(text) if end < 0 else end + 1
                return ""
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._sets.set()
        if char == "(":
            return self._group()
        if char in "*+?":
            return self._quantified(char)
        if char == "{":
            found = QUANTIFIER.match(text, at)
            if found is None:
                return r"\{"
            self._pattern.at = found.end()
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
        follows = self._pattern.text[self._pattern.at : self._pattern.at + 1]
        if follows == "+":
            self._pattern.at += 1
            return quantifier + "+"
        lazy = follows == "?"
        self._pattern.at += lazy
        return quantifier + ("?" if lazy != self._lazy else "")

    def _group(self) -> str:
        text, at = self._pattern.text, self._pattern.at
        if text.startswith("*", at):
            raise NotEvaluated("verbs in regular expressions, such as (*SKIP)")
        if not text.startswith("?", at):
            self._pattern.groups += 1
            return "("
        if text.startswith("?#", at):
            end = text.find(")", at)
            if end < 0:
                raise PatternError("missing ) after (?# comment", len(text))
            self._pattern.at = end + 1
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
                self._pattern.at = end + 1
                self._pattern.groups += 1
                return f"(?P<{name}>"
        for kept in ("?:", "?=", "?!", "?<=", "?<!", "?>", "?|", "?(", "?R)", "?&", "?P>", "?P="):
            if text.startswith(kept, at):
                if kept == "?(":
                    end = text.find(")", at)
                    if end < 0:
                        raise PatternError("missing closing parenthesis for condition", len(text))
                    condition = text[at + 2 : end].strip("<>'")
                    self._pattern.at = end + 1
                    return f"(?({condition})"
                self._pattern.at += len(kept)
                if kept in ("?R)",):
                    return "(?R)"
                return "(" + kept
        found = std.compile(r"\?([+-]?\d+)\)").match(text, at)
        if found:
            self._pattern.at = found.end()
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
        self._pattern.at = found.end()
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
        text = self._pattern.text
        if self._pattern.at >= len(text):
            raise PatternError("\\ at end of pattern", self._pattern.at)
        char = text[self._pattern.at]
        self._pattern.at += 1
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
            end = text.find("\\E", self._pattern.at)
            quoted = text[self._pattern.at :] if end < 0 else text[self._pattern.at : end]
            self._pattern.at = len(text) if end < 0 else end + 2
            for _ in quoted[1:]:
                self._size.atom(pcre_size.CHARACTER)
            return std.escape(quoted)
        if char == "E":
            return ""
        if char in "pP":
            return self._escapes.property(char)
        if char in "gk":
            return self._escapes.reference(char)
        if char == "C":
            raise NotEvaluated("\\C in regular expressions")
        if char in "123456789":
            found = std.compile(r"\d+").match(text, self._pattern.at - 1)
            assert found is not None
            number = int(found[0])
            if number < 10 or number <= self._pattern.text.count("("):
                self._pattern.at = found.end()
                return rf"(?:\{number})" if number < 10 else f"(?:\\g<{number}>)"
        return self._escapes.character(char)
