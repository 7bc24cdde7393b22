"""Async tests run on the loop of the processes that deliver (decision 0037).

`ROUTESTUDIO_TEST_LOOP=asyncio` gives them asyncio's own, which systems without uvloop have.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from routestudio.system import current


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops that tests run on: one."""
    if os.environ.get("ROUTESTUDIO_TEST_LOOP") == "asyncio":
        return {"asyncio": asyncio.new_event_loop}
    return {"program": current.streaming.loop}
