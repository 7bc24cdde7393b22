"""Stopping gracefully: what was taken in is finished, nothing more is taken in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from routestudio.pipeline.checkpoint import Checkpoint
from routestudio.pipeline.report import Progress
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.tally import Tally
from routestudio.sinks.base import BatchLimits
from tests.unit.pipeline.doubles import MemoryLink, chunks, make_message, make_stages


async def endless() -> AsyncIterator[Sequence[Any]]:
    number = 0
    while True:
        yield [make_message(n) for n in range(number, number + 10)]
        number += 10
        await asyncio.sleep(0.001)


def delivery(link: MemoryLink, source: AsyncIterator[Sequence[Any]], **more: Any) -> Delivery:
    return Delivery(make_stages(), link, BatchLimits(messages=10, wait=0.002), source, **more)


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - polls a test double
            await asyncio.sleep(0.002)


async def test_what_was_taken_in_is_finished_and_the_checkpoint_says_so(tmp_path: Path) -> None:
    link, file = MemoryLink(), tmp_path / "checkpoint.json"
    run = delivery(link, endless(), checkpoint=Checkpoint(file))
    task = asyncio.ensure_future(run.run())
    await until(lambda: len(link.delivered) > 50)
    run.drain(10.0)
    run.drain(10.0)
    summary = await task
    assert not summary.cancelled
    assert summary.read == summary.delivered == len(link.delivered)
    kept = Checkpoint(file)
    assert (kept.position, kept.finished) == (summary.read, [])


async def test_what_takes_too_long_is_given_up_and_not_counted(tmp_path: Path) -> None:
    link, file = MemoryLink(pause=60), tmp_path / "checkpoint.json"
    run = delivery(link, endless(), checkpoint=Checkpoint(file))
    task = asyncio.ensure_future(run.run())
    await until(lambda: run.buffered > 20)
    run.drain(0.05)
    summary = await task
    assert summary.cancelled
    assert summary.delivered == 0
    assert Checkpoint(file).position == 0


async def test_a_second_drain_shortens_the_first_and_never_lengthens_it() -> None:
    run = delivery(MemoryLink(pause=600), endless())
    task = asyncio.ensure_future(run.run())
    await until(lambda: run.buffered > 20)
    run.drain(500)
    run.drain(0)
    run.drain(500)
    async with asyncio.timeout(60):
        assert (await task).cancelled


async def test_draining_a_run_that_waits_for_its_source_ends_it() -> None:
    async def silent() -> AsyncIterator[Sequence[Any]]:
        yield [make_message(0)]
        await asyncio.Event().wait()

    link = MemoryLink()
    run = delivery(link, silent())
    task = asyncio.ensure_future(run.run())
    await until(lambda: link.delivered)
    run.drain(300)
    async with asyncio.timeout(60):
        assert (await task).delivered == 1


async def test_counts_go_on_in_a_second_delivery() -> None:
    told: list[Progress] = []
    tally = Tally(3)
    for first in (0, 30):
        source = chunks([make_message(n) for n in range(first, first + 30)])
        summary = await delivery(MemoryLink(), source, tally=tally, on_progress=told.append).run()
    assert (summary.read, summary.delivered) == (60, 60)
    assert told[-1].delivered == 60
