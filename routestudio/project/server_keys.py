"""What a Sequin server reads of a `sequin.yaml`, and what its export contains.

Facts: docs/reference/sequin.md#configuration-file and docs/reference/services.md; here only: names
of keys by section and by sink type. What is not listed for a destination is ignored by a server;
what is not listed for a sink or an endpoint is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AWS: Final = frozenset(
    {"access_key_id", "secret_access_key", "use_task_role", "region", "use_emulator",
     "emulator_base_url"}
)  # fmt: skip
_LOGIN: Final = frozenset({"host", "port", "username", "password", "tls"})

DESTINATION: Final[Mapping[str, frozenset[str]]] = {
    "http_push": frozenset({"http_endpoint", "http_endpoint_path", "batch"}),
    "redis_string": _LOGIN | {"database", "expire_ms"},
    "redis_stream": _LOGIN | {"database", "stream_key"},
    "nats": _LOGIN | {"jwt", "nkey_seed"},
    "kafka": frozenset({"hosts", "topic", "tls", "username", "password", "sasl_mechanism",
                        "aws_access_key_id", "aws_secret_access_key", "aws_region",
                        "compression"}),
    "gcp_pubsub": frozenset({"project_id", "topic_id", "use_emulator", "emulator_base_url",
                             "credentials"}),
    "azure_event_hub": frozenset({"namespace", "event_hub_name", "shared_access_key_name",
                                  "shared_access_key"}),
    "sns": _AWS | {"topic_arn"},
    "sqs": _AWS | {"queue_url"},
    "kinesis": frozenset({"stream_arn", "access_key_id", "secret_access_key", "use_task_role"}),
    "typesense": frozenset({"endpoint_url", "collection_name", "api_key", "batch_size",
                            "timeout_seconds"}),
    "meilisearch": frozenset({"endpoint_url", "index_name", "primary_key", "api_key", "batch_size",
                              "timeout_seconds"}),
    "elasticsearch": frozenset({"endpoint_url", "index_name", "auth_type", "auth_value",
                                "batch_size"}),
    "s2": frozenset({"basin", "stream", "access_token"}),
    "rabbitmq": _LOGIN | {"virtual_host", "exchange"},
}  # fmt: skip
"""By sink key: the keys of a destination that a server reads, `type` aside."""

NOT_EXPORTED: Final[Mapping[str, frozenset[str]]] = {
    "sqs": frozenset({"use_emulator", "emulator_base_url"}),
    "meilisearch": frozenset({"batch_size"}),
}
"""By sink key: keys that a server reads and that its export leaves out (SQS-06, MEI-10)."""

DERIVED: Final[Mapping[str, frozenset[str]]] = {
    "sqs": frozenset({"is_fifo"}),
    "sns": frozenset({"is_fifo"}),
    "rabbitmq": frozenset({"connection_id"}),
}
"""By sink key: keys of an export that a server works out itself and does not read."""

SERVER_ONLY: Final = frozenset({"sequin_stream", "benchmark"})
"""Types of destination that servers have and RouteStudio does not deliver to."""

TOP: Final = frozenset(
    {"account", "users", "api_tokens", "databases", "change_retentions", "http_endpoints",
     "functions", "transforms", "sinks"}
)  # fmt: skip
LISTS: Final = TOP - {"account"}
"""Keys at the top that hold lists; a server crashes when one of them is null."""

DATABASE: Final = frozenset(
    {"name", "username", "password", "hostname", "port", "database", "pool_size", "slot",
     "publication", "slot_name", "publication_name", "await_database", "primary", "ssl", "ipv6",
     "use_local_tunnel", "annotations", "url", "queue_interval", "queue_target", "id"}
)  # fmt: skip
CONNECTION: Final = ("database", "hostname", "port", "username", "password")
ENDPOINT: Final = frozenset(
    {"name", "url", "local", "path", "webhook.site", "headers", "encrypted_headers", "id",
     "inserted_at", "updated_at", "account_id"}
)  # fmt: skip
RETENTION: Final = ("source_database", "source_table_schema", "source_table_name",
                    "destination_database", "destination_table_schema",
                    "destination_table_name")  # fmt: skip
SOURCE: Final = ("include_schemas", "exclude_schemas", "include_tables", "exclude_tables")

KEPT: Final = frozenset(
    {"status", "actions", "batch_size", "timestamp_format", "max_retry_count",
     "load_shedding_policy", "message_grouping", "annotations", "source", "tables"}
)  # fmt: skip
"""Keys of a sink that keep their value on a server when a file leaves them out."""
