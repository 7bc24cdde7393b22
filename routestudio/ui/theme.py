"""Design tokens, the style sheet made from them, and switching between light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from weakref import WeakSet, ref

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from routestudio.ui.style import style_sheet

Mode = Literal["light", "dark", "system"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours by role. Text on any surface has a contrast of at least 4.5 to 1."""

    name: str
    background: str
    surface: str
    raised: str
    hover: str
    selected: str
    border: str
    strong_border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_soft: str
    positive: str
    positive_soft: str
    warning: str
    warning_soft: str
    danger: str
    danger_soft: str
    default: str
    static: str
    function: str
    keyword: str
    string: str
    number: str
    comment: str
    name_function: str
    builtin: str


LIGHT = Tokens(
    "light",
    background="#f3f5f8", surface="#ffffff", raised="#f8f9fb", hover="#e9edf3",
    selected="#e1e8fb", border="#dde2ea", strong_border="#bcc5d2", text="#17202e",
    muted="#566173", accent="#2f55d4", on_accent="#ffffff", accent_soft="#e7edfd",
    positive="#14733f", positive_soft="#e2f4ea", warning="#8a5a00", warning_soft="#fdf1d8",
    danger="#b8302a", danger_soft="#fde8e6", default="#5a6577", static="#0b62a8",
    function="#7434b8", keyword="#7434b8", string="#14733f", number="#9a4a00", comment="#586271",
    name_function="#0b55b8", builtin="#0b62a8",
)  # fmt: skip

DARK = Tokens(
    "dark",
    background="#12151a", surface="#1a1e25", raised="#20252e", hover="#272e39",
    selected="#26355c", border="#2b323d", strong_border="#465061", text="#e6eaf0",
    muted="#9ba6b6", accent="#839dff", on_accent="#0d1220", accent_soft="#222c47",
    positive="#57c98c", positive_soft="#17322a", warning="#e5b454", warning_soft="#352b17",
    danger="#ff857b", danger_soft="#3b2022", default="#9ba6b6", static="#73b7f2",
    function="#c79bff", keyword="#c79bff", string="#7fd6a0", number="#f0a868", comment="#97a2b2",
    name_function="#82b1ff", builtin="#73b7f2",
)  # fmt: skip


class Theme(QObject):
    """The current tokens of the application; custom painters listen to `changed`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tokens = LIGHT
        self.mode: Mode = "system"
        self._dressed = False
        self.scale = self.code_scale = 1.0
        """Sizes of the interface and of code, of those that are designed."""
        self.ligatures = False
        self._parts: WeakSet[QWidget] = WeakSet()
        self._outdated: WeakSet[QWidget] = WeakSet()

    def dress(self, *parts: QWidget) -> None:
        """Give parts of a window, and all that is in them or opened from them, the style sheet.

        Qt goes through every widget below the one that has the sheet, and much longer through
        those of a sheet of the application. So the window has none: its parts have, and those
        that are not in sight get the colours of a new theme when they come into sight.
        """
        for part in parts:
            if not self._is_dressed(part):
                self._parts.add(part)
                part.setStyleSheet(style_sheet(self.tokens, self.scale))
                part.installEventFilter(self)

    def _is_dressed(self, part: QWidget | None) -> bool:
        while part is not None:
            if part in self._parts:
                return True
            part = part.parentWidget()
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and watched in self._outdated:
            assert isinstance(watched, QWidget)
            self._outdated.discard(watched)
            watched.setStyleSheet(style_sheet(self.tokens, self.scale))
        return False

    def set_fonts(
        self, app: QApplication, interface: float, code: float, *, ligatures: bool
    ) -> None:
        """Sizes in points, for what is shown from now on; `apply` shows them everywhere."""
        self.scale, self.code_scale = interface / 10.0, code / 10.0
        self.ligatures = ligatures
        if self._dressed and app.font().pointSizeF() != ui_font().pointSizeF():
            app.setFont(ui_font())

    def apply(self, app: QApplication, mode: Mode) -> None:
        """Set palette and fonts of the application, and the style sheet of the dressed parts."""
        self.mode = mode
        dark = mode == "dark" or (
            mode == "system" and app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        )
        self.tokens = DARK if dark else LIGHT
        if not self._dressed:
            # Style and font stay the same: setting them again would dress every widget once more.
            self._dressed = True
            app.setStyle("Fusion")
            app.setFont(ui_font())
            app.styleHints().colorSchemeChanged.connect(lambda _: self._follow_system())
        app.setPalette(_palette(self.tokens))
        sheet = style_sheet(self.tokens, self.scale)
        for part in [item for item in self._parts if isValid(item)]:
            if part.isVisible():
                part.setStyleSheet(sheet)
            else:
                self._outdated.add(part)
        self.changed.emit()

    def _follow_system(self) -> None:
        """The system changed between light and dark."""
        app = QApplication.instance()
        if self.mode == "system" and isinstance(app, QApplication):
            self.apply(app, "system")

    def toggle(self, app: QApplication) -> None:
        """Switch between light and dark."""
        self.apply(app, "light" if self.tokens is DARK else "dark")


_theme: Theme | None = None


def theme() -> Theme:
    """The application's theme."""
    global _theme
    if _theme is None:
        _theme = Theme()
    return _theme


def colour(role: str) -> QColor:
    """The colour of a token by its name."""
    return QColor(getattr(theme().tokens, role))


def ui_font(size: float = 10.0) -> QFont:
    """The interface font: the best installed of a few families."""
    font = QFont(_first("Inter", "Cantarell", "Noto Sans", "Segoe UI", "DejaVu Sans"))
    font.setPointSizeF(size * theme().scale)
    return font


def mono_font(size: float = 10.0) -> QFont:
    """The code font: the best installed of a few families."""
    font = QFont(_first("JetBrains Mono", "Fira Code", "Noto Sans Mono", "DejaVu Sans Mono"))
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(size * theme().code_scale)
    for ligatures in () if theme().ligatures else ("calt", "liga"):
        font.setFeature(QFont.Tag(ligatures), 0)  # `!=` and `>=` stay two characters
    return font


def follow_mono(widget: QWidget, size: float = 9.0) -> None:
    """Show a widget in the code font, now and when another size is chosen."""
    seen = ref(widget)

    def show() -> None:
        found = seen()
        if found is not None and isValid(found):
            found.setFont(mono_font(size))

    theme().changed.connect(show)
    show()


def _first(*families: str) -> str:
    installed = set(QFontDatabase.families())
    return next((name for name in families if name in installed), families[-1])


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for key, value in (
        (role.Window, t.background), (role.WindowText, t.text), (role.Base, t.surface),
        (role.AlternateBase, t.raised), (role.Text, t.text), (role.Button, t.surface),
        (role.ButtonText, t.text), (role.ToolTipBase, t.raised), (role.ToolTipText, t.text),
        (role.Highlight, t.selected), (role.HighlightedText, t.text),
        (role.PlaceholderText, t.muted), (role.Link, t.accent), (role.Mid, t.border),
        (role.Accent, t.accent),
    ):  # fmt: skip
        palette.setColor(key, QColor(value))
    group = QPalette.ColorGroup.Disabled
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group, key, QColor(t.muted))
    return palette
