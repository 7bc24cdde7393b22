"""What may be committed of an assignment, and how its work is ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.sources.kafka import KafkaSource
from routestudio.sources.kafka_session import KafkaSession, Mark

A, B = ("t", 0), ("t", 1)


def session(loop: Any = None) -> KafkaSession:
    return KafkaSession("kafka://h/t", loop or _Now(), [A, B])


class _Now:
    def call_soon_threadsafe(self, work: Any, *arguments: Any) -> None:
        work(*arguments)


def test_only_changes_are_due_until_everything_is_asked_for() -> None:
    one = session()
    one.give([None, None, None], [Mark(A, 4), Mark(B, 9), Mark(A, 5)])  # type: ignore[list-item]
    assert one.take_due() == {}
    one.save(2)
    assert one.take_due() == {A: 5, B: 10}
    one.save(3)
    assert one.take_due() == {A: 6}
    assert one.take_due() == {}
    assert one.take_due(everything=True) == {A: 6, B: 10}


def test_what_is_no_row_is_finished_with_the_row_before_it() -> None:
    one = session()
    one.pass_over(A, 3)
    assert one.take_due() == {A: 4}
    one.give([None], [Mark(A, 4)])  # type: ignore[list-item]
    one.pass_over(A, 5)
    one.pass_over(B, 0)
    assert one.take_due() == {B: 1}
    one.save(1)
    assert one.take_due() == {A: 6}
    one.pass_over(A, 6)
    assert one.take_due() == {A: 7}


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.booleans()), max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_a_commit_is_never_ahead_of_an_unfinished_row_and_ends_at_the_end(
    records: list[tuple[tuple[str, int], bool]], saves: list[int]
) -> None:
    one, offsets, rows = session(), {A: 0, B: 0}, []
    for place, is_row in records:
        offset = offsets[place]
        offsets[place] += 1
        if is_row:
            one.give([None], [Mark(place, offset)])  # type: ignore[list-item]
            rows.append((place, offset))
        else:
            one.pass_over(place, offset)
        for position in (s for s in saves if s <= len(rows)):
            one.save(position)
            finished = max((s for s in saves if s <= len(rows)), default=0)
            for where, due in one.take_due(everything=True).items():
                open_rows = [o for p, o in rows[finished:] if p == where]
                if position == finished:
                    assert all(due <= o for o in open_rows)
    one.save(len(rows))
    expected = {place: end for place, end in offsets.items() if end}
    assert one.take_due(everything=True) == expected


@pytest.mark.allow_log
async def test_lost_partitions_are_let_go_at_once_and_nothing_of_them_is_committed() -> None:
    source = KafkaSource("kafka://h/t?group=g&release=200", lambda reference: None)
    held = KafkaSession(source.name, source.loop, [A])
    held.give([None], [Mark(A, 4)])  # type: ignore[list-item]
    held.save(1)
    source._session = held
    told: list[float] = []

    def ended(seconds: float) -> None:
        told.append(seconds)
        finishing.append(asyncio.ensure_future(held.finish()))

    finishing: list[asyncio.Future[None]] = []
    held.on_release = ended

    class Consumer:
        def commit(self, **arguments: Any) -> None:
            raise AssertionError("committed what somebody else owns")

    await asyncio.to_thread(source._lost, Consumer(), [])
    await asyncio.gather(*finishing)
    assert told == [0.0]
    assert held.released
    assert source._session is None
