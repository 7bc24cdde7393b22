"""A strict S2 on loopback: it answers as s2-lite 0.43.4 does, and knows tokens besides.

What was held against s2-lite, and where the two differ, is in docs/reference/s2.md. It is account
and basins in one, as s2-lite is: the basin is named by the header `s2-basin`. With `only` it is the
host of one basin, as at s2.dev, and takes no such header. Every exchange is kept.
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
    """Streams with their records, each a text. Settings of streams are by name.

    `timestamping` is the mode of streams that differ from `client-prefer`; `ciphers` those whose
    appends need a key; `going` those that are being deleted.
    """

    create_stream_on_append: bool = False
    streams: dict[str, list[str]] = field(default_factory=dict)
    timestamping: dict[str, str] = field(default_factory=dict)
    ciphers: dict[str, str] = field(default_factory=dict)
    going: set[str] = field(default_factory=set)
    default_timestamping: str = "client-prefer"

    def settings(self, stream: str) -> dict[str, Any]:
        """The configuration of a stream."""
        mode = self.timestamping.get(stream, self.default_timestamping)
        return {"storage_class": "express", "retention_policy": {"age": 604800},
                "timestamping": {"mode": mode, "uncapped": False}}  # fmt: skip


class RefusedError(Exception):
    """A request that S2 refuses, with the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = as_json(status, {"code": code, "message": message})


class MissingBasinError(RefusedError):
    """There is no such basin."""


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
                listed = [{"name": name, "scope": "aws:us-east-1", "state": "active",
                           "created_at": _CREATED} for name in names]  # fmt: skip
                return as_json(200, {"basins": listed, "has_more": False})
            case "GET", ["v1", "basins", name] if self.only is None:
                self._allow(access, "get-basin-config", name)
                found = self._existing(name)
                return as_json(200, {
                    "create_stream_on_append": found.create_stream_on_append,
                    "create_stream_on_read": False, "default_stream_config": found.settings(""),
                })  # fmt: skip
            case "GET", ["v1", "streams"]:
                found = self._basin(request, access, "list-streams")
                names = list(found.streams)[: _limit(query)]
                listed = [{"name": name, "created_at": _CREATED, "deleted_at": None}  # type: ignore[dict-item]
                          for name in names]  # fmt: skip
                return as_json(200, {"streams": listed, "has_more": False})
            case "GET", ["v1", "streams", stream]:
                try:
                    found = self._basin(request, access, "get-stream-config", stream)
                except MissingBasinError:
                    raise RefusedError(404, "stream_not_found", "stream not found") from None
                if stream in found.going:
                    raise RefusedError(409, "stream_deletion_pending", "stream is being deleted")
                self._stream(found, stream)
                return as_json(200, found.settings(stream))
            case "POST", ["v1", "streams", stream, "records"]:
                return self._append(request, access, stream)
            case "GET", ["v1", "streams", stream, "records"]:
                return self._read(request, access, stream, query)
            case _, ["v1", "basins" | "streams", *rest] if len(rest) < 3:
                return Reply(405, b"")
        return Reply(404, b"")

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
        if stream in (".", "..") or "\0" in stream or len(stream.encode()) > 512:
            raise RefusedError(400, "bad_path", f"Invalid URL: stream name must not be {stream!r}")
        self._allow(access, operation, name, stream)
        return self._existing(name)

    def _existing(self, name: str) -> Basin:
        if name not in self.basins:
            raise MissingBasinError(404, "basin_not_found", f"there is no basin {name}")
        return self.basins[name]

    def _stream(self, basin: Basin, stream: str) -> list[str]:
        if stream not in basin.streams or stream in basin.going:
            raise RefusedError(404, "stream_not_found", f"there is no stream {stream}")
        return basin.streams[stream]

    def _read(self, request: Received, access: Access, stream: str, query: dict[str, str]) -> Reply:
        """Records from one starting point, at most 1,000 of them and 1 MiB."""
        held = self._stream(self._basin(request, access, "read", stream), stream)
        unknown = set(query) - {"seq_num", "tail_offset", "count"}
        if unknown or len(query) != len(set(query)) or {"seq_num", "tail_offset"} <= set(query):
            raise RefusedError(400, "bad_query", f"not a reading: {query}")
        if not all(value.isdigit() for value in query.values()):
            raise RefusedError(400, "bad_query", f"not numbers: {query}")
        form = request.header("s2-format") or "raw"
        if form not in ("raw", "base64"):
            raise RefusedError(400, "bad_header", "unknown s2-format")
        start = max(0, len(held) - int(query.get("tail_offset", 0)))
        start = int(query.get("seq_num", start))
        tail = {"seq_num": len(held), "timestamp": 1_700_000_000_000}
        if start >= len(held):
            return as_json(416, {"tail": tail})
        records, size = [], 0  # type: ignore[var-annotated]
        for number in range(
            start, min(len(held), start + min(int(query.get("count", 1000)), 1000))
        ):
            size += 8 + len(held[number].encode())
            if size > _MIB and records:
                break
            body = held[number]
            if form == "base64":
                body = base64.b64encode(body.encode()).decode()
            records.append({"seq_num": number, "timestamp": 1_700_000_000_000, "body": body})
        return as_json(200, {"records": records, "tail": tail})

    def _append(self, request: Received, access: Access, stream: str) -> Reply:
        basin = self._basin(request, access, "append", stream)
        if not (request.header("content-type") or "").startswith("application/json"):
            raise RefusedError(400, "bad_json", "Expected request with `application/json`")
        form = request.header("s2-format") or "raw"
        if form not in ("raw", "base64"):
            raise RefusedError(400, "bad_header", "unknown s2-format")
        given, records = _input(request.plain, form)
        if stream in basin.ciphers:
            text = f"missing encryption key for stream cipher '{basin.ciphers[stream]}'"
            raise RefusedError(400, "bad_header", text)
        if len(records) > 1000:
            raise RefusedError(422, "invalid", "record batch must not exceed 1000 records")
        sizes = [8 + len(text.encode()) for text, _ in records]
        if max(sizes, default=0) > _MIB:
            raise RefusedError(422, "invalid", "record must have metered size less than 1 MiB")
        if sum(sizes) > _MIB:
            raise RefusedError(422, "invalid", "batch must have metered size less than 1 MiB")
        if basin.create_stream_on_append and stream not in basin.going:
            basin.streams.setdefault(stream, [])
        held = self._stream(basin, stream)
        if given.get("fencing_token") not in (None, ""):
            return as_json(412, {"fencing_token_mismatch": ""})
        if given.get("match_seq_num") not in (None, len(held)):
            return as_json(412, {"seq_num_mismatch": len(held)})
        timed = basin.settings(stream)["timestamping"]["mode"] != "client-require"
        if not timed and not all(has_time for _, has_time in records):
            raise RefusedError(422, "invalid", "record timestamp was required but was missing")
        start = len(held)
        held += [text for text, _ in records]
        ends = {"start": start, "end": len(held), "tail": len(held)}
        return as_json(200, {name: {"seq_num": number, "timestamp": 1_700_000_000_000}
                             for name, number in ends.items()})  # fmt: skip


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", "1000")
    if not text.isdigit():
        raise RefusedError(400, "bad_query", f"not a limit: {text}")
    return min(int(text) or 1000, 1000)


def _input(body: bytes, form: str) -> tuple[dict[str, Any], list[tuple[str, bool]]]:
    """What is to be appended: each record's text, and whether it has a timestamp."""
    if len(body) > 2 * _MIB:
        raise RefusedError(400, "bad_json", "length limit exceeded")
    try:
        given = json.loads(body)
        records = [(_text(record, form), "timestamp" in record) for record in given["records"]]
        match, token = given.get("match_seq_num"), given.get("fencing_token")
        if match is not None and (type(match) is not int or not 0 <= match < 2**64):
            raise ValueError("match_seq_num is not a u64")
        if token is not None and len(token.encode()) > 36:
            raise ValueError("fencing token must not exceed 36 bytes")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(400, "bad_json", f"{type(error).__name__}: {error}") from None
    return given, records


def _text(record: Any, form: str) -> str:
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
