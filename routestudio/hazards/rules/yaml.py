"""Rules about the YAML file, and the hazards that its reader and the sinks' rules find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.errors import FieldProblem
from routestudio.model.hazard import Finding
from routestudio.model.project import ProjectProblem
from routestudio.sinks.hazard_view import Known, SinkView
from routestudio.sinks.hazards import by_sink, rule

_NOT_IN_YAML: Final = frozenset(
    {"ack_wait_ms", "batch_timeout_ms", "max_memory_mb", "partition_count", "max_ack_pending",
     "max_deliver", "max_waiting"}
)  # fmt: skip


def of_project(problem: ProjectProblem) -> str | None:
    """Id of the hazard that a problem of the file is, if any."""
    key = problem.place.path[-1] if problem.place.path else ""
    match problem.code:
        case "masked_secret":
            return "YML-08"
        case "function_kind":
            return "GEN-24"
        case "range" if key == "max_retry_count":
            return "GEN-12"
        case "wrong_type" if key in ("batch_size", "max_retry_count") and "${" in str(problem.hint):
            return "YML-03"
        case "sink_type":
            return "YML-04"
        case "unknown_key" if key in _NOT_IN_YAML:
            return "YML-05"
    return None


def of_field(sink_type: str, problem: FieldProblem) -> str | None:
    """Id of the hazard that a problem of a destination is, if any."""
    if problem.field == "routing":
        return "GEN-23"
    if problem.message == "unknown key":
        known = by_sink().get(sink_type, Known())
        return "YML-09" if problem.field in known.dead_keys else "YML-04"
    return None


@rule("YML-06")
def kept_enrichment(view: SinkView) -> Iterator[Finding]:
    """A sink that leaves `enrichment` out in a project that uses one."""
    if view.enrichments and "enrichment" not in view.raw:
        yield view.at_key("YML-06", "`enrichment` is left out, and a server then keeps the one "
                          "that it has", "write `enrichment: none`", "enrichment")  # fmt: skip


@rule("YML-07")
def lost_defaults(view: SinkView) -> Iterator[Finding]:
    """Keys that must be written because a server loses their default."""
    lost = [k for k in view.known.lost_defaults if view.destination.get(k) is None]
    if lost:
        names = " and ".join(f"`{key}`" for key in lost)
        values = ", ".join(f"`{key}: {view.config.get(key)}`" for key in lost if key in view.config)
        yield view.at_key("YML-07", f"{names} must be written: a server takes a missing key for "
                          "null, not for its default", f"write {values}" if values else "write it",
                          "destination", severity="warning")  # fmt: skip


@rule("YML-09")
def dead_keys(view: SinkView) -> Iterator[Finding]:
    """Keys that servers document and ignore."""
    unknown = {p.field for p in view.problems if p.message == "unknown key"}
    for key, why in view.known.dead_keys.items():
        if key in view.destination and key not in unknown:
            yield view.at_key("YML-09", f"a server ignores `{key}`: {why}", "remove it",
                              "destination", key)  # fmt: skip
