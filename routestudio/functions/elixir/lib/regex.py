"""Regex."""

from __future__ import annotations

import re as std
from types import FunctionType
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, argument, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import iodata, option
from routestudio.functions.elixir.pcre import Pattern
from routestudio.functions.elixir.pcre_pieces import PatternError
from routestudio.functions.elixir.regexes import Regex, compiled
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.runtime import MISSING, called
from routestudio.functions.elixir.values import (
    ERROR,
    OK,
    Atom,
    atom,
    bytes_of,
    is_utf8,
    text_of,
    whole,
)


@elixir("Regex.compile(source, [options])", "`{:ok, regex}`, or an error.")
def compile_(source: Any, options: Any = "") -> Any:
    if type(source) is not str:
        raise clause("Regex.compile/3")
    try:
        return OK, compiled(source, options)
    except PatternError as error:
        return ERROR, ([ord(char) for char in str(error)], error.position)


@elixir("Regex.compile!(source, [options])", "A regular expression; raises for a wrong one.")
def compile_b(source: Any, options: Any = "") -> Any:
    if type(source) is not str:
        raise clause("Regex.compile/3")
    try:
        return compiled(source, options)
    except PatternError as error:
        text = f"{error} at position {error.position}"
        raise ElixirError("Regex.CompileError", text) from None


def _need(value: Any, where: str) -> Regex:
    if isinstance(value, Regex):
        return value
    raise clause(where)


class _Found:
    """A match: the groups as texts or as byte positions."""

    def __init__(self, pattern: Pattern, match: Any, subject: str, original: str) -> None:
        self.match = match
        self._bytes = not pattern.wide and not original.isascii()
        self._subject = subject

    def group(self, index: Any) -> str:
        value: Any = self.match.group(index)
        if value is None:
            return ""
        return text_of(value.encode("latin-1")) if self._bytes else value

    def span(self, index: Any) -> tuple[int, int]:
        start, end = self.match.span(index)
        if start < 0:
            return -1, 0
        if self._bytes or self._subject.isascii():
            return start, end - start
        first = len(bytes_of(self._subject[:start]))
        return first, len(bytes_of(self._subject[start:end]))

    def last(self) -> int:
        """The last group that took part."""
        count = self.match.re.groups
        while count and self.match.start(count) < 0:
            count -= 1
        return count


def _subject(pattern: Pattern, text: str) -> str:
    if pattern.wide and not text.isascii() and not is_utf8(text):
        raise argument("argument error")
    return pattern.subject(text)


def _search(regex: Regex, text: str, start: int = 0) -> _Found | None:
    pattern: Pattern = regex.compiled
    subject = _subject(pattern, text)
    match = pattern.compiled.search(subject, _place(subject, start) if start else 0)
    return None if match is None else _Found(pattern, match, subject, text)


def _place(subject: str, start: Any) -> int:
    """Where the byte `start` of a subject is; a text in which bytes are characters has it there."""
    if type(start) is not int or start < 0:
        raise argument_error(2, "badly formed option")
    if subject.isascii():
        return start
    return len(bytes_of(subject)[:start].decode(errors="ignore"))


def _all(regex: Regex, text: str, start: Any = 0) -> list[_Found]:
    pattern: Pattern = regex.compiled
    subject = _subject(pattern, text)
    at = _place(subject, start) if start != 0 else 0
    return [_Found(pattern, m, subject, text) for m in pattern.compiled.finditer(subject, at)]


def _captures(found: _Found, options: Any) -> Any:
    what = option(options, "capture", atom("all"))
    take = found.span if option(options, "return", atom("binary")) is atom("index") else found.group
    if type(what) is list:
        return [_chosen(found, take, name) for name in what]
    match getattr(what, "name", ""):
        case "all":
            return [take(index) for index in range(found.last() + 1)]
        case "first":
            return [take(0)]
        case "all_but_first":
            return [take(index) for index in range(1, found.last() + 1)]
        case "all_names":
            return [take(name) for name in sorted(found.match.re.groupindex)]
        case "none":
            return []
    raise argument(f"invalid capture: {inspect(what)}")


def _chosen(found: _Found, take: Any, name: Any) -> Any:
    key = name.name if type(name) is Atom else name
    try:
        return take(key)
    except IndexError:
        return "" if take == found.group else (-1, 0)


@elixir("Regex.match?(regex, text)", "Whether it matches somewhere.")
def match(regex: Any, text: Any) -> bool:
    pattern = _need(regex, "Regex.match?/2")
    if type(text) is not str:
        raise clause("Regex.match?/2")
    return _search(pattern, text) is not None


@elixir("Regex.run(regex, text, [options])", "The first match and its groups, nil without one.")
def run(regex: Any, text: Any, options: Any = MISSING) -> Any:
    pattern = _need(regex, "Regex.run/3")
    if type(text) is not str:
        raise clause("Regex.run/3")
    given = [] if options is MISSING else options
    found = _search(pattern, text, option(given, "offset", 0))
    return None if found is None else _captures(found, given)


@elixir("Regex.scan(regex, text, [options])", "All matches with their groups.")
def scan(regex: Any, text: Any, options: Any = MISSING) -> list[Any]:
    pattern = _need(regex, "Regex.scan/3")
    if type(text) is not str:
        raise clause("Regex.scan/3")
    given = [] if options is MISSING else options
    start = option(given, "offset", 0)
    hits = _all(pattern, text) if start == 0 else _all(pattern, text, start)
    rows = [_captures(found, given) for found in hits]
    what = option(given, "capture")
    # Erlang returns only that there is a match when nothing of it is asked for.
    nothing = what == [] or getattr(what, "name", "") in ("none", "all_names")
    return [row for row in rows if row] if nothing else rows


@elixir(
    "Regex.named_captures(regex, text, [options])",
    "The named groups as a map, nil without a match.",
)
def named_captures(regex: Any, text: Any, options: Any = MISSING) -> Any:
    pattern = _need(regex, "Regex.named_captures/3")
    if type(text) is not str:
        raise clause("Regex.run/3")
    found = _search(pattern, text)
    if found is None:
        return None
    take = (
        found.span
        if option([] if options is MISSING else options, "return") is atom("index")
        else found.group
    )
    return {name: take(name) for name in pattern.compiled.names}


@elixir("Regex.names(regex)", "The names of its groups.")
def names(regex: Any) -> list[str]:
    return list(_need(regex, "Regex.names/1").compiled.names)


@elixir("Regex.source(regex)", "The text of the expression.")
def source(regex: Any) -> str:
    return _need(regex, "Regex.source/1").source


@elixir("Regex.opts(regex)", "Its options.")
def opts(regex: Any) -> Any:
    return _need(regex, "Regex.opts/1").opts


@elixir("Regex.regex?(value)", "Whether the value is a regular expression.")
def is_regex(value: Any) -> bool:
    return isinstance(value, Regex)


_SPECIAL: Final = std.compile(r"[.^$*+?()\[{\\|\s#\]}\-]", std.ASCII)


@elixir("Regex.escape(text)", "The text with special characters escaped.")
def escape(text: Any) -> str:
    if type(text) is not str:
        raise clause("Regex.escape/1")
    return _SPECIAL.sub(lambda m: "\\" + m[0], text)


@elixir("Regex.split(regex, text, [options])", "The parts between the matches.")
def split(regex: Any, text: Any, options: Any = MISSING) -> list[str]:
    pattern = _need(regex, "Regex.split/3")
    if type(text) is not str:
        raise clause("Regex.split/3")
    given = [] if options is MISSING else options
    trim = option(given, "trim", False) not in (None, False)
    include = option(given, "include_captures", False) not in (None, False)
    parts = option(given, "parts", atom("infinity"))
    on = option(given, "on", atom("first"))
    if not text:
        return [] if trim else [""]
    subject = pattern.compiled.subject(text)
    as_bytes = subject is not text and not pattern.compiled.wide
    places = [place for found in _all(pattern, text) for place in _places(found, on)]
    budget = None if type(parts) is Atom or parts is None else parts
    pieces = _pieces(subject, places, budget, trim, include)
    return [text_of(p.encode("latin-1")) for p in pieces] if as_bytes else pieces


def _pieces(
    subject: str, places: list[tuple[int, int]], budget: int | None, trim: bool, include: bool
) -> list[str]:
    """What stands between matches and, with `include`, the matches, also empty ones."""
    pieces: list[str] = []
    position = 0
    for start, end in places:
        if (trim and position >= len(subject)) or (budget is not None and budget <= 1):
            break
        if start < position:
            continue
        if start == position:
            again = position != 0 and start == end
            if include and trim and not again:
                pieces.append(subject[start:end])
            if include and budget is not None and (trim or again):
                budget -= 1
            if trim or again:
                position = end
                continue
        pieces.append(subject[position:start])
        if include:
            pieces.append(subject[start:end])
        if budget is not None:
            budget -= 1
        position = end
    if not trim or position < len(subject):
        pieces.append(subject[position:])
    return pieces


def _places(found: _Found, on: Any) -> list[tuple[int, int]]:
    if type(on) is list:
        return [found.match.span(n.name if type(n) is Atom else n) for n in on]
    if on is atom("all_but_first"):
        return [found.match.span(i) for i in range(1, found.last() + 1)]
    if on is atom("all_names"):
        return [found.match.span(n) for n in sorted(found.match.re.groupindex)]
    return [found.match.span()]


_REPLACEMENT: Final = std.compile(r"\\(?:g\{(\d+)\}|(\d)|(\\))")


def _filled(template: str, found: _Found) -> str:
    def part(match: std.Match[str]) -> str:
        if match[3]:
            return "\\"
        number = int(match[1] or match[2])
        return found.group(number) if number <= found.match.re.groups else ""

    return _REPLACEMENT.sub(part, template)


@elixir(
    "Regex.replace(regex, text, new, [options])",
    "All matches replaced by a text or a closure's result.",
)
def replace(regex: Any, text: Any, new: Any, options: Any = MISSING) -> str:
    pattern = _need(regex, "Regex.replace/4")
    if type(text) is not str:
        raise clause("Regex.replace/4")
    given = [] if options is MISSING else options
    everywhere = option(given, "global", True) not in (None, False)
    subject = pattern.compiled.subject(text)
    as_bytes = subject is not text and not pattern.compiled.wide
    pieces: list[str] = []
    position = 0
    found_all = (
        _all(pattern, text)
        if everywhere
        else [found for found in [_search(pattern, text)] if found is not None]
    )
    if found_all and type(new) is not str and type(new) is not FunctionType:
        raise clause("Regex.apply_list/6")
    for found in found_all:
        start, end = found.match.span()
        before = subject[position:start]
        pieces.append(text_of(before.encode("latin-1")) if as_bytes else before)
        if type(new) is str:
            pieces.append(_filled(new, found))
        else:
            count = new.__code__.co_argcount  # type: ignore[union-attr]
            groups = [found.group(i) if i <= found.match.re.groups else "" for i in range(count)]
            pieces.append(iodata(called(new, count)(*groups)))
        position = end
    rest = subject[position:]
    pieces.append(text_of(rest.encode("latin-1")) if as_bytes else rest)
    return whole("".join(pieces))


unevaluated(
    "Regex",
    "import/1 re_pattern/1 recompile/1 recompile!/1 to_embed/1,2 unescape_map/1 version/0",
)
