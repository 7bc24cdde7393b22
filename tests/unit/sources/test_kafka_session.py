"""What may be committed of an assignment, and how its work is ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.engine.reading import SessionRows
from routestudio.sources.kafka import KafkaSource
from routestudio.sources.kafka_session import KafkaSession, Mark

A, B = ("t", 0), ("t", 1)


def session(loop: Any = None) -> KafkaSession:
    return KafkaSession("kafka://h/t", loop or _Now(), [A, B])  # type: ignore[arg-type]


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


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 2)), max_size=60),
    st.lists(st.integers(0, 120), max_size=6),
)
def test_a_commit_is_never_ahead_of_an_unfinished_row_and_ends_at_the_end(
    records: list[tuple[tuple[str, int], int]], saves: list[int]
) -> None:
    """Records that are no, one or two messages, in chunks: `SessionRows` over a session."""
    one, offsets = session(), {A: 0, B: 0}
    rows = SessionRows(one, _Many())  # type: ignore[arg-type]
    messages: list[tuple[tuple[str, int], int]] = []
    for place, many in records:
        offset = offsets[place]
        offsets[place] += 1
        one.give([many], [Mark(place, offset)])  # type: ignore[list-item]
        rows.take([many])  # type: ignore[list-item]
        messages += [(place, offset)] * many
        for position in sorted(s for s in saves if s <= len(messages)):
            rows.save(max(position, rows.below))
            left = {where: [o for p, o in messages[rows.below :] if p == where]
                    for where in (A, B)}  # fmt: skip
            for where, due in one.take_due(everything=True).items():
                assert all(due <= o for o in left[where])
    rows.save(len(messages))
    expected = {place: end for place, end in offsets.items() if end}
    assert one.take_due(everything=True) == expected


class _Many:
    def read(self, raw: int) -> list[int]:
        return [raw] * raw


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
