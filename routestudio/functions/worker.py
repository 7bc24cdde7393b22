"""The function worker: a child process that runs user functions and nothing else.

It starts with an empty environment, closes every door it can (no further file or socket can be
opened, memory is limited, nothing can be written), and answers frames on its pipes. Input comes
from our own process and is pickled; output is JSON, because the parent trusts nothing it reads.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import gc
import json
import mmap
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import Any, Final, Literal

from routestudio.functions import clock, python
from routestudio.functions.elixir import program as elixir
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.library import METADATA_FIELDS
from routestudio.functions.tracing import Recorder
from routestudio.model.function import FunctionKind, Language

HEADER: Final = struct.Struct("<I")
PROGRESS: Final = struct.Struct("<Q")
_RECURSION: Final = sys.getrecursionlimit()
IDLE: Final = (1 << 64) - 1
"""What the progress board shows while no user code runs."""

ROW_BITS: Final = 40
"""The board shows `program << ROW_BITS | row`, so that each call has its own time limit."""

MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 200_000
"""Most digits of a decimal written out; PostgreSQL's `numeric` has at most 147,455."""

ANSWER_BUDGET: Final = 8 << 20
"""Characters of one answer: what exceeds it is asked for again in smaller parts."""

STACK: Final = 32 << 20
"""Bytes of the worker's stack."""

_MAX_TEXT: Final = 500

Fault = dict[str, Any]
Mode = Literal["value", "exact", "traced"]
"""What is wanted of a call: what a server delivers, Elixir's value itself, or also what it did."""

Program = tuple[str, str, str, Mode]
"""Language, kind, code, and what is wanted."""


class Metadata(dict[str, Any]):
    """Metadata whose entries can also be read with a dot."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"metadata has no field `{name}`")


def _field(name: str) -> property:
    if name not in ("consumer", "database", "enrichment", "transaction_annotations"):
        return property(itemgetter(name))

    def read(self: Metadata) -> Any:
        value = self[name]
        return Metadata(value) if type(value) is dict else value

    return property(read)


for _name in METADATA_FIELDS:
    # Ten times as fast as looking names up in `__getattr__`.
    setattr(Metadata, _name, _field(_name))


def main(arguments: list[str]) -> None:
    """Serve until the input ends. Arguments: memory limit, output limit, progress descriptor."""
    memory, output, progress = int(arguments[0]), int(arguments[1]), int(arguments[2])
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    sink = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(sink, number)
    board = mmap.mmap(progress, PROGRESS.size)
    functions: dict[Program, Callable[..., Any]] = {}
    # A chunk of messages is tens of thousands of objects that all go at once: collecting among
    # them costs four times as much as reading them. Cycles made by functions are still found.
    _widen(reader.fileno(), writer.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent, who ends us
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    _shut_doors(memory)
    writer.write(HEADER.pack(0))
    writer.flush()
    while header := reader.read(HEADER.size):
        size = HEADER.unpack(header)[0]
        request = pickle.loads(reader.read(size))  # noqa: S301 - written by our own process
        answer = _answer(request, functions, board, output)
        writer.write(HEADER.pack(len(answer)))
        writer.write(answer)
        writer.flush()


def _widen(*pipes: int) -> None:
    """Let a whole chunk pass at once: each switch between the processes costs."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        for pipe in pipes:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _answer(
    request: dict[str, Any],
    functions: dict[Program, Callable[..., Any]],
    board: mmap.mmap,
    limit: int,
) -> bytes:
    """The answer, or the number of messages to ask for at once when these were too many."""
    count: int = request["count"]
    try:
        clock.stop(request["now"])
        return _serve(request, functions, board, limit)
    except _TooMuch as stop:
        rows = stop.rows
    except MemoryError:
        rows = count // 2
    finally:
        PROGRESS.pack_into(board, 0, IDLE)
    if count == 1:
        fault = _fault("memory", "the message and its results take more memory than there is")
        return ("[" + ",".join(f"[{fault}]" for _ in request["programs"]) + "]").encode()
    return str(max(1, min(rows, count - 1))).encode()


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
    with contextlib.suppress(OSError, ValueError):
        # Deep recursion of Elixir functions passes through C, too.
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        wanted = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
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
    functions: dict[Program, Callable[..., Any]],
    board: mmap.mmap,
    limit: int,
) -> bytes:
    """Evaluate every program on every message. A false filter skips the other programs."""
    packed: bytes = request["messages"]
    first: int = request["first"]
    programs: list[Program] = request["programs"]
    columns: list[list[str]] = []
    skipped: set[int] = set()
    total = 0
    for number, program in enumerate(programs):
        language, kind, code, _ = program
        base = number << ROW_BITS | first
        PROGRESS.pack_into(board, 0, base)
        function = functions.get(program)
        if function is None:
            if len(functions) > 256:
                functions.clear()
            try:
                function = _compiled(program)
            except Exception as error:
                why = "not_evaluated" if isinstance(error, NotEvaluated) else "invalid"
                fault = json.dumps({"f": {"code": why, "message": str(error)[:_MAX_TEXT]}})
                columns.append([fault] * request["count"])
                continue
            functions[program] = function
        rows = []
        PROGRESS.pack_into(board, 0, IDLE)
        index = base
        is_filter = kind == "filter"
        is_python = language == Language.PYTHON
        sys.setrecursionlimit(_RECURSION if is_python else elixir.RECURSION)
        for action, record, changes, metadata in pickle.loads(packed):  # noqa: S301
            PROGRESS.pack_into(board, 0, index)
            offset = index - base
            index += 1
            if offset in skipped:
                rows.append('{"v":null}')
                continue
            try:
                given = Metadata(metadata) if is_python else metadata
                value = function(action, record, changes, given)
                text = _encode(value)
            except BaseException as error:
                rows.append(_failed(error, code, is_python))
                continue
            if len(text) > limit:
                size = f"{len(text):,} characters; at most {limit:,} are allowed"
                rows.append(_fault("output", f"the result has {size}"))
                continue
            if is_filter and value is False:
                skipped.add(offset)
            total += len(text)
            if total > ANSWER_BUDGET and request["count"] > 1:
                raise _TooMuch(request["count"] // 2 if number else offset)
            rows.append(text)
        columns.append(rows)
    return ("[" + ",".join(f"[{','.join(rows)}]" for rows in columns) + "]").encode(
        "utf-8", "surrogatepass"
    )


def _compiled(program: Program) -> Callable[..., Any]:
    language, kind, code, mode = program
    recorder = Recorder() if mode == "traced" else None
    is_python = language != Language.ELIXIR
    if is_python:
        function = python.compile_function(code, FunctionKind(kind), recorder=recorder)
    else:
        function = elixir.compile_function(
            code, FunctionKind(kind), exact=mode == "exact", recorder=recorder
        )
    return function if recorder is None else _traced(function, recorder, code, is_python)


def _traced(
    function: Callable[..., Any], recorder: Recorder, code: str, is_python: bool
) -> Callable[..., Any]:
    """The function, giving its answer together with what it did."""

    def call(*message: Any) -> elixir.Exact:
        recorder.begin()
        value = None
        try:
            value = function(*message)
            answer = _encode(value)
        except BaseException as error:
            answer = _failed(error, code, is_python)
        places = recorder.places(value) if isinstance(value, dict) else {}
        notes = json.dumps({"taken": recorder.taken, "places": places})
        return elixir.Exact(f'{{"answer":{answer},"notes":{notes}}}')

    return call


def _failed(error: BaseException, code: str, is_python: bool) -> str:
    """The answer of a call that ended with an error."""
    if isinstance(error, MemoryError):
        return _fault("memory", "the function used more memory than it may")
    if isinstance(error, _Refused):
        return _fault("output", str(error))
    return json.dumps({"f": _raised(error, code) if is_python else elixir.fault(error)})


class _TooMuch(Exception):  # noqa: N818 - internal
    """The results together are too large; `rows` messages at a time would do."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows


class _Refused(Exception):  # noqa: N818 - internal
    """A result that is not plain data."""


_SIMPLE: Final = frozenset((str, int, bool, type(None)))
_TEXT: Final = frozenset((str,))


def _encoder() -> Callable[[Any], str]:
    """JSON text of a value. `JSONEncoder.encode` builds the encoder used here at every call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring_ascii", None)
    if make is None or text is None:
        return json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    encode = make(None, None, text, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


_encode_json: Final = _encoder()


def _encode(value: Any) -> str:
    """A result as JSON `{"v": plain}`, or `{"t": tagged}` when it holds other plain types."""
    if type(value) is dict:
        if _SIMPLE.issuperset(map(type, value.values())) and _TEXT.issuperset(map(type, value)):
            return f'{{"v":{_encode_json(value)}}}'
    elif type(value) in _SIMPLE:
        return f'{{"v":{_encode_json(value)}}}'
    elif type(value) is elixir.Exact:
        return f'{{"x":{value.text}}}'
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
        # Written out, "1E+999999999" is a gigabyte: it must not reach a process without a limit.
        exponent = value.as_tuple().exponent
        if value.is_snan() or (
            type(exponent) is int and max(abs(exponent), abs(value.adjusted())) > MAX_DIGITS
        ):
            raise _Refused(f"the result holds a decimal of more than {MAX_DIGITS:,} digits")
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


def _raised(error: BaseException, code: str) -> Fault:
    """The fault of an exception, at the innermost place in the user's own text."""
    line = column = None
    trace = error.__traceback__
    while trace is not None:
        body = trace.tb_frame.f_code
        if body.co_filename == python.FILENAME:
            line = trace.tb_lineno
            place = next(islice(body.co_positions(), trace.tb_lasti // 2, None), None)
            offset = place[2] if place is not None and place[0] == line else None
            column = None if offset is None else python.column(code, line, offset)
        trace = trace.tb_next
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
