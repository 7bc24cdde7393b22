"""A strict Typesense on loopback: it takes only what its API description and documentation allow.

It is stricter than the service: unknown query parameters, wrong content types and unescaped paths
are refused. Faults are injected per document or per request. Every exchange is kept, so that a
test can hold it against a description of the API (`tests.support.openapi`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.certificates import Authority
from tests.support.http_server import Received, Reply, start_http
from tests.support.strict_server import StrictServer, as_json

ADMIN: Final = "admin-key-0123456789"
WRITER: Final = "writer-key-0123456789"
READER: Final = "reader-key-0123456789"
SEARCHER: Final = "search-key-0123456789"
LIMITED: Final = "limited-key-0123456789"
FORBIDDEN: Final = "Forbidden - a valid `x-typesense-api-key` header must be sent."

_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda v: isinstance(v, str),
    "int32": lambda v: type(v) is int and -(2**31) <= v < 2**31,
    "int64": lambda v: type(v) is int and -(2**63) <= v < 2**63,
    "float": lambda v: type(v) in (int, float),
    "bool": lambda v: type(v) is bool,
    "string[]": lambda v: isinstance(v, list) and all(isinstance(item, str) for item in v),
    "object": lambda v: isinstance(v, dict),
    "auto": lambda v: True,
}


@dataclass(frozen=True)
class Key:
    """What a key may do: actions such as `documents:import`, and patterns of collections."""

    actions: tuple[str, ...]
    collections: tuple[str, ...] = (".*",)

    def allows(self, action: str, collection: str | None) -> bool:
        """Whether `action` is allowed on `collection`; `None` means all of them."""
        group = action.partition(":")[0]
        named = {action, f"{group}:*", "*"} & set(self.actions)
        return bool(named) and (
            collection is None or any(re.fullmatch(p, collection) for p in self.collections)
        )


@dataclass
class TypesenseServer(StrictServer):
    """The running server: `collections` hold documents by id, `exchanges` what was said."""

    keys: dict[str, Key] = field(default_factory=dict)
    schemas: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    collections: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    ready: bool = True
    max_body: int = 50_000_000
    _documents: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget everything but the usual keys."""
        with self._lock:
            self.restart()
            self.keys = {
                ADMIN: Key(("*",)),
                WRITER: Key(("documents:*", "collections:*")),
                LIMITED: Key(("documents:*",), ("orders.*",)),
                READER: Key(("collections:get", "collections:list", "documents:get")),
                SEARCHER: Key(("documents:search",)),
            }
            self.schemas, self.collections = {}, {}
            self.ready, self.max_body = True, 50_000_000
            self._documents = {}

    def create(self, name: str, /, **fields: str) -> None:
        """A new collection; a type that ends in `?` makes its field optional."""
        self.schemas[name] = [
            {"name": key, "type": kind.rstrip("?"), "optional": kind.endswith("?")}
            for key, kind in fields.items()
        ]
        self.collections[name] = {}

    def fail_document(self, name: str, *codes: int, error: str = "injected") -> None:
        """Refuse the document with this id, once per code, within an import or alone."""
        self._documents.setdefault(name, []).extend((code, error) for code in codes)

    def carry_out(self, request: Received) -> Reply:
        if len(request.body) > self.max_body:
            return as_json(413, {"message": "Request body is too large."})
        parts = urlsplit(request.target)
        if re.search(r"[^A-Za-z0-9%._~/-]", parts.path):
            return as_json(400, {"message": "The path is not escaped."})
        steps = [unquote(step) for step in parts.path.split("/")[1:]]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not self.ready:
            ok = {"ok": False} if steps == ["health"] else {"message": "Not Ready or Lagging"}
            return as_json(503, ok)
        match request.method, steps:
            case "GET", ["health"]:
                return as_json(200, {"ok": True})
            case "GET", ["keys"]:
                return self._allowed(request, "keys:list") or as_json(200, {"keys": []})
            case "GET", ["collections"]:
                return self._listed(request, query)
            case "GET", ["collections", name]:
                return self._allowed(request, "collections:get", name) or self._collection(name)
            case "POST", ["collections", name, "documents", "import"]:
                return self._import(request, name, query)
            case "DELETE", ["collections", name, "documents", key]:
                return self._remove(request, name, key, query)
            case "GET", ["collections", name, "documents", key]:
                return self._get(request, name, key, query)
        return as_json(404, {"message": "Not Found"})

    def _allowed(
        self, request: Received, action: str, collection: str | None = None
    ) -> Reply | None:
        key = self.keys.get(request.header("x-typesense-api-key") or "")
        if key is None or not key.allows(action, collection):
            return as_json(401, {"message": FORBIDDEN})
        return None

    def _listed(self, request: Received, query: dict[str, str]) -> Reply:
        refused = self._allowed(request, "collections:list")
        unknown = set(query) - {"limit", "offset", "exclude_fields"}
        if unknown or not query.get("limit", "0").isdigit():
            return as_json(400, {"message": f"Bad parameters: {sorted(query)}"})
        names = list(self.schemas)[: int(query.get("limit", len(self.schemas)))]
        return refused or as_json(200, [self._summary(name) for name in names])

    def _collection(self, name: str) -> Reply:
        if name not in self.schemas:
            return as_json(404, {"message": "Not Found"})
        return as_json(200, self._summary(name))

    def _summary(self, name: str) -> dict[str, Any]:
        return {"name": name, "fields": self.schemas[name], "created_at": 1_700_000_000,
                "num_documents": len(self.collections[name])}  # fmt: skip

    def _get(self, request: Received, name: str, key: str, query: dict[str, str]) -> Reply:
        if refused := self._allowed(request, "documents:get", name):
            return refused
        if query:
            return as_json(400, {"message": f"Bad parameters: {sorted(query)}"})
        if name not in self.collections:
            return as_json(404, {"message": "Not Found"})
        found = self.collections[name].get(key)
        if found is None:
            return as_json(404, {"message": f"Could not find a document with id: {key}"})
        return as_json(200, found)

    def _remove(self, request: Received, name: str, key: str, query: dict[str, str]) -> Reply:
        if refused := self._allowed(request, "documents:delete", name):
            return refused
        if query or request.body:
            return as_json(400, {"message": f"Bad parameters: {sorted(query)}"})
        if name not in self.collections:
            return as_json(404, {"message": "Not Found"})
        if codes := self._documents.get(key):
            code, error = codes.pop(0)
            return as_json(code, {"message": error})
        found = self.collections[name].pop(key, None)
        if found is None:
            return as_json(404, {"message": f"Could not find a document with id: {key}"})
        return as_json(200, found)

    def _import(self, request: Received, name: str, query: dict[str, str]) -> Reply:
        if refused := self._allowed(request, "documents:import", name):
            return refused
        if set(query) - {"action"} or query.get("action") != "emplace":
            return as_json(400, {"message": f"Bad parameters: {query}"})
        if request.header("content-type") not in ("application/octet-stream", "text/plain"):
            return as_json(400, {"message": "Bad content type."})
        if name not in self.collections:
            return as_json(404, {"message": "Not Found"})
        if not request.body:
            return as_json(400, {"message": "The body is empty."})
        lines = request.body.split(b"\n")
        results = [json.dumps(self._emplace(name, line)) for line in lines]
        return Reply(200, "\n".join(results).encode(), (("content-type", "text/plain"),))

    def _emplace(self, name: str, line: bytes) -> dict[str, Any]:
        def refuse(code: int, error: str) -> dict[str, Any]:
            return {"code": code, "document": line.decode("utf-8", "replace"), "error": error,
                    "success": False}  # fmt: skip

        try:
            document = json.loads(line)
        except ValueError:
            return refuse(400, "Bad JSON.")
        if not isinstance(document, dict) or not document:
            return refuse(400, "Bad JSON: not a proper document.")
        key = document.get("id")
        if not isinstance(key, str):
            return refuse(400, "Document's `id` field should be a string.")
        if not key:
            return refuse(400, "The `id` should not be empty.")
        if codes := self._documents.get(key):
            return refuse(*codes.pop(0))
        stored = self.collections[name].get(key)
        for each in self.schemas[name]:
            value = document.get(each["name"])
            if value is None:
                if each["optional"] or (stored is not None and each["name"] not in document):
                    continue
                return refuse(400, f"Field `{each['name']}` has been declared in the schema, but "
                                   "is not found in the document.")  # fmt: skip
            if not _TYPES[each["type"]](value):
                return refuse(400, f"Field `{each['name']}` must be a {each['type']}.")
        self.collections[name][key] = {**(stored or {}), **document}
        return {"success": True}


@contextmanager
def start_typesense(authority: Authority | None = None) -> Iterator[TypesenseServer]:
    """Run a server until the block ends; TLS when `authority` is given."""
    with start_http(authority) as receiver:
        server = TypesenseServer(receiver)
        server.reset()
        yield server
