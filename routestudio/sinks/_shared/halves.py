"""Finds the records that are to blame when a service refuses a whole request (decision 0014).

One piece of code for every sink whose service answers a batch with one refusal. A refusal that
cannot be about a record is everybody's at once; any other is traced by halving the batch, in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from routestudio.model.outcome import Outcome
from routestudio.sinks.base import InOrder

ALIKE: Final = 3
"""After so many records in a row that were each refused alone for one reason, others are asked."""

PROBES: Final = 5
"""So many others, spread over the rest. When all of them fare alike, the search ends."""

SMALL: Final = 50
"""So many records are looked at to the last one, whatever that costs."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request was refused as a whole, so nothing of it was written.

    `splits`: a part of it may fare better. It is false where the refusal is about the place, the
    credentials or the time, so that every record would meet the same.
    """

    outcome: Outcome
    splits: bool


Attempt = Callable[[Sequence[Any]], Awaitable[Sequence[Outcome] | Refused]]
"""Sends some records in one request: an outcome for each, or a refusal of the whole."""


async def in_halves(batch: Sequence[Any], attempt: Attempt) -> list[Outcome]:
    """The outcomes of a batch. Nothing is rejected that was not refused alone, or for the place.

    Parts go out one after the other, from the first record to the last. After a part with an
    outcome to retry nothing more is sent: the rest is to be retried, too. The same holds when the
    search ends early because records from all over the batch were refused alone, each for the same
    reason, and none was taken.
    """
    answer = await attempt(batch)
    if not isinstance(answer, Refused):
        return list(answer)
    search = _Search(batch, attempt, answer)
    await search.run()
    return search.outcomes


class _Search:
    """A batch that was refused as a whole. `outcomes` are complete when `run` has returned."""

    def __init__(self, batch: Sequence[Any], attempt: Attempt, first: Refused) -> None:
        self._batch = batch
        self._first: Refused | None = first
        self._attempt = attempt
        self._found: dict[int, Outcome] = {}
        self._alike = 0
        """Records in a row that were refused alone with the code of the last one."""
        self._code = ""
        self._mixed = False
        """Whether records of this batch fare differently, so that the search is worth its cost."""

    @property
    def outcomes(self) -> list[Outcome]:
        return [self._found[index] for index in range(len(self._batch))]

    async def run(self) -> None:
        parts = [range(len(self._batch))]
        while parts:
            part = [index for index in parts.pop() if index not in self._found]
            if not part:
                continue
            again = await self._send(part)
            if again is not None:
                text = "an earlier part of the batch is to be sent first"
                self._put_off(replace(again, unsent=True), text)
                return
            if part[0] in self._found:
                if self._hopeless and (last := await self._probe()) is not None:
                    text = "other records of the batch were refused for it, each alone"
                    # They were sent, though not alone: this counts as an attempt, so that a place
                    # that refuses everybody is not asked about each of them.
                    self._put_off(replace(last, status="retry"), text)
                    return
                continue
            middle = len(part) // 2
            halves = (part[:middle], part[middle:])
            parts += [range(half[0], half[-1] + 1) for half in reversed(halves)]

    @property
    def _hopeless(self) -> bool:
        rest = len(self._batch) - len(self._found)
        return self._alike >= ALIKE and not self._mixed and rest > SMALL

    async def _send(self, part: Sequence[int]) -> Outcome | None:
        """Send a part; what became of it is noted, unless it should be halved.

        Gives back the outcome because of which nothing more may be sent now.
        """
        first, self._first = self._first, None
        answer = first or await self._attempt([self._batch[index] for index in part])
        if not isinstance(answer, Refused):
            self._found.update(zip(part, answer, strict=True))
            self._mixed = True
            return next((each for each in answer if each.status == "retry"), None)
        outcome = answer.outcome
        if answer.splits and len(part) > 1:
            return None
        self._found.update(dict.fromkeys(part, outcome))
        if outcome.status == "retry":
            return outcome
        if self._alike and outcome.code != self._code:
            self._mixed = True
        self._alike, self._code = self._alike + 1, outcome.code
        return None

    async def _probe(self) -> Outcome | None:
        """Send some of the rest, each alone; the last refusal when all fare as those before.

        None that may not pass an earlier one of its group.
        """
        rest = [index for index in range(len(self._batch)) if index not in self._found]
        if isinstance(self._batch, InOrder):
            rest = [index for index in rest if not self._batch.nth[index]]
        last: Outcome | None = None
        chosen = {number * (len(rest) - 1) // (PROBES - 1) for number in range(PROBES)}
        for index in [rest[number] for number in sorted(chosen)] if rest else ():
            if (again := await self._send([index])) is not None:
                return again
            last = self._found[index]
            if self._mixed:
                return None
        return last

    def _put_off(self, outcome: Outcome, why: str) -> None:
        later = replace(outcome, reason=f"{why}: {outcome.reason}", unknown=False)
        for index in range(len(self._batch)):
            self._found.setdefault(index, later)
