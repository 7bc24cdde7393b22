"""What the fault tests know of a service: how to reach, break, start again and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from routestudio.model.message import Message
from tests.support import guards
from tests.support.fault_gate import Gate, forwarding
from tests.support.fault_proxy import FaultProxy, start_fault_proxy
from tests.support.http_server import Reply, start_http
from tests.support.process import Child

PLACES: Final = 3
READY: Final = 60.0
MEMORY: Final = "keeps nothing when it ends: the proxy before it goes down instead"
INSIDE: Final = "runs inside of the test: the proxy before it goes down instead"
FREEZE: Final = "no process of its own that keeps what it took: see held"

Sequences = Mapping[str, list[int]]


@dataclass
class Service:
    """A service behind a proxy. Its destinations have names that end with 0 to `PLACES` - 1.

    `route` gives the routed fields for a place and a message; `begin` empties it and makes the
    destinations, for `fault`; `arrived` reads it; `states` are the last numbers by place and group,
    where it keeps only those. `refuse` makes it refuse (true) and take (false) what is sent.
    `share` of the messages are enough where it is slow. `child` is its process, when what it took
    survives that. `deadline` sets the seconds after which the sink gives up waiting for an answer,
    by attributes of modules or of its link. `cannot` has the reasons of faults that it cannot have.
    """

    key: str
    proxy: FaultProxy
    destination: dict[str, Any]
    route: Callable[[int, Message], dict[str, Any]]
    begin: Callable[[], None]
    arrived: Callable[[], Sequences]
    gate: Gate | None = None
    refuse: Callable[[bool], None] | None = None
    share: float = 1.0
    child: Child | None = None
    ready: Callable[[], bool] = lambda: True
    states: Callable[[], dict[str, int]] | None = None
    path: str | None = None
    deadline: Callable[[Any, Callable[[Any, str, Any], None]], None] = lambda link, put: None
    cannot: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    random: Callable[[], Reply | None] | None = None
    """Refuses some requests and not others, where a gate stands before the service."""
    fault: str = ""

    def excuse(self, fault: str) -> str | None:
        """Why the service cannot have a fault; `None` when it can."""
        if fault == "frozen" and self.child is None:
            return FREEZE
        return self.cannot.get(fault)

    def kill(self) -> None:
        """End it as a crash does."""
        self.proxy.down()
        if self.child is not None:
            self.child.kill()

    def start(self) -> None:
        """Start it again, with what it had. Belongs into the main thread, with which it ends."""
        if self.child is not None:
            self.child.start()
            guards.adopt(process=self.child.pid)

    def open(self) -> None:
        """Let clients in as soon as it is ready."""
        if self.child is not None:
            self.child.wait_ready(self.ready, READY)
        if self.gate is not None:
            self.gate.quiet()
        self.proxy.up()


Start = Callable[["Tools"], Iterator[Service]]


@dataclass
class Tools:
    """What a service needs to start: a folder of its own, fixtures, and an end."""

    folder: Path
    fixture: Callable[[str], Any]
    stack: ExitStack

    def proxied(self, port: int) -> FaultProxy:
        """A proxy in front of a port."""
        return self.stack.enter_context(start_fault_proxy(port))

    def gated(self, port: int) -> tuple[Gate, FaultProxy]:
        """A gate and a proxy in front of a server of its own process that speaks HTTP."""
        receiver = self.stack.enter_context(start_http())
        gate = Gate(forwarding(port))
        receiver.answer = gate.answer
        return gate, self.proxied(receiver.port)


def place_names(prefix: str = "place") -> list[str]:
    return [f"{prefix}-{number}" for number in range(PLACES)]


def by_module(module: Any, name: str = "TIMEOUT") -> Callable[[Any, Any], None]:
    return lambda link, put: put(module, name, 0.4)


def by_link(link: Any, put: Callable[[Any, str, Any], None]) -> None:
    if hasattr(link, "timeout"):
        put(link, "timeout", 0.4)
    put(link._client, "_timeout", 0.4)


def key_of(message: Message) -> str:
    return str(message.record["id"])
