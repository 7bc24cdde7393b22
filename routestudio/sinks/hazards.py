"""What a rule is, and all of them. Rules are pure: they see a view and yield findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_view import SinkView

Check = Callable[[SinkView], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the findings of hazard `id` in a sink.

    `sinks` are the keys of the types that it is asked for, none for all. `server` marks rules
    that report something about servers only, whatever the samples are: they are not asked for a
    sink with a Python function, which no server takes.
    """

    id: str
    check: Check
    sinks: tuple[str, ...] = ()
    server: bool = False


RULES: Final[dict[str, Rule]] = {}
"""Every rule by the id of its hazard, in the order of their modules."""


def rule(code: str, *sinks: str, server: bool = False) -> Callable[[Check], Check]:
    """Register a rule for a hazard id. Raises `ValueError` for a second one of that id."""

    def register(check: Check) -> Check:
        if code in RULES:
            raise ValueError(f"there are two rules for {code}")
        RULES[code] = Rule(code, check, sinks, server)
        return check

    return register
