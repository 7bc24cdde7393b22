"""Delivery of a source on a server: one delivery after the other, a session each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

from routestudio import tasks
from routestudio.engine.databases import located
from routestudio.engine.looking import resolver
from routestudio.engine.reading import Reading, SessionRows, reader_summary
from routestudio.engine.run_control import RunControl
from routestudio.engine.runs import RunOptions, outfit, perform
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import UsageError
from routestudio.pipeline.tally import Tally
from routestudio.sources import registry
from routestudio.sources.base import Session


async def deliver(
    workspace: Workspace,
    prepared: PreparedSink,
    address: str,
    options: RunOptions,
    reading: Reading,
    emit: Callable[[str, dict[str, Any]], None],
) -> dict[str, Any]:
    """Deliver a source on a server until it ends or is drained; return the summary.

    Every session of the source is a separate delivery over the same link, dead letters and
    counts. Raises what `runs.deliver` raises, and `LinkError` for a source that cannot be read.
    """
    prepared.require_ready()
    if options.checkpoint is not None:
        raise UsageError(
            "a checkpoint file is for files",
            hint="the consumer group keeps the position; leave --checkpoint out",
        )
    address, reading = reading.taken_from(address)
    address, resolve = located(workspace, address, resolver(workspace))
    source = registry.get(address)(address, resolve)
    reader = reading.reader(workspace)
    control = options.control or RunControl()
    options = replace(options, control=control)
    control.lag = lambda: source.lag
    control.passed_over = lambda: reader.passed_over
    control.connected = lambda: source.connected
    summary = Tally(1).summary(0.0, cancelled=False)
    tally: Tally | None = None
    waiting: asyncio.Task[Session | None] | None = None

    def stop_waiting() -> None:
        if waiting is not None:
            waiting.cancel()

    control.on_stop = stop_waiting
    sessions = source.sessions()
    try:
        async with outfit(workspace, prepared, options, emit) as make:
            while not control.stopping:
                waiting = tasks.spawn(_next(sessions), name="next session")
                try:
                    session = await waiting
                except asyncio.CancelledError:
                    if not control.stopping:
                        raise
                    break
                finally:
                    await tasks.stop(waiting)
                    waiting = None
                if session is None:
                    break
                rows = SessionRows(session, reader)
                delivery = make(rows.chunks(), rows, tally)
                tally = delivery.tally
                session.on_release = delivery.drain
                try:
                    if not session.released:
                        summary = await perform(delivery, emit)
                finally:
                    await session.finish()
    finally:
        await source.close()
        await sessions.aclose()
    return {**summary.as_json(), **reader_summary(reader)}


async def _next(sessions: AsyncGenerator[Session, None]) -> Session | None:
    return await anext(sessions, None)
