"""Rows of a preview as text, for clipboard and files; secrets are masked as on the screen."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

from routestudio.engine.previews import CHUNK, Preview
from routestudio.engine.rows import script_row
from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.model.preview_text import cells, heads
from routestudio.model.table_text import COPIES, FILES
from routestudio.project.files import write_parts

Emit = Callable[[str, dict[str, Any]], None]
Ranges = Sequence[tuple[int, int]]

MOST_COPIED: Final = 20_000
"""Rows that go to the clipboard at a time."""
_IN_MEMORY: Final = 8 << 20
_PART: Final = 1 << 20


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class Service(Protocol):
    """What is asked for previews."""

    @property
    def workspace(self) -> Workspace: ...
    def preview_of(self, view: str) -> Preview | None: ...


class ExportMethods:
    """Requests that give rows of a preview (`view`) as text. `ranges` are places, first and last,
    in the rows that are selected by `select`; all of them without."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "copy_rows": self.copy_rows,
            "export_rows": self.export_rows,
        }

    async def copy_rows(
        self, form: str, *, view: str = "preview", ranges: Ranges | None = None,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:  # fmt: skip
        """The columns of the table as `csv`, `jsonl`, `md` or `txt`, and how many rows these are.

        Raises `UsageError` for more rows than a clipboard should have.
        """
        preview = self._preview(view)
        places = _places(preview, ranges)
        count = sum(len(item) for item in places)
        if count > MOST_COPIED:
            raise UsageError(f"{count:,} rows are too many for the clipboard",
                             hint="export them to a file")  # fmt: skip
        fields = list(preview.prepared.sink.Routing.model_fields)
        rows = [cells(row, fields) async for row in self._rows(preview, places, brief=True)]
        return {"text": COPIES[form][1](heads(fields), rows), "count": count}

    async def export_rows(
        self, output: str, *, view: str = "preview", ranges: Ranges | None = None,
        emit: Emit = _ignore,
    ) -> int:  # fmt: skip
        """Write rows to a file, in the form that its ending names; returns how many.

        CSV and Markdown have the columns of the table, JSON lines whole rows, as
        `routestudio preview --format json` prints them. Emits `written` with the rows so far.
        """
        preview = self._preview(view)
        form = Path(output).suffix.lstrip(".")
        if form not in FILES:
            raise UsageError(f"{Path(output).name} has no known ending",
                             hint=f"name a file that ends in .{', .'.join(FILES)}")  # fmt: skip
        fields = list(preview.prepared.sink.Routing.model_fields)
        places, count = _places(preview, ranges), 0
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            if form != "jsonl":
                file.write(_head(form, fields).encode())
            async for row in self._rows(preview, places, brief=form != "jsonl"):
                text = _line(form, row, fields)
                file.write(text.encode("utf-8", "surrogatepass"))
                count += 1
                if count % CHUNK == 0:
                    emit("written", {"rows": count})
            file.seek(0)
            write_parts(Path(output), _parts(file))
        return count

    async def _rows(
        self, preview: Preview, places: Sequence[range], *, brief: bool
    ) -> AsyncIterator[dict[str, Any]]:
        for place in places:
            for start in range(place.start, place.stop, CHUNK):
                count = min(CHUNK, place.stop - start)
                for row in await preview.selected(start, count, brief=brief):
                    shown: dict[str, Any] = self._service.workspace.redact_data(row)
                    yield shown

    def _preview(self, view: str) -> Preview:
        preview = self._service.preview_of(view)
        if preview is None:
            raise UsageError("this preview is gone", hint="preview the sample again")
        return preview


def _places(preview: Preview, ranges: Ranges | None) -> list[range]:
    rows = len(preview.source) if preview.selection is None else len(preview.selection)
    if ranges is None:
        return [range(rows)]
    return [range(max(0, first), min(rows, last + 1)) for first, last in sorted(ranges)]


def _head(form: str, fields: Sequence[str]) -> str:
    return COPIES[form][1](heads(fields), [])


def _line(form: str, row: dict[str, Any], fields: Sequence[str]) -> str:
    if form == "jsonl":
        return json.dumps(script_row(row), ensure_ascii=False, default=str) + "\n"
    titles = heads(fields)
    return COPIES[form][1](titles, [cells(row, fields)]).removeprefix(_head(form, fields))


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(_PART):
        yield part
