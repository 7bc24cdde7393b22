"""No key, click, action or command writes to production before its name is typed.

A person who presses everything and agrees to every question but that one: all actions of the table
in each kind of document, all buttons in sight, keys in every list, and every command of the
command line. A real target counts the messages that arrive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QDialog,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QWidget,
)

from routestudio.cli import main
from routestudio.cli.main import COMMANDS
from routestudio.ui.actions import TABLE
from tests.gui.desk import Desk, in_qt
from tests.support.http_server import HttpReceiver, Received
from tests.support.run_project import SINK, refuse
from tests.unit.engine.test_environment_guard import with_environments

pytestmark = pytest.mark.gui

NAMES = "Type production to confirm"
LEFT_OUT = {"quit"}
"""Actions that end the program."""
ASKING = ("run", "resume_run", "retry_letters")
CONTEXTS = (("sink", SINK), ("function", "by-region"), ("sample", "orders"),
            ("databases", "shop"), ("variables", "Variables"),
            ("overview", "Overview"))  # fmt: skip


class Person:
    """Answers what is asked: agrees to everything, but does not know the name of production."""

    def __init__(self) -> None:
        self.asked = 0
        """How often the name was asked for."""
        self._seen: dict[int, int] = {}
        self._timer = QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._answer)
        self._timer.start()

    def leave(self) -> None:
        self._timer.stop()

    def _answer(self) -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
            return
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog):
            return
        names = [edit for edit in dialog.findChildren(QLineEdit) if edit.accessibleName() == NAMES]
        times = self._seen[id(dialog)] = self._seen.get(id(dialog), 0) + 1
        if names:
            if times == 1:
                self.asked += 1
            for text in ("", "prod", "Production", "dev"):
                names[0].setText(text)
                QTest.keyClick(names[0], Qt.Key.Key_Return)
                self._press(dialog)
            assert dialog.isVisible(), "a wrong name was taken"
            dialog.reject()
        elif times == 1:
            self._press(dialog)
        elif times > 3:
            self._seen.pop(id(dialog))
            dialog.reject()

    def _press(self, dialog: QDialog) -> None:
        """Press the button that agrees."""
        buttons = [b for b in dialog.findChildren(QPushButton) if b.isVisible() and b.isEnabled()]
        kinds = [b for b in buttons if b.property("kind") in ("primary", "danger")]
        for button in kinds[-1:]:
            button.click()


@contextmanager
def person(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Person]:
    for name in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_, **__: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: "")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda *_: True)
    found = Person()
    try:
        yield found
    finally:
        found.leave()


def delivered(requests: list[Received]) -> list[Received]:
    """Requests that carry messages."""
    return [request for request in requests if b'"record"' in request.body]


class Production:
    """The window with its project open in production, the real service chosen."""

    def __init__(self, desk: Desk, folder: Path, run: str = "") -> None:
        self.desk, self.folder, self.run = desk, folder, run

    async def ready(self, kind: str, name: str) -> None:
        """Come back to a document in production, whatever was pressed."""
        desk, window = self.desk, self.desk.window
        session = window.session
        await self.settled()
        window.run_panel.after = None
        here = (session.environment or {}).get("name"), (session.environment or {}).get("read_only")
        if session.path != self.folder or here != ("production", True) or not session.sink(SINK):
            self.restore()
            session.open(self.folder, environment="production")
            await desk.until(
                lambda: (session.environment or {}).get("read_only") is True
                and session.path == self.folder and session.sink(SINK), "production",
            )  # fmt: skip
            await desk.quiet(0.03)
        if window.bar.target != "real":
            window.where.button("real").click()
        document = window.document()
        if document is None or (document.kind, document.name) != (kind, name):
            await desk.open(kind, name)
        if self.run and getattr(window.run_panel.run, "id", "") != self.run:
            window.commands.open("run", self.run)
            await desk.until(lambda: getattr(window.run_panel.run, "id", "") == self.run, "the run")
        await desk.quiet(0.03)
        table = getattr(getattr(window.document(), "preview", None), "table", None)
        if table is not None:
            table.setFocus()

    def restore(self) -> None:
        """Undo what was changed in the project's files."""
        (self.folder / "sequin.yaml").write_text(self.yaml)
        (self.folder / "samples/orders.jsonl").write_text(self.rows)
        (self.folder / "functions/by_region.py").write_text(self.code)

    def remember(self) -> None:
        self.yaml = (self.folder / "sequin.yaml").read_text()
        self.rows = (self.folder / "samples/orders.jsonl").read_text()
        self.code = (self.folder / "functions/by_region.py").read_text()

    async def settled(self) -> None:
        """Until nothing is asked and nothing is under way."""
        await self.desk.quiet(0.03)
        await self.desk.until(
            lambda: QApplication.activeModalWidget() is None
            and QApplication.activePopupWidget() is None, "an answer",
        )  # fmt: skip
        await self.desk.until(lambda: not self.desk.window.run_panel.running, "the end of a run")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


async def with_a_run(
    desk: Desk, folder: Path, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> Production:
    """A run in production, with its name typed, whose rows the service refuses in part."""
    desk.may_take(900)
    await desk.start(folder)
    place = Production(desk, folder)
    place.remember()
    await place.ready("sink", SINK)
    receiver.answer = refuse(1, 2)
    confirm = desk.window.commands.environments
    monkeypatch.setattr(confirm, "confirm", lambda *_: "production")
    await desk.trigger("run")
    panel = desk.window.run_panel
    await desk.until(lambda: panel.summary is not None and not panel.running, "the run")
    monkeypatch.undo()
    assert len(delivered(receiver.requests)) == 6, "this test would see what is written"
    place.run = panel.run.id
    receiver.answer = None
    receiver.reset()
    return place


@pytest.mark.slow
@in_qt
async def test_no_action_writes_to_production(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    place = await with_a_run(desk, folder, http_receiver, monkeypatch)
    tried: dict[str, int] = {}
    with person(monkeypatch, folder) as someone:
        for kind, name in CONTEXTS:
            await place.ready(kind, name)
            for row in TABLE:
                action = desk.window.action_table.qaction(row.id)
                again = row.id in ASKING
                if row.id in LEFT_OUT or (row.id in tried and not again):
                    continue
                if not action.isEnabled():
                    continue
                asked = someone.asked
                await desk.act(action.trigger)
                await place.settled()
                tried[row.id] = tried.get(row.id, 0) + someone.asked - asked
                assert delivered(http_receiver.requests) == [], row.id
                await place.ready(kind, name)
    never = {row.id for row in TABLE} - set(tried) - LEFT_OUT
    assert never <= {"undo", "redo", "cancel", "resume_run"}, never
    assert tried["run"] >= 2
    assert tried["retry_letters"] >= 2
    assert {name for name, asked in tried.items() if asked} <= set(ASKING)


def buttons(window: QWidget) -> list[QAbstractButton]:
    return [
        button for button in window.findChildren(QAbstractButton)
        if button.isVisible() and button.isEnabled()
    ]  # fmt: skip


def described(button: QAbstractButton) -> str:
    parent = button.parent()
    name = button.accessibleName() or button.text() or button.toolTip()
    return f"{type(parent).__name__}/{type(button).__name__}/{name}"


@pytest.mark.slow
@in_qt
async def test_no_button_writes_to_production(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    place = await with_a_run(desk, folder, http_receiver, monkeypatch)
    window = desk.window
    pressed: set[str] = set()
    panels = [window.panels.widget(number) for number in range(window.panels.count())]
    with person(monkeypatch, folder) as someone:
        for number, (kind, name) in enumerate(CONTEXTS * 2):
            for panel in panels if number == 0 else [panels[number % len(panels)]]:
                await place.ready(kind, name)
                window.open_bottom(panel)
                await press_all(place, panel, (kind, name), pressed, http_receiver)  # type: ignore[arg-type]
        for page in range(window.run_panel.page.count()):
            await place.ready("sink", SINK)
            window.open_bottom(window.run_panel)
            window.run_panel.page.setCurrentIndex(page)
            await press_all(place, window.run_panel, ("sink", SINK), pressed, http_receiver)
        assert someone.asked >= 2
    assert len(pressed) > 60, sorted(pressed)
    assert any(text.endswith("/Run") for text in pressed)


async def press_all(
    place: Production,
    panel: QWidget,
    document: tuple[str, str],
    pressed: set[str],
    receiver: HttpReceiver,
) -> None:
    """Press every button in sight that was not pressed yet."""
    window = place.desk.window
    while True:
        button = next((b for b in buttons(window) if described(b) not in pressed), None)
        if button is None:
            return
        text = described(button)
        pressed.add(text)
        await place.desk.act(button.click)
        await place.settled()
        assert delivered(receiver.requests) == [], text
        page = window.run_panel.page.currentIndex()
        await place.ready(*document)
        window.open_bottom(panel)
        window.run_panel.page.setCurrentIndex(page)


@pytest.mark.slow
@in_qt
async def test_no_key_writes_to_production(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    place = await with_a_run(desk, folder, http_receiver, monkeypatch)
    window = desk.window
    keys = (Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_F5)
    held = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier,
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)  # fmt: skip
    with person(monkeypatch, folder) as someone:
        for row in TABLE:  # the keys of the actions, wherever the focus is
            if row.shortcut and row.id not in LEFT_OUT:
                await place.ready("sink", SINK)
                window.activateWindow()
                keys_of = QKeySequence(row.shortcut)
                await desk.act(lambda k=keys_of: QTest.keySequence(window, k))
                await place.settled()
                assert delivered(http_receiver.requests) == [], row.shortcut
        assert someone.asked >= 2  # F5, Ctrl+Shift+F5
        for page in range(window.run_panel.page.count()):
            await place.ready("sink", SINK)
            window.open_bottom(window.run_panel)
            window.run_panel.page.setCurrentIndex(page)
            await desk.quiet(0.03)
            views = [v for v in window.findChildren(QAbstractItemView) if v.isVisible()]
            for view in views:
                for key in keys:
                    for modifiers in held:
                        await desk.act(press(view, key, modifiers))
                        await place.settled()
                        assert delivered(http_receiver.requests) == [], (view, key, modifiers)
                        await place.ready("sink", SINK)
                    window.open_bottom(window.run_panel)
                    window.run_panel.page.setCurrentIndex(page)


def press(
    view: QAbstractItemView, key: Qt.Key, modifiers: Qt.KeyboardModifier
) -> Callable[[], None]:
    def step() -> None:
        if not view.isVisible():
            return
        view.setFocus()
        model = view.model()
        if model is not None and model.rowCount():
            view.setCurrentIndex(model.index(0, 0))
        QTest.keyClick(view, key, modifiers)

    return step


def test_no_command_writes_to_production(
    tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Every command, with what would write; those without a project cannot name production."""
    folder = with_environments(tmp_path / "p", http_receiver.url)
    monkeypatch.setenv("ROUTESTUDIO_ENV", "production")
    monkeypatch.delenv("ROUTESTUDIO_CONFIRM", raising=False)
    project, rows = str(folder), str(folder / "samples/orders.jsonl")
    given: dict[str, list[list[str]]] = {
        "run": [
            [project, SINK, "--input", rows],
            [project, SINK, "--input", rows, "--confirm", "dev"],
            [project, SINK, "--input", rows, "--confirm", ""],
            [project, SINK, "--input", rows, "--dry-run"],
            [project, SINK, "--input", rows, "--dead-letters", str(tmp_path / "letters.jsonl")],
            [project, SINK, "--input", rows, "--checkpoint", str(tmp_path / "point")],
        ],
        "preview": [[project, SINK, "--sample", "orders"]],
        "check": [[project], [project, "--standin"]],
        "test": [[project]],
        "lint": [[project]],
        "rehearse": [[project, SINK, "--fault", "slow", "--sample", "orders"]],
        "export": [[project, "--target", "sequin", "--output", str(tmp_path / "out.yaml")]],
        "diff": [[project, SINK, "--sample", "orders"]],
        "plan": [[project, "--against", str(folder / "sequin.yaml")]],
        "convert": [[project, "by-region"]],
        "read-back": [[project, SINK]],
        "sample": [[rows]],
    }
    without = {"demo", "new", "sinks", "eval", "import", "docs", "schema", "formats"}
    assert set(given) | without == set(COMMANDS)
    for command, lines in given.items():
        for line in lines:
            try:
                code = main.run([command, *line])
            except SystemExit as end:
                code = int(str(end.code))
            said = capsys.readouterr()
            assert delivered(http_receiver.requests) == [], (command, line, said)
            if command == "run" and "--dry-run" not in line:
                assert code == 2, (line, said)
                assert "production" in said.err
    assert main.run(["run", project, SINK, "--input", rows, "--confirm", "production"]) == 0
    capsys.readouterr()
    sent = [item for r in delivered(http_receiver.requests) for item in [json.loads(r.body)]]
    assert len(sent) == 6
