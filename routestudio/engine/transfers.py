"""Requests about servers' configurations: what an import brought, and the plan for the window."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from routestudio.engine import plan as planning
from routestudio.engine.workspace import Opened, Workspace
from routestudio.errors import ProjectError, UsageError
from routestudio.hazards import server_file
from routestudio.project.dotenv import MAX_ENV, parse_env
from routestudio.project.files import read_own
from routestudio.project.server_keys import TOP

Emit = Callable[[str, dict[str, Any]], None]


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class TransferMethods:
    """Requests that compare the open project with a server's configuration."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {"plan": self.plan}

    async def plan(
        self,
        *,
        against: str | None = None,
        server: str | None = None,
        sample: str | None = None,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """What the project, as it is now, changes of a file or of a server (`engine.plan`).

        A server's token is in the engine's environment. Raises `UsageError` unless one of the two
        is named.
        """
        if bool(against) == bool(server):
            raise UsageError("name one thing to compare with", hint="a file or a server")
        workspace = self._service.workspace
        with ExitStack() as stack:
            if server:
                other = await planning.open_server(workspace, server, stack)
            else:
                other = planning.open_other(workspace, Path(str(against)))
            sources = planning.sources_of(workspace, sample, None)
            found = (await planning.plan(workspace, other, sources)).as_json()
        cleaned = _cleaned(found, lambda text: other.redact(workspace.redact(text)))
        assert isinstance(cleaned, dict)
        return cleaned


def summary(workspace: Workspace) -> dict[str, Any]:
    """What an import brought: `secrets` that moved to `.env`, and what was `kept` without being
    understood, each with `line` and `message`."""
    document = workspace.project.document
    project = workspace.project.project
    try:
        text = read_own(workspace.project.root, ".env", limit=MAX_ENV)
        secrets = sorted(parse_env(text or "", ".env"))
    except ProjectError:
        secrets = []
    kept = [
        {"line": document.position((key,))[0], "message": f"the key `{key}`"}
        for key in map(str, document.plain())
        if key not in TOP
    ]
    kept += [
        {"line": problem.place.line, "message": problem.message}
        for problem in project.problems
        if problem.code in ("server_only", "unknown_key") and len(problem.place.path) > 1
    ]
    kept += [
        {"line": item.line, "message": item.message}
        for item in server_file.findings(
            document.plain(), project.file.name, document.position, workspace.registry.names()
        )
        if item.code == "ignored"
    ]
    return {"secrets": secrets, "kept": sorted(kept, key=lambda item: int(item["line"] or 0))}


def _cleaned(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _cleaned(item, redact) for key, item in value.items()}
    return [_cleaned(item, redact) for item in value] if isinstance(value, list) else value
