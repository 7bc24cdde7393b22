"""Real NATS servers, and a reader over plain sockets that shares no code with the client."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.certificates import Authority
from tests.support.nats_keys import Key, account_jwt, operator_jwt, user_jwt
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import program

TIMEOUT = 60.0
PASSWORD = "a-secret-word"
MAX_PAYLOAD = 200_000

USERS = {
    "orders": "",
    "limited": 'permissions: {publish: ["allowed.>", "_INBOX.>", "$JS.API.>"]}',
    "publisher": 'permissions: {publish: ["allowed.>"]}',
    "mute": 'permissions: {publish: ">", subscribe: {deny: ">"}}',
}
"""Users of the account with JetStream and what they may do; all have the same password."""


class NatsReplyError(RuntimeError):
    """The server's error, for example `Authorization Violation`."""


@dataclass(frozen=True)
class Got:
    """A message that a subscriber or a stream has."""

    subject: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """One connection over a plain socket: publish, subscribe, read."""

    def __init__(self, server: NatsServer, user: str | None = None) -> None:
        self._inbox = f"_INBOX.{secrets.token_hex(8)}"
        self._buffer = b""
        self._come: list[Got] = []
        self._socket = socket.create_connection((server.host, server.port), TIMEOUT)
        self.info = json.loads(self._line().partition(b" ")[2])
        if server.authority is not None:
            context = server.authority.client_context()
            self._socket = context.wrap_socket(self._socket, server_hostname=server.host)
        options: dict[str, Any] = {"verbose": False, "headers": True, "no_responders": True}
        if server.key is not None:
            signed = server.key.sign(str(self.info["nonce"]).encode())
            options["sig"] = base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
            options["jwt"] = server.jwt
        elif server.token:
            options["auth_token"] = server.token
        elif user or server.user:
            options |= {"user": user or server.user, "pass": PASSWORD}
        self._send(f"CONNECT {json.dumps(options)}\r\nSUB {self._inbox} 9\r\n".encode())
        self.sync()

    def subscribe(self, subject: str) -> None:
        """Subscribe, and wait until the server knows."""
        self._send(f"SUB {subject} 1\r\n".encode())
        self.sync()

    def sync(self) -> None:
        """Wait until the server has taken everything."""
        self._send(b"PING\r\n")
        while (item := self._read()) != "PONG":
            if isinstance(item, Got):
                self._come.append(item)

    def ask(self, subject: str, body: bytes = b"", headers: bytes = b"") -> Any:
        """Publish a request, perhaps with an encoded block of headers; return the JSON reply."""
        head = f"PUB {subject} {self._inbox} {len(body)}\r\n"
        if headers:
            size = len(headers) + len(body)
            head = f"HPUB {subject} {self._inbox} {len(headers)} {size}\r\n"
        self._send(head.encode() + headers + body + b"\r\n")
        while True:
            item = self._read()
            if isinstance(item, Got):
                if item.subject == self._inbox:
                    return json.loads(item.body)
                self._come.append(item)

    def take(self, count: int) -> list[Got]:
        """The next `count` messages of the subscriptions; raises `TimeoutError` without them."""
        while len(self._come) < count:
            item = self._read()
            if isinstance(item, Got):
                self._come.append(item)
        found, self._come = self._come[:count], self._come[count:]
        return found

    def rest(self) -> list[Got]:
        """What else the server had for the subscriptions by now."""
        self.sync()
        found, self._come = self._come, []
        return found

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("NATS closed the connection")
        self._buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _read(self) -> Got | str:
        line = self._line()
        words = line.split()
        if words[0] == b"-ERR":
            raise NatsReplyError(line[5:].decode().strip(" '"))
        if words[0] == b"PING":
            self._send(b"PONG\r\n")
        if words[0] not in (b"MSG", b"HMSG"):
            return words[0].decode()
        size = int(words[-1])
        while len(self._buffer) < size + 2:
            self._receive()
        block, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
        head = int(words[-2]) if words[0] == b"HMSG" else 0
        return Got(words[1].decode(), _headers(block[:head]), block[head:])


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode().split("\r\n")[1:]
    return {name: text.strip() for name, _, text in (line.partition(":") for line in lines if line)}


@dataclass(frozen=True)
class NatsServer:
    """A running server and how to sign in to it as somebody who may do everything."""

    port: int
    user: str | None = None
    token: str | None = None
    authority: Authority | None = None
    key: Key | None = None
    jwt: str | None = None
    jetstream: bool = False
    nkey: Key | None = None
    host: str = LOOPBACK
    streams: list[str] = field(default_factory=list)
    child: Child | None = None

    def wire(self, user: str | None = None) -> Wire:
        """A connection of its own."""
        return Wire(self, user)

    def create_stream(self, name: str, *subjects: str, **settings: Any) -> None:
        """Make a JetStream stream in memory."""
        wanted = {"name": name, "subjects": list(subjects), "storage": "memory", **settings}
        with self.wire() as wire:
            reply = wire.ask(f"$JS.API.STREAM.CREATE.{name}", json.dumps(wanted).encode())
        assert "error" not in reply, reply
        self.streams.append(name)

    def update_stream(self, name: str, **settings: Any) -> None:
        """Change settings of a stream."""
        with self.wire() as wire:
            config = wire.ask(f"$JS.API.STREAM.INFO.{name}")["config"] | settings
            reply = wire.ask(f"$JS.API.STREAM.UPDATE.{name}", json.dumps(config).encode())
        assert "error" not in reply, reply

    def delete_stream(self, name: str) -> None:
        """Remove a stream and what it holds."""
        with self.wire() as wire:
            wire.ask(f"$JS.API.STREAM.DELETE.{name}")

    def stored(self, name: str) -> list[Got]:
        """Everything that a stream holds, in order, by the JetStream API."""
        with self.wire() as wire:
            state = wire.ask(f"$JS.API.STREAM.INFO.{name}")["state"]
            found = []
            for number in range(state["first_seq"], state["last_seq"] + 1):
                reply = wire.ask(f"$JS.API.STREAM.MSG.GET.{name}", b'{"seq":%d}' % number)
                item = reply.get("message")
                if item is not None:
                    headers = _headers(base64.b64decode(item.get("hdrs", "")))
                    body = base64.b64decode(item.get("data", ""))
                    found.append(Got(item["subject"], headers, body))
            return found

    def reset(self) -> None:
        """Remove the streams that were made here."""
        while self.streams:
            self.delete_stream(self.streams.pop())


@contextmanager
def start_nats(
    folder: Path,
    *,
    port: int | None = None,
    token: str | None = None,
    authority: Authority | None = None,
    operator: bool = False,
    closed: bool = False,
) -> Iterator[NatsServer]:
    """Run a server until the block ends.

    Without more: nobody need sign in, JetStream is on, and `USERS` and `nkey` may sign in too.
    `token` alone lets in who has it; `closed` needs one of the users; `authority` adds TLS;
    `operator` is the mode in which users have JWTs. The last four have no JetStream.
    """
    executable = program("nats-server")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    lines = [f'listen: "{LOOPBACK}:{port}"', f"max_payload: {MAX_PAYLOAD}"]
    server = NatsServer(port, token=token, authority=authority)
    if authority is not None:
        chain, key = authority.server_files(f"nats-{port}")
        clients = f', ca_file: "{authority.file}", verify: true' if authority.clients else ""
        lines.append(f'tls: {{cert_file: "{chain}", key_file: "{key}"{clients}}}')
    if operator:
        boss, account, user = Key("operator"), Key("account"), Key("user")
        accounts = f"{account.public}: {account_jwt(boss, account)}"
        lines += [f"operator: {operator_jwt(boss)}", "resolver: MEMORY"]
        lines.append(f"resolver_preload: {{{accounts}}}")
        server = NatsServer(port, key=user, jwt=user_jwt(account, user))
    elif token:
        lines.append(f'authorization: {{token: "{token}"}}')
    elif authority is not None or closed:
        users = _users(USERS)
        lines.append(f"authorization: {{users: [{users}]}}")
        server = NatsServer(port, user="orders", authority=authority)
    else:
        nkey = Key("user")
        users = f"{_users(USERS)}, {{nkey: {nkey.public}}}"
        lines += [
            f'jetstream: {{store_dir: "{folder}/jetstream"}}',
            f"accounts: {{MAIN: {{jetstream: enabled, users: [{users}]}},",
            f"  PLAIN: {{users: [{_users({'plain': ''})}]}}}}",
            "no_auth_user: orders",
        ]
        server = NatsServer(port, jetstream=True, nkey=nkey)
    settings = folder / "nats.conf"
    settings.write_text("\n".join([*lines, ""]))
    with Child([executable, "-c", str(settings)], folder / "nats.log") as child:
        child.wait_ready(lambda: _answers(server), TIMEOUT)
        yield replace(server, child=child)


def _users(users: dict[str, str]) -> str:
    return ", ".join(
        f'{{user: {name}, password: "{PASSWORD}"' + (f", {rights}}}" if rights else "}")
        for name, rights in users.items()
    )


def _answers(server: NatsServer) -> bool:
    try:
        with server.wire():
            return True
    except ssl.SSLError:
        return False


def wait_for(server: NatsServer, name: str, count: int) -> Sequence[Got]:
    """What a stream holds as soon as there are `count` messages (at most ten seconds)."""
    deadline = time.monotonic() + TIMEOUT
    while len(found := server.stored(name)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
