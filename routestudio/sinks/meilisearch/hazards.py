"""Hazards of Meilisearch, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_TWO_IDS: Final = "make the document's id of the primary key"

_HAZARDS: Final = (
    Hazard("MEI-01", "M", "function", "No default index",
           "The console shows a default index, and there is none.",
           "Return `index_name` on every way.",
           "detected", "Sample rows without an index."),
    Hazard("MEI-02", "L", "function", "Edits need a filter",
           "The console calls `filter` optional, and an edit without it is refused.",
           "Return it.",
           "detected", "Sample rows with the action `function`."),
    Hazard("MEI-03", "L", "sink", "Another batch size than documented",
           "Batches hold 100 documents, not 40.", "Write it out.",
           "avoided", "Form and page have the real number."),
    Hazard("MEI-04", "M", "sink", "Replaced, not updated",
           "Documents are replaced as a whole, although the console speaks of partial updates.",
           "Send whole documents.",
           "avoided", "The preview shows the request and the whole document."),
    Hazard("MEI-05", "H", "sample", "Parts of a key as ids",
           "A delete of a row with a composite key removes the documents whose ids are its parts.",
           "Leave such tables out, or do without deletes.",
           "detected", "Sample rows with composite keys; an error when one of them is a delete."),
    Hazard("MEI-06", "M", "sink", "Slow tasks count as failures",
           "A task of more than about three seconds is sent again although it will succeed.",
           "Keep batches small.",
           "avoided", "Tasks are followed to their end."),
    Hazard("MEI-07", "M", "sink", "Answers taken for compressed",
           "An answer about a task that is not compressed makes a server fail.",
           "Let no proxy change the compression.",
           "avoided", "Answers are decoded by their own headers."),
    Hazard("MEI-08", "H", "sample", "Edits applied twice",
           "When one edit of a batch fails, all of them are applied again, counters included.",
           "Write edits that may be repeated.",
           "detected", "Sample rows with the action `function`; a warning. RouteStudio repeats no "
           "edit that may have been applied."),
    Hazard("MEI-09", "M", "sink", "A test that needs no key",
           "The health check passes with a wrong key.", "Test a delivery.",
           "avoided", "The check makes a request that needs the key."),
    Hazard("MEI-10", "L", "project", "A batch size that is not exported",
           "A server's export leaves out `batch_size`.", "Keep your own file.",
           "avoided", "The file keeps every key."),
)  # fmt: skip


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    if problem.stage == "encode":
        if len(outcome.message.record_pks) > 1:
            return "MEI-05"
        edit = outcome.values.get("action") == "function"
        lacking = any(outcome.values.get(name) is None for name in ("filter", "function"))
        return "MEI-02" if edit and lacking else None
    if problem.field == "index_name" and outcome.values.get("index_name") is None:
        return "MEI-01"
    return None


def _two_ids(view: SinkView) -> Iterator[Finding]:
    for item in view.kept:
        pks = item.message.record_pks
        if item.values.get("action") != "index" or len(pks) != 1:
            continue
        name = _indexed_as(view, item)
        if name is not None and str(name) != pks[0]:
            yield view.at_row("GEN-34", f"the document has the id {quote(name)}, and a server "
                              f"deletes {quote(pks[0])}", _TWO_IDS, item,
                              field=_primary_key(view))  # fmt: skip
            return


KNOWN: Final = Known(
    "Meilisearch",
    _HAZARDS,
    also=(
        "GEN-32",
        "GEN-33",
        "GEN-34",
        "YML-07",
    ),
    places=("index_name",),
    documents=True,
    url_fields=("index_name",),
    lost_defaults=("primary_key", "timeout_seconds"),
    explain=_explain,
    finds={"GEN-34": _two_ids},
)


def _primary_key(view: SinkView) -> str:
    given = view.config.get("primary_key") or view.destination.get("primary_key")
    return given if isinstance(given, str) else "id"


def _indexed_as(view: SinkView, item: Outcome) -> object:
    """The id under which a server indexes a message."""
    name = _primary_key(view)
    if view.transform is None:
        return item.message.record.get(name)
    return item.payload.get(name) if isinstance(item.payload, dict) else None


@rule("MEI-01")
def no_index(view: SinkView) -> Iterator[Finding]:
    """Messages without an index."""
    failed = [item for item, _ in failing(view, "MEI-01")]
    if failed:
        yield view.at_routing("MEI-01", f"no `index_name` in {counted(failed)}, and there is no "
                              "default", "return it on every way through the function",
                              "index_name")  # fmt: skip


@rule("MEI-02")
def no_filter(view: SinkView) -> Iterator[Finding]:
    """Edits without a filter or a function."""
    failed = [item for item, _ in failing(view, "MEI-02")]
    if failed:
        name = "filter" if failed[0].values.get("filter") is None else "function"
        yield view.at_routing("MEI-02", f"no `{name}` in {counted(failed)}, although the action "
                              "is `function`", "return `filter` and `function` with it",
                              name)  # fmt: skip


@rule("MEI-05")
def parts_as_ids(view: SinkView) -> Iterator[Finding]:
    """Composite keys, whose parts a server deletes as ids."""
    bad = [i for i in view.kept if len(i.message.record_pks) > 1]
    deleting = "delete" in view.spec.actions
    if bad and deleting:
        parts = ", ".join(map(quote, bad[0].message.record_pks))
        seen = any(i.message.action == "delete" for i in bad)
        yield view.at_row("MEI-05", f"{bad[0].table} has a composite key: for a delete a server "
                          f"removes the documents {parts}", "leave such tables out, or do without "
                          "deletes", bad[0], severity="error" if seen else "warning")  # fmt: skip


@rule("MEI-08")
def repeated_edits(view: SinkView) -> Iterator[Finding]:
    """Edits by function, which a server repeats after a failure."""
    edits = [i for i in view.kept if i.values.get("action") == "function"]
    if edits:
        yield view.at_routing("MEI-08", f"the action is `function` in {counted(edits)}, and a "
                              "server applies all edits of a batch again when one fails",
                              "write edits that may be applied twice", "function",
                              severity="warning")  # fmt: skip
