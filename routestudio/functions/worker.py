"""The function worker: a child process that runs user functions and nothing else.

It starts with an empty environment, closes every door it can (no further file or socket can be
opened, memory is limited, nothing can be written), and answers frames on its pipes. Input comes
from our own process and is pickled; output is JSON, because the parent trusts nothing it reads.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
import mmap
import os
import pickle
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

from routestudio.functions import python
from routestudio.model.function import FunctionKind

HEADER: Final = struct.Struct("<I")
PROGRESS: Final = struct.Struct("<Q")
MAX_DEPTH: Final = 64
_MAX_TEXT: Final = 500

Fault = dict[str, Any]


class Metadata(dict[str, Any]):
    """Metadata whose entries can also be read with a dot."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(f"metadata has no field `{name}`") from None
        return Metadata(value) if type(value) is dict else value


def main(arguments: list[str]) -> None:
    """Serve until the input ends. Arguments: memory limit, output limit, progress descriptor."""
    memory, output, progress = int(arguments[0]), int(arguments[1]), int(arguments[2])
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    sink = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(sink, number)
    board = mmap.mmap(progress, PROGRESS.size)
    functions: dict[tuple[str, str], Callable[..., Any]] = {}
    _shut_doors(memory)
    while header := reader.read(HEADER.size):
        size = HEADER.unpack(header)[0]
        request = pickle.loads(reader.read(size))  # noqa: S301 - written by our own process
        answer = _serve(request, functions, board, output)
        writer.write(HEADER.pack(len(answer)))
        writer.write(answer)
        writer.flush()


def _shut_doors(memory: int) -> None:
    with contextlib.suppress(OSError, ImportError, AttributeError, ValueError):
        import ctypes

        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL: never outlive us
    try:
        import resource
    except ImportError:
        return
    # Modules that functions reach lazily are loaded before no file can be opened any more.
    dt.datetime.strptime("2024-01-01", "%Y-%m-%d")
    json.dumps(decimal.Decimal("1"), default=str)
    "x".encode("ascii").decode("latin-1").encode("utf-16")
    limits = [
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ]
    for kind, value in limits:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))


def _serve(
    request: dict[str, Any],
    functions: dict[tuple[str, str], Callable[..., Any]],
    board: mmap.mmap,
    limit: int,
) -> bytes:
    """Evaluate every program on every message. A false filter skips the other programs."""
    packed: bytes = request["messages"]
    first: int = request["first"]
    programs: list[tuple[str, str]] = request["programs"]
    columns: list[list[str]] = []
    skipped: set[int] = set()
    for kind, code in programs:
        function = functions.get((kind, code))
        if function is None:
            if len(functions) > 256:
                functions.clear()
            try:
                function = python.compile_function(code, FunctionKind(kind))
            except Exception as error:
                fault = json.dumps({"f": {"code": "invalid", "message": str(error)[:_MAX_TEXT]}})
                columns.append([fault] * request["count"])
                continue
            functions[kind, code] = function
        rows = []
        index = first
        is_filter = kind == "filter"
        for action, record, changes, metadata in pickle.loads(packed):  # noqa: S301
            PROGRESS.pack_into(board, 0, index)
            offset = index - first
            index += 1
            if offset in skipped:
                rows.append('{"v":null}')
                continue
            try:
                value = function(action, record, changes, Metadata(metadata))
                text = _encode(value)
            except MemoryError:
                rows.append(_fault("memory", "the function used more memory than it may"))
                continue
            except _Refused as error:
                rows.append(_fault("output", str(error)))
                continue
            except BaseException as error:
                rows.append(json.dumps({"f": _raised(error)}))
                continue
            if len(text) > limit:
                size = f"{len(text):,} characters; at most {limit:,} are allowed"
                rows.append(_fault("output", f"the result has {size}"))
                continue
            if is_filter and value is False:
                skipped.add(offset)
            rows.append(text)
        columns.append(rows)
    PROGRESS.pack_into(board, 0, (1 << 64) - 1)
    return ("[" + ",".join(f"[{','.join(rows)}]" for rows in columns) + "]").encode(
        "utf-8", "surrogatepass"
    )


class _Refused(Exception):  # noqa: N818 - internal
    """A result that is not plain data."""


_SIMPLE: Final = (str, int, bool, type(None))
_encode_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


def _encode(value: Any) -> str:
    """A result as JSON `{"v": plain}`, or `{"t": tagged}` when it holds other plain types."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str or type(item) not in _SIMPLE:
                break
        else:
            return f'{{"v":{_encode_json(value)}}}'
    elif type(value) in _SIMPLE:
        return f'{{"v":{_encode_json(value)}}}'
    return f'{{"t":{_encode_json(_tagged(value, 0))}}}'


def _tagged(value: Any, depth: int) -> Any:
    """Maps become `["m", [[key, value], ...]]`, other types carry their tag; lists `["l", ...]`."""
    if depth > MAX_DEPTH:
        raise _Refused(f"the result is nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind is float:
        return ["f", repr(value)]
    if kind is dict or kind is Metadata:
        for key in value:
            if type(key) is not str:
                raise _Refused(f"keys of a map must be text, not {type(key).__name__}")
        return ["m", {key: _tagged(item, depth + 1) for key, item in value.items()}]
    if kind in (list, tuple):
        return ["l", [_tagged(item, depth + 1) for item in value]]
    if kind in (set, frozenset):
        return ["l", [_tagged(item, depth + 1) for item in sorted(value, key=repr)]]
    if kind is decimal.Decimal:
        return ["n", str(value)]
    if kind is dt.datetime:
        return ["T", value.isoformat()]
    if kind is dt.date:
        return ["d", value.isoformat()]
    if kind is dt.time:
        return ["h", value.isoformat()]
    if kind.__name__ == "UUID":
        return str(value)
    raise _Refused(f"the result holds a {kind.__name__}; return plain data")


def _fault(code: str, message: str) -> str:
    return json.dumps({"f": {"code": code, "message": message[:_MAX_TEXT]}})


def _raised(error: BaseException) -> Fault:
    line = column = None
    with contextlib.suppress(Exception):
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == python.FILENAME:
                line = frame.lineno
                column = None if frame.colno is None else frame.colno + 1
    try:
        text = str(error)[:_MAX_TEXT]
    except Exception:
        text = ""
    if isinstance(error, KeyError):
        text = f"there is no key {text}"
    if isinstance(error, RecursionError):
        text = "the function calls itself too deeply"
    return {
        "code": "raised",
        "message": text or "no text",
        "type": type(error).__name__,
        "line": line,
        "column": column,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
