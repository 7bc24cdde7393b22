"""Hazards of Elasticsearch, and the rules that find them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_SOFT: Final = re.compile(r"(?i)(is_)?(deleted|removed|archived)(_at|_on)?|discarded_at")

_HAZARDS: Final = (
    Hazard("ELS-01", "L", "sink", "Several indices per sink",
           "The documentation states that one sink writes one index, but routing may choose any.",
           "Use routing.",
           "avoided", "The index is a routed field."),
    Hazard("ELS-02", "L", "sink", "A test that skips the index",
           "The test asks for the server's root only.", "Check the index yourself.",
           "avoided", "The check asks for the index and for the right to write."),
    Hazard("ELS-03", "M", "sample", "Soft deletes stay",
           "Only deletes of rows remove documents, so rows that are marked as deleted are found "
           "for ever.", "Exclude them in queries.",
           "detected", "Sample rows with such a mark, without a filter."),
    Hazard("ELS-04", "M", "sample", "Ids that collide or are empty",
           "Keys are joined with `-`, so two rows may share a document, and without a primary key "
           "the id is empty.", "Route tables to their own indices.",
           "detected", "Ids of sample rows."),
)  # fmt: skip


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    return "ELS-04" if problem.stage == "encode" and not outcome.message.record_pks else None


KNOWN: Final = Known(
    "Elasticsearch",
    _HAZARDS,
    also=(
        "GEN-32",
        "GEN-33",
        "GEN-34",
        "YML-07",
        "YML-10",
    ),
    places=("index_name",),
    documents=True,
    url_fields=("index_name",),
    lost_defaults=("batch_size",),
    explain=_explain,
)


@rule("ELS-03")
def soft_deletes(view: SinkView) -> Iterator[Finding]:
    """Rows that are marked as deleted and stay in the index."""
    if view.spec.filter is not None:
        return
    for item in view.kept:
        if item.message.action == "delete":
            continue
        marked = [c for c, v in item.message.record.items()
                  if _SOFT.fullmatch(c) and v not in (None, False, 0, "")]  # fmt: skip
        if marked:
            yield view.at_row("ELS-03", f"`{marked[0]}` marks a row as deleted, and its document "
                              "stays: only deletes of rows remove documents", "exclude such "
                              f"documents in queries by `{marked[0]}`", item,
                              field=marked[0])  # fmt: skip
            return


@rule("ELS-04")
def unsure_ids(view: SinkView) -> Iterator[Finding]:
    """Empty ids, and ids that two rows share."""
    empty = [i for i in view.kept if not i.message.record_pks]
    if empty:
        yield view.at_row("ELS-04", f"{empty[0].table} has no primary key, so the id of "
                          f"{counted(empty)} is empty", "add a primary key, or leave the table out",
                          empty[0])  # fmt: skip
    seen: dict[tuple[str, str], Outcome] = {}
    for item in view.kept:
        pks = item.message.record_pks
        if not pks:
            continue
        key = (str(item.values.get("index_name")), "-".join(pks))
        first = seen.setdefault(key, item)
        if first.message.record_pks != pks or first.table != item.table:
            yield view.at_row("ELS-04", f"rows of {first.table} and {item.table} share the id "
                              f"{quote(key[1])} in one index", "route tables to separate "
                              "indices, and avoid `-` in parts of a key", item)  # fmt: skip
            return


@rule("YML-10")
def no_authentication(view: SinkView) -> Iterator[Finding]:
    """An authentication type that a server cannot import."""
    if view.destination.get("auth_type") == "none":
        yield view.at_key("YML-10", "a server cannot import `auth_type: none` from YAML",
                          "make this sink in the server's console", "destination",
                          "auth_type")  # fmt: skip
