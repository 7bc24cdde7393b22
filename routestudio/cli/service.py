"""The whole engine, for commands that need many of its methods."""

from __future__ import annotations

from typing import Any

from routestudio.cli.opened import printing
from routestudio.engine.service import EngineService


def engine_service(**options: Any) -> EngineService:
    """An engine whose project's secrets appear in nothing that is printed, errors included."""
    return printing(EngineService(**options))
