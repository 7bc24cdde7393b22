"""String: searching, splitting, replacing."""

from __future__ import annotations

from collections import Counter
from types import FunctionType
from typing import Any

from routestudio.functions.elixir.errors import argument, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect, printable
from routestudio.functions.elixir.lib.common import iodata, need_text, option, unary
from routestudio.functions.elixir.lib.myers import script
from routestudio.functions.elixir.lib.regex import match as regex_match
from routestudio.functions.elixir.lib.regex import replace as regex_replace
from routestudio.functions.elixir.lib.regex import split as regex_split
from routestudio.functions.elixir.lib.strings import BREAKING, graphemes_of, length
from routestudio.functions.elixir.regexes import Regex
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING
from routestudio.functions.elixir.values import Atom, bytes_of, is_utf8, whole


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


@define("String", "contains?", 2)
def contains(text: Any, pattern: Any) -> bool:
    """`String.contains?/2`."""
    return any(part in text for part in _contains(text, pattern, "contains?"))


@define("String", "starts_with?", 2)
def starts_with(text: Any, pattern: Any) -> bool:
    """`String.starts_with?/2`."""
    return any(text.startswith(part) for part in _contains(text, pattern, "starts_with?"))


@define("String", "ends_with?", 2)
def ends_with(text: Any, pattern: Any) -> bool:
    """`String.ends_with?/2`."""
    return any(text.endswith(part) for part in _contains(text, pattern, "ends_with?"))


@define("String", "match?", 2)
def match(text: Any, pattern: Any) -> bool:
    """`String.match?/2`."""
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


@define("String", "split", 1, 2, 3)
def split(text: Any, pattern: Any = MISSING, options: Any = MISSING) -> list[str]:
    """`String.split/1`, `/2`, `/3`."""
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


@define("String", "splitter", 2, 3)
def splitter(text: Any, pattern: Any, options: Any = MISSING) -> list[str]:
    """`String.splitter/2`, `/3`."""
    need_text(text, "String.splitter/3")
    if type(pattern) not in (str, list):
        raise argument_error(1, "not a valid pattern")
    return split(text, pattern, [] if options is MISSING else options)


@define("String", "count", 2)
def count(text: Any, pattern: Any) -> int:
    """`String.count/2`."""
    need_text(text, "String.count/2")
    if isinstance(pattern, Regex):
        from routestudio.functions.elixir.lib.regex import scan

        return len(scan(pattern, text))
    if pattern == "":
        return length(text) + 1
    return len(_split(text, _patterns(pattern, "String.count/2"), None, False)) - 1


@define("String", "replace", 3, 4)
def replace(text: Any, pattern: Any, new: Any, options: Any = MISSING) -> str:
    """`String.replace/3`, `/4`."""
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


@define("String", "replace_prefix", 3)
def replace_prefix(text: Any, prefix: Any, new: Any) -> str:
    """`String.replace_prefix/3`."""
    for part in (text, prefix, new):
        need_text(part, "String.replace_prefix/3")
    return new + text[len(prefix) :] if text.startswith(prefix) else text


@define("String", "replace_suffix", 3)
def replace_suffix(text: Any, suffix: Any, new: Any) -> str:
    """`String.replace_suffix/3`."""
    for part in (text, suffix, new):
        need_text(part, "String.replace_suffix/3")
    return text[: len(text) - len(suffix)] + new if text.endswith(suffix) else text


@define("String", "replace_leading", 3)
def replace_leading(text: Any, part: Any, new: Any) -> str:
    """`String.replace_leading/3`."""
    for item in (text, part, new):
        need_text(item, "String.replace_leading/3")
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    times = 0
    while text.startswith(part):
        text, times = text[len(part) :], times + 1
    return new * times + text


@define("String", "replace_trailing", 3)
def replace_trailing(text: Any, part: Any, new: Any) -> str:
    """`String.replace_trailing/3`."""
    for item in (text, part, new):
        need_text(item, "String.replace_trailing/3")
    if not part:
        raise argument("cannot use an empty string as the match to replace")
    times = 0
    while text.endswith(part):
        text, times = text[: -len(part)], times + 1
    return text + new * times


@define("String", "replace_invalid", 1, 2)
def replace_invalid(text: Any, new: Any = "\ufffd") -> str:
    """`String.replace_invalid/1`, `/2`."""
    need_text(text, "String.replace_invalid/2")
    if is_utf8(text):
        return str(text)
    decoded = bytes_of(text).decode("utf-8", "replace")
    return decoded if new == "\ufffd" else decoded.replace("\ufffd", new)


@define("String", "printable?", 1, 2)
def is_printable(text: Any, limit: Any = None) -> bool:
    """`String.printable?/1`, `/2`."""
    need_text(text, "String.printable?/2")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise clause("String.printable?/2")
    return printable(text if limit is None else text[:limit])


@define("String", "chunk", 2)
def chunk(text: Any, kind: Any) -> list[str]:
    """`String.chunk/2`."""
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


@define("String", "jaro_distance", 2)
def jaro_distance(a: Any, b: Any) -> float:
    """`String.jaro_distance/2`."""
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


@define("String", "bag_distance", 2)
def bag_distance(a: Any, b: Any) -> float:
    """`String.bag_distance/2`."""
    left = Counter(graphemes_of(need_text(a, "String.bag_distance/2")))
    right = Counter(graphemes_of(need_text(b, "String.bag_distance/2")))
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    apart = max((left - right).total(), (right - left).total())
    return 1 - apart / max(left.total(), right.total())


@define("String", "myers_difference", 2)
def myers_difference(a: Any, b: Any) -> Any:
    """`String.myers_difference/2`."""
    left = graphemes_of(need_text(a, "String.myers_difference/2"))
    right = graphemes_of(need_text(b, "String.myers_difference/2"))
    return [(kind, "".join(part)) for kind, part in script(left, right)]
