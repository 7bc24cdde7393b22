"""Forms: one editor per kind of field, secrets kept out, problems at their field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QTableWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from routestudio.derive import catalog
from routestudio.derive.form_spec import FormField, FormSection
from routestudio.ui.forms.fields import (
    HIDDEN,
    ChoiceField,
    ChoicesField,
    FieldEditor,
    FlagField,
    HeadersField,
    IntegerField,
    MapField,
    NamedField,
    SecretField,
    TextField,
    editor_of,
    known_kinds,
)
from routestudio.ui.forms.form import Form


@pytest.fixture
def add(qtbot: QtBot) -> Callable[[QWidget], None]:
    def show(widget: QWidget) -> None:
        qtbot.addWidget(widget)
        widget.show()

    return show


def heard(editor: FieldEditor) -> list[Any]:
    values: list[Any] = []
    editor.changed.connect(lambda: values.append(editor.value()))
    return values


def leave(edit: QLineEdit) -> None:
    QTest.keyClick(edit, Qt.Key.Key_Return)


def every_form() -> list[tuple[str, FormField]]:
    found = []
    for key in catalog.all_keys():
        form = catalog.form(key)
        fields = [f for section in form.configuration for f in section.fields]
        fields += [*form.routing, *form.settings]
        found += [(key, field) for field in fields]
        for resource in {field.resource for field in fields if field.resource}:
            found += [(resource, f) for s in catalog.resource_sections(resource) for f in s.fields]
    return found


def test_every_field_of_every_form_has_an_editor(add: Callable[[QWidget], None]) -> None:
    fields = every_form()
    assert len(fields) > 20
    assert {field.kind for _, field in fields} <= known_kinds()
    for where, field in fields:
        if field.kind in ("ref", "function"):
            continue
        editor = editor_of(field)
        add(editor)
        editor.show_value(field.default)
        assert editor.control().accessibleName(), (where, field.name)


def test_showing_never_sends_changed(add: Callable[[QWidget], None]) -> None:
    for _, field in every_form():
        if field.kind in ("ref", "function"):
            continue
        editor = editor_of(field)
        add(editor)
        values = heard(editor)
        for value in (None, field.default, field.choices[-1] if field.choices else "7", "${VAR}"):
            if field.kind == "headers":
                value = {"a": "b"}
            editor.show_value(value)
        assert values == [], field.name


def test_text(add: Callable[[QWidget], None]) -> None:
    editor = TextField(FormField("topic", "text", "Topic", example="orders"))
    add(editor)
    values = heard(editor)
    editor.show_value("orders")
    leave(editor.edit)
    assert values == [], "nothing was changed"
    QTest.keyClicks(editor.edit, ".eu")
    leave(editor.edit)
    editor.edit.clear()
    leave(editor.edit)
    assert values == ["orders.eu", None]
    assert "orders" in editor.edit.placeholderText()


def test_text_being_typed_is_not_overwritten(add: Callable[[QWidget], None], qtbot: QtBot) -> None:
    editor = TextField(FormField("topic", "text", "Topic"))
    add(editor)
    editor.show_value("orders")
    editor.edit.setFocus()
    qtbot.waitUntil(editor.edit.hasFocus)
    QTest.keyClicks(editor.edit, "-typed")
    editor.show_value("orders")
    assert editor.edit.text() == "orders-typed"


def test_integer(add: Callable[[QWidget], None]) -> None:
    editor = IntegerField(FormField("port", "integer", "Port", default=6379, unit="ms"))
    add(editor)
    values = heard(editor)
    for text in ("12", "${PORT}", "-3", "1e3", "99999999999999999999", ""):
        editor.edit.setText(text)
        leave(editor.edit)
    assert values == [12, "${PORT}", -3, "1e3", 99999999999999999999, None]
    assert editor.edit.placeholderText() == "6379"


def test_map(add: Callable[[QWidget], None]) -> None:
    editor = MapField(FormField("context", "map", "Context"))
    add(editor)
    values = heard(editor)
    editor.show_value({"by": 1, "é": None})
    assert editor.edit.text() == '{"by": 1, "é": null}'
    assert editor.value() == {"by": 1, "é": None}
    for text in ('{"by": 2}', "{no", "${VAR}", ""):
        editor.edit.setText(text)
        leave(editor.edit)
    assert values == [{"by": 2}, "{no", "${VAR}", None]


def test_choice(add: Callable[[QWidget], None]) -> None:
    field = FormField("c", "choice", "Compression", optional=True, default="none",
                      choices=("none", "gzip"), labels=("off", "gzip"))  # fmt: skip
    editor = ChoiceField(field)
    add(editor)
    values = heard(editor)
    assert [editor.combo.itemText(i) for i in range(3)] == ["None", "off", "gzip"]
    editor.show_value(None)
    assert editor.value() == "none"
    editor.show_value("lz5")
    assert editor.value() == "lz5", "an unknown value of the file is shown, not replaced"
    editor.combo.setFocus()
    QTest.keyClick(editor.combo, Qt.Key.Key_Up)
    assert values == ["gzip"]


def test_flag(add: Callable[[QWidget], None]) -> None:
    editor = FlagField(FormField("tls", "flag", "TLS", default=False))
    add(editor)
    values = heard(editor)
    editor.show_value("true")
    assert editor.value() is True
    editor.show_value(None)
    assert editor.value() is False
    QTest.keyClick(editor.box, Qt.Key.Key_Space)
    assert values == [True]


def test_choices(add: Callable[[QWidget], None]) -> None:
    field = FormField("a", "choices", "Actions", default=["insert"], choices=("insert", "delete"))
    editor = ChoicesField(field)
    add(editor)
    values = heard(editor)
    editor.show_value(None)
    assert editor.value() == ["insert"]
    QTest.keyClick(editor.boxes["delete"], Qt.Key.Key_Space)
    assert values == [["insert", "delete"]]


def test_headers(add: Callable[[QWidget], None]) -> None:
    editor = HeadersField(FormField("headers", "headers", "Headers"))
    add(editor)
    values = heard(editor)
    editor.show_value([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    assert editor.value() == {"a": "1", "b": "2"}
    editor.show_value({"x-source": "shop", "authorization": {"$secret": True}})
    assert editor.value() == {"x-source": "shop", "authorization": HIDDEN}
    editor.table.setItem(0, 1, QTableWidgetItem("other"))
    assert values == [{"x-source": "other", "authorization": HIDDEN}]
    editor.table.setCurrentCell(0, 0)
    editor._remove()
    assert values[-1] == {"authorization": HIDDEN}
    editor._add()
    assert len(values) == 2, "an empty row is no change"


def test_named(add: Callable[[QWidget], None], qtbot: QtBot) -> None:
    names = ["one", "two"]
    editor = NamedField(FormField("f", "function", "Function"), lambda: names, "function")
    add(editor)
    values = heard(editor)
    editor.show_value("gone")
    assert editor.value() == "gone"
    assert editor.combo.currentText() == "gone (missing)"
    with qtbot.waitSignal(editor.edit_asked) as asked:
        editor._edit()
    assert asked.args == ["gone"]
    editor.show_value("two")
    editor.combo.setFocus()
    QTest.keyClick(editor.combo, Qt.Key.Key_Up)
    assert values == ["one"]


SECRET = FormField("password", "secret", "Password", secret=True)


def everything_in(widget: QWidget) -> str:
    texts = [widget.toolTip(), widget.accessibleDescription()]
    for edit in widget.findChildren(QLineEdit):
        texts += [edit.text(), edit.placeholderText(), edit.toolTip(), edit.accessibleDescription()]
        edit.undo()
        texts.append(edit.text())
    return "\n".join(texts)


def test_a_typed_secret_goes_out_once_and_stays_nowhere(add: Callable[[QWidget], None]) -> None:
    editor = SecretField(SECRET)
    add(editor)
    stored: list[tuple[str, str]] = []
    editor.stored.connect(lambda value, where: stored.append((value, where)))
    values = heard(editor)
    editor.show_value(None)
    assert editor.edit.echoMode() == QLineEdit.EchoMode.Password
    QTest.keyClicks(editor.edit, "hush-hush")
    leave(editor.edit)
    assert stored == [("hush-hush", "env")]
    assert values == [], "the value itself is never an edit of the file"
    assert "hush" not in everything_in(editor)
    assert editor.value() is None
    editor.show_value("${KAFKA_PASSWORD}")
    assert "${KAFKA_PASSWORD}" in editor.edit.placeholderText()


def test_a_shown_secret_is_hidden_again_with_the_next_value(add: Callable[[QWidget], None]) -> None:
    editor = SecretField(SECRET)
    add(editor)
    editor._toggle()
    assert editor.edit.echoMode() == QLineEdit.EchoMode.Normal
    QTest.keyClicks(editor.edit, "hush")
    leave(editor.edit)
    assert editor.edit.echoMode() == QLineEdit.EchoMode.Password


def test_a_typed_reference_is_an_edit(add: Callable[[QWidget], None]) -> None:
    editor = SecretField(SECRET)
    add(editor)
    values = heard(editor)
    QTest.keyClicks(editor.edit, "${TOKEN:-x}")
    leave(editor.edit)
    assert values == ["${TOKEN:-x}"]


def test_the_help_of_a_secret_stays_in_its_tool_tip(add: Callable[[QWidget], None]) -> None:
    field = FormField("token", "secret", "Token", secret=True, help="Made in the console.")
    editor = SecretField(field)
    add(editor)
    for value in (None, "${TOKEN}"):
        editor.show_value(value)
        assert "Made in the console" in editor.edit.toolTip()
        assert editor.edit.placeholderText() in editor.edit.toolTip()


def test_a_secret_of_the_file_is_not_shown(add: Callable[[QWidget], None]) -> None:
    editor = SecretField(SECRET)
    add(editor)
    editor.show_value({"$secret": True})
    assert editor.value() is None
    assert "written in the file" in editor.edit.placeholderText()


FIELDS = (
    FormSection(
        "", (FormField("sasl", "choice", "SASL", optional=True, choices=("plain", "iam")),)
    ),
    FormSection(
        "Authentication",
        (
            FormField("user", "text", "User", help="Who.", visible_when=("sasl", ("plain",))),
            FormField("key", "text", "Key", visible_when=("sasl", ("iam",))),
        ),
    ),
)


def test_fields_come_and_go_with_what_they_depend_on(add: Callable[[QWidget], None]) -> None:
    form = Form(FIELDS)
    add(form)
    for values, names in (({}, ["sasl"]), ({"sasl": "plain"}, ["sasl", "user"]),
                          ({"sasl": "iam"}, ["sasl", "key"])):  # fmt: skip
        form.show_values(values)
        assert [name for name, row in form.rows.items() if row.isVisible()] == names


def test_problems_are_shown_at_their_field_and_go_away(add: Callable[[QWidget], None]) -> None:
    form = Form(FIELDS)
    add(form)
    form.show_values({"sasl": "plain"})
    form.show_problems({"user": "is missing"})
    row = form.rows["user"]
    assert row.error.isVisible()
    assert row.error.text() == "is missing"
    assert not row.help.isVisible()
    assert row.editor.control().property("invalid") == "true"
    assert not form.rows["sasl"].error.isVisible()
    form.show_problems({})
    assert not row.error.isVisible()
    assert row.help.isVisible()


def test_the_form_names_the_edited_field(add: Callable[[QWidget], None]) -> None:
    form = Form([FormField("topic", "text", "Topic"), SECRET])
    add(form)
    edits: list[tuple[str, Any]] = []
    secrets: list[tuple[str, str, str]] = []
    form.edited.connect(lambda name, value: edits.append((name, value)))
    form.secret_typed.connect(lambda *found: secrets.append(found))
    for name, text in (("topic", "orders"), ("password", "hush")):
        edit = form.rows[name].editor.control()
        assert isinstance(edit, QLineEdit)
        QTest.keyClicks(edit, text)
        leave(edit)
    assert edits == [("topic", "orders")]
    assert secrets == [("password", "hush", "env")]


def test_kinds_are_refused_that_no_editor_has() -> None:
    with pytest.raises(KeyError):
        editor_of(FormField("x", "colour", "Colour"))
