"""The types of a table's columns: shown over a sample set, and set in the project's `tables`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QScrollArea, QWidget

from routestudio.ui.documents.sample_rows import SampleRows
from routestudio.ui.editor.vocabulary import column_text
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox

_HEIGHT: Final = 180
"""Pixels of the columns that are in sight at least."""
_ROW: Final = 50
"""Pixels of a column with two lines about it."""
_WIDTH: Final = 190
"""Pixels of a type: `timestamp with time zone` may be typed, and scrolls."""
_ORIGINS: Final = {"project": "named here", "row": "its type comes with the rows",
                   "guess": "its type is a guess"}  # fmt: skip
_OFFERED: Final = (
    "text", "integer", "bigint", "numeric", "boolean", "date", "time", "timestamp", "timestamptz",
    "interval", "jsonb", "uuid", "bytea", "double precision",
)  # fmt: skip


class TypesDialog(AskDialog):
    """Asks for the types of a table's columns. `columns` is the engine's answer, one entry each."""

    def __init__(
        self, parent: QWidget | None, table: str, columns: Sequence[Mapping[str, Any]],
        first: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            parent, f"Column types of {table}",
            "Types by PostgreSQL's names, as a server has them: functions get decimals, dates and "
            "times by them. A column without a type here keeps the type of its rows, or a guess.",
            "Set",
        )  # fmt: skip
        self.setMinimumWidth(640)
        self._columns = list(columns)
        self._first = first
        self.fields: dict[str, ComboBox] = {}
        body = QWidget()
        rows = QFormLayout(body)
        rows.setContentsMargins(0, 0, 8, 0)
        rows.setHorizontalSpacing(16)
        rows.setVerticalSpacing(8)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in columns:
            line = QHBoxLayout()
            line.setSpacing(14)
            line.addWidget(self._field(column))
            line.addWidget(label(_said(column), "muted", wrap=True), 1)
            rows.addRow(label(column["name"]), line)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(body)
        self.area.setMinimumHeight(min(_HEIGHT, _ROW * len(self._columns) + 2))
        self.extra.addWidget(self.area)
        proposed = [column for column in columns if column["proposal"]]
        self.propose = Button("Fill in what the values look like", action=self.take_proposals)
        self.propose.setVisible(bool(proposed))
        self.extra.addWidget(self.propose, 0, Qt.AlignmentFlag.AlignLeft)
        self.validate = self._problem

    def _field(self, column: Mapping[str, Any]) -> ComboBox:
        field = ComboBox()
        field.setEditable(True)
        field.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        field.setFixedWidth(_WIDTH)
        field.addItem("")
        field.addItems(_OFFERED)
        field.setCurrentText(column["declared"])
        edit = field.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(_placeholder(column))
        field.setAccessibleName(f"Type of {column['name']}")
        field.setAccessibleDescription(_said(column))
        self.fields[column["name"]] = field
        return field

    def first_field(self) -> QWidget | None:
        """The column that was asked for, or the first one."""
        return self.fields.get(self._first or "") or super().first_field()

    def take_proposals(self) -> None:
        """Fill in the proposed types of columns that have none."""
        for column in self._columns:
            field = self.fields[column["name"]]
            if column["proposal"] and not field.currentText().strip():
                field.setCurrentText(column["proposal"])

    @property
    def changes(self) -> dict[str, str]:
        """The types that were changed, by column; empty to take one out."""
        typed = {name: field.currentText().strip() for name, field in self.fields.items()}
        before = {column["name"]: column["declared"] for column in self._columns}
        return {name: type_ for name, type_ in typed.items() if type_ != before[name]}

    def _problem(self) -> str | None:
        for name, type_ in self.changes.items():
            if len(type_.splitlines()) > 1 or len(type_) > 100:
                return f"The type of `{name}` is not the name of a type."
        return None


def _placeholder(column: Mapping[str, Any]) -> str:
    if not column["type"]:
        return "not known"
    return f"{column['type']}, a guess" if column["origin"] == "guess" else str(column["type"])


def _said(column: Mapping[str, Any]) -> str:
    """What is known of a column: an example, and who names its type."""
    parts = [column["example"], _ORIGINS.get(column["origin"], "")]
    looks = column["proposal"]
    if looks and looks != column["type"]:
        parts.append(f"looks like {looks}")
    return " · ".join(part for part in parts if part)


class TableTypes:
    """The question for the types of a table's columns, and their types over a sample set."""

    def __init__(self, session: Session, rows: SampleRows, name: str) -> None:
        self._session = session
        self._rows = rows
        self._name = name
        session.changed.connect(self.show)
        self.show()

    def show(self) -> None:
        """Show type and origin in the tool tips of the columns' headers."""
        self._rows.show_types({
            name: f"{name}: {kind}\n{column_text(origin)}"
            for name, kind, origin in self._session.columns() if kind
        })  # fmt: skip

    def ask(self, table: str | None, column: str | None = None) -> None:
        """Ask for the types of a table's columns, of one first."""
        if table is None:
            self._session.notice.emit("info", "These messages do not name their table")
            return
        self._session.engine.run(
            self._session.request("column_types", name=self._name, table=table),
            owner=self._rows, title="Column types", done=lambda found: self._open(found, column),
        )  # fmt: skip

    def _open(self, found: Mapping[str, Any], column: str | None) -> None:
        table = str(found["table"])
        dialog = TypesDialog(self._rows, table, found["columns"], column)
        dialog.accepted.connect(lambda: self._put(table, dialog.changes))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _put(self, table: str, changes: Mapping[str, str]) -> None:
        if changes:
            edit = {"op": "set_column_types", "table": table, "columns": dict(changes)}
            self._session.apply(edit)
