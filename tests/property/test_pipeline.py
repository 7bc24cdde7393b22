"""The pipeline's state machines against a model that only keeps lists."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio import tasks
from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED, Outcome, duplicate, kept_back, rejected, retry
from routestudio.pipeline.batching import Batch
from routestudio.pipeline.checkpoint import LowWater
from routestudio.pipeline.intake import Intake
from routestudio.pipeline.planner import Job, Planner
from routestudio.pipeline.retry import RetryPolicy
from routestudio.sinks.base import BatchLimits
from tests.unit.pipeline.doubles import bad_row, make_stages

MESSAGE = message_from({"action": "insert", "record": {"id": 1}})


class Model:
    """What must hold whatever happens, checked at every step from the outside."""

    def __init__(self, planner: Planner, limits: BatchLimits, in_flight: int, per: int) -> None:
        self.planner = planner
        self.limits = limits
        self.in_flight = in_flight
        self.per = per
        self.added: list[Job] = []
        self.out: list[Batch[Job]] = []
        self.ended: dict[int, str] = {}
        self.order: dict[str, list[int]] = defaultdict(list)
        self.attempts: Counter[int] = Counter()
        self.not_before: dict[int, float] = {}
        self.paused: dict[Any, float] = {}
        self.perhaps: set[int] = set()

    @property
    def together(self) -> bool:
        return self.limits.keeps_order and self.limits.messages > 1

    def taken(self, batch: Batch[Job], now: float) -> None:
        jobs = batch.jobs
        assert jobs
        assert len(jobs) <= self.limits.messages
        size = sum(job.size for job in jobs)
        assert len(jobs) == 1 or self.limits.size is None or size <= self.limits.size
        assert {job.key for job in jobs} == {batch.key}
        assert now >= self.paused.get(batch.key, 0.0)
        self.out.append(batch)
        assert len(self.out) <= self.in_flight
        assert sum(item.key == batch.key for item in self.out) <= self.per
        flying = [job for item in self.out for job in item.jobs]
        assert len({id(job) for job in flying}) == len(flying), "a message is out twice"
        groups = [job.group for item in self.out for job in item.jobs if job.group is not None]
        if self.together:
            groups = [g for item in self.out for g in {job.group for job in item.jobs} if g]
        assert len(set(groups)) == len(groups), "two messages of one group are out apart"
        assert self.planner.in_flight == len(flying)
        for job in jobs:
            assert job.position not in self.ended, "a finished message is sent again"
            assert now >= self.not_before.get(job.position, 0.0), "a retry came too early"
            if job.group is not None:
                earlier = [j for j in self.added if j.group == job.group]
                before = [j for j in earlier if j.position < job.position]
                ahead = {j.position for j in jobs[: jobs.index(job)]} if self.together else set()
                assert all(j.position in self.ended or j.position in ahead for j in before), (
                    "a message was overtaken"
                )
            self.attempts[job.position] += 1

    def unsent(self, jobs: list[Job], outcomes: list[Outcome]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            self.attempts[job.position] -= outcome.unsent

    def finish(self, job: Job, status: str) -> None:
        assert job.position not in self.ended, "a message ended twice"
        self.ended[job.position] = status
        if job.group is not None and status != "rejected":
            self.order[job.group].append(job.position)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 120),
    groups=st.integers(1, 40),
    keys=st.integers(1, 8),
    messages=st.integers(1, 12),
    size=st.one_of(st.none(), st.integers(1, 60)),
    in_flight=st.integers(1, 6),
    per=st.integers(1, 4),
    attempts=st.integers(1, 5),
    trouble=st.sampled_from([0.0, 0.1, 0.5, 0.95]),
    breaks=st.sampled_from([0.0, 0.0, 0.2]),
    together=st.booleans(),
)
def test_nothing_is_lost_doubled_or_overtaken(
    seed: int, count: int, groups: int, keys: int, messages: int, size: int | None,
    in_flight: int, per: int, attempts: int, trouble: float, breaks: float,
    together: bool,
) -> None:  # fmt: skip
    random = Random(seed)
    limits = BatchLimits(messages=messages, size=size, wait=0.01, keeps_order=together)
    policy = RetryPolicy(base=0.5, cap=20.0, max_attempts=attempts)
    planner = Planner(
        limits, policy, in_flight=in_flight, per_destination=per, max_messages=30,
        max_bytes=400, chance=random.random,
    )  # fmt: skip
    model = Model(planner, limits, in_flight, per)
    waiting = [
        Job(
            n, MESSAGE, None, random.randint(0, 25),  # type: ignore[arg-type]
            (f"k{random.randrange(keys)}",),
            random.choice([None, f"g{random.randrange(groups)}"]),
        )
        for n in range(count)
    ]  # fmt: skip
    now, most, stopped, breaks_in_a_row = 0.0, 0, False, 0
    for _ in range(200_000):
        while waiting and planner.room and random.random() < 0.7:
            part, waiting = waiting[:7], waiting[7:]
            model.added += part
            planner.add(part, now)
        planner.expecting = bool(waiting) and planner.room
        most = max(most, planner.buffered)
        while (batch := planner.take(now)) is not None:
            model.taken(batch, now)
            if random.random() < 0.3:
                break
        if model.out and random.random() < 0.8:
            batch = model.out.pop(random.randrange(len(model.out)))
            now += random.random() * 0.02
            if random.random() < breaks and breaks_in_a_row + 1 < attempts:
                before = planner.link_failures
                settled = planner.lost(batch, "gone", now)
                breaks_in_a_row = planner.link_failures
                assert planner.link_failures <= before + 1
                assert not settled.exhausted
                assert settled.delivered == []
            else:
                outcomes = _outcomes(random, trouble, batch.jobs)
                model.unsent(batch.jobs, outcomes)
                heads: dict[str, float] = {}
                settled = planner.settle(batch, outcomes, now)
                breaks_in_a_row = planner.link_failures
                given_up = {item.job.position for item in settled.rejected}
                known = {item.job.position for item in settled.duplicates}
                for job, outcome in zip(batch.jobs, outcomes, strict=True):
                    if outcome.status == "delivered":
                        assert job in settled.delivered
                    elif outcome.status == "duplicate":
                        # What may have been written before is delivered, and nothing else.
                        ours = job.position in model.perhaps and outcome.held is not False
                        assert (job in settled.delivered) == ours
                        assert (job.position in known) != ours
                    elif outcome.status == "rejected" or (
                        job.attempts >= attempts and not outcome.unsent
                    ):
                        assert job.position in given_up
                    elif model.together and job.group in heads:
                        model.not_before[job.position] = heads[job.group]  # it waits for this one
                    else:
                        delay = policy.delay(job.attempts, 0.0)
                        after = outcome.after or 0.0
                        model.not_before[job.position] = now + max(delay, min(after, 20.0)) - 1e-9
                        if job.group is not None:
                            heads[job.group] = model.not_before[job.position]
                    if outcome.unknown:
                        model.perhaps.add(job.position)
                    if outcome.after is not None:
                        until = now + min(outcome.after, 20.0)
                        model.paused[batch.key] = max(model.paused.get(batch.key, 0.0), until)
            ends = [(job, "delivered") for job in settled.delivered]
            ends += [(item.job, "rejected") for item in settled.rejected]
            ends += [(item.job, "duplicate") for item in settled.duplicates]
            assert all(item.job.attempts <= attempts for item in settled.rejected)
            for job, status in sorted(ends, key=lambda end: batch.jobs.index(end[0])):
                model.finish(job, status)
        elif not model.out:
            if planner.idle and not waiting:
                break
            if not waiting or not planner.room:
                if (batch := planner.take(now)) is not None:
                    model.taken(batch, now)
                    continue
                wake = planner.wake_at(now)
                assert wake is not None, "nothing is in flight and nothing will ever wake it"
                assert wake > now, "it wants to be woken for something that `take` does not give"
                now = wake
    else:
        stopped = True
    assert not stopped, "no progress"
    assert len(model.ended) == count, "a message was lost"
    assert most <= 30 + 7
    assert (planner.buffered, planner.buffered_bytes, planner.in_flight) == (0, 0, 0)
    assert planner.waiting_retries == 0
    assert all(1 <= model.attempts[n] <= attempts for n in range(count))
    for positions in model.order.values():
        assert positions == sorted(positions)


def _outcomes(random: Random, trouble: float, jobs: list[Job]) -> list[Outcome]:
    """Any, but nothing of a group is written after what is to be tried again."""
    behind: set[str] = set()
    found = []
    for job in jobs:
        outcome = _outcome(random, trouble)
        if job.group in behind:
            sent = random.random() < 0.5
            outcome = retry("behind", "as a whole") if sent else kept_back("behind", "not sent")
        elif outcome.status == "retry" and job.group is not None:
            behind.add(job.group)
        found.append(outcome)
    return found


def _outcome(random: Random, trouble: float) -> Outcome:
    if random.random() >= trouble:
        return DELIVERED
    kind = random.random()
    if kind < 0.2:
        return rejected("no", "never")
    if kind < 0.3:
        return duplicate("known", "I have this", held=random.choice([True, False, None]))
    if kind < 0.4:
        return retry("limit", "slow down", after=random.choice([0.1, 3.0, 1000.0]))
    return retry("later", "try again", unknown=random.random() < 0.5)


@given(st.permutations(range(40)), st.integers(0, 5), st.integers(1, 40))
def test_low_water_is_the_first_unfinished_position(
    order: list[int], start: int, shown: int
) -> None:
    water = LowWater(start)
    finished: set[int] = set()
    for position in order[:shown]:
        water.finish([position + start])
        finished.add(position + start)
        assert water.mark not in finished
        assert all(p in finished for p in range(start, water.mark))
        above = {p for first, end in water.done for p in range(first, end)}
        assert above == {p for p in finished if p > water.mark}
        assert all(a[1] < b[0] for a, b in itertools.pairwise(water.done))
    again = LowWater(water.mark, water.done)
    again.finish(p + start for p in order[shown:])
    assert (again.mark, again.done) == (start + 40, [])


@given(
    sizes=st.lists(st.integers(1, 9), max_size=12),
    skip=st.integers(0, 30),
    gaps=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), max_size=5),
    chunk=st.integers(1, 12),
)
def test_a_restart_reads_just_what_is_not_finished(
    sizes: list[int], skip: int, gaps: list[tuple[int, int]], chunk: int
) -> None:
    done, place = [], skip
    for gap, length in gaps:
        done.append((place + gap, place + gap + length))
        place += gap + length
    finished = {p for first, end in [(0, skip), *done] for p in range(first, end)}
    total = sum(sizes)

    async def source() -> AsyncIterator[list[Any]]:
        given = 0
        for size in sizes:
            yield [bad_row(line, "bad") for line in range(given, given + size)]
            given += size

    async def read() -> list[int]:
        intake = Intake(source(), make_stages(), chunk=chunk, skip=skip, finished=done)
        reading = tasks.spawn(intake.read(), name="test reader")
        found: list[int] = []
        while (part := await intake.next()) is not None:
            position, rows, _ = part
            assert 1 <= len(rows) <= chunk
            lines = [row.line for row in rows]
            assert lines == list(range(position, position + len(rows)))
            found += lines  # type: ignore[arg-type]
        await reading
        return found

    assert asyncio.run(read()) == [p for p in range(total) if p not in finished]


@given(st.integers(1, 2000), st.floats(0, 1))
def test_delays_grow_and_never_pass_the_cap(failures: int, chance: float) -> None:
    policy = RetryPolicy()
    assert 0.85 <= policy.delay(failures, chance) <= policy.cap
    assert policy.delay(failures + 1) >= policy.delay(failures)
