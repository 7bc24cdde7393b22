"""Compiled regular expressions as structs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, clause
from routestudio.functions.elixir.pcre import Pattern, compile_pattern
from routestudio.functions.elixir.values import Reference, Struct, atom


class Regex(Struct):
    """A compiled regular expression; `compiled` holds what matches.

    On OTP 28 a pattern that was compiled is a reference: a regex equals only itself.
    """

    __slots__ = ("compiled", "mark", "opts", "source")
    module = "Regex"

    def __init__(self, source: str, opts: list[Any], compiled: Any) -> None:
        self.source = source
        self.opts = opts
        self.compiled = compiled
        self.mark = Reference()

    def fields(self) -> dict[Any, Any]:
        return {atom("opts"): self.opts, atom("re_pattern"): self.mark, atom("source"): self.source}

    def __reduce__(self) -> tuple[Any, ...]:
        return _regex, (self.source, self.opts)

    def letters(self) -> str:
        """The modifiers, as they stand behind the sigil."""
        known = {"caseless": "i", "multiline": "m", "extended": "x", "unicode": "u",
                 "ungreedy": "U", "dotall": "s", "firstline": "f"}  # fmt: skip
        return "".join(known.get(getattr(o, "name", ""), "") for o in self.opts)

    def inspected(self) -> str:
        return "~r/" + self.source.replace("/", "\\/") + "/" + self.letters()


_LETTERS: Final = {
    "i": ["caseless"], "m": ["multiline"], "s": ["dotall", "newline"], "x": ["extended"],
    "u": ["unicode", "ucp"], "U": ["ungreedy"], "f": ["firstline"], "E": [],
}  # fmt: skip


_CACHE: Final[OrderedDict[tuple[str, tuple[str, ...]], Pattern]] = OrderedDict()


def _options(options: Any) -> list[Any]:
    if type(options) is list:
        return options
    if type(options) is not str:
        raise clause("Regex.compile/3")
    found: list[Any] = []
    for letter in options:
        if letter not in _LETTERS:
            raise ElixirError("ArgumentError", f'invalid regex option: "{letter}"')
        found += [
            (atom("newline"), atom("anycrlf")) if name == "newline" else atom(name)
            for name in _LETTERS[letter]
        ]
    return found


def compiled(source: str, options: Any) -> Regex:
    """A regex of these options (letters or atoms). Raises `PatternError`."""
    names = _options(options)
    key = source, tuple(getattr(name, "name", "") for name in names)
    pattern = _CACHE.get(key)
    if pattern is None:
        pattern = _CACHE[key] = compile_pattern(source, names)
        if len(_CACHE) > 500:
            _CACHE.popitem(last=False)
    return Regex(source, names, pattern)


def _regex(source: str, opts: list[Any]) -> Regex:
    return compiled(source, opts)
