"""Faults of a rehearsal, between the pipeline and the link to a stand-in.

Each keeps to the contract of links (`sinks.base.Link.send`), as a service that fails does: what it
refuses was not written, and what may have been written without an answer is `unknown`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from routestudio.model.outcome import CheckStep, Outcome, kept_back, retry, unreachable
from routestudio.sinks.base import InOrder, Link, SinkRouting

FAULTS: Final = {
    "down": "the service refuses connections for a while",
    "slow": "every answer is slow",
    "throttled": "every other request is refused at first: too many",
    "half-refused": "half of each request is refused at first",
    "killed": "the program is killed in the middle, and started again from its checkpoint",
    "duplicate": "every third answer is lost, and the messages are sent again",
}
"""What can be rehearsed, with what happens."""

DOWN_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 0.15
MOST: Final = 30
"""How often a fault happens: it ends, as an incident does."""
KILL_SHARE: Final = 0.4
"""Share of the messages that are sent before the program is killed."""


class FaultLink(Link):
    """Hands batches to the real link, or does to them what the fault does.

    `number` finds the number of a record. `fired` counts the fault, `doubtful` are messages that
    were perhaps written although no answer came, `sent` those that were handed on. `on_sent` is
    called with how many there are.
    """

    def __init__(self, inner: Link, fault: str, number: Callable[[Any], int | None]) -> None:
        self._inner = inner
        self._fault = fault
        self._number = number
        self._requests = 0
        self._tries: Counter[int] = Counter()
        self._until: float | None = None
        self.fired = 0
        self.doubtful: set[int] = set()
        self.sent: set[int] = set()
        self.on_sent: Callable[[int], None] = lambda count: None

    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        return self._inner.check(targets)

    async def close(self) -> None:
        await self._inner.close()

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        self._requests += 1
        match self._fault:
            case "down":
                return await self._down(batch)
            case "slow":
                self.fired += 1
                await asyncio.sleep(SLOW_SECONDS)
            case "throttled" if self._requests % 2 and self.fired < MOST and self._all_new(batch):
                self.fired += 1
                return [retry("throttled", "too many requests (rehearsed)", after=0.1)
                        for _ in batch]  # fmt: skip
            case "half-refused" if self.fired < MOST:
                return await self._half(batch)
            case "duplicate" if self.fired < MOST:
                return await self._lost_answer(batch)
        return await self._pass_on(batch)

    async def _pass_on(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        self.sent.update(n for n in map(self._number, batch) if n is not None)
        self.on_sent(len(self.sent))
        outcomes = await self._inner.send(batch)
        self._note(batch, [outcome.unknown for outcome in outcomes])
        return outcomes

    def _key(self, record: Any) -> int:
        number = self._number(record)
        return number if number is not None else -1 - id(record)

    def _all_new(self, batch: Sequence[Any]) -> bool:
        """Whether none of the records was tried before; they are from now on."""
        keys = [self._key(record) for record in batch]
        self._tries.update(keys)
        return all(self._tries[key] == 1 for key in keys)

    def _note(self, batch: Sequence[Any], doubtful: Sequence[bool]) -> None:
        for record, doubt in zip(batch, doubtful, strict=True):
            number = self._number(record) if doubt else None
            if number is not None:
                self.doubtful.add(number)

    async def _down(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        now = time.monotonic()
        if self._until is None and self._requests > 1:
            self._until = now + DOWN_SECONDS
        if self._until is not None and now < self._until:
            self.fired += 1
            return [unreachable("down", "the service is down (rehearsed)") for _ in batch]
        return await self._pass_on(batch)

    async def _half(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        """Every other record is refused when it comes for the first time."""
        groups = batch.groups if isinstance(batch, InOrder) else [None] * len(batch)
        found: dict[int, Outcome] = {}
        waiting: set[str] = set()
        for place, (record, group) in enumerate(zip(batch, groups, strict=True)):
            if group is not None and group in waiting:
                found[place] = kept_back("refused", "another of its group was refused")
                continue
            key = self._key(record)
            self._tries[key] += 1
            if self._tries[key] == 1 and len(self._tries) % 2:
                self.fired += 1
                found[place] = retry("refused", "the service refused it (rehearsed)")
                if group is not None:
                    waiting.add(group)
        passed = [place for place in range(len(batch)) if place not in found]
        if passed:
            records: Any = [batch[place] for place in passed]
            if isinstance(batch, InOrder):
                records = InOrder(records, [groups[place] for place in passed])
            found.update(zip(passed, await self._pass_on(records), strict=True))
        return [found[place] for place in range(len(batch))]

    async def _lost_answer(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        request = self._requests  # others are sent meanwhile
        outcomes = await self._pass_on(batch)
        if request % 3:
            return outcomes
        self.fired += 1
        lost = [outcome.status == "delivered" for outcome in outcomes]
        self._note(batch, lost)
        answer = retry("answer_lost", "the answer was lost (rehearsed)", unknown=True)
        return [answer if gone else o for gone, o in zip(lost, outcomes, strict=True)]
