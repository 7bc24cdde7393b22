"""What stood in a new user's way: `ANSWERED` names the test of each thing, here or elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QToolButton
from pytestqt.qtbot import QtBot

from routestudio.api.checks import Step
from routestudio.api.runs import Counts, Run
from routestudio.ui import dialogs
from routestudio.ui.bridge import Engine
from routestudio.ui.convert_dialog import ConvertDialog
from routestudio.ui.documents.overview import OverviewDocument
from routestudio.ui.main_window import MainWindow
from routestudio.ui.runs import picture
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Pill
from tests.gui.desk import Desk, in_qt
from tests.gui.run_desk import at_run_project, run
from tests.support.http_server import HttpReceiver, Reply

pytestmark = pytest.mark.gui

ROWS = 1_500
ELIXIR = """\
functions:
  - name: by-region
    type: routing
    sink_type: kafka
    file: functions/by_region.ex
sinks:
  - name: k
    database: shop
    routing: by-region
    destination: {type: kafka, hosts: "localhost:9092"}
"""


async def new(desk: Desk, folder: Path, sink: str) -> None:
    """A new project of a sink type, opened, with no variable set."""
    await desk.start()
    desk.window.session.create(folder, sink)
    await desk.until(lambda: desk.window.document() is not None, "the new project")
    await desk.quiet()


@in_qt
async def test_undo_in_the_editor_takes_a_conversion_back_as_a_whole(
    desk: Desk, project: Path
) -> None:
    """Ctrl+Z with the cursor in the text: never Python text in an Elixir function."""
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    before = document.editor.toPlainText()
    await desk.trigger("convert")
    dialogs_now = desk.window.findChildren
    await desk.until(lambda: dialogs_now(ConvertDialog), "the dialog")
    await desk.act(dialogs_now(ConvertDialog)[0].take.click)
    session = desk.window.session

    def language() -> str:
        return str((session.function("orders-by-region") or {}).get("language"))

    await desk.until(lambda: language() == "elixir", "the conversion")
    await desk.quiet()
    document.editor.setFocus()
    await desk.trigger("undo")
    await desk.until(lambda: language() == "python", "the language as it was")
    await desk.until(lambda: document.editor.toPlainText() == before, "the text as it was")


@in_qt
async def test_a_problem_is_read_whole_and_copied_and_leads_to_its_file(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "p"
    (folder / "functions").mkdir(parents=True)
    (folder / "sequin.yaml").write_text(ELIXIR + "tables: 5\n")
    (folder / "functions" / "by_region.ex").write_text(
        "def route(action, record, changes, metadata) do\n  %{topic: %{\n}\nend\n"
    )
    await desk.start(folder)
    panel = desk.window.problems
    await desk.until(lambda: panel.count, "a problem")
    desk.window.open_bottom(panel)
    await desk.quiet(1.0)
    items = [panel.tree.topLevelItem(n) for n in range(panel.count)]
    heights = {panel.tree.visualItemRect(item).height() for item in items if item is not None}
    assert len(heights) == 1, "a message with line breaks makes its row taller"
    for item in items:
        assert item is not None
        panel.tree.setCurrentItem(item)
        row = panel._row_of(item)
        assert row is not None
        shown = " ".join(panel.detail.toPlainText().split())
        assert " ".join(row.text.split())[:40].replace("`", "") in shown.replace("“", "")
    of_file = next(i for i in items if i and i.data(0, 256)[:2] == ("file", "sequin.yaml"))
    await desk.act(lambda: panel.tree.itemActivated.emit(of_file, 0))
    document: Any = desk.window.document()
    assert (document.kind, document.name) == ("yaml", "sequin.yaml")
    await desk.until(lambda: document.editor.textCursor().block().text() == "tables: 5", "its line")
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    await desk.trigger("edit_yaml")
    assert [Path(url.toLocalFile()) for url in opened] == [folder / "sequin.yaml"]


@in_qt
async def test_what_arrived_is_of_this_service_and_this_project(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    await desk.start(project)
    arrived = desk.window.arrived
    await desk.open("sink", "events-to-http")
    await desk.trigger("run")
    await desk.until(arrived.tree.topLevelItemCount, "what arrived")
    desk.window.bar.choose_target("real")
    await desk.trigger("show_arrived")
    assert arrived.tree.topLevelItemCount() == 0
    text = f"{arrived._empty.title.text()} {arrived._empty.text.text()}"
    assert "localhost:8080" in text
    assert "Nothing has arrived" not in text
    desk.window.bar.choose_target("standin")
    await desk.trigger("show_arrived")
    await desk.until(arrived.tree.topLevelItemCount, "what arrived")
    desk.window.session.open(project)
    await desk.until(lambda: not arrived.tree.topLevelItemCount(), "an empty panel")


FAMILIES = """
import asyncio
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop
app = QApplication([])
loop = QEventLoop(app)
asyncio.set_event_loop(loop)
from routestudio.ui.bridge import Engine
from routestudio.ui.main_window import MainWindow
from routestudio.ui.widgets.basics import label
async def show():
    window = MainWindow(Engine())
    window.show()
    new = label("made after the first theme")
    new.setParent(window)
    new.show()
    await asyncio.sleep(0)
    parts = [window.menuBar(), window.tree.tree, window.tabs.tabBar(), window.panels.tabBar(),
             window.problems.tree, window.bar.run_button, new]
    print(sorted({part.fontInfo().family() for part in parts}))
loop.run_until_complete(show())
"""


def test_a_fresh_window_has_one_font(tmp_path: Path) -> None:
    """In another process: in this one, the theme was applied long before the window is made."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path),
                   "XDG_STATE_HOME": str(tmp_path)}  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", FAMILIES], env=environment, capture_output=True, text=True,
        timeout=300, check=True,
    )  # fmt: skip
    assert found.stdout.count(",") == 0, found.stdout


def test_an_import_takes_a_folder_that_is_not_there_yet(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialogs.ImportDialog(None, tmp_path / "sequin.yaml")
    qtbot.addWidget(dialog)
    dialog.folder.setText(str(tmp_path / "not" / "there"))
    dialog.try_accept()
    assert dialog.result() == 1
    assert not dialog.error.isVisible()


def test_icons_of_file_dialogs_have_their_size(qtbot: QtBot) -> None:
    dialog = QFileDialog()
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    theme().dress(dialog)
    qtbot.addWidget(dialog)
    dialog.show()
    buttons = [item for item in dialog.findChildren(QToolButton) if item.isVisible()]
    assert len(buttons) >= 5
    for button in buttons:
        assert button.contentsRect().width() >= 16
        assert button.width() - 2 * 4 >= 16, "the padding takes the icon's room"


@in_qt
async def test_a_resumed_run_counts_each_row_once_and_keeps_its_reasons(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.answer = lambda request: Reply(
        status=400 if b'"id":7' in request.body.replace(b" ", b"") else 200, delay=0.1
    )
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, ROWS)
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.page._failed, "a refused message")
    await desk.trigger("cancel")
    await desk.until(lambda: not panel.running, "the end")
    before = sum(panel.page._failed.values())
    http_receiver.answer = None
    await desk.trigger("resume_run")
    await desk.until(lambda: panel.summary is not None, "the rest")
    counts = {key: int(panel.counts[key].text().replace(",", ""))
              for key in ("read", "delivered", "rejected")}  # fmt: skip
    assert counts["read"] == ROWS
    assert counts["delivered"] + counts["rejected"] == ROWS
    assert sum(panel.page._failed.values()) >= before > 0


@in_qt
async def test_every_line_of_a_check_is_seen_in_a_narrow_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    window.resize(853, 533)
    panel = window.check_panel
    window.open_bottom(panel)
    detail = "PATCH /hooks/orders/1004: the server allows PATCH here, " * 3
    step = Step("", "orders", None, "target", "passed", detail, ms=2, hint="", target="")
    panel._clear()
    panel._add(step)
    panel._add(replace(step, detail="short"))
    panel._stack.setCurrentIndex(1)
    await desk.quiet()
    table = panel.table
    long, short = table.topLevelItem(0), table.topLevelItem(1)
    assert long is not None
    assert short is not None
    height = table.fontMetrics().height()
    seen = table.visualItemRect(long).height()
    assert seen > table.visualItemRect(short).height() >= height
    width = table.columnWidth(2) - 12
    room = QRect(0, 0, width, 10_000)
    text = table.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, long.text(2))
    assert seen >= text.height()
    assert table.isColumnHidden(3), "nothing has to be done"
    panel._add(replace(step, status="failed", hint="start the server"))
    assert not table.isColumnHidden(3)


@pytest.mark.parametrize(("rejected", "icon"), [(0, "ok"), (1, "error")])
def test_letters_that_were_refused_again_have_no_green_tick(rejected: int, icon: str) -> None:
    run = Run(
        "2", "orders", "rows", standin=True, total=1, status="done", parent="1",
        counts=Counts(rejected=rejected),
    )  # fmt: skip
    assert picture(run)[0] == icon


@in_qt
async def test_what_is_set_under_delivery_is_seen_and_the_batch_is_the_written_one(
    desk: Desk, project: Path
) -> None:
    file = project / "sequin.yaml"
    text = file.read_text()
    file.write_text(text.replace("${SHOP_KAFKA_HOSTS:-localhost:9092}", "${NOT_SET_ANYWHERE}"))
    await desk.start(project)
    sink = await desk.open("sink", "orders-to-kafka")
    assert sink.summary.text() == "up to 200 messages per batch"
    assert not sink._settings_part._opened
    filtered = await desk.open("sink", "customers-to-redis")
    assert filtered._settings_part._opened
    assert filtered.settings.isVisible()


@pytest.mark.parametrize("key", ["s2", "typesense", "elasticsearch"])
@in_qt
async def test_a_new_project_opens_without_red(desk: Desk, tmp_path: Path, key: str) -> None:
    """A secret that is not set yet is the next thing to do, and no fault."""
    await new(desk, tmp_path / "new", key)
    sink: Any = desk.window.document()
    await desk.quiet(1.0)
    assert sink.ready_pill.property("pill") == "warning"
    assert "not set" in sink.ready_pill.text()
    panel = desk.window.problems
    rows = [panel._row_of(panel.tree.topLevelItem(n)) for n in range(panel.count)]
    assert [row.text for row in rows if row and row.severity == "error"] == []
    overview = await desk.open("overview", "Overview")
    assert isinstance(overview, OverviewDocument)
    assert not [p.text() for p in overview.findChildren(Pill) if p.property("pill") == "error"]
    desk.window.commands.open("sink", sink.name)
    await desk.until(lambda: sink.preview.model.row(0), "a preview")
    await desk.trigger("run")
    await desk.until(lambda: desk.window.run_panel.summary, "the run on the stand-in")


@in_qt
async def test_where_rows_fail_the_reason_has_room_and_nothing_beside_it_is_green(
    desk: Desk, project: Path
) -> None:
    file = project / "functions" / "rest_path.py"
    file.write_text("def route(action, record, changes, metadata):\n    return {}['no such key']\n")
    await desk.start(project)
    document = await desk.open("function", "rest-path")
    preview = document.preview
    await desk.until(lambda: preview.failed, "rows that fail")
    await desk.until(lambda: "fail" in document.problems.text(), "the pill")
    assert document.problems.property("pill") == "error"
    header = preview.table.horizontalHeader()
    why = 5 + len(preview.model.fields)
    assert header.visualIndex(why) == 5
    await desk.until(lambda: preview.model.row(0), "the rows")
    needed = preview.table.fontMetrics().horizontalAdvance(preview.model.row(0)["error"]["message"])
    assert header.sectionSize(why) >= min(340, needed)
    await desk.open("sink", "events-to-http")
    await desk.trigger("check")
    verdict = desk.window.check_panel.verdict
    await desk.until(lambda: verdict.text() == "service ready, rows fail", "the verdict")
    assert verdict.property("pill") == "warning"


@in_qt
async def test_the_window_comes_back_as_it_was(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    window.resize(780, 700)
    for kind, name in (("function", "rest-path"), ("yaml", "sequin.yaml"), ("sample", "shop")):
        await desk.open(kind, name)
    window.open_bottom(window.problems, 290)
    await desk.quiet()
    opened = [(item.kind, item.name) for item in window.documents()]
    sizes = window.vertical.sizes()
    window.really_close()
    again = MainWindow(Engine())
    try:
        again.show()
        assert again.size() == window.size()
        await desk.until(lambda: again.vertical.sizes() == sizes, "the panel's height")
    finally:
        again.really_close()
        again.deleteLater()
    window.show()
    window.session.open(project)
    await desk.until(lambda: len(window.documents()) == len(opened), "the documents")
    assert {(item.kind, item.name) for item in window.documents()} == set(opened)
    front = window.document()
    assert front is not None
    assert (front.kind, front.name) == ("sample", "shop")


LIST = """
quitting asks, also after the demo:
  test_quitting_asks_although_the_demo_was_open_before
a new project is previewed before its secret is set:
  test_a_new_project_is_previewed_as_its_scaffold_leaves_it
the wheel only scrolls:
  test_every_combo_box_of_the_window_leaves_the_wheel_alone
rows on the clipboard become messages:
  test_a_pasted_table_becomes_messages_by_keyboard
Enter and the first field of dialogs:
  test_enter_in_any_field_does_the_primary_thing
a real service is named, and not kept for the next project:
  test_the_real_service_is_not_chosen_after_another_project_opens
two windows on one project:
  test_two_windows_on_one_project_keep_their_own
a conflict with another program:
  test_a_file_that_was_changed_outside_is_asked_about
a deleted folder is not called saved:
  test_a_deleted_folder_is_never_called_saved
a sample that is not saved yet:
  test_a_sample_that_is_not_saved_yet_is_no_problem
another project is opened with unsaved edits:
  test_opening_another_project_asks_about_unsaved_edits
a conversion undone:
  test_undo_in_the_editor_takes_a_conversion_back_as_a_whole
a rename takes route tests along:
  test_a_rename_takes_route_tests_along
route tests are renamed and deleted:
  test_a_test_is_renamed_and_deleted
an accepted outcome:
  test_a_row_is_pinned_run_broken_and_accepted
small windows and large scales:
  test_nothing_is_cut_at_any_size
dialogs fit on the screen:
  test_no_dialog_is_larger_than_the_screen
the reason has room:
  test_where_rows_fail_the_reason_has_room_and_nothing_beside_it_is_green
a problem is read whole and leads to its file:
  test_a_problem_is_read_whole_and_copied_and_leads_to_its_file
the file as text:
  test_what_is_typed_is_one_edit_that_others_show_and_that_is_saved
what a hint says to write:
  test_what_a_hint_says_to_write_is_written_by_a_link
tables of a sink:
  test_tables_are_chosen_from_what_is_there
databases and their slots:
  test_slot_and_publication_of_a_database_have_fields
files that other programs change:
  test_what_another_program_changed_is_read_again_by_itself
what arrived is of this service:
  test_what_arrived_is_of_this_service_and_this_project
a journal that cannot be written:
  test_a_journal_that_cannot_be_written_does_not_hide_the_edit
a folder that cannot be written:
  test_a_folder_that_cannot_be_written_loses_no_edit
a new function has a preview:
  test_a_function_that_no_sink_uses_is_previewed_through_one_of_its_type
columns of an imported table have types:
  test_what_the_values_look_like_is_proposed_and_a_type_is_taken_out
light and dark:
  test_what_is_not_in_sight_changes_when_it_is_shown
one font:
  test_a_fresh_window_has_one_font
the folder of an import:
  test_an_import_takes_a_folder_that_is_not_there_yet
icons of file dialogs:
  test_icons_of_file_dialogs_have_their_size
a resumed run counts once:
  test_a_resumed_run_counts_each_row_once_and_keeps_its_reasons
settings of delivery:
  test_what_is_set_under_delivery_is_seen_and_the_batch_is_the_written_one
a function in Elixir:
  test_a_function_may_be_written_in_elixir
no red in a new project:
  test_a_new_project_opens_without_red
the panel at the right:
  test_at_the_right_the_detail_is_below_the_list
the layout is remembered:
  test_the_window_comes_back_as_it_was
a large file is imported:
  test_a_large_file_is_copied_without_being_held
the guide works as it is written:
  test_the_first_route_works_as_written
"""
ANSWERED = dict(re.findall(r"^(\S.*):\n +(\S+)$", LIST, re.MULTILINE))


@pytest.mark.parametrize("what", ANSWERED)
def test_everything_that_stood_in_the_way_has_a_test(what: str) -> None:
    assert ANSWERED[what] in names()


def test_the_list_is_read_whole() -> None:
    assert 2 * len(ANSWERED) == len(LIST.strip().splitlines())


@cache
def names() -> set[str]:
    """The names of all tests."""
    files = Path(__file__).parents[1].rglob("test_*.py")
    texts = (file.read_text(encoding="utf-8") for file in files)
    return {name for text in texts for name in re.findall(r"def (test_\w+)\(", text)}


@in_qt
async def test_slot_and_publication_of_a_database_have_fields(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("databases", "shop")
    for field in ("slot.name", "publication.name"):
        await desk.act(lambda f=field: document.form.edited.emit(f, "routes"))
    shop = desk.window.session.databases
    await desk.until(lambda: shop()["shop"].get("publication") == {"name": "routes"}, "the edit")
    assert shop()["shop"]["slot"] == {"name": "routes"}
    yaml = await desk.open("yaml", "sequin.yaml")
    await desk.until(lambda: "publication:" in yaml.editor.toPlainText(), "the text")
    for field in ("slot.name", "publication.name"):
        assert field in document.form.rows
