"""Kafka batches in which groups repeat, on a model of a broker and of a client that stops."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.sinks.base import InOrder
from routestudio.sinks.kafka import order
from routestudio.sinks.kafka.order import Ordered
from routestudio.sinks.kafka.refused import STOPPED
from routestudio.sinks.kafka.settings import refused_together
from routestudio.sinks.kafka.sink import KafkaRecord

BAD = b"bad"
PLACES = 3


class Broker:
    """Partitions, and whose records each has taken: of a stranger it takes any number."""

    def __init__(self) -> None:
        self.logs: dict[int, list[bytes]] = defaultdict(list)
        self.next: dict[tuple[Any, int], int] = {}

    def take(self, producer: Any, place: int, number: int, values: list[bytes]) -> bool:
        """A produce request whose first record has that number; whether it was taken."""
        if number != self.next.get((producer, place), number):
            return False
        if any(BAD in value for value in values):
            return False
        self.next[producer, place] = number + len(values)
        self.logs[place] += values
        return True


class Producer:
    """Makes requests of its own out of what it is handed. After a refusal only those that are
    under way already reach the broker, and after a silence none."""

    settings: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, broker: Broker, random: Random, silent: float) -> None:
        self.broker, self.random, self.silent = broker, random, silent
        self.ended = False
        self._numbers: dict[int, int] = defaultdict(int)

    async def send(self, batch: Sequence[KafkaRecord], partitions: Sequence[int]) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        requests: list[tuple[int, int, list[int]]] = []
        for place in sorted(set(partitions), key=lambda _: self.random.random()):
            left = [i for i, p in enumerate(partitions) if p == place]
            while left:
                size = self.random.randint(1, 4)
                requests.append((place, self._numbers[place], left[:size]))
                self._numbers[place] += len(left[:size])
                left = left[size:]
        under_way = 0
        for place, number, part in requests:
            await asyncio.sleep(0)
            if self.ended:
                if under_way <= 0:
                    found.update(dict.fromkeys(part, STOPPED))
                    continue
                under_way -= 1
            values = [batch[i].value for i in part]
            if self.broker.take(self, place, number, values):
                lost = not self.ended and self.random.random() < self.silent
                lost_outcome = retry("lost", "no answer", unknown=True)
                found.update(dict.fromkeys(part, lost_outcome if lost else DELIVERED))
                if lost:  # it gives all up, and what is under way ends with it
                    self.ended, under_way = True, 0
                continue
            gap = self.ended
            self.ended, under_way = True, under_way if gap else self.random.randint(0, 4)
            together = refused_together("INVALID_RECORD")
            assert together is not None
            found.update(dict.fromkeys(part, STOPPED if gap else together))
        return [found[index] for index in range(len(batch))]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    bad=st.sampled_from([0.0, 0.02, 0.2]),
    silent=st.sampled_from([0.0, 0.1]),
    careful=st.booleans(),
)
def test_nothing_of_a_group_passes_an_earlier_one(
    seed: int, bad: float, silent: float, careful: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_CAREFUL_SECONDS", 60.0 if careful else 0.0)
        asyncio.run(deliver(Random(seed), bad, silent))


async def deliver(random: Random, bad: float, silent: float) -> None:
    broker, kept = Broker(), {"now": Producer(Broker(), random, 0.0)}
    kept["now"].ended = True

    async def producer() -> Any:
        if kept["now"].ended:
            kept["now"] = Producer(broker, random, silent)
        return kept["now"]

    async def apart(batch: Sequence[KafkaRecord], partitions: Sequence[int]) -> list[Outcome]:
        outcomes = []
        for record, place in zip(batch, partitions, strict=True):
            await asyncio.sleep(0)
            if random.random() < silent:
                outcomes.append(retry("later", "not now"))
            elif broker.take(object(), place, 0, [record.value]):
                outcomes.append(DELIVERED)
            else:
                outcomes.append(rejected("bad", "never"))
        return outcomes

    ordered = Ordered(producer, apart, lambda producer, sizes: None)

    async def lane(name: int) -> None:
        """The messages of some groups, a batch at a time; what failed comes again in its order."""
        count = random.randint(1, 40)
        left = []
        for number in range(count):
            value = b"%d.%d" % (name, number) + (BAD if random.random() < bad else b"")
            left.append((f"{name}.{random.randrange(4)}", value))
        wanted.extend(left)
        while left:
            part = left[: random.randint(1, 12)]
            batch = InOrder(
                [KafkaRecord("t", g.encode(), v) for g, v in part], [g for g, _ in part]
            )
            places = [place_of(g) for g, _ in part]
            outcomes = await ordered.send(batch, places)
            again = [m for m, o in zip(part, outcomes, strict=True) if o.status == "retry"]
            left = again + left[len(part) :]

    wanted: list[tuple[str, bytes]] = []
    async with asyncio.TaskGroup() as tasks:
        for name in range(4):
            tasks.create_task(lane(name))
    for group in {g for g, _ in wanted}:
        ours = [v for g, v in wanted if g == group and BAD not in v]
        log = [v for v in broker.logs[place_of(group)] if v in set(ours)]
        check(ours, log)


def place_of(group: str) -> int:
    return sum(group.encode()) % PLACES


def check(wanted: list[bytes], log: list[bytes]) -> None:
    """Each comes when all before it have come, and the last one is the last: repetitions begin at
    one message and come again to the newest."""
    newest = -1
    for value in log:
        place = wanted.index(value)
        assert place <= newest + 1, "a later message passed an earlier one"
        newest = max(newest, place)
    assert newest == len(wanted) - 1
    assert not wanted or log[-1] == wanted[-1]
