"""What form, sources and engine know alike of PostgreSQL's connections."""

from __future__ import annotations

from typing import Final

PORT: Final = 5432
TLS_MODES: Final = ("prefer", "disable", "require", "verify-ca", "verify-full")
"""PostgreSQL's `sslmode`; the first one is the default."""
