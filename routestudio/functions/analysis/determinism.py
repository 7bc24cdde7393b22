"""Warnings of places where a function's result comes to depend on the clock or on chance."""

from __future__ import annotations

from typing import Final

from routestudio.model.analysis import Varying
from routestudio.model.function import Diagnostic

CODE: Final = "not_determined"
"""Code of these warnings."""

_HINT: Final = "use a value of the message, such as `metadata.commit_timestamp`"


def warning_of(spot: Varying) -> Diagnostic:
    """What the check of a text reports of such a place."""
    if spot.chance:
        text = "reads random values: the result is another each time"
    else:
        text = "reads the clock: the result depends on when it runs"
    return Diagnostic(
        spot.line, spot.column, CODE, text, spot.line, spot.end_column,
        severity="warning", hint=_HINT,
    )  # fmt: skip
