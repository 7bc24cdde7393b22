"""Metrics of a run: names, values, bounded labels; and the small server that answers for them."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass, replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from routestudio.cli.metrics import RunMetrics
from routestudio.cli.metrics_server import MetricsServer
from routestudio.cli.run_options import Address
from routestudio.engine.run_control import RunControl
from routestudio.errors import UsageError
from routestudio.pipeline.latency import BOUNDS, SIZES, Histogram
from routestudio.pipeline.report import (
    BatchSizes,
    DestinationCount,
    Latency,
    OpenCircuit,
    Progress,
    ReasonCount,
)

DOWN = OpenCircuit(3, None, 0.0, 1.0, "refused")


def some_progress() -> Progress:
    latency, sizes = Histogram(), Histogram(SIZES)
    for seconds, size in ((0.003, 20), (0.05, 20), (200.0, 1)):
        latency.add(seconds)
        sizes.add(size)
    counts = tuple(latency.counts)
    return Progress(
        100, 5, 41, 4, 9, 12, 3, 9.0, 4.0,
        (DestinationCount("customer-4711", 41, 999, 3, error="Smith"),), 1, 6, 0,
        (ReasonCount("deliver", "http_503", "Smith", 10, 9),
         ReasonCount("route", "raised", "Smith", 3)),
        32, 999, Latency(counts, latency.total, counts),
        sizes=BatchSizes(tuple(sizes.counts), int(sizes.total)), duplicates=2, unconfirmed=1,
    )  # fmt: skip


def metrics_of(control: RunControl | None = None) -> RunMetrics:
    return RunMetrics("orders", "kafka", control or RunControl(), clock=lambda: 1_700_000_000.0)


async def values(metrics: RunMetrics) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of labels other than the sink's."""
    text = metrics.render("")[1].decode()
    return {
        (sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "sink")): sample.value
        for family in plain(text)
        for sample in family.samples
    }


async def test_values_are_those_of_the_progress() -> None:
    metrics = metrics_of()
    metrics.watch(some_progress())
    found = await values(metrics)
    expected = {
        ("routestudio_messages_read_total",): 100,
        ("routestudio_messages_total", "delivered"): 41,
        ("routestudio_messages_total", "filtered"): 5,
        ("routestudio_messages_total", "rejected"): 4,
        ("routestudio_messages_total", "duplicate"): 2,
        ("routestudio_unconfirmed_duplicates_total",): 1,
        ("routestudio_rejected_total", "http_503", "deliver"): 1,
        ("routestudio_rejected_total", "raised", "route"): 3,
        ("routestudio_retries_total", "http_503"): 9,
        ("routestudio_delivered_bytes_total",): 999,
        ("routestudio_batches_total",): 3,
        ("routestudio_delivery_latency_seconds_count",): 3,
        ("routestudio_delivery_latency_seconds_sum",): 200.053,
        ("routestudio_delivery_latency_seconds_bucket", "0.004"): 1,
        ("routestudio_delivery_latency_seconds_bucket", "131.072"): 2,
        ("routestudio_delivery_latency_seconds_bucket", "+Inf"): 3,
        ("routestudio_batch_messages_bucket", "1"): 1,
        ("routestudio_batch_messages_bucket", "20"): 3,
        ("routestudio_batch_messages_sum",): 41,
        ("routestudio_in_flight_messages",): 12,
        ("routestudio_waiting_messages",): 32,
        ("routestudio_waiting_retry_messages",): 6,
        ("routestudio_circuit_open",): 0,
        ("routestudio_source_connected",): 1,
        ("routestudio_ready",): 1,
        ("routestudio_draining",): 0,
        ("routestudio_last_delivery_timestamp_seconds",): 1_700_000_000,
    }
    assert {key: found.get(key) for key in expected} == pytest.approx(expected)
    assert found["routestudio_asyncio_tasks",] >= 1
    assert found["process_open_fds",] > 0
    assert ("routestudio_source_lag_messages",) not in found


async def test_nothing_of_a_message_is_in_them() -> None:
    metrics = metrics_of()
    metrics.watch(some_progress())
    text = metrics.render("")[1].decode()
    assert "customer-4711" not in text
    assert "Smith" not in text
    labels = {key for family in plain(text) for sample in family.samples for key in sample.labels}
    assert labels == {"sink", "sink_type", "status", "stage", "code", "le", "version", "python"}


async def test_both_formats_of_prometheus_are_given_and_agree() -> None:
    metrics = metrics_of()
    metrics.watch(some_progress())
    kind, body = metrics.render("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    names = {family.name for family in openmetrics(body.decode())}  # type: ignore[no-untyped-call]
    assert {"routestudio_messages", "routestudio_delivery_latency_seconds"} <= names
    kind, body = metrics.render("text/html, */*")
    assert kind.startswith("text/plain")
    assert {name for name in names if name.startswith("routestudio")} == {
        family.name for family in plain(body.decode()) if family.name.startswith("routestudio")
    }


async def test_two_runs_in_one_process_do_not_share_metrics() -> None:
    first, second = metrics_of(), metrics_of()
    first.watch(some_progress())
    assert (await values(second))["routestudio_messages_read_total",] == 0


async def test_what_the_source_says() -> None:
    control = RunControl()
    control.lag, control.connected = lambda: 12, lambda: False
    found = await values(metrics_of(control))
    assert found["routestudio_source_lag_messages",] == 12
    assert found["routestudio_source_connected",] == 0
    assert found["routestudio_ready",] == 0


@pytest.mark.parametrize(
    ("progress", "connected", "stopping", "word"),
    [
        (some_progress(), True, False, None),
        (replace(some_progress(), circuit=DOWN), True, False, "sink"),
        (replace(some_progress(), link_failures=1), True, False, "sink"),
        (some_progress(), False, False, "source"),
        (some_progress(), True, True, "stopping"),
    ],
)
async def test_ready(progress: Progress, connected: bool, stopping: bool, word: str | None) -> None:
    control = RunControl()
    control.connected, control.stopping = lambda: connected, stopping
    metrics = metrics_of(control)
    metrics.watch(progress)
    assert metrics.problem is None if word is None else word in (metrics.problem or "")


def test_every_bucket_has_a_bound() -> None:
    progress = some_progress()
    assert len(progress.latency.counts) == len(BOUNDS) + 1
    assert len(progress.sizes.counts) == len(SIZES) + 1


# --- the server ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(server: MetricsServer, text: str | bytes) -> Answer:
    """Send a request as it is; read until the server closes."""
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
    try:
        writer.write(text.encode() if isinstance(text, str) else text)
        raw = await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {key.lower(): value for key, _, value in (x.partition(": ") for x in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers, body)


async def get(server: MetricsServer, path: str, method: str = "GET") -> Answer:
    return await ask(server, f"{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")


async def test_the_paths() -> None:
    metrics = metrics_of()
    metrics.watch(some_progress())
    async with MetricsServer(Address("127.0.0.1", 0), metrics) as server:
        found = await get(server, "/metrics")
        assert (found.status, found.headers["connection"]) == (200, "close")
        assert found.headers["content-type"].startswith("text/plain; version=")
        assert b'routestudio_messages_total{sink="orders",status="delivered"} 41.0' in found.body
        assert int(found.headers["content-length"]) == len(found.body)
        ready = await get(server, "/healthz?verbose=1")
        assert (ready.status, json.loads(ready.body)) == (200, {"status": "ok"})
        assert (await get(server, "/")).status == 404
        post = await get(server, "/metrics", "POST")
        assert (post.status, post.headers["allow"]) == (405, "GET, HEAD")
        head = await get(server, "/metrics", "HEAD")
        assert (head.status, head.body) == (200, b"")
        metrics.watch(replace(some_progress(), circuit=DOWN))
        down = await get(server, "/healthz")
        assert (down.status, json.loads(down.body)["status"]) == (503, "the sink cannot be reached")
        assert (await get(server, "/livez")).status == 200


@pytest.mark.parametrize(
    "text", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / SPDY/3\r\n\r\n"]
)
async def test_what_is_no_request_is_refused(text: bytes) -> None:
    async with MetricsServer(Address("127.0.0.1", 0), metrics_of()) as server:
        assert (await ask(server, text)).status == 400


async def test_a_request_without_end_is_cut_off() -> None:
    async with MetricsServer(Address("127.0.0.1", 0), metrics_of()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        try:
            writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
            cut = await asyncio.wait_for(_rest(reader), 60)
            assert cut == b"" or cut.startswith(b"HTTP/1.1 431"), "an answer may be lost, too"
        finally:
            writer.close()
        assert (await get(server, "/livez")).status == 200


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_idle_connections_do_not_shut_others_out_and_end_with_the_server() -> None:
    async with MetricsServer(Address("127.0.0.1", 0), metrics_of()) as server:
        idle = [await asyncio.open_connection("127.0.0.1", server.address.port) for _ in range(20)]
        assert (await get(server, "/livez")).status == 200
    for reader, writer in idle:
        assert await asyncio.wait_for(_rest(reader), 60) == b""
        writer.close()


async def test_half_a_request_on_each_connection_leaves_room_for_a_probe() -> None:
    """Whoever has waited longest makes room; each of them would be closed after 5 s only."""
    async with MetricsServer(Address("127.0.0.1", 0), metrics_of()) as server:
        host, port = server.address.host, server.address.port
        idle = []
        for _ in range(80):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
            await writer.drain()
            idle.append((reader, writer))
        for path in ("/livez", "/metrics"):
            assert (await get(server, path)).status == 200
        reader, writer = idle[-1]
        writer.write(b"\r\n")
        assert (await _rest(reader)).startswith(b"HTTP/1.1 200")
        for _, writer in idle:
            writer.close()


async def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: address already in use"):
            await MetricsServer(Address("127.0.0.1", port), metrics_of()).__aenter__()


async def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        await MetricsServer(Address("192.0.2.1", 0), metrics_of()).__aenter__()
