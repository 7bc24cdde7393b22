"""Rows of a preview as commands of the shell, for people who send one by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from routestudio.engine.previews import Preview
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import UsageError
from routestudio.model.fields import RuleError
from routestudio.model.wording import counted
from routestudio.pipeline.stages import Staged
from routestudio.project.environment import references
from routestudio.sinks._shared.shell import named_secrets, written

Emit = Callable[[str, dict[str, Any]], None]

MOST: Final = 200
"""Rows that become commands at a time."""
_SHORTEST: Final = 4
"""Characters of a secret that is looked for in rows: shorter ones are everywhere."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class Service(Protocol):
    """What is asked for previews."""

    @property
    def workspace(self) -> Workspace: ...
    def preview_of(self, view: str) -> Preview | None: ...


class CommandMethods:
    """Requests about rows of a preview (`view`) as commands."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {"commands": self.commands}

    async def commands(
        self,
        *,
        view: str = "preview",
        ranges: Sequence[tuple[int, int]],
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """The selected rows as commands, one a line: `text`, their `count`, `notes`, and how many
        rows are `left_out` because they are not delivered.

        Raises `UsageError` where there is no command.
        """
        preview = self._service.preview_of(view)
        if preview is None:
            raise UsageError("this preview is gone", hint="preview the sample again")
        count = sum(last + 1 - first for first, last in ranges)
        if count > MOST:
            raise UsageError(f"{count:,} rows are too many for commands",
                             hint=f"select up to {MOST} of them")  # fmt: skip
        staged: list[Staged] = []
        for first, last in sorted(ranges):
            found = await preview.staged(first, last + 1 - first)
            staged += [item for item in found if item.record is not None]
        if not staged:
            raise UsageError("none of these rows is delivered, so there is no request to copy",
                             hint="the column Why shows the reason")  # fmt: skip
        lines, notes = as_commands(self._service.workspace, preview.prepared, staged)
        return {"text": "\n".join(lines), "count": len(lines), "left_out": count - len(lines),
                "notes": notes}  # fmt: skip


def as_commands(
    workspace: Workspace, prepared: PreparedSink, staged: Sequence[Staged]
) -> tuple[list[str], list[str]]:
    """A command for each delivered message, and notes about them. Raises `UsageError`."""
    sink, config = prepared.sink, prepared.bound.config
    if not sink.tool:
        raise UsageError(f"requests of {sink.title} cannot be copied as a command",
                         hint="no program of the shell sends them")  # fmt: skip
    secrets = _names(workspace, prepared)
    lines: list[str] = []
    notes: dict[str, None] = {}
    for item in staged:
        if item.record is None:
            continue
        try:
            command = sink.command(config, item.record)
            line = written(command, secrets)
            if workspace.redact(line) != line:
                raise RuleError("holds a secret in a form that no variable can stand for",
                                hint="send this row with the program")  # fmt: skip
        except RuleError as error:
            raise UsageError(f"row {item.message.index:,} {error.messages[0]}",
                             hint=error.hint) from None  # fmt: skip
        lines.append(line)
        notes |= dict.fromkeys(command.notes)
    used = sorted({name for name in secrets.values() if any(f'"${name}"' in x for x in lines)})
    if used:
        several = counted(len(used), "variable")
        notes[f"set {several} of the shell first: {', '.join(used)}"] = None
    return lines, list(notes)


def _names(workspace: Workspace, prepared: PreparedSink) -> dict[str, str]:
    """Names of variables by their values: those of the project where it names one for a secret,
    else made of the field's name."""
    environment = workspace.project.environment
    found = named_secrets(prepared.bound.config)
    raw: list[Mapping[str, Any]] = [prepared.spec.destination]
    raw += workspace.project.project.http_endpoints.values()
    used = references(raw)
    for name in sorted(environment.written() - used):
        # A row may have a secret of another sink in it.
        value = environment.get(name)
        if value and len(value) >= _SHORTEST and value in environment.hidden:
            found.setdefault(value, name)
    for name in sorted(used):
        value = environment.get(name)
        if value and (value in found or value in environment.hidden
                      or any(value in text for text in found)):  # fmt: skip
            # A secret that is made of it is written as what it is made of.
            found = {text: other for text, other in found.items() if value not in text}
            found[value] = name
    return found
