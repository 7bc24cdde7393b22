"""Reading back Kinesis streams and SQS queues.

Facts: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html (five requests a
second for each shard) and the API reference of SQS, ReceiveMessage and
ChangeMessageVisibilityBatch.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from routestudio.errors import LinkError
from routestudio.model import jsonio
from routestudio.sinks._shared.aws.client import AwsError
from routestudio.sinks._shared.aws.fields import Place
from routestudio.sinks._shared.aws.link import AwsLink
from routestudio.sinks._shared.http.client import UnansweredError
from routestudio.sinks.reading import (
    MOST_BYTES,
    SECONDS,
    Bounds,
    Reader,
    Stored,
    TraceError,
    Wanted,
    Window,
)

_SPANS: Final = (1, 24, None)
"""Hours to look back, one after the other, until there are enough records; `None`: all."""

_MOST_PAGES: Final = 50
_PAGE: Final = 1_000
_PAUSE: Final = 0.25
"""Seconds before a shard that is asked too often is asked again."""

_HIDDEN: Final = 30
"""Seconds after which SQS shows messages again that were not given back."""

_AT_ONCE: Final = 10
_EMPTY: Final = 2
"""Empty answers after which a queue counts as read: SQS asks some of its servers each time."""


class AwsReader(Reader):
    """Calls of the sink's own link, in the region of the destination."""

    def __init__(self, link: AwsLink, right: str) -> None:
        self._link = link
        self._right = right

    async def ask(self, place: Place, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, again while it is refused for coming too often. Raises `LinkError`."""
        link = self._link
        while True:
            try:
                return await link.ask(place.region, operation, parameters)
            except AwsError as error:
                if not error.passing:
                    hint = f"allow {self._right} to this user or role" if error.denied else None
                    text = f"{link.service} cannot be read: {error.text}"
                    raise LinkError(text, hint=hint) from None
            except UnansweredError as failure:
                text = f"{link.service} cannot be read: {failure.outcome.reason}"
                raise LinkError(text) from None
            await asyncio.sleep(_PAUSE)

    async def read(self, wanted: Wanted) -> Window:
        try:
            async with asyncio.timeout(SECONDS):
                return await self.look(wanted, self._link.parse(wanted.destination))
        except TimeoutError:
            raise LinkError(f"{self._link.service} did not give its records within {SECONDS:g} s",
                            hint="lower the limit") from None  # fmt: skip

    async def look(self, wanted: Wanted, place: Place) -> Window:
        """Read a destination."""
        raise NotImplementedError

    async def close(self) -> None:
        await self._link.close()


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


class SqsReader(AwsReader):
    """Messages of a queue, which gets them back at once; it counts that they were received."""

    async def look(self, wanted: Wanted, place: Place) -> Window:
        url = wanted.destination
        answer = await self.ask(place, "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
        attributes = answer.get("Attributes") or {}
        if not wanted.agreed:
            raise TraceError(_trace(place, attributes))
        bounds, found = Bounds(wanted.limit), dict[str, tuple[str, Stored]]()
        handles: list[str] = []
        empty = 0
        try:
            while not bounds.reached and empty < _EMPTY:
                batch = await self.ask(
                    place, "receive_message", QueueUrl=url, VisibilityTimeout=_HIDDEN,
                    MaxNumberOfMessages=min(_AT_ONCE, bounds.left), WaitTimeSeconds=0,
                    AttributeNames=["All"], MessageAttributeNames=["All"],
                )  # fmt: skip
                messages = batch.get("Messages") or []
                empty = 0 if messages else empty + 1
                for message in messages:
                    handles.append(str(message["ReceiptHandle"]))
                    record = _message(url, message)
                    if record.place not in found and bounds.take(record.size):
                        found[record.place] = _sent(message), record
        finally:
            await self._give_back(place, url, handles)
        records = [record for _, record in sorted(found.values(), key=lambda item: item[0])]
        held = str(attributes.get("ApproximateNumberOfMessages", "0"))
        more = bounds.reached and held.isdigit() and int(held) > len(records)
        return Window(records, more, oldest=True)

    async def _give_back(self, place: Place, url: str, handles: list[str]) -> None:
        """Let the queue show the messages again, the last received first."""
        for start in range(0, len(handles), _AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles[start : start + _AT_ONCE])
            ]
            await self.ask(place, "change_message_visibility_batch", QueueUrl=url, Entries=entries)


def _trace(place: Place, attributes: Mapping[str, Any]) -> str:
    """What looking at a queue does to it."""
    text = (
        f"looking at the queue {place.name} hides its messages from consumers for up to "
        f"{_HIDDEN} seconds, and counts as one receive of each"
    )
    try:
        policy = jsonio.loads(str(attributes.get("RedrivePolicy") or "{}"))
    except ValueError:
        policy = {}
    most = policy.get("maxReceiveCount") if isinstance(policy, dict) else None
    if most:
        name = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2]
        text += f"; after {most} receives they move to the dead-letter queue {name}"
    return text


def _message(url: str, message: Mapping[str, Any]) -> Stored:
    attributes = message.get("Attributes") or {}
    headers = {
        name: str(attributes[name])
        for name in ("MessageGroupId", "MessageDeduplicationId")
        if name in attributes
    }
    for name, value in (message.get("MessageAttributes") or {}).items():
        headers[name] = str(value.get("StringValue", value.get("BinaryValue", "")))
    body = str(message.get("Body", "")).encode("utf-8", "surrogatepass")
    return Stored(url, None, body, headers, str(message["MessageId"]))


def _sent(message: Mapping[str, Any]) -> str:
    """What orders messages: the number in a FIFO queue, or when it was sent."""
    attributes = message.get("Attributes") or {}
    text = str(attributes.get("SequenceNumber") or attributes.get("SentTimestamp") or "")
    return text.rjust(40, "0")
