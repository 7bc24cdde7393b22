"""Limits that command line, engine and window share."""

from __future__ import annotations

from typing import Final

MOST_WORKERS: Final = 16
"""Processes that may deliver one run."""
