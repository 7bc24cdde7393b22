"""Reading back Kinesis streams.

Facts: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html (five requests a
second for each shard).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from routestudio.sinks._shared.aws.fields import Place
from routestudio.sinks._shared.aws.read import AwsReader
from routestudio.sinks.reading import (
    MOST_BYTES,
    Stored,
    Wanted,
    Window,
)

_SPANS: Final = (1, 24, None)
"""Hours to look back, one after the other, until there are enough records; `None`: all."""

_MOST_PAGES: Final = 50
_PAGE: Final = 1_000


class KinesisReader(AwsReader):
    """The last records of a stream, of all shards."""

    async def look(self, wanted: Wanted, place: Place) -> Window:
        name = self._named(wanted, place)
        shards = [shard async for shard in self._shards(place, name)]
        for hours in _SPANS:
            found: list[tuple[Any, int, Stored]] = []
            whole = hours is None
            for shard in shards:
                records, ended = await self._shard(wanted, place, name, shard, hours)
                found += records
                whole = whole and ended
            if len(found) >= wanted.limit or hours is None:
                break
        found.sort(key=lambda item: item[:2])
        last = [record for _, _, record in found[-wanted.limit :]]
        return Window(last, more=not whole or len(found) > len(last))

    def _named(self, wanted: Wanted, place: Place) -> dict[str, str]:
        if self._link.config.use_emulator:
            return {"StreamName": place.name}  # some emulators know no ARNs
        return {"StreamARN": wanted.destination}

    async def _shards(self, place: Place, name: Mapping[str, str]) -> AsyncIterator[str]:
        more: dict[str, Any] = dict(name)
        while more:
            answer = await self.ask(place, "list_shards", **more)
            for shard in answer.get("Shards") or ():
                yield str(shard["ShardId"])
            token = answer.get("NextToken")
            more = {"NextToken": token} if token else {}

    async def _shard(
        self, wanted: Wanted, place: Place, name: Mapping[str, str], shard: str, hours: int | None
    ) -> tuple[list[tuple[Any, int, Stored]], bool]:
        """The records of a shard since some hours ago, and whether its end was reached."""
        start: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if hours is not None:
            since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}
        answer = await self.ask(place, "get_shard_iterator", **name, ShardId=shard, **start)
        at, size = answer.get("ShardIterator"), 0
        found: list[tuple[Any, int, Stored]] = []
        for _ in range(_MOST_PAGES):
            if not at or size > MOST_BYTES:
                break
            page = await self.ask(place, "get_records", ShardIterator=at, Limit=_PAGE)
            for item in page.get("Records") or ():
                number = str(item["SequenceNumber"])
                size += len(item["Data"])
                found.append((
                    item["ApproximateArrivalTimestamp"], int(number) if number.isdigit() else 0,
                    Stored(wanted.destination, str(item["PartitionKey"]), bytes(item["Data"]),
                           place=f"{shard}@{number}"),
                ))  # fmt: skip
            at = page.get("NextShardIterator")
            if page.get("MillisBehindLatest", 0) == 0:
                return found[-wanted.limit :], len(found) <= wanted.limit
        return found[-wanted.limit :], not at
