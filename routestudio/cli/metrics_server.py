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
from routestudio.http_server import Conversation, Request
from routestudio.model import jsonio

_REQUEST_BYTES: Final = 16 << 10
_REQUEST_SECONDS: Final = 5.0
_CONNECTIONS: Final = 32
_LAST: Final = (("connection", "close"), ("cache-control", "no-store"))
_PLAIN: Final = [("content-type", "text/plain; charset=utf-8")]

Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers without those that frame the answer, and body."""


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
                self._serve, self.address.host, self.address.port
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
                talk = Conversation(reader, writer, head=_REQUEST_BYTES, body=_REQUEST_BYTES)
                request = await talk.request()
                self._waiting.pop(task, None)
                if request is not None:
                    status, headers, body = self._answer(request)
                    await talk.answer(status, [*headers, *_LAST], body)
        except (OSError, TimeoutError):
            pass
        except asyncio.CancelledError:
            pass  # the run ends; asyncio would log the end of its own task as a failure
        finally:
            self._open.discard(task)
            self._waiting.pop(task, None)
            writer.close()

    def _answer(self, request: Request) -> Response:
        target = request.target.partition("?")[0]
        if target not in ("/metrics", "/healthz", "/livez"):
            return 404, _PLAIN, b"there are /metrics, /healthz and /livez\n"
        if request.method not in ("GET", "HEAD"):
            return 405, [*_PLAIN, ("allow", "GET, HEAD")], b"only GET and HEAD\n"
        if target == "/metrics":
            kind, body = self._metrics.render(request.header("accept"))
            return 200, [("content-type", kind)], body
        status, state = 200, "ok"
        if target == "/healthz" and (problem := self._metrics.problem) is not None:
            status, state = 503, problem
        body = jsonio.dump_bytes({"status": state}) + b"\n"
        return status, [("content-type", "application/json")], body


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return "this machine does not have this address"
