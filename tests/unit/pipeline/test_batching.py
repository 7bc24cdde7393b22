from __future__ import annotations

from dataclasses import dataclass

import pytest

from routestudio.pipeline.batching import Batcher
from routestudio.sinks.base import BatchLimits


@dataclass(eq=False)
class Item:
    key: str
    size: int = 1


def batcher(
    messages: int = 3, size: int | None = None, wait: float = 1.0, *, out: int = 10, per: int = 10
) -> Batcher[Item]:  # type: ignore[type-var]
    return Batcher(BatchLimits(messages=messages, size=size, wait=wait), in_flight=out, per_key=per)


def fill(batches: Batcher[Item], key: str, count: int, now: float = 0.0, size: int = 1) -> None:  # type: ignore[type-var]
    for _ in range(count):
        batches.add([Item(key, size)], now)


def test_full_batch_leaves_at_once_and_the_rest_by_time() -> None:
    batches = batcher()
    fill(batches, "a", 4)
    assert len(batches.take(0.0).jobs) == 3
    assert batches.take(0.0) is None
    assert batches.next_due() == 1.0
    assert batches.take(0.99) is None
    assert len(batches.take(1.0).jobs) == 1


def test_bytes_close_a_batch_and_a_big_record_goes_alone() -> None:
    batches = batcher(messages=100, size=10)
    for size in (4, 4, 4, 50, 1):
        batches.add([Item("a", size)], 0.0)
    assert [j.size for j in batches.take(0.0).jobs] == [4, 4]
    assert [j.size for j in batches.take(0.0).jobs] == [4]
    assert [j.size for j in batches.take(0.0).jobs] == [50]
    assert batches.take(0.0) is None
    assert [j.size for j in batches.take(1.0).jobs] == [1]


def test_destinations_take_turns() -> None:
    batches = batcher(messages=1)
    fill(batches, "busy", 50)
    fill(batches, "rare", 1)
    keys = [batches.take(0.0).key for _ in range(3)]
    assert "rare" in keys[:2]


def test_limits_in_flight_per_destination_and_over_all() -> None:
    batches = batcher(messages=1, out=3, per=2)
    fill(batches, "a", 5)
    fill(batches, "b", 5)
    taken = [batches.take(0.0) for _ in range(4)]
    assert [t.key if t else None for t in taken] == ["a", "b", "a", None]
    assert batches.next_due() is None
    batches.done("b", 0.0)
    assert batches.take(0.0).key == "b"
    batches.done("a", 0.0)
    batches.done("b", 0.0)
    assert {batches.take(0.0).key, batches.take(0.0).key} == {"a", "b"}


def test_batch_goes_on_filling_while_it_may_not_leave() -> None:
    batches = batcher(messages=10, per=1)
    fill(batches, "a", 10)
    assert len(batches.take(0.0).jobs) == 10
    fill(batches, "a", 2, now=0.5)
    assert batches.take(2.0) is None
    fill(batches, "a", 5, now=2.0)
    batches.done("a", 2.5)
    assert len(batches.take(2.5).jobs) == 7


def test_pause_holds_one_destination_only() -> None:
    batches = batcher(messages=1)
    fill(batches, "a", 2)
    first = batches.take(0.0)
    batches.pause("a", 9.0)
    batches.done(first.key, 0.0)
    fill(batches, "b", 1)
    assert batches.take(1.0).key == "b"
    assert batches.take(8.9) is None
    assert batches.next_due() == 9.0
    assert batches.take(9.0).key == "a"


def test_pause_is_remembered_while_nothing_waits() -> None:
    batches = batcher(messages=1)
    fill(batches, "a", 1)
    batches.take(0.0)
    batches.pause("a", 5.0)
    batches.done("a", 0.0)
    fill(batches, "a", 1, now=1.0)
    assert batches.take(4.0) is None
    assert batches.take(5.0).key == "a"
    batches.done("a", 6.0)
    assert len(batches) == 0


def test_ripen_lets_everything_go_and_forgets_finished_destinations() -> None:
    batches = batcher(messages=100, wait=60.0)
    for n in range(50):
        fill(batches, f"k{n}", 2)
    assert batches.take(0.0) is None
    batches.ripen()
    done = []
    while (batch := batches.take(0.0)) is not None:
        done.append(batch.key)
        batches.done(batch.key, 0.0)
    assert len(done) == 50
    assert len(batches) == 0
    assert batches.waiting == 0


def test_a_batch_that_is_not_full_waits_for_the_one_that_is_out() -> None:
    batches = batcher(wait=0.004)
    fill(batches, "a", 1)
    first = batches.take(0.004)
    fill(batches, "a", 1, now=0.005)
    assert batches.take(0.01) is None, "its time is over, but another one of it is out"
    fill(batches, "a", 1, now=0.011)
    batches.done(first.key, 0.012)
    assert len(batches.take(0.012).jobs) == 2


def test_it_does_not_wait_for_ever() -> None:
    batches = batcher(wait=0.004)
    fill(batches, "a", 1)
    assert batches.take(0.004) is not None
    fill(batches, "a", 1, now=0.005)
    assert batches.take(0.01) is None
    assert batches.next_due() == pytest.approx(0.045)
    assert batches.take(0.044) is None
    assert batches.take(0.046) is not None


def test_a_batch_that_was_full_does_not_wait_longer() -> None:
    batches = batcher(wait=0.004)
    fill(batches, "a", 1)
    assert batches.take(0.004) is not None
    fill(batches, "a", 3, now=0.005)
    assert len(batches.take(0.005).jobs) == 3


def test_a_destination_that_does_not_answer_holds_up_its_next_batch_no_longer_than_that() -> None:
    batches = batcher(wait=0.1)
    fill(batches, "a", 1)
    assert batches.take(0.1) is not None
    fill(batches, "a", 1, now=0.2)
    assert batches.take(0.31) is not None, "longer than the limit's own time it never waits"


def test_batches_of_one_need_no_clock() -> None:
    batches = batcher(messages=1, per=1)
    fill(batches, "a", 2)
    first = batches.take(0.0)
    assert batches.next_due() is None
    batches.done(first.key, 0.0)
    assert batches.take(0.0) is not None


def test_a_busy_stream_fills_its_batches() -> None:
    batches = batcher(wait=0.004)
    batches.busy = True
    fill(batches, "a", 1)
    assert batches.take(0.005) is None, "more is about to come"
    fill(batches, "a", 2, now=0.006)
    assert len(batches.take(0.006).jobs) == 3


def test_a_stream_that_stays_busy_elsewhere_holds_nobody_up_for_long() -> None:
    batches = batcher(wait=0.004)
    batches.busy = True
    fill(batches, "a", 1)
    assert batches.take(0.039) is None
    assert batches.next_due() == pytest.approx(0.04)
    assert len(batches.take(0.041).jobs) == 1
