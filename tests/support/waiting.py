"""Waits for something to become true, no longer than needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 60.0
"""Seconds that anything may take on a busy machine; a passing test takes what it needs."""


async def forever() -> None:
    """Work that does not end by itself."""
    await asyncio.Event().wait()


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Return when `condition` holds; fail after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - anything can be waited for
            await asyncio.sleep(0.02)
