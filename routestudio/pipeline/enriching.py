"""What enrichment adds to a message: the row that a query found for its key, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from routestudio.model.message import Message

EnrichmentState = Literal["none", "known", "given", "unknown"]
"""Of one message: its sink has no enrichment; the database was asked; the row brought one along;
nobody asked, so that null stands for what is not known."""


@dataclass(frozen=True, slots=True)
class EnrichmentFault:
    """Why a message has no enrichment. `line` and `column` are places in the query's text."""

    code: str
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    function: str | None = None


Enriched = dict[str, Any] | EnrichmentFault | None
"""The row for one message; `None` where the query found none, as on a server."""


class Enricher(Protocol):
    """Asks a database (`engine.enrichment`)."""

    async def enrich(self, messages: Sequence[Message]) -> Sequence[Enriched]:
        """One answer for each message, in order.

        Raises `LinkError` when a delivery cannot go on without the database.
        """
        ...


def with_enrichment(message: Message, found: dict[str, Any] | None) -> Message:
    """The message with `metadata.enrichment`."""
    return replace(message, metadata={**message.metadata, "enrichment": found})


def given(message: Message) -> bool:
    """Whether a row brought its enrichment along: it is kept then, and nobody is asked."""
    return message.metadata.get("enrichment") is not None
