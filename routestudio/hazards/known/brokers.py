"""Hazards of NATS, Kafka, S2 and RabbitMQ."""

from __future__ import annotations

from typing import Final

from routestudio.model.hazard import Hazard

_NATS, _KAFKA, _S2, _RABBIT = ("nats",), ("kafka",), ("s2",), ("rabbitmq",)

HAZARDS: Final = (
    Hazard("NAT-01", "M", "function", "Two names for the header against duplicates",
           "A server's console names a header that NATS does not know.",
           "Use `Nats-Msg-Id`.",
           "avoided", "Docs pane and starter name the header that works.", _NATS),
    Hazard("NAT-02", "M", "function", "Headers without a message id",
           "A function that returns headers replaces the default ones, and duplicates after a "
           "retry are no longer removed.", "Add `Nats-Msg-Id` to your headers.",
           "detected", "Headers of sample rows.", _NATS),
    Hazard("NAT-03", "L", "sink", "No default port",
           "A server refuses a sink without `port`, although 4222 is documented.",
           "Write the port.",
           "detected", "Sinks without the key; exports write it.", _NATS),
    Hazard("NAT-04", "L", "sink", "A card with another subject",
           "A server's console shows subjects that start with `sequin.changes`, which are not "
           "used.", "Subscribe to `sequin.<database>...`.",
           "avoided", "The preview shows the real subject.", _NATS),
    Hazard("NAT-05", "H", "sink", "Delivered to nobody",
           "A message counts as delivered although neither a stream nor a subscriber took it.",
           "Cover the subjects by a stream.",
           "detected", "Every sink that a server could run; a note. RouteStudio waits for the "
           "stream's acknowledgement where one covers the subject.", _NATS),
    Hazard("NAT-06", "M", "sink", "Old connections after a change",
           "A new password or TLS setting is not used while the old connection lives.",
           "Restart the server after such a change.",
           "avoided", "Every run and check connects with the settings of that moment.", _NATS),
    Hazard("NAT-07", "L", "sink", "A test that needs its own subject",
           "The connection test needs rights on a private subject that a publisher may lack.",
           "Read a failure with this in mind.",
           "avoided", "The check needs no right that delivery does not need.", _NATS),
    Hazard("NAT-08", "H", "project", "One memory of ids for a whole stream",
           "A JetStream stream remembers ids for all of its subjects and senders, also after a "
           "purge, and drops what comes second: two sinks that send the same change to two "
           "subjects of one stream lose each other's messages.",
           "Give each sink its own stream, or another message id.",
           "detected", "NATS sinks that send the same changes to one server; a warning. The check "
           "asks whether one stream has the subjects of both. A run "
           "reads the stream's acknowledgements and counts what it did not store.", _NATS),
    Hazard("KAF-01", "M", "function", "Three default topics",
           "Console, starter and code of a server have different defaults.",
           "Write the topic out.",
           "avoided", "There is one default, which preview and docs pane show.", _KAFKA),
    Hazard("KAF-02", "M", "function", "A key that is not the group",
           "A key made of the primary key differs from the group id once groups are customised, "
           "so the order within a group is lost.", "Leave the key to its default.",
           "detected", "Keys of sample rows against their group ids.", _KAFKA),
    Hazard("KAF-03", "M", "sample", "Deletes are not tombstones",
           "A delete is a record with a value, so a compacted topic keeps it for ever; a transform "
           "that gives null writes the text `null`.",
           "Let consumers act on `action`.",
           "detected", "Transforms that give null for sample rows. The value of a delete is shown "
           "in the preview.", _KAFKA),
    Hazard("KAF-04", "M", "sink", "Its own partitioner",
           "Keys go to other partitions than those of other producers, so topics cannot be joined "
           "by partition.", "Do not rely on equal partitions.",
           "avoided", "Delivery uses the same partitioner as a server, so nothing moves when the "
           "route ships.", _KAFKA),
    Hazard("KAF-05", "L", "function", "Routes that differ at each call",
           "The function is called twice per message, so one that uses the clock gives the record "
           "another key than its partition.", "Route by the message only.",
           "detected", "Calls of the clock or of random values.", _KAFKA),
    Hazard("KAF-06", "L", "sink", "A test that skips the topic",
           "The connection test asks every host and no topic.",
           "Check the topic yourself.",
           "avoided", "The check proves the topics, and one reachable host is enough.", _KAFKA),
    Hazard("S2-01", "M", "sink", "A test that always fails",
           "The connection test of a dynamic sink asks for a stream without a name.",
           "Ignore its verdict.",
           "detected", "Dynamic sinks that a server could run; a note. RouteStudio checks the "
           "sampled streams.", _S2),
    Hazard("RAB-01", "M", "function", "Bindings that match nothing",
           "Examples bind queues to `sequin.changes...`, and keys start with `sequin.` and the "
           "database.", "Bind to the real keys.",
           "detected", "Routing keys of sample rows with the old prefix.", _RABBIT),
    Hazard("RAB-02", "L", "function", "An undocumented message id",
           "`message_id` can be routed, and no page of a server mentions it.",
           "Return it where consumers need it.",
           "avoided", "It is a routed field with a page like all others.", _RABBIT),
    Hazard("RAB-03", "L", "function", "A starter with a wrong name",
           "The starter names a parameter `_metadata` and uses `metadata`.",
           "Name it `metadata`.",
           "avoided", "Starters are made from the fields; both names work in functions.", _RABBIT),
    Hazard("RAB-04", "L", "function", "A starter that is not the default",
           "The starter's routing key and headers differ from the defaults, so switching routing "
           "on moves messages.", "Compare destinations before you ship.",
           "avoided", "A starter gives exactly the defaults.", _RABBIT),
    Hazard("RAB-05", "H", "sink", "Published and lost",
           "Messages are neither confirmed nor persistent nor mandatory: without a queue, or with "
           "a missing exchange, they are lost silently.",
           "Bind queues before the first message.",
           "detected", "Every sink that a server could run; a note. RouteStudio's own delivery "
           "waits for confirms.", _RABBIT),
    Hazard("RAB-06", "L", "sample", "Keys longer than AMQP carries",
           "Routing keys and message ids over 255 bytes pass every check and fail at delivery.",
           "Shorten them.",
           "detected", "Their length in sample rows.", _RABBIT),
    Hazard("RAB-07", "M", "sink", "Static headers that YAML loses",
           "`headers` of a destination are neither imported nor exported, and an internal id is.",
           "Return headers from a function.",
           "detected", "The keys in the file.", _RABBIT),
    Hazard("RAB-08", "M", "sink", "Broken headers become none",
           "Header text in the console that is not valid JSON is taken for no headers.",
           "Look at the headers after saving.",
           "avoided", "Headers are a table in the form, and text that is not a map is an error.",
           _RABBIT),
)  # fmt: skip
