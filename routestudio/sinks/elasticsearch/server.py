"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    frozenset({"endpoint_url", "index_name", "auth_type", "auth_value", "batch_size"}),
    refused={
        ("auth_type", "none"): (
            "is `none`, on which a server crashes (YML-10)",
            "make this sink in the server's console",
        )
    },
)
