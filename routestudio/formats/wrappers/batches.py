"""Batches: rows in arrays, and in the bodies of webhooks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from routestudio.formats.base import Raw, Wrapper
from routestudio.formats.wrappers._parts import is_whole, undecoded


def _is_message(value: Any) -> bool:
    """Whether it looks like a message, or what a transform left of one."""
    return isinstance(value, dict) and "record" in value and (
        "action" in value or "metadata" in value)  # fmt: skip


def _parts(values: Sequence[Any], raw: Raw) -> list[Raw]:
    return [replace(raw, value=value, key=None, position="", text=None, schema=None)
            for value in values]  # fmt: skip


class JsonArray(Wrapper):
    """A list of rows."""

    key = "array"
    title = "JSON array"
    about = "A JSON array of rows of any format, such as an export or the result of a query."
    facts = "RouteStudio's own reading; JSON as in RFC 8259."
    examples = ([{"code": "c-1", "qty": 2}, {"code": "c-2", "qty": 3}],)

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The items. A list of lists or numbers is not a list of rows."""
        if not isinstance(value, list) or not all(
            isinstance(item, (dict, str)) or item is None for item in value
        ):
            return None
        return _parts([undecoded(item) for item in value], raw)


class WebhookBatch(Wrapper):
    """What Sequin's webhooks send with `batch: true`."""

    key = "webhook-batch"
    title = "webhook batch"
    about = (
        'The body of a webhook of Sequin with `batch: true`: `{"data": [...]}` with a message each.'
    )
    facts = "Sequin's documentation of the webhook sink (https://sequinstream.com/docs)."
    examples = (
        {"data": [{"action": "insert", "record": {"id": 1}, "changes": None,
                   "metadata": {"table_name": "orders", "commit_lsn": 5, "commit_idx": 0}}]},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The messages."""
        if not isinstance(value, dict) or value.keys() != {"data"}:
            return None
        data = value["data"]
        if not isinstance(data, list) or not any(map(_is_message, data)):
            return None
        return _parts(data, raw)


class EventHubs(Wrapper):
    """What Sequin sends to Azure Event Hubs."""

    key = "event-hubs"
    title = "Event Hubs"
    about = (
        'An event of Sequin in Azure Event Hubs: `{"data": MESSAGE, "attributes": {...}}`, and the '
        "batches in which it is sent, whose items have the event as text in `Body`."
    )
    facts = (
        "Sequin's sink for Azure Event Hubs (https://sequinstream.com/docs/reference/sinks/"
        "azure-event-hubs), whose events differ from that page in this wrapper; Microsoft's "
        "reference of Send batch events."
    )
    examples = (
        {"data": {"action": "insert", "record": {"id": 1}, "changes": None, "metadata": {}},
         "attributes": {"trace_id": "t-1", "type": "event"}},
        {"Body": '{"data":{"action":"delete","record":{"id":1}},"attributes":{"type":"event"}}'},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The message."""
        if not isinstance(value, dict):
            return None
        if isinstance(value.get("Body"), str) and value.keys() <= {
            "Body", "UserProperties", "BrokerProperties",
        }:  # fmt: skip
            return _parts([undecoded(value["Body"])], raw)
        if value.keys() == {"data", "attributes"} and isinstance(value["attributes"], dict):
            return _parts([value["data"]], raw) if _is_message(value["data"]) else None
        return None


class PubSubBatch(Wrapper):
    """What is published to Google Pub/Sub."""

    key = "pubsub"
    title = "Pub/Sub"
    about = (
        'The body that publishes to Google Pub/Sub, `{"messages": [{"data": BASE64}]}`, and a '
        'message that a push subscription delivers, `{"message": {"data": BASE64, ...}}`.'
    )
    facts = "Google's reference of PubsubMessage, and its guide to push subscriptions (2026-11)."
    examples = (
        {"messages": [{"data": "eyJpZCI6MX0=", "attributes": {"type": "event"}}]},
        {"message": {"data": "eyJpZCI6MX0=", "messageId": "17", "publishTime": "2026-11-28T10:00Z"},
         "subscription": "projects/p/subscriptions/s"},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The bytes of each message."""
        if not isinstance(value, dict):
            return None
        if value.keys() == {"messages"} and isinstance(value["messages"], list):
            items = value["messages"]
        elif "subscription" in value and isinstance(value.get("message"), dict):
            items = [value["message"]]
        else:
            return None
        bodies = [_body(item) for item in items]
        return None if not bodies or None in bodies else _parts(bodies, raw)


class DynamoDbRecords(Wrapper):
    """What a Lambda function gets of a DynamoDB stream."""

    key = "dynamodb-records"
    title = "Records of DynamoDB"
    about = (
        "The event of a Lambda function on a DynamoDB stream, and the answer of `GetRecords`: "
        '`{"Records": [...]}`.'
    )
    facts = "AWS's Lambda developer guide (with-ddb) and API reference (GetRecords), 2026-11."
    examples = (
        {"Records": [{"eventID": "1", "eventName": "REMOVE", "eventSource": "aws:dynamodb",
                      "dynamodb": {"Keys": {"no": {"N": "1"}}}}]},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The records."""
        if not isinstance(value, dict) or not value.keys() <= {"Records", "NextShardIterator"}:
            return None
        items = value.get("Records")
        if not isinstance(items, list) or not any(
            isinstance(item, dict) and ("dynamodb" in item
                                        or item.get("eventSource") == "aws:dynamodb")
            for item in items
        ):  # fmt: skip
            return None
        return _parts(items, raw)


class CockroachWebhook(Wrapper):
    """What a webhook sink of CockroachDB sends."""

    key = "cockroachdb-webhook"
    title = "CockroachDB webhook"
    about = 'The body of a webhook of a CockroachDB changefeed: `{"payload": [...], "length": N}`.'
    facts = (
        "CockroachDB's documentation, changefeed-message-envelopes of v25.4 "
        "(github.com/cockroachdb/docs at commit 79e9a5d03f)."
    )
    examples = (
        {"payload": [{"after": {"a": 1, "b": "a"}, "key": [1], "topic": "foo"},
                     {"after": {"a": 2, "b": "b"}, "key": [2], "topic": "foo"}], "length": 2},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The changes."""
        if not isinstance(value, dict) or value.keys() != {"payload", "length"}:
            return None
        items = value["payload"]
        if not isinstance(items, list) or not items or not is_whole(value["length"]):
            return None
        return _parts(items, raw) if all(isinstance(item, dict) for item in items) else None


def _body(item: Any) -> bytes | None:
    data = item.get("data") if isinstance(item, dict) else None
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
