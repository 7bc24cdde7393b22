"""Which hazard explains why a message cannot be delivered, so that each is reported once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from routestudio.sinks.hazard_view import Outcome, Problem, SinkView


def explanation(view: SinkView, outcome: Outcome, problem: Problem) -> str:
    """Id of the hazard that a problem of a message is; `GEN-13` when no other is closer."""
    own = view.known.explain
    if problem.stage == "encode":
        return (own(view, outcome, problem) if own else None) or "GEN-13"
    if problem.stage != "route" or problem.field is None:
        return "GEN-13"
    name = problem.field
    value = outcome.values.get(name)
    if name == "route":
        return "GEN-19"
    if problem.message.startswith("the default ") and not problem.message.endswith("blank"):
        return "GEN-22"
    found = own(view, outcome, problem) if own else None
    if found is not None:
        return found
    if value is None:
        if name == "headers" and outcome.given(name):
            return "GEN-29"
        return "GEN-13"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "GEN-20" if name in view.text_fields else "GEN-13"
    if isinstance(value, str):
        return "GEN-21" if odd_space(value) else "GEN-13"
    return "GEN-13"


def odd_space(value: str) -> bool:
    """Whether a text passes a server's check for white space although it has some (GEN-21)."""
    inner = value[:-1] if value.endswith("\n") else value
    if re.search(r"\s", inner, re.ASCII):
        return False
    return value.endswith("\n") or any(c.isspace() for c in value)


def failing(view: SinkView, code: str) -> Iterator[tuple[Outcome, Problem]]:
    """The messages whose first problem is explained by a hazard."""
    for outcome in view.kept:
        for problem in outcome.problems[:1]:
            if explanation(view, outcome, problem) == code:
                yield outcome, problem
