"""The soak's command works. Whether a run grows takes its twenty minutes to say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.probe import Look
from tests.soak.verdict import MEGABYTE, judge, slope
from tests.support.require import program

ROOT = Path(__file__).parents[2]
MINUTES = os.environ.get("ROUTESTUDIO_SOAK_MINUTES", "0.3")


@pytest.mark.e2e
def test_the_command_accounts_for_every_message() -> None:
    program("redis-server")
    found = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--minutes", MINUTES, "--rate", "200", "--every", "2"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=float(MINUTES) * 60 + 300,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    assert "nothing grows, nothing is lost" in found.stdout
    sent = re.search(r"([\d,]+) messages sent", found.stdout)
    assert sent is not None
    assert int(sent[1].replace(",", "")) > 0


def looks(rss: list[float], tasks: list[int]) -> list[Look]:
    return [
        Look(number * 5.0, 2, int(one * MEGABYTE), 20, 3, {"routestudio_asyncio_tasks": count})
        for number, (one, count) in enumerate(zip(rss, tasks, strict=True))
    ]


def verdicts(found: list[Look]) -> dict[str, bool]:
    return {one.bar.name: one.grown for one in judge(found, 120)}


def test_what_grows_is_found() -> None:
    steady = [8 + number % 3 for number in range(240)]
    leak = [90 + number * 0.1 for number in range(240)]
    assert verdicts(looks(leak, steady)) == {
        "memory": True, "handles": False, "threads": False, "tasks": False,
    }  # fmt: skip
    more = [8 + number // 8 for number in range(240)]
    assert verdicts(looks([90.0] * 240, more))["tasks"]


def test_what_swings_or_grows_at_the_start_only_is_flat() -> None:
    swings = [90.0 + 5 * (number % 2) for number in range(240)]
    assert not any(verdicts(looks(swings, [8] * 240)).values())
    begins = [min(90.0, 50 + number * 2.0) for number in range(240)]
    assert not any(verdicts(looks(begins, [8] * 240)).values())


def test_too_few_looks_say_nothing() -> None:
    found = judge(looks([90.0] * 30, [8] * 30), 120)
    assert not any(one.enough for one in found)
    assert "too short to say" in found[0].line()


def test_the_line_through_points() -> None:
    assert slope([0, 1, 2], [1, 3, 5]) == pytest.approx(2)
    assert slope([1, 1], [1, 5]) == 0
