"""A pool that is left while its worker is being made ends at once and leaves no process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from routestudio import tasks
from routestudio.functions.pool import FunctionPool


@pytest.mark.parametrize("turns", [1, 2, 3, 5])
async def test_a_start_that_is_cancelled_ends(turns: int) -> None:
    pool = FunctionPool()
    warming = tasks.spawn(pool.warm(), name="warm")
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await tasks.stop(warming)
        await pool.close()


@pytest.mark.parametrize(
    "arguments",
    [["preview", "shop", "nope"], ["preview", "shop", "orders-to-kafka", "--input", "nope.jsonl"],
     ["run", "shop", "orders-to-kafka"]],
)  # fmt: skip
def test_a_command_with_a_mistake_ends_with_its_reason(
    tmp_path: Path, arguments: list[str]
) -> None:
    program = [sys.executable, "-m", "routestudio"]
    subprocess.run([*program, "new", "shop"], cwd=tmp_path, check=True, capture_output=True)
    found = subprocess.run(
        [*program, *arguments], cwd=tmp_path, stdin=subprocess.DEVNULL, timeout=300,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.startswith("routestudio: ")
    assert found.stdout == ""
