from __future__ import annotations

import pytest

from routestudio.pipeline.retry import DEFAULT_ATTEMPTS, Circuit, RetryPolicy, RetryQueue


def test_schedule_is_that_of_a_sequin_server() -> None:
    policy = RetryPolicy()
    delays = [policy.delay(n) for n in range(1, 13)]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 600, 600, 600]
    assert policy.delay(1000) == 600


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.85), (1.0, 1.15)])
def test_jitter_is_fifteen_percent_below_the_cap(chance: float, share: float) -> None:
    policy = RetryPolicy()
    assert policy.delay(4, chance) == pytest.approx(8 * share)
    assert policy.delay(10, chance) == 600


def test_max_retry_count_counts_attempts() -> None:
    once = RetryPolicy.of(1)
    assert not once.allows(1)
    assert RetryPolicy.of(3).allows(2)
    assert not RetryPolicy.of(3).allows(3)
    assert RetryPolicy.of(None).max_attempts == DEFAULT_ATTEMPTS
    assert RetryPolicy(max_attempts=None).allows(10**6)


def test_queue_gives_what_is_due_in_order() -> None:
    queue: RetryQueue[str] = RetryQueue()
    queue.add("late", 5.0)
    queue.add("first", 1.0)
    queue.add("second", 1.0)
    assert queue.next_due == 1.0
    assert queue.pop_due(0.5) == []
    assert queue.pop_due(1.0) == ["first", "second"]
    assert queue.pop_due(9.0) == ["late"]
    assert queue.next_due is None


def test_circuit_opens_probes_and_closes() -> None:
    circuit = Circuit(RetryPolicy(max_attempts=3), lambda: 0.5)
    one, two = circuit.sent(), circuit.sent()
    assert circuit.failed(one, 10.0)
    assert circuit.failed(two, 10.0)
    assert circuit.failures == 1, "batches that failed together count once"
    assert circuit.wake_at == 11.0
    assert not circuit.allows(10.9)
    assert circuit.allows(11.0)
    probe = circuit.sent()
    assert not circuit.allows(12.0), "one probe at a time"
    circuit.succeeded(two)
    assert not circuit.allows(12.0), "an old answer says nothing about the connection now"
    assert circuit.failed(probe, 12.0)
    assert circuit.wake_at == 14.0
    probe = circuit.sent()
    circuit.succeeded(probe)
    assert circuit.allows(14.0)
    assert circuit.failures == 0


def test_circuit_gives_up_after_the_allowed_failures_in_a_row() -> None:
    circuit = Circuit(RetryPolicy(max_attempts=2), lambda: 0.5)
    assert circuit.failed(circuit.sent(), 0.0)
    assert not circuit.failed(circuit.sent(), 1.0)
