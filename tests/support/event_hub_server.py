"""A strict local server of the Event Hubs HTTP API, which has no free server of its own.

It verifies signatures as Microsoft describes them, with code of its own, and takes a request only
when its URL, content type and body are what the published API asks for.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from tests.support.certificates import Authority
from tests.support.http_server import HttpReceiver, Received, Reply, start_http

MAX_REQUEST = 1_048_576
BLOCK = 64


@dataclass(frozen=True)
class Policy:
    """A shared access policy, of one hub or (without `hub`) of the namespace."""

    key: str
    rights: frozenset[str] = frozenset({"Send"})
    hub: str | None = None


@dataclass
class EventHubServer:
    """The namespace. `events` holds the bodies of what was taken, by hub; `faults` come first."""

    http: HttpReceiver
    hubs: set[str] = field(default_factory=set)
    policies: dict[str, Policy] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)
    faults: list[Reply] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)
    signatures: set[str] = field(default_factory=set)
    limit: int = MAX_REQUEST
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its base URL."""
        return self.http.url

    def answer(self, request: Received) -> Reply:
        """Called for each request."""
        with self._lock:
            hub, _, rest = request.target.removeprefix("/").partition("/")
            problem = self._signature_problem(request, hub)
            if problem:
                return error(401, problem)
            if hub not in self.hubs:
                # An unknown path of a namespace is an empty list of what is below it.
                feed = b'<feed xmlns="http://www.w3.org/2005/Atom"><title>Publicly Listed</title>'
                return error(404, "NotFound") if request.method == "POST" else Reply(200, feed)
            if request.method != "POST" or rest != "messages":
                text = "The requested HTTP operation is not supported in an EventHub."
                return error(400, f"BadRequest: {text}")
            return self._take(request, hub)

    def _take(self, request: Received, hub: str) -> Reply:
        if self.faults:
            fault = self.faults.pop(0)
            if fault.cut is None:
                return fault
        else:
            fault = None
        if len(request.body) > self.limit:
            return error(413, "The request entity is too large.")
        problem, bodies = _events(request)
        if problem:
            self.broken_rules.append(problem)
            return error(400, f"BadRequest: {problem}")
        self.requests.append(len(bodies))
        self.events.setdefault(hub, []).extend(bodies)
        return fault or Reply(201)

    def _signature_problem(self, request: Received, hub: str) -> str:
        """What is wrong with the shared access signature of a request."""
        scheme, _, rest = (request.header("authorization") or "").partition(" ")
        if scheme != "SharedAccessSignature":
            return "MissingToken: The authorization header was not found"
        parts = dict(item.split("=", 1) for item in rest.split("&"))
        if set(parts) != {"sr", "sig", "se", "skn"}:
            return "MalformedToken: The token has the wrong parts"
        policy = self.policies.get(unquote_plus(parts["skn"]))
        if policy is None or policy.hub not in (None, hub):
            return "InvalidSignature: The token has an invalid signature."
        wanted = hmac_sha256(policy.key.encode(), (parts["sr"] + "\n" + parts["se"]).encode())
        given = binascii.a2b_base64(unquote_plus(parts["sig"]))
        if given != wanted:
            return "InvalidSignature: The token has an invalid signature."
        left = int(parts["se"]) - time.time()
        if left <= 0:
            return "ExpiredToken: The token is expired."
        if left > 3601:
            self.broken_rules.append(f"a signature that lasts {left:.0f} s")
        resource = unquote_plus(parts["sr"])
        asked = f"{self.url}{request.target}"
        if asked != resource and not asked.startswith(resource.rstrip("/") + "/"):
            return "InvalidSignature: The token is for another resource"
        if request.method == "POST" and "Send" not in policy.rights:
            return "Unauthorized access. 'Send' claim(s) are required to perform this operation."
        self.signatures.add(parts["sig"])
        return ""


def hmac_sha256(key: bytes, text: bytes) -> bytes:
    """HMAC with SHA-256, from its definition (RFC 2104)."""
    key = hashlib.sha256(key).digest() if len(key) > BLOCK else key
    key = key.ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def _events(request: Received) -> tuple[str, list[str]]:
    if request.header("content-type") != "application/vnd.microsoft.servicebus.json":
        return "wrong content type", []
    try:
        items: Any = json.loads(request.body)
    except ValueError:
        return "the body is not JSON", []
    if not isinstance(items, list) or not items:
        return "the body is not a list of events", []
    for item in items:
        if not isinstance(item, dict) or not {"Body"} <= set(item) <= {"Body", "UserProperties"}:
            return "an event has other keys than Body and UserProperties", []
        if not isinstance(item["Body"], str):
            return "Body is not text", []
    return "", [item["Body"] for item in items]


def error(status: int, detail: str) -> Reply:
    """An error as the service words it."""
    text = f"<Error><Code>{status}</Code><Detail>{detail} TrackingId:1_G2</Detail></Error>"
    return Reply(status, text.encode(), (("Content-Type", "application/xml; charset=utf-8"),))


@contextmanager
def start_event_hubs(authority: Authority) -> Iterator[EventHubServer]:
    """Run a namespace with TLS until the block ends; it has no hubs yet and one policy."""
    with start_http(authority) as receiver:
        server = EventHubServer(receiver, policies={"sender": Policy("s3cret/key+of=policy")})
        receiver.answer = server.answer
        yield server
