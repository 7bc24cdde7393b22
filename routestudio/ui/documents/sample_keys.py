"""The key of a table, marked in the table of a sample set: written into the project's `tables`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from routestudio.ui.documents.sample_model import FIXED
from routestudio.ui.documents.sample_rows import SampleRows
from routestudio.ui.session import Session
from routestudio.ui.widgets.dialog import AskDialog


class KeyDialog(AskDialog):
    """Asks for the key columns of a table."""

    def __init__(
        self, parent: QWidget | None, table: str, key: Sequence[str], columns: Sequence[str]
    ) -> None:
        super().__init__(
            parent, f"Key of {table}",
            "The columns of the primary key in their order, with commas. They are kept in the "
            "project, for rows of this table, whether they name their key or not.",
            "Set",
        )  # fmt: skip
        self.key = QLineEdit(", ".join(key))
        self.key.setAccessibleName("Key columns")
        self.form.addRow("Key columns", self.key)
        self._known = list(columns)
        self.validate = self._problem

    @property
    def columns(self) -> list[str]:
        """What was typed."""
        return [part.strip() for part in self.key.text().split(",") if part.strip()]

    def _problem(self) -> str | None:
        unknown = [name for name in self.columns if name not in self._known]
        if unknown:
            return f"The rows have no column `{unknown[0]}`."
        return None


class TableKeys:
    """The context menu of the columns of a sample set's table, and the question for a key."""

    def __init__(
        self, session: Session, rows: SampleRows, types: Callable[[str, str], None]
    ) -> None:
        """`types` asks for the type of a table's column."""
        self._session = session
        self._types = types
        self._rows = rows
        header = rows.table.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open)

    @property
    def table(self) -> str | None:
        """Schema and name of the chosen row's table, or of the first row's."""
        try:
            metadata = json.loads(self._rows.model.text(max(0, self._rows.row)))["metadata"]
            return f"{metadata.get('table_schema', 'public')}.{metadata['table_name']}"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def key(self, table: str) -> list[str]:
        """The key that the project names for a table."""
        keys = self._session.snapshot.get("table_keys") or {}
        return list(keys.get(table) or keys.get(table.partition(".")[2]) or ())

    def menu(self, column: str) -> QMenu | None:
        """The menu of a column; `None` where no row names its table."""
        table = self.table
        if table is None:
            return None
        menu = QMenu(self._rows.table)
        action = menu.addAction(f"Key of {table}")
        action.setCheckable(True)
        action.setChecked(column in self.key(table))
        action.triggered.connect(lambda: self.toggle(table, column))
        menu.addAction("Key columns…").triggered.connect(lambda: self.ask())
        menu.addSeparator()
        menu.addAction("Column type…").triggered.connect(lambda: self._types(table, column))
        return menu

    def toggle(self, table: str, column: str) -> None:
        """Make a column the last of the key, or take it out."""
        key = self.key(table)
        changed = [name for name in key if name != column]
        self.put(table, changed if column in key else [*key, column])

    def put(self, table: str, key: Sequence[str]) -> None:
        """Write the key of a table into the project; undo takes it back."""
        self._session.apply({"op": "set_key", "table": table, "key": list(key)})

    def ask(self) -> None:
        """Ask for the key of the chosen row's table."""
        table = self.table
        if table is None:
            self._session.notice.emit("info", "These messages do not name their table")
            return
        dialog = KeyDialog(self._rows, table, self.key(table), self._rows.model.columns)
        dialog.accepted.connect(lambda: self.put(table, dialog.columns))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open(self, place: QPoint) -> None:
        header = self._rows.table.horizontalHeader()
        number = header.logicalIndexAt(place) - len(FIXED)
        columns = self._rows.model.columns
        menu = self.menu(columns[number]) if 0 <= number < len(columns) else None
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(header.mapToGlobal(place))
