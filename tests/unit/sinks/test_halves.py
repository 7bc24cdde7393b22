"""Who is to blame for a refused batch: found in order, at a bounded cost, and nobody else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.sinks._shared.halves import ALIKE, PROBES, Refused, in_halves
from routestudio.sinks.base import InOrder

Judge = Callable[[int], str]
"""The code of the refusal that a record causes; empty when it is good."""


class Service:
    """Refuses every request with a bad record in it, in the words for the first of them."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.requests: list[list[int]] = []
        self.held: list[int] = []

    async def take(self, batch: Sequence[int]) -> Sequence[Outcome] | Refused:
        self.requests.append(list(batch))
        for record in batch:
            if code := self.judge(record):
                return Refused(rejected(code, f"refused: {code}"), splits=True)
        self.held += batch
        return [DELIVERED] * len(batch)


async def test_the_records_that_are_to_blame_are_found() -> None:
    service = Service(lambda record: "bad" if record == 3 else "")
    outcomes = await in_halves(range(7), service.take)
    assert [o.status for o in outcomes] == ["delivered"] * 3 + ["rejected"] + ["delivered"] * 3
    assert [r for r in service.requests if 3 not in r] == [[0, 1, 2], [4], [5, 6]]
    assert service.held == [0, 1, 2, 4, 5, 6]


@given(st.lists(st.sampled_from(["", "", "large", "odd"]), min_size=0, max_size=60))
async def test_nothing_is_rejected_that_was_not_refused_alone(codes: list[str]) -> None:
    service = Service(lambda record: codes[record])
    outcomes = await in_halves(range(len(codes)), service.take)
    alone = {request[0] for request in service.requests if len(request) == 1}
    for record, outcome in enumerate(outcomes):
        if outcome.status == "rejected":
            assert codes[record] == outcome.code
            assert record in alone or len(codes) == 1
        elif outcome.status == "delivered":
            assert codes[record] == ""
        else:
            assert not outcome.unknown
    assert sorted(service.held) == [n for n, o in enumerate(outcomes) if o.status == "delivered"]


async def test_what_every_record_meets_costs_a_handful_of_requests() -> None:
    service = Service(lambda record: "invalid")
    outcomes = await in_halves(range(1000), service.take)
    assert len(service.requests) <= 2 * math.ceil(math.log2(1000)) + ALIKE + PROBES
    assert sum(o.status == "rejected" for o in outcomes) == ALIKE + PROBES
    rest = [o for o in outcomes if o.status == "retry"]
    assert len(rest) == 1000 - ALIKE - PROBES, (
        "they were not refused alone, so they are tried again"
    )
    assert not any(o.unsent for o in rest), "each attempt counts, so there is an end"
    assert "other records of the batch were refused for it, each alone" in rest[0].reason


async def test_good_records_behind_many_bad_ones_are_delivered() -> None:
    service = Service(lambda record: "bad" if record < 100 else "")
    outcomes = await in_halves(range(1000), service.take)
    assert [o.status for o in outcomes] == ["rejected"] * 100 + ["delivered"] * 900
    assert sorted(service.held) == list(range(100, 1000))


async def test_records_that_fare_differently_are_all_looked_at() -> None:
    service = Service(lambda record: "large" if record % 2 else "odd")
    outcomes = await in_halves(range(50), service.take)
    assert [o.code for o in outcomes] == ["odd", "large"] * 25


@pytest.mark.parametrize("status", ["rejected", "retry"])
async def test_a_refusal_that_no_part_escapes_is_asked_for_once(status: str) -> None:
    requests: list[int] = []
    refusal = rejected("gone", "no stream") if status == "rejected" else retry("busy", "later")

    async def take(batch: Sequence[int]) -> Refused:
        requests.append(len(batch))
        return Refused(refusal, splits=False)

    assert await in_halves(range(1000), take) == [refusal] * 1000
    assert requests == [1000]


async def test_what_comes_later_waits_for_what_is_sent_again() -> None:
    requests: list[list[int]] = []

    async def take(batch: Sequence[int]) -> Sequence[Outcome] | Refused:
        requests.append(list(batch))
        if len(batch) > 2:
            return Refused(rejected("large", "too large"), splits=True)
        return [DELIVERED, retry("busy", "wait", after=3, unknown=True)]

    outcomes = await in_halves(range(5), take)
    assert requests == [[0, 1, 2, 3, 4], [0, 1]]
    assert [o.status for o in outcomes] == ["delivered"] + ["retry"] * 4
    assert {(o.code, o.after, o.unknown) for o in outcomes[2:]} == {("busy", 3, False)}
    assert [o.unsent for o in outcomes] == [False] * 2 + [True] * 3


async def test_a_service_that_fails_while_it_is_asked_about_the_rest() -> None:
    singles = 0

    async def take(batch: Sequence[int]) -> Sequence[Outcome] | Refused:
        nonlocal singles
        singles += len(batch) == 1
        if singles > ALIKE:
            return [retry("timeout", "no answer", unknown=True)]
        return Refused(rejected("bad", "bad"), splits=True)

    outcomes = await in_halves(range(100), take)
    assert [o.status for o in outcomes[:ALIKE]] == ["rejected"] * ALIKE
    assert {o.status for o in outcomes[ALIKE:]} == {"retry"}
    assert [o.unknown for o in outcomes].count(True) == 1


@given(
    st.lists(st.sampled_from(["", "large", "odd"]), min_size=1, max_size=130),
    st.integers(1, 40),
    st.sampled_from(["all", "some"]),
)
async def test_nothing_passes_an_earlier_record_of_its_group(
    codes: list[str], groups: int, kind: str
) -> None:
    """Also not where records of the rest are asked about, each alone."""
    service = Service(lambda record: "odd" if kind == "all" and record < 70 else codes[record])
    batch = InOrder(range(len(codes)), [f"g{record % groups}" for record in range(len(codes))])
    outcomes = await in_halves(batch, service.take)
    for group in range(groups):
        held = [record for record in service.held if record % groups == group]
        assert held == sorted(held)
        members = [o for record, o in enumerate(outcomes) if record % groups == group]
        waits = [number for number, o in enumerate(members) if o.status == "retry"]
        if waits:
            assert all(o.status != "delivered" for o in members[waits[0] :]), "it was passed"


async def test_a_place_that_refuses_every_group_is_still_found_out_at_once() -> None:
    service = Service(lambda record: "no_stamps")
    batch = InOrder(range(1000), [f"g{record // 3}" for record in range(1000)])
    outcomes = await in_halves(batch, service.take)
    assert len(service.requests) < 60
    alone = [request[0] for request in service.requests if len(request) == 1]
    assert len(alone) == ALIKE + PROBES
    assert all(batch.nth[record] == 0 for record in alone[ALIKE:])
    assert [o.status for o in outcomes].count("retry") == 1000 - len(alone)
