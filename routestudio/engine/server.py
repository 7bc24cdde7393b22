"""Serves an `EngineService` over a pair of byte streams. One task per request."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from routestudio import tasks
from routestudio.api import protocol
from routestudio.api.engine import BadFrame, serving
from routestudio.engine.service import EngineService
from routestudio.errors import (
    ConfigError,
    LinkError,
    ProjectError,
    ProtocolError,
    RouteStudioError,
    UsageError,
    WorkerError,
)
from routestudio.system import current as system

log = logging.getLogger(__name__)
Write = Callable[[bytes], None]

_CODES: tuple[tuple[type[RouteStudioError], str], ...] = (
    (ConfigError, "config"),
    (ProjectError, "project"),
    (UsageError, "usage"),
    (LinkError, "link"),
    (WorkerError, "worker"),
)


class EngineServer:
    """Dispatches frames to the service's methods and writes answers and events."""

    def __init__(self, service: EngineService, write: Write) -> None:
        self._service = service
        self._write = write
        self._reader = protocol.FrameReader()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._serving = serving(service)
        service.on_event = self._tell

    def feed(self, data: bytes) -> None:
        """Take received bytes; starts and cancels requests. Bad frames are reported as events."""
        for item in self._reader.feed(data):
            if isinstance(item, ProtocolError):
                self._tell(BadFrame(item.message))
            elif isinstance(item, protocol.Request):
                task = tasks.spawn(self._serve(item), name=f"request {item.method}")
                self._running[item.id] = task
                task.add_done_callback(partial(self._ended, item.id))
            elif isinstance(item, protocol.Cancel) and item.id in self._running:
                self._running[item.id].cancel()

    def _tell(self, event: object) -> None:
        self._send(protocol.Event(type(event).__name__, event))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self._running.pop(number, None)

    async def close(self) -> None:
        """Cancel what runs and close the service."""
        await tasks.stop(*self._running.values())
        await self._service.close()

    async def _serve(self, request: protocol.Request) -> None:
        if request.method in self._serving:

            def tell(event: object) -> None:
                self._send(protocol.Event(type(event).__name__, event, request.id))

            answer = self._serving.call(request.method, request.params, tell)
            self._send(await _answer(request, answer, self._service.redact))
            return
        method = self._service.methods.get(request.method)
        if method is None:
            failure = protocol.Failure("usage", f"unknown method `{request.method}`")
            self._send(protocol.Response(request.id, failure=failure))
            return

        def emit(name: str, data: dict[str, Any]) -> None:
            self._send(protocol.Event(name, data, request.id))

        answer = _asked(method, request.params, emit)
        self._send(await _answer(request, answer, self._service.redact))

    def _send(self, item: protocol.Item) -> None:
        try:
            frame = protocol.encode(item)
        except (ValueError, TypeError):
            log.error("an answer has no JSON form")
            if not isinstance(item, protocol.Response):
                return
            failure = protocol.Failure("internal", "the engine's answer has no JSON form")
            frame = protocol.encode(protocol.Response(item.id, failure=failure))
        self._write(frame)


async def _asked(
    method: Callable[..., Awaitable[object]],
    params: Mapping[str, Any],
    emit: Callable[[str, dict[str, Any]], None],
) -> object:
    return await method(emit=emit, **params)


async def _answer(
    request: protocol.Request, answer: Awaitable[object], redact: Callable[[str], str]
) -> protocol.Response:
    try:
        return protocol.Response(request.id, await answer)
    except asyncio.CancelledError:
        return protocol.Response(request.id, failure=protocol.Failure("cancelled", "cancelled"))
    except Exception as error:
        return protocol.Response(request.id, failure=failure_of(error, redact))


def failure_of(error: Exception, redact: Callable[[str], str]) -> protocol.Failure:
    """A failure that may be shown: user errors as they are, anything else as an internal fault."""
    if isinstance(error, RouteStudioError):
        code = next((code for kind, code in _CODES if isinstance(error, kind)), "internal")
        problems = error.problems if isinstance(error, ConfigError) else ()
        return protocol.Failure(
            code,
            redact(error.message),
            redact(error.hint) if error.hint else None,
            str(error.place) if error.place else None,
            tuple(
                {"field": p.field, "message": redact(p.message), "hint": p.hint} for p in problems
            ),
        )
    log.error("internal fault: %s", type(error).__name__, exc_info=error)
    text = redact(f"{type(error).__name__}: {error}")[:300]
    return protocol.Failure("internal", f"an internal fault: {text}", "please report it")


async def serve_stdio() -> int:
    """Serve on standard input and output until the input ends. Returns the exit code."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    streams = await system.streaming.serve(stdin, stdout)
    server = EngineServer(EngineService(), streams.write)
    try:
        while data := await streams.read():
            server.feed(data)
    finally:
        await server.close()
        streams.close()
    return 0
