"""Preferences: looks, questions and shortcuts hold at once and the next time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from routestudio.ui import dialogs, preferences
from routestudio.ui.actions import TABLE, Actions, shortcut_text
from routestudio.ui.help_dialogs import ShortcutsDialog
from routestudio.ui.preferences import LARGEST, QUESTIONS, Looks
from routestudio.ui.preferences_dialog import PreferencesDialog, show_looks
from routestudio.ui.settings import settings
from routestudio.ui.theme import DARK, LIGHT, mono_font, theme
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def _as_designed(qapp: QApplication) -> object:
    settings().clear()
    yield
    settings().clear()
    show_looks(Looks("light"))


@pytest.fixture
def dialog(qtbot: QtBot) -> PreferencesDialog:
    window = QWidget()
    qtbot.addWidget(window)
    made = PreferencesDialog(window, Actions(window))
    made.show()
    made.kept = window  # type: ignore[attr-defined]
    return made


def choose(dialog: PreferencesDialog, name: str) -> None:
    listed = dialog.shortcuts.list
    for number in range(listed.topLevelItemCount()):
        item = listed.topLevelItem(number)
        if item.data(0, Qt.ItemDataRole.UserRole) == name:
            listed.setCurrentItem(item)  # type: ignore[arg-type]


@in_qt
async def test_sizes_reach_the_whole_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.quiet()
    window = desk.window
    before = window.tree.tree.fontMetrics().height(), document.editor.fontMetrics().height()
    await desk.trigger("preferences")
    (dialog,) = window.findChildren(PreferencesDialog)
    dialog.general.interface.setValue(int(LARGEST))
    dialog.general.code.setValue(16)
    after = window.tree.tree.fontMetrics().height(), document.editor.fontMetrics().height()
    assert after[0] > before[0]
    assert after[1] > 1.3 * before[1]
    heading = document.docs.findChild(QWidget).font()
    assert heading.pointSizeF() > 0
    assert preferences.looks() == Looks(theme().mode, LARGEST, 16.0)
    dialog.general.ligatures.setChecked(True)
    assert mono_font().featureTags() == []
    dialog.reject()


def test_the_theme_is_kept_and_follows_the_system(
    qapp: QApplication, dialog: PreferencesDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = dialog.general.mode
    for key, tokens in (("dark", DARK), ("light", LIGHT)):
        mode.setCurrentIndex(mode.findData(key))
        mode.activated.emit(mode.currentIndex())
        assert theme().tokens is tokens
        assert preferences.looks().mode == key
    mode.setCurrentIndex(mode.findData("system"))
    mode.activated.emit(mode.currentIndex())
    assert theme().mode == "system"
    scheme = SimpleNamespace(colorScheme=lambda: Qt.ColorScheme.Dark)
    monkeypatch.setattr(type(qapp), "styleHints", lambda *_: scheme)
    theme()._follow_system()
    assert theme().tokens is DARK
    theme().apply(qapp, "light")
    theme()._follow_system()
    assert theme().tokens is LIGHT, "what was chosen stays"


def test_wrong_settings_are_as_if_they_were_not_there() -> None:
    for key, value in (("theme", "pink"), ("font/interface", "900"), ("font/code", "x")):
        settings().setValue(key, value)
    assert preferences.looks() == Looks()


def test_a_shortcut_is_changed_refused_and_reset(dialog: PreferencesDialog) -> None:
    page = dialog.shortcuts
    actions = page._actions
    choose(dialog, "export")
    page.keys.setKeySequence(QKeySequence("Ctrl+O"))
    page.take()
    assert "“Open project”" in page.problem.text()
    assert actions.qaction("export").shortcut() == QKeySequence("Ctrl+E")
    for keys in ("Ctrl+C", "X", "Shift+A", "PgUp", "Shift+Left"):
        page.keys.setKeySequence(QKeySequence(keys))
        page.take()
        assert "needed for typing" in page.problem.text()
    page.keys.setKeySequence(QKeySequence("Ctrl+Alt+9"))
    page.take()
    assert page.problem.text() == ""
    assert actions.qaction("export").shortcut() == QKeySequence("Ctrl+Alt+9")
    again = QWidget()
    assert Actions(again).qaction("export").shortcut() == QKeySequence("Ctrl+Alt+9")
    row = next(row for row in TABLE if row.id == "export")
    assert shortcut_text(row) == "Ctrl+Alt+9"
    shown = ShortcutsDialog(again)
    shown.filter.setText("Ctrl+Alt+9")
    page.reset()
    assert actions.qaction("export").shortcut() == QKeySequence("Ctrl+E")
    assert settings().value("shortcuts/export") is None


def test_no_shortcut_is_given_twice() -> None:
    keys = [row.shortcut for row in TABLE if row.shortcut]
    assert sorted(keys) == sorted(set(keys))


def test_questions_can_be_switched_off_but_not_that_of_a_real_service(
    dialog: PreferencesDialog,
) -> None:
    page = dialog.pages.widget(1)
    boxes = {box.text(): box for box in page.findChildren(QCheckBox)}
    for key, text in QUESTIONS.items():
        assert preferences.asks(key)
        boxes[text].click()
        assert not preferences.asks(key)
    always = boxes["Before anything is sent to a real service"]
    assert always.isChecked()
    assert not always.isEnabled()


@in_qt
async def test_no_preference_silences_the_question_of_a_real_service(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (*QUESTIONS, "real_service", "send"):
        preferences.ask(key, False)
    asked: list[str] = []
    monkeypatch.setattr(dialogs, "ask", lambda *a, **k: bool(asked.append(a[1])))
    await desk.start(project)
    await desk.open("sink", "orders-to-kafka")
    desk.window.bar.choose_target("real")
    await desk.trigger("run")
    assert asked == ["Send to a real service"]


def test_a_new_project_starts_with_the_preferred_sink_type(
    qtbot: QtBot, dialog: PreferencesDialog
) -> None:
    box = dialog.general.type
    box.setCurrentIndex(box.findData("nats"))
    box.activated.emit(box.currentIndex())
    made = dialogs.NewProjectDialog(None)
    qtbot.addWidget(made)
    assert made.type.currentData() == "nats"
