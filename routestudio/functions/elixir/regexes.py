"""Compiled regular expressions as structs."""

from __future__ import annotations

from typing import Any

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


def _regex(source: str, opts: list[Any]) -> Regex:
    from routestudio.functions.elixir.lib.regex import compiled

    return compiled(source, opts)
