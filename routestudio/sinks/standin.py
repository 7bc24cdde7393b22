"""What a stand-in is: a local service that RouteStudio starts, and what arrived at it."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from routestudio.sinks.base import StandinAddress


@dataclass(frozen=True, slots=True)
class Arrived:
    """One thing that arrived. `destination` is e.g. a topic, a Redis key or a URL path.

    `key` is the message key where the protocol has one, `body` the content as text (Base64 with
    a `base64:` prefix when it is not UTF-8), `details` what else the protocol has (partition,
    method, headers, time to live ...), as plain data.
    """

    destination: str
    body: str
    key: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Standin(ABC):
    """A stand-in. Listens on loopback only; `stop` ends everything that `start` began."""

    kind: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    async def start(self) -> StandinAddress:
        """Start on a free port. Raises `LinkError` with what to install when it cannot."""

    @abstractmethod
    async def arrived(self, limit: int = 10_000) -> Sequence[Arrived]:
        """What has arrived since the start or the last `clear`, in order of arrival."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget what has arrived."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop; may be called more than once."""


def as_text(data: bytes) -> str:
    """Bytes as text: UTF-8, or Base64 behind `base64:` when they are not."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()
