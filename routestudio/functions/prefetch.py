"""Work on the next chunks while the caller deals with the current one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import Final, TypeVar

from routestudio import tasks

AHEAD: Final = 2
"""Chunks that are worked on at once: function workers have something to do while results of
earlier chunks are routed and delivered."""

T = TypeVar("T")
R = TypeVar("R")


async def prefetch(
    work: Callable[[T], Awaitable[R]], items: Iterable[T], *, count: int = AHEAD
) -> AsyncGenerator[R, None]:
    """`await work(item)` for every item, in order, up to `count` of them at once.

    The first failure is raised in its place. Close the iterator (`contextlib.aclosing`) when it may
    be left early: work that nobody waits for is then cancelled.
    """
    rest = iter(items)
    running: deque[asyncio.Task[R]] = deque()

    async def one(item: T) -> R:
        return await work(item)

    def begin(more: int) -> None:
        running.extend(tasks.spawn(one(item), name="prefetch") for item in islice(rest, more))

    begin(count)
    try:
        while running:
            result = await running[0]
            running.popleft()
            begin(1)
            yield result
    finally:
        await tasks.stop(*running)
