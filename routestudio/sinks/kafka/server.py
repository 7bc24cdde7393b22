"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    frozenset({"hosts", "topic", "tls", "username", "password", "sasl_mechanism",
               "aws_access_key_id", "aws_secret_access_key", "aws_region", "compression"})
)  # fmt: skip
