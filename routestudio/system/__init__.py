"""Operating systems: an implementation of what they do differently for each, chosen here."""

from __future__ import annotations

import sys

from routestudio.system.base import System

__all__ = ["System", "choose", "current"]


def choose(platform: str) -> System:
    """The implementation for a system, by the name that `sys.platform` has there.

    A Unix that is not known by name is taken for one without what only Linux or macOS has.
    """
    if platform == "win32":
        from routestudio.system import windows

        return windows.system()
    if platform == "darwin":
        from routestudio.system import macos

        return macos.system()
    if platform.startswith("linux"):
        from routestudio.system import linux

        return linux.system()
    from routestudio.system import posix

    return posix.system()


current = choose(sys.platform)
