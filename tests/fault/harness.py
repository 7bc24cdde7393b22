"""One delivery through the real pipeline into a service that fails, and the judge's verdict."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from routestudio import tasks
from routestudio.model.function import Function, FunctionKind, FunctionResult
from routestudio.model.message import Message
from routestudio.model.outcome import Outcome
from routestudio.pipeline.dead_letters import DeadLetters
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.sinks.base import Link
from routestudio.sinks.binding import bind
from tests.fault.rows import GROUPS, REPEATS, messages_of
from tests.fault.service import PLACES, Service
from tests.fault.services import sink_of
from tests.support.fault_proxy import Plan
from tests.support.oracle import (
    NUMBER,
    Verdict,
    Wanted,
    judge,
    judge_states,
    letters_of,
    number_in,
)
from tests.unit.pipeline.doubles import Settings

MESSAGES: Final = int(os.environ.get("ROUTESTUDIO_FAULT_MESSAGES", "360"))
BATCH: Final = 10
FEED_SECONDS: Final = 0.35
"""Seconds over which the source gives its messages, so that a fault meets some on their way."""

FROZEN_SECONDS: Final = 1.3
LIMIT_SECONDS: Final = 150.0
"""Seconds after which a delivery counts as one that stands still."""

DOWN_SECONDS: Final = 0.3
POLICY: Final = RetryPolicy(base=0.03, cap=0.4, max_attempts=300)
"""Patient: a broker that starts on a busy machine takes most of a minute."""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One line of the table. `fired` counts how often the fault happened."""

    sink: str
    fault: str
    sent: int
    arrived: int
    missing: int
    disorder: int
    doubled: int
    unexplained: int
    retried: int
    rejected: int
    fired: int
    seconds: float
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def excused(sink: str, fault: str, reason: str) -> FaultRow:
    """The row of a fault that a service cannot have."""
    return FaultRow(sink, fault, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, reason)


def place_of(message: Message, moving: bool) -> int:
    """The place of a message; rows move from one to another now and then, where they may."""
    number = int(message.record[NUMBER])
    return (number // REPEATS % GROUPS + (number // 150 if moving else 0)) % PLACES


class Router:
    """In place of the function worker: routes by the service's own names."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def evaluate(
        self, functions: Sequence[Function], messages: Sequence[Message], **options: Any
    ) -> list[list[FunctionResult]]:
        moving = self._service.states is None
        route = self._service.route
        return [[FunctionResult(route(place_of(m, moving), m)) for m in messages]]


class Watched(Link):
    """Hands everything on, and notes which messages may have been written without an answer."""

    def __init__(self, inner: Link) -> None:
        self._inner = inner
        self.doubtful: set[int] = set()
        self.delivered = 0

    def check(self, targets: Sequence[Any]) -> Any:
        return self._inner.check(targets)

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        outcomes = await self._inner.send(batch)
        for record, outcome in zip(batch, outcomes, strict=True):
            self.delivered += outcome.status == "delivered"
            if outcome.unknown:
                self.doubtful.add(number_in(json.dumps(record.describe())))
        return outcomes

    async def close(self) -> None:
        await self._inner.close()


class Fault:
    """What goes wrong while a delivery lasts. `at` is called as the source gives its messages."""

    def __init__(self, service: Service, kind: str) -> None:
        self.service, self.kind = service, kind
        self.fired = 0
        self._work: list[asyncio.Task[None]] = []
        plans = {"cut": Plan("cut", 3, 6), "lost": Plan("lose", 4, 5),
                 "held": Plan("hold", 4, 4, 1.0), "slow": Plan("slow", seconds=0.02)}  # fmt: skip
        service.proxy.plan = plans.get(kind)
        if kind == "refused" and service.gate is not None:
            service.gate.every = 3
        if kind == "random" and service.gate is not None:
            service.gate.refuse = service.random

    def at(self, share: float) -> None:
        """A share of the source was given."""
        if self.kind == "killed" and share >= 0.4 and not self._work:
            self._work.append(tasks.spawn(self._kill(), name="killer"))
        if self.kind == "frozen" and share >= 0.3 and not self._work:
            self._work.append(tasks.spawn(self._freeze(), name="freezer"))
        if self.kind == "refused" and self.service.refuse and not self._work:
            self._work.append(tasks.spawn(self._refuse(), name="refuser"))

    async def _kill(self) -> None:
        self.fired += 1
        await asyncio.to_thread(self.service.kill)
        await asyncio.sleep(DOWN_SECONDS)
        self.service.start()
        await asyncio.to_thread(self.service.open)

    async def _freeze(self) -> None:
        assert self.service.child is not None
        self.fired += 1
        os.kill(self.service.child.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            os.kill(self.service.child.pid, signal.SIGCONT)

    async def _refuse(self) -> None:
        assert self.service.refuse is not None
        for _ in range(3):
            self.fired += 1
            await asyncio.to_thread(self.service.refuse, True)
            await asyncio.sleep(0.08)
            await asyncio.to_thread(self.service.refuse, False)
            await asyncio.sleep(0.04)

    async def end(self) -> None:
        """Wait until nothing more goes wrong."""
        for work in self._work:
            await work
        gate = self.service.gate
        self.fired += self.service.proxy.fired + (gate.refused if gate is not None else 0)
        if self.kind == "refused" and self.service.refuse:
            await asyncio.to_thread(self.service.refuse, False)


async def fed(rows: Sequence[Message], fault: Fault) -> AsyncIterator[Sequence[Message]]:
    """The source: a few messages at a time."""
    step = 12
    for start in range(0, len(rows), step):
        fault.at(start / len(rows))
        yield rows[start : start + step]
        await asyncio.sleep(FEED_SECONDS * step / len(rows))


async def deliver_under(
    service: Service,
    kind: str,
    folder: Path,
    put: Callable[[Any, str, Any], None],
    form: str = "numbered",
    policy: RetryPolicy = POLICY,
) -> tuple[FaultRow, Verdict]:
    """Deliver the source while the fault happens; the row of the table, and the whole verdict.

    `form` is the form of the rows (`tests.fault.rows.FORMS`).
    """
    service.fault = kind
    await asyncio.to_thread(service.begin)
    if service.gate is not None:
        service.gate.reset()
    service.proxy.calm()
    rows = messages_of(form, round(MESSAGES * service.share), deletes=service.states is None)
    sink, moving = sink_of(service.key), service.states is None
    bound = bind(sink, service.destination, dynamic=True, resources=service.resources)
    limits = replace(bound.limits, messages=min(BATCH, bound.limits.messages), wait=0.004)
    functions = SinkFunctions(
        routing=Function("route", FunctionKind.ROUTING),
        transform=Function("pick", FunctionKind.PATH, path=service.path) if service.path else None,
    )
    stages = Stages(bound, Settings(), functions, Router(service))
    fault = Fault(service, kind)
    link = Watched(sink.connect(bound.config))
    if kind in ("held", "frozen"):
        service.deadline(link._inner, put)
    path = folder / "dead.jsonl"
    started = time.monotonic()
    try:
        with DeadLetters(path, "fault") as letters:
            run = Delivery(stages, link, limits, fed(rows, fault), policy=policy,
                           dead_letters=letters, max_messages=120)  # fmt: skip
            async with asyncio.timeout(LIMIT_SECONDS):
                summary = await run.run()
        seconds = time.monotonic() - started
        await fault.end()
    finally:
        await link.close()
    wanted = [Wanted(int(m.record[NUMBER]), str(m.record["id"])) for m in rows]
    found = await asyncio.to_thread(service.arrived)
    service.proxy.calm()
    rejected = letters_of(path)
    verdict = judge(wanted, found, letters=rejected, explained=link.doubtful)
    if service.states is not None:
        last = [Wanted(w.number, f"{place_of(m, moving)}/{w.group}")
                for w, m in zip(wanted, rows, strict=True)]  # fmt: skip
        states = judge_states(last, await asyncio.to_thread(service.states), letters=rejected)
        verdict.stale += [*states.stale, *(f"state {n} is missing" for n in states.missing)]
    row = FaultRow(
        service.key, kind, summary.read, verdict.arrived, len(verdict.missing),
        len(verdict.disorder) + len(verdict.stale), verdict.doubled, len(verdict.unexplained),
        summary.retried, summary.rejected, fault.fired, round(seconds, 2),
        service.notes.get(kind, ""),
    )  # fmt: skip
    assert summary.delivered + summary.rejected == summary.read == len(rows)
    return row, verdict
