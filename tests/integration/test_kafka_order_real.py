"""Several messages of a group in one batch, on a real Kafka that refuses some of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from routestudio.sinks.base import InOrder
from routestudio.sinks.kafka import order
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from tests.support.kafka_server import KafkaServer

pytestmark = pytest.mark.real


def link_of(server: KafkaServer) -> Any:
    return Kafka.connect(Kafka.Config(hosts=server.plaintext))


def in_order(topic: str, messages: Sequence[tuple[str | None, int]]) -> InOrder:
    """A batch of numbers of groups; what has no group has no key."""
    records = [
        KafkaRecord(topic, group.encode() if group else None, b"%07d" % number + b"x" * 250)
        for group, number in messages
    ]
    return InOrder(records, [group for group, _ in messages])


def numbers(server: KafkaServer, topic: str) -> dict[bytes, list[int]]:
    """What each key has, in its partition's order."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for item in server.read(topic):
        found[item.key or b""].append(int((item.value or b"")[:7]))
    return found


async def test_a_batch_arrives_in_its_order(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic("together", 3)
    groups = [f"g{n // 3 % 20}" for n in range(600)]
    link = link_of(kafka_server)
    try:
        for start in range(0, 600, 200):
            batch = in_order(topic, [(groups[n], n) for n in range(start, start + 200)])
            assert {o.status for o in await link.send(batch)} == {"delivered"}
    finally:
        await link.close()
    for key, found in numbers(kafka_server, topic).items():
        assert found == [n for n in range(600) if groups[n].encode() == key]


@pytest.mark.parametrize("careful", [0.0, 60.0])
async def test_nothing_of_a_group_passes_what_was_refused(
    kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch, careful: float
) -> None:
    """A record without key is refused with its produce request, and the next ones are under way."""
    monkeypatch.setattr(order, "_CAREFUL_SECONDS", careful)
    topic = kafka_server.create_topic(f"gaps-{careful:.0f}", 2, {"cleanup.policy": "compact"})
    random, read, refused = Random(3), 0, 0
    link = link_of(kafka_server)
    link._batch_bytes = 1500

    async def lane(name: int) -> None:
        """Some groups, a batch at a time; what failed comes again in front of what follows."""
        nonlocal read, refused
        left: list[tuple[str | None, int]] = []
        for _ in range(15):
            for _ in range(random.randint(10, 40)):
                group = f"{name}-{random.randrange(3)}" if random.random() < 0.97 else None
                left.append((group, read))
                read += 1
            batch = in_order(topic, left)
            outcomes = await link.send(batch)
            refused += sum(o.status == "rejected" for o in outcomes)
            left = [m for m, o in zip(left, outcomes, strict=True) if o.status == "retry"]
        while left:
            outcomes = await link.send(in_order(topic, left))
            refused += sum(o.status == "rejected" for o in outcomes)
            left = [m for m, o in zip(left, outcomes, strict=True) if o.status == "retry"]

    try:
        async with asyncio.timeout(200), asyncio.TaskGroup() as tasks:
            for name in range(4):
                tasks.create_task(lane(name))
    finally:
        await link.close()
    held = numbers(kafka_server, topic)
    assert refused > 0
    assert len({n for found in held.values() for n in found}) == read - refused
    for found in held.values():
        check_order(found)


def check_order(found: list[int]) -> None:
    """Each number comes when all before it have come; repetitions go on to the newest."""
    newest: list[int] = []
    last = -1
    for number in found:
        if number > last:
            assert not newest or number > newest[-1], "a later one passed an earlier one"
            newest.append(number)
        last = max(last, number)
    assert newest == sorted(set(found)), "a later one passed an earlier one"
    assert not found or found[-1] == max(found), "an earlier one came last"
