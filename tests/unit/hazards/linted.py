"""Lints every case once, with one engine, before the tests look at what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from routestudio.api.checks import Finding
from routestudio.engine.service import EngineService
from routestudio.sinks import registry
from tests.unit.hazards.cases_general import GENERAL, YAML
from tests.unit.hazards.cases_sinks import BROKERS, CLOUD, REDIS, SEARCH, WEB
from tests.unit.hazards.projects import Setup

CASES = [*GENERAL, *YAML, *WEB, *REDIS, *BROKERS, *CLOUD, *SEARCH]
Found = Sequence[Finding]


class Linted:
    """What lint found in each setup, and the rules that failed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[int, Found] = {}
        self.failures: list[str] = []

    def of(self, setup: Setup) -> Found:
        """Return the findings of a setup."""
        return self._found[id(setup)]

    async def run(self) -> None:
        """Lint every setup of a type that there is."""
        types = registry.default().names()
        setups = {id(s): s for case in CASES for s in (case.hit, case.miss) if s.type in types}
        async with EngineService() as engine:
            for number, (key, setup) in enumerate(setups.items()):
                await engine.open(str(setup.write(self._folder / str(number))))
                self._found[key] = await engine.checks.lint()
