"""`routestudio run` as a process: events as they come, metrics, signals, what it leaves."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE

TIMEOUT = 2 * PATIENCE


@dataclass
class Running:
    """A run that goes on. `events` are those of its JSON log so far; `port` that of its metrics."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)

    @property
    def port(self) -> int:
        """Where the metrics are."""
        started = self.wait_for("started")
        return int(started["metrics"].rpartition(":")[2])

    def feed(self, messages: Iterable[Mapping[str, Any]], *, last: bool = False) -> None:
        """Write messages to its standard input; `last` closes it."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
        self.process.stdin.flush()
        if last:
            self.process.stdin.close()

    def wait_for(self, event: str, says: str = "", timeout: float = TIMEOUT) -> dict[str, Any]:
        """The first event of this name, now or later, whose `message` holds `says`.

        Fails when none comes.
        """
        deadline = time.monotonic() + timeout
        while True:
            for found in self.events:
                if found["event"] == event and says in found.get("message", ""):
                    return found
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no event {event}: {self.err}") from None
            if line is None:
                raise AssertionError(f"it ended without an event {event}: {self.err}")
            self._take(line)

    def wait_until(
        self, what: Callable[[dict[str, float]], bool], timeout: float = TIMEOUT
    ) -> None:
        """Wait until the metrics are as told."""
        deadline = time.monotonic() + timeout
        while not what(found := self.metrics()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the metrics are {found}")
            time.sleep(0.05)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an answer of its metrics server."""
        address = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """Its metrics by name and labels, such as `routestudio_retries_total code=http_503`."""
        found: dict[str, float] = {}
        for line in self.get("/metrics")[1].splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                labels = re.findall(r'(\w+)="([^"]*)"', name)
                named = [f"{key}={text}" for key, text in labels if key != "sink"]
                found[" ".join([name.partition("{")[0], *named])] = float(value)
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, timeout: float = TIMEOUT) -> tuple[int, dict[str, Any]]:
        """Wait for its end; returns exit code and summary, the last line of its output."""
        self.process.wait(timeout)
        while (line := self._lines.get(timeout=timeout)) is not None:
            self._take(line)
        assert self.process.stdout is not None
        lines = self.process.stdout.read().splitlines()
        assert "Traceback" not in "\n".join(self.err), self.err
        return self.process.returncode, json.loads(lines[-1]) if lines else {}

    def _take(self, line: str) -> None:
        self.err.append(line)
        self.events.append(json.loads(line))

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def start_run(
    project: Path, sink: str, *options: object, cwd: Path | None = None, **environ: str
) -> Iterator[Running]:
    """Start `run` with a JSON log, a JSON summary and metrics on a free port."""
    command = [sys.executable, "-m", "routestudio", "run", str(project), sink,
               "--log-format", "json", "--format", "json", "--metrics", "0",
               *map(str, options)]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=cwd, env={**os.environ, **environ},
    ) as process:  # fmt: skip
        running = Running(process)
        reader = threading.Thread(target=running._read, name="events of a run", daemon=True)
        reader.start()
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            reader.join(TIMEOUT)
            if process.stdin is not None:
                try:
                    process.stdin.close()
                except BrokenPipeError:
                    pass
