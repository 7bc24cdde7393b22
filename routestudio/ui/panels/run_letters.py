"""Dead letters of a run by reason: corrected, sent again, exported."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from routestudio.api.runs import Letter, LetterGroup, LetterGroups, LetterRow
from routestudio.errors import RouteStudioError
from routestudio.ui.panels.run_tables import PAGE, Column, RowsModel, chosen_rows, rows_table
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, EmptyState, label
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.layout import Pair, column

T = TypeVar("T")

_NO_GROUP = -1

_GROUPS: tuple[Column[LetterGroup], ...] = (
    Column("Reason", lambda row: group_text(row)),
    Column("Messages", lambda row: f"{row.count:,}", 84, right=True),
)
_ROWS: tuple[Column[LetterRow], ...] = (
    Column("Action", lambda row: row.action or "–", 70),
    Column("Table", lambda row: (row.table or "–").removeprefix("public."), 110),
    Column("Keys", lambda row: ", ".join(row.pks) or "–", 90),
    Column("Why", lambda row: row.reason),
    Column("Tries", lambda row: str(row.attempts), 54, right=True),
    Column("Edited", lambda row: "edited" if row.edited else "", 62,
           role=lambda row: "accent"),
)  # fmt: skip


class LettersView(QWidget):
    """Groups left, rows of the chosen group right. `retry_asked` carries numbers or a group."""

    retry_asked = Signal(object, object)
    """Numbers (or `None`), and a group (or `None` for all)."""
    counted = Signal(int)
    """So many letters are open."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._run: str | None = None
        self._asked = 0
        self.open = 0
        body = column(self)
        row = CompactBar()
        body.addWidget(row)
        self.title = label("", "heading")
        row.add(self.title, yields=3)
        row.row.addStretch(1)
        self.edit_button = Button("Edit…", "edit", action=self.edit)
        self.edit_button.setToolTip("Correct the chosen message; several at once: set one field")
        self.retry_button = Button("Resend selected", "run", action=self.retry_chosen)
        self.all_button = Button("Resend all", "run", kind="primary", action=self.retry_all)
        self.export_button = Button("Export…", "export", action=self.export)
        for button, yields in ((self.edit_button, 1), (self.retry_button, 0),
                               (self.all_button, 0), (self.export_button, 2)):  # fmt: skip
            row.add(button, yields=yields)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("ok", "No dead letters",
                       "Messages that cannot be delivered are kept here, with the reason, to be "
                       "corrected and sent again.")
        )  # fmt: skip
        self._stack.addWidget(self._tables())
        body.addWidget(self._stack, 1)
        self._enable()

    def _tables(self) -> QWidget:
        self.groups = RowsModel(_GROUPS)
        self.group_table = rows_table(self.groups, "Reasons of the dead letters", single=True)
        self.rows = RowsModel(_ROWS, self._fetch)
        self.row_table = rows_table(self.rows, "Dead letters")
        self.group_table.selectionModel().selectionChanged.connect(lambda *_: self._group_chosen())
        self.row_table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.row_table.doubleClicked.connect(lambda _: self.edit())
        return Pair(self.group_table, self.row_table, (400, 640))

    # --- showing -----------------------------------------------------------------------------

    def show_run(self, run: str | None) -> None:
        """Show the dead letters of another run, or none."""
        if run != self._run:
            self._run = run
            self.groups.clear()
            self.rows.clear()
        self.refresh()

    def refresh(self) -> None:
        """Read the reasons again."""
        if self._run is None:
            self._take(LetterGroups(0))
            return
        run = self._run
        work = self._session.engine.api.letters.groups(run)
        self._ask(work, lambda told: self._take(told) if run == self._run else None)

    def _take(self, told: LetterGroups) -> None:
        before = self.group
        self.open = told.open
        every = LetterGroup(_NO_GROUP, "", "", None, None, "All reasons", self.open)
        self.groups.show([every, *told.groups] if told.groups else [])
        self._stack.setCurrentIndex(1 if self.open else 0)
        self.title.setText(f"{self.open:,} dead letters" if self.open != 1 else "1 dead letter")
        numbers = [row.group for row in told.groups]
        place = numbers.index(before) + 1 if before in numbers else 0
        if self.open:
            self.group_table.selectRow(place)
        self._group_chosen()
        self.counted.emit(self.open)

    @property
    def group(self) -> int | None:
        """The chosen group; `None` for all."""
        chosen = chosen_rows(self.group_table)
        row = self.groups.row(chosen[0]) if chosen else None
        return None if row is None or row.group == _NO_GROUP else row.group

    @property
    def group_count(self) -> int:
        """Letters of the chosen group, or all."""
        chosen = chosen_rows(self.group_table)
        row = self.groups.row(chosen[0]) if chosen else None
        return row.count if row else self.open

    @property
    def chosen(self) -> list[LetterRow]:
        """The chosen rows that are here."""
        found = (self.rows.row(number) for number in chosen_rows(self.row_table))
        return [row for row in found if row is not None]

    def _group_chosen(self) -> None:
        chosen = chosen_rows(self.group_table)
        row = self.groups.row(chosen[0]) if chosen else None
        self._asked += 1
        self.row_table.clearSelection()
        self.rows.clear()
        self.rows.expect(row.count if row else 0)
        self._enable()

    def _fetch(self, start: int) -> None:
        asked, run = self._asked, self._run
        if run is None:
            return

        def give(rows: Sequence[LetterRow]) -> None:
            if asked == self._asked:
                self.rows.give(start, rows)

        def lost() -> None:
            if asked == self._asked:
                self.rows.lost(start)

        work = self._session.engine.api.letters.rows(run, start, PAGE, self.group)
        self._ask(work, give, lost)

    def _enable(self) -> None:
        some = bool(self.row_table.selectionModel().hasSelection())
        self.edit_button.setEnabled(some)
        self.retry_button.setEnabled(some)
        self.retry_button.setText("Resend selected")
        self.all_button.setEnabled(self.open > 0)
        self.all_button.setText("Resend all" if self.group is None else "Resend group")
        self.export_button.setEnabled(self.open > 0)

    # --- doing -------------------------------------------------------------------------------

    def edit(self) -> None:
        """Correct the chosen letter; with several, set one field of all."""
        chosen, run = self.chosen, self._run
        if not chosen or run is None:
            return
        first = chosen[0].number
        several = len(chosen) > 1
        work = self._session.engine.api.letters.letter(run, first)
        self._ask(work, self._edit_several if several else self._edit_one)

    def _edit_one(self, letter: Letter) -> None:
        from routestudio.ui.panels.run_editor import LetterEditor

        dialog = LetterEditor(self, letter)
        if dialog.exec() and dialog.message is not None and self._run is not None:
            changes = {str(letter.number): dialog.message}
            self._keep(self._session.engine.api.letters.edit(self._run, changes), dialog.retry)
        dialog.deleteLater()

    def _edit_several(self, letter: Letter) -> None:
        from routestudio.ui.panels.run_editor import SetValueDialog, fields_of, value_of

        numbers = [row.number for row in self.chosen]
        dialog = SetValueDialog(self, fields_of(letter.message), len(numbers))
        if dialog.exec() and self._run is not None:
            value = value_of(dialog.value.currentText())
            letters = self._session.engine.api.letters
            self._keep(letters.set_value(self._run, numbers, dialog.path, value), dialog.retry)
        dialog.deleteLater()

    def _keep(self, work: Coroutine[Any, Any, Sequence[int]], retry: bool) -> None:
        def kept(numbers: Sequence[int]) -> None:
            if retry:
                self.retry_asked.emit(list(numbers), None)
            else:
                self.refresh()

        self._ask(work, kept)

    def retry_chosen(self) -> None:
        """Send the chosen letters again."""
        if chosen := self.chosen:
            self.retry_asked.emit([row.number for row in chosen], None)

    def retry_all(self) -> None:
        """Send the letters of the chosen group again, or all."""
        if self.open:
            self.retry_asked.emit(None, self.group)

    def export(self) -> None:
        """Ask for a file and write the letters of the chosen group, or all, to it."""
        if self.open and (path := self._ask_file()):
            self.export_to(path)

    def export_to(self, path: str) -> None:
        """Export, given the file."""
        if self._run is None:
            return
        self._ask(
            self._session.engine.api.letters.export(self._run, path, self.group),
            lambda count: self._session.notice.emit(
                "success", f"Wrote {count:,} dead letters to {path}"),
        )  # fmt: skip

    def _ask_file(self) -> str:
        root = Path(str(self._session.snapshot.get("root", ".")))
        found, _ = QFileDialog.getSaveFileName(
            self, "Export dead letters", str(root / "dead-letters.jsonl"), "JSON lines (*.jsonl)"
        )
        return found

    def _ask(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], object],
        lost: Callable[[], object] = lambda: None,
    ) -> None:
        def failed(error: RouteStudioError) -> None:
            lost()
            self._session.notice.emit("error", str(error))

        self._session.engine.run(
            work, owner=self, title="Dead letters", done=done, failed=failed
        )  # fmt: skip


def group_text(row: LetterGroup) -> str:
    """A reason in one line: the stage, the line of the function, the text."""
    if row.group == _NO_GROUP:
        return row.reason
    place = f" line {row.line}" if row.line else ""
    field = f" {row.field}" if row.field else ""
    return f"{row.stage}{place}{field}: {row.reason}"
