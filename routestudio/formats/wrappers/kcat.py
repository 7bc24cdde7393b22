"""Lines of kcat with `-J`: one record of a topic each, with key, offset and headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from routestudio.formats.base import FormatError, Raw, Wrapper
from routestudio.formats.wrappers._parts import is_whole, undecoded

_NAMES = frozenset({"topic", "partition", "offset", "tstype", "ts", "broker", "headers", "key",
                    "payload", "key_schema_id", "value_schema_id", "key_error",
                    "payload_error"})  # fmt: skip


class KcatLine(Wrapper):
    """A line that `kcat -C -J` wrote."""

    key = "kcat"
    title = "kcat -J"
    about = (
        "A dump of a topic by [kcat](https://github.com/edenhill/kcat) with `-J`: each line has "
        "`topic`, `partition`, `offset`, `key`, `payload` and `headers`. Key and payload are text "
        "of JSON. Two dumps of a topic have the same positions."
    )
    facts = "Read in json.c of github.com/edenhill/kcat at commit ab6ce81 (1.7.1)."
    examples = (
        {"topic": "orders", "partition": 0, "offset": 17, "tstype": "create", "ts": 1714979289123,
         "broker": 1, "headers": ["trace", "abc"], "key": '{"id":1}',
         "payload": '{"id":1,"note":"a"}'},
        {"topic": "orders", "partition": 0, "offset": 18, "tstype": "create", "ts": 1714979289124,
         "broker": 1, "key": '{"id":1}', "payload": None},
    )  # fmt: skip

    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The record."""
        if not isinstance(value, dict) or not value.keys() <= _NAMES:
            return None
        ours = "partition" in value and "offset" in value and ("tstype" in value or "ts" in value)
        if not ours or not value.keys() & {"payload", "key", "topic"}:
            return None
        topic, partition, offset = value.get("topic"), value["partition"], value["offset"]
        if not isinstance(topic, str) or not is_whole(partition) or not is_whole(offset):
            raise FormatError("a line of kcat has a topic, and numbers as partition and offset")
        if "payload" not in value:
            raise FormatError("a line of kcat has a payload", "the line looks cut")
        return [replace(
            raw, value=undecoded(value["payload"]), key=undecoded(value.get("key")),
            headers=_headers(value.get("headers")), topic=topic, text=None, schema=None,
            position=f"{topic}/{partition}/{offset}", place=f"{topic}[{partition}]@{offset}",
        )]  # fmt: skip


def _headers(value: Any) -> dict[str, str]:
    """Headers in turn with their values."""
    items = value if isinstance(value, list) else []
    return {
        name: text
        for name, text in zip(items[::2], items[1::2], strict=False)
        if isinstance(name, str) and isinstance(text, str)
    }
