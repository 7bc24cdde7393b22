"""A proxy in front of OpenSearch that asks for credentials, as a security plugin would.

It can fail single entries of a bulk request (which then never reach the server), cut or hold
answers (`StrictServer`), and answer as Elasticsearch with its security API, as Elastic documents
them: `GET /`, `_security/_authenticate`, `_security/user/_has_privileges`.
"""

from __future__ import annotations

import base64
import fnmatch
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.support.certificates import Authority
from tests.support.http_server import HttpReceiver, Received, Reply, start_http
from tests.support.opensearch_server import OpenSearchServer
from tests.support.ports import LOOPBACK
from tests.support.strict_server import StrictServer, as_json

API_KEY: Final = "aWQtMTIzNDU2Nzg5OmtleS1zZWNyZXQtOTk="
BASIC: Final = "writer:pass word-é"
BEARER: Final = "eyJ0b2tlbi0xMjM0NTY3ODk"
READER: Final = "reader:reader-pass"
LIMITED: Final = "limited:limited-pass"

Right = Literal["root", "monitor", "see", "write", "create"]
_ALL: Final[frozenset[Right]] = frozenset({"root", "monitor", "see", "write", "create"})


@dataclass(frozen=True)
class User:
    """What somebody may do: everything of `rights`, on indexes that match `indexes`."""

    name: str
    rights: frozenset[Right] = _ALL
    indexes: str = "*"

    def may(self, right: Right, index: str = "") -> bool:
        """Whether `right` is given, on `index` when one is named."""
        return right in self.rights and (not index or fnmatch.fnmatchcase(index, self.indexes))


def basic(pair: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


@dataclass
class OpenSearchProxy(StrictServer):
    """The running proxy. With `open` it asks for no credentials; `elastic` changes what it says."""

    behind: OpenSearchServer | None = None
    users: dict[str, User] = field(default_factory=dict)
    open: bool = False
    elastic: bool = False
    bulks: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    """Every bulk request that came: its index, and operation and id of each entry."""
    _items: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget everything but the usual users."""
        self.restart()
        self.users = {
            f"ApiKey {API_KEY}": User("key"),
            f"Bearer {BEARER}": User("token"),
            basic(BASIC): User("writer"),
            basic(READER): User("reader", frozenset({"root", "monitor", "see"})),
            basic(LIMITED): User("limited", frozenset({"write"}), "orders*"),
        }
        self.open = self.elastic = False
        self.bulks, self._items = [], {}

    def fail_item(self, name: str, *statuses: int, kind: str = "injected_exception") -> None:
        """Fail the entry with this `_id`, once per status."""
        self._items.setdefault(name, []).extend((status, kind) for status in statuses)

    def carry_out(self, request: Received) -> Reply:
        path = request.target.partition("?")[0]
        user = (
            User("nobody") if self.open else self.users.get(request.header("authorization") or "")
        )
        if user is None:
            return _refusal(401, "security_exception", "unable to authenticate user")
        if self.elastic and path.startswith("/_security/"):
            return self._security(user, path, request)
        index = path.split("/")[1]
        if path.startswith(("/_resolve/index/", "/_alias/")):
            index = path.rpartition("/")[2]
            path = f"/{index}"
        if path == "/":
            wanted: Right = "root"
        elif path.startswith("/_"):
            wanted = "monitor"
        else:
            wanted = "write" if path.endswith("/_bulk") else "see"
        if not user.may(wanted, "" if index.startswith("_") else index):
            if wanted == "write":
                return self._bulk(request, index, denied=True)
            return _refusal(403, "security_exception", f"{user.name} lacks the privilege {wanted}")
        if wanted == "write":
            return self._bulk(request, index)
        reply = self._forward(request)
        return _as_elastic(reply) if self.elastic and path == "/" else reply

    def _security(self, user: User, path: str, request: Received) -> Reply:
        if path == "/_security/_authenticate":
            return as_json(200, {"username": user.name, "roles": []})
        asked = json.loads(request.body)["index"][0]
        rights: dict[str, Right] = {"index": "write", "delete": "write", "create_index": "create"}
        [name] = asked["names"]
        found = {p: user.may(rights[p], name) for p in asked["privileges"]}
        return as_json(200, {"username": user.name, "has_all_requested": all(found.values()),
                             "cluster": {}, "index": {name: found}, "application": {}})  # fmt: skip

    def _bulk(self, request: Received, index: str, *, denied: bool = False) -> Reply:
        """Forward the entries that are not to fail, and put the results together again."""
        body = request.plain
        assert body.endswith(b"\n"), "a bulk request ends with a line break"
        lines = body.split(b"\n")[:-1]
        entries: list[tuple[str, str, list[bytes]]] = []
        while lines:
            [(operation, meta)] = json.loads(lines[0]).items()
            count = 1 if operation == "delete" else 2
            entries.append((operation, meta["_id"], lines[:count]))
            lines = lines[count:]
        self.bulks.append((index, [(operation, name) for operation, name, _ in entries]))
        failed = {}
        for place, (operation, name, _) in enumerate(entries):
            planned = self._items.get(name)
            if denied or planned:
                status, kind = (403, "security_exception") if denied else planned.pop(0)
                error = {"type": kind, "reason": f"{kind} for {name}"}
                failed[place] = {operation: {"_index": index, "_id": name, "status": status,
                                             "error": error}}  # fmt: skip
        left = [line for n, (_, _, part) in enumerate(entries) if n not in failed for line in part]
        results: Iterator[Any] = iter(())
        if left:
            reply = self._forward(request, b"".join(line + b"\n" for line in left))
            if reply.status != 200 or not failed:
                return reply
            results = iter(json.loads(reply.body)["items"])
        items = [failed.get(n) or next(results) for n in range(len(entries))]
        return as_json(200, {"took": 1, "errors": True, "items": items})

    def _forward(self, request: Received, body: bytes | None = None) -> Reply:
        assert self.behind is not None
        return forward(self.behind.port, request, body)


def forward(port: int, request: Received, body: bytes | None = None) -> Reply:
    """Pass a request on, with another body when one is given; gives back what was answered."""
    kept = {"content-type", "content-encoding", "accept"}
    headers = {k: v for k, v in request.headers if k.lower() in kept}
    if body is not None:
        headers = {k: v for k, v in headers.items() if k.lower() != "content-encoding"}
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    try:
        connection.request(
            request.method, request.target, request.body if body is None else body, headers
        )
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException):
        return _refusal(502, "bad_gateway", "the server behind the proxy does not answer")
    finally:
        connection.close()
    names = ("content-type", "x-elastic-product")
    shown = tuple((name, found) for name in names if (found := answer.getheader(name)))
    return Reply(answer.status, content, shown)


def _as_elastic(reply: Reply) -> Reply:
    found = json.loads(reply.body)
    version = {"number": "8.19.0", "build_flavor": "default", "lucene_version": "9.12.1"}
    text = {**found, "version": version, "tagline": "You Know, for Search"}
    shown = as_json(reply.status, text)
    return Reply(shown.status, shown.body, (*shown.headers, ("x-elastic-product", "Elasticsearch")))


def _refusal(status: int, kind: str, reason: str) -> Reply:
    error = {"type": kind, "reason": reason, "root_cause": [{"type": kind, "reason": reason}]}
    return as_json(status, {"error": error, "status": status})


@contextmanager
def start_proxy(
    behind: OpenSearchServer, authority: Authority | None = None
) -> Iterator[OpenSearchProxy]:
    """Run a proxy until the block ends; TLS when `authority` is given."""
    with start_http(authority) as receiver:
        proxy = _proxy(receiver, behind)
        yield proxy


def _proxy(receiver: HttpReceiver, behind: OpenSearchServer) -> OpenSearchProxy:
    proxy = OpenSearchProxy(receiver, behind=behind)
    proxy.reset()
    return proxy
