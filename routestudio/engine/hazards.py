"""Makes what the hazard rules look at of an open project, and asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import FieldProblem
from routestudio.hazards import linting
from routestudio.model.fields import RuleError
from routestudio.model.function import Function, FunctionKind
from routestudio.model.hazard import Finding
from routestudio.model.message import Message
from routestudio.samples.variants import key_columns
from routestudio.sinks.fields import config_fields, routed_fields, static_fields
from routestudio.sinks.hazard_view import Keys, SinkView
from routestudio.sinks.hazards import by_sink

Samples = Mapping[str, Sequence[Message]]
"""Messages by the file they are in, relative to the project folder."""


def keys_of(samples: Samples) -> Keys:
    """Columns of the primary keys of all tables in the samples."""
    return key_columns(message for messages in samples.values() for message in messages)


async def hazards_of(
    workspace: Workspace, prepared: PreparedSink, samples: Samples, keys: Keys
) -> list[Finding]:
    """What the rules find in one sink. Raises `WorkerError` when there is no function worker."""
    view = await view_of(workspace, prepared, samples, keys)
    return list(linting.findings(view))


async def view_of(
    workspace: Workspace, prepared: PreparedSink, samples: Samples, keys: Keys
) -> SinkView:
    """One sink as rules see it, with the samples and their variants evaluated."""
    project, spec, bound = workspace.project.project, prepared.spec, prepared.bound
    evaluated = await linting.evaluate(prepared.stages, samples, keys)
    raw = workspace.project.document.plain(("sinks", spec.name))
    by_name = {function.name: function for function in project.functions}
    enrichment = by_name.get(spec.enrichment or "")
    endpoint = project.http_endpoints.get(str(spec.destination.get("http_endpoint")), {})
    functions = prepared.functions
    config: dict[str, Any] = {}
    if bound.config is not None:
        config = {f.name: getattr(bound.config, f.name) for f in config_fields(type(bound.config))}
    return SinkView(
        spec=spec,
        file=project.file.name,
        raw=raw if isinstance(raw, dict) else {},
        destination=spec.destination,
        config=config,
        endpoint=endpoint,
        static=bound.static,
        dynamic=bound.dynamic,
        ignored=bound.ignored,
        problems=prepared.problems,
        advice=_advice(prepared),
        fixed_batch=prepared.sink.batch.fixed,
        own_batch=any(f.name == "batch_size" for f in config_fields(prepared.sink.Config)),
        known=by_sink()[prepared.sink.key],
        usual_batch=prepared.sink.batch.default,
        max_record=prepared.sink.max_record,
        text_fields=frozenset(
            f.name for f in routed_fields(prepared.sink) if f.rule.kind == "text"
        ),
        routing=await _analysis(workspace, functions.routing),
        filter=await _analysis(workspace, functions.filter),
        transform=await _analysis(workspace, functions.transform),
        enrichment=enrichment.code if enrichment is not None else None,
        enrichments=any(f.kind is FunctionKind.ENRICHMENT for f in project.functions),
        outcomes=evaluated.outcomes,
        bare=evaluated.bare,
        reads=evaluated.reads,
        olds=evaluated.olds,
        typings=evaluated.typings,
        keys=keys,
        before=tuple(takewhile(lambda other: other.name != spec.name, project.sinks)),
        position=workspace.project.document.position,
    )


async def _analysis(workspace: Workspace, function: Function | None) -> Any:
    """What the text of a function says, where a worker could check it."""
    if function is None:
        return None
    found = await workspace.pool.check(function)
    if any(item.code == "not_checked" for item in found):
        return None
    return await workspace.pool.analysis(function)


def _advice(prepared: PreparedSink) -> tuple[FieldProblem, ...]:
    """What routing or the service may refuse of static values that may be saved."""
    found = []
    for field in static_fields(prepared.sink):
        value = prepared.bound.static.get(field.name)
        if value is None:
            continue
        texts: tuple[str, ...]
        try:
            texts = field.rule.warnings(field.rule.cast(value))
        except RuleError as error:
            texts = tuple(f"{text}; it fails at delivery" for text in error.messages)
        found += [FieldProblem(field.yaml_name, text) for text in texts]
    return tuple(found)
