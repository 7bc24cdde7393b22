"""`python -m tests.soak [--minutes 20] [--rate 500] [--source redis|stdin]`.

Starts `routestudio run` on a source that grows at a steady rate, into a local service that refuses
some requests, looks at its process tree every few seconds, and reports whether memory, handles,
threads or tasks grow after a warm-up. At the end the run is drained, and every message must be
accounted for. Exit code 0: nothing grows and nothing is lost; 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.soak.load import STREAM, Feeder, Service, to_stream
from tests.soak.probe import Look, look
from tests.soak.verdict import HEAD, MEGABYTE, judge
from tests.support.redis_server import start_redis
from tests.support.run_project import SINK, write_run_project

_START_SECONDS = 60.0
_END_SECONDS = 120.0


def main(arguments: list[str]) -> int:
    """Run the soak and print its table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=500.0, help="messages a second")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks")
    parser.add_argument("--warm-up", type=float, default=120.0, help="seconds that do not count")
    parser.add_argument("--source", choices=("redis", "stdin"), default="redis")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="routestudio-soak-") as folder, Service() as service:
        return Soak(chosen, Path(folder), service).run()


class Soak:
    """One soak."""

    def __init__(self, options: argparse.Namespace, folder: Path, service: Service) -> None:
        self._options = options
        self._folder = folder
        self._service = service
        self._looks: list[Look] = []
        self._faults: list[str] = []

    def run(self) -> int:
        """Everything from start to verdict."""
        options = self._options
        project = write_run_project(self._folder / "p", self._service.url, [], batch=20,
                                    attempts=10)  # fmt: skip
        print(f"{options.minutes:g} minutes, {options.rate:g} messages/s from {options.source}, "
              f"a look every {options.every:g} s, the first {options.warm_up:g} s not counted",
              flush=True)  # fmt: skip
        with self._program(project) as (process, port, send):
            feeder = Feeder(options.rate, send)
            feeder.start()
            self._watch(process, port)
            feeder.stop()
            if feeder.failure is not None:
                self._faults.append(f"the feeder failed: {feeder.failure}")
            self._wait_for(process, port, feeder.sent)
            summary = self._end(process)
        return self._verdict(summary, feeder.sent)

    @contextmanager
    def _program(self, project: Path) -> Iterator[tuple[subprocess.Popen[str], int, Any]]:
        """The running program, the port of its metrics, and what feeds it."""
        command = [sys.executable, "-m", "routestudio", "run", str(project), SINK,
                   "--metrics", "0", "--log-format", "json", "--format", "json",
                   "--dead-letters", str(self._folder / "dead.jsonl")]  # fmt: skip
        events = self._folder / "events.jsonl"
        with events.open("w") as errors:
            if self._options.source == "redis":
                with start_redis(self._folder / "redis") as server:
                    uri = f"redis://127.0.0.1:{server.port}/0?stream={STREAM}&group=soak"
                    with self._popen([*command, "--input", uri], errors) as process:
                        yield process, self._port(events, process), to_stream(server)
                return
            with self._popen([*command, "--input", "-"], errors) as process:
                assert process.stdin is not None
                pipe = process.stdin

                def send(lines: list[str]) -> None:
                    pipe.write("".join(f"{line}\n" for line in lines))
                    pipe.flush()

                yield process, self._port(events, process), send

    @contextmanager
    def _popen(self, command: list[str], errors: IO[str]) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=errors, text=True) as process:  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def _port(self, events: Path, process: subprocess.Popen[str]) -> int:
        """Where the metrics are, from the event `started`."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            found = re.search(r'"metrics":"[^"]*:(\d+)"', events.read_text())
            if found is not None:
                return int(found[1])
            time.sleep(0.05)
        raise SystemExit(f"the run did not start:\n{events.read_text()}")

    def _watch(self, process: subprocess.Popen[str], port: int) -> None:
        """Look until the time is over, and print a line a minute."""
        begun, told = time.monotonic(), -1
        while (at := time.monotonic() - begun) < self._options.minutes * 60:
            if process.poll() is not None:
                self._faults.append(f"the run ended with {process.returncode} after {at:.0f} s")
                return
            one = look(at, process.pid, port)
            self._looks.append(one)
            if int(at // 60) > told:
                told = int(at // 60)
                _print_look(one)
            time.sleep(max(0.0, self._options.every - (time.monotonic() - begun - at)))

    def _wait_for(self, process: subprocess.Popen[str], port: int, sent: int) -> None:
        """Wait until everything is read, so that the sums can be compared."""
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            found = look(0.0, process.pid, port)
            if found.metrics["routestudio_messages_total"] >= sent:
                _print_look(Look(self._options.minutes * 60, found.processes, found.rss,
                                 found.handles, found.threads, found.metrics))  # fmt: skip
                return
            time.sleep(0.2)
        self._faults.append("not every message that was sent was finished")

    def _end(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """Drain the run; returns its summary."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            output, _ = process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._faults.append("the run did not end when it was asked to")
            process.kill()
            output, _ = process.communicate()
        lines = output.splitlines()
        if process.returncode != 1:
            self._faults.append(f"the exit code is {process.returncode}, not 1 (rejections)")
        summary: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return summary

    def _verdict(self, summary: dict[str, Any], sent: int) -> int:
        """Print the table and what is wrong; returns the exit code."""
        letters = sum(1 for _ in (self._folder / "dead.jsonl").open())
        print(f"\n{sent:,} messages sent, {summary.get('delivered', 0):,} delivered, "
              f"{summary.get('rejected', 0):,} rejected ({letters:,} dead letters), "
              f"{summary.get('retried', 0):,} retried; the service accepted "
              f"{self._service.accepted:,} and refused {self._service.refused:,} of "
              f"{self._service.requests:,} requests")  # fmt: skip
        if summary.get("delivered") != self._service.accepted:
            self._faults.append("the service accepted another number than was delivered")
        if summary.get("delivered", 0) + summary.get("rejected", 0) != sent:
            self._faults.append("messages are missing or counted twice")
        if letters != summary.get("rejected"):
            self._faults.append("dead letters are missing")
        if not summary.get("retried") or not summary.get("rejected"):
            self._faults.append("the faults of the soak did not show")
        judged = judge(self._looks, self._options.warm_up)
        print(f"{len(self._looks)} looks\n\n{HEAD}")
        for one in judged:
            print(one.line())
            if one.enough and one.grown:
                self._faults.append(f"{one.bar.name} grows")
        for fault in self._faults:
            print(f"FAILED: {fault}")
        if not self._faults:
            print("nothing grows, nothing is lost")
        return 1 if self._faults else 0


def _print_look(one: Look) -> None:
    print(f"{one.at / 60:>6.1f} min  {one.rss / MEGABYTE:>7.1f} MiB  {one.handles:>3} handles  "
          f"{one.threads:>3} threads  {one.tasks:>3} tasks  {one.processes} processes  "
          f"{one.metrics['routestudio_messages_total']:>10,.0f} messages", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
