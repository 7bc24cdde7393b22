"""Changes of a PostgreSQL slot as messages, against Debezium's embedded engine.

Both read the same changes, each by a slot of its own, in a process of its own: Debezium 3.6 from
Maven Central with its JSON converter without schemas, in a heap of at most 512 MB. Bars: processor
time for a change at most half of Debezium's, from the first change on, so that neither's start
counts; and a quarter of its memory.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.harness import Measure, Options, Unavailable, rate
from tests.support.postgres_server import PostgresServer, start_postgres

ROOT: Final = Path(__file__).parents[2]
JARS: Final = ROOT / ".cache" / "debezium"
POM: Final = ROOT / "packaging" / "debezium" / "pom.xml"
ENGINE: Final = Path(__file__).parent / "debezium" / "Engine.java"
SECONDS: Final = 600
TABLE: Final = (
    "create table orders (id int primary key, customer text, total numeric(10,2), placed "
    "timestamptz, paid boolean, tags text[], more jsonb, note text)",
    "create publication routes for table orders",
)
FILL: Final = (
    "insert into orders select n, 'customer ' || n % 977, n * 1.25, "
    "timestamptz '2026-01-01' + n * interval '1 minute', n % 3 = 0, array['a', 'b' || n % 7], "
    "jsonb_build_object('source', 'web', 'n', n), repeat('x', 40) "
    "from generate_series({first}, {last}) n"
)
CHANGE: Final = "update orders set total = total + 1 where id between {first} and {last}"
PIECE: Final = 1_000
"""Rows of a transaction."""


async def measure(options: Options) -> Sequence[Measure]:
    """Processor time and memory of both, on inserts and updates half and half."""
    jars()
    count = options.messages
    with start_postgres() as server, server.database("bench", *TABLE) as name:
        for slot in ("ours", "theirs"):
            server.ask(f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')", name)
        for statement in (FILL, CHANGE):
            for first in range(1, count // 2 + 1, PIECE):
                last = min(first + PIECE - 1, count // 2)
                server.run(statement.format(first=first, last=last), database=name)
        ours, theirs = _ours(server, name, count), _theirs(server, name, count)
    used = [side["reading"] / side["rows"] for side in (ours, theirs)]
    note = (f"{used[0] * 1e6:.1f} and {used[1] * 1e6:.1f} us a change; with their starts "
            f"{ours['whole']:.1f} and {theirs['whole']:.1f} s")  # fmt: skip
    return [
        Measure("changes of a slot as messages (Debezium)",
                rate(ours["rows"], ours["reading"]), rate(theirs["rows"], theirs["reading"]),
                used[0] / used[1], 0.5, at_least=False, note=note),
        Measure("memory of that, at its peak", f"{ours['peak'] / 1024:.0f} MB",
                f"{theirs['peak'] / 1024:.0f} MB", ours["peak"] / theirs["peak"], 0.25,
                at_least=False),
    ]  # fmt: skip


def jars() -> None:
    """Take Debezium's jars from Maven Central, once."""
    if (JARS / "stamp").is_file():
        return
    if not (shutil.which("mvn") and shutil.which("java")):
        raise Unavailable("Debezium needs Java 17 and Maven")
    subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--file", str(POM), "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={JARS}"], check=True,
    )  # fmt: skip
    (JARS / "stamp").touch()


def _ours(server: PostgresServer, database: str, count: int) -> dict[str, Any]:
    address = server.address(database, slot="ours", publication="routes")
    return _result([sys.executable, "-m", "tests.benchmarks.postgres_run", address, str(count)])


def _theirs(server: PostgresServer, database: str, count: int) -> dict[str, Any]:
    path = f"{JARS}/*"
    with tempfile.TemporaryDirectory() as folder:
        if shutil.which("javac"):
            subprocess.run(["javac", "-cp", path, "-d", folder, str(ENGINE)], check=True)
            program = ["-cp", f"{path}:{folder}", "Engine"]
        else:
            program = ["-cp", path, str(ENGINE)]
        return _result(["java", "-Xmx512m", *program, str(server.port), database, "theirs",
                        "routes", str(count), folder])  # fmt: skip


def _result(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT,
                          timeout=SECONDS)  # fmt: skip
    if done.returncode:
        raise Unavailable(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
