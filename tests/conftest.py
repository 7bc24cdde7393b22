"""Every test runs in a home of its own, off-screen, off-line, and cleans up after itself.

Where Qt is patched, patch with a function: PySide6 6.10 and later crash when one of its methods is
replaced by a bare `Mock`.
"""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis

_SUPPORT = Path(__file__).parent / "support"

pytest_plugins = (
    "tests.support.fixtures",
    "tests.support.guards",
    "tests.support.isolation",
    "tests.support.loops",
    "tests.support.second_tries",
    "tests.support.sharing",
    *sorted(f"tests.support.{file.stem}" for file in _SUPPORT.glob("*_fixtures.py")),
)

hypothesis.settings.register_profile("laptop", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI", "").lower() == "true" else "laptop")
