"""Python's collector of cycles in the window's process."""

from __future__ import annotations

import gc


def settle() -> None:
    """Leave what the start has made, modules and widgets, out of later collections.

    It lives as long as the program. Walking all of it took 100 ms now and then, in the middle of
    typing; what comes later is little.
    """
    gc.freeze()
