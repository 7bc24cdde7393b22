"""Reading back the last records of an S2 stream.

Facts: https://s2.dev/docs/api/records/read (`tail_offset`, `seq_num`, `count`; at most 1,000
records or 1 MiB in one answer).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from routestudio.errors import UsageError
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service import ServiceLink, error_text, segment
from routestudio.sinks._shared.http.service_read import ServiceReader, decoded
from routestudio.sinks.reading import Bounds, Stored, Wanted, Window

_PAGE: Final = 1000
_AT_END: Final = 416
"""The status where there is nothing to read."""


class S2Reader(ServiceReader):
    """The last records of a stream. `place` gives the root of a basin's API, and its headers."""

    right = "the operation read on this basin and stream"

    def __init__(
        self, link: ServiceLink, place: Callable[[str], tuple[EndpointUrl, dict[str, str]]]
    ) -> None:
        super().__init__(link)
        self._place = place

    async def read(self, wanted: Wanted) -> Window:
        basin, _, stream = wanted.destination.partition("/")
        bounds, found = Bounds(wanted.limit), list[Stored]()
        query: dict[str, str | int] = {"tail_offset": wanted.limit}
        first = 0
        while not bounds.reached:
            records = await self._page(basin, stream, {**query, "count": min(_PAGE, bounds.left)})
            if not records:
                break
            if not found:
                first = _number(records[0])
            for record in records:
                if bounds.take(len(record.get("body") or "")):
                    found.append(_stored(wanted.destination, record))
            query = {"seq_num": _number(records[-1]) + 1}
        return Window(found, more=first > 0)

    async def _page(
        self, basin: str, stream: str, query: dict[str, str | int]
    ) -> list[dict[str, Any]]:
        root, headers = self._place(basin)
        answer = await self.ask(
            "GET", f"/streams/{segment(stream)}/records", query=query, base=root,
            headers={**headers, "s2-format": "base64"}, good=(404, _AT_END),
        )  # fmt: skip
        if answer.status == _AT_END:
            return []
        if answer.status == 404:
            text = error_text(answer, "message") or "it does not exist"
            raise UsageError(f"the stream {basin}/{stream} cannot be read: {text}")
        value = decoded(answer)
        records = value.get("records") if isinstance(value, dict) else None
        return [item for item in records or () if isinstance(item, dict)]


def _stored(destination: str, record: dict[str, Any]) -> Stored:
    headers = {
        _plain(pair[0]).decode("utf-8", "replace"): _plain(pair[1]).decode("utf-8", "replace")
        for pair in record.get("headers") or ()
        if isinstance(pair, list) and len(pair) == 2
    }
    body = _plain(record.get("body"))
    return Stored(destination, None, body, headers, f"{destination}@{_number(record)}")


def _plain(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _number(record: dict[str, Any]) -> int:
    found = record.get("seq_num")
    return found if type(found) is int else 0
