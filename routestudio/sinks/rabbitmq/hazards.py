"""Hazards of RabbitMQ, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("RAB-01", "M", "function", "Bindings that match nothing",
           "Examples bind queues to `sequin.changes...`, and keys start with `sequin.` and the "
           "database.", "Bind to the real keys.",
           "detected", "Routing keys of sample rows with the old prefix."),
    Hazard("RAB-02", "L", "function", "An undocumented message id",
           "`message_id` can be routed, and no page of a server mentions it.",
           "Return it where consumers need it.",
           "avoided", "It is a routed field with a page like all others."),
    Hazard("RAB-03", "L", "function", "A starter with a wrong name",
           "The starter names a parameter `_metadata` and uses `metadata`.",
           "Name it `metadata`.",
           "avoided", "Starters are made from the fields; both names work in functions."),
    Hazard("RAB-04", "L", "function", "A starter that is not the default",
           "The starter's routing key and headers differ from the defaults, so switching routing "
           "on moves messages.", "Compare destinations before you ship.",
           "avoided", "A starter gives exactly the defaults."),
    Hazard("RAB-05", "H", "sink", "Published and lost",
           "Messages are neither confirmed nor persistent nor mandatory: without a queue, or with "
           "a missing exchange, they are lost silently.",
           "Bind queues before the first message.",
           "detected", "Every sink that a server could run; a note. RouteStudio's own delivery "
           "waits for confirms."),
    Hazard("RAB-06", "L", "sample", "Keys longer than AMQP carries",
           "Routing keys and message ids over 255 bytes pass every check and fail at delivery.",
           "Shorten them.",
           "detected", "Their length in sample rows."),
    Hazard("RAB-07", "M", "sink", "Static headers that YAML loses",
           "`headers` of a destination are neither imported nor exported, and an internal id is.",
           "Return headers from a function.",
           "detected", "The keys in the file."),
    Hazard("RAB-08", "M", "sink", "Broken headers become none",
           "Header text in the console that is not valid JSON is taken for no headers.",
           "Look at the headers after saving.",
           "avoided", "Headers are a table in the form, and text that is not a map is an error."),
)  # fmt: skip


AMQP_BYTES: Final = 255
"""Longest routing key and message id of AMQP 0-9-1, a short string."""


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    value = outcome.values.get(problem.field or "")
    if problem.field in ("routing_key", "message_id") and isinstance(value, str):
        return "RAB-06" if len(value.encode()) > AMQP_BYTES else "GEN-13"
    return None


KNOWN: Final = Known(
    "RabbitMQ",
    _HAZARDS,
    also=(
        "GEN-29",
        "GEN-30",
        "GEN-32",
    ),
    routed_at_once=10,
    told=frozenset({"headers", "connection_id"}),
    explain=_explain,
)


@rule("RAB-01")
def old_prefix(view: SinkView) -> Iterator[Finding]:
    """Routing keys with a prefix that only documentation knows."""
    old = [i for i in view.kept if str(i.values.get("routing_key")).startswith("sequin.changes.")]
    if old:
        yield view.at_routing("RAB-01", f"the routing key starts with `sequin.changes.` in "
                              f"{counted(old)}, which default keys do not", "bind queues to "
                              "`sequin.<database>.<schema>.<table>.<action>`",
                              "routing_key")  # fmt: skip


@rule("RAB-05", server=True)
def no_confirms(view: SinkView) -> Iterator[Finding]:
    """Every RabbitMQ sink of a server."""
    yield view.at_key("RAB-05", "a server publishes without confirms: messages that no queue takes "
                      "are lost silently", "bind a queue, or an alternate exchange, before the "
                      "first message", "destination", severity="note")  # fmt: skip


@rule("RAB-06")
def long_keys(view: SinkView) -> Iterator[Finding]:
    """Routing keys and message ids that AMQP cannot carry."""
    told = set()
    for item, problem in failing(view, "RAB-06"):
        name = problem.field or ""
        if name not in told:
            told.add(name)
            size = len(str(item.values.get(name)).encode())
            yield view.at_row("RAB-06", f"{name} has {size} bytes, and AMQP carries 255",
                              "shorten it", item, field=name)  # fmt: skip


@rule("RAB-07")
def lost_headers(view: SinkView) -> Iterator[Finding]:
    """Headers that a server does not import."""
    if view.destination.get("headers"):
        yield view.at_key("RAB-07", "a server does not read `headers` from YAML, and does not "
                          "write them", "return the headers from a routing function",
                          "destination", "headers")  # fmt: skip
    if "connection_id" in view.destination:
        yield view.at_key("RAB-07", "`connection_id` is a server's own", "remove it",
                          "destination", "connection_id", severity="note")  # fmt: skip
