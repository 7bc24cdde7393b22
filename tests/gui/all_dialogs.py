"""Every dialog of the window, made without an engine, for tests that go through all of them."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from PySide6.QtWidgets import QWidget

import routestudio.ui
from routestudio.api.reading import ReadingSide
from routestudio.api.runs import Letter, LetterReason
from routestudio.engine.importing import ImportMethods
from routestudio.paths import resources
from routestudio.project.store import OpenProject
from routestudio.ui import dialogs
from routestudio.ui.actions import Actions
from routestudio.ui.conflict_dialog import ConflictDialog
from routestudio.ui.convert_dialog import ConvertDialog
from routestudio.ui.documents.sample_keys import KeyDialog
from routestudio.ui.documents.sample_types import TypesDialog
from routestudio.ui.help_dialogs import AboutDialog, ShortcutsDialog
from routestudio.ui.help_window import HelpWindow
from routestudio.ui.mask_dialog import MaskDialog
from routestudio.ui.outcome_dialog import OutcomeDialog
from routestudio.ui.palette import Entry, Palette, action_entries
from routestudio.ui.panels.run_editor import LetterEditor, SetValueDialog
from routestudio.ui.plan_dialog import PlanDialog
from routestudio.ui.preferences_dialog import PreferencesDialog
from routestudio.ui.read_back_dialog import ReadBackDialog
from routestudio.ui.route_test_dialog import RouteTestDialog
from routestudio.ui.rows_dialog import RowsDialog
from routestudio.ui.source_dialog import SourceDialog
from routestudio.ui.widgets.dialog import AskDialog, Dialog, Message, Question

NONE: set[str] = set()
LONG = "A sentence of this dialog goes over several lines where it has much to explain. " * 4
FUNCTION = "def route(action, record, changes, metadata):\n    return {}\n"
CSV = "code,quantity,a_rather_long_name_of_a_column\nc-1,1,x\nc-2,2\n"


class NoEngine:
    """Answers nothing: dialogs show what they were given."""

    async def request(self, *_: Any, **__: Any) -> Any:
        """A question that is never asked."""

    def run(self, work: Coroutine[Any, Any, Any], **_: Any) -> None:
        """Forget a question."""
        work.close()


class NoSession(NoEngine):
    """A session without a project."""

    engine = NoEngine()


def _ends(state: str, destination: str = "", reason: str = "") -> dict[str, Any]:
    return {"state": state, "destination": destination, "reason": reason}


_DIFF = {
    "changed": 2, "rows": 10,
    "changes": [{"index": n, "action": "insert", "pks": [str(n)], "fields": ["topic"],
                 "kind": "moved", "from": _ends("delivered", f"orders.eu-{n}"),
                 "to": _ends("failed", reason="the routing function raised KeyError: 'region'")}
                for n in range(2)],
    "moves": [{"from": f"orders.eu-{n}", "to": "(failed: the routing function raised KeyError: "
               "'region')", "rows": 1} for n in range(2)],
}  # fmt: skip
_PLAN = {
    "summary": {"added": 1, "removed": 1, "changed": 1, "rows_changed": 12},
    "changes": [{"section": "sinks", "name": "orders-to-kafka", "action": "changed",
                 "renamed_from": None, "fields": [
                     {"field": "destination.topic", "old": "a", "new": "b", "kept": True}]}],
    "outcomes": [{"sink": "orders-to-kafka",
                  "moves": [{"from": "orders", "to": "orders", "rows": 12}]}],
    "uncompared": [{"section": "sinks", "name": "orders-to-kafka", "field": "destination.password",
                    "reason": "its value is a reference, which a server has resolved"}],
    "notes": ["A server takes account when it starts only."],
}  # fmt: skip
_CONVERSION = {
    "function": "orders-by-region", "from": "python", "to": "elixir", "code": "x = 1\n",
    "problems": [],
    "verification": {"equal": False, "stricter": [], "different": 1, "failing": None,
                     "messages": 363,
                     "samples": 14, "differences": [
                         {"index": 3, "before": "orders.eu", "after": "orders.none"}]},
}  # fmt: skip
_LETTER = Letter(
    1,
    LetterReason("route", "error", "KeyError: 'region' " * 6, line=5),
    {"action": "insert", "record": {"id": 1, "note": "x" * 80}, "changes": None,
     "metadata": {"table_name": "orders"}},
)  # fmt: skip
_CONFLICTS = [{"path": "functions/orders_by_region.py", "state": "changed", "edited": True},
              {"path": "sequin.yaml", "state": "changed", "edited": True}]  # fmt: skip


def _rows(parent: QWidget | None, _: Path) -> Dialog:
    given: dict[str, Any] = {"text": CSV, "name": "pasted"}
    project = SimpleNamespace(project=OpenProject.open(resources() / "demo", {}))
    service = ImportMethods(cast(Any, SimpleNamespace(workspace=project)))
    with ThreadPoolExecutor(1) as thread:  # the window's loop may be running in this one
        found = thread.submit(lambda: asyncio.run(service.recognise(**given))).result()
    formats = [["", "as recognised"], ["plain", "Plain rows"], ["debezium", "Debezium"]]
    return RowsDialog(parent, cast(Any, NoEngine()), given, found, formats, title="Paste messages",
                      name="samples", taken=NONE, make=lambda *_: None)  # fmt: skip


def _palette(parent: QWidget | None, _: Path) -> Dialog:
    window = parent or QWidget()
    made = Palette(action_entries(Actions(window)), cast(QWidget, parent))
    made.destroyed.connect(lambda _=None, kept=window: None)
    return made


def _names(parent: QWidget | None, _: Path) -> Dialog:
    entries = [Entry(f"a-name-of-the-project-{n}", f"name {n}", "sink", lambda: None, "sink")
               for n in range(60)]  # fmt: skip
    return Palette(entries, parent, title="Open by name", hint="Type a part of a name",
                   name="Names of the project")  # fmt: skip


def _preferences(parent: QWidget | None, _: Path) -> Dialog:
    window = parent or QWidget()
    made = PreferencesDialog(parent, Actions(window))
    made.destroyed.connect(lambda _=None, kept=window: None)
    return made


Make = Callable[[QWidget | None, Path], Dialog]
MAKERS: dict[str, Make] = {
    "new project": lambda p, _: dialogs.NewProjectDialog(p),
    "save as": lambda p, path: dialogs.SaveAsDialog(p, path / "copy"),
    "import": lambda p, path: dialogs.ImportDialog(p, path / "sequin.yaml"),
    "add sink": lambda p, _: dialogs.AddSinkDialog(p, NONE),
    "add function": lambda p, _: dialogs.AddFunctionDialog(p, NONE),
    "export": lambda p, path: dialogs.ExportDialog(p, path / "shop"),
    "name": lambda p, _: dialogs.NameDialog(p, "Rename orders-to-kafka-in-the-west", "orders",
                                            accept="Rename"),
    "endpoint": lambda p, _: dialogs.ResourceDialog(p, "http_endpoints", "", {}, NONE),
    "set value": lambda p, _: SetValueDialog(p, ["record.id"], 3),
    "source": lambda p, _: SourceDialog(p),
    "read back": lambda p, _: ReadBackDialog(p, "orders-to-rabbitmq", ReadingSide(
        "rabbitmq.example:5672", environment="production", names="queue", how=LONG,
    ), ["awkward", "orders"]),
    "key": lambda p, _: KeyDialog(p, "public.orders", ["id"], ["id", "total"]),
    "types": lambda p, _: TypesDialog(p, "public.orders", [
        {"name": f"a_column_with_a_name_{n}", "declared": "", "type": "text", "origin": "guess",
         "proposal": "numeric", "example": "12.50"} for n in range(20)]),
    "rows": _rows,
    "letter": lambda p, _: LetterEditor(p, _LETTER),
    "route test": lambda p, _: RouteTestDialog(p, "tests/orders-to-kafka.yaml", {
        "name": "an order of Europe goes to orders.eu", "sink": "orders-to-kafka",
        "sample": {"name": "shop", "row": 0}, "expect": {"destination": "orders.eu"}}),
    "mask": lambda p, _: MaskDialog(p, [f"column_{n}" for n in range(30)]),  # type: ignore[arg-type]
    "palette": _palette,
    "names": _names,
    "shortcuts": lambda p, _: ShortcutsDialog(p),
    "help": lambda p, _: HelpWindow(p),
    "preferences": _preferences,
    "about": lambda p, _: AboutDialog(p),
    "outcome": lambda p, _: OutcomeDialog(p, "orders-to-kafka", "awkward", _DIFF),  # type: ignore[arg-type]
    "plan": lambda p, path: PlanDialog(p, str(path / "a-long-name-of-a-server.yaml"), _PLAN),  # type: ignore[arg-type]
    "convert": lambda p, _: ConvertDialog(p, FUNCTION, _CONVERSION),  # type: ignore[arg-type]
    "conflict": lambda p, _: ConflictDialog(p, cast(Any, NoSession()), _CONFLICTS),
    "question": lambda p, _: Question(p, "Unsaved changes", LONG, [
        ("discard", "Don't save", "danger"), ("save", "Save", "primary")],
        details=[f"functions/{n}.py" for n in range(60)]),
    "danger": lambda p, _: Question(p, "Send to a real service", LONG, [
        ("yes", "Send", "danger")]),
    "message": lambda p, _: Message(p, "Imported", LONG, [LONG] * 12),
}  # fmt: skip
"""Makers by name. Each gets a parent and a folder."""

BASES = (Dialog, AskDialog, dialogs.FolderDialog)
"""Dialogs that others are made from."""


def kinds() -> set[type[Dialog]]:
    """All kinds of dialogs that the window has, wherever they are."""
    for module in pkgutil.walk_packages(routestudio.ui.__path__, "routestudio.ui."):
        importlib.import_module(module.name)
    found: set[type[Dialog]] = set()
    waiting: list[type[Dialog]] = [Dialog]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            if kind.__module__.startswith("routestudio."):
                found.add(kind)
                waiting.append(kind)
    return found - set(BASES)
