"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import LOGIN, ServerKeys

SERVER: Final = ServerKeys(
    LOGIN | {"virtual_host", "exchange"}, derived=frozenset({"connection_id"})
)
