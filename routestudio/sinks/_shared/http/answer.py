"""What a server answered over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from routestudio.model import jsonio

_EXCERPT: Final = 200


@dataclass(slots=True, repr=False)
class Answer:
    """What a server answered. `headers` have names in lower case; `body` is decoded.

    `complete` is false when the body was longer than what the caller wanted to keep. Nobody
    changes one: answers that are alike may be one object.
    """

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    @property
    def ok(self) -> bool:
        """Whether the status is one of 200-299."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or `None` when it is not JSON or was cut."""
        if not self.complete:
            return None
        try:
            return jsonio.loads(self.body)
        except ValueError:
            return None

    def excerpt(self, limit: int = _EXCERPT) -> str:
        """The start of the body in one line."""
        return " ".join(self.body[: limit * 4].decode("utf-8", "replace").split())[:limit]
