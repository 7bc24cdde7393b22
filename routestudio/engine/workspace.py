"""The open project and what is prepared from it: bound sinks, stages, links.

Preview, check, run, test and export all start here, so they see the same route.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from routestudio.errors import ConfigError, FieldProblem, Place, ProjectError, UsageError
from routestudio.functions.pool import FunctionPool
from routestudio.model import confinement
from routestudio.model.fields import Ref, Secret
from routestudio.model.function import Function, FunctionKind
from routestudio.model.project import ProjectProblem, SinkSpec
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.project import environments
from routestudio.project.redaction import Redactor, user_infos
from routestudio.project.store import OpenProject
from routestudio.sinks.base import Link, Sink, StandinAddress
from routestudio.sinks.binding import BoundSink, examine
from routestudio.sinks.fields import config_fields, secret_names, secret_values
from routestudio.sinks.registry import Registry


class Opened(Protocol):
    """Whoever has an open project, as requests about it need it."""

    @property
    def workspace(self) -> Workspace:
        """The open project. Raises `UsageError` when there is none."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """The project as plain data (`engine.snapshot`)."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedSink:
    """One sink of the project, ready for preview; ready for delivery when `problems` is empty."""

    spec: SinkSpec
    sink: type[Sink]
    bound: BoundSink
    functions: SinkFunctions
    stages: Stages
    problems: tuple[FieldProblem, ...]

    def link(self) -> Link:
        """A new idle link. Raises `ConfigError` while there are problems.

        Raises `UsageError` for a client certificate that cannot be read.
        """
        return self.sink.connect(self.ready_config())

    def ready_config(self) -> Any:
        """The configuration of a sink that may be connected to. Raises as `link` does."""
        self.require_ready()
        if os.environ.get("ROUTESTUDIO_CLIENT_CERT"):
            from routestudio.sinks._shared.tls import load

            load()
        return self.bound.config

    def require_ready(self) -> None:
        """Raise `ConfigError` with every problem that stands in the way of a delivery."""
        if self.problems:
            raise ConfigError(f"sink `{self.spec.name}` is not ready", self.problems)


def _not_shown(found: list[dict[str, str]]) -> None:
    """Refuse what would send variables that the user was not asked about."""
    if found:
        first = found[0]
        raise UsageError(
            f"database `{first['database']}` takes `{first['variable']}` from your environment, "
            f"not from the project's .env, and would send it to {first['host']}",
            hint="check the database, which asks you first, or add the variable to .env",
        )


class Workspace:
    """An open project with its environment. Paths of samples and files are relative to it."""

    def __init__(self, project: OpenProject, registry: Registry, pool: FunctionPool) -> None:
        self.project = project
        self.registry = registry
        self.pool = pool
        self._secrets: set[str] = set()
        self._hidden: frozenset[str] = frozenset()
        self._hides = Redactor(())
        self._specs: tuple[Any, dict[str, SinkSpec]] = (None, {})
        self.around: Any = None
        # Called with variables of the user before they go to a database (`databases.outside_of`).
        self.shown: Callable[[list[dict[str, str]]], None] = _not_shown
        self.states: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.kept_rows: dict[tuple[str, int, int], Any] = {}
        self.queries: dict[Any, Any] = {}
        self.agreed: set[tuple[str, str]] = set()
        self.seen: dict[str, Any] = {}

    @classmethod
    def open(
        cls, path: Path, registry: Registry, pool: FunctionPool, environment: str | None = None
    ) -> Workspace:
        """Open a project folder or file, with the variables of an environment.

        Raises `ProjectError`, and `UsageError` for an environment that is not there.
        """
        project = OpenProject.open(path, registry.names())
        if environment is not None:
            environments.use(project, environment)
        pool.expect(project.project.functions)
        return cls(project, registry, pool)

    def spec(self, name: str) -> SinkSpec:
        """The sink of that name.

        Raises `UsageError` that lists the known ones, or `ProjectError` when the file has such a
        sink that cannot be read.
        """
        project = self.project.project
        if self._specs[0] is not project:
            self._specs = (project, {spec.name: spec for spec in project.sinks})
        specs = self._specs[1]
        if name not in specs:
            for problem in project.problems:
                about = not specs or problem.place.path[:2] == ("sinks", name)
                if problem.severity == "error" and about:
                    raise _error(problem, project.file)
            known = ", ".join(sorted(specs)) or "the project has none"
            place = Place(str(project.file))
            raise UsageError(f"there is no sink `{name}`", place=place, hint=f"known: {known}")
        return specs[name]

    def require_sound(self, prepared: PreparedSink) -> None:
        """Raise `ProjectError`, with file and line, for the first thing that must be corrected.

        Variables that are not set are not that: they may be set where the route will run. Nor are
        secrets that a server masked: only a delivery needs them.
        """
        spec, project = prepared.spec, self.project.project
        used = {spec.filter, spec.transform, spec.routing, spec.enrichment} - {None}
        for problem in project.problems:
            kind, name = (*problem.place.path, "", "")[:2]
            about = name == spec.name if kind == "sinks" else name in used
            if problem.severity == "error" and about and problem.code != "masked_secret":
                raise _error(problem, project.file)
        unset = self.unset(spec, prepared.sink)
        for found in prepared.problems:
            key = found.field.split(".")[0]
            if not unset.get(key):
                line, column = self.project.document.position(
                    ("sinks", spec.name, "destination", key)
                )
                raise ProjectError(
                    f"sink `{spec.name}`: {found.field} {found.message}",
                    place=Place(str(project.file), line, column), hint=found.hint,
                )  # fmt: skip

    def function(self, name: str | None, kinds: tuple[FunctionKind, ...]) -> Function | None:
        """The function of that name. Raises `UsageError` when missing or of another kind."""
        if name is None:
            return None
        for function in self.project.project.functions:
            if function.name == name:
                if function.kind not in kinds:
                    raise UsageError(
                        f"function `{name}` is a {function.kind.value} function",
                        hint=f"choose one of kind {' or '.join(k.value for k in kinds)}",
                    )
                return function
        raise UsageError(f"there is no function `{name}`", hint="add it under `functions`")

    def prepare(
        self,
        name: str,
        *,
        standin: StandinAddress | None = None,
        code: Mapping[str, str] | None = None,
        use: Mapping[str, str] | None = None,
        max_overruns: int | None = 5,
        for_delivery: bool = False,
    ) -> PreparedSink:
        """Bind one sink and build its stages.

        `standin` points it at a stand-in; `code` maps function names to text that is not yet part
        of the project (being typed); `use` names functions by role that the sink is to have
        instead of the configured one. With `for_delivery` unset variables are problems; without,
        they only are where a value is needed.
        """
        spec = self.spec(name)
        for role, function in (use or {}).items():
            if role in ("routing", "filter", "transform", "enrichment"):
                spec = replace(spec, **{role: function})  # type: ignore[arg-type]
        sink = self.registry.get(spec.type)
        problems: list[FieldProblem] = []
        functions = self._functions(spec, sink, code or {}, problems)
        environment = self.project.environment
        destination = environment.resolve(dict(spec.destination))
        endpoints = environment.resolve(
            {key: dict(value) for key, value in self.project.project.http_endpoints.items()}
        )
        unset = self.unset(spec, sink)
        if standin is not None:
            # A stand-in takes any credentials, so a route can be tried before there are some.
            destination |= {
                field.name: field.rule.sample("stand-in")
                for field in config_fields(sink.Config)
                if unset.get(field.name) and isinstance(field.rule, Secret)
            }
        bound, found = examine(
            sink,
            destination,
            dynamic=spec.routing is not None,
            resources={"http_endpoints": endpoints},
            batch_size=spec.batch_size,
        )
        broken = {problem.field.split(".")[0] for problem in found}
        problems += [
            FieldProblem(
                key, f"variable `{name}` is not set", f"set {name} or add it to {environment.file}"
            )
            for key, names in unset.items()
            if for_delivery or key in broken
            for name in names
        ]
        if for_delivery:
            problems += self._masked(spec)
        # What is wrong with a value that is not there is reported with its variable.
        problems += [item for item in found if not unset.get(item.field.split(".")[0])]
        problems += confinement.problems(spec.annotations, sink.Routing.model_fields)
        self._secrets |= secret_values(bound.config) | set(user_infos([destination, endpoints]))
        if standin is not None and bound.config is not None:
            bound = replace(bound, config=sink.at_standin(bound.config, standin))
        stages = Stages(bound, spec, functions, self.pool, max_overruns=max_overruns)
        return PreparedSink(spec, sink, bound, functions, stages, tuple(problems))

    def keep_secret(self, text: str) -> None:
        """A secret that was found outside of a sink's configuration: it is shown nowhere."""
        if text:
            self._secrets |= {text}

    def redact(self, text: str) -> str:
        """`text` without any secret that the environment or a sink's configuration holds."""
        return self._redactor.redact(text)

    def redact_data(self, value: Any) -> Any:
        """Plain data without any such secret in its texts."""
        return self._redactor.redact_data(value)

    @property
    def _redactor(self) -> Redactor:
        values = self.project.environment.hidden | self._secrets
        if values != self._hidden:
            self._hidden, self._hides = values, Redactor(values)
        return self._hides

    def secret_keys(self, sink_type: str) -> frozenset[str]:
        """Destination keys of a sink type that hold secrets; none for unknown types."""
        if sink_type not in self.registry:
            return frozenset()
        return secret_names(self.registry.get(sink_type))

    def _functions(
        self,
        spec: SinkSpec,
        sink: type[Sink],
        code: Mapping[str, str],
        problems: list[FieldProblem],
    ) -> SinkFunctions:
        def find(name: str | None, *kinds: FunctionKind) -> Function | None:
            function = self.function(name, kinds)
            if function is not None and function.name in code:
                function = replace(function, code=code[function.name])
            return function

        routing = find(spec.routing, FunctionKind.ROUTING)
        if routing is not None and routing.sink_type is not None:
            kind = routing.sink_type
            if kind not in self.registry or self.registry.get(kind) is not sink:
                problems.append(
                    FieldProblem(
                        "routing",
                        f"function `{routing.name}` routes for `{kind}`, this sink is `{sink.key}`",
                        "choose a function of this sink type",
                    )
                )
        return SinkFunctions(
            filter=find(spec.filter, FunctionKind.FILTER),
            routing=routing,
            transform=find(spec.transform, FunctionKind.TRANSFORM, FunctionKind.PATH),
            enrichment=find(spec.enrichment, FunctionKind.ENRICHMENT),
        )

    def _masked(self, spec: SinkSpec) -> list[FieldProblem]:
        """Secrets of a sink and its endpoint that a server masked: nothing is sent with them."""
        endpoint = str(spec.destination.get("http_endpoint"))
        return [
            FieldProblem(problem.place.path[-1], "is a masked secret, not the real one",
                         problem.hint)
            for problem in self.project.project.problems
            if problem.code == "masked_secret"
            and problem.place.path[:2] in (("sinks", spec.name), ("http_endpoints", endpoint))
        ]  # fmt: skip

    def unset(self, spec: SinkSpec, sink: type[Sink]) -> dict[str, list[str]]:
        """Variables without a value, per key of the destination and the entry it names."""
        used: dict[str, list[Any]] = {key: [value] for key, value in spec.destination.items()}
        endpoints = self.project.project.http_endpoints
        for field in config_fields(sink.Config):
            name = spec.destination.get(field.name)
            if isinstance(field.rule, Ref) and isinstance(name, str) and name in endpoints:
                used[field.name].append(dict(endpoints[name]))
        missing = self.project.environment.missing
        return {key: sorted(missing(values)) for key, values in used.items()}


def source_of(params: Mapping[str, Any]) -> tuple[str, str]:
    """The kind and value of the source that a request names: `sample`, `input` or `text`."""
    for kind in ("sample", "input", "text"):
        if isinstance(params.get(kind), str):
            return kind, params[kind]
    raise UsageError("no source of messages is given", hint="name a sample or an input file")


def _error(problem: ProjectProblem, file: Path) -> ProjectError:
    place = Place(str(file), problem.place.line, problem.place.column)
    return ProjectError(problem.message, place=place, hint=problem.hint)
