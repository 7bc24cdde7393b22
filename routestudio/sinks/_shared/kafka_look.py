"""A look at topics: no group is joined, nothing is committed, partitions are assigned by hand.

For the source, which makes rows of the records, and for reading back what a sink delivered.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from routestudio.errors import LinkError, UsageError

SECONDS: Final = 15.0
"""For the whole look; what was found by then is shown."""

Enough = Callable[[Any], bool]
"""Called with each record of the client; whether no further one is wanted."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Records of the client library, and how many the partitions held when the look began.

    `whole`: everything that was assigned came in time.
    """

    records: list[Any]
    held: int
    whole: bool


def look(
    settings: Mapping[str, Any],
    topics: Sequence[str],
    limit: int,
    *,
    latest: bool,
    share: Callable[[int], int] | None = None,
    enough: Enough = lambda record: False,
) -> Looked:
    """The first records of every partition, or the last ones; at most `limit` in all.

    `share` is how many are wanted of each of so many partitions; without it all have an equal part
    of the limit. Blocks; call it in a thread. Raises `LinkError`, `UsageError`.
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
        places = _places(consumer, topics, where)
        part = (share or (lambda count: math.ceil(limit / count)))(len(places)) if places else 0
        _assign(consumer, places, part, latest)
        held = sum(high - low for _, _, low, high in places)
        ends = {(topic, number): high for topic, number, _, high in places}
        records, whole = _read(consumer, ends, limit, enough)
        return Looked(records, held, whole)
    except KafkaException as error:
        with contextlib.suppress(KafkaException, RuntimeError):
            consumer.poll(0)  # lets the client report why
        reason = said[0] if said else error.args[0].str()
        raise LinkError(f"{where} cannot be read: {reason}",
                        hint="check hosts, TLS and credentials") from None  # fmt: skip
    finally:
        consumer.close()


Part = tuple[str, int, int, int]
"""Topic, partition, its first offset and its end."""


def _places(consumer: Any, topics: Sequence[str], where: str) -> list[Part]:
    """Every partition that holds records."""
    from confluent_kafka import TopicPartition

    found: list[Part] = []
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
    return found


def _assign(consumer: Any, places: Sequence[Part], share: int, latest: bool) -> None:
    from confluent_kafka import TopicPartition

    consumer.assign(
        [TopicPartition(t, n, max(low, high - share) if latest else low)
         for t, n, low, high in places]
    )  # fmt: skip


def _read(
    consumer: Any, ends: dict[tuple[str, int], int], limit: int, enough: Enough
) -> tuple[list[Any], bool]:
    from confluent_kafka import KafkaError, KafkaException

    records: list[Any] = []
    stop = time.monotonic() + SECONDS
    left = set(ends)
    while left and len(records) < limit and time.monotonic() < stop:
        message = consumer.poll(0.2)
        if message is None:
            continue
        place = (message.topic(), message.partition())
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                left.discard(place)
            elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # nobody joins a group
                raise KafkaException(error)
            continue
        if message.offset() < ends[place]:
            records.append(message)
            if enough(message):
                break
        if message.offset() + 1 >= ends[place]:
            left.discard(place)
    return records, not left
