"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    frozenset({"endpoint_url", "collection_name", "api_key", "batch_size", "timeout_seconds"})
)
