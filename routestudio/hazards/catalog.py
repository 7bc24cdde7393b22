"""Every known hazard, by id and in the order of docs/hazards.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from routestudio.hazards.known import general, yaml
from routestudio.model.hazard import Hazard
from routestudio.sinks import hazards


def _parts() -> Iterator[tuple[str, tuple[Hazard, ...]]]:
    """The hazards by what they are about, each with the sinks that it concerns."""
    yield "Every sink", tuple(_concerning(hazard) for hazard in general.HAZARDS)
    yield "The YAML file", tuple(_concerning(hazard) for hazard in yaml.HAZARDS)
    known = [(item.title, key, item.hazards) for key, item in hazards.by_sink().items()]
    known += [(item.title, "", item.hazards) for item in hazards.shared()]
    for title, key, found in sorted(known):
        if found:
            yield title, tuple(_concerning(hazard, key) for hazard in found)


def _concerning(hazard: Hazard, owner: str = "") -> Hazard:
    also = [key for key, known in hazards.by_sink().items() if hazard.id in known.also]
    return replace(hazard, sinks=tuple(filter(None, (owner, *also))))


PARTS: Final[Mapping[str, tuple[Hazard, ...]]] = dict(_parts())
"""The hazards by what they are about."""

HAZARDS: Final = tuple(hazard for part in PARTS.values() for hazard in part)
BY_ID: Final[Mapping[str, Hazard]] = {hazard.id: hazard for hazard in HAZARDS}

TITLES: Final[Mapping[str, str]] = {hazard.id: hazard.title for hazard in HAZARDS}
"""Titles by id, for tool tips."""
