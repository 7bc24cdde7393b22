"""Dead letters in the window: by reason, corrected, sent again, exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt

from routestudio.ui.panels import run_editor, run_page
from routestudio.ui.panels.run import RunPanel
from routestudio.ui.panels.run_editor import LetterEditor, SetValueDialog
from tests.gui.desk import Desk, in_qt
from tests.gui.run_desk import at_run_project, column_of, run, tree_texts
from tests.support.http_server import HttpReceiver
from tests.support.run_project import ids_of, refuse

pytestmark = pytest.mark.gui


async def with_letters(
    desk: Desk, folder: Path, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> RunPanel:
    """A run of 20 messages, of which 3 fail in the function and 2 are refused."""
    receiver.answer = refuse(7, 8)
    panel = await at_run_project(desk, folder, receiver.url, 20, without=(3, 4, 9))
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.summary is not None, "the end")
    await desk.until(lambda: panel.page.letters.open == 5, "the letters")
    assert panel.verdict.text() == "5 rejected"
    panel.banner._button.click()
    assert panel.page.currentIndex() == run_page.LETTERS
    await desk.until(lambda: panel.page.letters.rows.row(4), "the rows")
    return panel


def choose(panel: RunPanel, *numbers: int) -> None:
    letters = panel.page.letters
    selection = letters.row_table.selectionModel()
    flag = QItemSelectionModel.SelectionFlag
    selection.clearSelection()
    for number in numbers:
        selection.select(letters.rows.index(number, 0), flag.Select | flag.Rows)


def answer(monkeypatch: pytest.MonkeyPatch, name: str, fill: Callable[[Any], None]) -> list[Any]:
    """Fill a dialog of the editor module instead of a person; returns the dialogs that came."""
    shown: list[Any] = []
    real = getattr(run_editor, name)

    class Filled(real):  # type: ignore[valid-type]
        def exec(self) -> int:
            shown.append(self)
            fill(self)
            return int(self.result())

    monkeypatch.setattr(run_editor, name, Filled)
    return shown


async def ended(desk: Desk, panel: RunPanel, before: str) -> None:
    await desk.until(
        lambda: panel.run is not None and panel.run.id != before and not panel.running, "the end"
    )
    await desk.quiet()


@in_qt
async def test_letters_are_grouped_by_reason_with_their_rows(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await with_letters(desk, tmp_path / "p", http_receiver, monkeypatch)
    letters = panel.page.letters
    assert column_of(letters.groups, "Messages") == ["5", "3", "2"]
    reasons = column_of(letters.groups, "Reason")
    assert reasons[0] == "All reasons"
    assert reasons[1].startswith("route line 2: ")
    assert "422" in reasons[2]
    assert sorted(column_of(letters.rows, "Keys")) == ["3", "4", "7", "8", "9"]
    letters.group_table.selectRow(2)
    await desk.until(lambda: sorted(column_of(letters.rows, "Keys")) == ["7", "8"], "the group")
    assert letters.all_button.text() == "Resend group"
    await desk.until(lambda: "(5)" in tree_texts(desk, "run")[0], "the tree")
    assert panel.page.tabText(run_page.LETTERS) == "Dead letters (5)"


@in_qt
async def test_one_letter_is_corrected_in_the_form_and_sent_alone(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await with_letters(desk, tmp_path / "p", http_receiver, monkeypatch)
    letters = panel.page.letters
    keys = column_of(letters.rows, "Keys")
    assert panel.run is not None
    first = str(panel.run.id)
    http_receiver.reset()

    def fill(dialog: LetterEditor) -> None:
        assert dialog.pages.currentIndex() == 0
        (name,) = dialog.form.findItems("record.region", Qt.MatchFlag.MatchExactly)
        value = dialog.form.item(name.row(), 1)
        assert value is not None
        assert value.text() == "null"
        value.setText("US")
        assert '"region": "US"' in dialog.text.toPlainText()
        dialog.retry_button.click()

    shown = answer(monkeypatch, "LetterEditor", fill)
    choose(panel, keys.index("4"))
    await desk.act(letters.edit_button.click)
    await desk.until(lambda: shown, "the editor")
    await ended(desk, panel, first)
    (request,) = http_receiver.requests
    assert request.target == "/us"
    assert ids_of([request]) == [4]
    await desk.until(lambda: letters.open == 4, "the letter leaves the list")
    assert panel.page.currentIndex() == run_page.LETTERS
    assert "Send 1 dead letter again" in panel.title.toolTip()
    assert panel.verdict.text() == "delivered"
    await desk.until(lambda: len(tree_texts(desk, "run")) == 2, "the tree")


@in_qt
async def test_several_letters_get_one_value_and_the_rest_is_sent_too(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await with_letters(desk, tmp_path / "p", http_receiver, monkeypatch)
    letters = panel.page.letters
    letters.group_table.selectRow(1)
    await desk.until(lambda: len(column_of(letters.rows, "Keys")) == 3, "the group")

    def fill(dialog: SetValueDialog) -> None:
        assert "record.region" in [dialog.field.itemText(n) for n in range(dialog.field.count())]
        dialog.field.setCurrentText("record.region")
        dialog.value.setCurrentText("EU")
        dialog._end(False)

    shown = answer(monkeypatch, "SetValueDialog", fill)
    choose(panel, 0, 1, 2)
    await desk.trigger("edit_letter")
    await desk.until(
        lambda: shown and column_of(letters.rows, "Edited").count("edited") == 3, "the values"
    )
    assert letters.open == 5
    assert panel.run is not None
    first = str(panel.run.id)
    http_receiver.reset()
    http_receiver.answer = refuse(8)
    letters.group_table.selectRow(0)
    letters.row_table.clearSelection()
    await desk.trigger("retry_letters")
    await ended(desk, panel, first)
    await desk.until(lambda: letters.open == 1, "what was refused again")
    assert sorted(ids_of(http_receiver.requests)) == [3, 4, 7, 8, 9]
    assert panel.verdict.text() == "1 rejected"
    assert column_of(letters.rows, "Keys") == ["8"]


@in_qt
async def test_the_editor_says_what_is_no_message(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await with_letters(desk, tmp_path / "p", http_receiver, monkeypatch)
    assert panel.run is not None
    letter = await desk.engine.api.letters.letter(panel.run.id, 0)
    dialog = LetterEditor(desk.window, letter)
    dialog._switch("json")
    for text, problem in (("{", "not JSON"), ('{"record": {}}', "`action`"), ("[]", "object")):
        dialog.text.setPlainText(text)
        dialog.check()
        assert problem in dialog.problem.text()
        assert not dialog.retry_button.isEnabled()
        assert dialog.message is None
    dialog.text.setPlainText(json.dumps(letter.message))
    dialog.check()
    assert dialog.problem.text() == ""
    dialog.action.setCurrentText("delete")
    assert dialog.message is not None
    assert dialog.message["action"] == "delete"
    dialog.deleteLater()


@in_qt
async def test_letters_are_exported_and_a_run_is_deleted(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await with_letters(desk, tmp_path / "p", http_receiver, monkeypatch)
    output = tmp_path / "out.jsonl"
    monkeypatch.setattr(type(panel.page.letters), "_ask_file", lambda _: str(output))
    await desk.trigger("export_letters")
    await desk.until(lambda: any("Wrote 5" in text for _, text in desk.notices), "the file")
    assert len(output.read_text().splitlines()) == 5
    assert panel.run is not None
    desk.window.tree.choose("run", panel.run.id)
    await desk.trigger("delete")
    await desk.until(lambda: tree_texts(desk, "run") == [], "the run leaves the tree")
    assert panel.run is None
    assert not any((tmp_path / "p/.routestudio/runs").iterdir())


@pytest.mark.parametrize(
    ("value", "text"),
    [("EU", "EU"), ("1", '"1"'), (1, "1"), (None, "null"), ("null", '"null"'), ("", ""),
     ({"a": [1]}, '{"a": [1]}'), (" x ", '" x "'), (True, "true")],
)  # fmt: skip
def test_values_of_the_form_are_read_as_they_are_written(value: object, text: str) -> None:
    assert run_editor.written(value) == text
    assert run_editor.value_of(text) == value
