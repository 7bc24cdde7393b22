"""What strict servers for tests share: faults per request, and a record of what was said."""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.openapi import Description


@dataclass(frozen=True)
class Exchange:
    """A request and what was answered; `lost` answers never reached the client."""

    request: Received
    reply: Reply

    @property
    def lost(self) -> bool:
        return self.reply.cut is not None


@dataclass
class Fault:
    """What happens to the next requests whose method and path match; see `StrictServer.fail`."""

    method: str
    path: str
    times: int
    reply: Reply | None
    change: Callable[[Reply], Reply] | None
    apply: bool


@dataclass
class StrictServer:
    """A running server; subclasses carry out requests. `exchanges` is what was said, in order."""

    receiver: HttpReceiver
    exchanges: list[Exchange] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        """The address without a path."""
        return self.receiver.url

    def restart(self) -> None:
        """Forget what was said, and all faults."""
        self.receiver.reset()
        self.receiver.answer = self.answer
        self.exchanges, self._faults = [], []

    def follows(self, api: Description, *, but: Container[Exchange] = ()) -> set[str]:
        """The operations of all exchanges, which must follow the description, `but` for some."""
        return {
            api.allow(e.request.method, e.request.target, e.request.headers, e.request.body,
                      e.reply.status, e.reply.body)
            for e in self.exchanges
            if e not in but
        }  # fmt: skip

    @abstractmethod
    def carry_out(self, request: Received) -> Reply:
        """Do what a request asks for. Called with the lock held."""

    def fail(
        self,
        method: str,
        path: str,
        reply: Reply | None = None,
        *,
        times: int = 1,
        apply: bool = False,
        change: Callable[[Reply], Reply] | None = None,
    ) -> None:
        """Answer the next requests below `path` with `reply`, or with what `change` makes of
        the right answer. With `apply` the request is carried out all the same."""
        self._faults.append(Fault(method, path, times, reply, change, apply))

    def lose(self, method: str, path: str, *, times: int = 1) -> None:
        """Carry out the next requests, and cut the connection instead of answering."""
        self.fail(method, path, times=times, apply=True, change=lambda r: replace(r, cut="before"))

    def hold(self, method: str, path: str, seconds: float, *, times: int = 1) -> None:
        """Carry out the next requests, and answer late."""
        self.fail(method, path, times=times, apply=True,
                  change=lambda r: replace(r, delay=seconds))  # fmt: skip

    def said(self, method: str, path: str = "") -> list[Exchange]:
        """Exchanges of a method whose path has `path` in it, in order."""
        with self._lock:
            return [e for e in self.exchanges
                    if e.request.method == method and path in e.request.target]  # fmt: skip

    def answer(self, request: Received) -> Reply:
        """Carry out a request. Called by the receiver's threads."""
        with self._lock:
            reply = self._answer(request)
            self.exchanges.append(Exchange(request, reply))
            return reply

    def _answer(self, request: Received) -> Reply:
        path = urlsplit(request.target).path
        for fault in self._faults:
            if fault.times and fault.method == request.method and path.startswith(fault.path):
                fault.times -= 1
                right = self.carry_out(request) if fault.apply else Reply()
                if fault.change is not None:
                    return fault.change(right)
                return fault.reply or right
        return self.carry_out(request)


def as_json(status: int, value: Any) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(value).encode(), (("content-type", "application/json"),))
