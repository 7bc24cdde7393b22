"""The start of a command on a small project, against a process that only imports pydantic.

Bar: `lint` at most 3. Processor time, with that of the function worker, which a command starts
beside its own imports, and wall time. The program is compiled before, as an installer does.
"""

from __future__ import annotations

import compileall
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import routestudio
from tests.benchmarks.harness import Measure, Options
from tests.meta.test_start import COMMANDS, PROJECT, PYTHON, ROW

BAR = 3.0


async def measure(options: Options) -> Sequence[Measure]:
    """Each command in turns with the import; the best of each counts."""
    compileall.compile_dir(Path(routestudio.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sequin.yaml").write_text(PROJECT.format(function=PYTHON))
        (folder / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
        named = {"PROJECT": name, "ROWS": str(folder / "rows.jsonl")}
        jobs = {"bare": ["-c", "import pydantic"]}
        for command, arguments in COMMANDS.items():
            jobs[command] = ["-m", "routestudio", *(named.get(each, each) for each in arguments)]
        spent: dict[str, list[tuple[float, float]]] = {job: [] for job in jobs}
        for _ in range(max(5, options.rounds)):
            for job, command in jobs.items():  # type: ignore[assignment]
                spent[job].append(_spent(command))
    found = []
    for kind, name in enumerate(("wall time", "processor time, with the worker's")):
        best = {job: min(times[kind] for times in all_) for job, all_ in spent.items()}
        for command in COMMANDS:
            ratio = best[command] / best["bare"]
            bar = BAR if command == "lint" and kind == 0 else None
            found.append(
                Measure(f"start of {command}: {name}", f"{best[command] * 1000:.0f} ms",
                        f"{best['bare'] * 1000:.0f} ms", ratio, bar, at_least=False)
            )  # fmt: skip
    return found


def _spent(arguments: Sequence[str]) -> tuple[float, float]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, env={**os.environ}
    )
    wall = perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
