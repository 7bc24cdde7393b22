"""Reading back from the services of AWS."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from routestudio.errors import LinkError
from routestudio.sinks._shared.aws.client import AwsError
from routestudio.sinks._shared.aws.fields import Place
from routestudio.sinks._shared.aws.link import AwsLink
from routestudio.sinks._shared.http.client import UnansweredError
from routestudio.sinks.reading import (
    SECONDS,
    Reader,
    Wanted,
    Window,
)

_PAUSE: Final = 0.25
"""Seconds before a service that is asked too often is asked again."""


class AwsReader(Reader):
    """Calls of the sink's own link, in the region of the destination."""

    def __init__(self, link: AwsLink, right: str) -> None:
        self._link = link
        self._right = right

    async def ask(self, place: Place, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, again while it is refused for coming too often. Raises `LinkError`."""
        link = self._link
        while True:
            try:
                return await link.ask(place.region, operation, parameters)
            except AwsError as error:
                if not error.passing:
                    hint = f"allow {self._right} to this user or role" if error.denied else None
                    text = f"{link.service} cannot be read: {error.text}"
                    raise LinkError(text, hint=hint) from None
            except UnansweredError as failure:
                text = f"{link.service} cannot be read: {failure.outcome.reason}"
                raise LinkError(text) from None
            await asyncio.sleep(_PAUSE)

    async def read(self, wanted: Wanted) -> Window:
        try:
            async with asyncio.timeout(SECONDS):
                return await self.look(wanted, self._link.parse(wanted.destination))
        except TimeoutError:
            raise LinkError(f"{self._link.service} did not give its records within {SECONDS:g} s",
                            hint="lower the limit") from None  # fmt: skip

    async def look(self, wanted: Wanted, place: Place) -> Window:
        """Read a destination."""
        raise NotImplementedError

    async def close(self) -> None:
        await self._link.close()
