"""What a program hands to the worker instead of a value: one that is written, or for text only."""

from __future__ import annotations

from typing import Any


class Exact:
    """A result in the tagged encoding, as JSON text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Guessed:
    """A result for values as text, after the function failed on the types that they were taken for.

    `fault` is how it failed.
    """

    __slots__ = ("fault", "value")

    def __init__(self, value: Any, fault: dict[str, Any]) -> None:
        self.value = value
        self.fault = fault


def is_false(value: Any) -> bool:
    """Whether a filter gave false for values as text."""
    return type(value) is Guessed and value.value is False
