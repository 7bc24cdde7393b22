"""Hazards of Kafka, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.function import Language
from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("KAF-01", "M", "function", "Three default topics",
           "Console, starter and code of a server have different defaults.",
           "Write the topic out.",
           "avoided", "There is one default, which preview and docs pane show."),
    Hazard("KAF-02", "M", "function", "A key that is not the group",
           "A key made of the primary key differs from the group id once groups are customised, "
           "so the order within a group is lost.", "Leave the key to its default.",
           "detected", "Keys of sample rows against their group ids."),
    Hazard("KAF-03", "M", "sample", "Deletes are not tombstones",
           "A delete is a record with a value, so a compacted topic keeps it for ever; a transform "
           "that gives null writes the text `null`.",
           "Let consumers act on `action`.",
           "detected", "Transforms that give null for sample rows. The value of a delete is shown "
           "in the preview."),
    Hazard("KAF-04", "M", "sink", "Its own partitioner",
           "Keys go to other partitions than those of other producers, so topics cannot be joined "
           "by partition.", "Do not rely on equal partitions.",
           "avoided", "Delivery uses the same partitioner as a server, so nothing moves when the "
           "route ships."),
    Hazard("KAF-05", "L", "function", "Routes that differ at each call",
           "The function is called twice per message, so one that uses the clock gives the record "
           "another key than its partition.", "Route by the message only.",
           "detected", "Calls of the clock or of random values."),
    Hazard("KAF-06", "L", "sink", "A test that skips the topic",
           "The connection test asks every host and no topic.",
           "Check the topic yourself.",
           "avoided", "The check proves the topics, and one reachable host is enough."),
)  # fmt: skip


KNOWN: Final = Known(
    "Kafka",
    _HAZARDS,
    also=(
        "GEN-05",
        "GEN-30",
        "YML-07",
        "YML-09",
    ),
    transforms_alone=True,
    lost_defaults=("compression",),
    dead_keys={"batch_size": "the sink's own `batch_size` counts"},
)


@rule("KAF-02")
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


@rule("KAF-03")
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


@rule("KAF-05")
def not_determined(view: SinkView) -> Iterator[Finding]:
    """Routing functions with other results at each call."""
    if view.routing is None or not view.dynamic:
        return
    for spot in view.routing.varying[:1]:
        python = view.routing.function.language is Language.PYTHON
        name = f"{spot.text}()" if python else spot.text
        yield view.at_code("KAF-05", f"`{name}` differs at each call, and a server calls the "
                           "function twice: for the partition and for the key",
                           "route by values of the message only", view.routing, spot.line,
                           spot.column)  # fmt: skip
