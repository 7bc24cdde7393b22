"""The HTTP stand-in: a receiver on loopback that keeps what it gets and answers 200."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar, Final

from routestudio.http_server import Request
from routestudio.sinks._shared.standins.http_server import HttpServerStandin, Response, unpacked
from routestudio.sinks.standin import Arrived

_ALLOW: Final = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


class HttpStandin(HttpServerStandin):
    """An HTTP receiver. `answer` sets its answer to further requests, for trying out failures."""

    kind: ClassVar[str] = "http"
    title: ClassVar[str] = "HTTP receiver"

    def __init__(self) -> None:
        super().__init__()
        self._requests = 0
        self._status = 200
        self._headers: list[tuple[str, str]] = []

    def answer(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer further requests with `status` (200-599) and extra headers."""
        if not 200 <= status <= 599:
            raise ValueError("an answer's status is 200-599")
        self._status = status
        self._headers = list((headers or {}).items())

    async def _respond(self, request: Request) -> Response:
        status, headers = self._keep(request)
        return status, headers, b"{}"

    def _keep(self, request: Request) -> tuple[int, list[tuple[str, str]]]:
        """Record a request, one entry per message of a batch; status and headers to answer."""
        if request.method == "OPTIONS" and not request.body:
            return 204, [("allow", _ALLOW)]
        self._requests += 1
        details: dict[str, Any] = {
            "request": self._requests,
            "method": request.method,
            "headers": dict(request.headers),
            "status": self._status,
        }
        messages = _messages(unpacked(request.body, request.header("content-encoding")))
        for index, text in enumerate(messages):
            more = {"batch_index": index, "batch_size": len(messages)}
            self._kept.add(Arrived(request.target, text, None, {**details, **more}))
        return self._status, self._headers


def _messages(body: bytes) -> list[str]:
    """The messages of a `{"data": [...]}` batch as JSON text, else the whole body as one."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ["base64:" + base64.b64encode(body).decode()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if isinstance(value, dict) and value.keys() == {"data"} and isinstance(value["data"], list):
        return [json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in value["data"]]
    return [text]
