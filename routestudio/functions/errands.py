"""What a worker may be asked about a text, and its answers, as everybody else knows them.

The work itself is `desk`, which only workers load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from routestudio.errors import UsageError
from routestudio.model.function import Diagnostic

SECONDS: Final = 2.0
MEMORY: Final = 200 << 20
"""The most that a worker for formatting and conversions may have, in bytes."""

FORMATTER: Final = "formatter"
"""Argument of a worker that loads what formatting and conversions need: a third of a second."""

ELIXIR: Final = "elixir"
"""Argument of a worker that loads what Elixir functions need: another third."""

SHORT: Final = frozenset({"check", "analysis"})
"""Tasks that any worker can do: what the others need is loaded in one alone."""


def value_of(answer: Any) -> Any:
    """What a task gave. Raises `UsageError` where it refused the text."""
    if "refused" in answer:
        message, hint = answer["refused"]
        raise UsageError(str(message), hint=hint)
    return answer["value"]


def diagnostics_of(items: Sequence[Sequence[Any]]) -> list[Diagnostic]:
    """The diagnostics that a check gave."""
    return [Diagnostic(*item) for item in items]
