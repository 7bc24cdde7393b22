"""What a Sequin server reads of a `sequin.yaml`, and what its export contains.

Facts: docs/reference/sequin.md#configuration-file; here only: names of keys by section. Those of
destinations are in the rooms of the sinks (`sinks.server`). What is not listed for a sink or an
endpoint is refused by a server.
"""

from __future__ import annotations

from typing import Final

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
