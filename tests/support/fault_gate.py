"""In front of a service that speaks HTTP: refuses every nth request, and notes what was taken."""

from __future__ import annotations

import gzip
import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.support.http_server import Answer, Received, Reply
from tests.support.ports import LOOPBACK

_DROPPED: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}

_LATER: Final = Reply(503, b'{"message": "try later"}')


@dataclass
class Gate:
    """`taken` holds the bodies of requests with content that `service` answered with success.

    With `every`, each nth of these is answered with `refusal` instead and never reaches it.
    """

    service: Answer
    refusal: Reply = _LATER
    every: int = 0
    refused: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Target and body, in the order of the answers."""
    times: list[float] = field(default_factory=list)
    """When each of them was taken, in seconds since 1970."""
    _seen: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Forget what came, and refuse nothing."""
        with self._lock:
            self.every = self.refused = self._seen = 0
            self.taken.clear()
            self.times.clear()

    def quiet(self, seconds: float = 30.0) -> None:
        """Wait until no request is in process: a service that died does not go on with them."""
        end = time.monotonic() + seconds
        while self._busy:
            assert time.monotonic() < end, "a request of a dead service does not end"
            time.sleep(0.005)

    def answer(self, request: Received) -> Reply:
        """Called by the receiver's threads."""
        with self._lock:
            self._busy += 1
        try:
            return self._answer(request)
        finally:
            with self._lock:
                self._busy -= 1

    def _answer(self, request: Received) -> Reply:
        if request.method == "GET" or not request.body:
            return self.service(request)
        with self._lock:
            self._seen += 1
            if self.every and self._seen % self.every == 0:
                self.refused += 1
                return self.refusal
        reply = self.service(request)
        if 200 <= reply.status < 300:
            body = request.body
            if request.header("content-encoding") == "gzip":
                body = gzip.decompress(body)
            with self._lock:
                self.taken.append((request.target, body.decode()))
                self.times.append(time.time())
        return reply


def one_at_a_time(service: Answer) -> Answer:
    """For a service that must not be asked by two threads at once.

    Kinesis in moto 5 says so of itself (`Shard.put_record`): of two records written together it
    may keep one.
    """
    lock = threading.Lock()

    def answer(request: Received) -> Reply:
        with lock:
            return service(request)

    return answer


def forwarding(port: int) -> Callable[[Received], Reply]:
    """An answer that comes from the server at `port`."""

    def forward(request: Received) -> Reply:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
        try:
            headers = {k: v for k, v in request.headers if k.lower() not in _DROPPED}
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            return Reply(cut="before")
        finally:
            connection.close()
        kept = tuple((k, v) for k, v in answer.getheaders() if k.lower() not in _DROPPED)
        return Reply(answer.status, data, kept)

    return forward
