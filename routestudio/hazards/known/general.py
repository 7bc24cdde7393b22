"""Hazards that concern every sink."""

from __future__ import annotations

from typing import Final

from routestudio.model.hazard import Hazard

HAZARDS: Final = (
    Hazard("GEN-01", "L", "function", "Undocumented primary-key list",
           "A function that could use `metadata.record_pks` guesses the key columns instead.",
           "Use `metadata.record_pks`: the key's values as text, in column order.",
           "avoided", "The editor offers it, and samples without it get it from `id`."),
    Hazard("GEN-02", "H", "function", "Deletes that carry the key only",
           "Without full replica identity every other column of a deleted row is null, so a route "
           "or filter that reads one sends the delete to a wrong place or drops it.",
           "Set REPLICA IDENTITY FULL on the table, or route deletes by key columns.",
           "detected", "Sampled rows are deleted twice, with all columns and with the key only, "
           "and both go through the sink's functions; a function that is prepared gives a note."),
    Hazard("GEN-03", "M", "sample", "Marker instead of an unchanged large value",
           "An update without its old row holds the text `unchanged_toast` for large values, and "
           "functions and services take it for the value.",
           "Set REPLICA IDENTITY FULL, or compare with the marker.",
           "detected", "Sample rows with the marker; a warning where a function reads the column."),
    Hazard("GEN-04", "H", "sample", "Large messages vanish",
           "A message of more than 5,000,000 bytes is dropped at once, without an error or a log "
           "line.", "Keep large columns out of the publication.",
           "detected", "The size of each sample row."),
    Hazard("GEN-05", "M", "sample", "Group ids without the table",
           "Rows of different tables with equal keys share a group, a partition and an order at "
           "the target.", "Give each table its own destination, or a key with its name.",
           "detected", "Sample rows of two tables with one group id at one destination, where the "
           "service uses it."),
    Hazard("GEN-06", "L", "sink", "How many messages of a group a request holds",
           "Documentation promises several messages of a group in one request, and a server never "
           "sends two.", "Do not wait for such batches.",
           "avoided", "Where a sink's batches keep their order (its page names it) several "
           "messages of a group travel together in order, elsewhere one; the preview counts "
           "batches the same way."),
    Hazard("GEN-07", "H", "sink", "Overtaking after a failure",
           "While a failed message waits for its next attempt, a newer one of the same group may "
           "be delivered before it.", "Make consumers compare `commit_lsn` and `commit_idx`.",
           "avoided", "The pipeline holds a group until its failed message is done. On a server "
           "it cannot be seen from a project."),
    Hazard("GEN-08", "M", "sink", "Enrichment before the filter",
           "The enrichment asks the database once per message, also for messages that the filter "
           "drops afterwards.", "Exclude tables and actions at the source.",
           "detected", "A sink with an enrichment and a filter."),
    Hazard("GEN-09", "M", "sample", "One bad message fails its batch",
           "Where a server routes or transforms a whole batch, one exception makes all its "
           "messages fail and be sent again.", "Write functions that never fail.",
           "detected", "Sample rows on which such a function fails, with the size of the batch. "
           "RouteStudio itself fails that message only."),
    Hazard("GEN-10", "L", "sink", "Ten minutes of back-off",
           "The longest wait between attempts is ten minutes, although the documentation states "
           "three.",
           "Plan recovery with ten minutes.",
           "avoided", "Retries follow the real schedule."),
    Hazard("GEN-11", "M", "sink", "The retry count counts attempts",
           "`max_retry_count: 1` means no retry at all.", "Write one more than the retries meant.",
           "detected", "A count of 1; forms call it attempts."),
    Hazard("GEN-12", "L", "sink", "A retry count of zero",
           "`max_retry_count: 0` is read and then refused.", "Write 1 or more, or leave it out.",
           "detected", "The value in the file."),
    Hazard("GEN-13", "H", "sample", "Failing for ever",
           "A message whose routing is not valid can never be delivered, and a server tries it for "
           "ever unless `max_retry_count` is set.", "Correct the route, or filter such messages.",
           "detected", "Sample rows that no attempt can deliver; a run gives them to the dead "
           "letters. A warning, because samples may hold such rows on purpose."),
    Hazard("GEN-14", "M", "sample", "Too large for the service",
           "Messages over a service's limit are documented as cancelled, but are tried again and "
           "again.", "Drop large columns in a transform.",
           "detected", "The encoded size of each sample row against the service's limit."),
    Hazard("GEN-15", "M", "function", "Times become integers",
           "With `unix_microsecond` functions see integers where they see times otherwise.",
           "Calculate with microseconds, or keep `iso8601`.",
           "detected", "A filter or route of such a sink that reads a column with times."),
    Hazard("GEN-16", "L", "function", "Function of another name",
           "A server does not compare the name of the defined function with its kind, and fails at "
           "run time.", "Name it `route`, `filter` or `transform`.",
           "detected", "The name in the code against the kind; Python functions must have it."),
    Hazard("GEN-17", "M", "sink", "Order of enrichment parameters",
           "`$1`, `$2` are the key columns in the order of the alphabet, not in that of the table, "
           "so a composite key may be asked for the wrong way round.",
           "Count parameters by the alphabet.",
           "detected", "SQL with `$2` for tables whose key columns are in another order."),
    Hazard("GEN-18", "M", "sink", "Static values beside a function",
           "A server's console calls static values the defaults of dynamic mode, and they are not "
           "used there.", "Return the value from the function.",
           "detected", "Routing values in the file of a sink that has a routing function."),
    Hazard("GEN-19", "M", "function", "A route that is not a map",
           "A routing function that gives something else than a map fails without a message that "
           "explains it.", "Return a map on every way through the function.",
           "detected", "Ways that end without a map, and sample rows that take them."),
    Hazard("GEN-20", "M", "sample", "Numbers where text is needed",
           "Only the key of `redis_string` turns numbers into text; elsewhere the message is "
           "refused.", "Convert in the function.",
           "detected", "Sample rows with a number in such a field."),
    Hazard("GEN-21", "L", "sample", "White space that is not seen",
           "A line break at the end and Unicode spaces pass a server's check and are refused by "
           "the service, or make a place that nobody finds.", "Strip values before using them.",
           "detected", "Sample rows with such values; those at the end are refused."),
    Hazard("GEN-22", "M", "sample", "Defaults are never checked",
           "A default that breaks the rule of its field is sent as it is.",
           "Give the field in a routing function.",
           "detected", "Every effective value is checked, defaults included. Keys that the service "
           "takes, such as those with a space, are delivered and noted."),
    Hazard("GEN-23", "H", "sink", "Routing function of another sink type",
           "A server does not compare the function's `sink_type` with the sink, and every message "
           "fails.", "Choose a function that was made for this type.",
           "detected", "Both types in the file."),
    Hazard("GEN-24", "M", "sink", "Function of another kind",
           "A server does not check whether a transform is one, and fails at each message.",
           "Choose a function of the right kind.",
           "detected", "The kinds in the file."),
    Hazard("GEN-25", "M", "project", "Sinks made by API without `routing`",
           "A server's API refuses a sink without the key, with a message about a mode that is "
           "not in its documentation.", "Always write `routing`, if only `none`.",
           "avoided", "An export always writes the key."),
    Hazard("GEN-26", "M", "sink", "Batches of one",
           "A sink without `batch_size` delivers message by message, although a server's console "
           "would propose more.", "Write `batch_size`.",
           "detected", "Sinks without the key whose type gains by batches."),
    Hazard("GEN-27", "M", "sink", "Load shedding that does not happen",
           "`discard_on_full` is stored, and no part of a server was seen to follow it.",
           "Do not rely on it.",
           "detected", "The value in the file; a note, because versions may differ."),
    Hazard("GEN-28", "H", "project", "Secrets in the browser",
           "A server's detail page ships several passwords and keys to the browser in clear.",
           "Use credentials with few rights, and close the console to others.",
           "avoided", "No secret is shown, logged, or written to a file of the project."),
    Hazard("GEN-29", "M", "function", "Headers that are null",
           "`headers: null` passes the check and fails at delivery.",
           "Leave the key out, or return an empty map.",
           "detected", "The code, and sample rows that give null; null is refused."),
    Hazard("GEN-30", "M", "sink", "TLS without verification",
           "A server takes any certificate for Kafka, NATS, Redis and RabbitMQ, so TLS protects "
           "from listeners only.", "Keep such traffic in a network that you trust.",
           "avoided", "Certificates are verified."),
    Hazard("GEN-31", "M", "sample", "Three different limits",
           "Saving, routing and the service check names by different rules, so a name may be "
           "refused at delivery only.", "Keep to the strictest rule.",
           "detected", "Static values and sample rows against the limits of the service."),
    Hazard("GEN-32", "M", "sink", "Batch sizes that are not used",
           "Several sink types ignore the sink's `batch_size`.",
           "Remove it, or use the destination's own key.",
           "detected", "The key in a sink of such a type."),
    Hazard("GEN-33", "M", "sample", "Names put into URLs as they are",
           "A slash or a question mark in a name or id makes the request one for something else.",
           "Use letters, digits and dashes.",
           "detected", "Routed names and ids of sample rows. RouteStudio escapes them."),
    Hazard("GEN-34", "H", "sample", "Two ids for one document",
           "A document that is indexed under one id and deleted under another is never deleted.",
           "Make ids of the primary key.",
           "detected", "The id of the document of each sample row against that of its delete."),
    Hazard("GEN-35", "M", "sample", "Copies left behind",
           "When a column that the route reads changes, later messages go elsewhere and nothing "
           "removes the copy at the old place.", "Route by columns that never change.",
           "detected", "The route of each sampled update for the row before and after it; a note "
           "where a sink keeps no copies."),
    Hazard("GEN-36", "L", "function", "One route per message",
           "A routing function can neither skip a message nor send it twice.",
           "Skip with a filter; use a second sink.",
           "detected", "Functions that return a list."),
    Hazard("GEN-37", "M", "function", "No branch for backfills",
           "A function that has branches for insert, update and delete only fails on every row of "
           "a backfill.", 'Add a branch for "read".',
           "detected", "Sampled rows as a backfill sends them, and the branches in the code."),
    Hazard("GEN-38", "M", "sample", "Null or empty parts of a destination",
           "A column that is null or empty becomes a part of a topic, key or path, and rows go to "
           "places such as `orders.None.orders` or `orders..orders`.",
           "Give such rows their own destination, or filter them.",
           "detected", "What functions return for sample rows: parts that are empty, or the text "
           "of a null."),
    Hazard("GEN-39", "M", "function", "Order of atom keys",
           "A map with atom keys, such as `metadata` or `%{b: 1, a: 2}`, lists them in an order "
           "that depends on the running server and may change with it, so a text or list made "
           "from one is not the same everywhere. RouteStudio lists them by name.",
           "Sort the keys, write the parts in your order, or use text keys.",
           "detected", "The code of Elixir functions: calls that turn such a map into a text or a "
           "list, unless what follows does not depend on the order."),
    Hazard("GEN-40", "L", "function", "Patterns that older servers read otherwise",
           "Servers of before December 2025 run on OTP 27: there `{,3}` is text, and without the "
           "modifier `u` classes such as `\\w` know letters beyond ASCII as bytes.",
           "Add the modifier `u` where text may hold other letters, and write `{0,3}`.",
           "detected", "Literal patterns in Elixir functions, and sample rows with text beyond "
           "ASCII. RouteStudio follows OTP 28, as servers do since."),
    Hazard("GEN-41", "M", "sample", "Columns that come and go",
           "A function reads a column that some rows do not have, such as those from before the "
           "table was changed, or deletes with the key only: it gets nothing there.",
           "Test whether the column is there before using it.",
           "detected", "Columns that only some rows of a table have in the samples, and what the "
           "functions read."),
)  # fmt: skip
