"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.server import MapKey, ServerKeys

_CREDENTIALS: Final = MapKey(
    needed=("private_key_id", "private_key", "client_email", "client_id"),
    fixed={"type": "service_account"},
    copied=("project_id",),
    secret=frozenset({"private_key_id", "private_key", "client_email", "client_id",
                      "universe_domain", "client_secret", "api_key"}),
)  # fmt: skip
"""Google's credentials: docs/reference/services.md#google-pubsub"""

SERVER: Final = ServerKeys(
    frozenset({"project_id", "topic_id", "use_emulator", "emulator_base_url", "credentials"}),
    maps={"credentials": _CREDENTIALS},
)
