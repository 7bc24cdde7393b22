"""What a Sequin server reads of this sink's destination."""

from __future__ import annotations

from typing import Final

from routestudio.sinks._shared.aws.server import KEYS
from routestudio.sinks.server import ServerKeys

SERVER: Final = ServerKeys(KEYS | {"topic_arn"}, derived=frozenset({"is_fifo"}))
