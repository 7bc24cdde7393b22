"""Worker processes of a run killed (SIGKILL) at random moments: it goes on and loses nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.fault.engine import TARGETS, started
from tests.fault.workers import FORMS, kill_workers

pytestmark = [pytest.mark.real, pytest.mark.e2e]

SEED = int(os.environ.get("ROUTESTUDIO_KILL_SEED", "1"))


@pytest.mark.parametrize("name", TARGETS)
def test_a_killed_worker_is_replaced_and_loses_nothing(
    name: str, request: pytest.FixtureRequest, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    with started(name, tmp_path, lambda: request.getfixturevalue("ca")) as target:
        for number, form in enumerate(FORMS):
            folder = tmp_path / form
            folder.mkdir()
            row, verdict, summary = kill_workers(target, form, folder, Random(SEED * 100 + number))
            record_property("table:workers", row.as_json())
            assert verdict.good, f"{form}: {verdict}"
            assert row.kills > 0
            ends = summary["delivered"] + summary["rejected"] + summary["duplicates"]
            assert summary["read"] == ends == row.sent, "each message is counted once"
            assert summary["rejected"] == row.rejected
