"""`routestudio run`: delivers a source, at a terminal or as a server's process.

The first SIGTERM or SIGINT drains the run, the second ends it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from routestudio import __version__
from routestudio.cli import early
from routestudio.cli.dry_run import dry_run
from routestudio.cli.inputs import recognised
from routestudio.cli.metrics import RunMetrics
from routestudio.cli.opened import environment_line, note_outside, printing
from routestudio.cli.output import json_line, out, say
from routestudio.cli.run_log import LogBridge, RunLog
from routestudio.cli.run_options import RunSettings, settings_of
from routestudio.cli.run_watch import RunWatch
from routestudio.engine.environments import name_of, require_writable
from routestudio.engine.run_control import RunControl
from routestudio.engine.runner import Runner
from routestudio.errors import LinkError, RouteStudioError, UsageError
from routestudio.pipeline.ending import RunStoppedError
from routestudio.pipeline.report import Progress, RunSummary
from routestudio.system import current as system

_LINE_SECONDS = 0.5


async def run(options: argparse.Namespace) -> int:
    """`routestudio run`: exit code 1 when a message was rejected or the run was cut short.

    Also when the service did not store a message whose id it knows, and was not seen to hold the
    same message.
    """
    settings = settings_of(options, os.environ)
    if options.limit is not None and not options.dry_run:
        raise UsageError("--limit is for --dry-run: a run delivers all messages",
                         hint="leave --limit out, or add --dry-run")  # fmt: skip
    async with printing(Runner(pool=early.take())) as engine:
        engine.open_project(options.project, options.env)
        prepared = engine.workspace.prepare(options.sink)
        engine.workspace.require_sound(prepared)
        serving = _is_server(settings)
        line = environment_line(engine)
        if line and not serving:
            say(line)
        if options.dry_run:
            return await dry_run(engine, options, settings)
        require_writable(engine.workspace, settings.confirm)
        log = RunLog(
            settings.log_format or "text",
            settings.log_level or ("info" if serving else "warning"),
            redact=engine.redact,
            sink=options.sink,
        )
        for sentence in note_outside(engine, [options.sink]):
            if serving:
                log.event("info", "variables", reason=sentence)
            else:
                say(f"note: {sentence}")
        process = _Process(options, settings, log, prepared.spec.type, serving)
        return await process.deliver(engine)


class _Process:
    """One run with its log, its metrics and its signals."""

    def __init__(
        self,
        options: argparse.Namespace,
        settings: RunSettings,
        log: RunLog,
        sink_type: str,
        serving: bool,
    ) -> None:
        self._options = options
        self._settings = settings
        self._log = log
        self._serving = serving
        self._sink_type = sink_type
        self._control = RunControl(self._watch)
        self._metrics = RunMetrics(options.sink, sink_type, self._control)
        self._events = RunWatch(
            log, every=settings.progress, letters=settings.dead_letters is not None
        )
        self._line_at = 0.0
        self._live = not serving and settings.log_level is None and sys.stderr.isatty()
        self._reasons: list[dict[str, Any]] = []
        self._ended: dict[str, Any] | None = None
        self._signals = 0
        self._environment = ""

    async def deliver(self, engine: Runner) -> int:
        """Run to the end, to a signal or to a failure; returns the exit code."""
        begun = time.monotonic()
        self._environment = name_of(engine.workspace)
        async with AsyncExitStack() as stack:
            stack.enter_context(LogBridge(self._log))
            server = None
            if self._settings.metrics is not None:
                from routestudio.cli.metrics_server import MetricsServer

                server = MetricsServer(self._settings.metrics, self._metrics)
                await stack.enter_async_context(server)
            # The program's own way to stop; the system's is to end it where it is.
            loop = asyncio.get_running_loop()
            stack.enter_context(system.streaming.on_stop(loop, self._stop))
            self._log.event(
                "info", "started",
                sink_type=self._sink_type, source=self._settings.input,
                version=__version__, pid=os.getpid(), environment=self._environment or None,
                metrics=str(server.address) if server else None,
                dead_letters=self._settings.dead_letters, checkpoint=self._settings.checkpoint,
                workers=self._settings.workers if self._settings.workers > 1 else None,
            )  # fmt: skip
            failure: RouteStudioError | None = None
            try:
                summary = await engine.run(
                    self._options.sink, input=self._settings.input,
                    dead_letters=self._settings.dead_letters,
                    checkpoint=self._settings.checkpoint, control=self._control, emit=self._told,
                    envelope=self._settings.envelope, key=self._settings.key,
                    confirmed=self._settings.confirm, workers=self._settings.workers,
                )  # fmt: skip
            except RunStoppedError as error:
                failure, summary = error, self._ended or error.summary.as_json()
            except LinkError as error:  # of the source
                failure, summary = error, self._so_far(time.monotonic() - begun)
            finally:
                if self._live:
                    sys.stderr.write("\r\x1b[K")
            self._events.finish(self._metrics.progress)
            return self._finish(summary, failure, time.monotonic() - begun)

    def _finish(
        self, summary: Mapping[str, Any], failure: RouteStudioError | None, seconds: float
    ) -> int:
        ends = ("filtered", "delivered", "rejected", "duplicates")
        unfinished = summary["read"] - sum(summary[name] for name in ends)
        cut = failure is not None or bool(summary["cancelled"])
        code = 1 if cut or summary["rejected"] or summary["duplicates_unconfirmed"] else 0
        if failure is not None:
            if self._serving:
                self._log.event("error", "failed", reason=str(failure))
            else:
                say(f"routestudio: {failure}")
        self._log.event(
            "info", "finished",
            reason="failure" if failure else "signal" if self._signals else "end",
            **{name: summary[name] for name in ("read", *ends, "duplicates_unconfirmed",
                                                "retried", "batches")},
            passed_over=sum(self._control.passed_over().values()),
            unfinished=unfinished, seconds=round(seconds, 3), exit_code=code,
        )  # fmt: skip
        if summary["cancelled"] and not self._serving:
            say(f"routestudio: stopped before the end; {unfinished} messages that were read "
                "were not delivered")  # fmt: skip
        if not self._serving:
            for reason in self._reasons:
                say(f"{reason['count']} x {reason['stage']}: {reason['message']}")
            if summary["rejected"] and not self._settings.dead_letters:
                say("rejected messages were not kept; name a file with --dead-letters")
        print_summary(self._options.format, {**summary, "environment": self._environment})
        return code

    def _so_far(self, seconds: float) -> dict[str, Any]:
        """The summary of a run whose source failed."""
        progress = self._metrics.progress
        return RunSummary(
            progress.read, progress.filtered, progress.delivered, progress.rejected,
            progress.retried, progress.batches, seconds,
            duplicates=progress.duplicates, unconfirmed=progress.unconfirmed,
        ).as_json()  # fmt: skip

    # --- while it lasts ----------------------------------------------------------------------

    def _watch(self, progress: Progress) -> None:
        self._metrics.watch(progress)
        self._events.watch(progress)
        if self._live and time.monotonic() - self._line_at > _LINE_SECONDS:
            self._line_at = time.monotonic()
            sys.stderr.write(
                f"\r{progress.delivered:,} delivered, {progress.rejected:,} rejected, "
                f"{_duplicates(progress.duplicates, progress.unconfirmed)}"
                f"{progress.rate:,.0f}/s \x1b[K"
            )
            sys.stderr.flush()

    def _told(self, event: str, data: dict[str, Any]) -> None:
        if event == "progress":
            self._reasons = data["reasons"]
        elif event in ("cancelled", "stopped"):
            self._ended = data

    def _stop(self, name: str) -> None:
        self._signals += 1
        progress = self._metrics.progress
        left = progress.in_flight + progress.waiting + progress.waiting_retries
        if self._signals == 1:
            self._log.event(
                "info", "stopping",
                signal=name, drain_seconds=self._settings.drain, unfinished=left,
            )  # fmt: skip
            self._control.drain(self._settings.drain)
        else:
            self._log.event("warning", "stopping_at_once", signal=name, unfinished=left)
            self._control.cancel()


def print_summary(form: str, summary: Mapping[str, Any]) -> None:
    """The summary of a run, as the last line of standard output."""
    text = recognised(summary.get("envelope", {}), {})
    if text:
        say(text)
    if form == "json":
        json_line(summary)
        return
    over = recognised({}, summary.get("passed_over", {}))
    out(f"{summary['read']} read, {f'{over}, ' if over else ''}"
        f"{summary['delivered']} delivered, "
        f"{summary['filtered']} filtered, "
        f"{summary['rejected']} rejected, "
        f"{_duplicates(summary['duplicates'], summary['duplicates_unconfirmed'])}"
        f"{summary['retried']} retried, "
        f"{summary['batches']} batches in {summary['seconds']:.2f} s")  # fmt: skip


def _duplicates(count: int, unconfirmed: int) -> str:
    """How many messages the service knew, for a line of counts; nothing when it knew none."""
    if not count:
        return ""
    lost = f" ({unconfirmed:,} not seen at the service)" if unconfirmed else ""
    return f"{count:,} duplicate{'s' if count != 1 else ''} not stored{lost}, "


def _is_server(settings: RunSettings) -> bool:
    """Whether a machine watches rather than a person: events instead of a line that changes."""
    return bool(settings.metrics or settings.log_format) or "://" in settings.input
