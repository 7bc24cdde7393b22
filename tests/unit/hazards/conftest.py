"""What lint found in the projects of all cases."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.unit.hazards.linted import Linted


@pytest.fixture(scope="session")
def linted(tmp_path_factory: pytest.TempPathFactory) -> Linted:
    found = Linted(tmp_path_factory.mktemp("hazards"))
    handler = logging.Handler()
    handler.emit = lambda record: found.failures.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("routestudio.hazards.linting")
    log.addHandler(handler)
    try:
        asyncio.run(found.run())
    finally:
        log.removeHandler(handler)
    return found
