"""Hazards of Redis streams, and the rules that find them."""

from __future__ import annotations

from typing import Final

from routestudio.sinks.hazard_view import Known

KNOWN: Final = Known(
    also=(
        "RDS-01",
        "GEN-30",
    ),
    routed_at_once=0,
)
