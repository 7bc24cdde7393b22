"""Reading back documents of Elasticsearch or OpenSearch by their ids.

The multi-get API reads what was written whether or not the index was refreshed since.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from routestudio.errors import LinkError
from routestudio.model import jsonio
from routestudio.sinks._shared.http.service_read import ServiceReader, decoded, pages
from routestudio.sinks.reading import Bounds, Stored, Wanted, Window

_PAGE: Final = 100
_MISSING: Final = "index_not_found_exception"


class ElasticsearchReader(ServiceReader):
    """The documents that the preview names."""

    right = "the privilege read on the index"

    async def read(self, wanted: Wanted) -> Window:
        bounds, found = Bounds(wanted.limit), list[Stored]()
        for page in pages(wanted.expected, _PAGE):
            docs = [{"_index": item.destination, "_id": item.key} for item in page]
            answer = await self.ask("POST", "/_mget", body=jsonio.dump_bytes({"docs": docs}))
            value = decoded(answer)
            held = value.get("docs") if isinstance(value, dict) else None
            if not isinstance(held, list) or len(held) != len(page):
                raise LinkError(f"{self._link.service} does not answer as Elasticsearch does",
                                hint="check the endpoint URL")  # fmt: skip
            for item, entry in zip(page, held, strict=True):
                record = self._stored(item, entry)
                if not bounds.take(record.size):
                    return Window(found, more=True)
                found.append(record)
        return Window(found)

    def _stored(self, item: Stored, entry: Any) -> Stored:
        error = entry.get("error") if isinstance(entry, dict) else None
        if isinstance(error, dict) and error.get("type") != _MISSING:
            text = self._link.clean(f"{error.get('type')}: {error.get('reason')}")[:300]
            raise LinkError(f"the document {item.key} of {item.destination} cannot be read: {text}")
        source = entry.get("_source") if isinstance(entry, dict) and entry.get("found") else None
        body = None if source is None else jsonio.dump_bytes(source)
        return replace(item, body=body, place=f"{item.destination}/{item.key}")
