"""Reading back SQS queues.

Facts: the API reference of SQS, ReceiveMessage and ChangeMessageVisibilityBatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routestudio.model import jsonio
from routestudio.sinks._shared.aws.fields import Place
from routestudio.sinks._shared.aws.read import AwsReader
from routestudio.sinks.reading import (
    Bounds,
    Stored,
    TraceError,
    Wanted,
    Window,
)

_HIDDEN: Final = 30
"""Seconds after which SQS shows messages again that were not given back."""

_AT_ONCE: Final = 10
_EMPTY: Final = 2
"""Empty answers after which a queue counts as read: SQS asks some of its servers each time."""


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
