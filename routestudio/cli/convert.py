"""`routestudio convert`: functions in the other language, verified by running both.

Exit codes: 0 converted and verified; 1 refused, or the results differ; 2 bad usage.
"""

from __future__ import annotations

import argparse
import re
from itertools import islice
from pathlib import Path

from routestudio.cli.inputs import rows_of_input
from routestudio.cli.opened import open_in
from routestudio.cli.output import json_line, say
from routestudio.cli.service import engine_service
from routestudio.engine.conversions import SAMPLES, TYPES_HINT, function_of, samples_of
from routestudio.engine.reading import DEFAULT
from routestudio.errors import Place, UsageError
from routestudio.functions.conversion.result import SUFFIXES, Conversion
from routestudio.functions.conversion.verify import View, comparable, convert_verified
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message
from routestudio.model.wording import counted
from routestudio.project.files import write_text
from routestudio.routing import Router
from routestudio.sinks import registry
from routestudio.sinks.binding import BoundSink

_SHOWN = 5
_LANGUAGES = {".py": Language.PYTHON, ".ex": Language.ELIXIR, ".exs": Language.ELIXIR}
_KINDS = {"route": FunctionKind.ROUTING, "filter": FunctionKind.FILTER,
          "transform": FunctionKind.TRANSFORM}  # fmt: skip


async def convert(options: argparse.Namespace) -> int:
    """Run the command."""
    target = Language(options.to)
    view = _view(options.sink_type)
    messages = _messages(options.input) if options.input else []
    function = _function(Path(options.function))
    if function is not None:
        if function.language is target:
            raise UsageError(f"is {target.value} already", place=Place(options.function))
        pool = FunctionPool()
        try:
            found = [await convert_verified(function, messages, pool, view)]
        finally:
            await pool.close()
    else:
        found = await _of_project(options.function, target, messages, view, options.env)
    code = 0
    for item in found:
        code = max(code, _report(item, options.format))
    _write(found, options)
    return code


async def _of_project(
    name: str,
    target: Language,
    messages: list[Message],
    view: View | None,
    environment: str | None,
) -> list[Conversion]:
    folder, wanted = _project_and_function(name)
    async with engine_service() as engine:
        open_in(engine, folder, environment)
        workspace = engine.workspace
        functions = [function_of(workspace, wanted)] if wanted else [
            f for f in workspace.project.project.functions
            if f.language is not target and f.kind.entry_point is not None
        ]  # fmt: skip
        if wanted and functions[0].language is target:
            raise UsageError(f"the function `{wanted}` is {target.value} already")
        if not functions:
            raise UsageError(f"no function is to be converted to {target.value}",
                             place=Place(folder))  # fmt: skip
        samples = [*samples_of(workspace), *messages]
        return [await convert_verified(f, samples, engine.pool, view) for f in functions]


def _report(item: Conversion, form: str) -> int:
    if form == "json":
        json_line(item.as_json())
        return 0 if item.good else 1
    name = item.before.name
    for problem in item.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        say(f"{name}: line {problem.line}, column {problem.column}: {problem.message}{hint}")
    found = item.verification
    if found is None:
        return 1
    for difference in found.differences[:_SHOWN]:
        say(f"{name}: message {difference.index} differs{difference.condition}: "
            f"{difference.after} instead of {difference.before}")  # fmt: skip
    variants = counted(found.messages - found.samples, "variant")
    kinds = f"{counted(found.samples, 'sample')} and {variants}"
    if found.differences:
        differ = len({item.index for item in found.differences})
        say(f"{name}: {differ} of {found.messages} messages differ ({kinds})")
        if any(item.where for item in found.differences):
            say(f"{name}: {TYPES_HINT}")
        return 1
    if found.failing is not None:
        every = "every sample" if found.samples else "every message"
        say(f"{name}: both versions fail on {every}{found.failing.condition}, so nothing shows "
            f"that they do the same: {found.failing.before}")  # fmt: skip
        say(f"{name}: {TYPES_HINT}" if found.failing.where else
            f"{name}: correct the function, or give it messages for which it works")  # fmt: skip
        return 1
    strict = len(found.stricter)
    generated = counted(strict, "generated message")
    note = f"; fails on {generated} where the original returns a value" if strict else ""
    say(
        f"{name}: same result for {counted(found.messages, 'message')} ({kinds}), "
        f"{found.values} with values{note}"
    )
    return 0


def _write(found: list[Conversion], options: argparse.Namespace) -> None:
    """Write what was converted: a verification that failed is written with `--force` only."""
    good = [item for item in found if item.after is not None and (item.good or options.force)]
    for item in good:
        assert item.after is not None
        if options.output is None:
            if options.format != "json":
                print(item.after.code, end="")
            continue
        path = Path(options.output)
        if len(found) > 1 or path.is_dir():
            path = path / f"{item.after.name}{SUFFIXES[item.after.language]}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, item.after.code)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}",
                             place=Place(str(path))) from None  # fmt: skip
        say(f"wrote {path}")
    left = [item.before.name for item in found if item.after is not None and item not in good]
    if left and options.output is not None:
        say(f"not written: {', '.join(left)} (--force writes them anyway)")


def _project_and_function(name: str) -> tuple[str, str]:
    """The two halves of `PROJECT:FUNCTION`; a path may hold colons itself."""
    folder, colon, wanted = name.rpartition(":")
    return (folder, wanted) if colon and not Path(name).exists() else (name, "")


def _function(path: Path) -> Function | None:
    """The function of a file; `None` for the path of a project."""
    if path.suffix not in _LANGUAGES:
        return None
    try:
        code = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(str(path))) from None
    except UnicodeDecodeError:
        raise UsageError("is not text in UTF-8", place=Place(str(path))) from None
    head = re.search(r"^def (route|filter|transform)\b", code, re.MULTILINE)
    kind = _KINDS[head[1]] if head else FunctionKind.ROUTING
    return Function(path.stem, kind, _LANGUAGES[path.suffix], code)


def _messages(name: str) -> list[Message]:
    found = list(islice(rows_of_input(name, DEFAULT), SAMPLES))
    for item in found:
        if not isinstance(item, Message):
            raise UsageError(item.message, place=Place(name, line=item.line or None))
    return [item for item in found if isinstance(item, Message)]


def _view(sink_type: str | None) -> View | None:
    """What of a result counts for a sink: its effective routing, or the problems with it."""
    if sink_type is None:
        return None
    sink = registry.default().get(sink_type)
    router = Router(BoundSink(sink, None, {}, True, sink.batch, {}))

    def view(message: Message, result: FunctionResult) -> str:
        effective = router.route(message, result)
        if effective.problems:
            return "; ".join(str(problem) for problem in effective.problems)
        return comparable(effective.values)

    return view
