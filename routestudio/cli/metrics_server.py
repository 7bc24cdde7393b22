"""Answers `GET /metrics`, `/healthz` and `/livez` while a run lasts, on the run's own loop."""

from __future__ import annotations

import asyncio
import os
import socket
from types import TracebackType
from typing import Any, Final

from routestudio import tasks
from routestudio.cli.metrics import RunMetrics
from routestudio.cli.run_options import Address
from routestudio.errors import UsageError
from routestudio.model import jsonio

_REQUEST_BYTES: Final = 16 << 10
_REQUEST_SECONDS: Final = 5.0
_CONNECTIONS: Final = 32
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
                   503: "Service Unavailable"}  # fmt: skip
_PLAIN: Final = "text/plain; charset=utf-8"


class MetricsServer:
    """A small HTTP/1.1 server: one request per connection, bounded in size, time and number.

    Use it as an async context manager. Starting raises `UsageError` when the address cannot be
    used; `address` then is where it really listens.
    """

    def __init__(self, address: Address, metrics: RunMetrics) -> None:
        self.address = address
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[Any]] = set()
        self._waiting: dict[asyncio.Task[Any], None] = {}

    async def __aenter__(self) -> MetricsServer:
        try:
            self._server = await asyncio.start_server(
                self._serve, self.address.host, self.address.port, limit=_REQUEST_BYTES
            )
        except (OSError, UnicodeError) as error:
            raise UsageError(
                f"--metrics cannot listen on {self.address}: {_reason(error)}",
                hint="name another port, or one that is free",
            ) from None
        self.address = Address(self.address.host, self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await tasks.stop(*self._open)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self._waiting[task] = None
        if len(self._waiting) > _CONNECTIONS:
            # Whoever waits longest without a request makes room, so that a probe gets its answer.
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.cancel()
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                self._waiting.pop(task, None)
                writer.write(self._answer(head))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # the run ends; asyncio would log the end of its own task as a failure
        finally:
            self._open.discard(task)
            self._waiting.pop(task, None)
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            return _response(400, _PLAIN, b"bad request\n")
        method, target = parts[0], parts[1].partition("?")[0]
        if target not in ("/metrics", "/healthz", "/livez"):
            return _response(404, _PLAIN, b"there are /metrics, /healthz and /livez\n")
        if method not in ("GET", "HEAD"):
            return _response(405, _PLAIN, b"only GET and HEAD\n", allow="GET, HEAD")
        if target == "/metrics":
            kind, body = self._metrics.render(_header(lines, "accept"))
            return _response(200, kind, body, head=method == "HEAD")
        status, state = 200, "ok"
        if target == "/healthz" and (problem := self._metrics.problem) is not None:
            status, state = 503, problem
        body = jsonio.dump_bytes({"status": state}) + b"\n"
        return _response(status, "application/json", body, head=method == "HEAD")


def _header(lines: list[str], name: str) -> str:
    for line in lines[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def _response(
    status: int, kind: str, body: bytes, *, head: bool = False, allow: str | None = None
) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if allow:
        lines.append(f"Allow: {allow}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if head else body)


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return "this machine does not have this address"
