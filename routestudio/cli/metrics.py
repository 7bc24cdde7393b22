"""The metrics of a run in Prometheus' terms, made from its progress when they are asked for.

Labels are bounded: the sink's name, states, and at most fifty kinds of reasons. Destinations, keys
and texts are not labels.
"""

from __future__ import annotations

import asyncio
import platform
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from routestudio import __version__
from routestudio.engine.run_control import RunControl
from routestudio.pipeline.latency import BOUNDS, SIZES
from routestudio.pipeline.report import Progress

_NOTHING: Final = Progress(0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, (), 0, 0, 0, ())


class RunMetrics(Collector):
    """The metrics of one run of one sink, in their own registry.

    `control` knows the source; `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        sink: str,
        sink_type: str,
        control: RunControl,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.progress = _NOTHING
        self._sink = [sink]
        self._sink_type = sink_type
        self._control = control
        self._clock = clock
        self._delivered_at: float | None = None
        self._started_at = clock()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def watch(self, progress: Progress) -> None:
        """Remember the newest progress."""
        if progress.delivered > self.progress.delivered:
            self._delivered_at = self._clock()
        self.progress = progress

    @property
    def problem(self) -> str | None:
        """Why the run is not ready to deliver; `None` when it is."""
        if self._control.stopping:
            return "the run is stopping"
        if not self._control.connected():
            return "the source is not connected"
        if self.progress.circuit is not None or self.progress.link_failures:
            return "the sink cannot be reached"
        return None

    def render(self, accept: str) -> tuple[str, bytes]:
        """Content type and text for a request with this `Accept` header."""
        encoder, kind = choose_encoder(accept)
        return kind, encoder(self.registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry holds these metrics and the process's, which do not collide."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield from self._messages()
        yield from self._batches()
        yield from self._state()
        yield from self._program()

    def _messages(self) -> Iterable[Metric]:
        progress = self.progress
        yield self._counter("messages_read", "Messages taken from the source.", progress.read)
        messages = CounterMetricFamily(
            "routestudio_messages", "Messages that are finished, by outcome.",
            labels=("sink", "status"),
        )  # fmt: skip
        for status, count in (
            ("delivered", progress.delivered),
            ("filtered", progress.filtered),
            ("rejected", progress.rejected),
            ("duplicate", progress.duplicates),
        ):
            messages.add_metric([*self._sink, status], count)
        yield messages
        rejected = CounterMetricFamily(
            "routestudio_rejected", "Rejected messages, by stage and kind of reason.",
            labels=("sink", "stage", "code"),
        )  # fmt: skip
        retries = CounterMetricFamily(
            "routestudio_retries", "Attempts that failed and are made again, by kind of reason.",
            labels=("sink", "code"),
        )  # fmt: skip
        for reason in progress.reasons:
            if reason.rejected:
                rejected.add_metric([*self._sink, reason.stage, reason.code], reason.rejected)
            if reason.retried:
                retries.add_metric([*self._sink, reason.code], reason.retried)
        yield rejected
        yield retries
        yield self._counter(
            "unconfirmed_duplicates",
            "Duplicates of which the service was not seen to hold the same message.",
            progress.unconfirmed,
        )
        over = CounterMetricFamily(
            "routestudio_passed_over", "Rows of the source that are not row changes, by kind.",
            labels=("sink", "kind"),
        )  # fmt: skip
        for kind, count in self._control.passed_over().items():
            over.add_metric([*self._sink, kind], count)
        yield over
        yield self._counter("delivered_bytes", "Bytes of delivered messages.", progress.size)

    def _batches(self) -> Iterable[Metric]:
        progress = self.progress
        yield self._counter("batches", "Batches that were sent.", progress.batches)
        latency, sizes = progress.latency, progress.sizes
        yield self._histogram(
            "delivery_latency_seconds", "Time until the service answered a batch.",
            BOUNDS, latency.counts, latency.total,
        )  # fmt: skip
        yield self._histogram(
            "batch_messages", "Messages in a batch.", SIZES, sizes.counts, sizes.total
        )

    def _state(self) -> Iterable[Metric]:
        progress = self.progress
        gauge = self._gauge
        yield gauge("in_flight_messages", "Messages the service has not answered yet.",
                    progress.in_flight)  # fmt: skip
        yield gauge("waiting_messages", "Messages that wait for their batch or their group.",
                    progress.waiting)  # fmt: skip
        yield gauge("waiting_retry_messages", "Messages that wait for their next attempt.",
                    progress.waiting_retries)  # fmt: skip
        yield gauge("circuit_open", "1 while the sink counts as down, else 0.",
                    progress.circuit is not None)  # fmt: skip
        yield gauge("link_failures", "Failures of the connection to the sink in a row.",
                    progress.link_failures)  # fmt: skip
        yield gauge(
            "source_connected",
            "1 while the source is connected, else 0.",
            self._control.connected(),
        )
        yield gauge("draining", "1 while the run is stopping, else 0.",
                    self._control.stopping)  # fmt: skip
        yield gauge("ready", "1 when /healthz answers 200, else 0.", self.problem is None)
        lag = self._control.lag()
        if lag is not None:
            yield gauge("source_lag_messages", "Messages the source holds that are not read.", lag)
        if self._delivered_at is not None:
            yield gauge("last_delivery_timestamp_seconds", "When a message was delivered last.",
                        self._delivered_at)  # fmt: skip

    def _program(self) -> Iterable[Metric]:
        gauge = self._gauge
        yield gauge("run_start_timestamp_seconds", "When the run began.", self._started_at)
        yield gauge("asyncio_tasks", "Tasks of the program's event loop.",
                    len(asyncio.all_tasks()))  # fmt: skip
        yield gauge("threads", "Threads of the program that Python knows.",
                    threading.active_count())  # fmt: skip
        info = GaugeMetricFamily(
            "routestudio_build_info", "Always 1; the labels show which build is running.",
            labels=("sink", "sink_type", "version", "python"),
        )  # fmt: skip
        info.add_metric([*self._sink, self._sink_type, __version__, platform.python_version()], 1)
        yield info

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"routestudio_{name}", text, labels=("sink",))
        family.add_metric(self._sink, value)
        return family

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(f"routestudio_{name}", text, labels=("sink",))
        family.add_metric(self._sink, float(value))
        return family

    def _histogram(
        self, name: str, text: str, bounds: Sequence[float], counts: Sequence[int], total: float
    ) -> Metric:
        family = HistogramMetricFamily(f"routestudio_{name}", text, labels=("sink",))
        buckets: list[tuple[str, float]] = []
        below = 0
        for bound, count in zip([*(f"{bound:g}" for bound in bounds), "+Inf"], counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric(self._sink, buckets, total)
        return family
