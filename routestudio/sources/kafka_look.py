"""A look at topics as rows, without a group or a commit (`sinks._shared.kafka_look`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from routestudio.model.rows import RawRow
from routestudio.sinks._shared import kafka_look


def look(
    settings: Mapping[str, Any], topics: Sequence[str], limit: int, latest: bool
) -> list[RawRow]:
    """At most `limit` records: the first ones of every partition, or the last ones.

    Blocks; call it in a thread. Raises `LinkError`, `UsageError`.
    """
    from routestudio.sources.kafka import raw_of

    found = kafka_look.look(settings, topics, limit, latest=latest)
    return [raw_of(record) for record in found.records]
