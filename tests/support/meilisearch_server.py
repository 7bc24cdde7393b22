"""A strict Meilisearch on loopback: it takes only what its API description and documentation allow.

Writes become tasks that are carried out in order after `delay`, all or nothing. It is stricter
than the service: unknown query parameters and unescaped paths are refused. Faults are injected per
document, per task or per request.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.certificates import Authority
from tests.support.http_server import Received, Reply, start_http
from tests.support.strict_server import StrictServer, as_json

MASTER: Final = "master-key-0123456789"
WRITER: Final = "writer-key-0123456789"
READER: Final = "reader-key-0123456789"
BLIND: Final = "blind-key-0123456789"
LIMITED: Final = "limited-key-0123456789"
WRITE_ONLY: Final = "write-only-key-0123456789"

_WHEN: Final = "2026-01-01T00:00:00Z"
_RHAI: Final = re.compile(r"doc\.(\w+) \+= context\.(\w+)")
_FILTER: Final = re.compile(r"(\w+) = (\w+)")
_TYPES: Final = {"invalid_api_key": "auth", "missing_authorization_header": "auth",
                 "internal": "internal", "no_space_left_on_device": "system"}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """What a key may do: actions such as `documents.add`, and indexes (`*` for all)."""

    actions: tuple[str, ...]
    indexes: tuple[str, ...] = ("*",)

    def allows(self, action: str, index: str | None) -> bool:
        """Whether `action` is allowed on `index`; `None` means none in particular."""
        group = action.partition(".")[0]
        named = {action, f"{group}.*", "*"} & set(self.actions)
        return bool(named) and (index is None or bool({index, "*"} & set(self.indexes)))


@dataclass
class Task:
    """A write that waits, or what became of it. `work` returns its details or raises `Failed`."""

    uid: int
    index: str
    kind: str
    work: Callable[[], None]
    due: float
    status: str = "enqueued"
    error: dict[str, str] | None = None


class FailedError(Exception):
    """A task cannot be carried out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class MeilisearchServer(StrictServer):
    """The running server: `indexes` hold documents by id, `primary_keys` the field of the id.

    Tasks end `delay` seconds after they were accepted. `function_edits` is the experimental
    feature.
    """

    keys: dict[str, Key] = field(default_factory=dict)
    indexes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    primary_keys: dict[str, str | None] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    delay: float = 0.0
    function_edits: bool = True
    available: bool = True
    max_body: int = 100 * 1024 * 1024
    _documents: dict[str, tuple[str, int]] = field(default_factory=dict)
    _tasks: list[str] = field(default_factory=list)

    def reset(self) -> None:
        """Forget everything but the usual keys."""
        with self._lock:
            self.restart()
            write = ("documents.*", "tasks.get", "indexes.get", "indexes.create")
            self.keys = {
                MASTER: Key(("*",)),
                WRITER: Key(write),
                LIMITED: Key(write, ("orders",)),
                READER: Key(("search", "documents.get", "tasks.get", "indexes.get")),
                BLIND: Key(("documents.*", "indexes.get")),
                WRITE_ONLY: Key(("documents.add", "documents.delete", "tasks.get")),
            }
            self.indexes, self.primary_keys, self.tasks = {}, {}, []
            self.delay, self.max_body = 0.0, 100 * 1024 * 1024
            self.function_edits = self.available = True
            self._documents, self._tasks = {}, []

    def create(self, index: str, primary_key: str | None = "id") -> None:
        """A new index."""
        self.indexes[index], self.primary_keys[index] = {}, primary_key

    def fail_document(
        self, name: str, code: str = "invalid_document_fields", times: int = -1
    ) -> None:
        """Fail tasks that hold the document with this id; for ever, or `times` times."""
        self._documents[name] = (code, times)

    def fail_tasks(self, *codes: str) -> None:
        """Fail the next tasks, or cancel them for `canceled`."""
        self._tasks += codes

    def carry_out(self, request: Received) -> Reply:
        self._work()
        parts = urlsplit(request.target)
        if re.search(r"[^A-Za-z0-9%._~/-]", parts.path):
            return _error(400, "bad_request", "The path is not escaped.")
        steps = [unquote(step) for step in parts.path.split("/")[1:]]
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if request.method == "GET" and steps == ["health"]:
            status = "available" if self.available else "unavailable"
            return as_json(200 if self.available else 503, {"status": status})
        for method, pattern, action, allowed, act in self._routes():
            if request.method != method or len(pattern) != len(steps):
                continue
            if all(want in ("*", got) for want, got in zip(pattern, steps, strict=True)):
                return self._route(request, steps, dict(pairs), action, allowed, act)
        return Reply(404)

    def _routes(self) -> list[tuple[str, list[str], str, set[str], Callable[..., Reply]]]:
        return [
            ("GET", ["tasks"], "tasks.get", {"limit"}, self._list_tasks),
            ("GET", ["tasks", "*"], "tasks.get", set(), self._show_task),
            ("GET", ["indexes"], "indexes.get", {"limit", "offset"}, self._list_indexes),
            ("GET", ["indexes", "*"], "indexes.get", set(), self._show_index),
            ("GET", ["experimental-features"], "experimental.get", set(), self._features),
            ("POST", ["indexes", "*", "documents"], "documents.add", {"primaryKey"}, self._add),
            ("POST", ["indexes", "*", "documents", "delete-batch"], "documents.delete", set(),
             self._delete),
            ("POST", ["indexes", "*", "documents", "edit"], "documents.*", set(), self._edit),
            ("GET", ["indexes", "*", "documents", "*"], "documents.get",
             {"fields", "retrieveVectors"}, self._show_document),
        ]  # fmt: skip

    def _route(
        self,
        request: Received,
        steps: list[str],
        query: dict[str, str],
        action: str,
        allowed: set[str],
        act: Callable[..., Reply],
    ) -> Reply:
        sent = request.header("authorization")
        if sent is None:
            return _error(401, "missing_authorization_header",
                          "The Authorization header is missing.")  # fmt: skip
        index = steps[1] if steps[0] == "indexes" and len(steps) > 1 else None
        key = self.keys.get(sent.removeprefix("Bearer "))
        if key is None or not sent.startswith("Bearer ") or not key.allows(action, index):
            return _error(403, "invalid_api_key", "The provided API key is invalid.")
        if index is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,400}", index):
            return _error(400, "invalid_index_uid", f"`{index}` is not a valid index uid.")
        if set(query) - allowed:
            return _error(400, "bad_request", f"Unknown parameter: {sorted(query)}")
        if request.method == "GET" and "documents" in steps:
            return act(str(index), steps[-1])
        if request.method == "GET":
            return act(steps[-1], query)
        body = request.plain
        wanted = "application/x-ndjson" if steps[-1] == "documents" else "application/json"
        if request.header("content-type") != wanted:
            return _error(415, "invalid_content_type", f"The content type must be {wanted}.")
        if len(body) > self.max_body:
            return _error(413, "payload_too_large", "The provided payload reached the size limit.")
        if not body:
            return _error(400, "missing_payload", "A payload is missing.")
        create = key.allows("indexes.create", index)
        return act(str(index), query, body, create)

    def _list_tasks(self, name: str, query: dict[str, str]) -> Reply:
        found = self.tasks[::-1][: int(query.get("limit", "20"))]
        return as_json(200, {"results": [_view(task) for task in found], "total": len(self.tasks),
                             "limit": 20, "from": None, "next": None})  # fmt: skip

    def _show_task(self, name: str, query: dict[str, str]) -> Reply:
        if not name.isdigit() or int(name) >= len(self.tasks):
            return _error(404, "task_not_found", f"Task `{name}` not found.")
        return as_json(200, _view(self.tasks[int(name)]))

    def _list_indexes(self, name: str, query: dict[str, str]) -> Reply:
        found = [self._index(name) for name in self.indexes][: int(query.get("limit", "20"))]
        return as_json(200, {"results": found, "offset": 0, "limit": 20,
                             "total": len(self.indexes)})  # fmt: skip

    def _show_index(self, name: str, query: dict[str, str]) -> Reply:
        if name not in self.indexes:
            return _error(404, "index_not_found", f"Index `{name}` not found.")
        return as_json(200, self._index(name))

    def _show_document(self, index: str, name: str) -> Reply:
        if index not in self.indexes:
            return _error(404, "index_not_found", f"Index `{index}` not found.")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,511}", name):
            return _error(400, "invalid_document_id", f"Document identifier `{name}` is invalid.")
        if name not in self.indexes[index]:
            return _error(404, "document_not_found", f"Document `{name}` not found.")
        return as_json(200, self.indexes[index][name])

    def _index(self, name: str) -> dict[str, Any]:
        return {"uid": name, "primaryKey": self.primary_keys[name], "createdAt": _WHEN,
                "updatedAt": _WHEN}  # fmt: skip

    def _features(self, name: str, query: dict[str, str]) -> Reply:
        return as_json(200, {"editDocumentsByFunction": self.function_edits})

    def _add(self, index: str, query: dict[str, str], body: bytes, create: bool) -> Reply:
        try:
            documents = [json.loads(line) for line in body.split(b"\n")]
        except ValueError as error:
            return _error(400, "malformed_payload", f"The ndjson payload is malformed: {error}")
        if not all(isinstance(document, dict) for document in documents):
            return _error(400, "malformed_payload", "A document is not a map.")

        def work() -> None:
            if index not in self.indexes and not create:
                raise FailedError("index_not_found", f"Index `{index}` not found.")
            known = self.primary_keys.get(index)
            primary = known or query.get("primaryKey")
            if primary is None:
                raise FailedError("index_primary_key_no_candidate_found", "No primary key.")
            if query.get("primaryKey", primary) != primary:
                raise FailedError(
                    "index_primary_key_already_exists", f"Index `{index}` has `{primary}`."
                )
            fresh = dict(self.indexes.get(index, {}))
            for document in documents:
                name = _document_id(document, primary)
                self._injected(name)
                fresh[name] = document
            self.indexes[index], self.primary_keys[index] = fresh, primary

        return self._enqueue(index, "documentAdditionOrUpdate", work)

    def _delete(self, index: str, query: dict[str, str], body: bytes, create: bool) -> Reply:
        try:
            names = json.loads(body)
        except ValueError as error:
            return _error(400, "malformed_payload", f"The json payload is malformed: {error}")
        if not isinstance(names, list) or any(type(name) not in (int, str) for name in names):
            return _error(400, "invalid_document_ids", "The ids are not a list of ids.")

        def work() -> None:
            if index not in self.indexes:
                raise FailedError("index_not_found", f"Index `{index}` not found.")
            for name in names:
                self._injected(str(name))
            for name in names:
                self.indexes[index].pop(str(name), None)

        return self._enqueue(index, "documentDeletion", work)

    def _edit(self, index: str, query: dict[str, str], body: bytes, create: bool) -> Reply:
        if not self.function_edits:
            return _error(400, "feature_not_enabled", "Using the edit route needs a feature.")
        given = json.loads(body)
        unknown = set(given) - {"filter", "function", "context"}
        if unknown or not isinstance(given.get("function"), str):
            return _error(400, "bad_request", f"Unknown field: {sorted(unknown)}")
        if not isinstance(given.get("context", {}), dict):
            return _error(400, "invalid_document_edition_context", "It must be an object.")

        def work() -> None:
            if index not in self.indexes:
                raise FailedError("index_not_found", f"Index `{index}` not found.")
            code, where = _RHAI.fullmatch(given["function"]), _FILTER.fullmatch(given["filter"])
            if code is None or where is None:
                raise FailedError("edit_documents_by_function_error", "It is not understood.")
            for document in self.indexes[index].values():
                if str(document.get(where[1])) == where[2]:
                    document[code[1]] += given["context"][code[2]]

        return self._enqueue(index, "documentEdition", work)

    def _injected(self, name: str) -> None:
        code, times = self._documents.get(name, ("", 0))
        if times:
            self._documents[name] = (code, times - 1)
            raise FailedError(code, f"document {name}: injected")

    def _enqueue(self, index: str, kind: str, work: Callable[[], None]) -> Reply:
        task = Task(len(self.tasks), index, kind, work, time.monotonic() + self.delay)
        self.tasks.append(task)
        return as_json(202, {"taskUid": task.uid, "indexUid": index, "status": "enqueued",
                             "type": kind, "enqueuedAt": _WHEN})  # fmt: skip

    def _work(self) -> None:
        """Carry out the tasks that are due, in order."""
        for task in self.tasks:
            if task.status != "enqueued":
                continue
            if task.due > time.monotonic():
                return
            injected = self._tasks.pop(0) if self._tasks else ""
            try:
                if injected == "canceled":
                    task.status = "canceled"
                    continue
                if injected:
                    raise FailedError(injected, "injected")
                task.work()
                task.status = "succeeded"
            except FailedError as error:
                task.status, task.error = "failed", _failure(error.code, str(error))


def _document_id(document: dict[str, Any], primary: str) -> str:
    value: Any = document
    for part in [primary] if primary in document else primary.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        raise FailedError("missing_document_id", f"Document doesn't have a `{primary}` attribute.")
    if type(value) is int or (
        isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,511}", value)
    ):
        return str(value)
    raise FailedError("invalid_document_id", f"Document identifier `{value}` is invalid.")


def _view(task: Task) -> dict[str, Any]:
    ended = {"startedAt": _WHEN, "finishedAt": _WHEN, "duration": "PT0.01S"}
    return {"uid": task.uid, "indexUid": task.index, "status": task.status, "type": task.kind,
            "canceledBy": None, "error": task.error, "enqueuedAt": _WHEN, "details": None,
            **(ended if task.status != "enqueued" else {})}  # fmt: skip


def _failure(code: str, message: str) -> dict[str, str]:
    return {"message": message, "code": code, "type": _TYPES.get(code, "invalid_request"),
            "link": f"https://docs.meilisearch.com/errors#{code}"}  # fmt: skip


def _error(status: int, code: str, message: str) -> Reply:
    return as_json(status, _failure(code, message))


@contextmanager
def start_meilisearch(authority: Authority | None = None) -> Iterator[MeilisearchServer]:
    """Run a server until the block ends; TLS when `authority` is given."""
    with start_http(authority) as receiver:
        server = MeilisearchServer(receiver)
        server.reset()
        yield server
