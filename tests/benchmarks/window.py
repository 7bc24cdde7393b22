"""Runs `window_run` in a process of its own, without the settings of a person."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from typing import Any

from tests.benchmarks.harness import Unavailable


async def window_run(*arguments: str) -> tuple[Any, float]:
    """What `window_run` printed, and the time at which its process was started."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "TMPDIR": home}
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        begun = time.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.window_run", *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        answer, said = await process.communicate()
    if process.returncode or not answer.strip():
        raise Unavailable(said.decode(errors="replace").strip().rpartition("\n")[2])
    return json.loads(answer.splitlines()[-1]), begun
