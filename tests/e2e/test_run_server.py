"""`routestudio run` as a server's process: metrics, events, and what a signal does."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cli
from tests.soak.load import Service
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.run_project import SINK, ids_of, rows, write_run_project
from tests.support.running import start_run

pytestmark = pytest.mark.e2e


@pytest.fixture
def project(tmp_path: Path, http_receiver: HttpReceiver) -> Path:
    return write_run_project(tmp_path / "p", http_receiver.url, [], attempts=10)


def slow(seconds: float) -> Any:
    """An answer that lets every request wait."""

    def answer(request: Received) -> Reply:
        return Reply(delay=seconds)

    return answer


def test_a_run_tells_what_it_does(project: Path, http_receiver: HttpReceiver) -> None:
    http_receiver.script(503)
    with start_run(project, SINK, "--input", "-", "--progress", "0.1") as run:
        started = run.wait_for("started")
        assert (started["sink"], started["sink_type"], started["source"]) == (
            SINK, "http_push", "-",
        )  # fmt: skip
        assert run.get("/healthz") == (200, '{"status":"ok"}\n')
        run.feed(rows(12, without=(7,)))
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 11)
        found = run.metrics()
        assert found["routestudio_rejected_total code=raised stage=route"] == 1
        assert found["routestudio_retries_total code=http_503"] == 1
        assert found["routestudio_messages_read_total"] == 12
        assert found["routestudio_delivery_latency_seconds_count"] == 12
        assert found["routestudio_asyncio_tasks"] >= 1
        run.wait_for("progress")
        run.feed([], last=True)
        code, summary = run.end()
    assert code == 1
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (11, 1, 1)
    finished = run.events[-1]
    assert (finished["event"], finished["reason"], finished["exit_code"]) == ("finished", "end", 1)
    told = {event["event"]: event for event in run.events}
    assert (told["retry"]["code"], told["retry"]["messages"]) == ("http_503", 1)
    assert (told["rejected"]["code"], told["rejected"]["kept"]) == ("raised", False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(
    project: Path, http_receiver: HttpReceiver, number: signal.Signals
) -> None:
    http_receiver.answer = slow(0.5)
    with start_run(project, SINK, "--input", "-") as run:
        run.feed(rows(8))
        http_receiver.wait_for(4)
        run.send(number)
        code, summary = run.end()
    assert (code, summary["cancelled"]) == (0, False)
    assert summary["read"] == summary["delivered"] == 8
    assert sorted(ids_of(http_receiver.requests)) == list(range(8))
    stopping, finished = run.wait_for("stopping"), run.wait_for("finished")
    assert (stopping["signal"], stopping["drain_seconds"]) == (number.name, 30)
    assert (finished["reason"], finished["unfinished"]) == ("signal", 0)


def test_an_idle_run_ends_at_once(project: Path) -> None:
    with start_run(project, SINK, "--input", "-") as run:
        run.wait_for("started")
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["read"]) == (0, 0)


def test_a_drained_run_with_rejections_says_so(project: Path, http_receiver: HttpReceiver) -> None:
    with start_run(project, SINK, "--input", "-") as run:
        run.feed(rows(3, without=(1,)))
        http_receiver.wait_for(2)
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["rejected"]) == (1, 1)


def test_what_the_drain_time_does_not_suffice_for_is_given_back(
    project: Path, http_receiver: HttpReceiver, tmp_path: Path
) -> None:
    source, at = tmp_path / "rows.jsonl", tmp_path / "at.json"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(6)))
    http_receiver.answer = lambda request: Reply(delay=60 if 3 in ids_of([request]) else 0)
    options = ("--input", source, "--checkpoint", at, "--drain-timeout", "0.3")
    with start_run(project, SINK, *options) as run:
        http_receiver.wait_for(6)
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 5)
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["cancelled"], summary["delivered"]) == (1, True, 5)
    assert run.wait_for("finished")["unfinished"] == 1
    http_receiver.reset()
    with start_run(project, SINK, *options) as run:
        code, summary = run.end()
    assert (code, summary["delivered"]) == (0, 1)
    assert ids_of(http_receiver.requests) == [3]


def test_a_second_signal_ends_at_once(project: Path, http_receiver: HttpReceiver) -> None:
    http_receiver.answer = slow(60)
    with start_run(project, SINK, "--input", "-", "--drain-timeout", "600") as run:
        run.feed(rows(2))
        http_receiver.wait_for(2)
        run.wait_until(lambda found: found["routestudio_in_flight_messages"] == 2)
        run.send(signal.SIGTERM)
        run.wait_for("stopping")
        status, text = run.get("/healthz")
        assert (status, "stopping" in text) == (503, True)
        assert run.metrics()["routestudio_draining"] == 1
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["cancelled"], summary["delivered"]) == (1, True, 0)
    assert run.wait_for("stopping_at_once")["unfinished"] == 2


def test_health_follows_the_sink(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody else takes the port, and nobody listens on it
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        project = write_run_project(tmp_path / "p", url, [], attempts=100)
        with start_run(project, SINK, "--input", "-", "--drain-timeout", "0") as run:
            run.feed(rows(1))
            down = run.wait_for("circuit_open")
            assert down["failures"] >= 1
            run.wait_until(lambda found: found["routestudio_circuit_open"] == 1)
            status, text = run.get("/healthz")
            assert (status, json.loads(text)["status"]) == (503, "the sink cannot be reached")
            assert run.get("/livez")[0] == 200
            run.send(signal.SIGTERM)
            code, summary = run.end()
    assert (code, summary["cancelled"], summary["delivered"]) == (1, True, 0)


def test_health_returns_with_the_sink(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        project = write_run_project(tmp_path / "p", url, [], attempts=100)
        with start_run(project, SINK, "--input", "-") as run:
            run.feed(rows(1))
            run.wait_for("circuit_open")
            held.close()
            with Service(port) as service:
                run.wait_for("circuit_closed")
                run.wait_until(lambda m: m["routestudio_messages_total status=delivered"] == 1)
                assert service.accepted == 1
                assert run.get("/healthz")[0] == 200
                run.send(signal.SIGTERM)
                assert run.end()[0] == 0


def test_neither_secrets_nor_payloads_are_told(tmp_path: Path, http_receiver: HttpReceiver) -> None:
    project = write_run_project(tmp_path / "p", http_receiver.url, [], attempts=2)
    yaml = (project / "sequin.yaml").read_text()
    (project / "sequin.yaml").write_text(
        yaml.replace("functions:", "    headers:\n      authorization: ${TOKEN}\nfunctions:", 1)
    )
    http_receiver.answer = lambda request: Reply(
        422 if 1 in ids_of([request]) else 503 if 2 in ids_of([request]) else 200,
        b'{"error": "no: ' + request.body[:80].replace(b'"', b"'") + b' token-4711-secret"}',
    )
    found = rows(4, without=(3,))
    for row in found:
        row["record"]["name"] = "Mrs Confidential"
    with start_run(project, SINK, "--input", "-", TOKEN="token-4711-secret") as run:
        run.feed(found)
        run.wait_until(lambda m: m["routestudio_messages_total status=rejected"] == 3)
        text = run.get("/metrics")[1]
        run.feed([], last=True)
        code, _ = run.end()
    assert code == 1
    assert http_receiver.requests[0].header("authorization") == "token-4711-secret"
    for told in (text, "".join(run.err)):
        assert "Confidential" not in told
        assert "4711" not in told


def test_options_come_from_the_environment(
    project: Path, tmp_path: Path, cli: Cli, http_receiver: HttpReceiver
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(rows(2, without=(0,))[0]) + "\n")
    found = cli(
        "run", project, SINK, "--format", "json", ROUTESTUDIO_INPUT="rows.jsonl",
        ROUTESTUDIO_DEAD_LETTERS="dead.jsonl", ROUTESTUDIO_LOG_FORMAT="json",
        ROUTESTUDIO_LOG_LEVEL="warning", ROUTESTUDIO_METRICS="0",
    )  # fmt: skip
    assert (found.code, found.rows()[-1]["rejected"]) == (1, 1)
    assert len((tmp_path / "dead.jsonl").read_text().splitlines()) == 1
    assert [json.loads(line)["event"] for line in found.err.splitlines()] == ["rejected"]
    refused = cli("run", project, SINK, ROUTESTUDIO_INPUT="-", ROUTESTUDIO_DRAIN_TIMEOUT="soon")
    assert "ROUTESTUDIO_DRAIN_TIMEOUT" in refused.reason()


def test_secrets_come_from_files(tmp_path: Path, cli: Cli, http_receiver: HttpReceiver) -> None:
    project = write_run_project(tmp_path / "p", "${HOOK_URL}", [])
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "HOOK_URL").write_text(http_receiver.url + "\n")
    found = cli("run", project, SINK, "--input", "-", stdin=json.dumps(rows(1)[0]),
                ROUTESTUDIO_SECRETS=str(secrets))  # fmt: skip
    assert found.code == 0
    assert ids_of(http_receiver.requests) == [0]
    missing = cli("check", project, ROUTESTUDIO_SECRETS=str(tmp_path / "none"))
    assert "ROUTESTUDIO_SECRETS" in missing.reason()


def test_a_port_in_use_is_refused_before_anything_is_read(
    project: Path, cli: Cli, http_receiver: HttpReceiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = cli("run", project, SINK, "--input", "-", "--metrics", port,
                    stdin=json.dumps(rows(1)[0]))  # fmt: skip
    assert f"127.0.0.1:{port}" in found.reason()
    assert http_receiver.requests == []


def test_at_a_terminals_pace_nothing_but_the_summary_is_said(
    project: Path, cli: Cli, http_receiver: HttpReceiver
) -> None:
    found = cli("run", project, SINK, "--input", "-", stdin=json.dumps(rows(1)[0]))
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("1 read, 1 delivered")


# --- a source on a server ------------------------------------------------------------------------


def add_rows(server: RedisServer, count: int, start: int = 0) -> None:
    for row in rows(start + count)[start:]:
        server.command("XADD", "changes", "*", "message", json.dumps(row))


def pending(server: RedisServer) -> int:
    found = server.command("XPENDING", "changes", "studio")
    assert isinstance(found, list)
    assert isinstance(found[0], int)
    return found[0]


def test_a_drained_run_acknowledges_what_it_delivered(
    project: Path, http_receiver: HttpReceiver, redis_server: RedisServer
) -> None:
    add_rows(redis_server, 5)
    uri = f"redis://127.0.0.1:{redis_server.port}/0?stream=changes&group=studio&consumer=a"
    with start_run(project, SINK, "--input", uri) as run:
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 5)
        add_rows(redis_server, 3, start=5)
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 8)
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["delivered"]) == (0, 8)
    assert pending(redis_server) == 0


def test_what_a_hard_stop_leaves_comes_again(
    project: Path, http_receiver: HttpReceiver, redis_server: RedisServer
) -> None:
    add_rows(redis_server, 4)
    http_receiver.answer = lambda request: Reply(delay=60 if 2 in ids_of([request]) else 0)
    uri = f"redis://127.0.0.1:{redis_server.port}/0?stream=changes&group=studio&consumer=a"
    with start_run(project, SINK, "--input", uri) as run:
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] == 3)
        run.send(signal.SIGTERM)
        run.wait_for("stopping")
        run.send(signal.SIGTERM)
        code, summary = run.end()
    assert (code, summary["delivered"]) == (1, 3)
    assert pending(redis_server) >= 1
    http_receiver.reset()
    with start_run(project, SINK, "--input", uri) as run:
        run.wait_until(lambda found: found["routestudio_messages_total status=delivered"] >= 1)
        run.send(signal.SIGTERM)
        code, _ = run.end()
    assert code == 0
    assert 2 in ids_of(http_receiver.requests)
    assert pending(redis_server) == 0


def test_a_source_that_is_not_there_fails_the_run(project: Path) -> None:
    uri = f"redis://127.0.0.1:{free_port()}/0?stream=changes&group=studio"
    with start_run(project, SINK, "--input", uri) as run:
        code, summary = run.end()
    assert code == 1, run.err
    assert summary["read"] == 0
    assert run.wait_for("failed")["reason"]


def test_the_last_word_of_a_run_into_a_service_that_is_down(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        project = write_run_project(tmp_path / "p", url, [], attempts=2)
        with start_run(project, SINK, "--input", "-") as run:
            run.feed(rows(1), last=True)
            code, summary = run.end()
    assert (code, summary["delivered"]) == (1, 0)
    assert {event["event"] for event in run.events} >= {"failed", "finished"}
    assert run.wait_for("finished")["reason"] == "failure"
