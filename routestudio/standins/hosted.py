"""Stand-ins of an Elasticsearch, of S2 and of Event Hubs: they take what is written and keep it.

Indexes, streams and hubs exist as soon as they are named; signatures and tokens are not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from routestudio.standins._api import ApiStandin, loaded

_NO_HANDLER = {"error": "no handler found for uri", "status": 400}
_SINCE = "2026-01-01T00:00:00Z"


class ElasticsearchStandin(ApiStandin):
    """An OpenSearch without security, as far as bulk requests go."""

    kind: ClassVar[str] = "elasticsearch"
    title: ClassVar[str] = "Elasticsearch"

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        match method, steps:
            case "GET", [""]:
                version = {"distribution": "opensearch", "number": "2.0"}
                return 200, {"name": "stand-in", "version": version}
            case "HEAD", [_]:
                return 200, b""
            case "POST", [index, "_bulk"]:
                return self._bulk(index, body)
        return 400, _NO_HANDLER

    def _bulk(self, index: str, body: bytes) -> tuple[int, Any]:
        items: list[dict[str, Any]] = []
        lines = iter(body.split(b"\n"))
        for line in lines:
            if not line:
                continue
            action = loaded(line)
            if not isinstance(action, dict) or set(action) not in ({"index"}, {"delete"}):
                return 400, {"error": {"type": "illegal_argument_exception",
                                       "reason": "Malformed action/metadata line"}}  # fmt: skip
            [(name, about)] = action.items()
            key = about.get("_id") if isinstance(about, dict) else None
            document = next(lines, b"") if name == "index" else b""
            self._keep(index, name, key, document)
            status = 201 if name == "index" else 200
            items.append({name: {"_index": index, "_id": key, "status": status}})
        return 200, {"took": 1, "errors": False, "items": items}


class S2Standin(ApiStandin):
    """An S2 whose basins create streams on append."""

    kind: ClassVar[str] = "s2"
    title: ClassVar[str] = "S2"

    def __init__(self) -> None:
        super().__init__()
        self._tails: dict[str, int] = {}

    async def clear(self) -> None:
        await super().clear()
        self._tails.clear()

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        match method, steps[1:]:
            case "GET", ["basins" | "streams" as what]:
                return 200, {what: [], "has_more": False}
            case "GET", ["streams", name]:
                return 200, {"name": name, "created_at": _SINCE}
            case "POST", ["streams", name, "records"]:
                return self._append(name, body)
        return 404, {"code": "not_found", "message": f"there is no {'/'.join(steps)} here"}

    def _append(self, stream: str, body: bytes) -> tuple[int, Any]:
        given = loaded(body)
        records = given.get("records") if isinstance(given, dict) else None
        if not isinstance(records, list) or not all(isinstance(item, dict) for item in records):
            return 400, {"code": "bad_request", "message": "records are missing"}
        first = self._tails.get(stream, 0)
        if given.get("match_seq_num", first) != first:
            return 412, {"seq_num_mismatch": first}
        for item in records:
            self._keep(stream, "append", None, str(item.get("body", "")).encode())
        last = self._tails[stream] = first + len(records)
        return 200, {
            name: {"seq_num": number, "timestamp": 0}
            for name, number in (("start", first), ("end", last), ("tail", last))
        }


class EventHubStandin(ApiStandin):
    """An Event Hubs namespace, over HTTP."""

    kind: ClassVar[str] = "event_hub"
    title: ClassVar[str] = "Azure Event Hubs"

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        if method == "POST" and len(steps) == 2 and steps[1] == "messages":
            events = loaded(body)
            if not isinstance(events, list) or not all(isinstance(item, dict) for item in events):
                return 400, b"<Error><Code>400</Code><Detail>no list of events</Detail></Error>"
            for item in events:
                self._keep(steps[0], "send", None, _bytes(item.get("Body")))
            return 201, b""
        text = b"The requested HTTP operation is not supported in an EventHub."
        return 400, b"<Error><Code>400</Code><Detail>" + text + b"</Detail></Error>"


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b""
