"""The guarantees of a delivery, one by one, on the pipeline's state machines."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED, rejected, retry
from routestudio.pipeline.batching import Batch
from routestudio.pipeline.checkpoint import LowWater
from routestudio.pipeline.planner import Job, Planner
from routestudio.pipeline.retry import DEFAULT_ATTEMPTS, RetryPolicy
from routestudio.sinks.base import BatchLimits

MESSAGE = message_from({"action": "insert", "record": {"id": 1}})
NEVER = 10_000


def job(number: int, key: str, group: str | None, size: int = 1) -> Job:
    return Job(number, MESSAGE, None, size, (key,), group)  # type: ignore[arg-type]


def planner(messages: int = 5, *, attempts: int | None = 5, wait: float = 1.0, in_flight: int = 8,
            per: int = 4, size: int | None = None, room: int = NEVER) -> Planner:  # fmt: skip
    policy = RetryPolicy(base=0.5, cap=20.0, max_attempts=attempts)
    limits = BatchLimits(messages=messages, size=size, wait=wait)
    return Planner(limits, policy, in_flight=in_flight, per_destination=per, max_messages=room,
                   chance=lambda: 0.5)  # fmt: skip


def all_of(machine: Planner, now: float) -> list[Batch[Job]]:
    found = []
    while (batch := machine.take(now)) is not None:
        found.append(batch)
    return found


@given(
    keys=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    messages=st.integers(1, 9),
    size=st.one_of(st.none(), st.integers(1, 12)),
)
def test_batches_fill_across_groups_and_wait_no_longer_than_they_may(
    keys: list[int], messages: int, size: int | None
) -> None:
    """Every message has a group of its own; only full batches leave before the time is over."""
    machine = planner(messages, size=size, in_flight=NEVER, per=NEVER)
    machine.add([job(n, f"k{key}", f"g{n}") for n, key in enumerate(keys)], 0.0)
    limit = min(messages, size or messages)
    early = all_of(machine, 0.0)
    assert machine.take(0.999) is None
    assert all(len(batch.jobs) == limit for batch in early)
    late = all_of(machine, 1.0)
    waited = Counter(keys)
    full = Counter(batch.key[0] for batch in early)  # type: ignore[index]
    for number, count in waited.items():
        assert full[f"k{number}"] == count // limit, "a full batch waited"
    assert len(late) == sum(1 for count in waited.values() if count % limit)
    sent = [each.position for batch in early + late for each in batch.jobs]
    assert sorted(sent) == list(range(len(keys)))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["silent", "busy", "refusing"]),
    count=st.integers(20, 150),
    messages=st.integers(1, 8),
)
def test_one_unusual_destination_does_not_hold_back_the_others(
    seed: int, kind: str, count: int, messages: int
) -> None:
    """It never answers, or asks for patience, or fails everything: the others are all delivered."""
    random = Random(seed)
    machine = planner(messages, in_flight=8, per=4, wait=0.01, attempts=None)
    jobs = [job(n, "odd" if random.random() < 0.4 else f"k{random.randrange(4)}", f"g{n % 40}/{n}")
            for n in range(count)]  # fmt: skip
    machine.add(jobs, 0.0)
    machine.expecting = False
    others = {each.position for each in jobs if each.key != ("odd",)}
    now = 0.0
    held: list[Any] = []
    while others:
        batch = machine.take(now)
        if batch is None:
            wake = machine.wake_at(now)
            assert wake is not None or held, "it stands still"
            now = max(now + 0.001, min(wake if wake is not None else now, now + 0.01))
            assert now < 5.0, "the others are held back"
        elif batch.key != ("odd",):
            settled = machine.settle(batch, [DELIVERED] * len(batch.jobs), now)
            others -= {each.position for each in settled.delivered}
        elif kind == "silent":
            held.append(batch)
        else:
            after = 600.0 if kind == "busy" else None
            machine.settle(batch, [retry("odd", "later", after=after)] * len(batch.jobs), now)


@given(failures=st.lists(st.booleans(), min_size=1, max_size=30), out=st.integers(1, 4))
def test_the_circuit_is_one_for_the_sink(failures: list[bool], out: int) -> None:
    """After a loss of the connection nothing leaves for any destination before the time, then one
    batch alone, until it is answered."""
    machine = planner(1, attempts=None, in_flight=out, per=out, wait=0.0)
    machine.add([job(n, f"k{n % 5}", None) for n in range(200)], 0.0)
    now = 0.0
    for fails in failures:
        flying = all_of(machine, now)
        assert flying
        if machine.link_failures:
            assert len(flying) == 1, "more than one batch probes"
        if not fails:
            for batch in flying:
                machine.settle(batch, [DELIVERED], now)
            assert machine.link_failures == 0
            if machine.idle:
                break
            continue
        before = machine.link_failures
        for batch in flying:
            machine.lost(batch, "gone", now)
        assert machine.link_failures == before + 1, "what was under way counts once"
        until = now + RetryPolicy(base=0.5, cap=20.0).delay(before + 1)
        assert machine.take(until - 1e-6) is None
        now = until + 1e-9


@given(attempts=st.integers(1, 8), lost=st.booleans())
def test_max_retry_count_counts_attempts(attempts: int, lost: bool) -> None:
    machine = planner(1, attempts=attempts, wait=0.0)
    machine.add([job(0, "k", "g"), job(1, "k", "g")], 0.0)
    tries, now = Counter[int](), 0.0
    while not machine.idle:
        batch = machine.take(now)
        if batch is None:
            wake = machine.wake_at(now)
            assert wake is not None
            assert wake > now
            now = wake
            continue
        position = batch.jobs[0].position
        tries[position] += 1
        if position == 1:
            assert tries[0] == attempts, "the next of the group waits for the last attempt"
        settled = machine.settle(batch, [retry("busy", "later")], now)
        if settled.rejected:
            assert settled.rejected[0].job.attempts == attempts
    assert tries == {0: attempts, 1: attempts}
    assert RetryPolicy.of(attempts).max_attempts == attempts
    assert RetryPolicy.of(None).max_attempts == DEFAULT_ATTEMPTS


@pytest.mark.slow
@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), room=st.integers(1, 40), chunk=st.integers(1, 15),
       groups=st.integers(1, 6))  # fmt: skip
def test_memory_is_bounded_whatever_waits(seed: int, room: int, chunk: int, groups: int) -> None:
    """Messages, and what the checkpoint has to remember, however little is ever finished."""
    random = Random(seed)
    machine = planner(3, room=room, wait=0.0, attempts=3)
    water = LowWater()
    given_out, now, out = 0, 0.0, []
    for _ in range(300):
        if machine.room:
            fresh = [job(given_out + n, f"k{random.randrange(3)}", f"g{random.randrange(groups)}")
                     for n in range(chunk)]  # fmt: skip
            given_out += chunk
            machine.add(fresh, now)
        assert machine.buffered < room + chunk
        out += all_of(machine, now)
        random.shuffle(out)
        if out and random.random() < 0.8:
            batch = out.pop()
            answers = [random.choice([DELIVERED, retry("busy", "later"), rejected("no", "never")])
                       for _ in batch.jobs]  # fmt: skip
            settled = machine.settle(batch, answers, now)
            water.finish(each.position for each in settled.delivered)
            water.finish(each.job.position for each in settled.rejected)
        assert len(water.done) <= machine.buffered, "a range for each gap, and no more"
        assert water.mark + sum(b - a for a, b in water.done) == given_out - machine.buffered
        now += random.random()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), crashes=st.integers(1, 6))
def test_crashes_lose_nothing_overtake_nothing_and_repeat_only_what_was_unsaved(
    seed: int, crashes: int
) -> None:
    """A run that dies at any moment goes on from its last checkpoint, which is never ahead."""
    random = Random(seed)
    source = [(f"k{random.randrange(3)}", f"g{random.randrange(7)}") for _ in range(80)]
    arrived: dict[str, list[int]] = defaultdict(list)
    mark, done = 0, list[tuple[int, int]]()
    for life in range(crashes + 1):
        ended = {n for a, b in [(0, mark), *done] for n in range(a, b)}
        water, machine, now = LowWater(mark, done), planner(4, attempts=None, wait=0.01), 0.0
        machine.add([job(n, *source[n]) for n in range(80) if n not in ended], now)
        machine.expecting = False
        budget = NEVER if life == crashes else random.randrange(60)
        out: list[Batch[Job]] = []
        while not machine.idle and budget > 0:
            budget -= 1
            for batch in all_of(machine, now):
                out.append(batch)
                for each in batch.jobs:
                    assert each.position not in ended, "what was saved as finished came again"
                    arrived[str(each.group)].append(each.position)
            if out:
                batch = out.pop(random.randrange(len(out)))
                answers = [random.choice([DELIVERED, DELIVERED, retry("lost", "?", unknown=True)])
                           for _ in batch.jobs]  # fmt: skip
                settled = machine.settle(batch, answers, now)
                water.finish(each.position for each in settled.delivered)
                if random.random() < 0.3:
                    mark, done = water.mark, water.done
            else:
                wake = machine.wake_at(now)
                assert wake is not None
                now = wake
    assert {n for found in arrived.values() for n in found} == set(range(80)), "lost"
    for found in arrived.values():
        order = sorted(set(found))
        for before, after in itertools.pairwise(found):
            assert order.index(after) <= order.index(before) + 1, "overtaken"
        assert found[-1] == order[-1], "the last state is an old one"
