"""Hazards of Typesense, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_TWO_IDS: Final = "make the document's id of the primary key"

_HAZARDS: Final = (
    Hazard("TYP-01", "L", "function", "A starter without the prefix",
           "The starter's collection differs from the default one.",
           "Compare destinations before you ship.",
           "avoided", "A starter gives exactly the defaults."),
    Hazard("TYP-02", "L", "sink", "Other time-outs than documented",
           "The time-out is 10 s and may be up to 3600 s.", "Write it out.",
           "avoided", "Form and page have the real numbers."),
    Hazard("TYP-03", "M", "sample", "Numbers as ids",
           "A numeric id is converted for deletes only; documents with one are refused.",
           "Make ids text in the transform.",
           "detected", "Ids of sample rows. RouteStudio converts them."),
    Hazard("TYP-04", "L", "sink", "A test without a collection",
           "The test of a dynamic sink asks for a collection without a name.",
           "Ignore its verdict.",
           "avoided", "The check asks for the sampled collections."),
    Hazard("TYP-05", "H", "sink", "Documents without an id",
           "Without a transform that gives `id`, rows get random ids and deletes never work.",
           "Add a transform that returns the record with its id.",
           "detected", "Sinks without a transform, and sample rows without an id."),
)  # fmt: skip


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    if problem.stage != "encode":
        return None
    payload = outcome.payload
    return None if isinstance(payload, dict) and payload.get("id") else "TYP-05"


def _two_ids(view: SinkView) -> Iterator[Finding]:
    for pair in view.bare:
        full, bare = pair.original.payload, pair.variant.payload
        if isinstance(full, dict) and isinstance(bare, dict) and pair.original.values:
            was, now = full.get("id"), bare.get("id")
            if was is not None and now is not None and was != now:
                yield view.at_row("GEN-34", f"the row's document has the id {quote(was)}, and "
                                  f"its delete, with the key only, {quote(now)}", _TWO_IDS,
                                  pair.original, field="id")  # fmt: skip
                return


KNOWN: Final = Known(
    "Typesense",
    _HAZARDS,
    also=(
        "GEN-32",
        "GEN-33",
        "GEN-34",
        "YML-07",
    ),
    places=("collection_name",),
    documents=True,
    url_fields=("collection_name",),
    url_ids=True,
    lost_defaults=("batch_size", "timeout_seconds"),
    explain=_explain,
    finds={"GEN-34": _two_ids},
)


@rule("TYP-05")
def no_document_id(view: SinkView) -> Iterator[Finding]:
    """Documents without an id."""
    if view.spec.transform is None:
        yield view.at_key("TYP-05", "without a transform documents have no `id`: rows get random "
                          "ids, and deletes never work", "add a transform that returns the record "
                          'with `"id"` as text', "transform")  # fmt: skip
        return
    failed = [item for item, _ in failing(view, "TYP-05")]
    if failed:
        yield view.at_row("TYP-05", f"the transform gives no `id` for {counted(failed)}",
                          'return `"id"` for every action', failed[0], field="id")  # fmt: skip


@rule("TYP-03")
def numeric_id(view: SinkView) -> Iterator[Finding]:
    """Ids that Typesense refuses because they are numbers."""
    if view.transform is None:
        return
    bad = [i for i in view.kept if isinstance(i.payload, dict)
           and type(i.payload.get("id")) in (int, float)]  # fmt: skip
    if bad:
        yield view.at_row("TYP-03", f"`id` of {counted(bad)} is the number {bad[0].payload['id']}; "
                          "a server sends it as it is, and Typesense refuses it",
                          "make it text in the transform", bad[0], field="id")  # fmt: skip
