"""Icons of the program, drawn in the colours of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from routestudio.paths import resources
from routestudio.ui.theme import colour

SIZES = (16, 32, 48)


def icon(name: str, role: str = "muted") -> QIcon:
    """The icon `name` in the colour of a token."""
    return _icon(name, colour(role).name(), colour("strong_border").name())


def pixmap(name: str, size: int, role: str = "muted", ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of `size` device-independent pixels."""
    found = _render(name, colour(role).name(), round(size * ratio))
    found.setDevicePixelRatio(ratio)
    return found


@lru_cache(maxsize=512)
def _icon(name: str, normal: str, disabled: str) -> QIcon:
    found = QIcon()
    for size in SIZES:
        found.addPixmap(_render(name, normal, size))
        found.addPixmap(_render(name, disabled, size), QIcon.Mode.Disabled)
    return found


def _render(name: str, tint: str, size: int) -> QPixmap:
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    _drawing(name, tint).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return picture


@lru_cache(maxsize=256)
def _drawing(name: str, tint: str) -> QSvgRenderer:
    folder = resources() / "icons"
    path = folder / f"{name}.svg"
    if not path.is_file():
        path = folder / "sink.svg"
    text = path.read_text(encoding="utf-8").replace("currentColor", QColor(tint).name())
    return QSvgRenderer(QByteArray(text.encode()))


def draw(painter: QPainter, name: str, place: QRectF, role: str = "muted") -> None:
    """Draw an icon as lines, also into a picture that can be made larger."""
    _drawing(name, colour(role).name()).render(painter, place)
