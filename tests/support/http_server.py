"""A real HTTP(S) server that records what it gets, byte for byte, and answers as told."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK

IDLE = 30.0


@dataclass(frozen=True)
class Received:
    """One request as it came: `target` undecoded, `headers` in order and with duplicates.

    `peer` is the client's port, so requests of one connection share it; `at` is monotonic seconds.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: int
    at: float

    def header(self, name: str) -> str | None:
        """Return the value of the only header called `name`; None without one."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def plain(self) -> bytes:
        """The body without compression."""
        packed = self.header("content-encoding") == "gzip"
        return gzip.decompress(self.body) if packed else self.body

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers and body after `delay` seconds; or a connection cut short.

    `cut`: "before" answers nothing, "body" sends half of the body that the headers announce.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut: Literal["before", "body"] | None = None


Answer = Callable[[Received], Reply]


@dataclass
class HttpReceiver:
    """The running server. Requests beyond the scripted replies get `default`."""

    port: int
    authority: Authority | None = None
    host: str = LOOPBACK
    default: Reply = Reply()
    answer: Answer | None = None
    _requests: list[Received] = field(default_factory=list)
    _script: deque[Reply] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _generation: int = 0

    @property
    def url(self) -> str:
        """The address without a path, for example `http://127.0.0.1:40123`."""
        return f"http{'s' if self.authority else ''}://{self.host}:{self.port}"

    @property
    def requests(self) -> list[Received]:
        """What has come since the last `reset`, in order of arrival."""
        with self._changed:
            return list(self._requests)

    def script(self, *replies: Reply | int) -> None:
        """Answer the next requests with these; a number is a status."""
        with self._changed:
            self._script.extend(r if isinstance(r, Reply) else Reply(r) for r in replies)

    def reset(self) -> None:
        """Forget requests and scripts, as a new server."""
        with self._changed:
            self._requests.clear()
            self._script.clear()
            self.default, self.answer = Reply(), None
            self._generation += 1
            self._changed.notify_all()

    def wait_for(self, count: int, timeout: float = 60.0) -> list[Received]:
        """Wait until `count` requests have come and return them; fail after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout):
                raise AssertionError(f"{len(self._requests)} of {count} requests in {timeout:g} s")
            return list(self._requests)

    def take(self, request: Received) -> Reply:
        """Record a request and choose its reply. Called by the server's threads."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            if self._script:
                return self._script.popleft()
            answer, default = self.answer, self.default
        return answer(request) if answer else default

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, but not beyond the next `reset`."""
        with self._changed:
            before = self._generation
            self._changed.wait_for(lambda: self._generation != before, seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    receiver: HttpReceiver

    def setup(self) -> None:
        handshake = getattr(self.request, "do_handshake", None)
        if handshake is not None:
            self.request.settimeout(IDLE)
            handshake()
        super().setup()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._any_method
        raise AttributeError(name)

    def _any_method(self) -> None:
        request = Received(
            self.command,
            self.path,
            tuple(self.headers.items()),
            self._body(),
            self.client_address[1],
            time.monotonic(),
        )
        reply = self.receiver.take(request)
        if reply.delay:
            self.receiver.pause(reply.delay)
        if reply.cut == "before":
            self.close_connection = True
            return
        self.send_response(reply.status)
        names = {name.lower() for name, _ in reply.headers}
        if "content-length" not in names and reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            half = len(reply.body) // 2 if reply.cut == "body" else len(reply.body)
            self.wfile.write(reply.body[:half])
        if reply.cut == "body":
            self.close_connection = True

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionResetError("the client is gone before the end of its request")
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: the test looks at the requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or a failed handshake, is the business of the test."""


@contextmanager
def start_http(authority: Authority | None = None) -> Iterator[HttpReceiver]:
    """Run a server on a free port until the block ends; TLS when `authority` is given."""

    class Handler(_Handler):
        pass

    with _Server((LOOPBACK, 0), Handler) as server:
        receiver = HttpReceiver(server.server_address[1], authority)
        Handler.receiver = receiver
        if authority is not None:
            context = authority.server_context()
            accept = server.get_request

            def get_request() -> tuple[socket.socket, Any]:
                plain, address = accept()
                return (
                    context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False),
                    address,
                )

            server.get_request = get_request  # type: ignore[method-assign]
        thread = threading.Thread(
            target=server.serve_forever, args=(0.02,), name="http-receiver", daemon=True
        )
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
