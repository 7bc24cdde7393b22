"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks._shared.aws.server import KEYS
from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(
    KEYS | {"queue_url"},
    hidden=frozenset({"use_emulator", "emulator_base_url"}),  # SQS-06
    derived=frozenset({"is_fifo"}),
)
