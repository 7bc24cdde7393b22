"""What tests on real servers share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from routestudio.engine.service import EngineService


@pytest.fixture
async def service() -> AsyncIterator[EngineService]:
    """An engine in this process, without a project."""
    async with EngineService() as opened:
        yield opened
