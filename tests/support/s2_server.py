"""A strict S2 on loopback: it takes only what its API description and documentation allow.

It is account and basins in one, as s2-lite is: the basin is named by the header `s2-basin`. With
`only` it is the host of one basin, as at s2.dev, and takes no such header. Every exchange is kept.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.certificates import Authority
from tests.support.http_server import Received, Reply, start_http
from tests.support.strict_server import StrictServer, as_json

ADMIN: Final = "s2-admin-token-0123456789"
WRITER: Final = "s2-writer-token-0123456789"
LIMITED: Final = "s2-limited-token-0123456789"
READER: Final = "s2-reader-token-0123456789"
BASIN: Final = "my-basin"

_CREATED: Final = "2026-01-01T00:00:00Z"
_MIB: Final = 1024 * 1024
_SEES: Final = frozenset({"list-basins", "list-streams", "get-basin-config", "get-stream-config"})


@dataclass(frozen=True)
class Access:
    """What a token may do, in the basins and streams that match."""

    operations: frozenset[str]
    basins: str = "*"
    streams: str = "*"


@dataclass
class Basin:
    """Streams with their records, each a text."""

    create_stream_on_append: bool = False
    streams: dict[str, list[str]] = field(default_factory=dict)


class RefusedError(Exception):
    """A request that S2 refuses, with the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = as_json(status, {"code": code, "message": message})


@dataclass
class S2Server(StrictServer):
    """The running server."""

    tokens: dict[str, Access] = field(default_factory=dict)
    basins: dict[str, Basin] = field(default_factory=dict)
    only: str | None = None

    def reset(self) -> None:
        """Forget everything but the usual tokens, and an empty basin."""
        with self._lock:
            self.restart()
            self.tokens = {
                ADMIN: Access(_SEES | {"append", "read"}),
                WRITER: Access(_SEES | {"append"}),
                LIMITED: Access(frozenset({"append"}), "my-*", "orders*"),
                READER: Access(_SEES | {"read"}),
            }
            self.basins.clear()
            self.basins[BASIN] = Basin()

    def create(self, stream: str, basin: str = BASIN) -> str:
        """A new, empty stream; gives back its name."""
        self.basins[basin].streams[stream] = []
        return stream

    def records(self, stream: str, basin: str = BASIN) -> list[str]:
        """The records of a stream, in order; none when it does not exist."""
        with self._lock:
            return list(self.basins[basin].streams.get(stream, []))

    def carry_out(self, request: Received) -> Reply:
        try:
            return self._carry_out(request)
        except RefusedError as refusal:
            return refusal.reply

    def _carry_out(self, request: Received) -> Reply:
        parts = urlsplit(request.target)
        if re.search(r"[^A-Za-z0-9%._~/-]", parts.path):
            raise RefusedError(400, "bad_path", "the path is not escaped")
        steps = [unquote(step) for step in parts.path.split("/")[1:]]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        access = self.tokens.get(token)
        if access is None:
            raise RefusedError(401, "authn", "the access token is not valid")
        match request.method, steps:
            case "GET", ["v1", "basins"] if self.only is None:
                self._allow(access, "list-basins")
                names = list(self.basins)[: _limit(query)]
                listed = [{"name": name, "created_at": _CREATED} for name in names]
                return as_json(200, {"basins": listed, "has_more": False})
            case "GET", ["v1", "basins", name] if self.only is None:
                self._allow(access, "get-basin-config", name)
                found = self._existing(name)
                return as_json(200, {"create_stream_on_append": found.create_stream_on_append})
            case "GET", ["v1", "streams"]:
                found = self._basin(request, access, "list-streams")
                names = list(found.streams)[: _limit(query)]
                listed = [{"name": name, "created_at": _CREATED} for name in names]
                return as_json(200, {"streams": listed, "has_more": False})
            case "GET", ["v1", "streams", stream]:
                self._stream(self._basin(request, access, "get-stream-config", stream), stream)
                return as_json(200, {"storage_class": "express"})
            case "POST", ["v1", "streams", stream, "records"]:
                return self._append(request, access, stream)
        raise RefusedError(404, "not_found", "no such path")

    def _allow(self, access: Access, operation: str, basin: str = "", stream: str = "") -> None:
        if (
            operation not in access.operations
            or (basin and not fnmatch.fnmatchcase(basin, access.basins))
            or (stream and not fnmatch.fnmatchcase(stream, access.streams))
        ):
            raise RefusedError(403, "permission_denied", f"the token may not {operation}")

    def _basin(self, request: Received, access: Access, operation: str, stream: str = "") -> Basin:
        named = request.header("s2-basin")
        if (named is None) is (self.only is None):
            raise RefusedError(400, "bad_header", "s2-basin is for hosts of several basins")
        name = self.only or named or ""
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{6,46})[a-z0-9]", name):
            raise RefusedError(400, "bad_header", "not the name of a basin")
        if not 1 <= len(stream.encode()) <= 512 and stream:
            raise RefusedError(400, "bad_path", "not the name of a stream")
        self._allow(access, operation, name, stream)
        return self._existing(name)

    def _existing(self, name: str) -> Basin:
        if name not in self.basins:
            raise RefusedError(404, "basin_not_found", f"there is no basin {name}")
        return self.basins[name]

    def _stream(self, basin: Basin, stream: str) -> list[str]:
        if stream not in basin.streams:
            raise RefusedError(404, "stream_not_found", f"there is no stream {stream}")
        return basin.streams[stream]

    def _append(self, request: Received, access: Access, stream: str) -> Reply:
        basin = self._basin(request, access, "append", stream)
        body = request.plain
        if request.header("content-type") != "application/json":
            raise RefusedError(400, "bad_header", "the content type is not JSON")
        form = request.header("s2-format") or "raw"
        if form not in ("raw", "base64"):
            raise RefusedError(400, "bad_header", "unknown s2-format")
        try:
            given = json.loads(body)
            records = [_text(record, form) for record in given["records"]]
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError(400, "bad_json", f"{type(error).__name__}: {error}") from None
        if set(given) - {"records", "match_seq_num", "fencing_token"}:
            raise RefusedError(400, "bad_json", f"unknown keys among {sorted(given)}")
        if not 1 <= len(records) <= 1000:
            raise RefusedError(422, "invalid", f"{len(records)} records")
        if sum(8 + len(text.encode()) for text in records) > _MIB:
            raise RefusedError(422, "invalid", "the batch is over 1 MiB of metered bytes")
        if basin.create_stream_on_append:
            basin.streams.setdefault(stream, [])
        held = self._stream(basin, stream)
        if given.get("fencing_token") not in (None, ""):
            return as_json(412, {"fencing_token_mismatch": ""})
        if given.get("match_seq_num") not in (None, len(held)):
            return as_json(412, {"seq_num_mismatch": len(held)})
        start = len(held)
        held += records
        ends = {"start": start, "end": len(held), "tail": len(held)}
        return as_json(200, {name: {"seq_num": number, "timestamp": 1_700_000_000_000}
                             for name, number in ends.items()})  # fmt: skip


def _limit(query: dict[str, str]) -> int:
    if set(query) - {"prefix", "start_after", "limit"}:
        raise RefusedError(400, "bad_query", f"unknown parameters among {sorted(query)}")
    text = query.get("limit", "1000")
    if not text.isdigit() or int(text) > 1000:
        raise RefusedError(400, "bad_query", f"not a limit: {text}")
    return int(text)


def _text(record: Any, form: str) -> str:
    if set(record) - {"body", "headers", "timestamp"}:
        raise ValueError(f"unknown keys among {sorted(record)}")
    body = record.get("body", "")
    if not isinstance(body, str):
        raise TypeError("a body is text")
    return base64.b64decode(body, validate=True).decode() if form == "base64" else body


@contextmanager
def start_s2(
    authority: Authority | None = None, *, only: str | None = None, like: S2Server | None = None
) -> Iterator[S2Server]:
    """Run a server until the block ends; `like` shares the basins of another one."""
    with start_http(authority) as receiver:
        server = S2Server(receiver, only=only)
        if like is not None:
            server.basins, server.tokens = like.basins, like.tokens
            server.restart()
        else:
            server.reset()
        yield server
