"""Replies of a Redis server belong to their commands, whatever else it says."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from routestudio.model.message import message_from
from routestudio.sinks.base import Payload
from routestudio.sinks.redis_string.sink import RedisString

MESSAGE = message_from({"action": "insert", "record": {"id": 7}})


@pytest.mark.parametrize("surplus", [b"+OK\r\n", b"+O", b":1\r\n$2\r\nab\r\n"])
async def test_a_reply_too_many_is_no_reply_to_the_next_command(surplus: bytes) -> None:
    """The first command is answered twice; every later one is refused."""
    commands = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal commands
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if b"SETINFO" in data:  # how a client introduces itself
                    writer.write(b"+OK\r\n" * data.count(b"*"))
                    continue
                commands += 1
                writer.write(b"+OK\r\n" + surplus if commands == 1 else b"-WRONGTYPE no\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = RedisString.Config(host="127.0.0.1", port=port)
    link = RedisString.connect(config)
    try:
        record = RedisString.encode(
            config, MESSAGE, RedisString.Routing(key="k", action="set"), Payload(1)
        )
        found = [(await link.send([record]))[0].status for _ in range(3)]
    finally:
        await link.close()
        server.close()
        await server.wait_closed()
    assert found == ["delivered", "rejected", "rejected"]
    assert commands == 3
