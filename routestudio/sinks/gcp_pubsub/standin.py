"""The Pub/Sub stand-in: Google's emulator, with topics made as they are used and read back.

The emulator is part of the Google Cloud SDK and runs as a child. Requests pass through a listener
of this process, which makes the topic that a request names and a subscription to it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from routestudio.errors import LinkError
from routestudio.http_server import Request
from routestudio.model import jsonio
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.standins.http_server import HttpServerStandin, Response
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived, as_text
from routestudio.system import current as system

START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_READ_SECONDS: Final = 5.0
_PULL: Final = 1000
_SCRIPT: Final = Path(system.desktop.script("platform/pubsub-emulator/bin/cloud-pubsub-emulator"))
_KEPT: Final = ("PATH", "HOME", "JAVA_HOME", "LANG")
_CHILD: Final = (
    "import os, subprocess, sys, threading\n"
    "from routestudio.system import current\n"
    "current.workers.tie_children()\n"
    "null = subprocess.DEVNULL\n"
    "child = subprocess.Popen(sys.argv[1:], stdin=null, stdout=null, stderr=null)\n"
    "threading.Thread(target=lambda: os._exit(1 if child.wait() else 0), daemon=True).start()\n"
    "sys.stdin.read()\n"
    "child.kill()\n"
    "child.wait()\n"
    "os._exit(0)\n"
)
"""Runs the emulator, and ends it when its own input ends: with this process, however that ends."""

_TOPIC: Final = re.compile(r"/v1/projects/([^/?]+)/topics/([^/:?]+)(:publish)?", re.ASCII)


class PubSubStandin(HttpServerStandin):
    """Google's emulator. It needs the Google Cloud SDK with its Pub/Sub emulator, and Java."""

    kind: ClassVar[str] = "pubsub"
    title: ClassVar[str] = "Google's Pub/Sub emulator"

    def __init__(self) -> None:
        super().__init__()
        self._child: asyncio.subprocess.Process | None = None
        self._port = 0
        self._client = HttpClient(tls=False)
        self._lock = asyncio.Lock()
        self._subscriptions: dict[tuple[str, str], str] = {}
        self._taken = 0
        self._read = 0

    async def start(self) -> StandinAddress:
        script = emulator()
        self._subscriptions, self._taken, self._read = {}, 0, 0
        self._kept.clear()
        try:
            await self._start_emulator(script)
            return await super().start()
        except BaseException:
            await self.stop()
            raise

    async def arrived(self, limit: int = 10_000) -> Sequence[Arrived]:
        for item in await self._pull():
            self._kept.add(item)
        return await super().arrived(limit)

    async def clear(self) -> None:
        await self._pull()
        await super().clear()

    async def stop(self) -> None:
        await super().stop()
        await self._client.close()
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def _start_emulator(self, script: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        kept = system.workers.environment(*_KEPT)
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-c", _CHILD, str(script), "--host=127.0.0.1",
                f"--port={self._port}", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                env={**kept, "JAVA_OPTS": "-Xmx512m -XX:TieredStopAtLevel=1"},
                **system.workers.options,
            )  # fmt: skip
        except OSError as error:
            raise LinkError(f"the Pub/Sub stand-in cannot start: {error}") from None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._child.returncode is None:
            try:
                await self._ask("GET", "/v1/projects/standin/topics")
            except UnansweredError:
                await asyncio.sleep(0.05)
            else:
                return
        raise LinkError(
            "the Pub/Sub stand-in did not start: the emulator ended or does not answer",
            hint="run `gcloud beta emulators pubsub start` to see why",
        )

    async def _ask(
        self, method: str, target: str, body: bytes = b"", coding: str | None = None
    ) -> Answer:
        headers = [(b"content-type", b"application/json")]
        if coding:
            headers.append((b"content-encoding", coding.encode("latin-1")))
        url = f"http://127.0.0.1:{self._port}{target}"
        return await self._client.exchange(method, url, headers, body, keep=1 << 26)

    async def _respond(self, request: Request) -> Response:
        target, method = request.target, request.method
        found = _TOPIC.match(target)
        try:
            if found and (found[3] or method == "GET"):
                await self._make(found[1], found[2])
            coding = request.header("content-encoding") or None
            answer = await self._ask(method, target, request.body, coding)
        except UnansweredError as failure:
            error = {"code": 503, "message": str(failure), "status": "UNAVAILABLE"}
            return 503, [], jsonio.dump_bytes({"error": error})
        if found and found[3] and answer.ok:
            self._taken += len((answer.json() or {}).get("messageIds", ()))
        kind = answer.headers.get("content-type", "application/json")
        return answer.status, [("content-type", kind)], answer.body

    async def _make(self, project: str, topic: str) -> None:
        """Make a topic and a subscription to it, once; both stay in the emulator's memory."""
        async with self._lock:
            if (project, topic) in self._subscriptions:
                return
            path = f"projects/{project}/topics/{topic}"
            made = await self._ask("PUT", f"/v1/{path}")
            named = made.json() if made.ok else None
            if not isinstance(named, dict):
                return
            digest = hashlib.sha256(topic.encode()).hexdigest()[:32]
            subscription = f"/v1/projects/{project}/subscriptions/standin-{digest}"
            body = {"topic": named["name"], "enableMessageOrdering": True,
                    "ackDeadlineSeconds": 600}  # fmt: skip
            await self._ask("PUT", subscription, jsonio.dump_bytes(body))
            self._subscriptions[project, topic] = subscription

    async def _pull(self) -> list[Arrived]:
        """What has been published and not been read yet, in order of publication."""
        found: list[dict[str, Any]] = []
        async with self._lock:
            deadline = time.monotonic() + _READ_SECONDS
            while self._read < self._taken and time.monotonic() < deadline:
                for subscription in self._subscriptions.values():
                    messages = await self._pull_one(subscription)
                    self._read += len(messages)
                    found += messages
        found.sort(key=lambda message: int(message["messageId"]))
        return [_arrived(message) for message in found]

    async def _pull_one(self, subscription: str) -> list[dict[str, Any]]:
        wanted = jsonio.dump_bytes({"maxMessages": _PULL, "returnImmediately": True})
        try:
            said = (await self._ask("POST", f"{subscription}:pull", wanted)).json() or {}
            items = said.get("receivedMessages", [])
            if items:
                acks = jsonio.dump_bytes({"ackIds": [item["ackId"] for item in items]})
                await self._ask("POST", f"{subscription}:acknowledge", acks)
        except UnansweredError as failure:
            raise LinkError(f"the Pub/Sub stand-in does not answer: {failure}") from None
        topic = next(t for (_, t), name in self._subscriptions.items() if name == subscription)
        return [{**item["message"], "topic": topic} for item in items]


def emulator() -> Path:
    """The script that starts Google's emulator. Raises `LinkError` that explains what to
    install."""
    for home in _homes():
        if (home / _SCRIPT).is_file():
            if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
                raise LinkError("Google's Pub/Sub emulator needs Java", hint="install Java")
            return home / _SCRIPT
    raise LinkError(
        "the Pub/Sub stand-in needs Google's Pub/Sub emulator, which is not installed",
        hint="gcloud components install pubsub-emulator, or the package "
        "google-cloud-cli-pubsub-emulator",
    )


def _homes() -> Iterator[Path]:
    if root := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root)
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1]
    yield from system.desktop.cloud_sdks(os.environ)


def _arrived(message: dict[str, Any]) -> Arrived:
    details = {"attributes": message.get("attributes", {}), "message_id": message["messageId"]}
    body = as_text(base64.b64decode(message.get("data", "")))
    return Arrived(unquote(message["topic"]), body, message.get("orderingKey"), details)
