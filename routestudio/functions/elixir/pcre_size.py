"""How large a pattern becomes, added up while it is read and before anything compiles it.

PCRE writes a repeated group out as often as it may match, and refuses a pattern of more than 64 K.
The `regex` package writes out what must match, of single characters too, and refuses nothing: a
pattern of a few characters can take all memory there is.
"""

from __future__ import annotations

from typing import Final

from routestudio.functions.elixir.errors import NotEvaluated

MAX_COUNT: Final = 65_535
MAX_SIZE: Final = 1 << 16
"""Bytes of a compiled pattern, as Erlang builds PCRE (links of two bytes)."""

MAX_PARTS: Final = 200_000
"""Parts that we are ready to compile: some 30 MB, for a tenth of a second."""

CHARACTER: Final = 2
KIND: Final = 1
SET: Final = 33
_GROUP: Final = 6
_CAPTURE: Final = 2
_COUNT: Final = 2
_SET_RANGE: Final = 5
_WHOLE: Final = 7


class RefusedError(Exception):
    """PCRE would refuse the pattern as a whole; the text is its own."""


class Measure:
    """Sums of a pattern: a frame for each open group, with its size and its parts.

    `last` of a frame is what a quantifier that follows would repeat.
    """

    def __init__(self) -> None:
        self._frames: list[_Frame] = [_Frame(_WHOLE)]
        self._endless = False

    def atom(self, size: int) -> None:
        """One character, set or assertion."""
        frame = self._frames[-1]
        frame.settle()
        frame.last = size, 1
        frame.last_group = False

    def opened(self, *, capture: bool, behind: bool = False) -> None:
        """A group begins; `behind`: it looks at what stands before."""
        self._frames.append(_Frame(_GROUP + (_CAPTURE if capture else 0)))
        self._frames[-1].behind = behind or self._frames[-2].behind

    def closed(self) -> None:
        """A group ends; one that was never opened is left to the compiler."""
        if len(self._frames) == 1:
            return
        frame = self._frames.pop()
        frame.settle()
        outer = self._frames[-1]
        outer.settle()
        outer.last, outer.last_group = (frame.size, frame.parts), True

    def repeated(self, low: int, high: int | None) -> None:
        """What came last may match `low` to `high` times."""
        frame = self._frames[-1]
        self._endless |= high is None and frame.behind
        size, parts = frame.last
        if frame.last_group:
            size *= max(1, low if high is None else high)
        elif size >= SET:
            size += _SET_RANGE
        elif low == high or low == 0:
            size += _COUNT
        else:
            # The characters that must be there, and then the others.
            size += size + (_COUNT if high is None or low == 1 else 2 * _COUNT)
        frame.last, frame.last_group = (size, parts * max(1, low)), True

    def finish(self) -> None:
        """The pattern ends. Raises `RefusedError`, or `NotEvaluated` where only we refuse it."""
        while len(self._frames) > 1:
            self.closed()
        whole = self._frames[0]
        whole.settle()
        if self._endless:
            raise RefusedError("length of lookbehind assertion is not limited")
        if whole.size > MAX_SIZE:
            raise RefusedError("regular expression is too large")
        if whole.parts > MAX_PARTS:
            raise NotEvaluated(f"a regular expression of more than {MAX_PARTS:,} repeated parts")


class _Frame:
    __slots__ = ("behind", "last", "last_group", "parts", "size")

    def __init__(self, size: int) -> None:
        self.size, self.parts = size, 1
        self.last = 0, 0
        self.last_group = self.behind = False

    def settle(self) -> None:
        """Nothing can repeat the last piece any more."""
        self.size += self.last[0]
        self.parts += self.last[1]
        self.last = 0, 0
        self.last_group = False
