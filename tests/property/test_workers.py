"""Runs by several workers that die, fail and dawdle at random: order, losses, and the books.

The workers are the real ones, in this process: only pipes and processes are replaced.
"""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio import tasks
from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.model.rows import Fault
from routestudio.pipeline import share_frames as frames
from routestudio.pipeline.checkpoint import Checkpoint
from routestudio.pipeline.crew import Crew
from routestudio.pipeline.dead_letters import DeadLetters
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.share_worker import ShareWorker
from routestudio.pipeline.shared import SharedDelivery
from routestudio.pipeline.stages import SinkFunctions
from routestudio.sinks.base import Link
from routestudio.sinks.binding import bind
from tests.unit.pipeline.doubles import (
    MemoryRecord,
    MemorySink,
    Settings,
    bad_row,
    chunks,
    make_message,
    make_stages,
)


class Service:
    """What arrives, in its order; it answers late, and refuses at random."""

    def __init__(self, random: Random, failing: float) -> None:
        self.random = random
        self.failing = failing
        self.arrived: list[tuple[str, int]] = []

    async def send(self, batch: Sequence[MemoryRecord]) -> list[Outcome]:
        await asyncio.sleep(self.random.random() * 0.003)
        outcomes = []
        for record in batch:
            row = record.message.record
            if row["number"] % 23 == 7:
                outcomes.append(rejected("no", "never"))
            elif self.random.random() < self.failing:
                outcomes.append(retry("busy", "later"))
            else:
                self.arrived.append((row["id"], row["number"]))
                outcomes.append(DELIVERED)
        await asyncio.sleep(self.random.random() * 0.003)
        return outcomes


class ServiceLink(Link):
    """A link to the service of the test that runs."""

    service: Service

    def check(self, targets: Any) -> Any:
        raise AssertionError("nothing is checked here")

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        return await self.service.send(batch)

    async def close(self) -> None:
        pass


class ServiceSink(MemorySink):
    key = "service"

    @staticmethod
    def connect(config: Any) -> Link:
        return ServiceLink()


class LocalMember:
    """A worker in this process. What it said is heard a moment later, unless it died before."""

    def __init__(self, number: int, setup: frames.Setup) -> None:
        self.number = number
        self.setup = frames.said(frames.SETUP, setup)
        self.heard: Any = None
        self.died: Any = None
        self.worker: ShareWorker | None = None
        self.received = frames.Frames()

    async def start(self) -> None:
        if self.worker is None:
            self.received, said = frames.Frames(), frames.Frames()
            loop = asyncio.get_running_loop()
            self.worker = worker = ShareWorker(
                lambda data: cast(None, loop.call_soon(self._hear, worker, said, data))
            )
            self.send(self.setup)

    def _hear(self, worker: ShareWorker, said: frames.Frames, data: bytes) -> None:
        if worker is self.worker:
            for kind, payload in said.feed(data):
                if kind != frames.LOG:
                    self.heard(kind, pickle.loads(payload))

    def send(self, data: bytes) -> None:
        if self.worker is not None:
            for kind, payload in self.received.feed(data):
                self.worker.take(kind, payload)

    async def die(self) -> None:
        """As by SIGKILL: what was sent and not answered is in the service, and nobody knows."""
        worker, self.worker = self.worker, None
        if worker is not None:
            await worker.close()
            self.died("signal 9")

    def kill(self) -> None:
        tasks.spawn(self.die(), name="end of a worker")

    async def close(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            await worker.close()


def crew_of(count: int) -> Crew:
    bound = bind(ServiceSink, {}, dynamic=False)
    policy = RetryPolicy(base=0.001, cap=0.004, max_attempts=None)
    setup = frames.Setup(bound, Settings(("update",)), SinkFunctions(), policy, in_flight=4,
                         per_destination=3, max_messages=40, max_bytes=1 << 20,
                         log_level=logging.ERROR)  # fmt: skip
    crew = Crew(setup, 0)
    crew.members = cast(Any, [LocalMember(number, setup) for number in range(count)])
    return crew


def rows_of(random: Random, count: int) -> list[Any]:
    rows: list[Any] = []
    for n in range(count):
        if n % 41 == 13:
            rows.append(bad_row(n, "broken", text=f'{{"number": {n}'))
            continue
        group, table = f"row{random.randrange(12)}", random.choice(["a", "b", "c"])
        action = "insert" if n % 31 == 5 else "update"  # the sink does not want the former
        rows.append(make_message(n, id=group, table=table, action=action, number=n))
    return rows


def deliver(seed: int, workers: int, deaths: int, failing: float, folder: Path) -> None:
    """One run, and everything that must hold of it."""
    random = Random(seed)
    service = ServiceLink.service = Service(random, failing)
    rows = rows_of(random, random.randint(60, 200))
    dead, place = folder / "dead.jsonl", folder / "place.json"
    crew = crew_of(workers)
    again: set[int] = set()

    async def kill_some() -> None:
        for _ in range(deaths):
            await asyncio.sleep(random.random() * 0.02)
            victim = cast(LocalMember, random.choice(crew.members))
            await victim.die()
            again.update(number for _, number in service.arrived)

    async def run() -> Any:
        with DeadLetters(dead, "s") as letters:
            delivery = SharedDelivery(
                crew, make_stages().router.group_id, chunks(rows, 25), max_messages=50,
                max_bytes=1 << 20, dead_letters=letters, checkpoint=Checkpoint(place),
            )  # fmt: skip
            killing = tasks.spawn(kill_some(), name="kills")
            summary = await asyncio.wait_for(delivery.run(), 30)
            await tasks.stop(killing)
            await crew.close()
            return summary

    summary = asyncio.run(run())
    _check(rows, service, summary, dead, again)
    assert json.loads(place.read_text()) == {"position": len(rows)}


def _check(rows: list[Any], service: Service, summary: Any, dead: Path, again: set[int]) -> None:
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    numbers = [json.loads(le["raw"] + "}")["number"] if le["message"] is None
               else le["message"]["record"]["number"] for le in letters]  # fmt: skip
    faulty = {n for n, row in enumerate(rows) if isinstance(row, Fault)}
    unwanted = {n for n, row in enumerate(rows) if n not in faulty and row.action == "insert"}
    refused = {n for n in range(len(rows)) if n % 23 == 7} - faulty - unwanted
    wanted = set(range(len(rows))) - faulty - unwanted - refused
    assert Counter(numbers) == Counter(faulty | refused), "each letter once"
    times = Counter(number for _, number in service.arrived)
    assert times.keys() == wanted, "nothing is lost"
    assert {number for number, count in times.items() if count > 1} <= again
    lanes: dict[str, list[int]] = defaultdict(list)
    for group, number in service.arrived:
        lanes[group].append(number)
    for lane in lanes.values():
        first = list(dict.fromkeys(lane))
        assert first == sorted(first), "order of the group"
        assert lane[-1] == max(lane), "the newest comes last"
    assert (summary.read, summary.filtered) == (len(rows), len(unwanted))
    assert (summary.delivered, summary.rejected) == (len(wanted), len(faulty | refused))
    assert not summary.cancelled


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 4),
    deaths=st.integers(0, 4),
    failing=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_nothing_is_lost_overtaken_or_counted_twice(
    seed: int, workers: int, deaths: int, failing: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        deliver(seed, workers, deaths, failing, Path(folder))
