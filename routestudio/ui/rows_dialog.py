"""What was recognised of rows that are imported, to look at and to correct before it is taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.model.message import ACTIONS
from routestudio.ui.bridge import Engine, Job
from routestudio.ui.dialogs import name_problem
from routestudio.ui.editor.vocabulary import column_text
from routestudio.ui.rows_text import key_text, summary_of
from routestudio.ui.widgets.basics import label
from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_words

PAUSE_MS: Final = 300
_FIXED: Final = ("Place", "Action", "Table", "Key")
_COLUMNS: Final = 30
"""Columns of the rows that are shown."""
_AS_IT_IS: Final = (
    "This file is large: it is copied into the project as it is, and every row is read as it is "
    "recognised."
)

Make = Callable[[str, dict[str, Any], Callable[[str], None]], None]
"""Makes the set of this name with these settings, and calls the last where it fails."""


class RowsDialog(AskDialog):
    """Name, format, table, key and action of an import, with its first messages and its faults.

    `given` names the rows for the engine's request `recognise`, `found` is its first answer, and
    `make` makes the sample set; the dialog is accepted by whoever made it.
    """

    def __init__(
        self,
        parent: QWidget | None,
        engine: Engine,
        given: Mapping[str, Any],
        found: Mapping[str, Any],
        formats: Sequence[Sequence[str]],
        *,
        title: str,
        name: str,
        taken: Collection[str],
        make: Make,
    ) -> None:
        super().__init__(parent, title, "", "Import")
        self._engine = engine
        self._given = dict(given)
        self._make = make
        self._job: Job | None = None
        self._making = False
        self.summary = label("", wrap=True, select=True)
        self.summary.setAccessibleName("What was recognised")
        self.body.insertWidget(1, self.summary)
        self._add_fields(name, formats)
        self._add_lists()
        self.resize(880, 620)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.validate = lambda: name_problem(self.name.text().strip(), taken)
        self._show(found)
        if self.copied:
            for field in (self.format, self.table, self.key, self.action):
                field.setEnabled(False)
                field.setToolTip(_AS_IT_IS)

    def _add_fields(self, name: str, formats: Sequence[Sequence[str]]) -> None:
        self.name = self._line("Name", name)
        self.format = ComboBox()
        self.format.setAccessibleName("Format")
        for key, text in formats:
            self.format.addItem(text, key)
        self.format.setCurrentIndex(max(0, self.format.findData(self._given.get("envelope"))))
        self.form.addRow("Format", self.format)
        self.table = self._line("Table", str(self._given.get("table") or ""))
        self.table.setToolTip("Schema and table of all rows, such as public.orders")
        self.key = self._line("Key columns", str(self._given.get("key") or ""))
        self.key.setToolTip("Columns of the primary key in their order, with commas")
        self.action = ComboBox()
        self.action.setAccessibleName("Action of plain rows")
        for action in ("read", *(item for item in ACTIONS if item != "read")):
            self.action.addItem(action, action)
        self.action.setPlaceholderText("as in the rows")
        self.action.setMinimumWidth(150)
        self.form.addRow("Action", self.action)
        for box in (self.format, self.action):
            box.currentIndexChanged.connect(lambda _: self._pause.start())
        for line in (self.table, self.key):
            line.textEdited.connect(lambda _: self._pause.start())

    def _line(self, name: str, text: str) -> QLineEdit:
        line = QLineEdit(text)
        line.setAccessibleName(name)
        self.form.addRow(name, line)
        return line

    def _add_lists(self) -> None:
        self.messages = QTableWidget()
        self.messages.setAccessibleName("The first messages")
        self.messages.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.messages.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.messages.setTabKeyNavigation(False)
        self.messages.setShowGrid(False)
        self.messages.setWordWrap(False)
        self.messages.verticalHeader().hide()
        self.messages.verticalHeader().setDefaultSectionSize(27)
        self.messages.horizontalHeader().setHighlightSections(False)
        self.messages.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.messages.setMinimumHeight(120)
        TableTools(self.messages)
        self.faults = QPlainTextEdit()
        self.faults.setAccessibleName("Rows that cannot be read")
        self.faults.setReadOnly(True)
        self.faults.setTabChangesFocus(True)
        self.extra.addWidget(self.messages, 1)
        self.extra.addWidget(self.faults)
        self.body.setStretchFactor(self.extra, 1)

    @property
    def copied(self) -> bool:
        """Whether the file becomes a set as it is."""
        found = self.found
        return bool("path" in self._given and found["large"] and found["lines"])

    def settings(self) -> dict[str, Any]:
        """What was chosen, with the rows that it is for: the parameters of a request."""
        if self.copied:
            return dict(self._given)
        chosen = {
            "envelope": self.format.currentData(),
            "table": self.table.text().strip(),
            "key": self.key.text().strip(),
            "action": self.action.currentData() if self.action.isEnabled() else None,
        }
        return {**self._given, **{name: value for name, value in chosen.items() if value}}

    def try_accept(self) -> None:
        """Make the set when nothing is wrong; else show what is."""
        text = self.validate()
        self._say(text or "")
        if text is None and not self._making:
            self._making = True
            self._make(self.name.text().strip(), self.settings(), self._not_made)

    def _not_made(self, text: str) -> None:
        self._making = False
        self._say(text)

    def _ask(self) -> None:
        """Recognise again, with what was chosen."""
        if self._job is not None:
            self._job.cancel()
        self._job = self._engine.run(
            self._engine.request("recognise", again=True, **self.settings()),
            owner=self, title="Recognise", done=self._asked, failed=self._refused,
            ended=self._ended,
        )  # fmt: skip

    def _ended(self) -> None:
        if self._job is not None and not self._job.running:
            self._job = None

    def _asked(self, found: Mapping[str, Any]) -> None:
        self._say("")
        self._show(found)

    def _refused(self, error: RouteStudioError) -> None:
        self._say(str(error))

    def _say(self, text: str) -> None:
        self.error.setText(in_words(text))
        self.error.setVisible(bool(text))

    def _show(self, found: Mapping[str, Any]) -> None:
        self.found = dict(found)
        text = summary_of(found)
        if not found["whole"]:
            text = f"Of the first rows: {text}"
        self.summary.setText(f"{text}\n{_AS_IT_IS}" if self.copied else text)
        self.table.setPlaceholderText(", ".join(list(found["tables"])[:4]))
        self.key.setPlaceholderText(key_text(found["keys"]))
        plain = "plain" in found["formats"] or not found["formats"]
        self.action.setEnabled(plain and not self.copied)
        if plain is (self.action.currentIndex() < 0):
            # Change formats name their actions: none is chosen here.
            self.action.blockSignals(True)
            self.action.setCurrentIndex(0 if plain else -1)
            self.action.blockSignals(False)
        self.action.setToolTip("" if plain else "These rows have their own action")
        self.accept_button.setEnabled(bool(found["messages"]))
        self._show_messages(found["rows"])
        lines = [_fault_text(fault) for fault in found["first_faults"]]
        more = found["faults"] - len(lines)
        if more > 0:
            lines.append(f"and {more:,} more")
        self.faults.setPlainText("\n".join(lines))
        self.faults.setVisible(bool(lines))
        self.faults.setFixedHeight(min(110, 30 + 22 * len(lines)))

    def _show_messages(self, rows: Sequence[Mapping[str, Any]]) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row["record"]))[:_COLUMNS]
        table = self.messages
        table.clear()
        table.setColumnCount(len(_FIXED) + len(names))
        table.setHorizontalHeaderLabels([*_FIXED, *names])
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            metadata, record = row["metadata"], row["record"]
            cells = [
                row["place"], row["action"],
                f"{metadata['table_schema']}.{metadata['table_name']}",
                ", ".join(metadata["record_pks"] or ()),
                *(_shown(record[name]) if name in record else "" for name in names),
            ]  # fmt: skip
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if row["notes"]:
                    item.setToolTip("\n".join(row["notes"]))
                table.setItem(number, column, item)
        self._show_types(rows)
        table.resizeColumnsToContents()

    def _show_types(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Type and origin of each column, as tool tips of the headers."""
        types = {name: known for row in reversed(rows) for name, known in row["types"].items()}
        for section in range(len(_FIXED), self.messages.columnCount()):
            item = self.messages.horizontalHeaderItem(section)
            known = types.get(item.text()) if item is not None else None
            if item is not None and known is not None:
                item.setToolTip(f"{known['type']}\n{column_text(known['origin'])}")


def _fault_text(fault: Mapping[str, Any]) -> str:
    hint = f" ({fault['hint']})" if fault["hint"] else ""
    return f"{fault['place']}: {fault['message']}{hint}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
