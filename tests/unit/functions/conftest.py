"""A pool for a test, closed and checked for leftovers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from tests.support.guards import children


@pytest.fixture
async def pool() -> AsyncIterator[FunctionPool]:
    """A pool with a short time limit. After the test no process may be left."""
    processes = children()
    pool = FunctionPool(limits=Limits(seconds_per_message=0.4, memory_bytes=256 << 20))
    try:
        yield pool
    finally:
        await pool.close()
    assert children() <= processes
