"""Requests of the editor: format a text, and example values for its help."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from routestudio.engine.importing import ImportMethods
from routestudio.engine.sources import find_lines, read_some, sample_lines, sample_text
from routestudio.errors import UsageError
from routestudio.model import jsonio
from routestudio.model.function import Language
from routestudio.model.message import Message
from routestudio.project.sample_state import hash_of
from routestudio.samples.masking import mask_text

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Emit = Callable[[str, dict[str, Any]], None]

ROWS: Final = 200
"""Rows of each sample set in which an example is looked for."""

LONGEST: Final = 60
"""Characters of an example."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class EditingMethods:
    """Requests that need no preview."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "format": self.format,
            "sample_text": self.sample_text,
            "yaml_text": self.yaml_text,
            "sample_lines": self.sample_lines,
            "examples": self.examples,
            "mask": self.mask,
            **ImportMethods(service).methods,
        }

    async def format(self, code: str, *, language: str = "python", emit: Emit = _ignore) -> str:
        """A function's text, formatted. Raises `UsageError`, which explains why, if it cannot
        be."""
        return await self._service.pool.format(code, Language(language))

    async def sample_text(self, name: str, limit: int, *, emit: Emit = _ignore) -> str | None:
        """The text of a sample set; `None` when it has more than `limit` characters."""
        return sample_text(self._service.workspace, name, limit)

    async def yaml_text(self, *, emit: Emit = _ignore) -> dict[str, str]:
        """The `text` of the YAML file as it was typed, and its `state` in the snapshot (`yaml`)."""
        text = self._service.workspace.project.yaml_text
        return {"text": text, "state": hash_of(text)}

    async def sample_lines(
        self, name: str, start: int, count: int, *, line: int | None = None, emit: Emit = _ignore
    ) -> dict[str, Any] | None:
        """Rows of a set of any size as text (`sources.sample_lines`)."""
        await find_lines(self._service.workspace, name)
        return sample_lines(self._service.workspace, name, start, min(count, 1_000), line)

    async def examples(self, *, emit: Emit = _ignore) -> dict[str, dict[str, str]]:
        """A value of each column (`columns`) and metadata field (`metadata`) of the samples.

        As JSON text, cut when it is long; null only where there is nothing else.
        """
        columns: dict[str, str] = {}
        metadata: dict[str, str] = {}
        workspace = self._service.workspace
        for name in workspace.project.project.samples:
            try:
                items = read_some(workspace, "sample", name, ROWS)
            except UsageError:
                continue
            for item in items:
                if isinstance(item, Message):
                    _collect(columns, item.record)
                    _collect(metadata, item.metadata)
        return {"columns": columns, "metadata": metadata}

    async def mask(self, text: str, columns: list[str], *, emit: Emit = _ignore) -> str:
        """Messages with the values of columns replaced (`samples.masking`), with a new key."""
        return mask_text(text, frozenset(columns), secrets.token_bytes(32))


def _collect(found: dict[str, str], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if found.get(key, "null") == "null":
            text = jsonio.dumps(value)
            found[key] = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
