"""Recorded records, and dead letters: lines that programs wrote of single rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from routestudio.formats.base import FormatError, Raw, Wrapper
from routestudio.formats.wrappers._parts import is_whole, undecoded


class RecordedRecord(Wrapper):
    """A record of a topic as a small program writes it down."""

    key = "record"
    title = "recorded record"
    about = (
        'A record of a topic as a test or a small consumer writes it down: `{"topic", "key", '
        '"value", "headers"}`, with `partition` and `offset` where they are known. Key and value '
        "are text of JSON, or JSON."
    )
    facts = "RouteStudio's own reading; its recorded tests are such lines."
    examples = (
        {"topic": "shop.public.orders", "key": '{"id":1}', "value": '{"id":1,"note":"a"}',
         "headers": [["trace", "abc"]]},
        {"topic": "shop.public.orders", "partition": 0, "offset": 3, "key": {"id": 1},
         "value": None, "headers": {}},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The record."""
        if not isinstance(value, dict) or not {"topic", "key", "value"} <= value.keys():
            return None
        if not value.keys() <= {"topic", "key", "value", "headers", "partition", "offset",
                                "timestamp"}:  # fmt: skip
            return None
        topic, headers = value["topic"], value.get("headers")
        sure = isinstance(headers, (list, dict)) or ("partition" in value and "offset" in value)
        if not sure or not isinstance(topic, str):
            return None
        partition, offset = value.get("partition"), value.get("offset")
        known = is_whole(partition) and is_whole(offset)
        return [replace(
            raw, value=undecoded(value["value"]), key=undecoded(value["key"]), topic=topic,
            headers=_headers(headers), text=None, schema=None,
            position=f"{topic}/{partition}/{offset}" if known else raw.position,
            place=f"{topic}[{partition}]@{offset}" if known else raw.place,
        )]  # fmt: skip


class DeadLetter(Wrapper):
    """A line of RouteStudio's file of dead letters."""

    key = "dead-letter"
    title = "dead letter"
    about = (
        "A line of RouteStudio's own file of dead letters: the message that was rejected, or the "
        "text of a row that was not a message, to be tried again."
    )
    facts = "RouteStudio writes them (`--dead-letters`)."
    examples = (
        {"message": {"action": "insert", "record": {"id": 1}, "changes": None, "metadata": {}},
         "reason": {"stage": "route", "code": "invalid", "message": "no", "field": None,
                    "line": None, "column": None},
         "attempts": 0, "sink": "orders", "at": "2026-11-28T10:00:00.000Z"},
        {"message": None,
         "reason": {"stage": "read", "code": "row", "message": "not JSON", "field": None,
                    "line": 3, "column": 1},
         "attempts": 0, "sink": "orders", "at": "2026-11-28T10:00:00.000Z", "raw": "{\"id\":1}"},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The message, or the text."""
        if not isinstance(value, dict) or not {"message", "reason"} <= value.keys():
            return None
        if not value.keys() <= {"message", "reason", "attempts", "sink", "at", "raw"}:
            return None
        if not isinstance(value["reason"], dict):
            return None
        inner = value["message"]
        if inner is None and isinstance(value.get("raw"), str):
            inner = undecoded(value["raw"])
        if inner is None:
            raise FormatError("the dead letter has neither a message nor the text of a row")
        return [replace(raw, value=inner, key=None, text=None, schema=None)]


def _headers(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else value if isinstance(value, list) else []
    return {
        pair[0]: pair[1]
        for pair in pairs
        if isinstance(pair, (list, tuple)) and len(pair) == 2
        and isinstance(pair[0], str) and isinstance(pair[1], str)
    }  # fmt: skip
