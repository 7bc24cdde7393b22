"""String: graphemes, case, parts, trimming."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import regex as re

from routestudio.functions.elixir.errors import ElixirError, argument, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import limited, need_text
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING
from routestudio.functions.elixir.values import atom, bytes_of, is_utf8, text_of, whole

_DEFAULT: Final = atom("default")

_GRAPHEME: Final = re.compile(r"\X", re.DOTALL)
# White_Space of Unicode; `split` does not cut at the three that forbid a break.
WHITE: Final = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + \
    "\u2028\u2029\u202f\u205f\u3000"  # fmt: skip
BREAKING: Final = "".join(char for char in WHITE if char not in "\xa0\u202f\u2007")
_SPLIT: Final = re.compile(f"[{BREAKING}]+")


def graphemes_of(text: str) -> list[str]:
    """Grapheme clusters; a byte that is not text is one by itself."""
    if text.isascii() and "\r" not in text:
        return list(text)
    return _GRAPHEME.findall(text)  # type: ignore[no-any-return]


@define("String", "length", 1)
def length(text: Any) -> int:
    """`String.length/1`."""
    text = need_text(text, "String.length/1")
    return len(text) if text.isascii() and "\r" not in text else len(graphemes_of(text))


@define("String", "graphemes", 1)
def graphemes(text: Any) -> list[str]:
    """`String.graphemes/1`."""
    return graphemes_of(need_text(text, "String.graphemes/1"))


@define("String", "codepoints", 1)
def codepoints(text: Any) -> list[str]:
    """`String.codepoints/1`."""
    return list(need_text(text, "String.codepoints/1"))


@define("String", "next_codepoint", 1)
def next_codepoint(text: Any) -> Any:
    """`String.next_codepoint/1`."""
    text = need_text(text, "String.next_codepoint/1")
    return (text[0], text[1:]) if text else None


@define("String", "next_grapheme", 1)
def next_grapheme(text: Any) -> Any:
    """`String.next_grapheme/1`."""
    text = need_text(text, "String.next_grapheme/1")
    if not text:
        return None
    first = graphemes_of(text[:64])[0] if len(text) < 64 else graphemes_of(text)[0]
    return first, text[len(first) :]


@define("String", "first", 1)
def first(text: Any) -> Any:
    """`String.first/1`."""
    found = graphemes_of(need_text(text, "String.first/1"))
    return found[0] if found else None


@define("String", "last", 1)
def last(text: Any) -> Any:
    """`String.last/1`."""
    found = graphemes_of(need_text(text, "String.last/1"))
    return found[-1] if found else None


@define("String", "at", 2)
def at(text: Any, index: Any) -> Any:
    """`String.at/2`."""
    if type(text) is not str or type(index) is not int:
        raise clause("String.at/2")
    found = graphemes_of(text)
    return found[index] if -len(found) <= index < len(found) else None


@define("String", "reverse", 1)
def reverse(text: Any) -> str:
    """`String.reverse/1`."""
    return whole("".join(reversed(graphemes_of(need_text(text, "String.reverse/1")))))


@define("String", "slice", 3)
def slice_(text: Any, start: Any, count: Any) -> str:
    """`String.slice/3`."""
    if count == 0 and type(count) is int:
        return ""
    if type(text) is not str or type(start) is not int or type(count) is not int or count < 0:
        raise clause("String.slice/3")
    found: Any = text if text.isascii() and "\r" not in text else graphemes_of(text)
    if start < 0:
        start = max(0, start + len(found))
    return "".join(found[start : start + count])


@define("String", "byte_slice", 3)
def byte_slice(text: Any, start: Any, count: Any) -> str:
    """`String.byte_slice/3`."""
    if type(text) is not str or type(start) is not int or type(count) is not int or count < 0:
        raise clause("String.byte_slice/3")
    data = bytes_of(text)
    if start < 0:
        start = max(0, start + len(data))
    part = data[start : start + count]
    while part and part[0] & 0xC0 == 0x80:
        part = part[1:]
    if not is_utf8(text_of(part)):
        for cut in range(1, 4):
            if is_utf8(text_of(part[:-cut])):
                part = part[:-cut]
                break
    return text_of(part)


@define("String", "split_at", 2)
def split_at(text: Any, index: Any) -> Any:
    """`String.split_at/2`."""
    if type(text) is not str or type(index) is not int:
        raise clause("String.split_at/2")
    found = graphemes_of(text)
    if index < 0:
        index = max(0, index + len(found))
    return "".join(found[:index]), "".join(found[index:])


# Case

_LOWER: Final = {"İ": "i̇"}


def lower(text: str, mode: str = "default") -> str:
    """Lower case without Python's rule for the final sigma, unless it is asked for."""
    if text.isascii():
        return text.lower()
    if mode == "ascii":
        return "".join(c.lower() if c.isascii() else c for c in text)
    lowered = "".join("σ" if c == "Σ" else c.lower() for c in text)
    if mode == "greek":
        lowered = re.sub(r"(?<=\p{L})σ(?!\p{L})", "ς", lowered)
    return lowered


def upper(text: str, mode: str = "default") -> str:
    """Upper case by all of Unicode, or of ASCII only."""
    if mode == "ascii" or text.isascii():
        return "".join(c.upper() if c.isascii() else c for c in text)
    return text.upper()


def _mode(mode: Any, where: str) -> str:
    if mode not in (atom("default"), atom("ascii"), atom("greek"), atom("turkic")):
        raise clause(where)
    if mode is atom("turkic"):
        from routestudio.functions.elixir.errors import NotEvaluated

        raise NotEvaluated("the :turkic mode of case functions")
    return str(mode.name)


@define("String", "upcase", 1, 2)
def upcase(text: Any, mode: Any = _DEFAULT) -> str:
    """`String.upcase/1`, `/2`."""
    if mode is _DEFAULT and type(text) is str:
        return text.upper()
    return upper(need_text(text, "String.upcase/2"), _mode(mode, "String.upcase/2"))


@define("String", "downcase", 1, 2)
def downcase(text: Any, mode: Any = _DEFAULT) -> str:
    """`String.downcase/1`, `/2`."""
    if mode is _DEFAULT and type(text) is str:
        return lower(text)
    return lower(need_text(text, "String.downcase/2"), _mode(mode, "String.downcase/2"))


@define("String", "capitalize", 1, 2)
def capitalize(text: Any, mode: Any = _DEFAULT) -> str:
    """`String.capitalize/1`, `/2`."""
    text, how = need_text(text, "String.capitalize/2"), _mode(mode, "String.capitalize/2")
    if not text:
        return ""
    if how == "ascii":
        return upper(text[0], how) + lower(text[1:], how)
    return text[0].title() + lower(text[1:], how)


# Trimming


def _leading(text: str, part: str) -> str:
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    while text.startswith(part):
        text = text[len(part) :]
    return text


def _trailing(text: str, part: str) -> str:
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    while text.endswith(part):
        text = text[: -len(part)]
    return text


@define("String", "trim", 1, 2)
def trim(text: Any, part: Any = MISSING) -> str:
    """`String.trim/1`, `/2`."""
    return trim_trailing(trim_leading(text, part), part)


@define("String", "trim_leading", 1, 2)
def trim_leading(text: Any, part: Any = MISSING) -> str:
    """`String.trim_leading/1`, `/2`."""
    text = need_text(text, "String.trim_leading/1")
    if part is MISSING:
        return text.lstrip(WHITE)
    return _leading(text, need_text(part, "String.trim_leading/2"))


@define("String", "trim_trailing", 1, 2)
def trim_trailing(text: Any, part: Any = MISSING) -> str:
    """`String.trim_trailing/1`, `/2`."""
    text = need_text(text, "String.trim_trailing/1")
    if part is MISSING:
        return text.rstrip(WHITE)
    return _trailing(text, need_text(part, "String.trim_trailing/2"))


# Padding


def _pad(text: Any, count: Any, padding: Any, where: str) -> str:
    text = need_text(text, where)
    if type(count) is not int or count < 0:
        raise clause(where)
    if type(padding) is not list and type(padding) is not str:
        raise clause(where)
    if padding in ([], ""):
        raise clause(where)
    missing = limited(count) - length(text)
    if missing <= 0:
        return ""
    units: list[Any] = padding if isinstance(padding, list) else graphemes_of(padding)
    wrong = next((part for part in units if type(part) is not str), None)
    if wrong is not None:
        raise argument(f"expected a string padding element, got: {inspect(wrong)}")
    if not units:
        return ""
    return "".join((units * (missing // len(units) + 1))[:missing])


@define("String", "pad_leading", 2, 3)
def pad_leading(text: Any, count: Any, padding: Any = " ") -> str:
    """`String.pad_leading/2`, `/3`."""
    return _pad(text, count, padding, "String.pad_leading/3") + str(text)


@define("String", "pad_trailing", 2, 3)
def pad_trailing(text: Any, count: Any, padding: Any = " ") -> str:
    """`String.pad_trailing/2`, `/3`."""
    return str(text) + _pad(text, count, padding, "String.pad_trailing/3")


@define("String", "duplicate", 2)
def duplicate(text: Any, count: Any) -> str:
    """`String.duplicate/2`."""
    if type(text) is not str:
        raise argument_error(1, "not a binary")
    if type(count) is not int or count < 0:
        raise argument_error(2, "out of range" if type(count) is int else "not an integer")
    limited(len(text) * count // 40)
    return text * count


# Unicode

_FORMS: Final = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}


@define("String", "normalize", 2)
def normalize(text: Any, form: Any) -> str:
    """`String.normalize/2`."""
    found = _FORMS.get(getattr(form, "name", ""))
    if found is None or type(text) is not str:
        raise clause("String.normalize/2")
    return unicodedata.normalize(found, text)  # type: ignore[arg-type]


@define("String", "equivalent?", 2)
def equivalent(a: Any, b: Any) -> bool:
    """`String.equivalent?/2`."""
    need_text(a, "String.equivalent?/2")
    need_text(b, "String.equivalent?/2")
    return unicodedata.normalize("NFD", a) == unicodedata.normalize("NFD", b)


DEFAULT: Final = atom("default")


@define("String", "valid?", 1, 2)
def valid(text: Any, algorithm: Any = DEFAULT) -> bool:
    """`String.valid?/1`, `/2`; both algorithms give the same."""
    if type(text) is not str or algorithm not in (DEFAULT, atom("fast_ascii")):
        raise clause("String.valid?/2")
    return is_utf8(text)


@define("String", "to_charlist", 1)
def to_charlist(text: Any) -> list[int]:
    """`String.to_charlist/1`."""
    if not is_utf8(need_text(text, "String.to_charlist/1")):
        raise ElixirError("UnicodeConversionError", f"invalid encoding starting at {inspect(text)}")
    return [ord(char) for char in text]
