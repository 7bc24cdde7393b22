"""While messages are delivered, the collector of reference cycles looks less often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNG: Final = 200_000
"""Objects made and not yet let go of before it looks: more than those of the messages that a
delivery holds (`planner.MAX_MESSAGES`), so that it looks for what a function or a library left."""

_deliveries = 0
_usual = gc.get_threshold()


@contextmanager
def collected_rarely() -> Iterator[None]:
    """For as long as a delivery lasts; deliveries may overlap.

    A message leaves no cycles behind, yet thousands of them are alive at any moment. With
    Python's own thresholds the collector walks them again and again, which was a sixth of all
    processor time. Cycles are still found, only later.
    """
    global _deliveries, _usual
    if not _deliveries:
        _usual = gc.get_threshold()
        gc.set_threshold(max(_YOUNG, _usual[0]), *_usual[1:])
    _deliveries += 1
    try:
        yield
    finally:
        _deliveries -= 1
        if not _deliveries:
            gc.set_threshold(*_usual)
