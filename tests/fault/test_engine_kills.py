"""The program killed (SIGKILL) at random moments and started again until it ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fault.engine import TARGETS, Target, kill_until_it_ends, started

pytestmark = [pytest.mark.real, pytest.mark.e2e]

RUNS = int(os.environ.get("ROUTESTUDIO_KILL_RUNS", "3"))
SEED = int(os.environ.get("ROUTESTUDIO_KILL_SEED", "1"))
NAMES = list(TARGETS)


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The service that the program delivers to."""
    folder = tmp_path_factory.mktemp(f"kill-{request.param}")
    with started(request.param, folder, lambda: request.getfixturevalue("ca")) as found:
        yield found


@pytest.mark.parametrize(
    ("run", "target"),
    sorted(((n, NAMES[n % len(NAMES)]) for n in range(RUNS)), key=lambda pair: pair[1]),  # type: ignore[index]
    indirect=["target"],
)
def test_nothing_is_lost_whenever_the_program_dies(
    run: int, target: Target, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    row, verdict = kill_until_it_ends(run, target, tmp_path, Random(SEED * 1000 + run))
    record_property("table:kills", row.as_json())
    assert verdict.good, str(verdict)
    assert row.kills > 0


@pytest.mark.parametrize("target", NAMES, indirect=True)
def test_nothing_is_lost_when_the_program_dies_with_its_workers(
    target: Target, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """SIGKILL of the program's own process alone: the worker processes end by themselves."""
    row, verdict = kill_until_it_ends(0, target, tmp_path, Random(SEED), workers=2)
    record_property("table:kills", row.as_json())
    assert verdict.good, str(verdict)
    assert row.kills > 0
