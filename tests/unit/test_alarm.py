from __future__ import annotations

import asyncio

from routestudio.tasks import Alarm


async def test_the_earliest_time_counts_and_a_later_one_is_not_needed() -> None:
    rung = asyncio.Event()
    calls: list[None] = []

    def call() -> None:
        calls.append(None)
        rung.set()

    alarm = Alarm(call)
    alarm.within(60)
    alarm.within(0.01)
    alarm.within(30)
    async with asyncio.timeout(60):
        await rung.wait()
    await asyncio.sleep(0.02)
    assert len(calls) == 1


async def test_it_can_be_set_from_its_own_call_and_cancelled() -> None:
    rung = asyncio.Event()
    calls: list[None] = []

    def call() -> None:
        calls.append(None)
        if len(calls) < 3:
            alarm.within(-1)
        else:
            rung.set()

    alarm = Alarm(call)
    alarm.within(0)
    async with asyncio.timeout(60):
        await rung.wait()
    assert len(calls) == 3
    alarm.within(0)
    alarm.cancel()
    await asyncio.sleep(0.02)
    assert len(calls) == 3
