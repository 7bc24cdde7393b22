"""A look at topics: no group is joined, nothing is committed, partitions are assigned by hand."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.model.rows import RawRow

SECONDS: Final = 15.0
"""For the whole look; what was found by then is shown."""


def look(
    settings: Mapping[str, Any], topics: Sequence[str], limit: int, latest: bool
) -> list[RawRow]:
    """At most `limit` records: the first ones of every partition, or the last ones.

    Blocks; call it in a thread. Raises `LinkError`, `UsageError`.
    """
    from confluent_kafka import Consumer, KafkaException

    quiet = logging.getLogger("routestudio.sources.kafka.client")
    quiet.setLevel(logging.CRITICAL)
    said: list[str] = []
    consumer = Consumer(
        {**settings, "error_cb": lambda error: said.append(error.str())}, logger=quiet
    )
    where = f"Kafka at {settings['bootstrap.servers']}"
    try:
        ends = _assign(consumer, topics, limit, latest, where)
        return _read(consumer, ends, limit)
    except KafkaException as error:
        with contextlib.suppress(KafkaException, RuntimeError):
            consumer.poll(0)  # lets the client report why
        reason = said[0] if said else error.args[0].str()
        raise LinkError(f"{where} cannot be read: {reason}",
                        hint="check hosts, TLS and credentials") from None  # fmt: skip
    finally:
        consumer.close()


def _assign(
    consumer: Any, topics: Sequence[str], limit: int, latest: bool, where: str
) -> dict[tuple[str, int], int]:
    """Assign every partition that holds records; return the offsets at which they end now."""
    from confluent_kafka import TopicPartition

    found: list[tuple[str, int, int, int]] = []
    for topic in topics:
        described = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        if described.error is not None:
            raise UsageError(f"{where} has no topic `{topic}` that can be read",
                             hint=described.error.str())  # fmt: skip
        for number in sorted(described.partitions):
            low, high = consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=SECONDS
            )
            if high > low:
                found.append((topic, number, low, high))
    share = math.ceil(limit / len(found)) if found else 0
    consumer.assign(
        [TopicPartition(t, n, max(low, high - share) if latest else low)
         for t, n, low, high in found]
    )  # fmt: skip
    return {(topic, number): high for topic, number, _, high in found}


def _read(consumer: Any, ends: dict[tuple[str, int], int], limit: int) -> list[RawRow]:
    from confluent_kafka import KafkaError, KafkaException

    from routestudio.sources.kafka import raw_of

    rows: list[RawRow] = []
    stop = time.monotonic() + SECONDS
    left = set(ends)
    while left and len(rows) < limit and time.monotonic() < stop:
        message = consumer.poll(0.2)
        if message is None:
            continue
        place = (message.topic(), message.partition())
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            left.discard(place)
            continue
        if message.offset() < ends[place]:
            rows.append(raw_of(message))
        if message.offset() + 1 >= ends[place]:
            left.discard(place)
    return rows
