"""Reading back topics with a Kafka sink's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from routestudio.sinks._shared.kafka_look import look
from routestudio.sinks.kafka.thread import in_thread
from routestudio.sinks.reading import Bounds, Reader, Stored, Wanted, Window

_MOST: Final = 20_000
"""Records that are fetched of all partitions, of which the last ones are kept."""


class KafkaReader(Reader):
    """The last records of a topic: each partition is read by its number, without a group.

    `settings` are those that every client of the sink has.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = {
            **settings,
            "group.id": "routestudio",  # the client wants a name; nobody joins it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": 16_384,
            "allow.auto.create.topics": False,
        }

    async def read(self, wanted: Wanted) -> Window:
        bounds = Bounds(_MOST)

        def share(partitions: int) -> int:
            # Any partition may have the last ones of all.
            return max(1, min(wanted.limit, _MOST // partitions))

        def enough(record: Any) -> bool:
            bounds.take(len(record.value() or b""))
            return bounds.reached

        found = await in_thread(
            partial(look, self._settings, [wanted.destination], _MOST, latest=True,
                    share=share, enough=enough)
        )  # fmt: skip
        ordered = sorted(found.records, key=lambda r: (r.timestamp()[1], r.partition(), r.offset()))
        records = [_stored(record) for record in ordered[-wanted.limit :]]
        notes = () if found.whole else ("not all of it came in time or in size",)
        return Window(records, found.held > len(records), notes=notes)

    async def close(self) -> None:
        """Each read ends its own client."""


def _stored(record: Any) -> Stored:
    key = record.key()
    return Stored(
        record.topic(),
        None if key is None else key.decode("utf-8", "surrogateescape"),
        record.value(),
        {
            name: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
            for name, value in record.headers() or ()
        },
        f"{record.topic()}[{record.partition()}]@{record.offset()}",
    )
