"""Child processes of tests: log captured, ready when a probe says so, never left behind."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

TAIL = 30
POLL = 0.05


class StartError(RuntimeError):
    """A child ended, or did not get ready in time. The message ends with its last output."""


def _tied(arguments: Sequence[str]) -> list[str]:
    """Make the kernel kill the child when the test run dies, where util-linux can ask for it."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [*([setpriv, "--pdeathsig", "KILL"] if setpriv else []), *arguments]


class Child:
    """A running child process. Use it as a context manager, or call `stop`.

    Output of both streams goes to `log`. The child is killed when the test run ends, however.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        self.name = Path(arguments[0]).name
        self._arguments, self._cwd = _tied(arguments), cwd
        self._env = dict(env) if env is not None else None
        self.start()

    def start(self) -> None:
        """Start the process, also again after `kill`."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
            )
        atexit.register(self._process.kill)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def tail(self, lines: int = TAIL) -> str:
        """Return the last lines of the output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, probe: Callable[[], bool], timeout: float) -> None:
        """Wait until `probe` returns true; an `OSError` of it means not yet.

        Raises `StartError` when the child ends or `timeout` seconds pass.
        """
        deadline = time.monotonic() + timeout
        while self.running:
            try:
                if probe():
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} is not ready after {timeout:g} s:\n{self.tail()}")
            time.sleep(POLL)
        raise StartError(f"{self.name} ended with {self._process.returncode}:\n{self.tail()}")

    def stop(self, grace: float = 5.0) -> None:
        """Ask the child to end, and kill it after `grace` seconds."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
        atexit.unregister(self._process.kill)

    def kill(self) -> None:
        """End the child at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        atexit.unregister(self._process.kill)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
