"""Makes connections that a link keeps for its next batch old, so that no test waits for it."""

from __future__ import annotations

from typing import Any

LONG = 60.0


def aged(keeper: Any) -> None:
    """Let the connections that a link, or its node, keeps have been idle for a minute."""
    keeper._idle[:] = [(connection, since - LONG) for connection, since in keeper._idle]
