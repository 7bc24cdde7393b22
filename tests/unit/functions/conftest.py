"""A pool for a test, closed and checked for leftovers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from tests.support.guards import children


@pytest.fixture
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[FunctionPool]:
    """A pool for a test. After it no process may be left.

    Where functions overrun, which makes a test `slow`, they may take a second; elsewhere nothing
    overruns, and on a busy machine nothing may seem to.
    """
    processes = children()
    seconds = 1.0 if request.node.get_closest_marker("slow") else 20.0
    pool = FunctionPool(limits=Limits(seconds_per_message=seconds, memory_bytes=256 << 20))
    try:
        yield pool
    finally:
        await pool.close()
    assert children() <= processes
