"""The stand-in of an Elasticsearch: it takes what is written and keeps it.

Indexes exist as soon as they are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from routestudio.sinks._shared.standins.api import ApiStandin, loaded

_NO_HANDLER = {"error": "no handler found for uri", "status": 400}


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
