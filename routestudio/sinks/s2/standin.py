"""The stand-in of S2: it takes what is written and keeps it.

Streams exist as soon as they are named; tokens are not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from routestudio.sinks._shared.standins.api import ApiStandin, loaded

_SINCE = "2026-01-01T00:00:00Z"


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
