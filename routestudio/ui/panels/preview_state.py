"""What a preview depends on: while that stays the same, nothing is asked of the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from routestudio.ui.session import Session

_ROLES = ("routing", "filter", "transform")


def depends_on(
    session: Session,
    sink: str | None,
    sample: str | None,
    code: Mapping[str, str],
    use: Mapping[str, str],
) -> str:
    """A text that differs when the preview of a sink over a sample set may come out differently.

    `code` is what is being typed, by name of the function; `use` are functions by role in place
    of the sink's own.
    """
    found = session.sink(sink) if sink is not None else None
    if found is None:
        return ""
    names = {role: use.get(role) or found.get(role) for role in _ROLES}
    functions = []
    for name in names.values():
        function = session.function(str(name)) if name else None
        if function is not None:
            functions.append({**function, "code": code.get(str(name), function["code"])})
    item = next((item for item in session.samples() if item["name"] == sample), None)
    parts: list[Any] = [found, names, functions, item, session.endpoints(),
                        session.snapshot.get("variables")]  # fmt: skip
    return json.dumps(parts, sort_keys=True, default=str)
