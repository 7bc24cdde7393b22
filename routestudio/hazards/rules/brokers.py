"""Rules of Kafka, NATS, RabbitMQ and S2."""

from __future__ import annotations

from collections.abc import Iterator

from routestudio.model.hazard import Finding
from routestudio.model.project import SinkSpec
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Outcome, SinkView, counted, quote
from routestudio.sinks.hazards import rule


@rule("KAF-02", "kafka")
def own_key(view: SinkView) -> Iterator[Finding]:
    """A key computed from primary keys although groups are customised."""
    customised = bool(view.spec.tables) or not view.spec.message_grouping
    if not (customised and view.dynamic):
        return
    differ = [i for i in view.routed if i.given("message_key")
              and i.values.get("message_key") == ":".join(i.message.record_pks)
              and i.group_id != i.values.get("message_key")]  # fmt: skip
    if differ:
        item = differ[0]
        group = quote(item.group_id) if item.group_id else "none"
        key = quote(item.values["message_key"])
        yield view.at_routing("KAF-02", f"the function makes the key {key} of the primary key, "
                              f"and the group id is {group}",
                              "leave `message_key` out: it then is the group id",
                              "message_key")  # fmt: skip


@rule("KAF-03", "kafka")
def no_tombstone(view: SinkView) -> Iterator[Finding]:
    """Transforms that try to make a tombstone."""
    if view.transform is None:
        return
    null = [i for i in view.kept if not i.problems and i.staged.payload is not None
            and i.payload is None]  # fmt: skip
    if null:
        yield view.at_row("KAF-03", f"the transform gives null for {counted(null)}: the value is "
                          "the text `null`, not a tombstone", "let consumers act on `action`, or "
                          "do without a compacted topic", null[0])  # fmt: skip


@rule("NAT-02", "nats")
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


@rule("NAT-03", "nats")
def no_port(view: SinkView) -> Iterator[Finding]:
    """A port that a server wants written."""
    if view.destination.get("port") is None:
        yield view.at_key("NAT-03", "a server has no default for `port`", "write `port: 4222`",
                          "destination")  # fmt: skip


@rule("NAT-05", "nats", server=True)
def no_acknowledgement(view: SinkView) -> Iterator[Finding]:
    """Every NATS sink of a server."""
    yield view.at_key("NAT-05", "a server counts a message as delivered although nobody listens",
                      "let a JetStream stream cover the subjects, and watch its counts",
                      "destination", severity="note")  # fmt: skip


@rule("NAT-08", "nats")
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


@rule("RAB-01", "rabbitmq")
def old_prefix(view: SinkView) -> Iterator[Finding]:
    """Routing keys with a prefix that only documentation knows."""
    old = [i for i in view.kept if str(i.values.get("routing_key")).startswith("sequin.changes.")]
    if old:
        yield view.at_routing("RAB-01", f"the routing key starts with `sequin.changes.` in "
                              f"{counted(old)}, which default keys do not", "bind queues to "
                              "`sequin.<database>.<schema>.<table>.<action>`",
                              "routing_key")  # fmt: skip


@rule("RAB-05", "rabbitmq", server=True)
def no_confirms(view: SinkView) -> Iterator[Finding]:
    """Every RabbitMQ sink of a server."""
    yield view.at_key("RAB-05", "a server publishes without confirms: messages that no queue takes "
                      "are lost silently", "bind a queue, or an alternate exchange, before the "
                      "first message", "destination", severity="note")  # fmt: skip


@rule("RAB-06", "rabbitmq")
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


@rule("RAB-07", "rabbitmq")
def lost_headers(view: SinkView) -> Iterator[Finding]:
    """Headers that a server does not import."""
    if view.destination.get("headers"):
        yield view.at_key("RAB-07", "a server does not read `headers` from YAML, and does not "
                          "write them", "return the headers from a routing function",
                          "destination", "headers")  # fmt: skip
    if "connection_id" in view.destination:
        yield view.at_key("RAB-07", "`connection_id` is a server's own", "remove it",
                          "destination", "connection_id", severity="note")  # fmt: skip


@rule("S2-01", "s2", server=True)
def test_fails(view: SinkView) -> Iterator[Finding]:
    """Every dynamic S2 sink of a server."""
    if view.dynamic:
        yield view.at_key("S2-01", "a server's connection test of a dynamic sink always fails",
                          "trust RouteStudio's check of the sampled streams", "destination",
                          severity="note")  # fmt: skip
