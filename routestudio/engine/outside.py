"""Which variables from outside of a project go to which host, and which databases it asks.

References are resolved from the environment of the process as well, so a project of somebody else
could send the user's own variables away, or read a database of the user's. Before the first check
or run the user is shown which, and before an enrichment is evaluated anywhere.
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


def outside(
    workspace: Workspace, sinks: Iterable[str], databases: Iterable[str] = ()
) -> list[dict[str, str]]:
    """`variable`, `host`, and `sink` or `database`, of what the user has not been shown yet.

    One about a database of an enrichment has `enrichment` and `text`, too (`enrichments`).
    """
    sinks = list(sinks)
    known = _known(workspace)
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
    for name in databases:
        from routestudio.engine.databases import outside_of  # few commands need it

        for item in outside_of(workspace, name):
            found.setdefault((item["variable"], item["host"]), item)
    return [*found.values(), *enrichments(workspace, sinks)]


def enrichments(workspace: Workspace, sinks: Iterable[str]) -> list[dict[str, str]]:
    """Databases that enrichments of these sinks read, and the variables of the user that go there,
    as far as the user has not been shown them yet; `text` is the whole sentence."""
    known = _known(workspace)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name in sinks:
        if workspace.spec(name).enrichment is None:
            continue
        from routestudio.engine import enrichment
        from routestudio.engine.databases import entry_of

        wanted = enrichment.wanted(workspace, workspace.prepare(name))
        if not isinstance(wanted, enrichment.Wanted):
            continue
        entry = entry_of(workspace, wanted.database)
        host, where = wanted.pair[1], wanted.server.where
        variables = workspace.project.environment.from_outside(dict(entry))
        for variable in sorted(variables):
            text = (f"`{variable}` comes from your environment, not from the project's .env, and "
                    f"goes to {where}")  # fmt: skip
            found.setdefault((variable, host), {"variable": variable, "host": host, "sink": name,
                                                "text": text})  # fmt: skip
        text = f"the enrichment `{wanted.function.name}` of sink `{name}` reads {where}"
        item = {"variable": wanted.pair[0], "host": host, "sink": name, "text": text,
                "enrichment": wanted.function.name}  # fmt: skip
        found.setdefault(wanted.pair, item)
    return [item for pair, item in found.items() if pair not in known]


def _known(workspace: Workspace) -> set[tuple[str, str]]:
    """What the user has been shown: kept for the project, or in this session."""
    return ProjectState(workspace.project.root).agreed() | workspace.agreed


def agree(workspace: Workspace, items: Iterable[Mapping[str, str]]) -> None:
    """Keep that the user was shown these."""
    pairs = [(item["variable"], item["host"]) for item in items]
    workspace.agreed |= set(pairs)
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
        self,
        sinks: Sequence[str] = (),
        standin: bool = False,
        databases: Sequence[str] = (),
        *,
        emit: Emit | None = None,
    ) -> list[dict[str, str]]:
        """`variable`, `host`, and `sink` or `database`, of what was not agreed to yet; for a
        stand-in, and for a preview, only what concerns databases of enrichments."""
        if standin:
            return enrichments(self._service.workspace, sinks)
        return outside(self._service.workspace, sinks, databases)

    async def agree_outside(
        self, items: Sequence[Mapping[str, str]], *, emit: Emit | None = None
    ) -> int:
        """Keep that the user agreed to these; returns how many."""
        agree(self._service.workspace, items)
        return len(items)
