"""A result that is written already: what a program hands to the worker instead of a value."""

from __future__ import annotations


class Exact:
    """A result in the tagged encoding, as JSON text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
