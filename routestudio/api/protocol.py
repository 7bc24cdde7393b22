"""The protocol between the window and the engine: framed JSON messages over pipes.

A frame is `Content-Length: <bytes>\\r\\n\\r\\n` and that many bytes of UTF-8 JSON, as editors and
language servers use. Requests have `id`, `method`, `params`; answers have `id` and `result` or
`error`; events have `event` and `data`, and the `id` of the request that they belong to, if any.
A request is cancelled by `{"cancel": <id>}`. Nothing here does I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.api import codec
from routestudio.errors import ProtocolError

MAX_FRAME: Final = 64 << 20
"""Largest accepted body in bytes; a longer one is skipped and reported."""

_MAX_HEADER: Final = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """One call. Answered exactly once, also when it is cancelled."""

    id: int
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Asks to stop the request with this id; unknown ids are ignored."""

    id: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed: `code` for programs, the rest for people (see `errors`).

    Codes: `cancelled`, `usage`, `config`, `project`, `link`, `worker`, `internal`.
    `problems` are faults of single fields as `{"field", "message", "hint"}`.
    """

    code: str
    message: str
    hint: str | None = None
    place: str | None = None
    problems: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request: `result`, or `failure` when that is not `None`."""

    id: int
    result: object = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `id` is the request it belongs to, or `None`."""

    name: str
    data: object
    id: int | None = None


Item = Request | Cancel | Response | Event


def encode(item: Item) -> bytes:
    """One complete frame."""
    match item:
        case Request(id, method, params):
            body: dict[str, Any] = {"id": id, "method": method, "params": params}
        case Cancel(id):
            body = {"cancel": id}
        case Response(id, result, None):
            body = {"id": id, "result": result}
        case Response(id, _, failure):
            assert failure is not None
            body = {
                "id": id,
                "error": {
                    "code": failure.code,
                    "message": failure.message,
                    "hint": failure.hint,
                    "place": failure.place,
                    "problems": list(failure.problems),
                },
            }
        case Event(name, data, id):
            body = {"event": name, "data": data, "id": id}
    text = json.dumps(body, separators=(",", ":"), default=codec.plain).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(text), text)


def decode(body: bytes) -> Item:
    """The item of one frame's body. Raises `ProtocolError` when it is not one."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError("a frame does not hold JSON") from None
    match value:
        case {"cancel": int(id)}:
            return Cancel(id)
        case {"event": str(name), "data": dict(data)}:
            owner = value.get("id")
            return Event(name, data, owner if isinstance(owner, int) else None)
        case {"id": int(id), "method": str(method)}:
            params = value.get("params") or {}
            if not isinstance(params, dict):
                raise ProtocolError("`params` of a request must be an object")
            return Request(id, method, params)
        case {"id": int(id), "error": dict(error)}:
            return Response(
                id,
                failure=Failure(
                    str(error.get("code", "internal")),
                    str(error.get("message", "")),
                    error.get("hint"),
                    error.get("place"),
                    tuple(error.get("problems") or ()),
                ),
            )
        case {"id": int(id), "result": result}:
            return Response(id, result)
    raise ProtocolError("a frame is neither request, answer, event nor cancellation")


class FrameReader:
    """Cuts a byte stream into frames. Survives bad frames: each yields a `ProtocolError`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Item | ProtocolError]:
        """Add received bytes and yield the items, and errors, that they complete."""
        self._buffer += data
        while True:
            if self._skip:
                cut = min(self._skip, len(self._buffer))
                del self._buffer[:cut]
                self._skip -= cut
                if self._skip:
                    return
            if self._length is None and not (yield from self._header()):
                return
            if self._length is None:
                continue
            if len(self._buffer) < self._length:
                return
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._length = None
            try:
                yield decode(body)
            except ProtocolError as error:
                yield error

    def _header(self) -> Generator[ProtocolError, None, bool]:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEADER:
                self._buffer.clear()
                yield ProtocolError("a frame has no header")
            return False
        header = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        name, _, number = header.rpartition(b"\r\n")[2].partition(b":")
        if name.strip().lower() != b"content-length" or not re.fullmatch(
            rb"\s*\d{1,12}\s*", number
        ):
            yield ProtocolError("a frame's header gives no Content-Length")
            return True
        length = int(number)
        if length > MAX_FRAME:
            self._skip = length
            yield ProtocolError(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
            return True
        self._length = length
        return True
