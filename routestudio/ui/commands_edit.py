"""Adding, renaming, copying and deleting what a project has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QGuiApplication

from routestudio.derive import catalog
from routestudio.derive.starter import placeholder
from routestudio.model.function import Language
from routestudio.ui import dialogs
from routestudio.ui.commands_names import variable

if TYPE_CHECKING:
    from routestudio.ui.commands import Commands
    from routestudio.ui.main_window import MainWindow

_SECTIONS = {"sink": "sinks", "function": "functions", "sample": "samples"}


class Edits:
    """Handlers of the actions that change the project's tree."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        self._window = window
        self._session = window.session
        self._open = commands.open

    def add(self, kind: str) -> None:
        """Add something to the project."""
        self.add_for(kind, {})

    def add_for(self, kind: str, context: dict[str, Any]) -> None:
        """Add something; `context` names the sink and role or field that will use it."""
        if kind == "sink":
            self._add_sink()
        elif kind == "function":
            self._add_function(context)
        elif kind == "sample":
            self._add_sample()
        elif kind == "databases":
            self._add_database()
        else:
            self._add_endpoint(kind, context)

    def _add_sink(self) -> None:
        taken = {item["name"] for item in self._session.sinks()}
        dialog = dialogs.AddSinkDialog(self._window, taken)
        if not dialog.exec():
            return
        key, name = str(dialog.type.currentData()), dialog.name.text()
        databases = self._session.snapshot.get("databases") or ["shop"]
        destination = catalog.starter_destination(key)
        endpoints = sorted(self._session.endpoints())
        for section in catalog.form(key).configuration:
            for field in section.fields:
                if field.kind == "ref" and endpoints:
                    destination[field.name] = endpoints[0]
        item = {"name": name, "database": databases[0], "batch_size": catalog.default_batch(key),
                "destination": destination}  # fmt: skip
        self._session.apply({"op": "add_sink", "item": item}, lambda: self._open("sink", name))

    def _add_function(self, context: dict[str, Any]) -> None:
        taken = {item["name"] for item in self._session.functions()}
        sink = self._session.sink(str(context.get("sink", ""))) or {}
        dialog = dialogs.AddFunctionDialog(
            self._window, taken, str(context.get("kind", "routing")), sink.get("key")
        )
        if not dialog.exec():
            return
        kind, name = str(dialog.kind.currentData()), dialog.name.text()
        key = str(dialog.type.currentData())
        item: dict[str, Any] = {"name": name, "type": kind}
        if kind == "routing":
            item["sink_type"] = catalog.yaml_type(key)
        language = Language(str(dialog.language.currentData()))
        ending = "py" if language is Language.PYTHON else "ex"
        if language is Language.PYTHON:
            item["language"] = language.value
        if kind == "enrichment":  # its SQL is in the file, as a server has it
            item.pop("language", None)
        else:
            item["file"] = f"functions/{name.replace('-', '_')}.{ending}"
        routing = kind == "routing"
        code = catalog.starter_code(key, language) if routing else placeholder(kind, language)

        def added() -> None:
            if context.get("sink") and context.get("kind") == kind:
                self._session.set_value(["sinks", context["sink"], context["role"]], name)
            self._open("function", name)

        self._session.apply({"op": "add_function", "item": {**item, "code": code}}, added)

    def _add_sample(self) -> None:
        taken = {item["name"] for item in self._session.samples()}
        name = dialogs.ask_name(
            self._window, "New sample set", dialogs.free_name("samples", taken), accept="Add",
            taken=taken,
        )  # fmt: skip
        if name is None:
            return
        self._session.apply(
            {"op": "add_sample", "name": name, "text": ""}, lambda: self._open("sample", name)
        )

    def _add_database(self) -> None:
        taken = set(self._session.databases())
        name = dialogs.ask_name(
            self._window, "New database", dialogs.free_name("shop", taken), accept="Add",
            taken=taken,
        )  # fmt: skip
        if name is None:
            return
        item = {"name": name, "hostname": "localhost", "port": 5432, "database": name,
                "username": "postgres"}  # fmt: skip
        self._session.apply({"op": "add_database", "item": item},
                            lambda: self._open("databases", name))  # fmt: skip

    def paste_sample(self) -> None:
        """Make a sample set of the messages or rows on the clipboard."""
        from routestudio.ui.rows_import import RowsImport

        text = QGuiApplication.clipboard().text()
        if not text.strip():
            self._session.notice.emit("info", "The clipboard has no text.")
            return
        given = {"text": text, "name": "pasted"}
        RowsImport(self._window, given, title="Paste messages", name="samples",
                   place="the clipboard", ask_name=True).start()  # fmt: skip

    def _add_endpoint(self, resource: str, context: dict[str, Any]) -> None:
        taken = set(self._session.endpoints())
        dialog = dialogs.ResourceDialog(self._window, resource, "", {}, taken)
        if not dialog.exec():
            return
        name = dialog.name.text()

        def added() -> None:
            self._keep_secrets(resource, name, dialog.typed_secrets())
            if context.get("sink"):
                path = ["sinks", context["sink"], "destination", context["field"]]
                self._session.set_value(path, name)

        item = {"name": name, **dialog.changed_values()}
        self._session.apply({"op": "add_endpoint", "item": item}, added)

    def edit_endpoint(self, name: str) -> None:
        """Edit an HTTP endpoint in its form."""
        values = self._session.endpoints().get(name)
        if values is None:
            return
        dialog = dialogs.ResourceDialog(self._window, "http_endpoints", name, values, set())
        if dialog.exec():
            for key, value in dialog.changed_values().items():
                self._session.set_value(["http_endpoints", name, key], value)
            self._keep_secrets("http_endpoints", name, dialog.typed_secrets())

    def _keep_secrets(self, resource: str, name: str, secrets: dict[tuple[str, str], str]) -> None:
        """Keep typed secrets in the file of variables and write references to them."""
        for (field, key), text in secrets.items():
            path = [resource, name, field, key]
            if text.startswith("${"):
                self._session.set_value(path, text)
            else:
                self._session.put_secret(path, variable(name, key), text, "env")

    def rename(self) -> None:
        """Rename what is chosen in the tree; its users follow."""
        chosen = self._window.tree.selection
        if chosen is None or chosen[0] == "run":
            return
        kind, name = chosen
        new = dialogs.ask_name(self._window, f"Rename {name}", name, accept="Rename",
                               taken=self._taken(kind) - {name})  # fmt: skip
        if new and new != name:
            section = _SECTIONS.get(kind, kind)
            self._session.apply({"op": "rename", "kind": section, "name": name, "to": new},
                                lambda: self._open(kind, new))  # fmt: skip

    def duplicate(self) -> None:
        """Copy what is chosen in the tree under another name."""
        chosen = self._window.tree.selection
        if chosen is None or chosen[0] in ("sample", "run"):
            return
        kind, name = chosen
        taken = self._taken(kind)
        new = dialogs.ask_name(self._window, f"Duplicate {name}",
                               dialogs.free_name(f"{name}-copy", taken), accept="Duplicate",
                               taken=taken)  # fmt: skip
        if new:
            section = _SECTIONS.get(kind, kind)
            self._session.apply({"op": "duplicate", "kind": section, "name": name, "to": new},
                                lambda: self._open(kind, new))  # fmt: skip

    def _taken(self, kind: str) -> set[str]:
        """Names that things of a kind have."""
        session = self._session
        if kind == "http_endpoints":
            return set(session.endpoints())
        if kind == "databases":
            return set(session.databases())
        items = {"sink": session.sinks, "function": session.functions, "sample": session.samples}
        return {item["name"] for item in items[kind]()}

    def delete(self) -> None:
        """Delete what is chosen in the tree; undo brings it back."""
        chosen = self._window.tree.selection
        if chosen is None:
            return
        kind, name = chosen
        if kind == "run":
            self._window.commands.runs.delete(name)
        elif kind == "sample":
            self._session.apply({"op": "remove_sample", "name": name})
        else:
            self._session.apply({"op": "remove", "path": [_SECTIONS.get(kind, kind), name]})
