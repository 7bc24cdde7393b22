"""What a run tells of itself: latency, destinations, waiting retries, the circuit."""

from __future__ import annotations

import random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.pipeline.batching import Batch
from routestudio.pipeline.latency import BOUNDS, Histogram, percentile
from routestudio.pipeline.planner import Job, Planner
from routestudio.pipeline.recent import KEPT, MAX_BYTES, Recent
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.tally import MAX_DESTINATIONS, OTHERS, TOP, Tally
from routestudio.sinks.base import BatchLimits


class Plain:
    """A record of so many bytes."""

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def describe(self) -> dict[str, object]:
        return {}


def job(position: int, key: str = "t", size: int = 10) -> Job:
    message = message_from({"action": "insert", "record": {"id": position}}, index=position)
    return Job(position, message, Plain(size), size, key, None)


class Bench:
    """A planner with its tally and a clock that the test moves."""

    def __init__(self, attempts: int | None = 3, batch: int = 10) -> None:
        policy = RetryPolicy(max_attempts=attempts, jitter=0.0)
        self.planner = Planner(BatchLimits(batch, wait=0.0), policy, chance=lambda: 0.5)
        self.planner.expecting = False
        self.tally = Tally(attempts)
        self.now = 0.0

    def send(self, answer: Outcome | str, seconds: float = 0.01) -> Batch[Job]:
        batch = self.planner.take(self.now)
        assert batch is not None
        self.now += seconds
        if isinstance(answer, str):
            self.tally.link_lost(answer, self.now)
            settled = self.planner.lost(batch, answer, self.now)
        else:
            settled = self.planner.settle(batch, [answer] * len(batch.jobs), self.now)
            self.tally.link_works()
        self.tally.settle(batch.key, settled, seconds, self.now)
        return batch


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_percentile_is_exact_up_to_the_width_of_its_bucket(
    values: list[float], share: float
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = percentile(histogram.counts, share)
    assert found is not None
    exact = sorted(values)[max(0, -(-int(share * len(values) * 1e9) // int(1e9)) - 1)]
    low = max((b for b in (0.0, *BOUNDS) if b < min(exact, BOUNDS[-1])), default=0.0)
    high = min((b for b in BOUNDS if b >= exact), default=BOUNDS[-1])
    assert low <= found <= high
    assert histogram.total == pytest.approx(sum(values))


def test_percentiles_come_near_those_of_the_values() -> None:
    chance = random.Random(1)
    values = [chance.lognormvariate(-4, 1) for _ in range(5_000)]
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    cuts = quantiles(values, n=100)
    for share in (50, 95, 99):
        found = percentile(histogram.counts, share / 100)
        assert found == pytest.approx(cuts[share - 1], rel=0.35)
    assert percentile([0] * len(histogram.counts), 0.5) is None


def test_destinations_are_counted_with_bytes_batches_and_the_last_error() -> None:
    bench = Bench()
    bench.planner.add([job(n, "a", 7) for n in range(15)], 0.0)
    bench.send(DELIVERED)
    bench.send(DELIVERED)
    bench.planner.add([job(15, "b")], 0.0)
    bench.send(rejected("too_large", "the service takes 1 MB"))
    progress = bench.tally.progress(bench.now, 0.0, bench.planner)
    first, second = progress.destinations
    assert (first.name, first.delivered, first.size, first.batches) == ("a", 15, 105, 2)
    assert (second.name, second.delivered, second.rejected, second.batches) == ("b", 0, 1, 1)
    assert (first.error, second.error) == ("", "the service takes 1 MB")
    assert progress.size == 105
    assert progress.latency.count == 3
    assert progress.latency.total == pytest.approx(0.03)
    assert first.as_json()["mean"] == 7.5


def test_more_destinations_than_are_told_apart_are_counted_together() -> None:
    bench = Bench(batch=1)
    count = MAX_DESTINATIONS + 50
    for number in range(count):
        bench.planner.add([job(number, f"t{number}")], 0.0)
        bench.send(DELIVERED, 0.0)
    tally = bench.tally
    assert tally.distinct == MAX_DESTINATIONS + 1
    progress = tally.progress(5.0, 0.0, bench.planner)
    assert len(progress.destinations) == TOP
    assert (progress.destinations[0].name, progress.destinations[0].delivered) == (OTHERS, 50)
    page = tally.destinations(MAX_DESTINATIONS - 5, 100, 5.0)
    assert len(page) == 6
    assert tally.delivered == count


def test_a_destination_is_told_as_soon_as_it_is_counted() -> None:
    """A page asked for between two sortings lacked the newest and was not asked for again."""
    bench = Bench(batch=1)

    def deliver(first: int, end: int) -> None:
        for number in range(first, end):
            bench.planner.add([job(number, f"t{number}")], 0.0)
            bench.send(DELIVERED, 0.0)

    deliver(0, 300)
    assert len(bench.tally.destinations(0, 1_000, 5.0)) == 300
    deliver(300, 420)
    deliver(410, 420)
    told = bench.tally.destinations(300, 1_000, 5.01)
    assert [item.name for item in told] == [f"t{number}" for number in range(300, 420)]
    assert [item.delivered for item in told] == [1] * 110 + [2] * 10
    assert len({item.name for item in bench.tally.destinations(0, 1_000, 5.02)}) == 420
    first = bench.tally.destinations(0, 10, 6.0)
    assert [item.name for item in first] == [f"t{number}" for number in range(410, 420)]


def test_waiting_retries_say_where_until_when_and_why() -> None:
    bench = Bench(attempts=3)
    bench.planner.add([job(n, "slow") for n in range(4)], 0.0)
    bench.send(retry("busy", "too many requests"))
    progress = bench.tally.progress(bench.now + 0.25, 0.0, bench.planner)
    (wait,) = progress.waits
    assert (wait.destination, wait.messages, wait.attempts, wait.max_attempts) == ("slow", 4, 1, 3)
    assert wait.due == pytest.approx(0.75)
    assert (wait.code, wait.reason) == ("busy", "too many requests")
    assert progress.waiting_retries == 4
    assert progress.waiting == 0
    assert progress.destinations[0].error == "too many requests"
    bench.now += 1.0
    bench.send(retry("busy", "still too many"))
    (wait,) = bench.tally.progress(bench.now, 0.0, bench.planner).waits
    assert (wait.attempts, wait.reason) == (2, "still too many")
    assert wait.due == pytest.approx(2.0)
    bench.now += 2.0
    bench.send(DELIVERED)
    progress = bench.tally.progress(bench.now, 0.0, bench.planner)
    assert progress.waits == ()
    assert progress.retried == 8
    assert progress.reasons[0].count == 8


def test_an_open_circuit_is_told_until_the_service_answers() -> None:
    bench = Bench(attempts=5)
    bench.planner.add([job(n) for n in range(3)], 0.0)
    bench.send("connection refused")
    circuit = bench.tally.progress(bench.now, 0.0, bench.planner).circuit
    assert circuit is not None
    assert (circuit.failures, circuit.max_failures) == (1, 5)
    assert circuit.next_try == pytest.approx(1.0)
    assert circuit.since == pytest.approx(0.01)
    bench.now += 1.0
    bench.send("connection refused again")
    circuit = bench.tally.progress(bench.now, 0.0, bench.planner).circuit
    assert circuit is not None
    assert (circuit.failures, circuit.reason) == (2, "connection refused again")
    assert circuit.since == pytest.approx(0.01)
    bench.now += 2.0
    bench.send(DELIVERED)
    assert bench.tally.progress(bench.now, 0.0, bench.planner).circuit is None


def test_recent_latency_forgets_what_is_longer_ago_than_two_seconds() -> None:
    bench = Bench(batch=1)
    bench.planner.add([job(n) for n in range(40)], 0.0)
    for _ in range(20):
        bench.send(DELIVERED, 0.2)
        slow = bench.tally.progress(bench.now, 0.0, bench.planner)
    assert slow.latency.as_json()["p50"] > 100
    for _ in range(20):
        bench.now += 0.2
        bench.send(DELIVERED, 0.001)
        fast = bench.tally.progress(bench.now, 0.0, bench.planner)
    told = fast.latency.as_json()
    assert told["p99"] < 2
    assert told["run"]["p99"] > 100
    assert fast.latency.count == 40


def test_the_last_deliveries_are_bounded_by_count_and_bytes() -> None:
    recent = Recent()
    for start in range(0, 1_100, 100):
        recent.add("t", [job(n) for n in range(start, start + 100)], 0.5)
    assert len(recent) == KEPT
    latest = recent.latest()
    assert latest[0].job.position == 1_099
    found = recent.get(latest[3].number)
    assert found is not None
    assert found.job is latest[3].job
    assert recent.get(0) is None
    recent.add("t", [job(5_000, size=MAX_BYTES + 1)], 0.1)
    assert [item.job.position for item in recent.latest()] == [5_000]
