"""The real program with worker processes, some of which are killed, and what became of the rows."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fault.engine import (
    GROUPS,
    IN_FLIGHT,
    LIMIT_SECONDS,
    MESSAGES,
    PLACES,
    SLOW_SECONDS,
    Target,
    covered,
    sequences_of,
    write_project,
)
from tests.support.fault_proxy import Plan
from tests.support.oracle import NUMBER, Verdict, Wanted, judge, letters_of

WORKERS: Final = 2
MOST_KILLS: Final = 5
LATE: Final = 0.5
"""Seconds after a death in which what the worker had sent may still arrive."""

ROUTE: Final = """\
def route(action, record, changes, metadata):
    if record["bad"] == "yes":
        raise ValueError("nobody knows where this goes")
    return {{"{field}": "{prefix}" + str(record["place"])}}
"""
PROGRAM: Final = b"routestudio.pipeline.share_worker"


def _records(key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows that change three times in a row, with their groups; nothing numbers the changes."""
    for number in range(MESSAGES):
        row = number // 3 * 13 % GROUPS
        bad = "yes" if number % 97 == 50 else "no"
        yield {key: f"row{row}", NUMBER: number, "place": row % PLACES, "bad": bad,
               "noise": "x" * 150}, f"row{row}"  # fmt: skip


def _own() -> Iterator[str]:
    for record, _ in _records("id"):
        yield json.dumps({"action": "update", "record": record,
                          "metadata": {"table_name": "orders"}}) + "\n"  # fmt: skip


def _debezium() -> Iterator[str]:
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": "orders"}
    for record, _ in _records("id"):
        yield json.dumps({"before": None, "after": record, "source": source, "op": "u",
                          "ts_ms": 1_700_000_000_000}) + "\n"  # fmt: skip


def _csv() -> Iterator[str]:
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for record, _ in _records("code"):
        # A cell is text, in which the readers of services look for the number as JSON.
        record["noise"] = json.dumps({NUMBER: record.pop(NUMBER)}) + "x" * 150
        if writer is None:
            writer = csv.DictWriter(text, list(record))
            writer.writeheader()
        writer.writerow(record)
    yield text.getvalue()


FORMS: Final[Mapping[str, tuple[str, Callable[[], Iterator[str]], list[str]]]] = {
    "own": ("rows.jsonl", _own, []),
    "debezium": ("rows.jsonl", _debezium, []),
    "csv": ("rows.csv", _csv, ["--key", "code"]),
}
"""File, its content, and options of the run."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One line of the table: what arrived, and what the deaths of workers did to it."""

    service: str
    form: str
    kills: int
    sent: int
    arrived: int
    rejected: int
    missing: int
    disorder: int
    doubled: int
    unexplained: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def workers_of(program: int) -> list[int]:
    """The worker processes of a program."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            line = path.with_name("cmdline").read_bytes()
            if int(fields[1]) == program and fields[0] != "Z" and PROGRAM in line:
                found.append(int(path.parent.name))
    return sorted(found)


def kill_workers(
    target: Target, form: str, folder: Path, random: Random
) -> tuple[WorkerRow, Verdict, dict[str, Any]]:
    """Deliver rows while workers are killed: the table's row, the verdict, the summary."""
    begun = time.monotonic()
    project, (name, rows, options) = folder / "project", FORMS[form]
    source, dead, said = folder / name, folder / "dead.jsonl", folder / "said"
    target.begin()
    write_project(project, target)
    route = ROUTE.format(field=target.field, prefix=target.prefix())
    (project / "functions" / "route.py").write_text(route)
    source.write_text("".join(rows()))
    target.proxy.plan = Plan("slow", seconds=SLOW_SECONDS)
    command = [sys.executable, "-m", "routestudio", "run", str(project), "sink", "--input",
               str(source), "--dead-letters", str(dead), "--checkpoint", str(folder / "place.json"),
               "--workers", str(WORKERS), "--format", "json", *options]  # fmt: skip
    with said.open("wb") as output:
        program = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, **target.variables}, start_new_session=True,
        )  # fmt: skip
    try:
        deaths = _kill_some(program, target, folder / "place.json", random)
        code = program.wait(LIMIT_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    target.proxy.calm()
    lines = said.read_text().splitlines()
    assert code == 1, lines[-3:]  # some rows are rejected
    arrived = list(target.arrived())
    # What a worker had reported before it died, as the checkpoint shows, must not come again.
    explained = {item.number for item in arrived
                 if any(item.at <= at + SLOW_SECONDS + LATE and item.number not in done
                        for at, done in deaths)}  # fmt: skip
    letters = letters_of(dead)
    assert len(letters) == len(set(letters)), "a letter came twice"
    wanted = [Wanted(record[NUMBER], group) for record, group in _records("id")]
    verdict = judge(wanted, sequences_of(arrived), letters=letters, explained=explained)
    assert verdict.doubled <= IN_FLIGHT * len(deaths)
    row = WorkerRow(
        target.name, form, len(deaths), len(wanted), verdict.arrived, verdict.rejected,
        len(verdict.missing), len(verdict.disorder) + len(verdict.stale), verdict.doubled,
        len(verdict.unexplained), round(time.monotonic() - begun, 1),
    )  # fmt: skip
    return row, verdict, json.loads(lines[-1])


def _kill_some(
    program: subprocess.Popen[bytes], target: Target, checkpoint: Path, random: Random
) -> list[tuple[float, set[int]]]:
    """Kill workers at random moments: for each when (seconds since 1970), and what the checkpoint
    had as finished before."""
    deaths: list[tuple[float, set[int]]] = []
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(deaths) < MOST_KILLS and program.poll() is None:
        before, more = target.proxy.bodies, random.randint(1, 25)
        early = random.random() < 0.15  # perhaps before it has done anything
        while program.poll() is None and not early and target.proxy.bodies - before < more:
            assert time.monotonic() < deadline, "the run stands still"
            time.sleep(0.003)
        done, _ = covered(checkpoint)
        if workers := workers_of(program.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
                deaths.append((time.time(), done))
        time.sleep(0.05)
    return deaths
