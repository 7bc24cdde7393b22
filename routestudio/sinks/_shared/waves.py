"""Batches in which groups repeat, one record of each group at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from routestudio.model.outcome import Outcome, kept_back
from routestudio.sinks.base import InOrder


async def in_waves(
    batch: InOrder, found: dict[int, Outcome], send: Callable[[Sequence[int]], Awaitable[None]]
) -> None:
    """Send one record of each group at a time: what failed keeps back what follows in its group.

    `send` puts what became of a wave into `found`, as this does for what is kept back. Records that
    are there already are not sent.
    """
    behind: set[str | None] = set()
    for number in range(max(batch.nth) + 1):
        wave: list[int] = []
        turn = [i for i, nth in enumerate(batch.nth) if nth == number]
        for index in turn:
            if index in found:
                continue
            if batch.groups[index] in behind:
                found[index] = kept_back("order", "an earlier message of its group was not taken")
            else:
                wave.append(index)
        if wave:
            await send(wave)
        behind.update(batch.groups[i] for i in turn if found[i].status == "retry")
        behind.discard(None)
