"""What a stand-in keeps of what arrived: bounded in number and size, oldest forgotten first."""

from __future__ import annotations

from collections import deque
from typing import Final

from routestudio.sinks.standin import Arrived

MAX_KEPT: Final = 100_000
MAX_CHARACTERS: Final = 128 * 1024 * 1024


class Kept:
    """Arrived things in order of arrival."""

    def __init__(self, items: int = MAX_KEPT, characters: int = MAX_CHARACTERS) -> None:
        self._items: deque[Arrived] = deque()
        self._limits = (items, characters)
        self._characters = 0

    def add(self, item: Arrived) -> None:
        """Keep one more, and forget the oldest beyond the limits (but never the newest)."""
        self._items.append(item)
        self._characters += len(item.body)
        items, characters = self._limits
        while len(self._items) > items or (self._characters > characters and len(self._items) > 1):
            self._characters -= len(self._items.popleft().body)

    def latest(self, limit: int) -> list[Arrived]:
        """The last `limit` things, oldest first."""
        return list(self._items)[-limit:] if limit > 0 else []

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
        self._characters = 0
