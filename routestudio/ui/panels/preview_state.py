"""What a preview depends on, and what it adds to the project."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QWidget

from routestudio.ui import dialogs
from routestudio.ui.bridge import Job
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner

_ROLES = ("routing", "filter", "transform", "enrichment")


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
    database = session.databases().get(found.get("database") or "") if names["enrichment"] else None
    parts: list[Any] = [found, names, functions, item, session.endpoints(), database,
                        session.snapshot.get("variables"), session.snapshot.get("table_keys"),
                        session.snapshot.get("table_types")]  # fmt: skip
    return json.dumps(parts, sort_keys=True, default=str)


def say_readiness(
    banner: Banner, data: Mapping[str, Any], evaluate: Callable[[Mapping[str, Any]], None]
) -> None:
    """Show what stands in the way of a delivery, and whether enrichments are known."""
    problems = data.get("problems") or []
    found = data.get("enrichment") or {}
    if problems:
        texts = [f"{p['field']}: {p['message']}" for p in problems[:3]]
        banner.say("warning", "Not ready for delivery — " + "; ".join(texts))
    elif found.get("state") == "unknown":
        text = f"metadata.enrichment is unknown: {found['reason']}."
        button = f"Evaluate enrichment on {found['database']}" if found["ask"] else ""
        banner.say("info", text, button, lambda: evaluate(found))
    else:
        banner.hide()


def evaluate_enrichment(
    session: Session, owner: QWidget, sink: str, found: Mapping[str, Any],
    done: Callable[[], None],
) -> None:  # fmt: skip
    """Ask whether a query may be evaluated on a database, and variables of the user may go there;
    once for a project. Go on with yes."""
    engine = session.engine

    def ask(items: list[dict[str, Any]]) -> None:
        text = (
            f"Evaluate {found['function']} on {found['where']}? It is only read. The answer counts "
            f"for this project on this machine.\n\n{found['sql'].strip()[:600]}"
        )
        if sent := [item for item in items if not item.get("enrichment")]:
            text += f"\n\n{dialogs.variables_text(sent)}"
        if dialogs.ask(owner.window(), "Ask a database", text, "Evaluate", danger=bool(sent)):
            engine.run(engine.request("agree_outside", items=items), owner=owner,
                       title="Enrichment", done=lambda _: done())  # fmt: skip

    engine.run(session.request("outside_variables", sinks=[sink], standin=True), owner=owner,
               title="Enrichment", done=ask)  # fmt: skip


def sample_text(item: Mapping[str, Any]) -> str:
    """A sample set with its rows, such as `orders (84)`; `orders (about 1,200,000)`."""
    about = "about " if item.get("about") else ""
    return f"{item['name']} ({about}{item['rows']:,})"


def list_samples(session: Session, box: QComboBox, sink: str | None) -> None:
    """Offer the sample sets; the chosen one stays, or it is the one last used for the sink."""
    names = [item["name"] for item in session.samples()]
    shown = [box.itemData(i) for i in range(box.count())]
    if names != shown:
        current = box.currentData()
        box.clear()
        for item in session.samples():
            box.addItem(sample_text(item), item["name"])
        kept = session.last_samples.get(sink or "")
        most = max(session.samples(), key=lambda s: s["rows"], default={"name": None})
        preferred = next((n for n in (current, kept) if n in names), most["name"])
        box.setCurrentIndex(max(0, box.findData(preferred)))
        return
    for number, item in enumerate(session.samples()):
        text = sample_text(item)
        if box.itemText(number) != text:
            box.setItemText(number, text)


def find_rows(
    session: Session, owner: QObject, view: str, found: Callable[[dict[str, Any]], None]
) -> Job:
    """Let the engine find all rows of a large file, which takes its time; `found` hears of it."""
    engine = session.engine
    return engine.run(
        engine.request("find_rows", on_event=lambda _, data: found(data), view=view),
        owner=owner, title="Rows", done=found, failed=lambda _: None,
    )  # fmt: skip


def evaluate_all(
    session: Session, owner: QObject, view: str,
    progress: Callable[[dict[str, Any]], None], done: Callable[[dict[str, Any]], None],
) -> Job:  # fmt: skip
    """Let the engine evaluate all rows of a preview, which takes its time."""
    engine = session.engine
    return engine.run(
        engine.request("evaluate_all", on_event=lambda _, data: progress(data), view=view),
        owner=owner, title="Evaluate all rows", done=done,
    )  # fmt: skip


def add_messages(
    session: Session,
    sample: str,
    messages: list[dict[str, Any]],
    done: Callable[[], None] | None = None,
) -> None:
    """Append messages to a sample set, which is made when there is none; a note reports it unless
    `done` is called."""
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in messages)

    def told() -> None:
        if done is not None:
            done()
            return
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
