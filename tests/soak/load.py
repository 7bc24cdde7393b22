"""The load of the soak: a feeder with a steady rate, and a service with faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import LOOPBACK
from tests.support.redis_server import RedisServer

REFUSE_EVERY = 25
"""Every so many-th request is answered 503: its messages are retried."""
WITHOUT_REGION = 500
"""Every so many-th message lacks what the function needs: it is rejected."""
STEP = 0.1
STREAM = "changes"
KEPT = 20_000
"""Entries the stream keeps, so that the server does not grow either."""


def message(number: int) -> dict[str, Any]:
    """The message with this number; some cannot be routed."""
    region = None if number % WITHOUT_REGION == 0 else ("eu", "us", "apac")[number % 3]
    return {
        "action": "insert",
        "record": {"id": number, "region": region, "note": "x" * 200},
        "metadata": {
            "table_schema": "public", "table_name": "orders", "commit_lsn": number,
            "commit_idx": 0, "record_pks": [str(number % 5000)],
        },
    }  # fmt: skip


class Feeder(threading.Thread):
    """Passes `rate` messages a second to `send` until it is stopped; `sent` counts them."""

    def __init__(self, rate: float, send: Callable[[list[str]], None]) -> None:
        super().__init__(name="soak feeder", daemon=True)
        self.sent = 0
        self.failure: Exception | None = None
        self._rate = rate
        self._send = send
        self._stopped = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        try:
            while not self._stopped.wait(STEP):
                due = int((time.monotonic() - begun) * self._rate)
                lines = [json.dumps(message(number)) for number in range(self.sent, due)]
                if lines:
                    self._send(lines)
                    self.sent = due
        except OSError as error:
            self.failure = error

    def stop(self) -> None:
        """End it and wait for its last message."""
        self._stopped.set()
        self.join(30)


def to_stream(server: RedisServer) -> Callable[[list[str]], None]:
    """Append messages to a stream of Redis, one script for all of them."""
    script = (
        "for _, m in ipairs(ARGV) do "
        f"redis.call('XADD', KEYS[1], 'MAXLEN', '~', {KEPT}, '*', 'message', m) end"
    )

    def send(lines: list[str]) -> None:
        server.command("EVAL", script, 1, STREAM, *lines)

    return send


class Service:
    """An HTTP service that counts what it accepts and refuses some requests."""

    def __init__(self, port: int = 0) -> None:
        self.requests = self.refused = self.accepted = 0
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = service.take(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def take(self, body: bytes) -> int:
        """Count one request; returns the status of its answer."""
        found = json.loads(body)
        count = len(found["data"]) if "data" in found else 1
        with self._lock:
            self.requests += 1
            if self.requests % REFUSE_EVERY == 0:
                self.refused += 1
                return 503
            self.accepted += count
            return 200

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
