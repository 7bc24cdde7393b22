"""The stand-in of a Meilisearch, which takes documents and searches nothing.

It speaks as much of the API as delivery and check need, for any key. Indexes
exist as soon as they are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from routestudio.sinks._shared.standins.api import ApiStandin, loaded

_SINCE: Final = "2026-01-01T00:00:00Z"
_KINDS: Final = {"documents": "documentAdditionOrUpdate", "delete-batch": "documentDeletion",
                 "edit": "documentEdition"}  # fmt: skip


class MeilisearchStandin(ApiStandin):
    """A Meilisearch whose tasks succeed at once; edits by function are kept, not carried out."""

    kind: ClassVar[str] = "meilisearch"
    title: ClassVar[str] = "Meilisearch"

    def __init__(self) -> None:
        super().__init__()
        self._tasks: list[tuple[str, str]] = []
        self._keys: dict[str, str] = {}

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        match method, steps:
            case "GET", ["health"]:
                return 200, {"status": "available"}
            case "GET", ["tasks"]:
                return 200, {"results": [], "total": len(self._tasks), "limit": 0}
            case "GET", ["tasks", number] if number.isdigit() and int(number) < len(self._tasks):
                index, kind = self._tasks[int(number)]
                return 200, {"uid": int(number), "indexUid": index, "status": "succeeded",
                             "type": kind, "error": None, "enqueuedAt": _SINCE}  # fmt: skip
            case "GET", ["indexes"]:
                found = [self._index(name) for name in self._keys]
                return 200, {"results": found, "offset": 0, "limit": 20, "total": len(found)}
            case "GET", ["indexes", name]:
                return 200, self._index(name)
            case "GET", ["experimental-features"]:
                return 200, {"editDocumentsByFunction": True}
            case "POST", ["indexes", name, "documents"]:
                return self._write(name, "documents", query, body)
            case "POST", ["indexes", name, "documents", ("delete-batch" | "edit") as route]:
                return self._write(name, route, query, body)
        return 404, _failure("not_found", f"There is no {method} {'/'.join(steps)} here.")

    def _index(self, name: str) -> dict[str, Any]:
        return {"uid": name, "primaryKey": self._keys.get(name), "createdAt": _SINCE,
                "updatedAt": _SINCE}  # fmt: skip

    def _write(
        self, name: str, route: str, query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        if not body:
            return 400, _failure("missing_payload", "A payload is missing.")
        values = [loaded(line) for line in body.split(b"\n")]
        wrong = [value for value in values if not isinstance(value, (dict, list))]
        if wrong or (route == "delete-batch") != isinstance(values[0], list):
            return 400, _failure("malformed_payload", "The payload is malformed.")
        if route == "documents":
            primary = self._keys.setdefault(name, query.get("primaryKey", "id"))
            for value, line in zip(values, body.split(b"\n"), strict=True):
                self._keep(name, "index", _at(value, primary), line)
        elif route == "delete-batch":
            for key in values[0]:
                self._keep(name, "delete", key)
        else:
            self._keep(name, "function", None, body)
        self._tasks.append((name, _KINDS[route]))
        return 202, {"taskUid": len(self._tasks) - 1, "indexUid": name, "status": "enqueued",
                     "type": _KINDS[route], "enqueuedAt": _SINCE}  # fmt: skip


def _failure(code: str, message: str) -> dict[str, str]:
    return {"message": message, "code": code, "type": "invalid_request", "link": ""}


def _at(value: Any, path: str) -> Any:
    for part in [path] if path in value else path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
