"""Kafka records of which several belong to one group: nothing of it may pass what was refused.

Such a batch is handed to a producer that sends nothing more after a refusal: librdkafka's
`enable.gapless.guarantee` (https://docs.confluent.io/platform/current/clients/librdkafka/html/).
What it had sent by then carries sequence numbers, and a broker refuses a number that does not
follow the last one that it took (KIP-98). A broker that took nothing from a producer yet takes any
number, though (KIP-360). So the first records of a producer for a partition are one of each group,
and the others wait until these were taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.sinks._shared.waves import in_waves
from routestudio.sinks.kafka.refused import REFUSED_TOGETHER, STOPPED, TOO_LARGE

if TYPE_CHECKING:
    from routestudio.sinks.base import InOrder

_CAREFUL_SECONDS: Final = 60.0
"""After a refusal, one record of each group at a time for so long: a producer ends with it, and
what others had in it comes again."""

_KNOWN_SECONDS: Final = 3600.0
"""So long a broker knows a producer's last number for sure (`producer.id.expiration.ms` is a day
by default)."""

Place = tuple[str, int]
"""A topic and the number of a partition."""

Send = Callable[[Sequence[Any], Sequence[int]], Awaitable[list[Outcome]]]
"""Sends records to partitions; an outcome for each."""

P = TypeVar("P", bound="Sender")


class Sender(Protocol):
    """A producer that sends nothing more after a refusal."""

    async def send(self, batch: Sequence[Any], partitions: Sequence[int]) -> list[Outcome]: ...


class Ordered(Generic[P]):
    """Sends batches in which groups repeat.

    `producer` gives one that stops after a refusal, `apart` sends records of which no two belong
    to one group, and `shrink` hears of the sizes that a producer was refused in one batch.
    """

    def __init__(
        self,
        producer: Callable[[], Awaitable[P]],
        apart: Send,
        shrink: Callable[[P, Sequence[int]], None],
    ) -> None:
        self._producer = producer
        self._apart = apart
        self._shrink = shrink
        self._last: P | None = None
        self._taken: dict[Place, float] = {}
        """When the last producer's records were taken at a place for the last time."""
        self._careful_until = float("-inf")

    async def send(self, batch: InOrder, partitions: Sequence[int]) -> list[Outcome]:
        """An outcome for each record of a batch to partitions that are known."""
        found: dict[int, Outcome] = {}
        places = [(r.topic, p) for r, p in zip(batch, partitions, strict=True)]
        if monotonic() >= self._careful_until and _one_place_each(batch, places):
            await self._at_once(batch, places, found)

        async def apart(wave: Sequence[int]) -> None:
            outcomes = await self._apart([batch[i] for i in wave], [partitions[i] for i in wave])
            found.update(zip(wave, outcomes, strict=True))

        if len(found) < len(batch):
            await in_waves(batch, found, apart)
        return _again_behind(batch, [found[index] for index in range(len(batch))])

    async def _at_once(
        self, batch: InOrder, places: Sequence[Place], found: dict[int, Outcome]
    ) -> None:
        """Send what a broker surely refuses when something in front of it is refused.

        What was refused in a batch, or not sent because of that, is not put into `found`.
        """
        producer = await self._producer()
        if producer is not self._last:
            self._last, self._taken = producer, {}
        taken, known = self._taken, monotonic() - _KNOWN_SECONDS
        if all(taken.get(place, known) > known for place in set(places)):
            await self._part(producer, batch, places, range(len(batch)), found)
            return
        first = [index for index, nth in enumerate(batch.nth) if not nth]
        await self._part(producer, batch, places, first, found)
        if producer is self._last and all(found.get(index) is DELIVERED for index in first):
            rest = [index for index, nth in enumerate(batch.nth) if nth]
            await self._part(producer, batch, places, rest, found)

    async def _part(
        self, producer: P, batch: InOrder, places: Sequence[Place],
        part: Sequence[int], found: dict[int, Outcome],
    ) -> None:  # fmt: skip
        outcomes = await producer.send([batch[i] for i in part], [places[i][1] for i in part])
        now = monotonic()
        if producer is self._last:
            taken = [places[i] for i, o in zip(part, outcomes, strict=True) if o is DELIVERED]
            self._taken.update(dict.fromkeys(taken, now))
        if outcomes.count(DELIVERED) == len(outcomes):
            found.update(zip(part, outcomes, strict=True))
            return
        large: list[int] = []
        for index, outcome in zip(part, outcomes, strict=True):
            if outcome.code == REFUSED_TOGETHER:
                if outcome.reason == TOO_LARGE:
                    large.append(batch[index].size)
            elif outcome is not STOPPED:
                found[index] = outcome
        self._careful_until = now + _CAREFUL_SECONDS
        self._shrink(producer, large)


def _one_place_each(batch: InOrder, places: Sequence[Place]) -> bool:
    """Whether all records of a group go to one partition, which is known before."""
    seen: dict[str, Place] = {}
    for group, place in zip(batch.groups, places, strict=True):
        if group is not None and (place[1] < 0 or seen.setdefault(group, place) != place):
            return False
    return True


def _again_behind(batch: InOrder, outcomes: list[Outcome]) -> list[Outcome]:
    """Let what was taken behind a record to be tried again come again after it."""
    if outcomes.count(DELIVERED) == len(outcomes):
        return outcomes
    behind: dict[str | None, Outcome] = {}
    for index, group in enumerate(batch.groups):
        outcome = outcomes[index]
        if group is None:
            continue
        if outcome.status == "delivered" and group in behind:
            outcomes[index] = replace(behind[group], unknown=True)
        elif outcome.status == "retry":
            behind[group] = outcome
    return outcomes
