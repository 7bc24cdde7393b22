"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    frozenset({"namespace", "event_hub_name", "shared_access_key_name", "shared_access_key"})
)
