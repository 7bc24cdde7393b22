"""The stand-in of Event Hubs: it takes what is written and keeps it.

Hubs exist as soon as they are named; signatures are not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from routestudio.sinks._shared.standins.api import ApiStandin, loaded


class EventHubStandin(ApiStandin):
    """An Event Hubs namespace, over HTTP."""

    kind: ClassVar[str] = "event_hub"
    title: ClassVar[str] = "Azure Event Hubs"

    def _say(
        self, method: str, steps: list[str], query: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        if method == "POST" and len(steps) == 2 and steps[1] == "messages":
            events = loaded(body)
            if not isinstance(events, list) or not all(isinstance(item, dict) for item in events):
                return 400, b"<Error><Code>400</Code><Detail>no list of events</Detail></Error>"
            for item in events:
                self._keep(steps[0], "send", None, _bytes(item.get("Body")))
            return 201, b""
        text = b"The requested HTTP operation is not supported in an EventHub."
        return 400, b"<Error><Code>400</Code><Detail>" + text + b"</Detail></Error>"


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b""
