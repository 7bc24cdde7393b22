"""The loop of processes that deliver."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import pytest

from routestudio.system import choose, current
from tests.support.certificates import Authority

OPEN = "import json, os; print(json.dumps(sorted(map(int, os.listdir('/dev/fd')))))"


def test_it_is_uvloop_s_where_that_is_installed() -> None:
    uvloop = pytest.importorskip("uvloop")
    loop = current.streaming.loop()
    try:
        assert isinstance(loop, uvloop.Loop)
    finally:
        loop.close()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_it_is_asyncio_s_own_without_uvloop(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.delitem(sys.modules, "routestudio.system.posix_loop", raising=False)
    loop = choose(platform).streaming.loop()
    try:
        assert type(loop).__module__.startswith("asyncio.")
        assert loop.run_until_complete(asyncio.sleep(0, "turned")) == "turned"
    finally:
        loop.close()


@pytest.mark.skipif(os.name != "posix", reason="descriptors of Unix")
async def test_a_child_gets_no_file_that_was_left_open(tmp_path: Path) -> None:
    left = os.open(tmp_path, os.O_RDONLY)
    passed = os.open(tmp_path, os.O_RDONLY)
    try:
        os.set_inheritable(left, True)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OPEN, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, pass_fds=(passed,),
        )  # fmt: skip
        out, _ = await child.communicate()
    finally:
        os.close(left)
        os.close(passed)
    found = json.loads(out)
    assert passed in found
    assert left not in found


@pytest.mark.parametrize("secured", [False, True])
async def test_what_is_written_after_the_end_of_a_stream_is_dropped(
    secured: bool, ca: Authority
) -> None:
    """On both sides; `drain` reports the end, and libraries rely on that."""
    ended, served = asyncio.Event(), asyncio.Event()
    late: list[BaseException | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.transport.abort()
        ended.set()
        late.append(await written_late(writer))
        served.set()

    server = await asyncio.start_server(
        serve, "127.0.0.1", 0, ssl=ca.server_context("localhost") if secured else None
    )
    port = server.sockets[0].getsockname()[1]
    context = ca.client_context() if secured else None
    _reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost" if secured else None
    )
    writer.write(b"hello")
    writer.transport.abort()
    await ended.wait()
    late.append(await written_late(writer))
    await served.wait()
    server.close()
    await server.wait_closed()
    assert [type(error) for error in late] == [ConnectionResetError] * 2


async def written_late(writer: asyncio.StreamWriter) -> BaseException | None:
    """Write for as long as that is silent, and return what ended it."""
    for _ in range(100):
        writer.write(b"more")
        writer.writelines([b"and", b"more"])
        try:
            await writer.drain()
        except Exception as error:
            return error
        await asyncio.sleep(0)
    return None
