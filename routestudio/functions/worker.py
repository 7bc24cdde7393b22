"""The function worker: a child process that runs user functions and nothing else.

It starts with an empty environment, shuts every door it can (`doors`), and answers frames on its
pipes. Input comes from our own process and is pickled; output is JSON, because the parent trusts
nothing it reads.
"""

from __future__ import annotations

import decimal
import gc
import json
import mmap
import os
import pickle
import signal
import sys
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from routestudio.functions import (
    clock,
    desk,
    doors,
    projection,
    python,
    text_codecs,
    typed,
)
from routestudio.functions.exact import Exact, Guessed, is_false
from routestudio.functions.frames import HEADER, IDLE, PROGRESS, ROW_BITS, Program
from routestudio.functions.metadata import Metadata
from routestudio.functions.tracing import Recorder
from routestudio.functions.wire import encode
from routestudio.model.function import FunctionKind, Language
from routestudio.system import current as system

_RECURSION: Final = sys.getrecursionlimit()
_DIGITS: Final = sys.get_int_max_str_digits()

ANSWER_BUDGET: Final = 8 << 20
"""Characters of one answer: what exceeds it is asked for again in smaller parts."""

Fault = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Serve until the input ends.

    Arguments: memory limit, output limit, name of the board, and what is loaded besides
    (`desk.LOADED`): nothing can be loaded once the doors are shut.
    """
    memory, output = map(int, arguments[:2])
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    sink = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(sink, number)
    board = system.workers.open_board(arguments[2], PROGRESS.size)
    functions: dict[Program, Callable[..., Any]] = {}
    # A chunk of messages is tens of thousands of objects that all go at once: collecting among
    # them costs four times as much as reading them. Cycles made by functions are still found.
    system.workers.widen(reader.fileno(), writer.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent, who ends us
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    _load()
    for name in arguments[3:]:
        desk.LOADED[name]()
    writer.write(HEADER.pack(doors.shut(memory, reader.fileno())))
    writer.flush()
    while header := reader.read(HEADER.size):
        size = HEADER.unpack(header)[0]
        request = pickle.loads(reader.read(size))  # noqa: S301 - written by our own process
        answer = _answer(request, functions, board, output)
        writer.write(HEADER.pack(len(answer)) + answer)  # at once: each part wakes our parent
        writer.flush()
    os._exit(0)  # closing what is open would be refused


def _answer(
    request: dict[str, Any],
    functions: dict[Program, Callable[..., Any]],
    board: mmap.mmap,
    limit: int,
) -> bytes:
    """The answer, or the number of messages to ask for at once when these were too many."""
    if "task" in request:
        PROGRESS.pack_into(board, 0, 0)
        try:
            return encode.SLOW + desk.perform(request["task"], request["arguments"]).encode()
        finally:
            PROGRESS.pack_into(board, 0, IDLE)
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
        fault = encode.fault("memory", "the message and its results take more memory than there is")
        answers = ",".join(f"[[null],[[0,{fault}]]]" for _ in request["programs"])
        return encode.SLOW + f"[{answers}]".encode()
    return encode.SLOW + str(max(1, min(rows, count - 1))).encode()


def _load() -> None:
    """Load what functions reach late, before no file can be opened any more."""
    json.dumps(decimal.Decimal("1"), default=str)
    text_codecs.load()


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
    count: int = request["count"]
    columns: list[encode.Column] = []
    skipped: set[int] = set()
    total = 0
    for number, program in enumerate(programs):
        language, kind, code, _ = program
        base = number << ROW_BITS | first
        PROGRESS.pack_into(board, 0, base)
        function = functions.get(program)
        column = encode.Column()
        columns.append(column)
        if function is None:
            if len(functions) > 256:
                functions.clear()
            try:
                function = _compiled(program, limit)
            except Exception as error:
                why = "invalid" if language == Language.PYTHON else _why_not(error)
                fault = json.dumps({"f": {"code": why, "message": str(error)[: encode.MAX_TEXT]}})
                for _ in range(count):
                    column.add(fault)
                continue
            functions[program] = function
        PROGRESS.pack_into(board, 0, IDLE)
        index = base
        is_filter = kind == "filter"
        is_python = language == Language.PYTHON
        measured = limit >= encode.SURELY_ENOUGH
        _allow(is_python)
        plain = column.plain
        append, add, show = plain.append, column.add, PROGRESS.pack_into
        size_of = encode.plain_size
        actions, *parts = pickle.loads(packed)  # noqa: S301
        records, changes, metadata = (projection.rows(part, count) for part in parts)
        types = typed.of_rows(request.get("types"))
        for action, record, change, given in zip(actions, records, changes, metadata, strict=True):
            show(board, 0, index)
            offset = index - base
            index += 1
            if offset in skipped:
                append(None)
                continue
            try:
                if is_python and given is not None:
                    given = Metadata(given)
                if types is None:
                    value = function(action, record, change, given)
                elif is_python:
                    kinds = types[offset]
                    record = typed.python_values(record, kinds)
                    change = typed.python_values(change, kinds)
                    value = function(action, record, change, given)
                else:
                    value = function(action, record, change, given, types[offset])
                size = size_of(value) if measured else -1
                if size < 0:
                    text, size = encode.encode(value)
                else:
                    text = ""
            except BaseException as error:
                add(_failed(error, code, is_python))
                continue
            if not text:
                append(value)
            elif size > limit:
                add(encode.too_long(size, limit))
                continue
            else:
                add(text)
            if is_filter and (value is False or is_false(value)):
                skipped.add(offset)
            total += size
            if total > ANSWER_BUDGET and count > 1:
                raise _TooMuch(count // 2 if number else offset)
    return encode.joined(columns)


def _allow(is_python: bool) -> None:
    """How deep and how long the values of a language may be."""
    recursion, digits = _RECURSION, _DIGITS
    if not is_python:
        from routestudio.functions.elixir import program

        recursion, digits = program.RECURSION, program.DIGITS
    sys.setrecursionlimit(recursion)
    sys.set_int_max_str_digits(digits)


def _why_not(error: Exception) -> str:
    """Why an Elixir function cannot be called."""
    from routestudio.functions.elixir.errors import NotEvaluated

    return "not_evaluated" if isinstance(error, NotEvaluated) else "invalid"


def _compiled(program: Program, limit: int) -> Callable[..., Any]:
    language, kind, code, mode = program
    recorder = Recorder() if mode == "traced" else None
    is_python = language != Language.ELIXIR
    if is_python:
        function = python.compile_function(code, FunctionKind(kind), recorder=recorder)
    else:
        from routestudio.functions.elixir import program as elixir

        function = elixir.compile_function(
            code, FunctionKind(kind), exact=mode == "exact", recorder=recorder
        )
    return function if recorder is None else _traced(function, recorder, program, limit)


def _traced(
    function: Callable[..., Any], recorder: Recorder, program: Program, limit: int
) -> Callable[..., Any]:
    """The function, giving its answer together with what it did."""
    code, is_python = program[2], program[0] != Language.ELIXIR

    def call(*message: Any) -> Exact:
        recorder.begin()
        value = None
        try:
            value = function(*message)
            answer, size = encode.encode(value)
            if size > limit:
                answer = encode.too_long(size, limit)
        except BaseException as error:
            answer = _failed(error, code, is_python)
        plain = value.value if isinstance(value, Guessed) else value
        places = recorder.places(plain) if isinstance(plain, dict) else {}
        notes = json.dumps({"taken": recorder.taken, "places": places})
        return Exact(f'{{"answer":{answer},"notes":{notes}}}')

    return call


def _failed(error: BaseException, code: str, is_python: bool) -> str:
    """The answer of a call that ended with an error."""
    if isinstance(error, MemoryError):
        return encode.fault("memory", "the function used more memory than it may")
    if isinstance(error, encode.RefusedError):
        return encode.fault("output", str(error))
    if is_python:
        return json.dumps({"f": _raised(error, code)})
    from routestudio.functions.elixir import program as elixir

    return json.dumps({"f": elixir.fault(error)})


class _TooMuch(Exception):  # noqa: N818 - internal
    """The results together are too large; `rows` messages at a time would do."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows


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
        text = str(error)[: encode.MAX_TEXT]
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
