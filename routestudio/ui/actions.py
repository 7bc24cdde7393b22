"""One table of actions: menus, tool bar, command palette and the list of shortcuts come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from routestudio.ui.icons import icon
from routestudio.ui.settings import settings
from routestudio.ui.theme import theme
from routestudio.ui.widgets.undo_keys import UndoKeys


@dataclass(frozen=True, slots=True)
class Row:
    """One action. `when` names the context flag that enables it; `gap` starts a new group."""

    id: str
    title: str
    menu: str
    shortcut: str = ""
    icon: str = ""
    when: str = ""
    gap: bool = False
    tip: str = ""
    words: str = ""
    """Other words for it, which the command palette finds it by."""


TABLE: tuple[Row, ...] = (
    Row("new_project", "New project…", "File", "Ctrl+Shift+N", "add"),
    Row("open_project", "Open project…", "File", "Ctrl+O", "project"),
    Row("open_file", "Open a sequin.yaml…", "File", "Ctrl+Shift+O"),
    Row("open_demo", "Open the demo project", "File"),
    Row("save", "Save", "File", "Ctrl+S", "save", "project", gap=True),
    Row("save_as", "Save project as…", "File", "Ctrl+Shift+S", "", "project",
        tip="Write the project with its unsaved edits to another folder"),
    Row("reload", "Reload from disk", "File", "", "refresh", "project",
        tip="Read the project again; unsaved edits are asked about"),
    Row("open_yaml", "Edit sequin.yaml as text", "File", "Ctrl+Alt+Y", "yaml", "project",
        tip="Everything that the file may hold, also what has no form",
        words="yaml text source tables slot publication variables"),
    Row("edit_yaml", "Open sequin.yaml in another program", "File", "", "edit", "project",
        tip="What is saved there is read by itself", words="yaml text editor"),
    Row("import", "Import sequin.yaml…", "File", "", "import", gap=True),
    Row("export", "Export…", "File", "Ctrl+E", "export", "project",
        tip="Write what a server needs"),
    Row("plan", "Compare with server configuration…", "File", "", "", "project",
        tip="What the project changes on a server, and which rows get another destination"),
    Row("close_document", "Close document", "File", "Ctrl+W", "close", "document", gap=True),
    Row("preferences", "Preferences…", "File", "Ctrl+,", "settings", gap=True,
        words="settings options font size theme shortcuts"),
    Row("quit", "Quit", "File", "Ctrl+Q", gap=True),
    Row("undo", "Undo", "Edit", "Ctrl+Z", "undo", "undo"),
    Row("redo", "Redo", "Edit", "Ctrl+Shift+Z", "redo", "redo"),
    Row("find", "Find and replace", "Edit", "Ctrl+F", "search", gap=True,
        tip="In the text that has the focus, or in the function in front"),
    Row("search_project", "Search the project", "Edit", "Ctrl+Shift+F", "search", "project",
        tip="Lines of functions, sequin.yaml, route tests and samples", words="find in files grep"),
    Row("comment", "Comment lines", "Edit", "Ctrl+/", "", "text"),
    Row("format", "Format the function", "Edit", "Alt+Shift+F", "", "function"),
    Row("next_problem", "Next problem", "Edit", "F8", "warning", "text"),
    Row("quick_fix", "Quick fix…", "Edit", "Ctrl+.", "bulb", "function",
        tip="Correct what is wrong where the cursor is"),
    Row("filter_table", "Filter the table…", "Edit", "Ctrl+Alt+L", "filter", "table", gap=True,
        tip="Show the rows that contain a text (Ctrl+F in the table)", words="search find rows"),
    Row("sort_table", "Sort the table by…", "Edit", "Ctrl+Alt+O", "", "table",
        words="order rows column"),
    Row("copy_table", "Copy rows as…", "Edit", "Ctrl+Shift+C", "copy", "table",
        tip="CSV, JSON lines, Markdown or plain text", words="clipboard csv json markdown"),
    Row("copy_request", "Copy request as a command", "Edit", "Ctrl+Alt+C", "copy", "document",
        tip="The request of the selected preview rows for curl, kcat, redis-cli, aws, …",
        words="curl kcat redis-cli aws nats rabbitmqadmin gcloud shell clipboard"),
    Row("export_table", "Export the table…", "Edit", "Ctrl+Shift+E", "export", "table",
        tip="Write the rows to a CSV, JSON lines or Markdown file", words="save rows csv json"),
    Row("rename", "Rename…", "Edit", "F2", "edit", "selection", gap=True),
    Row("duplicate", "Duplicate…", "Edit", "Ctrl+D", "copy", "selection"),
    Row("delete", "Delete", "Edit", "", "trash", "selection"),
    Row("palette", "Command palette…", "View", "Ctrl+Shift+P", "palette"),
    Row("quick_open", "Open by name…", "View", "Ctrl+P", "search", "project",
        tip="Sinks, functions, samples, databases, endpoints, tests, environments, variables",
        words="go to file quick open find"),
    Row("toggle_theme", "Toggle dark theme", "View", "Ctrl+Shift+L", "theme",
        words="light mode colours appearance settings preferences"),
    Row("zoom_in", "Larger code or picture", "View", "Ctrl++", "", "zoom", gap=True,
        words="font size zoom settings preferences"),
    Row("zoom_out", "Smaller code or picture", "View", "Ctrl+-", "", "zoom",
        words="font size zoom settings preferences"),
    Row("toggle_coverage", "Branch coverage in the editor", "View", "Ctrl+Shift+B", "", "function",
        tip="Mark what samples and route tests reach; green: tested, amber: reached, red: never"),
    Row("next_document", "Next document", "View", "Ctrl+PgDown", "", "document", gap=True),
    Row("previous_document", "Previous document", "View", "Ctrl+PgUp", "", "document"),
    Row("overview", "Project overview", "View", "Ctrl+0", "project", "project", gap=True,
        tip="Where the rows of each table go, as a picture, and the sinks as cards",
        words="graph diagram map sinks"),
    Row("picture_fit", "Fit the picture", "View", "Ctrl+Shift+0", "", "overview",
        words="zoom whole overview"),
    Row("picture_svg", "Save the picture as SVG…", "View", "", "export", "overview",
        words="export diagram overview"),
    Row("picture_png", "Save the picture as PNG…", "View", "", "export", "overview",
        words="export image diagram overview"),
    Row("focus_tree", "Focus project tree", "View", "Alt+1", "project"),
    Row("focus_document", "Focus document", "View", "Alt+2"),
    Row("focus_bottom", "Focus bottom panel", "View", "Alt+3"),
    Row("toggle_panel", "Fold or unfold the bottom panel", "View", "Ctrl+J", "", gap=True),
    Row("maximise_panel", "Maximise or restore the bottom panel", "View", "Ctrl+Shift+J"),
    Row("turn_panel", "Move the bottom panel to the right or back", "View"),
    Row("view_rows", "Preview as rows", "View", "Ctrl+Shift+1", "", "document", gap=True),
    Row("view_destinations", "Preview as destinations", "View", "Ctrl+Shift+2", "", "document"),
    Row("view_variants", "Preview variants of the row", "View", "Ctrl+Shift+3", "", "document"),
    Row("compare", "Outcome diff against the saved project", "View", "Ctrl+Shift+D", "",
        "document"),
    Row("refresh_preview", "Refresh preview", "View", "Ctrl+R", "refresh", "document"),
    Row("evaluate_all", "Evaluate all rows of the preview", "View", "", "", "document",
        tip="Filter and order then cover all rows of a large sample set, not only the first ones"),
    Row("show_problems", "Problems", "View", "Alt+4", "warning"),
    Row("show_tests", "Route tests", "View", "Alt+7", "ok"),
    Row("show_log", "Log", "View", "Alt+5", "log"),
    Row("add_sink", "Add sink…", "Sink", "Ctrl+Alt+S", "sink", "project"),
    Row("add_database", "Add database…", "Sink", "", "database", "project"),
    Row("add_endpoint", "Add HTTP endpoint…", "Sink", "", "http", "project"),
    Row("check", "Check", "Sink", "F6", "check", "checkable", gap=True,
        tip="Prove connection, credentials and target, without writing data"),
    Row("run", "Run", "Run", "F5", "run", "sink",
        tip="Deliver the samples of the preview"),
    Row("cancel", "Cancel", "Run", "Shift+F5", "stop", "running"),
    Row("resume_run", "Resume the run", "Run", "Ctrl+F5", "run", "resumable",
        tip="Send what remains; what was delivered is not sent again"),
    Row("show_run", "Show current run", "Run", "Alt+6", "run"),
    Row("edit_letter", "Correct dead letters…", "Run", "", "edit", "letters", gap=True,
        tip="Correct the chosen message; several at once: set one field"),
    Row("retry_letters", "Send dead letters again", "Run", "Ctrl+Shift+F5", "refresh", "letters",
        tip="Send the chosen dead letters, or all, through the same route"),
    Row("export_letters", "Export dead letters…", "Run", "", "export", "letters"),
    Row("show_arrived", "What arrived", "Run", "F7", "arrived", "sink", gap=True),
    Row("read_back", "Read back…", "Run", "Shift+F7", "arrived", "sink",
        tip="Compare what the real service holds with the preview; writes nothing",
        words="compare destination records topic verify"),
    Row("rehearse", "Rehearse a fault…", "Run", "", "inconclusive", "sink",
        tip="Deliver to a stand-in that fails, and see what is lost, doubled or out of order",
        words="chaos outage down throttled kill duplicate"),
    Row("choose_environment", "Switch environment…", "Run", "Ctrl+Alt+V", "", "project", gap=True,
        tip="Take variables from another .env.NAME", words="dev staging production variables"),
    Row("add_environment", "Add environment…", "Run", "", "add", "project"),
    Row("variables", "Variables…", "Run", "", "key", "project",
        tip="What each is, where it is from, what uses it, and what is unset",
        words="environment secrets keyring settings"),
    Row("run_tests", "Run route tests", "Run", "Ctrl+T", "ok", "project", gap=True),
    Row("run_chosen_tests", "Run the selected route tests", "Run", "Ctrl+Alt+R", "", "project"),
    Row("tests_on_save", "Run route tests on every save", "Run", "", "", "project",
        words="automatic settings preferences"),
    Row("export_tests", "Export test results…", "Run", "", "export", "project",
        tip="Write the last results as a JUnit report"),
    Row("export_check", "Export the check's steps…", "Run", "", "export", "project",
        tip="Write the steps of the last check as CSV or JSON lines"),
    Row("export_run", "Export the run's destinations…", "Run", "", "export", "project",
        tip="Write the destinations of the run as CSV or JSON lines"),
    Row("export_preview", "Export the preview's rows…", "Run", "", "export", "document",
        tip="Write the rows of the preview as CSV, JSON lines or Markdown"),
    Row("pin_test", "Pin rows as route tests", "Run", "Ctrl+Shift+T", "ok", "document"),
    Row("add_function", "Add function…", "Function", "Ctrl+Alt+F", "function", "project"),
    Row("add_sample", "Add sample set…", "Samples", "Ctrl+Alt+M", "sample", "project"),
    Row("paste_sample", "Paste messages as sample set", "Samples", "", "sample", "project"),
    Row("import_sample", "Import samples from a file…", "Samples", "", "import", "project",
        tip="JSON lines, JSON, CSV or Parquet"),
    Row("sample_source", "Sample from a topic or stream…", "Samples", "", "", "project",
        tip="Take some rows of Kafka or Redis without changing anything there"),
    Row("message_form", "Toggle table/text", "Samples", "Ctrl+Shift+M", "", "sample",
        gap=True),
    Row("add_message", "Add message", "Samples", "", "add", "sample"),
    Row("duplicate_message", "Duplicate message", "Samples", "Ctrl+Shift+U", "copy", "sample"),
    Row("delete_message", "Delete message", "Samples", "Ctrl+Shift+Del", "trash", "sample"),
    Row("paste_messages", "Paste messages", "Samples", "Ctrl+Shift+V", "sample", "sample"),
    Row("mark_key", "Key of this table…", "Samples", "", "", "sample",
        tip="Name the columns of the primary key; they are kept in the project",
        words="primary columns"),
    Row("name_types", "Column types of this table…", "Samples", "", "", "sample",
        tip="Name the types that a server has; they are kept in the project",
        words="decimal numeric date time"),
    Row("mask_columns", "Mask columns…", "Samples", "", "eye-off", "sample",
        tip="Replace the values of columns in all rows by masks of the same kind"),
    Row("insert_starter", "Insert template", "Function", "", "add", "function", gap=True),
    Row("convert", "Convert to Elixir or Python…", "Function", "Ctrl+Alt+E", "", "function",
        tip="The function in the other language, tried on the samples before it is taken"),
    Row("help", "Help", "Help", "F1", "book", tip="For the field or name that has the focus",
        words="docs documentation manual"),
    Row("guides", "Guides", "Help", "", "", words="docs documentation manual"),
    Row("hazards", "Hazards of servers", "Help", words="docs lint codes"),
    Row("shortcuts", "Keyboard shortcuts", "Help", "Ctrl+F1", "", gap=True, words="keys help docs"),
    Row("about", "About RouteStudio", "Help", "", "info",
        words="version licence settings file diagnostics"),
)  # fmt: skip

_KEYS = "shortcuts/"
_RESERVED = {"Ctrl+C", "Ctrl+X", "Ctrl+V", "Ctrl+A", "Tab", "Shift+Tab", "Return", "Enter", "Esc",
             "Backspace", "Del", "Space", "Left", "Right", "Up", "Down", "Home", "End"}  # fmt: skip
"""Keys that belong to whatever is typed in, as all that are pressed without Ctrl or Alt."""

MENUS = {
    "File": "&File", "Edit": "&Edit", "View": "&View", "Sink": "&Sink", "Function": "F&unction",
    "Samples": "Sa&mples", "Run": "&Run", "Help": "&Help",
}  # fmt: skip
"""Menus by name, with their letters: each has another."""


class Actions(QObject):
    """The table as `QAction`s of one window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.rows = {row.id: row for row in TABLE}
        self._actions: dict[str, QAction] = {}
        self._flags: dict[str, bool] = {}
        self._menus: dict[str, QMenu] = {}
        for row in TABLE:
            action = QAction(row.title, window)
            action.setShortcut(QKeySequence(self._kept(row.id)))
            action.setToolTip(row.tip or row.title.rstrip("…"))
            window.addAction(action)
            self._actions[row.id] = action
        UndoKeys(window)
        theme().changed.connect(self._draw)
        self._draw()
        self.set_context()

    def on(self, name: str, handler: Callable[[], object]) -> None:
        """Connect an action with what it does."""
        self._actions[name].triggered.connect(lambda: handler())

    def qaction(self, name: str) -> QAction:
        """The action of an id."""
        return self._actions[name]

    def keys(self, name: str) -> str:
        """The keys of an action as this system writes them; empty for none."""
        return self._actions[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def set_keys(self, name: str, keys: str) -> None:
        """Give an action other keys, now and the next time; its first ones are not kept."""
        self._actions[name].setShortcut(QKeySequence(keys))
        if keys == self.rows[name].shortcut:
            settings().remove(_KEYS + name)
        else:
            settings().setValue(_KEYS + name, keys)

    def refusal(self, name: str, keys: str) -> str:
        """Why an action cannot have these keys; empty when it can."""
        wanted = QKeySequence(keys)
        if not keys:
            return ""
        if keys != self.rows[name].shortcut and (keys in _RESERVED or _types(wanted)):
            return f"{keys} is needed for typing. Choose keys with Ctrl or Alt."
        for row in TABLE:
            if row.id != name and self._actions[row.id].shortcut() == wanted:
                return f"{keys} belongs to “{row.title.rstrip('…')}”. Change that one first."
        return ""

    def _kept(self, name: str) -> str:
        return str(settings().value(_KEYS + name, self.rows[name].shortcut))

    def set_context(self, **flags: bool) -> None:
        """Set what there is (`project`, `document`, `sink`, `function`, `text`,
        `selection`)."""
        self._flags.update(flags)
        for row in TABLE:
            if row.when:
                self._actions[row.id].setEnabled(self._flags.get(row.when, False))

    def build_menus(self, bar: QMenuBar) -> None:
        """Fill the menu bar."""
        for name, title in MENUS.items():
            menu = self._menus[name] = bar.addMenu(title)
            for row in TABLE:
                if row.menu == name:
                    if row.gap:
                        menu.addSeparator()
                    menu.addAction(self._actions[row.id])

    def menu(self, name: str) -> QMenu:
        """One of the built menus."""
        return self._menus[name]

    def available(self) -> list[Row]:
        """Rows that can be triggered now."""
        return [row for row in TABLE if self._actions[row.id].isEnabled()]

    def _draw(self) -> None:
        for row in TABLE:
            if row.icon:
                self._actions[row.id].setIcon(icon(row.icon))


def shortcut_text(row: Row) -> str:
    """The keys of an action, as they were chosen, in the way this system writes them."""
    kept = QKeySequence(str(settings().value(_KEYS + row.id, row.shortcut)))
    return kept.toString(QKeySequence.SequenceFormat.NativeText)


def _types(keys: QKeySequence) -> bool:
    """Whether keys write or move the cursor: those without Ctrl or Alt, but for F1 and on."""
    pressed = keys[0]  # type: ignore[index]
    if Qt.Key.Key_F1 <= pressed.key() <= Qt.Key.Key_F35:
        return False
    held = Qt.KeyboardModifier
    other = held.ControlModifier | held.AltModifier | held.MetaModifier
    return not pressed.keyboardModifiers() & other
