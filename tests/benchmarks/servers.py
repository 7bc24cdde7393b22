"""Real servers in processes of their own, for the time of a benchmark."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator

from tests.benchmarks.harness import Unavailable

HTTP_SERVER = """
import asyncio, sys

async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = 0
            for line in head.split(b"\\r\\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            await reader.readexactly(size)
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def redis_server() -> AsyncIterator[int]:
    """A `redis-server` that keeps nothing; yields its port."""
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("redis-server is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program,
            "--port",
            str(port),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            folder,
        ]
        async with _running(command, port):
            yield port


@contextlib.asynccontextmanager
async def http_server() -> AsyncIterator[int]:
    """A minimal HTTP server that answers 200 to everything; yields its port."""
    port = free_port()
    async with _running([sys.executable, "-c", HTTP_SERVER, str(port)], port):
        yield port


@contextlib.asynccontextmanager
async def _running(command: list[str], port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            if process.returncode is not None:
                raise Unavailable(f"{command[0]} ended at once")
            await asyncio.sleep(0.05)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
