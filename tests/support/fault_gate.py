"""In front of a service that speaks HTTP: refuses every nth request, and notes what was taken."""

from __future__ import annotations

import base64
import binascii
import http.client
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from tests.support.http_server import Answer, Received, Reply
from tests.support.oracle import numbers_in
from tests.support.ports import LOOPBACK

_DROPPED: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")

_LATER: Final = Reply(503, b'{"message": "try later"}')


@dataclass
class Gate:
    """`taken` holds the bodies of requests with content that `service` answered with success.

    With `every`, each nth of these is answered with `refusal` instead and never reaches it. With
    `refuse`, so are those for which that gives an answer.

    A repetition waits until the request that it repeats is done. A service may well do it the other
    way round, when it is slower than the client waits; no client can prevent that, and it is not
    what the faults are about.
    """

    service: Answer
    refusal: Reply = _LATER
    every: int = 0
    refuse: Callable[[], Reply | None] | None = None
    refused: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Target and body, in the order of the answers."""
    times: list[float] = field(default_factory=list)
    """When each of them was taken, in seconds since 1970."""
    _seen: int = 0
    _busy: list[frozenset[int]] = field(default_factory=list)
    """Numbers of the messages in the requests that came and are not done, in their order."""
    _lock: threading.Condition = field(default_factory=threading.Condition)

    def reset(self) -> None:
        """Forget what came, and refuse nothing."""
        with self._lock:
            self.every = self.refused = self._seen = 0
            self.refuse = None
            self.taken.clear()
            self.times.clear()

    def quiet(self, seconds: float = 60.0) -> None:
        """Wait until no request is in process: a service that died does not go on with them."""
        end = time.monotonic() + seconds
        while self._busy:
            assert time.monotonic() < end, "a request of a dead service does not end"
            time.sleep(0.005)

    def answer(self, request: Received) -> Reply:
        """Called by the receiver's threads."""
        mine = frozenset(_messages_in(request.plain))
        with self._lock:
            self._busy.append(mine)
        try:
            with self._lock:
                assert self._lock.wait_for(lambda: not self._repeats(mine), 60), "it never ends"
            return self._answer(request)
        finally:
            with self._lock:
                self._busy.remove(mine)
                self._lock.notify_all()

    def _repeats(self, mine: frozenset[int]) -> bool:
        """Whether a request before this one holds one of its messages."""
        for other in self._busy:
            if other is mine:
                return False
            if other & mine:
                return True
        return False

    def _answer(self, request: Received) -> Reply:
        if request.method == "GET" or not request.body:
            return self.service(request)
        with self._lock:
            self._seen += 1
            if self.every and self._seen % self.every == 0:
                self.refused += 1
                return self.refusal
            if self.refuse is not None and (reply := self.refuse()) is not None:
                self.refused += 1
                return reply
        reply = self.service(request)
        if 200 <= reply.status < 300:
            body = request.plain.decode()
            with self._lock:
                self.taken.append((request.target, body))
                self.times.append(time.time())
        return reply


def _messages_in(body: bytes) -> list[int]:
    """The numbers of the messages in a body, also of those in a form or in Base64."""
    text = body.decode(errors="replace")
    found = numbers_in(text) + numbers_in(unquote_plus(text))
    for run in _BASE64.findall(body):
        try:
            found += numbers_in(base64.b64decode(run).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


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
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
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
