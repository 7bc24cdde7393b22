"""Hazards of Azure Event Hubs, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("AZR-01", "M", "function", "No default hub",
           "The console shows a default hub, and there is none: a message without a hub fails.",
           "Return `event_hub_name` on every way.",
           "detected", "Sample rows without a hub."),
    Hazard("AZR-02", "M", "sink", "A body with a wrapper",
           "Consumers find the message under `data`, not at the top as documented.",
           "Read `data`.",
           "avoided", "The preview shows the body as it is sent."),
)  # fmt: skip


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    if problem.field == "event_hub_name" and outcome.values.get("event_hub_name") is None:
        return "AZR-01"
    return None


KNOWN: Final = Known(
    "Azure Event Hubs",
    _HAZARDS,
    also=(
        "GEN-32",
        "GEN-33",
    ),
    url_fields=("event_hub_name",),
    explain=_explain,
)


@rule("AZR-01")
def no_hub(view: SinkView) -> Iterator[Finding]:
    """Messages without an event hub."""
    failed = [item for item, _ in failing(view, "AZR-01")]
    if failed:
        yield view.at_routing("AZR-01", f"no `event_hub_name` in {counted(failed)}, and there is "
                              "no default", "return it on every way through the function",
                              "event_hub_name")  # fmt: skip
