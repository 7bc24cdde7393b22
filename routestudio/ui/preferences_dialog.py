"""The preferences: looks, new projects, questions and shortcuts. What is changed holds at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.derive import catalog
from routestudio.ui import preferences
from routestudio.ui.actions import TABLE, Actions, Row
from routestudio.ui.preferences import QUESTIONS, Looks
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.inputs import ComboBox, SpinBox
from routestudio.ui.widgets.table_tools import TableTools

MODES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))
_ID = Qt.ItemDataRole.UserRole


class PreferencesDialog(Dialog):
    """Three pages: general, questions, shortcuts."""

    def __init__(self, parent: QWidget | None, actions: Actions) -> None:
        super().__init__(parent, "Preferences")
        self.resize(620, 520)
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        self.pages.tabBar().setAccessibleName("Parts of the preferences")
        self.general, self.shortcuts = GeneralPage(), ShortcutsPage(actions)
        self.pages.addTab(self.general, "General")
        self.pages.addTab(_questions(), "Questions")
        self.pages.addTab(self.shortcuts, "Shortcuts")
        self.body.addWidget(self.pages, 1)
        self.foot(Button("Close", kind="primary", action=self.accept))

    def first_field(self) -> QWidget | None:
        return self.general.mode


class GeneralPage(QWidget):
    """Theme, fonts, and how a new project begins."""

    def __init__(self) -> None:
        super().__init__()
        form = _form(self)
        looks = preferences.looks()
        self.mode = ComboBox()
        self.mode.setAccessibleName("Theme")
        for key, text in MODES:
            self.mode.addItem(text, key)
        self.mode.setCurrentIndex(self.mode.findData(theme().mode))
        self.mode.activated.connect(lambda _: self._take())
        form.addRow("Theme", self.mode)
        self.interface = _size("Size of the interface", looks.interface, preferences.SMALLEST,
                               preferences.LARGEST)  # fmt: skip
        self.code = _size("Size of code", looks.code, preferences.SMALLEST_CODE,
                          preferences.LARGEST_CODE)  # fmt: skip
        self.ligatures = QCheckBox("Draw != and >= as one sign, where the font can")
        self.ligatures.setChecked(looks.ligatures)
        form.addRow("Interface", self.interface)
        form.addRow("Code", self.code)
        form.addRow("Ligatures", self.ligatures)
        for box in (self.interface, self.code):
            box.valueChanged.connect(lambda _: self._take())
        self.ligatures.toggled.connect(lambda _: self._take())
        self.type = ComboBox()
        self.type.setAccessibleName("Sink type of new projects")
        for key in catalog.all_keys():
            self.type.addItem(catalog.title(key), key)
        self.type.setCurrentIndex(max(0, self.type.findData(preferences.sink_type())))
        self.type.activated.connect(
            lambda _: preferences.keep_sink_type(str(self.type.currentData()))
        )
        form.addRow("New projects", self.type)
        form.addRow("", label("The sink type that is chosen first", "help"))

    def _take(self) -> None:
        found = replace(
            Looks(self.mode.currentData()), interface=float(self.interface.value()),
            code=float(self.code.value()), ligatures=self.ligatures.isChecked(),
        )  # fmt: skip
        preferences.keep_looks(found)
        show_looks(found)


class ShortcutsPage(QWidget):
    """Every action with its keys, which can be changed; keys that are taken are refused."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by action or key")
        self.filter.setAccessibleName("Filter")
        self.filter.setClearButtonEnabled(True)
        column.addWidget(self.filter)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Shortcuts")
        self.list.setHeaderLabels(["Menu", "Action", "Shortcut"])
        self.list.setRootIsDecorated(False)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        for row in TABLE:
            item = QTreeWidgetItem([row.menu, row.title.rstrip("…"), ""])
            item.setData(0, _ID, row.id)
            self.list.addTopLevelItem(item)
        TableTools(self.list, field=self.filter)
        self.list.currentItemChanged.connect(lambda *_: self._show())
        column.addWidget(self.list, 1)
        row_ = QHBoxLayout()
        self.keys = QKeySequenceEdit()
        self.keys.setAccessibleName("New shortcut")
        self.keys.setMaximumSequenceLength(1)
        self.keys.editingFinished.connect(self.take)
        self.reset_button = Button("Reset", action=self.reset)
        self.reset_all = Button("Reset all", action=self._reset_all)
        row_.addWidget(label("New shortcut", "muted"))
        row_.addWidget(self.keys, 1)
        row_.addWidget(Button("Remove", action=lambda: self._set("")))
        row_.addWidget(self.reset_button)
        row_.addWidget(self.reset_all)
        column.addLayout(row_)
        self.problem = label("", "error", wrap=True)
        column.addWidget(self.problem)
        self._fill()
        self.list.setCurrentItem(self.list.topLevelItem(0))  # type: ignore[arg-type]

    def take(self) -> None:
        """Give the chosen action the keys that were pressed, unless another has them."""
        text = self.keys.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if text:
            self._set(text)

    def reset(self) -> None:
        """Give the chosen action the keys that it came with."""
        row = self._row
        if row is not None:
            self._set(row.shortcut)

    def _reset_all(self) -> None:
        for row in TABLE:
            self._actions.set_keys(row.id, row.shortcut)
        self._fill()

    @property
    def _row(self) -> Row | None:
        item = self.list.currentItem()
        return self._actions.rows.get(str(item.data(0, _ID))) if item is not None else None

    def _set(self, keys: str) -> None:
        row = self._row
        if row is None:
            return
        why = self._actions.refusal(row.id, keys)
        self.problem.setText(why)
        if not why:
            self._actions.set_keys(row.id, keys)
        self._fill()

    def _fill(self) -> None:
        """Show the keys of every action, changed ones as such."""
        for number in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(number)
            if item is None:
                continue
            row = self._actions.rows[str(item.data(0, _ID))]
            keys = self._actions.keys(row.id)
            item.setText(2, keys)
            changed = QKeySequence(row.shortcut) != self._actions.qaction(row.id).shortcut()
            font = item.font(2)
            font.setBold(changed)
            item.setFont(2, font)
            item.setToolTip(2, f"Was {row.shortcut or 'none'}" if changed else "")
        self._show()

    def _show(self) -> None:
        row = self._row
        self.keys.setEnabled(row is not None)
        if row is not None:
            self.keys.setKeySequence(self._actions.qaction(row.id).shortcut())


def show_looks(found: Looks) -> None:
    """Give the application a theme and fonts."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme().set_fonts(app, found.interface, found.code, ligatures=found.ligatures)
        theme().apply(app, found.mode)


def _questions() -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 16, 0, 0)
    column.setSpacing(10)
    column.addWidget(label("Ask first", "heading"))
    for key, text in QUESTIONS.items():
        box = QCheckBox(text)
        box.setChecked(preferences.asks(key))
        box.toggled.connect(partial(preferences.ask, key))
        column.addWidget(box)
    always = QCheckBox("Before anything is sent to a real service")
    always.setChecked(True)
    always.setEnabled(False)
    column.addWidget(always)
    column.addWidget(label("The question that names the real service is always asked, as is the "
                           "one about unsaved edits.", "help", wrap=True))  # fmt: skip
    column.addStretch(1)
    return page


def _form(page: QWidget) -> QFormLayout:
    form = QFormLayout(page)
    form.setContentsMargins(0, 16, 0, 0)
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(12)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _size(name: str, value: float, least: float, most: float) -> SpinBox:
    box = SpinBox()
    box.setAccessibleName(name)
    box.setRange(int(least), int(most))
    box.setSuffix(" pt")
    box.setValue(round(value))
    box.setKeyboardTracking(False)
    return box
