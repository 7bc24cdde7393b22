"""The rows of a preview for `TableTools`: the engine has them, sorts, finds and writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QTableView

from routestudio.model.wording import counted
from routestudio.ui.panels.preview_model import PreviewModel
from routestudio.ui.session import Session
from routestudio.ui.widgets.table_rows import Sort, Tell


class PreviewRows:
    """`select` asks for the rows that bar, filter and order leave, which come later."""

    def __init__(
        self, session: Session, view: str, table: QTableView, model: PreviewModel,
        select: Callable[[], None],
    ) -> None:  # fmt: skip
        self._session, self._name, self._view = session, view, table
        self._model, self._select = model, select
        self._asked: dict[str, Any] = {}
        self._of = 0
        self._shown = 0
        self._rows = 0
        self.arranged: Callable[[], None] = lambda: None

    @property
    def asked(self) -> dict[str, Any]:
        """Filter and order as arguments of the request `select`; empty without both."""
        return dict(self._asked)

    def arrange(self, sort: Sort | None, text: str, column: int | None) -> None:
        """Ask for other rows, unless these are the ones."""
        asked: dict[str, Any] = {}
        if text:
            asked = {"text": text, "column": column}
        if sort is not None:
            asked |= {"sort": sort[0], "descending": sort[1]}
        if asked != self._asked:
            self._asked = asked
            self._select()

    def show_found(self, found: dict[str, Any], rows: int) -> None:
        """So many rows were found, among how many that were evaluated, of so many in all."""
        self._shown, self._of, self._rows = found["count"], found["of"], rows
        self.arranged()

    def counts(self) -> tuple[int, int]:
        """See `TableRows`."""
        return (self._shown, self._of) if self._asked else (self._model.rowCount(),) * 2

    @property
    def partial(self) -> bool:
        """Whether rows were not evaluated, and so are neither found nor sorted."""
        return bool(self._asked) and self._of < self._rows

    def note(self) -> str:
        """See `TableRows`."""
        if not self.partial:
            return ""
        return f"{self._shown:,} of the first {self._of:,} rows; {self._rows:,} in all"

    def give(self, form: str, take: Callable[[str], None], *, selected: bool) -> None:
        """See `TableRows`."""
        self._ask("copy_rows", lambda found: take(found["text"]), form=form,
                  ranges=self._ranges(selected))  # fmt: skip

    def write(self, path: str, tell: Tell, *, selected: bool) -> None:
        """See `TableRows`."""
        self._ask("export_rows",
                  lambda count: tell("success", f"Exported {counted(count, 'row')} to {path}"),
                  output=path, ranges=self._ranges(selected))  # fmt: skip

    def _ranges(self, selected: bool) -> list[tuple[int, int]] | None:
        if not selected:
            return None
        parts = self._view.selectionModel().selection()
        found = (parts.at(number) for number in range(parts.count()))
        return [(part.top(), part.bottom()) for part in found]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The selected rows by their places, or the current one."""
        current = self._view.currentIndex().row()
        return self._ranges(selected=True) or ([(current, current)] if current >= 0 else [])

    @property
    def chosen(self) -> int:
        """How many rows are selected."""
        return sum(last + 1 - first for first, last in self.ranges)

    def copy_commands(self) -> None:
        """Copy the requests of the selected rows as commands of the shell."""

        def done(found: dict[str, Any]) -> None:
            QGuiApplication.clipboard().setText(found["text"])
            text = f"Copied {counted(found['count'], 'command')}"
            if found["left_out"]:
                text += f"; {counted(found['left_out'], 'row')} left out, which are not delivered"
            notes = "".join(f". {note[:1].upper()}{note[1:]}" for note in found["notes"])
            self._session.notice.emit("success", f"{text}{notes}")

        if ranges := self.ranges:
            self._ask("commands", done, ranges=ranges)
        else:
            self._session.notice.emit("info", "Select a row first")

    def select_all(self) -> None:
        """See `TableRows`."""
        model, last = self._model, self._model.rowCount() - 1
        if last >= 0:
            every = QItemSelection(model.index(0, 0), model.index(last, model.columnCount() - 1))
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self._view.selectionModel().select(every, flag)

    def cell(self, index: QModelIndex) -> str:
        """See `TableRows`."""
        return str(index.data() or "")

    def _ask(self, method: str, done: Callable[[Any], object], **params: Any) -> None:
        engine = self._session.engine
        owner: QObject = self._view
        engine.run(engine.request(method, view=self._name, **params), owner=owner,
                   title="Export rows", done=done)  # fmt: skip
