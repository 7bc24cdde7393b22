"""The stand-in of a Typesense, which takes documents and searches nothing.

It speaks as much of the API as delivery and check need, for any key. Collections
exist as soon as they are named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from routestudio.sinks._shared.standins.api import ApiStandin, loaded
from routestudio.sinks.standin import as_text


class TypesenseStandin(ApiStandin):
    """A Typesense for documents with an `id`; deleted ones are kept as entries without a body."""

    kind: ClassVar[str] = "typesense"
    title: ClassVar[str] = "Typesense"

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, set[str]] = {}

    async def clear(self) -> None:
        await super().clear()
        self._ids.clear()

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        match method, steps:
            case "GET", ["health"]:
                return 200, {"ok": True}
            case "GET", ["keys"]:
                return 200, {"keys": []}
            case "GET", ["collections"]:
                return 200, [self._summary(name) for name in self._ids]
            case "GET", ["collections", name]:
                return 200, self._summary(name)
            case "POST", ["collections", name, "documents", "import"]:
                lines = [self._import(name, line) for line in body.split(b"\n")]
                return 200, "\n".join(map(json.dumps, lines)).encode()
            case "DELETE", ["collections", name, "documents", key]:
                self._ids.get(name, set()).discard(key)
                self._keep(name, "delete", key)
                return 200, {"id": key}
        return 404, {"message": "Not Found"}

    def _summary(self, name: str) -> dict[str, Any]:
        count = len(self._ids.get(name, ()))
        return {"name": name, "fields": [], "num_documents": count, "created_at": 0}

    def _import(self, name: str, line: bytes) -> dict[str, Any]:
        document = loaded(line)
        if not isinstance(document, dict):
            return {"success": False, "code": 400, "error": "Bad JSON.", "document": as_text(line)}
        key = document.get("id")
        if not isinstance(key, str) or not key:
            return {"success": False, "code": 400, "document": as_text(line),
                    "error": "Document's `id` field should be a string."}  # fmt: skip
        self._ids.setdefault(name, set()).add(key)
        self._keep(name, "index", key, line)
        return {"success": True}
