"""The project's picture on a scene: mouse and keyboard, larger and smaller, saved as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsScene, QGraphicsView, QWidget

from routestudio.ui.documents.picture_items import HeadItem, LineItem, NodeItem, drawable
from routestudio.ui.documents.picture_layout import WIDTH, Direction, neighbour, place
from routestudio.ui.theme import colour, theme

MARGIN: Final = 24.0
LEAST: Final = 0.15
MOST: Final = 3.0
READABLE: Final = 0.62
"""The scale that a picture has at least when it is shown first."""
_STEP: Final = 1.2
_LARGEST_IMAGE: Final = 16_000
"""Pixels that a side of a PNG has at most."""

_ARROWS: Final[dict[Qt.Key, Direction]] = {
    Qt.Key.Key_Left: "left", Qt.Key.Key_Right: "right", Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down"
}  # fmt: skip


class PictureView(QGraphicsView):
    """Shows a picture (`engine.picture`). Arrow keys go from node to node; Enter, Space or a
    click lead where the node leads."""

    lead = Signal(dict)
    """What a node leads to (`to` of the node)."""

    def __init__(self) -> None:
        super().__init__()
        self._scene = QGraphicsScene(self)
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Picture of the project")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setMouseTracking(True)
        self.setCornerWidget(QWidget())
        self.nodes: dict[str, NodeItem] = {}
        self.lines: list[LineItem] = []
        self.current = ""
        """Id of the node that the keyboard is at."""
        self._picture: Mapping[str, Any] = {}
        self._ways: list[tuple[str, str, int]] = []
        self._pressed: QPoint | None = None
        self._fitted = False
        self._hovered = ""
        theme().changed.connect(self._retint)
        self._retint()

    def show_picture(self, picture: Mapping[str, Any]) -> None:
        """Show a picture; the node that the keyboard was at stays, if it is still there."""
        if picture == self._picture:
            return
        self._picture = picture
        placed = place(picture)
        self._scene.clear()
        self._hovered = ""
        self.lines = [LineItem(line) for line in placed.lines]
        self.nodes = {n["id"]: NodeItem(n, placed.boxes[n["id"]]) for n in picture["nodes"]}
        heads = [HeadItem(title, x, WIDTH) for title, x in placed.heads]
        for item in (*self.lines, *self.nodes.values(), *heads):
            self._scene.addItem(item)
        self._ways = [(line.start, line.end, line.rows) for line in placed.lines]
        area = QRectF(0, 0, placed.width, placed.height)
        self._scene.setSceneRect(area.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN))
        if self.current not in self.nodes:
            self.current = next(iter(self.nodes), "")
        self._mark()
        self._fit_first()

    # --- zoom --------------------------------------------------------------------------------

    @property
    def scale_now(self) -> float:
        """The scale at which it is shown."""
        return self.transform().m11()

    def zoom(self, step: int) -> None:
        """Larger or smaller, by steps."""
        self._scale(self.scale_now * _STEP**step)
        self._fitted = True

    def fit(self) -> None:
        """Show all of it."""
        area, room = self._scene.sceneRect(), self.viewport().size()
        if area.width() and area.height():
            self._scale(min(1.25, room.width() / area.width(), room.height() / area.height()))
            self.centerOn(area.center())
        self._fitted = True

    def _fit_first(self) -> None:
        """As wide as the view while nobody chose a scale, but so that it can be read."""
        area, room = self._scene.sceneRect(), self.viewport().size()
        if not self._fitted and area.width() and self.nodes:
            wide = room.width() - self.verticalScrollBar().sizeHint().width()
            self._scale(max(READABLE, min(1.0, wide / area.width())))
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().minimum())
            self.verticalScrollBar().setValue(self.verticalScrollBar().minimum())

    def _scale(self, wanted: float) -> None:
        factor = max(LEAST, min(MOST, wanted)) / self.scale_now
        self.scale(factor, factor)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_first()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    # --- keyboard ----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.current and plain and key in _ARROWS:
            boxes = {name: item.box for name, item in self.nodes.items()}
            self.choose(neighbour(boxes, self._ways, self.current, _ARROWS[key]))
        elif self.current and plain and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            names = list(self.nodes)
            self.choose(names[0 if key == Qt.Key.Key_Home else -1])
        elif self.current and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.lead.emit(dict(self.nodes[self.current].node["to"]))
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def choose(self, name: str) -> None:
        """Put the keyboard to a node, bring it into sight and read it out."""
        if name not in self.nodes:
            return
        self.current = name
        self._mark()
        item = self.nodes[name]
        self.ensureVisible(item.sceneBoundingRect(), 40, 40)
        text = str(item.node["text"])
        self.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.current:
            self.setAccessibleDescription(str(self.nodes[self.current].node["text"]))
        self._mark()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mark()

    def _mark(self) -> None:
        """Mark the node of the keyboard, and the ways of what is looked at."""
        focused = self.current if self.hasFocus() else ""
        for name, item in self.nodes.items():
            item.mark(name == focused)
        looked = self._hovered or focused
        for line in self.lines:
            line.mark(bool(looked) and looked in (line.line.start, line.line.end))

    # --- mouse -------------------------------------------------------------------------------

    def node_at(self, point: QPoint) -> NodeItem | None:
        """The node at a place of the viewport."""
        return next((item for item in self.items(point) if isinstance(item, NodeItem)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = event.position().toPoint() if left else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        item = self.node_at(event.position().toPoint())
        name = item.node["id"] if item is not None else ""
        if name != self._hovered:
            self._hovered = name
            self._mark()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        here = event.position().toPoint()
        if (
            pressed is None
            or (here - pressed).manhattanLength() >= QApplication.startDragDistance()
        ):
            return
        item = self.node_at(here)
        if item is not None and item is self.node_at(pressed):
            self.choose(item.node["id"])
            self.lead.emit(dict(item.node["to"]))

    # --- files -------------------------------------------------------------------------------

    def save(self, path: Path, title: str) -> None:
        """Write all of it as SVG, or as PNG where the name ends so. Raises `OSError`."""
        area = self._scene.sceneRect()
        items: list[NodeItem | LineItem] = [*self.nodes.values(), *self.lines]
        for item in items:
            item.mark(False)
        try:
            if path.suffix.lower() == ".png":
                self._save_png(path, area)
            else:
                self._save_svg(path, area, title)
        finally:
            self._mark()

    def _save_svg(self, path: Path, area: QRectF, title: str) -> None:
        with path.open("wb"):
            pass  # what cannot be written is reported before Qt tries
        target = QSvgGenerator()
        target.setFileName(str(path))
        target.setTitle(drawable(title))
        target.setSize(area.size().toSize())
        target.setViewBox(QRect(QPoint(0, 0), area.size().toSize()))
        self._render(target, area)

    def _save_png(self, path: Path, area: QRectF) -> None:
        ratio = min(2.0, _LARGEST_IMAGE / max(area.width(), area.height(), 1))
        size = QSize(round(area.width() * ratio), round(area.height() * ratio))
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        self._render(image, area)
        if not image.save(str(path), "PNG"):  # type: ignore[call-overload]
            raise OSError(f"cannot write {path}")

    def _render(self, target: Any, area: QRectF) -> None:
        painter = QPainter(target)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(painter.viewport())
        if isinstance(target, QSvgGenerator):
            whole = QRectF(0, 0, area.width(), area.height())
        painter.fillRect(whole, colour("background"))
        self._scene.render(painter, whole, area)
        painter.end()

    def _retint(self) -> None:
        self.setBackgroundBrush(colour("background"))
        self._scene.update()
