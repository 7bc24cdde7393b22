"""Shared by stand-ins of HTTP APIs: requests in parts, and what arrived by place."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from routestudio.http_server import Request
from routestudio.sinks._shared.standins.http_server import HttpServerStandin, Response, unpacked
from routestudio.sinks.standin import Arrived, as_text


class ApiStandin(HttpServerStandin):
    """A stand-in of an HTTP API that takes any credentials. Subclasses answer in `_say`."""

    async def _respond(self, request: Request) -> Response:
        parts = urlsplit(request.target)
        steps = [unquote(step) for step in parts.path.split("/")[1:]]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        plain = unpacked(request.body, request.header("content-encoding"))
        status, answer = self._say(request.method, steps, query, plain)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return status, [], content

    @abstractmethod
    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Status, and bytes or what is to be JSON, for one request."""

    def _keep(self, place: str, action: str, key: Any, body: bytes = b"") -> None:
        name = None if key is None else str(key)
        self._kept.add(Arrived(place, as_text(body), name, {"action": action}))


def loaded(line: bytes) -> Any:
    """The JSON of a line, or `None` when it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
