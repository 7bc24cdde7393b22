"""From the raw values of a destination to a validated sink: one place for all surfaces."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from routestudio.errors import ConfigError, FieldProblem
from routestudio.model.fields import Ref, RuleError, Static
from routestudio.sinks.base import BatchLimits, Sink
from routestudio.sinks.fields import config_fields, resources, static_fields

Resources = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Project resources by YAML key and name, references already resolved."""


@dataclass(frozen=True, slots=True)
class BoundSink:
    """A sink type with validated configuration and static routing values.

    `static` maps routed field names to values. In dynamic mode it is empty and `ignored` holds
    what the file sets but a server does not use then.
    """

    sink: type[Sink]
    config: Any
    static: Mapping[str, Any]
    dynamic: bool
    limits: BatchLimits
    ignored: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Destination:
    """The raw values of a destination, sorted into what they are for."""

    config: Mapping[str, Any]
    static: Mapping[str, Any]
    unknown: tuple[FieldProblem, ...]


def split(sink: type[Sink], destination: Mapping[str, Any]) -> Destination:
    """Sort raw destination values into configuration and static routing; name unknown keys."""
    config_names = {f.name for f in config_fields(sink.Config)}
    static_names = {f.yaml_name for f in static_fields(sink)}
    known = config_names | static_names
    unknown = [unknown_key(key, known) for key in destination if key not in known and key != "type"]
    return Destination(
        {k: v for k, v in destination.items() if k in config_names},
        {k: v for k, v in destination.items() if k in static_names},
        tuple(unknown),
    )


def unknown_key(key: object, known: Iterable[str]) -> FieldProblem:
    """The problem of a key that is not one of `known`, with the nearest name as a hint."""
    names = sorted(known)
    near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
    return FieldProblem(str(key)[:80], "unknown key", hint)


def examine(
    sink: type[Sink],
    destination: Mapping[str, Any],
    *,
    dynamic: bool,
    resources: Resources | None = None,
    batch_size: int | None = None,
) -> tuple[BoundSink, tuple[FieldProblem, ...]]:
    """Validate a destination and keep what is good of it, with every problem.

    With problems in the configuration, `config` of the result is `None`: such a sink can be
    previewed (without requests), but neither checked nor run.
    """
    parts = split(sink, destination)
    problems = list(parts.unknown)
    values = _with_resources(sink, parts.config, resources or {}, problems)
    config = _validate(sink.Config, values, problems)
    static, ignored = _static(sink, parts.static, dynamic, problems)
    sound = config if config is not None else _without_broken(sink.Config, values, problems)
    limits = sink.limits(sound, batch_size)
    return BoundSink(sink, config, static, dynamic, limits, ignored), tuple(problems)


def _without_broken(
    model: type[BaseModel], values: Mapping[str, Any], problems: Iterable[FieldProblem]
) -> BaseModel:
    """A configuration of the values without a problem and of defaults, to read limits from."""
    broken = {problem.field.split(".")[0] for problem in problems}
    whole = {k: v for k, v in values.items() if k not in broken and type(v) in (bool, int)}
    return model.model_construct(None, **whole)


def bind(
    sink: type[Sink],
    destination: Mapping[str, Any],
    *,
    dynamic: bool,
    resources: Resources | None = None,
    batch_size: int | None = None,
) -> BoundSink:
    """Validate a destination as a whole. Raises `ConfigError` that lists every problem."""
    bound, problems = examine(
        sink, destination, dynamic=dynamic, resources=resources, batch_size=batch_size
    )
    if problems:
        raise ConfigError(f"{sink.title} sink", problems)
    return bound


def _static(
    sink: type[Sink],
    raw: Mapping[str, Any],
    dynamic: bool,
    problems: list[FieldProblem],
) -> tuple[dict[str, Any], dict[str, Any]]:
    given = {k: v for k, v in raw.items() if v is not None}
    if dynamic:
        return {}, given
    values: dict[str, Any] = {}
    for field in static_fields(sink):
        value = given.get(field.yaml_name)
        if value is None or value == "":
            if field.routed.static is Static.REQUIRED:
                problems.append(
                    FieldProblem(
                        field.yaml_name,
                        "is required while routing is static",
                        "enter a value or choose a routing function",
                    )
                )
            continue
        try:
            values[field.name] = field.static_rule.cast(value)
        except RuleError as error:
            problems.extend(
                FieldProblem(field.yaml_name, text, error.hint) for text in error.messages
            )
    return values, {}


def _with_resources(
    sink: type[Sink],
    raw: Mapping[str, Any],
    available: Resources,
    problems: list[FieldProblem],
) -> dict[str, Any]:
    values = dict(raw)
    for field, rule in resources(sink):
        name = values.get(field.name)
        entries = available.get(rule.resource, {})
        if not isinstance(name, str) or rule.model is None:
            continue
        if name not in entries:
            near = difflib.get_close_matches(name, entries, n=1)
            hint = (
                f"did you mean `{near[0]}`?"
                if near
                else f"add it under `{rule.resource}`"
                if not entries
                else f"known: {', '.join(sorted(entries))}"
            )
            problems.append(FieldProblem(field.name, f"`{name}` is not in `{rule.resource}`", hint))
            values[field.name] = None
            continue
        found: list[FieldProblem] = []
        values[field.name] = _validate(rule.model, dict(entries[name]), found)
        problems.extend(FieldProblem(f"{field.name}.{p.field}", p.message, p.hint) for p in found)
    return values


def _validate(
    model: type[BaseModel], values: dict[str, Any], problems: list[FieldProblem]
) -> BaseModel | None:
    fields = {f.name: f for f in config_fields(model)}
    known = set(fields)
    values = {
        name: value
        for name, value in values.items()
        if value is not None or name not in fields or fields[name].optional
    }
    blank = {n for n, v in values.items() if v == "" and n in fields and fields[n].optional}
    values = {n: None if n in blank else v for n, v in values.items()}
    before = len(problems)
    named = {p.field for p in problems}
    try:
        instance = model.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            name = ".".join(str(part) for part in item["loc"]) or "destination"
            if item["type"] == "extra_forbidden":
                problems.append(unknown_key(item["loc"][-1], known))
            elif item["type"] == "missing":
                if name not in named and not _reference_failed(fields[name].rule, name, named):
                    problems.append(FieldProblem(name, "is required"))
            else:
                hint = (item.get("ctx") or {}).get("hint")
                problems.append(FieldProblem(name, item["msg"], hint))
        broken = {p.field for p in problems[before:]}
        problems.extend(_cross(model, values, broken))
        return None
    found = _cross(model, {name: getattr(instance, name) for name in fields}, set())
    problems.extend(found)
    return None if found else instance


def _reference_failed(rule: object, name: str, named: set[str]) -> bool:
    return isinstance(rule, Ref) and any(n.startswith(f"{name}.") for n in named)


def _cross(
    model: type[BaseModel], values: Mapping[str, Any], broken: set[str]
) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for rule in getattr(model, "rules", ()):
        for name, text in rule.problems(values):
            if name not in broken and all(p.field != name for p in found):
                found.append(FieldProblem(name, text))
    return found
