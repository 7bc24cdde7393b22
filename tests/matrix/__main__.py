"""The tests of sinks and sources against other versions of their servers.

    python -m tests.matrix                       all
    python -m tests.matrix newest                only the newest (or: oldest, second)
    python -m tests.matrix --only redis --only nats
    python -m tests.matrix --list

Servers are fetched into `.cache/servers`. Results are kept in `docs/tested-against.json`; the table
in README.md and `docs/tested-against.md` are written from them. A cell that is not run keeps what
it had. It is no part of the usual tests: ROUTESTUDIO_SERVERS=newest with `packaging/test` runs it
after them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.matrix import table
from tests.matrix.cells import CELLS, Cell
from tests.matrix.fetch import ROOT, FetchError

_APART = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--net", "sh",
          "-c", 'ip link set lo up && exec "$@"', "sh")  # fmt: skip
"""In front of a command: it has a loopback interface of its own and no other."""


def run(cell: Cell, processes: str) -> table.Result:
    """Fetch a server, and run the tests against it."""
    begun = time.monotonic()
    try:
        found = cell.fetch()
    except FetchError as error:
        print(error, file=sys.stderr)
        return table.Result(cell.name, error=str(error).splitlines()[0])
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "--dist", "loadgroup",
                   "-p", "no:cacheprovider", f"--junitxml={report}", *cell.tests]  # fmt: skip
        for name in cell.deselect:
            command += ["--deselect", name]
        if cell.apart:
            command = [*_APART, *command]
        environment = {**os.environ, **found, "ROUTESTUDIO_SERVER": cell.name}
        environment.pop("CI", None)
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        result = _counted(cell, report)
    print(f"== {cell.name}: {result.passed} passed, {len(result.failed)} failed, "
          f"{len(result.skipped)} skipped in {time.monotonic() - begun:.0f} s",
          file=sys.stderr)  # fmt: skip
    return result


def _counted(cell: Cell, report: Path) -> table.Result:
    if not report.exists():
        return table.Result(cell.name, error="pytest wrote no report")
    failed, skipped, passed = [], {}, 0
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(case.get("name", ""))
        elif (note := case.find("skipped")) is not None:
            skipped[case.get("name", "")] = note.get("message", "")
        else:
            passed += 1
    return table.Result(cell.name, passed, sorted(failed), skipped)


def main() -> int:
    """Run what was asked for; 1 when a test failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("age", nargs="?", choices=("oldest", "newest", "second"))
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--processes", default="2")
    given = parser.parse_args()
    chosen = [
        cell
        for cell in CELLS
        if given.age in (None, cell.age)
        and (not given.only or any(cell.name.startswith(name.lower()) for name in given.only))
    ]
    if given.list:
        for cell in chosen:
            print(f"{cell.name}: {cell.age}, {cell.source}")
        return 0
    results = [run(cell, given.processes) for cell in chosen]
    table.keep(results)
    return int(any(result.failed or result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
