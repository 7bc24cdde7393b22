"""Connections that wait for the next batch."""

from __future__ import annotations

import asyncio

import pytest

from routestudio.sinks._shared.idle import Idle, fresh


class Pool:
    """Connections are names; `dead` ones are not usable."""

    def __init__(self, *names: str, dead: str = "") -> None:
        self.idle: Idle[str] = Idle()
        for name in names:
            self.idle.give(name)
        self.dead, self.dropped = dead, ""

    async def usable(self, name: str, since: float) -> bool:
        assert fresh(since)
        return name not in self.dead

    async def drop(self, name: str) -> None:
        self.dropped += name


async def test_the_latest_that_lives_is_taken_and_dead_ones_are_dropped() -> None:
    pool = Pool("a", "b", "c", dead="c")
    assert await pool.idle.take(pool.usable, pool.drop) == "b"
    assert pool.dropped == "c"
    assert await pool.idle.take(pool.usable, pool.drop) == "a"
    assert await pool.idle.take(pool.usable, pool.drop) is None
    assert pool.idle == []


async def test_a_connection_whose_test_is_cancelled_is_dropped() -> None:
    pool = Pool("a", "b")

    async def forever(name: str, since: float) -> bool:
        await asyncio.Event().wait()
        return True

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pool.idle.take(forever, pool.drop)
    assert pool.dropped == "b"
    assert pool.idle.empty() == ["a"]
    assert pool.idle == []
