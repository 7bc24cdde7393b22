"""A capture of the window, whose window or engine is killed: nothing is left at the server."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.support.postgres_server import PostgresServer
from tests.support.waiting import until

pytestmark = pytest.mark.real

KILLS = int(os.environ.get("ROUTESTUDIO_CAPTURE_KILLS", "2"))
LEFT = (
    "select (select count(*) from pg_replication_slots where database = '{0}') + "
    "(select count(*) from pg_stat_activity where datname = '{0}' "
    "and application_name = 'RouteStudio')"
)
MADE = "select count(*) from pg_publication"
WINDOW = """
import asyncio, sys
from routestudio.api.client import EngineClient

async def read(output, client):
    while data := await output.read(1 << 16):
        client.feed(data)

def heard(name, data):
    if name == "notice":
        print(data["text"], flush=True)

async def main():
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "routestudio.engine", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE)
    print(engine.pid, flush=True)
    client = EngineClient(engine.stdin, on_event=lambda *_: None, on_bad_frame=print)
    reading = asyncio.create_task(read(engine.stdout, client))
    await client.request("open", path=sys.argv[1])
    asked = client.request("recognise", on_event=heard, address=sys.argv[2], limit=10_000)
    await asyncio.wait([asyncio.ensure_future(asked), reading],
                       return_when=asyncio.FIRST_COMPLETED)

asyncio.run(main())
"""
"""What of a window takes part: it starts an engine, and asks it through its pipes."""


@pytest.mark.parametrize("victim", ["window", "engine"])
async def test_nothing_is_left_when_a_part_is_killed_while_it_captures(
    postgres: PostgresServer, tmp_path: Path, victim: str
) -> None:
    (tmp_path / "sequin.yaml").write_text("sinks: []\n")
    chance = random.Random(f"{os.environ.get('ROUTESTUDIO_SEED', '7')} {victim}")
    with postgres.database("captured", "create table numbers (id int primary key)") as name:
        address = postgres.address(name, table="numbers", make_publication="mine", capture="true",
                                   seconds="120")  # fmt: skip
        for number in range(KILLS):
            window = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WINDOW, str(tmp_path), address,
                stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
            )  # fmt: skip
            assert window.stdout is not None
            async with asyncio.timeout(60):
                engine = int(await window.stdout.readline())
                lines = [(await window.stdout.readline()).decode() for _ in range(2)]
            assert lines[1].startswith("Changes are captured"), lines
            assert postgres.value(MADE, name) == 1
            postgres.run(f"insert into numbers values ({number})", database=name)
            await asyncio.sleep(chance.random() * 0.2)
            os.kill(window.pid if victim == "window" else engine, signal.SIGKILL)
            await window.wait()
            await until(lambda: postgres.value(LEFT.format(name)) == 0)
            await until(lambda: postgres.value(MADE, name) == 0)
            await until(lambda alive=Path(f"/proc/{engine}"): not alive.exists())
