"""Remembers the ids that were sent, for services that drop a message whose id came before."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

_REMEMBERED: Final = 100_000

ONE_PROCESS: Final = (
    "the ids of all messages are compared, because the service drops those whose id came before"
)
"""`Sink.one_process` of the sinks that use `SentIds`."""


class SentIds:
    """The ids of the last 100,000 messages, with what they went out with.

    A service that removes duplicates looks at the id only. The same message sent again relies on
    that; another one with the same id would be taken and dropped, so it is not sent at all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def repeated(self, key: Hashable, content: Hashable, seconds: float) -> bool:
        """Whether another message went out under `key` less than `seconds` ago; else note this."""
        sent, now, found = self._sent, self._clock(), hash(content)
        known = sent.get(key)
        if known is not None and now - known[0] < seconds and known[1] != found:
            return True
        sent[key] = (now, found)
        sent.move_to_end(key)
        if len(sent) > _REMEMBERED:
            sent.popitem(last=False)
        return False
