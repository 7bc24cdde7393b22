"""An engine in a process of its own, with a client, as the window has it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from routestudio import tasks
from routestudio.api.client import COMMAND, EngineClient
from routestudio.engine.service import EngineService
from routestudio.errors import ProtocolError

DEMO = Path(__file__).parents[3] / "resources" / "demo"


@dataclass
class Engine:
    """The process and its client. `log` is what it said on standard error, once it has ended."""

    process: asyncio.subprocess.Process
    client: EngineClient
    bad_frames: list[ProtocolError] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout
    bad: list[ProtocolError] = []
    events: list[tuple[str, dict[str, object]]] = []
    client = EngineClient(
        process.stdin, on_event=lambda name, data: events.append((name, data)),
        on_bad_frame=bad.append,
    )  # fmt: skip

    async def read() -> None:
        while data := await output.read(1 << 16):
            client.feed(data)
        client.lost("the engine ended")

    reading = tasks.spawn(read(), name="read the engine")
    yield Engine(process, client, bad, events)
    process.stdin.close()
    if process.returncode is None:
        assert await asyncio.wait_for(process.wait(), 60) == 0
    await reading


@pytest.fixture
async def service() -> AsyncIterator[EngineService]:
    async with EngineService() as service:
        yield service


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


@pytest.fixture
def many(demo: Path) -> Path:
    """The demo with a sample set `many` of 20,000 orders."""
    with (demo / "samples/many.jsonl").open("w") as out:
        for number in range(20_000):
            message = {"action": "insert", "record": {"id": number, "region": f"r{number % 7}"},
                       "metadata": {"table_schema": "public", "table_name": "orders",
                                    "record_pks": [str(number)]}}  # fmt: skip
            out.write(json.dumps(message) + "\n")
    return demo
