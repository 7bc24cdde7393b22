"""Reading back documents of Meilisearch and Typesense: one request for each.

Facts: https://www.meilisearch.com/docs/reference/api/documents (get one document) and
https://typesense.org/docs/30.0/api/documents.html#retrieve-a-document.
"""

from __future__ import annotations

from dataclasses import replace

from routestudio.sinks._shared.http.service import ServiceLink, segment
from routestudio.sinks._shared.http.service_read import ServiceReader, one_by_one
from routestudio.sinks.reading import Stored, Wanted, Window


class DocumentReader(ServiceReader):
    """Documents by their ids. `places` is what holds them in paths: indexes or collections."""

    def __init__(self, link: ServiceLink, places: str, right: str) -> None:
        super().__init__(link)
        self._places = places
        self.right = right

    async def read(self, wanted: Wanted) -> Window:
        return await one_by_one(wanted, self._get)

    async def _get(self, item: Stored) -> Stored:
        path = f"/{self._places}/{segment(item.destination)}/documents/{segment(item.key or '')}"
        answer = await self.ask("GET", path)
        body = answer.body if answer.ok else None
        return replace(item, body=body, place=f"{item.destination}/{item.key}")
