"""Order per group: at most one unfinished message of a group is out, the others wait in order."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """One lane per group id. A message keeps its lane while it is in flight or being retried.

    Delivered and rejected messages leave; only then the next one of the group may go. So no
    message overtakes an earlier one of its group, and none waits behind one that was given up.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, deque[T] | None] = {}
        self.waiting = 0

    def __len__(self) -> int:
        """Number of groups with an unfinished message."""
        return len(self._lanes)

    def enter(self, group: str, item: T) -> bool:
        """True when `item` may go now; else it waits until `leave` hands it out."""
        lanes = self._lanes
        if group not in lanes:
            lanes[group] = None
            return True
        lane = lanes[group]
        if lane is None:
            lanes[group] = deque((item,))
        else:
            lane.append(item)
        self.waiting += 1
        return False

    def leave(self, group: str) -> T | None:
        """The message of `group` that was out is finished; the next one, which may go now."""
        lane = self._lanes[group]
        if lane is None:
            del self._lanes[group]
            return None
        item = lane.popleft()
        if not lane:
            self._lanes[group] = None
        self.waiting -= 1
        return item
