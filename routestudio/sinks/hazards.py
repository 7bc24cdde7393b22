"""Hazards of the services, found by scanning, and the rules that find them in a project.

The module `hazards` of a sink's room states what is `KNOWN`, and so does that of a package that
several rooms share. Importing one registers its rules, which are pure: they see a view of one sink
and yield findings.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from routestudio import sinks as package
from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_view import Known, SinkView

Check = Callable[[SinkView], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the findings of hazard `id` in a sink that the hazard concerns.

    `server` marks rules that report something about servers only, whatever the samples are: they
    are not asked for a sink with a Python function, which no server takes.
    """

    id: str
    check: Check
    server: bool = False


RULES: Final[dict[str, Rule]] = {}
"""Every rule by the id of its hazard, in the order of their modules."""


def rule(code: str, *, server: bool = False) -> Callable[[Check], Check]:
    """Register a rule for a hazard id. Raises `ValueError` for a second one of that id."""

    def register(check: Check) -> Check:
        if code in RULES:
            raise ValueError(f"there are two rules for {code}")
        RULES[code] = Rule(code, check, server)
        return check

    return register


@cache
def by_sink() -> Mapping[str, Known]:
    """What is known of each sink type, by its key, which is the name of its room."""
    rooms = (info.name for info in pkgutil.iter_modules(package.__path__) if info.ispkg)
    names = [name for name in rooms if not name.startswith("_")]
    return {name: _known(f"{package.__name__}.{name}.hazards") for name in names}


@cache
def shared() -> tuple[Known, ...]:
    """What is known of several sinks alike; which, their own `also` shows."""
    base = f"{package.__name__}._shared"
    folder = importlib.import_module(base).__path__
    found = pkgutil.walk_packages(folder, f"{base}.")
    return tuple(_known(info.name) for info in found if info.name.endswith(".hazards"))


def _known(module: str) -> Known:
    known: Known = importlib.import_module(module).KNOWN
    return known
