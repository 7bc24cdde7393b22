"""A function: editor left, documentation right, the preview of what it does below."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from routestudio.derive import catalog
from routestudio.model.function import Diagnostic, Language
from routestudio.ui.documents.base import Document
from routestudio.ui.documents.function_insight import Insight
from routestudio.ui.editor.behaviours import install, toggle_comment
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.completion import Completion
from routestudio.ui.editor.find import give_bar
from routestudio.ui.editor.fixes import missing_columns, row_faults
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.editor.hover import help_at
from routestudio.ui.editor.quick_fix import QuickFixes
from routestudio.ui.editor.reformat import take
from routestudio.ui.editor.vocabulary import vocabulary
from routestudio.ui.panels.docs import DocsPane
from routestudio.ui.panels.preview import PreviewPanel
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import (
    Banner,
    Button,
    ElidedLabel,
    EmptyState,
    IconLabel,
    Pill,
    label,
)
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.layout import column

SAVE_MS = 400
DIAGNOSE_MS = 60
UNSTEADY = "not_determined"
"""Code of the warnings about clock and random values."""


class FunctionDocument(Document):
    """Edits one function's text. Typing previews at once; the edit is journaled after a pause."""

    kind = "function"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        function = session.function(name) or {}
        self._kind = function.get("kind", "routing")
        self._seen = self._sent = _shown(function)
        self._under_way = 0
        self._found: list[Diagnostic] = []
        self._fresh = False
        self._samples: object = None
        self._examples: dict[str, dict[str, str]] = {}
        self._save = _timer(self, SAVE_MS, self.flush)
        self._diagnose = _timer(self, DIAGNOSE_MS, self._ask_diagnostics)
        self._build(function)
        session.changed.connect(self.refresh)
        session.database_seen.connect(self._ask_diagnostics)
        self.editor.show_text(self._sent)
        self.editor.document().clearUndoRedoStacks()
        self.highlighter.lex()
        self._ask_diagnostics()
        self.refresh()

    @property
    def icon_name(self) -> str:
        return "filter" if self._kind == "filter" else "function"

    def _build(self, function: dict[str, Any]) -> None:
        outer = column(self)
        outer.addWidget(self._head(function))
        self.editor = CodeEdit(f"Code of {self.name}")
        install(self.editor)
        self.completion = Completion(self.editor)
        self.editor.help = lambda line, at: help_at(self.completion.vocabulary, line, at)
        self.fixes = QuickFixes(self.editor, str(function.get("language", "python")))
        self.highlighter = Highlighter(self.editor.document(), _coloured(function))
        self.find_bar = give_bar(self.editor)
        self.banner = Banner()
        left = QWidget()
        text = column(left)
        text.addWidget(self.find_bar)
        text.addWidget(self.banner)
        text.addWidget(self.editor, 1)
        self.docs = DocsPane()
        self.docs.insert.connect(self.editor.insert_at_cursor)
        if self._kind == "routing":
            language = str(function.get("language", "python"))
            self.docs.show_routing(function.get("sink_type"), language)
        else:
            self.docs.show_kind(self._kind, str(function.get("language", "python")))
        top = QSplitter(Qt.Orientation.Horizontal)
        top.addWidget(left)
        top.addWidget(self.docs)
        top.setStretchFactor(0, 3)
        top.setStretchFactor(1, 1)
        top.setSizes([680, 300])
        top.setChildrenCollapsible(False)
        self.preview = PreviewPanel(self.session)
        self.preview.fault_chosen.connect(self.editor.go_to)
        self._below = QStackedWidget()
        self._below.addWidget(self.preview)
        self._below.addWidget(
            EmptyState("sink", "No sink uses this function",
                       "Choose it in a sink's Routing panel, or as its filter or transform, to "
                       "preview what it does.")
        )  # fmt: skip
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(top)
        split.addWidget(self._below)
        split.setSizes([360, 300])
        split.setChildrenCollapsible(False)
        outer.addWidget(split, 1)
        self.editor.edited.connect(self._typed)
        self.preview.fresh.connect(lambda _: self._show_fresh())
        rows = self.preview.table.selectionModel()
        rows.currentRowChanged.connect(lambda *_: self._show_values())
        self.insight = Insight(self.session, self.name, self.editor, self.preview, self.steady)

    def _head(self, function: dict[str, Any]) -> CompactBar:
        head = CompactBar(tall=True)
        head.add(IconLabel(self.icon_name, 20, "accent"))
        name = ElidedLabel(self.name, "heading")
        name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        name.setMinimumWidth(min(260, name.fontMetrics().horizontalAdvance(self.name) + 24))
        head.add(name)
        head.add(Pill(f"{self._kind} function", "function"), yields=5)
        self._language = Pill(str(function.get("language", "")), "neutral")
        head.add(self._language, yields=3)
        sink_type = function.get("sink_type")
        if sink_type and catalog.known(sink_type):
            head.add(Pill(catalog.title(sink_type), "neutral"), yields=6)
        self.problems = Pill()
        head.add(self.problems)
        self.steady = Pill()
        head.add(self.steady, yields=2)
        head.row.addStretch(1)
        head.add(label("Preview through", "muted"), yields=7)
        self.sinks = ComboBox()
        self.sinks.setAccessibleName("Sink of the preview")
        self.sinks.setMinimumWidth(140)
        self.sinks.activated.connect(lambda _: self._show_through())
        head.add(self.sinks)
        self.starter = Button("Insert template", kind="link", action=self.insert_starter)
        self.starter.setVisible(bool(sink_type) and self._kind == "routing")
        head.add(self.starter, yields=4)
        return head

    # --- editing -----------------------------------------------------------------------------

    def _typed(self) -> None:
        text = self.editor.toPlainText()
        self._fresh = False
        self.docs.show_row(None)
        self._show_marks()
        if self.sinks.currentData():
            self.preview.show_code(self.name, text)
        self._diagnose.start()
        self._save.start()

    def steps(self) -> tuple[bool, bool]:
        text = self.editor.document()
        return text.isUndoAvailable(), text.isRedoAvailable()

    def flush(self) -> None:
        """Send the typed text to the project's journal."""
        self._save.stop()
        text = self.editor.toPlainText()
        if text != self._sent:
            self._sent = text
            self._under_way += 1
            job = self.session.apply({"op": "set_code", "name": self.name, "code": text})
            job.finished.connect(self._answered)

    def leave(self) -> None:
        """Let the engine forget the preview."""
        self.preview.leave()

    def _answered(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._sent = self._seen  # a refused text is sent again with the next change

    def insert_starter(self) -> None:
        """Put the template of the sink type under what is there; typed text is never replaced."""
        function = self.session.function(self.name) or {}
        language = Language(str(function.get("language", "python")))
        code = catalog.starter_code(function["sink_type"], language)
        text = self.editor.toPlainText()
        if text.strip():
            cursor = self.editor.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            commented = "".join(f"# {line}\n" if line else "#\n" for line in code.splitlines())
            cursor.insertText(f"\n# Template:\n{commented}")
        else:
            self.editor.insert_at_cursor(code)

    def comment(self) -> None:
        """Comment or uncomment the selected lines."""
        toggle_comment(self.editor)

    def format(self) -> None:
        """Format the text; a text that cannot be formatted stays, and the reason is shown."""
        function = self.session.function(self.name)
        if function is None:
            return
        engine, session = self.session.engine, self.session
        text = self.editor.toPlainText()

        def done(new: str) -> None:
            if text == self.editor.toPlainText() and not take(self.editor, new):
                session.notice.emit("info", "The text is formatted already")

        engine.run(
            engine.request("format", code=text, language=function["language"]),
            owner=self, title="Format", done=done,
            failed=lambda error: session.notice.emit("warning", str(error)),
        )  # fmt: skip

    def _ask_diagnostics(self) -> None:
        function = self.session.function(self.name)
        if function is None:
            return
        engine = self.session.engine
        text = self.editor.toPlainText()

        def done(items: list[dict[str, Any]]) -> None:
            if text == self.editor.toPlainText():
                self._show_diagnostics([Diagnostic(**item) for item in items])

        engine.run(
            engine.request("diagnose", code=text, kind=self._kind, language=function["language"],
                           name=self.name),
            owner=self, title="Diagnose", done=done,
        )  # fmt: skip

    def _show_diagnostics(self, items: list[Diagnostic]) -> None:
        self._found = items
        self._show_marks()
        self.insight.show_unsteady(any(item.code == UNSTEADY for item in items))
        errors = [item for item in items if item.severity == "error"]
        if errors:
            first = errors[0]
            hint = f" → {first.hint}" if first.hint else ""
            self.banner.say("error", f"Line {first.line}: {first.message}{hint}", "Show",
                            lambda: self.editor.go_to(first.line, first.column))  # fmt: skip
        elif items:
            self.banner.say("warning", items[0].message)
        else:
            self.banner.hide()
        self._show_pill()

    def _show_pill(self) -> None:
        """Problems of the text; where it has none, the rows of a fresh preview that fail."""
        errors = sum(item.severity == "error" for item in self._found)
        failed = self.preview.failed if self._fresh else 0
        if errors:
            self.problems.show_status(f"{errors} problem{'s' if errors > 1 else ''}", "error")
        elif failed:
            rows = "1 row fails" if failed == 1 else f"{failed:,} rows fail"
            self.problems.show_status(rows, "error")
        elif self._found:
            count = len(self._found)
            self.problems.show_status(f"{count} note{'s' if count > 1 else ''}", "warning")
        else:
            self.problems.show_status("no problems", "success")

    def _show_fresh(self) -> None:
        """The rows of the preview are those of the text as it is."""
        self._fresh = True
        self._show_marks()
        self._show_pill()
        self._show_values()

    def _show_values(self) -> None:
        """What the selected row makes of each routed field; nothing while that is not known."""
        preview = self.preview
        self.docs.show_row(preview.current if self._fresh else None)

    def _show_marks(self) -> None:
        """Diagnostics of the text, and what is wrong with the rows of a fresh preview."""
        faults = []
        if self._fresh:
            rows = self.preview.model.known_rows()
            faults = row_faults(rows, self.name, self.editor.toPlainText())
            faults += missing_columns(self.preview.missing, self.name)
        self.editor.show_diagnostics([*self._found, *faults])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        function = self.session.function(self.name)
        if function is not None:
            self._load_vocabulary(function)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the function as the snapshot has it, unless it is being typed in."""
        function = self.session.function(self.name)
        if function is None:
            self.gone.emit()
            return
        spoken = self._speak(str(function.get("language", "python")))
        code = _shown(function)
        changed, self._seen = code != self._seen, code
        if changed and code != self._sent and not self._under_way and not self._save.isActive():
            self._sent = code
            self.editor.show_text(code)
            if spoken:  # undo of the text alone would bring the other language's text back
                self.editor.document().clearUndoRedoStacks()
            self.highlighter.lex()
            self._ask_diagnostics()
            self.preview.show_code(self.name, code)
        self._offer_sinks(function)
        self._load_vocabulary(function)

    def _offer_sinks(self, function: dict[str, Any]) -> None:
        """The sinks that use the function; while none does, those that could."""
        using = [sink["name"] for sink in self.session.sinks_using(self.name)]
        names = using or [s["name"] for s in self.session.sinks() if could_use(s, function)]
        offered = [(name, name if using else f"{name} (does not use it yet)") for name in names]
        shown = [(self.sinks.itemData(i), self.sinks.itemText(i))
                 for i in range(self.sinks.count())]  # fmt: skip
        if offered == shown and names:
            return
        current = self.sinks.currentData()
        self.sinks.clear()
        for name, text in offered:
            self.sinks.addItem(text, name)
        self.sinks.setCurrentIndex(max(0, self.sinks.findData(current)))
        self._below.setCurrentIndex(0 if names else 1)
        if names:
            self._show_through()

    def _show_through(self) -> None:
        """Preview through the chosen sink, as if it used the function."""
        name = self.sinks.currentData()
        using = {sink["name"] for sink in self.session.sinks_using(self.name)}
        self.preview.show_sink(name, {} if name in using else {self._kind: self.name})

    def _speak(self, language: str) -> bool:
        """Show the text as one of a language; whether that changed, by a conversion or its undo."""
        if self._kind == "enrichment" or language == self.highlighter.language:
            return False
        self.highlighter.language = self.fixes.language = language
        self._language.show_status(language, "neutral")
        if self._kind != "routing":
            self.docs.show_kind(self._kind, language)
        return True

    def _load_vocabulary(self, function: dict[str, Any]) -> None:
        columns = self.session.columns()
        language = str(function.get("language", "python"))
        self.completion.vocabulary = vocabulary(
            function.get("sink_type"), columns, language=language, examples=self._examples
        )
        samples = self.session.snapshot.get("samples")
        if samples == self._samples or not self.isVisible():
            return
        self._samples = samples
        engine = self.session.engine

        def done(found: dict[str, dict[str, str]]) -> None:
            self._examples = found
            self._load_vocabulary(function)

        engine.run(
            self.session.request("examples"), owner=self, title="Examples", done=done,
            failed=lambda _: None,
        )  # fmt: skip


def _coloured(function: dict[str, Any]) -> str:
    """The language that the colours of a function's text follow."""
    return (
        "sql" if function.get("kind") == "enrichment" else str(function.get("language", "python"))
    )


def could_use(sink: dict[str, Any], function: dict[str, Any]) -> bool:
    """Whether a sink could have a function: a routing function is for one sink type."""
    kind = function.get("kind")
    wanted = function.get("sink_type")
    if kind == "routing":
        return bool(sink.get("key")) and wanted in (None, sink["key"])
    return kind in ("filter", "transform", "enrichment") and bool(sink.get("key"))


def _timer(owner: QWidget, ms: int, action: Any) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(action)
    return timer


def _shown(function: dict[str, Any]) -> str:
    """The code with the ends of lines that an editor has; those of the file are kept there."""
    return str(function.get("code", "")).replace("\r\n", "\n")
