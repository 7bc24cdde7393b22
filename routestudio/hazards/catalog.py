"""Every known hazard, by id and in the order of docs/hazards.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routestudio.hazards.known import brokers, cloud, general, http_redis, search, yaml
from routestudio.model.hazard import Hazard

PARTS: Final[Mapping[str, tuple[Hazard, ...]]] = {
    "Every sink": general.HAZARDS,
    "The YAML file": yaml.HAZARDS,
    "HTTP and Redis": http_redis.HAZARDS,
    "NATS, Kafka, S2 and RabbitMQ": brokers.HAZARDS,
    "Google, Azure and AWS": cloud.HAZARDS,
    "Search engines": search.HAZARDS,
}
"""The hazards by what they are about."""

HAZARDS: Final = tuple(hazard for part in PARTS.values() for hazard in part)
BY_ID: Final[Mapping[str, Hazard]] = {hazard.id: hazard for hazard in HAZARDS}

TITLES: Final[Mapping[str, str]] = {hazard.id: hazard.title for hazard in HAZARDS}
"""Titles by id, for tool tips."""
