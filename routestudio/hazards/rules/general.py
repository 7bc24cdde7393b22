"""Rules about settings that every sink has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_view import SinkView
from routestudio.sinks.hazards import rule

_LIVED_ON = ("expire_ms", "http_endpoint_path")
"""Static values that a server's console calls defaults of dynamic mode."""


@rule("GEN-08")
def costly_enrichment(view: SinkView) -> Iterator[Finding]:
    """Enrichment of messages that the filter drops afterwards."""
    if view.spec.enrichment and view.spec.filter:
        yield view.at_key("GEN-08", "every message costs its own query, also those that the "
                          "filter drops afterwards", "exclude what you can with `source` and "
                          "`actions`", "enrichment")  # fmt: skip


@rule("GEN-11")
def one_attempt(view: SinkView) -> Iterator[Finding]:
    """A retry count that allows no retry."""
    if view.spec.max_retry_count == 1:
        yield view.at_key("GEN-11", "`max_retry_count: 1` means one attempt: a message that fails "
                          "once is discarded", "it counts attempts; write 2 for one retry",
                          "max_retry_count")  # fmt: skip


@rule("GEN-17")
def parameter_order(view: SinkView) -> Iterator[Finding]:
    """Enrichment SQL for composite keys whose columns are not in the order of the alphabet."""
    if view.enrichment is None or not re.search(r"\$2\b", view.enrichment):
        return
    for table in view.by_table():
        columns = view.keys.get(table, ())
        if list(columns) != sorted(columns):
            order = ", ".join(f"${n} is `{c}`" for n, c in enumerate(sorted(columns), 1))
            yield view.at_key("GEN-17", f"parameters of the enrichment are in the order of the "
                              f"alphabet, unlike the key of {table}", f"here {order}",
                              "enrichment")  # fmt: skip
            return


@rule("GEN-18")
def unused_values(view: SinkView) -> Iterator[Finding]:
    """Static values that a routing function makes void."""
    for key in view.ignored:
        severity = "warning" if key in _LIVED_ON else "note"
        yield view.at_key("GEN-18", f"`{key}` is not used, because a function does the routing",
                          "remove it and return it from the function, or route without one",
                          "destination", key, severity=severity)  # type: ignore[arg-type]  # fmt: skip


@rule("GEN-26")
def batches_of_one(view: SinkView) -> Iterator[Finding]:
    """A batch size that is left out, for which a server takes 1."""
    if "batch_size" in view.raw or view.fixed_batch or view.usual_batch <= 1:
        return
    if view.known.alone_in_group and view.spec.message_grouping:
        return
    yield view.at_key("GEN-26", "there is no `batch_size`, and a server then delivers every "
                      "message alone", f"write `batch_size: {view.usual_batch}`",
                      "batch_size")  # fmt: skip


@rule("GEN-27")
def not_discarded(view: SinkView) -> Iterator[Finding]:
    """A policy that is stored and not followed."""
    if view.spec.load_shedding_policy == "discard_on_full":
        yield view.at_key("GEN-27", "a server stores `discard_on_full`, and no part of it was seen "
                          "to follow it", "do not rely on it; leave room for peaks",
                          "load_shedding_policy", severity="note")  # fmt: skip


@rule("GEN-32")
def unused_batch_size(view: SinkView) -> Iterator[Finding]:
    """A batch size for a sink type that does not use it."""
    given = view.raw.get("batch_size")
    if not view.fixed_batch or given is None or given == view.usual_batch:
        return
    own = view.own_batch
    what = "the destination's own `batch_size` counts" if own else "a server takes batches of 10"
    hint = "write `batch_size` under `destination`" if own else "remove it"
    yield view.at_key("GEN-32", f"`batch_size: {given}` is not used: {what}", hint,
                      "batch_size")  # fmt: skip
