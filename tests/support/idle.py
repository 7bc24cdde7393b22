"""Makes connections that a link keeps for its next batch old, so that no test waits for it."""

from __future__ import annotations

from typing import Any

LONG = 60.0


def aged(link: Any) -> None:
    """Let the idle connections of a link have been idle for a minute."""
    link._idle[:] = [(connection, since - LONG) for connection, since in link._idle]
