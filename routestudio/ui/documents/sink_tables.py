"""The database of a sink and its tables: written by hand, or chosen from what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from routestudio.errors import RouteStudioError
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.layout import column
from routestudio.ui.widgets.table_tools import TableTools

MODES: Final = (
    ("include_tables", "these tables"),
    ("exclude_tables", "all tables but these"),
    ("include_schemas", "these schemas"),
    ("exclude_schemas", "all schemas but these"),
)
_ANY: Final = "all tables of the publication"


class SinkTables(QWidget):
    """Edits `database`, `source` and, by the dialog, `tables` of a sink."""

    def __init__(self, session: Session, sink: str) -> None:
        super().__init__()
        self._session = session
        self._sink = sink
        self._shown: str | None = None
        """The list of `source` that the form shows; a file may have several."""
        box = column(self)
        box.setSpacing(6)
        first, second = QHBoxLayout(), QHBoxLayout()
        self.database = ComboBox()
        self.database.setAccessibleName("Source database of the sink")
        self.database.activated.connect(lambda _: self._choose_database())
        self.choose_button = Button("Choose tables…", "database", action=self.choose)
        first.addWidget(label("Source", "muted"))
        first.addWidget(self.database, 1)
        first.addWidget(self.choose_button)
        self.mode = ComboBox()
        self.mode.setAccessibleName("What the names of tables mean")
        for key, text in MODES:
            self.mode.addItem(text, key)
        self.mode.activated.connect(lambda _: self.commit())
        self.names = QLineEdit()
        self.names.setAccessibleName("Tables or schemas of the sink")
        self.names.setPlaceholderText(_ANY)
        self.names.editingFinished.connect(self.commit)
        second.addWidget(self.mode)
        second.addWidget(self.names, 1)
        box.addLayout(first)
        box.addLayout(second)
        self.grouped = label("", "help", wrap=True)
        box.addWidget(self.grouped)

    def refresh(self, sink: Mapping[str, Any]) -> None:
        """Show what the sink has."""
        names = list(self._session.databases())
        current = sink.get("database")
        if current and current not in names:
            names.insert(0, str(current))
        if names != [self.database.itemData(i) for i in range(self.database.count())]:
            self.database.clear()
            for name in names:
                known = name in self._session.databases()
                self.database.addItem(name if known else f"{name} (not in this project)", name)
        self.database.setCurrentIndex(self.database.findData(current))
        self.choose_button.setEnabled(current in self._session.databases())
        source = sink.get("source") or {}
        if not self.names.hasFocus():
            self._shown = next((key for key, _ in MODES if source.get(key)), None)
            if self._shown is not None:
                self.mode.setCurrentIndex(self.mode.findData(self._shown))
            self.names.setText(", ".join(_texts(source.get(self._shown))))
        groups = [f"{name} by {', '.join(columns)}"
                  for name, columns in (sink.get("tables") or {}).items() if columns]  # fmt: skip
        self.grouped.setText(f"Messages are grouped: {'; '.join(groups)}." if groups else "")
        self.grouped.setVisible(bool(groups))

    def commit(self) -> None:
        """Take what is being typed; lists that are not shown stay."""
        mode = str(self.mode.currentData())
        names = [part.strip() for part in self.names.text().split(",") if part.strip()]
        kept = {key: value for key, value in self._source().items()
                if key not in (self._shown, mode)}  # fmt: skip
        self._write({**kept, mode: names} if names else kept)

    def choose(self) -> None:
        """Choose tables, and columns that group messages, from what the database has."""
        sink = self._session.sink(self._sink) or {}
        dialog = TablesDialog(self, self._session, str(sink.get("database")), sink)
        if dialog.exec():
            self.take(dialog)
        dialog.deleteLater()

    def take(self, dialog: TablesDialog) -> None:
        """Write what was chosen in the dialog."""
        sink = self._session.sink(self._sink) or {}
        chosen, groups = dialog.chosen(), dialog.groups()
        if set(chosen) != set(map(_full, _texts(self._source().get("include_tables")))):
            self._write({"include_tables": chosen} if chosen else {})
        before = {_full(name): list(columns)
                  for name, columns in (sink.get("tables") or {}).items()}  # fmt: skip
        if groups != before:
            entries = [{"name": name, "group_column_names": columns}
                       for name, columns in groups.items()]  # fmt: skip
            self._session.set_value(["sinks", self._sink, "tables"], entries or None)

    def _choose_database(self) -> None:
        self._session.set_value(["sinks", self._sink, "database"], self.database.currentData())

    def _source(self) -> dict[str, Any]:
        return dict((self._session.sink(self._sink) or {}).get("source") or {})

    def _write(self, source: dict[str, Any]) -> None:
        if _filled(source) != _filled(self._source()):
            self._session.set_value(["sinks", self._sink, "source"], source or None)


class TablesDialog(AskDialog):
    """Tables of a database with boxes; the columns of the current one, which may group messages."""

    def __init__(
        self, parent: QWidget, session: Session, database: str, sink: Mapping[str, Any]
    ) -> None:
        super().__init__(parent, "Tables of the sink", "Only rows of the tables with a mark reach "
                         "the sink; without any, those of all. Columns with a mark group messages "
                         "instead of the primary key.", "Choose")  # fmt: skip
        self.resize(720, 560)
        self._session, self._database = session, database
        self._wanted = set(map(_full, _texts((sink.get("source") or {}).get("include_tables"))))
        self._groups = {_full(name): list(columns)
                        for name, columns in (sink.get("tables") or {}).items()}  # fmt: skip
        self._columns: dict[str, list[dict[str, Any]]] = {}
        self.search = QLineEdit()
        self.search.setAccessibleName("Find a table")
        self.search.setPlaceholderText("Find a table or schema")
        self.tables = _tree("Tables", ("Table", "Kind"))
        self.columns = _tree("Columns of the table", ("Column", "Type", "Key"))
        TableTools(self.tables, field=self.search, column=0)
        TableTools(self.columns)
        self.state = label("Asking the database…", "muted", wrap=True)
        for widget in (self.search, self.tables, self.columns, self.state):
            self.extra.addWidget(widget)
        self.tables.currentItemChanged.connect(lambda *_: self._show_columns())
        self.columns.itemChanged.connect(self._group)
        self._listed = False
        self.validate = self._problem
        self._ask("database_tables", self._list)

    def _problem(self) -> str | None:
        return None if self._listed else (
            "The database has not answered, so no table can be chosen. Cancel changes nothing."
        )  # fmt: skip

    def chosen(self) -> list[str]:
        """The tables with a mark, `schema.table` each."""
        rows = [self.tables.topLevelItem(n) for n in range(self.tables.topLevelItemCount())]
        return [row.text(0) for row in rows
                if row is not None and row.checkState(0) is Qt.CheckState.Checked]  # fmt: skip

    def groups(self) -> dict[str, list[str]]:
        """The columns that group the messages of a table, where any do."""
        return {name: columns for name, columns in self._groups.items() if columns}

    def _ask(self, method: str, done: Any, **params: Any) -> None:
        self._session.engine.run(
            self._session.request(method, database=self._database, **params),
            owner=self, title="Database", done=done, failed=self._failed,
        )  # fmt: skip

    def _failed(self, error: RouteStudioError) -> None:
        self.state.setText(str(error))

    def _list(self, found: Sequence[Mapping[str, Any]]) -> None:
        self._listed = True
        for item in found:
            if "table" not in item["kind"] or item["kind"] == "foreign table":
                continue
            name = f"{item['schema']}.{item['name']}"
            row = QTreeWidgetItem([name, item["kind"]])
            row.setData(0, Qt.ItemDataRole.UserRole, dict(item))
            state = Qt.CheckState
            row.setCheckState(0, state.Checked if name in self._wanted else state.Unchecked)
            self.tables.addTopLevelItem(row)
        count = self.tables.topLevelItemCount()
        gone = sorted(self._wanted - {self._name(n) for n in range(count)})
        missing = f" Not there any more: {', '.join(gone)}." if gone else ""
        self.state.setText(f"{count:,} table{'s' * (count != 1)}.{missing}")
        self._session.looked_at_database()

    def _name(self, number: int) -> str:
        row = self.tables.topLevelItem(number)
        return row.text(0) if row is not None else ""

    def _show_columns(self) -> None:
        row = self.tables.currentItem()
        if row is None:
            return
        name, item = row.text(0), row.data(0, Qt.ItemDataRole.UserRole)
        if name in self._columns:
            self._describe(name)
            return

        def described(found: dict[str, Any]) -> None:
            self._columns[name] = found["columns"]
            current = self.tables.currentItem()
            if current is not None and current.text(0) == name:
                self._describe(name)

        self._ask("database_table", described, schema=item["schema"], name=item["name"])

    def _describe(self, name: str) -> None:
        chosen = self._groups.get(name, [])
        self.columns.blockSignals(True)
        self.columns.clear()
        for item in self._columns[name]:
            row = QTreeWidgetItem([item["name"], item["type"], "key" if item["key"] else ""])
            marked = item["name"] in chosen
            row.setCheckState(0, Qt.CheckState.Checked if marked else Qt.CheckState.Unchecked)
            self.columns.addTopLevelItem(row)
        self.columns.blockSignals(False)

    def _group(self) -> None:
        current = self.tables.currentItem()
        if current is None:
            return
        rows = [self.columns.topLevelItem(n) for n in range(self.columns.topLevelItemCount())]
        self._groups[current.text(0)] = [
            row.text(0) for row in rows
            if row is not None and row.checkState(0) is Qt.CheckState.Checked
        ]  # fmt: skip


def _tree(name: str, heads: tuple[str, ...]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(list(heads))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setMinimumHeight(120)
    tree.header().resizeSection(0, 300)
    return tree


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []


def _filled(source: Mapping[str, Any]) -> dict[str, list[str]]:
    """The lists that let only some rows through."""
    return {key: names for key, value in source.items() if (names := _texts(value))}


def _full(name: str) -> str:
    return name if "." in name else f"public.{name}"
