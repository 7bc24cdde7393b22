"""A new project of every sink type is previewed, checked and delivered to its stand-in as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.engine.service import EngineService
from routestudio.project.starter import create_project
from routestudio.sinks import registry

SINKS = list(registry.default())


@pytest.mark.parametrize("sink", SINKS, ids=[sink.key for sink in SINKS])
async def test_a_new_project_runs_on_its_standin(sink: type, tmp_path: Path) -> None:
    """Also without the credentials that a real service wants: there may be none yet."""
    create_project(tmp_path / "new", sink)
    async with EngineService() as service:
        snapshot = await service.open(str(tmp_path / "new"))
        [entry] = snapshot["sinks"]
        name = entry["name"]
        steps = await service.checks.sink(name, standin=True, sample="orders")
        assert "failed" not in {step.status for step in steps}, steps
        summary = await service.run(name, standin=True, sample="orders")
        assert (summary["delivered"], summary["rejected"]) == (4, 0), summary
        arrived = await service.checks.arrived(name)
        assert len(arrived) == 4
