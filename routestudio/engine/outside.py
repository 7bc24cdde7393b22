"""Which variables from outside of a project go to which host.

References are resolved from the environment of the process as well, so a project of somebody else
could send the user's own variables away. Before the first check or run the user is shown which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from routestudio.engine.targets import target_of
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.functions import walls
from routestudio.project.user_state import ProjectState

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Emit = Callable[[str, dict[str, Any]], None]


def outside(workspace: Workspace, sinks: Iterable[str]) -> list[dict[str, str]]:
    """`variable`, `host` and `sink` of what the user has not been shown yet, in order."""
    known = ProjectState(workspace.project.root).agreed()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name in sinks:
        used = _used(workspace, name)
        variables = workspace.project.environment.from_outside(used)
        if variables:
            host = _host(workspace, name)
            for variable in sorted(variables):
                if (variable, host) not in known:
                    item = {"variable": variable, "host": host, "sink": name}
                    found.setdefault((variable, host), item)
    return list(found.values())


def agree(workspace: Workspace, items: Iterable[Mapping[str, str]]) -> None:
    """Keep that the user was shown these."""
    pairs = [(item["variable"], item["host"]) for item in items]
    if pairs:
        ProjectState(workspace.project.root).agree(pairs)


def _used(workspace: Workspace, name: str) -> list[Any]:
    """What a delivery of a sink may send: its destination, and the endpoint that it names."""
    spec = workspace.spec(name)
    endpoint = spec.destination.get("http_endpoint")
    endpoints = workspace.project.project.http_endpoints
    known = endpoints.get(endpoint) if isinstance(endpoint, str) else None
    return [dict(spec.destination), dict(known or {})]


def _host(workspace: Workspace, name: str) -> str:
    """Where a sink delivers to, without secrets."""
    try:
        found = target_of(workspace.prepare(name).bound.config)
    except RouteStudioError:
        found = None
    return found or "a host that is not known yet"


class OutsideMethods:
    """The same for the window, which asks before it checks or runs."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "outside_variables": self.outside_variables, "agree_outside": self.agree_outside,
            "walls": self.walls,
        }  # fmt: skip

    async def walls(self, *, emit: Emit | None = None) -> str:
        """Which walls stand around functions on this system, and what they leave open."""
        return walls.sentences(await self._service.pool.doors())

    async def outside_variables(
        self, sinks: Sequence[str], *, emit: Emit | None = None
    ) -> list[dict[str, str]]:
        """`variable`, `host` and `sink` of what was not agreed to yet."""
        return outside(self._service.workspace, sinks)

    async def agree_outside(
        self, items: Sequence[Mapping[str, str]], *, emit: Emit | None = None
    ) -> int:
        """Keep that the user agreed to these; returns how many."""
        agree(self._service.workspace, items)
        return len(items)
