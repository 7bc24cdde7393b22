"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    frozenset({"endpoint_url", "index_name", "primary_key", "api_key", "batch_size",
               "timeout_seconds"}),
    hidden=frozenset({"batch_size"}),  # MEI-10
)  # fmt: skip
