"""Redis streams as a source, on a real server: groups, pending entries, dead consumers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.run_control import RunControl
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from tests.support.oracle import Wanted, judge
from tests.support.ports import free_port
from tests.support.projects import write_project
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

TEXT = """\
sinks:
  - name: numbers
    database: shop
    batch_size: 50
    transform: bare
    destination:
      type: redis_stream
      host: 127.0.0.1
      port: {port}
      stream_key: arrived
functions:
  - name: bare
    type: transform
    language: python
    file: functions/bare.py
"""
BARE = (
    "def transform(action, record, changes, metadata):\n"
    '    return {"number": record["number"], "group": record["id"]}\n'
)


def client(server: RedisServer, **more: Any) -> Any:
    import redis

    return redis.Redis(port=server.port, decode_responses=True, **more)


def fill(server: RedisServer, count: int, *, start: int = 0, stream: str = "in") -> None:
    """Entries as a Redis stream sink writes them, and some as one field."""
    with client(server) as connection, connection.pipeline(transaction=False) as pipe:
        for number in range(start, start + count):
            record = json.dumps({"id": number % 17, "number": number})
            if number % 3:
                pipe.xadd(stream, {"action": "insert", "record": record, "changes": "null",
                                   "metadata": '{"table_name": "t"}'})  # fmt: skip
            else:
                pipe.xadd(stream, {"message": f'{{"action": "insert", "record": {record}}}'})
        pipe.execute()


def arrived(server: RedisServer) -> list[int]:
    with client(server) as connection:
        return [int(fields["number"]) for _, fields in connection.xrange("arrived")]


def pending(server: RedisServer, stream: str = "in") -> int:
    with client(server) as connection:
        return int(connection.xpending(stream, "g")["pending"])


def verdict(server: RedisServer, count: int, explained: Any = ()) -> Any:
    wanted = [Wanted(number, str(number % 17)) for number in range(count)]
    return judge(wanted, {"arrived": arrived(server)}, explained=explained)


def address(server: RedisServer, **options: str) -> str:
    given = {"stream": "in", "group": "g", "consumer": "one", "until": "end", **options}
    return f"redis://127.0.0.1:{server.port}/0?" + "&".join(f"{k}={v}" for k, v in given.items())


@pytest.fixture
async def opened(
    redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> EngineService:
    (tmp_path / "p").mkdir()
    write_project(tmp_path / "p", TEXT.format(port=redis_server.port), {"bare": BARE}, [])
    await service.open(str(tmp_path / "p"))
    return service


async def test_a_stream_is_delivered_and_acknowledged(
    opened: EngineService, redis_server: RedisServer
) -> None:
    fill(redis_server, 2000)
    found = await opened.run("numbers", input=address(redis_server))
    assert (found["read"], found["delivered"]) == (2000, 2000)
    assert pending(redis_server) == 0
    fill(redis_server, 100, start=2000)
    again = await opened.run("numbers", input=address(redis_server))
    assert again["delivered"] == 100
    assert verdict(redis_server, 2100).good


async def test_what_an_ended_run_had_read_comes_again_first(
    opened: EngineService, redis_server: RedisServer
) -> None:
    fill(redis_server, 300)
    with client(redis_server) as connection:
        connection.xgroup_create("in", "g", "0")
        connection.xreadgroup("g", "one", {"in": ">"}, count=120)  # read, and died
    assert pending(redis_server) == 120
    found = await opened.run("numbers", input=address(redis_server))
    assert found["delivered"] == 300
    assert verdict(redis_server, 300).good
    assert pending(redis_server) == 0


async def test_entries_of_a_dead_consumer_are_claimed(
    opened: EngineService, redis_server: RedisServer
) -> None:
    fill(redis_server, 50)
    with client(redis_server) as connection:
        connection.xgroup_create("in", "g", "0")
        connection.xreadgroup("g", "another", {"in": ">"}, count=50)
        connection.execute_command("XCLAIM", "in", "g", "another", 0,
                                   *[e for e, _ in connection.xrange("in")],
                                   "IDLE", 120_000, "JUSTID")  # fmt: skip
    found = await opened.run("numbers", input=address(redis_server))
    assert found["delivered"] == 50
    assert pending(redis_server) == 0


async def test_several_streams_and_entries_that_are_no_messages(
    opened: EngineService, redis_server: RedisServer, tmp_path: Path
) -> None:
    fill(redis_server, 60)
    fill(redis_server, 60, start=60, stream="more")
    with client(redis_server) as connection:
        connection.xadd("more", {"a": "1", "b": "2"})
        connection.xadd("more", {"value": "{"})
    letters = tmp_path / "letters.jsonl"
    found = await opened.run(
        "numbers", input=address(redis_server, stream="in,more"), dead_letters=str(letters)
    )
    assert (found["delivered"], found["rejected"]) == (120, 2)
    text = letters.read_text()
    assert "the entry's fields (a, b) are not a row" in text
    assert "not JSON" in text
    assert pending(redis_server, "more") == 0


async def test_a_drained_run_leaves_the_rest_to_the_next(
    opened: EngineService, redis_server: RedisServer
) -> None:
    fill(redis_server, 20_000)
    control = RunControl()

    def watch(progress: Any) -> None:
        if progress.delivered > 500:
            control.drain(20)

    control.watch = watch
    source = address(redis_server, until="stopped")
    first = await opened.run("numbers", input=source, control=control)
    assert 500 < first["delivered"] < 20_000
    rest = await opened.run("numbers", input=address(redis_server))
    assert first["delivered"] + rest["delivered"] == 20_000
    assert verdict(redis_server, 20_000).good


async def test_a_server_that_is_away_is_said_at_once(opened: EngineService) -> None:
    with pytest.raises(LinkError, match=r"Redis at 127\.0\.0\.1:\d+ cannot be read"):
        await opened.run("numbers", input=f"redis://127.0.0.1:{free_port()}/0?stream=s&group=g")
