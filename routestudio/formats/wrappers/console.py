"""Lines of Kafka's console consumer with `print.key=true`: the key, a tab, the value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from routestudio.formats import _decode
from routestudio.formats.base import Raw, Wrapper

_TRIES: Final = 8
"""Tabs that may stand before the value."""
_EXTRA: Final = re.compile(
    rb"(?:((?:CreateTime|LogAppendTime):-?\d+|NO_TIMESTAMP)|Partition:(\d+)|Offset:(\d+)"
    rb"|(?:Delivery|Epoch):(?:NOT_PRESENT|-?\d+)|NO_HEADERS)\t"
)
_HEADER: Final = re.compile(r"[^:\t]+:[^\t]*\Z")


class ConsoleLine(Wrapper):
    """A line that `kafka-console-consumer.sh` wrote."""

    key = "console"
    title = "key, tab, value"
    about = (
        "A dump of a topic by Kafka's `kafka-console-consumer.sh` with `--property "
        "print.key=true`: the key, a tab and the value. The timestamp, partition, offset and "
        "headers that `print.timestamp`, `print.partition`, `print.offset` and `print.headers` add "
        "are taken."
    )
    facts = (
        "Run: the console consumer's DefaultMessageFormatter of Kafka 3.9.1 (kafka-tools of Maven "
        "Central) with records made by hand."
    )
    examples = (
        b'{"id":1}\t{"id":1,"note":"a"}',
        b'k1\tnull',
        b'CreateTime:1714979289123\tPartition:0\tOffset:17\t{"id":1}\t{"id":1,"note":"a"}',
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The record; the value is bytes that are not JSON as a whole."""
        if not isinstance(value, bytes) or b"\t" not in value:
            return None
        rest, partition, offset = value, None, None
        while found := _EXTRA.match(rest):
            partition, offset = found[2] or partition, found[3] or offset
            rest = rest[found.end() :]
        at = rest.find(b"\t")
        for _ in range(_TRIES):
            if at < 0:
                return self._without_key(rest, value, raw)
            key, body = rest[:at], rest[at + 1 :].strip()
            if body == b"null" or (body[:1] in (b"{", b"[") and _is_json(body)):
                break
            at = rest.find(b"\t", at + 1)
        else:
            return None
        headers: dict[str, str] = {}
        if len(rest) < len(value):
            headers, key = _headers(key)
        position = place = ""
        if raw.topic and partition is not None and offset is not None:
            position = f"{raw.topic}/{int(partition[:20])}/{int(offset[:20])}"
            place = f"{raw.place} ({raw.topic}[{int(partition[:20])}]@{int(offset[:20])})"
        return [replace(
            raw, value=None if body == b"null" else body, key=None if key == b"null" else key,
            headers=headers, position=position or raw.position, place=place or raw.place,
        )]  # fmt: skip

    @staticmethod
    def _without_key(rest: bytes, value: bytes, raw: Raw) -> Sequence[Raw] | None:
        """A line with a timestamp and the value alone."""
        body = rest.strip()
        if len(rest) == len(value):
            return None
        if body == b"null":
            return [replace(raw, value=None)]
        return [replace(raw, value=body)] if body[:1] in (b"{", b"[") and _is_json(body) else None


def _headers(key: bytes) -> tuple[dict[str, str], bytes]:
    """The headers before a key, `name:value,name:value`, and the key."""
    text, tab, own = key.rpartition(b"\t")
    found = text.decode(errors="replace")
    if not tab or not _HEADER.match(found):
        return {}, key
    headers: dict[str, str] = {}
    last = ""
    for part in found.split(","):
        name, colon, value = part.partition(":")
        if colon:
            headers[name], last = value, name
        elif last:  # a comma in a value
            headers[last] += "," + part
    return headers, own


def _is_json(data: bytes) -> bool:
    try:
        _decode.loads(data)
    except ValueError:
        return False
    return True
