"""Google's Pub/Sub emulator, read by a client that shares no code with the one under test.

Beside it a strict server of Google's token endpoint and of the API behind it, for credentials,
which the emulator does not know.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.http_server import HttpReceiver, Received, Reply, start_http
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import missing

PROJECT = "shop-project"
START = 60.0
_SCRIPT = "platform/pubsub-emulator/bin/cloud-pubsub-emulator"


class PubSubReplyError(RuntimeError):
    """The emulator refused a request of the test itself."""


@dataclass(frozen=True)
class Pulled:
    """One message as a subscriber sees it."""

    data: bytes
    attributes: dict[str, str]
    ordering_key: str | None
    message_id: str


@dataclass(frozen=True)
class PubSubServer:
    """A running emulator."""

    port: int
    host: str = LOOPBACK

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.host}:{self.port}"

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request below the project. Raises `PubSubReplyError`, and `OSError` without it."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body).encode()
            headers = {"content-type": "application/json"} if data else {}
            connection.request(method, f"/v1/projects/{PROJECT}/{path}", data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise PubSubReplyError(f"HTTP {answer.status}: {text[:200]!r}")
        return json.loads(text or b"{}")

    def create_topic(self, topic: str) -> str:
        """Make a topic and an ordered subscription of the same name; return the name."""
        self.request("PUT", f"topics/{topic}")
        name = f"projects/{PROJECT}/topics/{topic}"
        body = {"topic": name, "enableMessageOrdering": True, "ackDeadlineSeconds": 600}
        self.request("PUT", f"subscriptions/{topic}", body)
        return topic

    def pull(self, topic: str, count: int, timeout: float = 20.0) -> list[Pulled]:
        """The first `count` messages of a topic's subscription, and any more that came along."""
        found: list[Pulled] = []
        deadline = time.monotonic() + timeout
        while len(found) < count and time.monotonic() < deadline:
            found += self._pull(topic)
        return found

    def drained(self, topic: str) -> bool:
        """Whether nothing more is there."""
        return not self._pull(topic)

    def _pull(self, topic: str) -> list[Pulled]:
        body = {"maxMessages": 1000, "returnImmediately": True}
        said = self.request("POST", f"subscriptions/{topic}:pull", body)
        items = said.get("receivedMessages", [])
        if items:
            acks = {"ackIds": [item["ackId"] for item in items]}
            self.request("POST", f"subscriptions/{topic}:acknowledge", acks)
        return [_pulled(item["message"]) for item in items]


def _pulled(message: Mapping[str, Any]) -> Pulled:
    return Pulled(
        base64.b64decode(message.get("data", ""), validate=True),
        dict(message.get("attributes", {})),
        message.get("orderingKey"),
        message["messageId"],
    )


def _script() -> str:
    homes = [os.environ.get("CLOUDSDK_ROOT_DIR", ""), "/usr/lib/google-cloud-sdk"]
    gcloud = shutil.which("gcloud")
    if gcloud:
        homes.append(str(Path(gcloud).resolve().parents[1]))
    for home in homes:
        if home and (Path(home) / _SCRIPT).is_file() and shutil.which("java"):
            return str(Path(home) / _SCRIPT)
    missing("Google's Pub/Sub emulator (with java)")


@contextmanager
def start_pubsub(folder: Path, port: int | None = None) -> Iterator[PubSubServer]:
    """Run an emulator on a free port until the block ends; nothing is written to disk."""
    script = _script()
    folder.mkdir(parents=True, exist_ok=True)
    server = PubSubServer(port or free_port())
    arguments = [script, f"--host={LOOPBACK}", f"--port={server.port}"]
    options = {**os.environ, "JAVA_OPTS": "-Xmx256m -XX:TieredStopAtLevel=1"}
    with Child(arguments, folder / "pubsub.log", env=options) as child:
        child.wait_ready(lambda: server.request("GET", "topics") is not None, START)
        yield server


@dataclass
class Account:
    """A service account with a key of its own."""

    email: str = f"writer@{PROJECT}.iam.gserviceaccount.com"
    key_id: str = "key-1"
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False
    )

    def json(self, token_uri: str) -> dict[str, str]:
        """The JSON key that Google would give out for it."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account", "project_id": PROJECT, "private_key_id": self.key_id,
            "private_key": pem.decode(), "client_email": self.email, "client_id": "1234567890",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }  # fmt: skip


@dataclass
class GoogleServer:
    """Google's token endpoint and the API behind it, as far as publishing needs them.

    `topics` maps names to whether the account may publish; `may_see` is the right to look topics
    up. `published` holds what arrived. `tokens` are those that are valid now.
    """

    http: HttpReceiver
    account: Account
    topics: dict[str, bool] = field(default_factory=dict)
    may_see: bool = True
    lasts: int = 3600
    tokens: set[str] = field(default_factory=set)
    issued: list[str] = field(default_factory=list)
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: list[Reply] = field(default_factory=list)
    refuse_data: str = ""
    faults_of_rules: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Base URL of both."""
        return self.http.url

    def credentials(self) -> dict[str, str]:
        """The JSON key of the account, with this server's token endpoint."""
        return self.account.json(f"{self.url}/token")

    def answer(self, request: Received) -> Reply:
        """Called for each request."""
        with self._lock:
            if request.target == "/token":
                return self._token(request)
            return self._api(request)

    def _token(self, request: Received) -> Reply:
        form = {k: v[0] for k, v in parse_qs(request.body.decode(), strict_parsing=True).items()}
        problem = self._grant_problem(form)
        if request.header("content-type") != "application/x-www-form-urlencoded":
            problem = "wrong content type"
        if problem:
            body = {"error": "invalid_grant", "error_description": problem}
            return _json(400, body)
        token = f"ya29.token-{len(self.issued)}-of-the-test"
        self.issued.append(token)
        self.tokens.add(token)
        return _json(200, {"access_token": token, "expires_in": self.lasts, "token_type": "Bearer"})

    def _grant_problem(self, form: Mapping[str, str]) -> str:
        """What is wrong with a signed grant (RFC 7523, and Google's rules for service accounts)."""
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return "wrong grant type"
        parts = form.get("assertion", "").split(".")
        if len(parts) != 3:
            return "the assertion is not a JWT"
        head, claims = (json.loads(_b64(part)) for part in parts[:2])
        if head.get("alg") != "RS256" or head.get("typ") != "JWT":
            return "wrong algorithm"
        if claims.get("iss") != self.account.email or head.get("kid") != self.account.key_id:
            return "Invalid grant: account not found"
        try:
            self.account.key.public_key().verify(
                _b64(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(),
                hashes.SHA256(),
            )  # fmt: skip
        except InvalidSignature:
            return "Invalid JWT Signature."
        now = time.time()
        if not (now - 60 <= claims["iat"] <= now + 60 and claims["exp"] - claims["iat"] <= 3600):
            return "Invalid JWT: Token must be a short-lived token (60 minutes)"
        if claims.get("aud") != f"{self.url}/token":
            return "wrong audience"
        if claims.get("scope") != "https://www.googleapis.com/auth/pubsub":
            return "wrong scope"
        return ""

    def _api(self, request: Received) -> Reply:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            text = f"Request had invalid authentication credentials: {token}"
            return _error(401, "UNAUTHENTICATED", text)
        prefix = f"/v1/projects/{PROJECT}/topics/"
        if not request.target.startswith(prefix):
            return _error(404, "NOT_FOUND", "Requested project not found")
        name, _, verb = request.target.removeprefix(prefix).partition(":")
        topic = unquote(name)
        if request.method == "GET" and not verb:
            if not self.may_see:
                return _error(403, "PERMISSION_DENIED", "User not authorized")
            if topic not in self.topics:
                return _error(404, "NOT_FOUND", f"Resource not found (resource={topic}).")
            return _json(200, {"name": f"projects/{PROJECT}/topics/{topic}"})
        body = json.loads(request.plain)
        if verb == "testIamPermissions":
            wanted = body["permissions"]
            return _json(200, {"permissions": wanted} if self.topics.get(topic) else {})
        if verb == "publish" and request.method == "POST":
            return self._publish(topic, body)
        return _error(404, "NOT_FOUND", "no such method")

    def _publish(self, topic: str, body: Any) -> Reply:
        if self.faults:
            return self.faults.pop(0)
        if topic not in self.topics:
            return _error(404, "NOT_FOUND", f"Resource not found (resource={topic}).")
        if not self.topics[topic]:
            return _error(403, "PERMISSION_DENIED", "User not authorized to perform this action.")
        messages = body["messages"]
        problem = _shape_problem(body)
        if problem:
            self.faults_of_rules.append(problem)
            return _error(400, "INVALID_ARGUMENT", problem)
        datas = [base64.b64decode(message["data"], validate=True) for message in messages]
        if self.refuse_data and any(self.refuse_data.encode() in data for data in datas):
            return _error(400, "INVALID_ARGUMENT", "The value for message is too large.")
        self.published += [(topic, message) for message in messages]
        return _json(200, {"messageIds": [str(n) for n, _ in enumerate(messages)]})


def _shape_problem(body: Any) -> str:
    if set(body) != {"messages"} or not 1 <= len(body["messages"]) <= 1000:
        return "wrong number of messages"
    for message in body["messages"]:
        if not {"data", "attributes"} <= set(message) <= {"data", "attributes", "orderingKey"}:
            return "unknown field in a message"
        for name, value in message["attributes"].items():
            if not isinstance(value, str) or len(value.encode()) > 1024 or len(name) > 256:
                return "wrong attribute"
        if len(message.get("orderingKey", "").encode()) > 1024:
            return "ordering key too long"
    return ""


def _b64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), (("content-type", "application/json"),))


def _error(status: int, name: str, text: str) -> Reply:
    return _json(status, {"error": {"code": status, "message": text, "status": name}})


error_reply = _error


@contextmanager
def start_google() -> Iterator[GoogleServer]:
    """Run the strict server until the block ends."""
    with start_http() as receiver:
        server = GoogleServer(receiver, Account())
        receiver.answer = server.answer
        yield server
