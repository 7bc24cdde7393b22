"""Hazards of the YAML file."""

from __future__ import annotations

from typing import Final

from routestudio.model.hazard import Hazard

HAZARDS: Final = (
    Hazard("YML-01", "L", "project", "Lost descriptions",
           "The description of a function in the flat form is lost when a server reads it.",
           "Keep the file; it is the only place that has it.",
           "avoided", "Descriptions stay in the file, whatever is edited."),
    Hazard("YML-02", "L", "project", "Two names for the webhook type",
           "A server writes `sink_type: http_push` where its documentation has `webhook`.",
           "Take either for the other.",
           "avoided", "Both are read, and an export writes `webhook`."),
    Hazard("YML-03", "M", "sink", "Numbers from variables",
           "A number that comes from a variable stays text, and `batch_size` and "
           "`max_retry_count` refuse text.", "Write these numbers out.",
           "detected", "References in these keys."),
    Hazard("YML-04", "M", "sink", "Unknown keys and types",
           "An unknown key of a destination is ignored, so a typing mistake goes unnoticed; an "
           "unknown type makes the import crash.", "Correct the name.",
           "detected", "Every key and type, with the nearest name that exists."),
    Hazard("YML-05", "L", "sink", "Settings that YAML cannot hold",
           "Waiting times and memory limits can be set in a server's console only.",
           "Set them there.",
           "detected", "Such keys in the file."),
    Hazard("YML-06", "M", "sink", "An enrichment that stays",
           "A sink without the key `enrichment` keeps the one it has, while filter, transform and "
           "routing are reset.", "Write `enrichment: none`.",
           "detected", "Sinks without the key in a project with enrichments; exports write it."),
    Hazard("YML-07", "H", "sink", "Defaults defeated by null",
           "A server takes some missing keys for null: Kafka producers then crash at every "
           "message, others lose their batch size, time-out or primary key.",
           "Write these keys.",
           "detected", "Destinations without such a key. A warning, because exports write it."),
    Hazard("YML-08", "H", "project", "Masked secrets as real ones",
           "An export that hides secrets can be imported again, and the asterisks become the "
           "password.", "Export with secrets, or write a reference like `${NAME}`.",
           "detected", "Secrets that look as a server masks them; they are refused."),
    Hazard("YML-09", "L", "sink", "Documented keys that are ignored",
           "Some keys are in a server's documentation and have no effect.", "Remove them.",
           "detected", "Kafka's `batch_size`, `mode` of Redis strings, `is_fifo` of SNS."),
    Hazard("YML-10", "M", "sink", "No import without authentication",
           "`auth_type: none` of Elasticsearch makes a server's import crash.",
           "Make such a sink in the console.",
           "detected", "The value in the file; RouteStudio supports it."),
)  # fmt: skip
