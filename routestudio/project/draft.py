"""A text of the YAML file that cannot be read yet: somebody is in the middle of typing it.

The project stays as it was, and the text is kept beside it under the name that `draft_of` gives, so
undo, journal and recovery treat it like any other. While it is there, nothing else changes the YAML
file, and nothing is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from routestudio.errors import Place, ProjectError, UsageError
from routestudio.project.disk import MAX_YAML, encodable
from routestudio.project.document import YamlDocument
from routestudio.project.sample_lines import beside, with_ends_of


def draft_of(yaml: str) -> str:
    """The name under which the draft of a YAML file is kept."""
    return beside(PurePath(yaml).name)


@lru_cache(maxsize=2)
def problem_of(text: str, name: str) -> ProjectError | None:
    """Why a text cannot be read; `None` when it can."""
    try:
        YamlDocument(text, name=name)
    except ProjectError as error:
        return error
    return None


def take_text(edit: Mapping[str, Any], document: YamlDocument) -> tuple[str, dict[str, str | None]]:
    """Make `document` hold the text of an edit; what cannot be read becomes the draft."""
    text = with_ends_of(document.text, str(edit["text"]))
    if not encodable(text):
        raise UsageError("the text contains an invalid character (an unpaired surrogate)")
    if len(text.encode()) > MAX_YAML:
        raise UsageError(f"the text has more than {MAX_YAML:,} bytes", hint="divide the file")
    name = PurePath(document.name).name
    unreadable = problem_of(text, document.name) is not None
    if not unreadable:
        document.replace(text)
    return f"Edit {name}", {draft_of(name): text if unreadable else None}


def refuse(draft: str | None, name: str, what: str) -> None:
    """Raise `ProjectError` when there is a draft: `what` has to wait for it."""
    found = None if draft is None else problem_of(draft, name)
    if found is not None:
        raise ProjectError(
            f"{found.message}, so {what}", place=found.place or Place(name),
            hint="correct its text, or undo what was typed",
        )  # fmt: skip


def shown(draft: str | None, name: str) -> list[dict[str, Any]]:
    """The problem of a draft for the window's list."""
    found = None if draft is None else problem_of(draft, name)
    if found is None:
        return []
    place = found.place or Place(name)
    return [{
        "severity": "error", "code": "draft", "message": f"{found.message} (not applied)",
        "hint": found.hint, "file": PurePath(name).name, "line": place.line or 1,
        "column": place.column, "path": [],
    }]  # fmt: skip
