"""String: graphemes, case, parts, trimming."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from types import FunctionType
from typing import Any, Final

import regex as re

from routestudio.functions.elixir.errors import (
    ElixirError,
    NotEvaluated,
    argument,
    argument_error,
    clause,
)
from routestudio.functions.elixir.inspecting import inspect, printable
from routestudio.functions.elixir.lib.common import iodata, limited, need_text, option, unary
from routestudio.functions.elixir.lib.integer import MAX_TEXT, digits_of
from routestudio.functions.elixir.lib.regex import match as regex_match
from routestudio.functions.elixir.lib.regex import replace as regex_replace
from routestudio.functions.elixir.lib.regex import scan as regex_scan
from routestudio.functions.elixir.lib.regex import split as regex_split
from routestudio.functions.elixir.myers import script
from routestudio.functions.elixir.regexes import Regex
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.runtime import MISSING
from routestudio.functions.elixir.values import Atom, atom, bytes_of, is_utf8, text_of, whole

_DEFAULT: Final = atom("default")

_GRAPHEME: Final = re.compile(r"\X", re.DOTALL)
# White_Space of Unicode; `split` does not cut at the three that forbid a break.
WHITE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)
BREAKING: Final = "".join(char for char in WHITE if char not in "\xa0\u202f\u2007")


def graphemes_of(text: str) -> list[str]:
    """Grapheme clusters; a byte that is not text is one by itself."""
    if text.isascii() and "\r" not in text:
        return list(text)
    return _GRAPHEME.findall(text)  # type: ignore[no-any-return]


@elixir("String.length(text)", "The number of characters as they are seen.")
def length(text: Any) -> int:
    text = need_text(text, "String.length/1")
    return len(text) if text.isascii() and "\r" not in text else len(graphemes_of(text))


@elixir("String.graphemes(text)", "The characters as they are seen.")
def graphemes(text: Any) -> list[str]:
    return graphemes_of(need_text(text, "String.graphemes/1"))


@elixir("String.codepoints(text)", "The code points of a text.")
def codepoints(text: Any) -> list[str]:
    return list(need_text(text, "String.codepoints/1"))


@elixir("String.next_codepoint(text)", "The first code point and the rest.")
def next_codepoint(text: Any) -> Any:
    text = need_text(text, "String.next_codepoint/1")
    return (text[0], text[1:]) if text else None


@elixir("String.next_grapheme(text)", "The first character and the rest.")
def next_grapheme(text: Any) -> Any:
    text = need_text(text, "String.next_grapheme/1")
    if not text:
        return None
    first = graphemes_of(text[:64])[0] if len(text) < 64 else graphemes_of(text)[0]
    return first, text[len(first) :]


@elixir("String.first(text)", "The first character, nil for an empty text.")
def first(text: Any) -> Any:
    found = graphemes_of(need_text(text, "String.first/1"))
    return found[0] if found else None


@elixir("String.last(text)", "The last character, nil for an empty text.")
def last(text: Any) -> Any:
    found = graphemes_of(need_text(text, "String.last/1"))
    return found[-1] if found else None


@elixir(
    "String.at(text, index)",
    "The character at a position from 0; negative ones count from the end.",
)
def at(text: Any, index: Any) -> Any:
    if type(text) is not str or type(index) is not int:
        raise clause("String.at/2")
    found = graphemes_of(text)
    return found[index] if -len(found) <= index < len(found) else None


@elixir("String.reverse(text)", "The characters from last to first.")
def reverse(text: Any) -> str:
    return whole("".join(reversed(graphemes_of(need_text(text, "String.reverse/1")))))


@elixir("String.slice(text, start, length)", "A part counted in characters.")
def slice_(text: Any, start: Any, count: Any) -> str:
    if count == 0 and type(count) is int:
        return ""
    if type(text) is not str or type(start) is not int or type(count) is not int or count < 0:
        raise clause("String.slice/3")
    found: Any = text if text.isascii() and "\r" not in text else graphemes_of(text)
    if start < 0:
        start = max(0, start + len(found))
    return "".join(found[start : start + count])


@elixir(
    "String.byte_slice(text, start, length)",
    "A part counted in bytes, without halves of characters.",
)
def byte_slice(text: Any, start: Any, count: Any) -> str:
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


@elixir("String.split_at(text, position)", "The parts before and after a position.")
def split_at(text: Any, index: Any) -> Any:
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
    if mode not in (_DEFAULT, atom("ascii"), atom("greek"), atom("turkic")):
        raise clause(where)
    if mode is atom("turkic"):
        raise NotEvaluated("the :turkic mode of case functions")
    return str(mode.name)


@elixir("String.upcase(text, [mode])", "All letters large.", python="str.upper")
def upcase(text: Any, mode: Any = _DEFAULT) -> str:
    if mode is _DEFAULT and type(text) is str:
        return text.upper()
    return upper(need_text(text, "String.upcase/2"), _mode(mode, "String.upcase/2"))


@elixir("String.downcase(text, [mode])", "All letters small.", python="str.lower")
def downcase(text: Any, mode: Any = _DEFAULT) -> str:
    if mode is _DEFAULT and type(text) is str:
        return lower(text)
    return lower(need_text(text, "String.downcase/2"), _mode(mode, "String.downcase/2"))


@elixir("String.capitalize(text, [mode])", "The first letter large, the others small.")
def capitalize(text: Any, mode: Any = _DEFAULT) -> str:
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


@elixir("String.trim(text, [part])", "Without white space at both ends.", python="str.strip")
def trim(text: Any, part: Any = MISSING) -> str:
    return trim_trailing(trim_leading(text, part), part)


@elixir(
    "String.trim_leading(text, [part])", "Without white space at the start.", python="str.lstrip"
)
def trim_leading(text: Any, part: Any = MISSING) -> str:
    text = need_text(text, "String.trim_leading/1")
    if part is MISSING:
        return text.lstrip(WHITE)
    return _leading(text, need_text(part, "String.trim_leading/2"))


@elixir(
    "String.trim_trailing(text, [part])", "Without white space at the end.", python="str.rstrip"
)
def trim_trailing(text: Any, part: Any = MISSING) -> str:
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


@elixir("String.pad_leading(text, count, [padding])", "Filled in front up to so many characters.")
def pad_leading(text: Any, count: Any, padding: Any = " ") -> str:
    return _pad(text, count, padding, "String.pad_leading/3") + str(text)


@elixir(
    "String.pad_trailing(text, count, [padding])", "Filled at the end up to so many characters."
)
def pad_trailing(text: Any, count: Any, padding: Any = " ") -> str:
    return str(text) + _pad(text, count, padding, "String.pad_trailing/3")


@elixir("String.duplicate(text, count)", "The text several times.")
def duplicate(text: Any, count: Any) -> str:
    if type(text) is not str:
        raise argument_error(1, "not a binary")
    if type(count) is not int or count < 0:
        raise argument_error(2, "out of range" if type(count) is int else "not an integer")
    limited(len(text) * count // 40)
    return text * count


# Unicode

_FORMS: Final = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}


@elixir("String.normalize(text, form)", "The text in a normal form, such as :nfc.")
def normalize(text: Any, form: Any) -> str:
    found = _FORMS.get(getattr(form, "name", ""))
    if found is None or type(text) is not str:
        raise clause("String.normalize/2")
    return unicodedata.normalize(found, text)  # type: ignore[arg-type]


@elixir("String.equivalent?(a, b)", "Whether two texts are the same once they are normalised.")
def equivalent(a: Any, b: Any) -> bool:
    need_text(a, "String.equivalent?/2")
    need_text(b, "String.equivalent?/2")
    return unicodedata.normalize("NFD", a) == unicodedata.normalize("NFD", b)


@elixir("String.valid?(text)", "Whether all bytes are UTF-8.", takes=(1, 2))
def valid(text: Any, algorithm: Any = _DEFAULT) -> bool:
    """`String.valid?/1`, `/2`; both algorithms give the same."""
    if type(text) is not str or algorithm not in (_DEFAULT, atom("fast_ascii")):
        raise clause("String.valid?/2")
    return is_utf8(text)


@elixir("String.to_charlist(text)", "The code points as a list of integers.")
def to_charlist(text: Any) -> list[int]:
    if not is_utf8(need_text(text, "String.to_charlist/1")):
        raise ElixirError("UnicodeConversionError", f"invalid encoding starting at {inspect(text)}")
    return [ord(char) for char in text]


def _patterns(pattern: Any, where: str) -> list[str]:
    """A text or a list of texts to search for."""
    if type(pattern) is str:
        return [pattern]
    if type(pattern) is list and all(type(part) is str for part in pattern):
        if "" in pattern:
            raise argument_error(2, "not a valid pattern")
        return pattern
    raise argument(f"{where} expects a string or a list of strings, got: {inspect(pattern)}")


def _contains(text: Any, pattern: Any, name: str) -> list[str]:
    where = f"String.{name}/2"
    need_text(text, where)
    if type(pattern) is str:
        return [pattern]
    if type(pattern) is not list:
        if name == "ends_with?":
            raise clause(where)
        raise argument_error(2, "not a valid pattern")
    if not all(type(part) is str for part in pattern):
        raise argument_error(2, "not a valid pattern")
    return pattern


@elixir("String.contains?(text, part)", "Whether a text holds a part, or one of several.")
def contains(text: Any, pattern: Any) -> bool:
    return any(part in text for part in _contains(text, pattern, "contains?"))


@elixir(
    "String.starts_with?(text, start)",
    "Whether a text starts with one of these.",
    python="str.startswith",
)
def starts_with(text: Any, pattern: Any) -> bool:
    return any(text.startswith(part) for part in _contains(text, pattern, "starts_with?"))


@elixir(
    "String.ends_with?(text, end)", "Whether a text ends in one of these.", python="str.endswith"
)
def ends_with(text: Any, pattern: Any) -> bool:
    return any(text.endswith(part) for part in _contains(text, pattern, "ends_with?"))


@elixir("String.match?(text, regex)", "Whether a regular expression matches somewhere.")
def match(text: Any, pattern: Any) -> bool:
    need_text(text, "String.match?/2")
    return regex_match(pattern, text)


def _find(text: str, patterns: list[str], start: int) -> tuple[int, int] | None:
    """The first place of any of the patterns; the longest of those that begin there."""
    best: tuple[int, int] | None = None
    for part in patterns:
        at = text.find(part, start)
        if at >= 0 and (best is None or at < best[0] or (at == best[0] and len(part) > best[1])):
            best = (at, len(part))
    return best


@elixir("String.split(text, [pattern], [options])", "The parts between white space or a pattern.")
def split(text: Any, pattern: Any = MISSING, options: Any = MISSING) -> list[str]:
    where = "String.split/3"
    if pattern is MISSING:
        if type(text) is not str:
            raise argument_error(1, "not a binary")
        return [part for part in _words(need_text(text, "String.split/1")) if part]
    given = [] if options is MISSING else options
    need_text(text, where)
    if isinstance(pattern, Regex):
        return regex_split(pattern, text, given)
    trim = option(given, "trim", False) not in (None, False)
    parts = option(given, "parts")
    limit = None if type(parts) is Atom or parts is None else parts
    if limit is not None and (type(limit) is not int or limit < 1):
        raise clause(where)
    if type(pattern) is str:
        found = _split(text, [pattern], limit, trim) if pattern else _chars(text, limit, trim)
    elif type(pattern) is list and all(type(part) is str and part for part in pattern):
        found = _split(text, pattern, limit, trim) if pattern and text else [text]
        found = [] if trim and not text else found
    elif limit is not None and not (limit == 2 and not trim):
        raise argument_error(1, "not a valid pattern")  # it is compiled, whatever the text
    else:
        raise argument_error(2, "not a valid pattern")
    return found


def _words(text: str) -> list[str]:
    found: list[str] = []
    word: list[str] = []
    for char in text:
        if char in BREAKING:
            found.append("".join(word))
            word = []
        else:
            word.append(char)
    return [*found, "".join(word)]


def _split(text: str, patterns: list[str], limit: int | None, trim: bool) -> list[str]:
    found: list[str] = []
    start = 0
    while limit is None or len(found) < limit - 1:
        hit = _find(text, patterns, start) if patterns else None
        if hit is None:
            break
        part = text[start : hit[0]]
        if part or not trim:
            found.append(part)
        start = hit[0] + hit[1]
    rest = text[start:]
    if trim and limit is not None:
        while (hit := _find(rest, patterns, 0)) is not None and hit[0] == 0:
            rest = rest[hit[1] :]
    return [*found, rest] if rest or not trim else found


def _chars(text: str, limit: int | None, trim: bool) -> list[str]:
    """`String.split(text, "")`: between all graphemes and at both ends."""
    parts = graphemes_of(text)
    pieces = parts if trim else ["", *parts, ""]
    if limit is not None and len(pieces) > limit:
        return [*pieces[: limit - 1], "".join(pieces[limit - 1 :])]
    return pieces


@elixir("String.splitter(text, pattern, [options])", "The same as split, one part after the other.")
def splitter(text: Any, pattern: Any, options: Any = MISSING) -> list[str]:
    need_text(text, "String.splitter/3")
    if type(pattern) not in (str, list):
        raise argument_error(1, "not a valid pattern")
    return split(text, pattern, [] if options is MISSING else options)


@elixir("String.count(text, part)", "How often a part is in a text.")
def count(text: Any, pattern: Any) -> int:
    need_text(text, "String.count/2")
    if isinstance(pattern, Regex):
        return len(regex_scan(pattern, text))
    if pattern == "":
        return length(text) + 1
    return len(_split(text, _patterns(pattern, "String.count/2"), None, False)) - 1


@elixir(
    "String.replace(text, pattern, new, [options])",
    "All matches of a text or regular expression replaced.",
)
def replace(text: Any, pattern: Any, new: Any, options: Any = MISSING) -> str:
    where = "String.replace/4"
    need_text(text, where)
    given = [] if options is MISSING else options
    closure = type(new) is FunctionType and new.__code__.co_argcount == 1
    if type(new) is not str and not closure:
        raise clause(where)
    if isinstance(pattern, Regex):
        return regex_replace(pattern, text, new, given)
    change = None if type(new) is str else unary(new)
    everywhere = option(given, "global", True) not in (None, False)
    if pattern == "":
        return _between(text, new, change, everywhere)
    if type(pattern) is not str and type(pattern) is not list:
        raise argument_error(2, "not a valid pattern")
    patterns = _patterns(pattern, where)
    found: list[str] = []
    start = 0
    while True:
        hit = _find(text, patterns, start) if patterns else None
        if hit is None:
            break
        found.append(text[start : hit[0]])
        start = hit[0] + hit[1]
        found.append(str(new) if change is None else iodata(change(text[hit[0] : start])))
        if not everywhere:
            break
    return whole("".join([*found, text[start:]]))


def _between(text: str, new: Any, change: Any, everywhere: bool) -> str:
    piece = new if change is None else iodata(change(""))
    if not everywhere:
        return whole(piece + text)
    return whole(piece + "".join(part + piece for part in graphemes_of(text)))


@elixir(
    "String.replace_prefix(text, part, new)",
    "The start replaced, when it is this.",
    python="str.removeprefix",
)
def replace_prefix(text: Any, prefix: Any, new: Any) -> str:
    for part in (text, prefix, new):
        need_text(part, "String.replace_prefix/3")
    return new + text[len(prefix) :] if text.startswith(prefix) else text


@elixir(
    "String.replace_suffix(text, part, new)",
    "The end replaced, when it is this.",
    python="str.removesuffix",
)
def replace_suffix(text: Any, suffix: Any, new: Any) -> str:
    for part in (text, suffix, new):
        need_text(part, "String.replace_suffix/3")
    return text[: len(text) - len(suffix)] + new if text.endswith(suffix) else text


@elixir("String.replace_leading(text, part, new)", "Every repetition at the start replaced.")
def replace_leading(text: Any, part: Any, new: Any) -> str:
    for item in (text, part, new):
        need_text(item, "String.replace_leading/3")
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    times = 0
    while text.startswith(part):
        text, times = text[len(part) :], times + 1
    return new * times + text


@elixir("String.replace_trailing(text, part, new)", "Every repetition at the end replaced.")
def replace_trailing(text: Any, part: Any, new: Any) -> str:
    for item in (text, part, new):
        need_text(item, "String.replace_trailing/3")
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    times = 0
    while text.endswith(part):
        text, times = text[: -len(part)], times + 1
    return text + new * times


@elixir("String.replace_invalid(text, [new])", "Bytes that are not text replaced.")
def replace_invalid(text: Any, new: Any = "\ufffd") -> str:
    need_text(text, "String.replace_invalid/2")
    if is_utf8(text):
        return str(text)
    decoded = bytes_of(text).decode("utf-8", "replace")
    return decoded if new == "\ufffd" else decoded.replace("\ufffd", new)


@elixir("String.printable?(text, [limit])", "Whether all characters can be printed.")
def is_printable(text: Any, limit: Any = None) -> bool:
    need_text(text, "String.printable?/2")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise clause("String.printable?/2")
    return printable(text if limit is None else text[:limit])


@elixir("String.chunk(text, kind)", "Parts that are valid or printable, and parts that are not.")
def chunk(text: Any, kind: Any) -> list[str]:
    need_text(text, "String.chunk/2")
    test = {"valid": is_utf8, "printable": printable}.get(getattr(kind, "name", ""))
    if test is None:
        raise clause("String.chunk/2")
    found: list[str] = []
    last: bool | None = None
    for char in text:
        now = test(char)
        if last is now:
            found[-1] += char
        else:
            found.append(char)
        last = now
    return found


@elixir("String.jaro_distance(a, b)", "How alike two texts are, from 0 to 1.")
def jaro_distance(a: Any, b: Any) -> float:
    if (a == "") != (b == ""):
        return 0.0  # the other value is not looked at
    need_text(a, "String.jaro_distance/2")
    need_text(b, "String.jaro_distance/2")
    for text in (a, b):
        if a != b and not is_utf8(text):
            raise argument(f"argument error: {inspect(text)}")
    left, right = graphemes_of(a), graphemes_of(b)
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    reach = max(len(left), len(right)) // 2 - 1
    short, long = (left, right) if len(left) < len(right) else (right, left)
    free: list[str | None] = list(long)
    matched: list[str] = []
    taken: list[tuple[int, str]] = []
    for i, char in enumerate(short):
        window = range(max(0, i - reach), min(len(free), i + reach + 1))
        at = next((j for j in window if free[j] == char), None)
        if at is not None:
            free[at] = None
            matched.append(char)
            taken.append((at, char))
    if not matched:
        return 0.0
    count = len(matched)
    moved = sum(a != b for a, (_, b) in zip(matched, sorted(taken), strict=True)) / 2
    return (count / len(left) + count / len(right) + (count - moved) / count) / 3


@elixir("String.bag_distance(a, b)", "How alike two texts are, from 0 to 1, by their characters.")
def bag_distance(a: Any, b: Any) -> float:
    left = Counter(graphemes_of(need_text(a, "String.bag_distance/2")))
    right = Counter(graphemes_of(need_text(b, "String.bag_distance/2")))
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    apart = max((left - right).total(), (right - left).total())
    return 1 - apart / max(left.total(), right.total())


@elixir("String.myers_difference(a, b)", "The shortest way from one text to the other.")
def myers_difference(a: Any, b: Any) -> Any:
    left = graphemes_of(need_text(a, "String.myers_difference/2"))
    right = graphemes_of(need_text(b, "String.myers_difference/2"))
    return [(kind, "".join(part)) for kind, part in script(left, right)]


@elixir("String.to_integer(text, [base])", "An integer of its digits; raises for any other text.")
def to_integer(text: Any, base: Any = 10) -> int:
    if type(text) is not str:
        raise argument_error(1, "not a binary")
    if type(base) is not int or not 2 <= base <= 36:
        raise argument_error(2, "not an integer in the range 2 through 36")
    if not re.compile(rf"[-+]?{digits_of(base)}\Z").match(text):
        raise argument_error(1, "not a textual representation of an integer")
    if len(text) > MAX_TEXT:
        raise NotEvaluated("an integer of more than 200,000 digits")
    return int(text, base)


_FLOAT: Final = re.compile(r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")


@elixir("String.to_float(text)", "A float of a text such as `1.5`; raises for any other.")
def to_float(text: Any) -> float:
    if type(text) is not str:
        raise argument_error(1, "not a binary")
    if not _FLOAT.match(text):
        raise argument_error(1, "not a textual representation of a float")
    number = float(text)
    if math.isinf(number):
        raise argument_error(1, "not a textual representation of a float")
    return number


unevaluated(
    "String",
    "ljust/2,3 lstrip/1,2 next_grapheme_size/1 rjust/2,3 rstrip/1,2 slice/2 strip/1,2 "
    "to_atom/1 to_char_list/1 to_existing_atom/1 valid_character?/1",
)
