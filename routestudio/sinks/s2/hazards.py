"""Hazards of S2, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, SinkView
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("S2-01", "M", "sink", "A test that always fails",
           "The connection test of a dynamic sink asks for a stream without a name.",
           "Ignore its verdict.",
           "detected", "Dynamic sinks that a server could run; a note. RouteStudio checks the "
           "sampled streams."),
)  # fmt: skip


KNOWN: Final = Known(
    "S2",
    _HAZARDS,
    also=(
        "GEN-32",
        "GEN-33",
    ),
    url_fields=("basin", "stream"),
)


@rule("S2-01", server=True)
def test_fails(view: SinkView) -> Iterator[Finding]:
    """Every dynamic S2 sink of a server."""
    if view.dynamic:
        yield view.at_key("S2-01", "a server's connection test of a dynamic sink always fails",
                          "trust RouteStudio's check of the sampled streams", "destination",
                          severity="note")  # fmt: skip
