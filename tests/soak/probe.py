"""Looks at a process tree from outside: memory, handles, threads, and tasks from its metrics."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

_PAGE = 4096


@dataclass(frozen=True)
class Look:
    """The tree at one moment, `at` seconds after the start. `rss` in bytes, summed over it.

    `metrics` are the values of the unlabelled-but-for-the-sink metrics of the run.
    """

    at: float
    processes: int
    rss: int
    handles: int
    threads: int
    metrics: dict[str, float]

    @property
    def tasks(self) -> int:
        """Tasks of the run's event loop."""
        return int(self.metrics["routestudio_asyncio_tasks"])


def look(at: float, pid: int, port: int) -> Look:
    """Look at the tree of `pid`, whose metrics are served on `port`. Raises `OSError`."""
    pids = tree(pid)
    rss = handles = threads = 0
    for each in pids:
        folder = Path(f"/proc/{each}")
        try:
            rss += int((folder / "statm").read_text().split()[1]) * _PAGE
            handles += len(list((folder / "fd").iterdir()))
            threads += len(list((folder / "task").iterdir()))
        except FileNotFoundError:
            continue
    return Look(at, len(pids), rss, handles, threads, metrics(port))


def tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += map(int, thread.read_text().split())
            except FileNotFoundError:
                continue
    return found


def metrics(port: int) -> dict[str, float]:
    """The metrics of a run by name; those with labels beyond the sink are summed."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for name, value in re.findall(r"(?m)^([a-z_]+)(?:\{[^}]*\})? (\S+)$", text):
        if not name.endswith("_bucket"):
            found[name] = found.get(name, 0.0) + float(value)
    return found
