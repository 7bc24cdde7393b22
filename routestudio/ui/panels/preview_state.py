"""What a preview depends on, and what it adds to the project."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject

from routestudio.ui.bridge import Job
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
                        session.snapshot.get("variables"),
                        session.snapshot.get("table_keys")]  # fmt: skip
    return json.dumps(parts, sort_keys=True, default=str)


def sample_text(item: Mapping[str, Any]) -> str:
    """A sample set with its rows, such as `orders (84)`; `orders (about 1,200,000)`."""
    about = "about " if item.get("about") else ""
    return f"{item['name']} ({about}{item['rows']:,})"


def find_rows(
    session: Session, owner: QObject, view: str, found: Callable[[dict[str, Any]], None]
) -> Job:
    """Let the engine find all rows of a large file, which takes its time; `found` hears of it."""
    engine = session.engine
    return engine.run(
        engine.request("find_rows", on_event=lambda _, data: found(data), view=view),
        owner=owner, title="Rows", done=found, failed=lambda _: None,
    )  # fmt: skip


def add_messages(session: Session, sample: str, messages: list[dict[str, Any]]) -> None:
    """Append messages to a sample set, which is made when there is none."""
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in messages)

    def told() -> None:
        session.notice.emit("success", f"{len(messages)} rows added to sample {sample}")

    def append(text: str | None) -> None:
        if text is None:
            session.notice.emit("warning", f"Sample {sample} is too large to add to")
            return
        session.apply({"op": "set_sample", "name": sample, "text": text + lines}, told)

    if sample not in {item["name"] for item in session.samples()}:
        session.apply({"op": "add_sample", "name": sample, "text": lines}, told)
        return
    engine = session.engine
    engine.run(
        session.request("sample_text", name=sample, limit=4_000_000),
        owner=session, title="Samples", done=append,
    )  # fmt: skip
