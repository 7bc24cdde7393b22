"""Encoded NATS messages, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks.base import Payload
from routestudio.sinks.nats.sink import Nats


def records(*subjects: str, body: Any = None, first: int = 0) -> list[Any]:
    found = []
    for number, subject in enumerate(subjects, first):
        message = message_from(
            {"action": "insert", "record": {"id": number}, "metadata": {"commit_idx": number}}
        )
        routing = Nats.Routing(subject=subject)
        payload = Payload({"n": number} if body is None else body)
        found.append(Nats.encode(Nats.Config(host="h"), message, routing, payload))
    return found


async def send(config: Any, batch: Sequence[Any]) -> Sequence[Outcome]:
    link = Nats.connect(config)
    try:
        return await link.send(batch)
    finally:
        await link.close()


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]
