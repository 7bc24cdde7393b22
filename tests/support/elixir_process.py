"""One long-lived process of the real Elixir that evaluates sources."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.require import program

SCRIPT = Path(__file__).with_name("elixir_server.exs")


class Elixir:
    """Evaluates sources in Elixir, with the bindings that `binding` (Elixir, too) gives."""

    def __init__(self, binding: str) -> None:
        self._process = subprocess.Popen(
            [program("elixir"), str(SCRIPT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, encoding="utf-8",
        )  # fmt: skip
        self._send(binding)
        assert self._read() == "ready"
        found = self.evaluate(
            "{System.version(), System.otp_release(), Code.ensure_loaded?(Decimal)}"
        )
        self.version, self.release, decimal = found["value"]["$tuple"]
        self.is_newest = int(self.release) >= 28 and decimal is True
        """Whether it decides as servers do: OTP 28, with the package `decimal`."""

    def _send(self, source: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(base64.b64encode(source.encode()).decode() + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def evaluate(self, source: str) -> dict[str, Any]:
        """`{"value": tagged}`, or `{"error": name, "message": text}`."""
        self._send(source)
        found: dict[str, Any] = json.loads(self._read())
        return found

    def evaluate_all(self, sources: list[str]) -> list[dict[str, Any]]:
        """`evaluate` for several sources, without waiting for each answer."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(sources), 25):
            part = sources[start : start + 25]
            for source in part:
                self._send(source)
            found += [json.loads(self._read()) for _ in part]
        return found

    def __enter__(self) -> Elixir:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
