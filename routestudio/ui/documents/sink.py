"""A sink: its Configuration and Routing panels, and the preview of what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from routestudio.derive import catalog
from routestudio.derive.form_spec import FormField
from routestudio.ui.commands_names import variable
from routestudio.ui.documents.base import Document
from routestudio.ui.documents.sink_tables import SinkTables
from routestudio.ui.environment_bar import PILLS
from routestudio.ui.forms.fields import FieldEditor, NamedField
from routestudio.ui.forms.form import Form
from routestudio.ui.panels.preview import PreviewPanel
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import (
    Banner,
    Card,
    Collapsible,
    ElidedLabel,
    IconLabel,
    Pill,
    Segments,
    label,
)
from routestudio.ui.widgets.compact import CompactBar

_BESIDE = 860
"""Pixels from which the two cards are beside each other."""

_FUNCTION_FIELD = FormField(
    "routing", "function", "Function", "Decides the routing of each message.", choices=("routing",)
)


class SinkDocument(Document):
    """Edits one sink. Every finished change of a field is one undoable edit."""

    kind = "sink"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        sink = session.sink(name) or {}
        self._key: str | None = sink.get("key")
        self._build(sink)
        session.changed.connect(self.refresh)
        self.refresh()
        self.preview.show_sink(name)

    @property
    def icon_name(self) -> str:
        return catalog.icon_name(self._key)

    # --- building ----------------------------------------------------------------------------

    def _build(self, sink: dict[str, Any]) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        page = QFrame()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(self._head())
        self.banner = Banner()
        column.addWidget(self.banner)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(14)
        self._cards.addWidget(self._configuration(), 1)
        self._cards.addWidget(self._routing(), 1)
        column.addLayout(self._cards)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        area.setAccessibleName(f"Settings of {self.name}")
        self.preview = PreviewPanel(self.session)
        split.addWidget(area)
        split.addWidget(self.preview)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([400, 260])
        outer.addWidget(split)

    def _head(self) -> CompactBar:
        head = CompactBar()
        head.setObjectName("plainBar")
        head.row.setContentsMargins(0, 0, 0, 0)
        head.add(IconLabel(self.icon_name, 24, "accent"))
        name = ElidedLabel(self.name, "title")
        name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        name.setMinimumWidth(min(320, 12 * len(self.name) + 16))
        head.add(name)
        self.type_pill = Pill("", "neutral")
        self.mode_pill = Pill("", "info")
        self.ready_pill = Pill("", "success")
        self.environment_pill = Pill("", "neutral")
        head.add(self.type_pill, yields=1)
        head.add(self.mode_pill, yields=2)
        head.add(self.ready_pill)
        head.add(self.environment_pill)
        head.row.addStretch(1)
        self.summary = label("", "muted")
        head.add(self.summary, yields=3)
        return head

    def _configuration(self) -> Card:
        card = Card("Configuration", "settings")
        card.header.addWidget(label("fixed for the sink", "muted"))
        form = catalog.form(self._key) if self._key else None
        sections = form.configuration if form else ()
        self.config = Form(sections, self._editor)
        self.config.edited.connect(self._set_destination)
        self.config.secret_typed.connect(self._put_secret)
        card.body.addWidget(self.config)
        self.source = SinkTables(self.session, self.name)
        card.body.addWidget(self.source)
        settings = Collapsible("Delivery settings: filter, transform, actions, batch size, …",
                               opened=False)  # fmt: skip
        self._settings_part = settings
        self.settings = Form(form.settings if form else (), self._editor)
        self.settings.edited.connect(self._set_setting)
        settings.body.addWidget(self.settings)
        card.body.addWidget(settings)
        card.body.addStretch(1)
        return card

    def _routing(self) -> Card:
        card = Card("Routing", "destination")
        card.header.addWidget(label("may vary per message", "muted"))
        self.mode = Segments([("static", "Static"), ("dynamic", "Function")], "Routing mode")
        self.mode.chosen.connect(self._choose_mode)
        card.body.addWidget(self.mode)
        fields = catalog.form(self._key).routing if self._key else ()
        self.static_form = Form([f for f in fields if f.static != "never"])
        self.static_form.edited.connect(self._set_destination)
        card.body.addWidget(self.static_form)
        self.function_form = Form([_FUNCTION_FIELD], self._editor)
        self.function_form.edited.connect(lambda _, value: self._set_function(value))
        card.body.addWidget(self.function_form)
        self.notes = QVBoxLayout()
        self.notes.setSpacing(6)
        card.body.addLayout(self.notes)
        card.body.addStretch(1)
        return card

    def _editor(self, field: FormField) -> FieldEditor | None:
        if field.kind == "function":
            functions = NamedField(field, lambda: self._functions(field.choices), "function")
            functions.edit_asked.connect(lambda name: self.open_asked.emit("function", name))
            functions.new_asked.connect(lambda: self.new_asked.emit("function", {
                "kind": field.choices[0], "sink": self.name, "role": field.name}))  # fmt: skip
            return functions
        if field.kind == "ref":
            names = NamedField(field, lambda: sorted(self.session.endpoints()), field.label.lower())
            names.edit_asked.connect(lambda name: self.open_asked.emit(field.resource, name))
            names.new_asked.connect(
                lambda: self.new_asked.emit(
                    field.resource, {"sink": self.name, "field": field.name}
                )
            )
            return names
        return None

    def _functions(self, kinds: tuple[str, ...]) -> list[str]:
        return [
            item["name"]
            for item in self.session.functions()
            if item["kind"] in kinds
            and (item["kind"] != "routing" or item["sink_type"] in (None, self._key))
        ]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _BESIDE
        direction = QBoxLayout.Direction
        self._cards.setDirection(direction.TopToBottom if narrow else direction.LeftToRight)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the sink as the snapshot has it."""
        sink = self.session.sink(self.name)
        if sink is None:
            self.gone.emit()
            return
        dynamic = sink.get("routing") is not None
        destination = sink["destination"]
        problems = {p["field"]: _sentence(p) for p in sink.get("field_problems", ())}
        mark = self.session.environment
        self.config.show_file(self.session.variables_file)
        self.config.show_values(destination)
        self.settings.show_values(sink)
        self.source.refresh(sink)
        self.static_form.show_values(destination)
        if any(sink.get(key) not in (None, [], "", "none") for key in ("filter", "transform")):
            self._settings_part.set_open(True)
        self.function_form.show_values({"routing": sink.get("routing")})
        for form in (self.config, self.settings, self.static_form, self.function_form):
            form.show_problems(problems)
        self.mode.choose("dynamic" if dynamic else "static")
        self.static_form.setVisible(not dynamic and bool(self.static_form.rows))
        self.function_form.setVisible(dynamic)
        self._show_notes(dynamic, sink.get("ignored") or {})
        self.type_pill.show_status(sink.get("title") or sink["type"], "neutral")
        self.mode_pill.show_status("routing by function" if dynamic else "static routing", "info")
        self.ready_pill.show_status(*readiness(sink.get("field_problems", ())))
        self.environment_pill.setVisible(mark is not None)
        if mark is not None:
            self.environment_pill.show_status(mark["name"], PILLS[mark["colour"]])
        batch = sink.get("batch") or {}
        if batch:
            most = batch["messages"]
            self.summary.setText(
                "one message per batch" if most == 1 else f"up to {most:,} messages per batch"
            )
        shown = {*self.config.rows, *self.static_form.rows, *self.settings.rows, "routing"}
        others = [text for name, text in problems.items() if name.split(".")[0] not in shown]
        nested = [text for name, text in problems.items() if "." in name]
        if others or nested:
            self.banner.say("error", "; ".join(dict.fromkeys(others + nested)))
        else:
            self.banner.hide()

    def _show_notes(self, dynamic: bool, ignored: dict[str, Any]) -> None:
        while self.notes.count():
            item = self.notes.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        fields = catalog.form(self._key).routing if self._key else ()
        shown = [f for f in fields if dynamic or f.static == "never"]
        if shown:
            unset = "Defaults for fields the function doesn't set"
            self.notes.addWidget(label(unset if dynamic else "Always the default", "section"))
        for field in shown:
            self.notes.addWidget(_default_row(field.routed, field.default_text))
        for name, value in ignored.items():
            text = f"{name}: {value} is set in the file, and not used while a function routes"
            self.notes.addWidget(label(text, "help", wrap=True))

    # --- editing -----------------------------------------------------------------------------

    def flush(self) -> None:
        """Take what is being typed: Ctrl+S leaves the focus where it is."""
        for form in (self.config, self.settings, self.static_form):
            form.commit()
        self.source.commit()

    def leave(self) -> None:
        """Let the engine forget the preview."""
        self.preview.leave()

    def _set_destination(self, field: str, value: Any) -> None:
        self.session.set_value(["sinks", self.name, "destination", field], value)

    def _set_setting(self, field: str, value: Any) -> None:
        self.session.set_value(["sinks", self.name, field], value)

    def _set_function(self, value: Any) -> None:
        self.session.set_value(["sinks", self.name, "routing"], value or "none")

    def _put_secret(self, field: str, value: str, where: str) -> None:
        path = ["sinks", self.name, "destination", field]
        self.session.put_secret(path, variable(self.name, field), value, where)

    def _choose_mode(self, mode: str) -> None:
        sink = self.session.sink(self.name) or {}
        if mode == "static":
            if sink.get("routing") is not None:
                self._set_function(None)
            return
        functions = self._functions(("routing",))
        if functions:
            self._set_function(functions[0])
        else:
            self.mode.choose("static")
            wanted = {"kind": "routing", "sink": self.name, "role": "routing"}
            self.new_asked.emit("function", wanted)


def _default_row(name: str, text: str) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    title = label(name, "mono")
    title.setMinimumWidth(110)
    row.addWidget(title)
    row.addWidget(ElidedLabel(text, "default"), 1)
    row.addWidget(Pill("default", "neutral"))
    return holder


def readiness(problems: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """Text and kind of a pill: variables that are not set are not the sink's fault."""
    wrong = [problem for problem in problems if not problem.get("unset")]
    if wrong:
        return f"{len(wrong)} problem{'s' if len(wrong) > 1 else ''}", "error"
    if problems:
        count = len(problems)
        return ("1 variable not set" if count == 1 else f"{count} variables not set"), "warning"
    return "ready", "success"


def _sentence(problem: dict[str, Any]) -> str:
    hint = f" — {problem['hint']}" if problem.get("hint") else ""
    return f"{problem['message']}{hint}"
