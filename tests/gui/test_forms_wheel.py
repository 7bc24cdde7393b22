"""The wheel scrolls; it never changes a value."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import routestudio.ui
from routestudio.derive import catalog
from routestudio.derive.form_spec import FormField
from routestudio.ui.forms.fields import FieldEditor, NamedField
from routestudio.ui.forms.form import Form

pytestmark = pytest.mark.gui


def turn_wheel(widget: QWidget) -> None:
    """Turn the wheel two notches down and one up over the middle of a widget."""
    place = QPointF(widget.rect().center())
    for notch in (-120, -120, 120):
        event = QWheelEvent(
            place, widget.mapToGlobal(place), QPoint(), QPoint(0, notch),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)


def named(field: FormField) -> FieldEditor | None:
    """Editors of names, as a sink's document makes them."""
    known = field.kind in ("function", "ref")
    return NamedField(field, lambda: ["one", "two"], field.label) if known else None


@pytest.mark.parametrize("key", catalog.all_keys())
def test_the_wheel_over_any_control_changes_nothing(qtbot: QtBot, key: str) -> None:
    spec = catalog.form(key)
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    forms = [
        Form(spec.configuration, named),
        Form([f for f in spec.routing if f.static != "never"]),
    ]
    forms.append(Form(spec.settings, named))
    edited: list[tuple[str, object]] = []
    for form in forms:
        column.addWidget(form)
        form.show_values({})
        form.edited.connect(lambda name, value: edited.append((name, value)))
    page.resize(800, 1200)
    page.show()
    before = [row.editor.value() for form in forms for row in form.rows.values()]
    for control in page.findChildren(QWidget):
        control.setFocus()
        turn_wheel(control)
    assert [row.editor.value() for form in forms for row in form.rows.values()] == before
    assert edited == []


def test_every_combo_box_of_the_window_leaves_the_wheel_alone() -> None:
    package = Path(routestudio.ui.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in package.rglob("*.py")
        if path.name != "inputs.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("QComboBox", "QSpinBox", "QDoubleSpinBox", "QSlider", "QDateTimeEdit")
    ]
    assert found == [], "use widgets.inputs"
