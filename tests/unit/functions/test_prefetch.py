"""Chunks are worked on ahead of the caller, in order, and never without anybody waiting."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from routestudio.functions.prefetch import prefetch


async def test_results_come_in_order_whatever_ends_first() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0.01 * (5 - number))
        return number * 10

    assert [found async for found in prefetch(work, range(5), count=3)] == [0, 10, 20, 30, 40]
    assert [found async for found in prefetch(work, [])] == []


async def test_no_more_than_wanted_is_under_way() -> None:
    running = most = begun = 0

    async def work(number: int) -> int:
        nonlocal running, most, begun
        begun += 1
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return number

    async for found in prefetch(work, range(9), count=2):
        assert begun <= found + 3
    assert (most, begun) == (2, 9)


async def test_the_next_is_worked_on_while_the_caller_is_busy() -> None:
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        return number

    found = prefetch(work, range(9), count=2)
    async with aclosing(found):
        assert await anext(found) == 0
        await asyncio.sleep(0)
        assert begun == [0, 1, 2]


async def test_work_that_nobody_waits_for_is_cancelled() -> None:
    ended: list[int] = []

    async def work(number: int) -> int:
        try:
            await asyncio.sleep(60 if number else 0)
        finally:
            ended.append(number)
        return number

    async with aclosing(prefetch(work, range(9), count=3)) as found:
        assert await anext(found) == 0
    assert sorted(ended) == [0, 1, 2]


async def test_a_failure_is_raised_in_its_place() -> None:
    async def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    async with aclosing(prefetch(work, range(5), count=4)) as found:
        assert [await anext(found), await anext(found)] == [0, 1]
        with pytest.raises(ValueError, match="two"):
            await anext(found)
