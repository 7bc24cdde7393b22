"""Hazards of NATS, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.model.project import SinkSpec
from routestudio.sinks.hazard_view import Known, Outcome, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("NAT-01", "M", "function", "Two names for the header against duplicates",
           "A server's console names a header that NATS does not know.",
           "Use `Nats-Msg-Id`.",
           "avoided", "Docs pane and starter name the header that works."),
    Hazard("NAT-02", "M", "function", "Headers without a message id",
           "A function that returns headers replaces the default ones, and duplicates after a "
           "retry are no longer removed.", "Add `Nats-Msg-Id` to your headers.",
           "detected", "Headers of sample rows."),
    Hazard("NAT-03", "L", "sink", "No default port",
           "A server refuses a sink without `port`, although 4222 is documented.",
           "Write the port.",
           "detected", "Sinks without the key; exports write it."),
    Hazard("NAT-04", "L", "sink", "A card with another subject",
           "A server's console shows subjects that start with `sequin.changes`, which are not "
           "used.", "Subscribe to `sequin.<database>...`.",
           "avoided", "The preview shows the real subject."),
    Hazard("NAT-05", "H", "sink", "Delivered to nobody",
           "A message counts as delivered although neither a stream nor a subscriber took it.",
           "Cover the subjects by a stream.",
           "detected", "Every sink that a server could run; a note. RouteStudio waits for the "
           "stream's acknowledgement where one covers the subject."),
    Hazard("NAT-06", "M", "sink", "Old connections after a change",
           "A new password or TLS setting is not used while the old connection lives.",
           "Restart the server after such a change.",
           "avoided", "Every run and check connects with the settings of that moment."),
    Hazard("NAT-07", "L", "sink", "A test that needs its own subject",
           "The connection test needs rights on a private subject that a publisher may lack.",
           "Read a failure with this in mind.",
           "avoided", "The check needs no right that delivery does not need."),
    Hazard("NAT-08", "H", "project", "One memory of ids for a whole stream",
           "A JetStream stream remembers ids for all of its subjects and senders, also after a "
           "purge, and drops what comes second: two sinks that send the same change to two "
           "subjects of one stream lose each other's messages.",
           "Give each sink its own stream, or another message id.",
           "detected", "NATS sinks that send the same changes to one server; a warning. The check "
           "asks whether one stream has the subjects of both. A run "
           "reads the stream's acknowledgements and counts what it did not store."),
)  # fmt: skip


KNOWN: Final = Known(
    "NATS",
    _HAZARDS,
    also=(
        "GEN-29",
        "GEN-30",
        "GEN-32",
    ),
    routed_at_once=10,
)


def _same_server(view: SinkView, other: SinkSpec) -> bool:
    mine, its = view.destination, other.destination
    return (mine.get("host"), mine.get("port") or 4222) == (
        its.get("host"),
        its.get("port") or 4222,
    )


def _same_changes(one: SinkSpec, two: SinkSpec) -> bool:
    """Whether a change may be for both sinks, as far as their lists show."""
    if one.database != two.database:
        return False
    if not {*one.actions} & {*two.actions}:
        return False
    for part in ("include_tables", "include_schemas"):
        first, second = (set(spec.source.get(part) or ()) for spec in (one, two))
        if first and second and not first & second:
            return False
    return True


def _message_id(item: Outcome) -> object:
    """The id that a message is sent with; a function's own headers may replace it."""
    headers = item.values.get("headers")
    found = {str(n).lower(): v for n, v in headers.items()} if isinstance(headers, dict) else {}
    return found.get("nats-msg-id", item.message.metadata["idempotency_key"])


@rule("NAT-02")
def lost_message_id(view: SinkView) -> Iterator[Finding]:
    """The user's own headers, without the one that removes duplicates."""
    lost = []
    for item in view.routed:
        headers = item.values.get("headers")
        names = {str(name).lower() for name in headers} if isinstance(headers, dict) else set()
        if item.given("headers") and "nats-msg-id" not in names:
            lost.append(item)
    if lost:
        yield view.at_routing("NAT-02", f"no Nats-Msg-Id in `headers` of {counted(lost)}, so "
                              "duplicates after a retry stay",
                              'add "Nats-Msg-Id": metadata.idempotency_key', "headers")  # fmt: skip


@rule("NAT-03")
def no_port(view: SinkView) -> Iterator[Finding]:
    """A port that a server wants written."""
    if view.destination.get("port") is None:
        yield view.at_key("NAT-03", "a server has no default for `port`", "write `port: 4222`",
                          "destination")  # fmt: skip


@rule("NAT-05", server=True)
def no_acknowledgement(view: SinkView) -> Iterator[Finding]:
    """Every NATS sink of a server."""
    yield view.at_key("NAT-05", "a server counts a message as delivered although nobody listens",
                      "let a JetStream stream cover the subjects, and watch its counts",
                      "destination", severity="note")  # fmt: skip


@rule("NAT-08")
def shared_memory(view: SinkView) -> Iterator[Finding]:
    """Two sinks that send the same changes, with the same ids, to one server."""
    for other in view.before:
        if other.type == "nats" and _same_server(view, other) and _same_changes(view.spec, other):
            ids = [i for i in view.routed
                   if _message_id(i) == i.message.metadata["idempotency_key"]]  # fmt: skip
            if ids or not view.routed:
                yield view.at_key(
                    "NAT-08", f"sink {quote(other.name)} sends the same changes with the same ids "
                    "to this server: where one JetStream stream has the subjects of both, it "
                    "drops what comes second", "give each sink its own stream, or put the "
                    "sink's name into `Nats-Msg-Id`", "destination", severity="warning",
                )  # fmt: skip
                return
