"""The tables of a database: a list, the columns of one, and how many of its rows to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.documents.database_live import LIVE, LiveRows, ask_publication
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, label
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools

MOST: Final = 10_000
"""Rows that the engine takes."""
LONGEST: Final = 86_400
_ORDERS: Final = (("newest", "the newest by key"), ("random", "at random"), ("any", "any"))


class TablesPane(QFrame):
    """Asks for the tables when it is told to: opening a document connects to nothing."""

    rows_asked = Signal(object, int, str)
    """Options of the address, number of rows, and a name for the sample set."""
    captured = Signal(str, int)
    """Changes were captured: the address, and how many were asked for."""

    def __init__(self, session: Session, database: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self._session = session
        self._database = database
        self._job: Job | None = None
        self._chosen: dict[str, Any] | None = None
        self._capturing = False
        self._follow: LiveRows | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(label("Tables", "heading"))
        head.addStretch(1)
        self.show_button = Button("Show the tables", "refresh", action=self.load)
        head.addWidget(self.show_button)
        column.addLayout(head)
        self.banner = Banner()
        column.addWidget(self.banner)
        self.search = QLineEdit()
        self.search.setAccessibleName("Find a table")
        self.search.setPlaceholderText("Find a table")
        self.search.setClearButtonEnabled(True)
        column.addWidget(self.search)
        self.list = _tree("Tables", ("Table", "Rows, about", "Kind"))
        TableTools(self.list, field=self.search, column=0)
        self.list.currentItemChanged.connect(lambda *_: self._choose())
        self.columns = _tree("Columns of the table", ("Column", "Type", ""))
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self.columns)
        column.addWidget(split, 1)
        self.facts = label("Show the tables, and choose one to see its columns.", "muted",
                           wrap=True, select=True)  # fmt: skip
        column.addWidget(self.facts)
        column.addLayout(self._foot())

    def _foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setSpacing(8)
        self.where = QLineEdit()
        self.where.setAccessibleName("Condition of SQL")
        self.where.setPlaceholderText("only rows where, for example: total > 100")
        foot.addWidget(self.where)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.count = QLineEdit("100")
        self.count.setAccessibleName("Rows")
        self.count.setMaximumWidth(90)
        self.order = ComboBox()
        self.order.setAccessibleName("Which rows")
        for key, text in _ORDERS:
            self.order.addItem(text, key)
        self.take_button = Button("Take rows…", "sample", kind="primary",
                                  action=self._take)  # fmt: skip
        self.take_button.setEnabled(False)
        row.addWidget(self.count)
        row.addWidget(label("rows,", "muted"))
        row.addWidget(self.order)
        row.addStretch(1)
        row.addWidget(self.take_button)
        foot.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.seconds = QLineEdit("60")
        self.seconds.setAccessibleName("Seconds that a capture lasts at most")
        self.seconds.setMaximumWidth(90)
        self.capture_button = Button("Capture changes…", "arrived", action=self.capture)
        self.capture_button.setToolTip(
            "Takes changes as they are committed, through a temporary slot: nothing is left behind"
        )
        row.addWidget(self.seconds)
        row.addWidget(label("seconds of live changes", "muted"))
        self.live = QCheckBox("into the preview as they come")
        self.live.setToolTip(f"Adds them to the sample set {LIVE}, which previews show at once")
        row.addStretch(1)
        row.addWidget(self.capture_button)
        foot.addLayout(row)
        foot.addWidget(self.live)
        return foot

    # --- live changes --------------------------------------------------------------------------

    def capture(self) -> None:
        """Take changes of the publication as they come; pressed again, end with what there is."""
        if self._capturing:
            engine = self._session.engine
            engine.run(engine.request("end_look"), owner=self, title="Capture")
            return
        count, seconds = _number(self.count.text()), _number(self.seconds.text())
        if not 1 <= count <= MOST or not 1 <= seconds <= LONGEST:
            self.banner.say("error", f"Rows is a number from 1 to {MOST:,}, seconds one from 1 to "
                            f"{LONGEST:,}.")  # fmt: skip
            return
        published = self._publication()
        if published is None:
            return
        self.stop()
        self.banner.hide()
        address = address_of(self._database, {"capture": "true", "seconds": seconds, **published})
        self._capturing = True
        self.capture_button.setText("Stop the capture")
        self.facts.setText("Making a temporary slot…")
        live = self.live.isChecked()
        if live:
            self._follow = LiveRows(self._session, self._database)
        self._job = self._session.engine.run(
            self._session.request("recognise", on_event=self._heard, address=address, limit=count,
                                  live=live),
            owner=self, title="Capture", done=lambda found: self._caught(found, address, count),
            failed=self._failed, ended=self._capture_ended,
        )  # fmt: skip

    def _publication(self) -> dict[str, str] | None:
        """Options that name the publication, or one to be made, which the user agreed to."""
        entry = self._session.databases().get(self._database) or {}
        name = (entry.get("publication") or {}).get("name")
        if name:
            return {"publication": str(name)}
        if self._chosen is None:
            self.banner.say("error", "Choose a table, or name the publication of the changes in "
                            "the form.")  # fmt: skip
            return None
        schema, table = self._chosen["schema"], self._chosen["name"]
        made = ask_publication(self, f"{schema}.{table}")
        return None if made is None else {"table": written(schema, table),
                                          "make_publication": made}  # fmt: skip

    def _heard(self, event: str, data: dict[str, Any]) -> None:
        if event == "notice":
            self.facts.setText(data["text"])
        elif event == "taken":
            self.facts.setText(f"{data['rows']:,} changes so far.")
        elif event == "messages" and self._follow is not None:
            self._follow.add(data["rows"])

    def _caught(self, found: dict[str, Any], address: str, count: int) -> None:
        if found["messages"] or found["faults"]:
            self.facts.setText(f"{found['messages']:,} changes were captured.")
            if self._follow is None:
                self.captured.emit(address, count)
        else:
            self.facts.setText("Nothing was changed in the tables of the publication meanwhile.")

    def _capture_ended(self) -> None:
        self._capturing = False
        self._follow = None
        self.capture_button.setText("Capture changes…")

    # --- tables --------------------------------------------------------------------------------

    def load(self) -> None:
        """Ask for the tables."""
        self.stop()
        self.banner.hide()
        self.show_button.setEnabled(False)
        self.facts.setText("Asking the database…")
        self._ask("database_tables", self._show)

    def stop(self) -> None:
        """Ask no longer."""
        if self._job is not None and self._job.running:
            self._job.cancel()
        self._job = None

    def _ask(self, method: str, done: Any, **params: Any) -> None:
        engine = self._session.engine
        self._job = engine.run(
            self._session.request(method, database=self._database, **params),
            owner=self, title="Database", done=done, failed=self._failed, ended=self._ended,
        )  # fmt: skip

    def _ended(self) -> None:
        self.show_button.setEnabled(True)

    def _failed(self, error: RouteStudioError) -> None:
        self.facts.setText("Check shows, step by step, what is wrong.")
        self.banner.say("error", str(error))

    def _show(self, tables: list[dict[str, Any]]) -> None:
        self.list.clear()
        self.columns.clear()
        for item in tables:
            rows = "" if item["estimate"] is None else f"{item['estimate']:,}"
            row = QTreeWidgetItem([f"{item['schema']}.{item['name']}", rows, item["kind"]])
            row.setData(0, Qt.ItemDataRole.UserRole, item)
            row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.setDisabled(not item["readable"])
            if not item["readable"]:
                row.setToolTip(0, "The user may not select from it")
            self.list.addTopLevelItem(row)
        self._session.looked_at_database()
        many = f"{len(tables):,} tables" if len(tables) != 1 else "1 table"
        self.facts.setText(f"{many}. Choose one to see its columns.")

    def _choose(self) -> None:
        item = self.list.currentItem()
        self._chosen = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        self.take_button.setEnabled(self._chosen is not None)
        self.columns.clear()
        if self._chosen is not None:
            self.stop()
            self._ask("database_table", self._describe, schema=self._chosen["schema"],
                      name=self._chosen["name"])  # fmt: skip

    def _describe(self, table: dict[str, Any]) -> None:
        self.columns.clear()
        for column in table["columns"]:
            marks = [word for word, on in (("key", column["key"]),
                                           ("generated", column["generated"]),
                                           ("may be null", column["nullable"])) if on]  # fmt: skip
            row = QTreeWidgetItem([column["name"], column["type"], ", ".join(marks)])
            self.columns.addTopLevelItem(row)
        key = f"Key: {', '.join(table['key'])}. " if table["key"] else "No primary key. "
        identity = f"Replica identity: {table['identity']}"
        more = "" if table["changeable"] else (
            "; updates and deletes fail once the table is published"
        )  # fmt: skip
        rows = "" if table["estimate"] is None else f" About {table['estimate']:,} rows."
        changes = f"{identity}{more}." if "table" in table["kind"] else "It has no changes."
        self.facts.setText(f"{key}{changes}{rows}")

    def _take(self) -> None:
        count = _number(self.count.text())
        if not 1 <= count <= MOST:
            self.banner.say("error", f"Rows is a number from 1 to {MOST:,}.")
            return
        if self._chosen is None:
            return
        self.banner.hide()
        schema, table = self._chosen["schema"], self._chosen["name"]
        options = {"table": written(schema, table), "rows": self.order.currentData()}
        if condition := self.where.text().strip():
            options["where"] = condition
        self.rows_asked.emit(options, count, table)


def written(schema: str, table: str) -> str:
    """A table as addresses have it, whatever characters are in its name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table))


def address_of(database: str, options: Mapping[str, Any]) -> str:
    """The address of a database of the project with options."""
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in options.items())
    return f"database://{quote(database)}?{query}"


def _number(text: str) -> int:
    """A number as people write it; 0 for anything else."""
    plain = text.strip().replace(",", "")
    return int(plain) if plain.isascii() and plain.isdigit() else 0


def _tree(name: str, heads: tuple[str, ...]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(list(heads))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setMinimumHeight(90)
    tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for number in range(1, len(heads)):
        tree.header().setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
    tree.header().setStretchLastSection(False)
    return tree
