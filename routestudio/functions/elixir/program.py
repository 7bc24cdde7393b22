"""A function's text as something that can be called. For the function worker only."""

from __future__ import annotations

import ast
import json
import sys
import warnings as warnings_off
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from routestudio.functions.elixir import (
    convert,
    incoming,
    lib,
    metadata,
    names,
    ops,
    runtime,
    source,
    tagged,
)
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.errors import ElixirError, NotEvaluated
from routestudio.functions.elixir.generate import Compiler
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.unit import CompileFault
from routestudio.functions.elixir.values import Atom, key_in, whole
from routestudio.functions.exact import Exact, Guessed
from routestudio.functions.tracing import Instrument, Recorder
from routestudio.model.analysis import Point
from routestudio.model.function import Diagnostic, FunctionKind

FILENAME: Final = "<elixir>"
RECURSION: Final = 30_000
"""Deepest recursion of a function; each level of Elixir is one of Python."""

UNKNOWN: Final = "the form of this code"
DIGITS: Final = 250_000
"""Most digits of an integer that is written as text, or read."""

_MAX_TEXT: Final = 2_000

_HELPERS: Final = {
    name: getattr(module, name)
    for module, wanted in (
        (runtime, "access dot dot_call as_map struct_name boolean negation guard concat append "
                  "cons to_text called match_error case_error cond_error with_error function_error "
                  "undefined_error macro_error not_evaluated build_binary match_binary "
                  "MISSING LISTS argument"),
        (metadata, "metadata_map metadata_field metadata_path"),
        (ops, "add subtract multiply divide less greater less_equal greater_equal same not_same "
              "equal not_equal negate positive"),
    )
    for name in wanted.split()
}  # fmt: skip
_HELPERS.update(
    key_in=key_in, whole=whole, member=FUNCTIONS["Enum", "member?", 2],
    type=type, str=str, dict=dict, list=list, tuple=tuple, len=len, bool=bool,
)  # fmt: skip


Run = Callable[..., Any]
"""Takes action, record, changes and metadata, and the types of columns if there are any."""


def inspected(body: Any) -> tuple[list[Diagnostic], list[Point]]:
    """What compiling finds: errors that stop it (one), or warnings; and the ways that a call may
    take, numbered as `compile_function` does. Runs nothing."""
    compiler, recorder = Compiler(), Recorder()
    compiler.forms.points = recorder.point
    try:
        compiler.function(body, names.PARAMETERS)
    except CompileFault as fault:
        return [*compiler.unit.warnings, _softened(fault.diagnostic)], []
    except (RecursionError, MemoryError):
        return [diagnostic("too_deep", source.TOO_DEEP, None)], []
    except (TypeError, ValueError, AttributeError, LookupError):
        # A form that a server accepts in a shape we do not know.
        return [_softened(diagnostic("not_evaluated", f"not evaluated here: {UNKNOWN}", None))], []
    return compiler.unit.warnings, recorder.points


def _softened(found: Diagnostic) -> Diagnostic:
    """What is merely not evaluated here is not an error of the function."""
    severity = "warning" if found.code == "not_evaluated" else found.severity
    return replace(found, severity=severity)


def compile_function(
    code: str, kind: FunctionKind, *, exact: bool = False, recorder: Recorder | None = None
) -> Run:
    """The function, ready to be called with a message's four parts as plain data.

    It gives plain data as a server would deliver it, or with `exact` the value itself (`Exact`).
    With `recorder` its calls are noted there.
    Raises `ValueError` when the text is not accepted, `NotEvaluated` when only we cannot run it.
    """
    read = source.read(code)
    if not read.accepted:
        first = next(item for item in read.found if item.severity == "error")
        raise ValueError(f"line {first.line}: {first.message}")
    compiler = Compiler()
    if recorder is not None:
        compiler.forms.points = recorder.point
    try:
        tree = compiler.function(read.body, names.PARAMETERS)
        if recorder is not None:
            atoms = {n: v.name for n, v in compiler.unit.names.items() if isinstance(v, Atom)}
            tree = Instrument(recorder, branches=False, atoms=atoms).whole(tree)
        with warnings_off.catch_warnings():
            # Python warns of comparisons that Elixir's code may well contain.
            warnings_off.simplefilter("ignore")
            compiled = compile(ast.fix_missing_locations(tree), FILENAME, "exec", dont_inherit=True)
    except CompileFault as fault:
        message = fault.diagnostic.message
        if fault.diagnostic.code == "not_evaluated":
            raise NotEvaluated(message.removeprefix("not evaluated here: ")) from None
        raise ValueError(f"line {fault.diagnostic.line}: {message}") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise ValueError(source.TOO_DEEP) from None
    except (TypeError, AttributeError, LookupError):
        raise NotEvaluated(UNKNOWN) from None
    sys.set_int_max_str_digits(DIGITS)
    space: dict[str, Any] = {"__builtins__": {}, **_HELPERS, **compiler.unit.names}
    if recorder is not None:
        space.update(recorder.names())
    exec(compiled, space)  # noqa: S102 - made by our own compiler, in the worker only
    return _wrapped(space["run"], _finish(kind, exact), exact)


def _finish(kind: FunctionKind, exact: bool) -> Callable[[Any], Any]:
    if exact:
        return lambda value: Exact(json.dumps(tagged.encode(value), ensure_ascii=True))
    if kind is FunctionKind.FILTER:
        return convert.filter_verdict
    if kind is FunctionKind.ROUTING:
        return convert.route_values
    return lambda value: convert.outward(value, as_json=True)


def _wrapped(run: Any, finish: Callable[[Any], Any], exact: bool) -> Run:
    if exact:
        record_in = convert.record_in
        return lambda action, record, changes, metadata: finish(
            run(action, record_in(record), record_in(changes), metadata)
        )
    values_of = incoming.values_of

    def call(action: Any, record: Any, changes: Any, metadata: Any, types: Any = None) -> Any:
        if metadata and type(metadata.get("commit_timestamp")) is str:
            moment = incoming.timed(metadata["commit_timestamp"])
            metadata = {**metadata, "commit_timestamp": moment}
        given, before = values_of(record, types), values_of(changes, types)
        try:
            return finish(run(action, given, before, metadata))
        except _FAILURES as error:
            texts = incoming.sure(record, types), incoming.sure(changes, types)
            if texts == (None, None):
                raise
            failed = fault(error)
        # A guess must not break a function that works for the text that the row holds.
        given, before = texts[0] or given, texts[1] or before
        try:
            value = finish(run(action, given, before, metadata))
        except _FAILURES:
            raise _Again(failed) from None
        return Guessed(value, failed)

    return call


_FAILURES: Final = (
    ElixirError, NotEvaluated, TypeError, ValueError, AttributeError, LookupError, ArithmeticError,
)  # fmt: skip


class _Again(Exception):  # noqa: N818 - internal
    """The function failed for text, too: what counts is how it failed before."""

    def __init__(self, fault: dict[str, Any]) -> None:
        super().__init__()
        self.fault = fault


def fault(error: BaseException) -> dict[str, Any]:
    """What went wrong in a call, with the place in the user's text."""
    if isinstance(error, _Again):
        return error.fault
    line, column = _place(error)
    code, kind, message = "raised", type(error).__name__, ""
    if isinstance(error, ElixirError):
        kind, message = error.kind, error.message
    elif isinstance(error, NotEvaluated):
        code, kind, message = "not_evaluated", "", str(error)
    elif isinstance(error, RecursionError):
        code, kind = "not_evaluated", ""
        message = f"not evaluated here: more than about {RECURSION:,} calls inside each other"
    else:
        code, kind = "not_evaluated", ""
        message = f"not evaluated here: this call ({type(error).__name__})"
    return {
        "code": code,
        "message": message[:_MAX_TEXT],
        "type": kind or None,
        "line": line,
        "column": column,
    }


def _place(error: BaseException) -> tuple[int | None, int | None]:
    line = column = None
    trace = error.__traceback__
    while trace is not None:
        body = trace.tb_frame.f_code
        if body.co_filename == FILENAME:
            line = trace.tb_lineno
            place = next(islice(body.co_positions(), trace.tb_lasti // 2, None), None)
            offset = place[2] if place is not None and place[0] == line else None
            column = None if offset is None else offset + 1
        trace = trace.tb_next
    return line, column


LIBRARY: Final = lib
