"""Rules of Typesense, Meilisearch and Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Outcome, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_SOFT: Final = re.compile(r"(?i)(is_)?(deleted|removed|archived)(_at|_on)?|discarded_at")


def _primary_key(view: SinkView) -> str:
    given = view.config.get("primary_key") or view.destination.get("primary_key")
    return given if isinstance(given, str) else "id"


def _meilisearch_id(view: SinkView, item: Outcome) -> object:
    """The id under which a server indexes a message."""
    name = _primary_key(view)
    if view.transform is None:
        return item.message.record.get(name)
    return item.payload.get(name) if isinstance(item.payload, dict) else None


@rule("TYP-05", "typesense")
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


@rule("TYP-03", "typesense")
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


@rule("GEN-34", "typesense", "meilisearch")
def two_ids(view: SinkView) -> Iterator[Finding]:
    """Documents that are indexed under one id and deleted under another."""
    hint = "make the document's id of the primary key"
    if view.type == "typesense":
        for pair in view.bare:
            full, bare = pair.original.payload, pair.variant.payload
            if isinstance(full, dict) and isinstance(bare, dict) and pair.original.values:
                was, now = full.get("id"), bare.get("id")
                if was is not None and now is not None and was != now:
                    yield view.at_row("GEN-34", f"the row's document has the id {quote(was)}, and "
                                      f"its delete, with the key only, {quote(now)}", hint,
                                      pair.original, field="id")  # fmt: skip
                    return
        return
    for item in view.kept:
        pks = item.message.record_pks
        if item.values.get("action") != "index" or len(pks) != 1:
            continue
        name = _meilisearch_id(view, item)
        if name is not None and str(name) != pks[0]:
            yield view.at_row("GEN-34", f"the document has the id {quote(name)}, and a server "
                              f"deletes {quote(pks[0])}", hint, item,
                              field=_primary_key(view))  # fmt: skip
            return


@rule("MEI-01", "meilisearch")
def no_index(view: SinkView) -> Iterator[Finding]:
    """Messages without an index."""
    failed = [item for item, _ in failing(view, "MEI-01")]
    if failed:
        yield view.at_routing("MEI-01", f"no `index_name` in {counted(failed)}, and there is no "
                              "default", "return it on every way through the function",
                              "index_name")  # fmt: skip


@rule("MEI-02", "meilisearch")
def no_filter(view: SinkView) -> Iterator[Finding]:
    """Edits without a filter or a function."""
    failed = [item for item, _ in failing(view, "MEI-02")]
    if failed:
        name = "filter" if failed[0].values.get("filter") is None else "function"
        yield view.at_routing("MEI-02", f"no `{name}` in {counted(failed)}, although the action "
                              "is `function`", "return `filter` and `function` with it",
                              name)  # fmt: skip


@rule("MEI-05", "meilisearch")
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


@rule("MEI-08", "meilisearch")
def repeated_edits(view: SinkView) -> Iterator[Finding]:
    """Edits by function, which a server repeats after a failure."""
    edits = [i for i in view.kept if i.values.get("action") == "function"]
    if edits:
        yield view.at_routing("MEI-08", f"the action is `function` in {counted(edits)}, and a "
                              "server applies all edits of a batch again when one fails",
                              "write edits that may be applied twice", "function",
                              severity="warning")  # fmt: skip


@rule("ELS-03", "elasticsearch")
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


@rule("ELS-04", "elasticsearch")
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
