"""`routestudio run --workers`: one run to whoever watches it, several processes behind it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cli
from tests.fault.workers import workers_of
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.run_project import SINK, ids_of, rows, write_run_project
from tests.support.running import Running, start_run

pytestmark = pytest.mark.e2e
WORKERS = ("--workers", "2")


@pytest.fixture
def project(tmp_path: Path, http_receiver: HttpReceiver) -> Path:
    return write_run_project(tmp_path / "p", http_receiver.url, [], attempts=10)


def slow(seconds: float) -> Any:
    def answer(request: Received) -> Reply:
        return Reply(delay=seconds)

    return answer


def processes(run: Running) -> list[int]:
    """Its workers, once there are two."""
    deadline = time.monotonic() + 60
    while len(found := workers_of(run.process.pid)) < 2:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_all_counts_are_of_one_run(
    project: Path, http_receiver: HttpReceiver, tmp_path: Path
) -> None:
    http_receiver.script(503)
    dead = tmp_path / "dead.jsonl"
    with start_run(project, SINK, "--input", "-", "--dead-letters", dead, *WORKERS) as run:
        assert run.wait_for("started")["workers"] == 2
        run.feed(rows(40, without=(7, 8)))
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 38)
        found = run.metrics()
        assert found["routestudio_rejected_total code=raised stage=route"] == 2
        assert found["routestudio_retries_total code=http_503"] == 1
        assert found["routestudio_messages_read_total"] == 40
        assert found["routestudio_delivery_latency_seconds_count"] == 39
        assert found["routestudio_in_flight_messages"] == 0
        assert len(processes(run)) == 2
        run.feed([], last=True)
        code, summary = run.end()
    assert code == 1
    assert (summary["read"], summary["delivered"], summary["rejected"]) == (40, 38, 2)
    assert (summary["retried"], summary["batches"]) == (1, 39)
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    assert sorted(letter["message"]["record"]["id"] for letter in letters) == [7, 8]
    assert {letter["reason"]["stage"] for letter in letters} == {"route"}
    told = [event["event"] for event in run.events]
    assert told.count("started") == told.count("finished") == 1


def test_a_killed_worker_is_replaced_and_the_log_says_so(
    project: Path, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer = slow(0.3)
    with start_run(project, SINK, "--input", "-", *WORKERS) as run:
        run.feed(rows(20))
        http_receiver.wait_for(4)
        victim, other = processes(run)
        os.kill(victim, signal.SIGKILL)
        said = run.wait_for("log", "another one takes its")
        assert said["level"] == "warning"
        assert "signal 9" in said["message"]
        run.feed(rows(30)[20:], last=True)
        code, summary = run.end()
        assert workers_of(run.process.pid) == []
    assert (code, summary["read"], summary["delivered"]) == (0, 30, 30)
    assert set(ids_of(http_receiver.requests)) == set(range(30))
    assert other != victim


def test_a_worker_that_always_ends_stops_the_run(
    project: Path, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer = slow(60)
    with start_run(project, SINK, "--input", "-", *WORKERS) as run:
        run.feed(rows(6))
        deadline, killed = time.monotonic() + 60, set[int]()
        while run.process.poll() is None and time.monotonic() < deadline:
            for pid in set(workers_of(run.process.pid)) - killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            time.sleep(0.02)
        code, summary = run.end()
    assert (code, summary["read"], summary["delivered"]) == (1, 6, 0)
    assert "times in a row (signal 9)" in run.wait_for("failed")["reason"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_drains(
    project: Path, http_receiver: HttpReceiver, number: signal.Signals
) -> None:
    """A terminal's Ctrl+C and a service manager's stop reach the workers, too."""
    http_receiver.answer = slow(0.5)
    with start_run(project, SINK, "--input", "-", *WORKERS) as run:
        run.feed(rows(8))
        http_receiver.wait_for(4)
        for pid in processes(run):
            os.kill(pid, number)
        run.send(number)
        code, summary = run.end()
    assert (code, summary["cancelled"]) == (0, False)
    assert summary["read"] == summary["delivered"] == 8
    assert sorted(ids_of(http_receiver.requests)) == list(range(8))


def test_a_second_signal_ends_at_once(project: Path, http_receiver: HttpReceiver) -> None:
    http_receiver.answer = slow(60)
    with start_run(project, SINK, "--input", "-", "--drain-timeout", "600", *WORKERS) as run:
        run.feed(rows(4))
        http_receiver.wait_for(4)
        run.wait_until(lambda found: found["routestudio_in_flight_messages"] == 4)
        run.send(signal.SIGINT)
        run.wait_for("stopping")
        run.send(signal.SIGINT)
        code, summary = run.end()
        assert workers_of(run.process.pid) == []
    assert (code, summary["cancelled"], summary["delivered"]) == (1, True, 0)
    assert run.wait_for("stopping_at_once")["unfinished"] == 4


def test_workers_end_with_the_run_and_its_checkpoint_serves_any_number_of_them(
    project: Path, http_receiver: HttpReceiver, tmp_path: Path
) -> None:
    source, at = tmp_path / "rows.jsonl", tmp_path / "at.json"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(60)))
    http_receiver.answer = lambda request: Reply(delay=60 if ids_of([request])[0] > 40 else 0)
    options = ("--input", source, "--checkpoint", at)
    with start_run(project, SINK, *options, *WORKERS) as run:
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 41)
        deadline = time.monotonic() + 60
        while not at.exists() or json.loads(at.read_text())["position"] < 41:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        left = processes(run)
        run.process.kill()
        run.process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in left):
            assert time.monotonic() < deadline, "a worker outlives the run"
            time.sleep(0.02)
    http_receiver.reset()
    with start_run(project, SINK, *options) as run:
        code, summary = run.end()
    assert (code, summary["delivered"]) == (0, 19)
    assert sorted(ids_of(http_receiver.requests)) == list(range(41, 60))


def test_what_has_to_be_one_process_is_refused_with_its_reason(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(
        "sinks:\n  - name: out\n    database: shop\n"
        "    destination: {type: nats, host: localhost, port: 4222}\n"
    )
    (tmp_path / "rows.jsonl").write_text("")
    done = cli("run", tmp_path, "out", "--input", tmp_path / "rows.jsonl", *WORKERS)
    assert done.code == 2
    assert "--workers: sink `out` needs one process: the ids" in done.err
    assert "leave --workers out" in done.err
    done = cli("run", tmp_path, "out", "--input", tmp_path / "rows.jsonl", "--workers", "0")
    assert done.code == 2
    assert "`0` is not a number from 1 to 16" in done.err
