"""Requests about conversions of functions between Python and Elixir."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Opened, Workspace
from routestudio.errors import ConfigError, FieldProblem, RouteStudioError, UsageError
from routestudio.functions.conversion.result import Conversion
from routestudio.functions.conversion.verify import convert_verified
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, Language
from routestudio.model.message import Message

Emit = Callable[[str, dict[str, Any]], None]

SAMPLES: Final = 1_000
"""Messages of a project's samples on which a conversion is tried, of all sample sets together."""


TYPES_HINT: Final = (
    "a server has decimals in numeric columns, and the type is not known here: name it under "
    "`tables` in the project (`columns: {total: numeric}`), or write the function for both"
)


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class ConversionMethods:
    """Conversions for the window."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {"convert": self.convert}

    async def convert(
        self, name: str, code: str | None = None, *, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """A function in the other language, verified (`Conversion.as_json`).

        `code` is its text as it is typed just now. Raises `UsageError` for an unknown name.
        """
        workspace = self._service.workspace
        function = function_of(workspace, name)
        if code is not None:
            function = replace(function, code=code)
        found = await convert_verified(function, samples_of(workspace), workspace.pool)
        return found.as_json()


def function_of(workspace: Workspace, name: str) -> Function:
    """A function of a project. Raises `UsageError` for an unknown name."""
    for function in workspace.project.project.functions:
        if function.name == name:
            return function
    known = ", ".join(f.name for f in workspace.project.project.functions) or "none"
    raise UsageError(f"there is no function `{name}`", hint=f"functions: {known}")


def samples_of(workspace: Workspace) -> list[Message]:
    """The first messages of every sample set; what cannot be read is left out."""
    names = workspace.project.project.samples
    found: list[Message] = []
    for name in names:
        try:
            items = read_some(workspace, "sample", name, SAMPLES // max(1, len(names)))
        except (RouteStudioError, OSError):
            continue
        found += [item for item in items if isinstance(item, Message)]
    return found


async def for_server(workspace: Workspace, pool: FunctionPool) -> dict[str, str]:
    """The Elixir code of every Python function of a project, each proved equal.

    Raises `ConfigError` that names the functions, and their lines, where that is not possible.
    """
    samples, refused, found = samples_of(workspace), [], {}
    for function in workspace.project.project.functions:
        if function.language is not Language.PYTHON or function.kind.entry_point is None:
            continue
        result = await convert_verified(function, samples, pool)
        if result.good and result.after is not None:
            found[function.name] = result.after.code
        else:
            refused.append(_refusal(result))
    if refused:
        raise ConfigError("cannot be exported for a Sequin server", refused)
    return found


def _refusal(result: Conversion) -> FieldProblem:
    name = result.before.name
    if result.problems:
        problem = result.problems[0]
        text = f"line {problem.line}, column {problem.column}: {problem.message}"
        return FieldProblem(name, f"cannot be converted to Elixir: {text}", problem.hint)
    assert result.verification is not None
    failing = result.verification.failing
    if failing is not None:
        return FieldProblem(
            name, f"fails on every sample{failing.condition}, in both languages: {failing.before}",
            TYPES_HINT if failing.where else "correct it, or give it samples for which it works",
        )  # fmt: skip
    first = result.verification.differences[0]
    return FieldProblem(
        name, f"gives in Elixir something else for message {first.index}{first.condition}: "
        f"{first.after} instead of {first.before}",
        TYPES_HINT if first.where else "see `routestudio convert`, and write it in Elixir",
    )  # fmt: skip
