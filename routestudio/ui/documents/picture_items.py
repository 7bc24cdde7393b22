"""How nodes and ways of the project's picture are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import Any, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from routestudio.derive import catalog
from routestudio.model.wording import counted
from routestudio.ui import icons
from routestudio.ui.documents.picture_layout import Box, Line
from routestudio.ui.theme import colour, mono_font, ui_font
from routestudio.ui.widgets.tips import plain_tip

_ROLES: Final = {
    "table": "static", "enrichment": "function", "filter": "warning", "routing": "function",
    "transform": "function", "sink": "accent", "destination": "positive",
}  # fmt: skip
_ICONS: Final = {"table": "sample", "filter": "filter", "sink": "sink",
                 "destination": "destination", "enrichment": "database"}  # fmt: skip
_PAD: Final = 3.0
_SMALL: Final = 0.5
"""Scale under which numbers of ways cannot be read, and are left out."""


class NodeItem(QGraphicsItem):
    """One node. `marked` is the one that the keyboard is at."""

    def __init__(self, node: Mapping[str, Any], box: Box) -> None:
        super().__init__()
        self.node = node
        self.box = box
        self.marked = False
        self.setPos(box.x, box.y)
        self.setZValue(2)
        self.setToolTip(plain_tip(_tip(node)))
        if node["to"]:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mark(self, marked: bool) -> None:
        """Show whether the keyboard is here."""
        if marked != self.marked:
            self.marked = marked
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.box.width, self.box.height).adjusted(-_PAD, -_PAD, _PAD, _PAD)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.node["form"] in ("failed", "filtered"):
            self._paint_loss(painter)
        else:
            self._paint_node(painter)

    def _frame(self, painter: QPainter, fill: str, border: str, radius: float) -> QRectF:
        area = QRectF(0, 0, self.box.width, self.box.height)
        painter.setBrush(colour(fill))
        painter.setPen(QPen(colour("accent" if self.marked else border), 2.2 if self.marked else 1))
        painter.drawRoundedRect(area, radius, radius)
        return area

    def _paint_loss(self, painter: QPainter) -> None:
        """A capsule: how many rows end here."""
        failed = self.node["form"] == "failed"
        fill, border = ("danger_soft", "danger") if failed else ("raised", "strong_border")
        area = self._frame(painter, fill, border, self.box.height / 2)
        place = QRectF(10, area.height() / 2 - 7, 14, 14)
        role = "danger" if failed else "muted"
        icons.draw(painter, "error" if failed else "skip", place, role)
        painter.setFont(ui_font(9))
        painter.setPen(colour(role))
        _line(painter, QRectF(30, 0, area.width() - 42, area.height()), self.node["title"])

    def _paint_node(self, painter: QPainter) -> None:
        node, several = self.node, self.node["form"] == "several"
        bad = node["failed"] or node["form"] == "broken"
        if several:  # a second card under it
            painter.setBrush(colour("raised"))
            painter.setPen(QPen(colour("strong_border"), 1))
            painter.drawRoundedRect(QRectF(4, 4, self.box.width - 1, self.box.height - 1), 7, 7)
        area = self._frame(painter, "surface", "danger" if bad else "strong_border", 7)
        role = "danger" if bad else _ROLES[node["kind"]]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(role))
        painter.drawRoundedRect(QRectF(1, 6, 3.5, area.height() - 12), 1.7, 1.7)
        icons.draw(painter, _icon(node), QRectF(14, area.height() / 2 - 8, 16, 16), role)
        left, wide = 40.0, area.width() - 50.0
        if node["kind"] == "destination":
            painter.setFont(ui_font(8.5))
            painter.setPen(colour("muted"))
            number = f"{node['rows']:,}"
            used = QFontMetricsF(painter.font()).horizontalAdvance(number) + 8
            _line(painter, QRectF(left, 0, wide, area.height()), number, right=True)
            painter.setFont(ui_font(9) if several else mono_font(9))
            painter.setPen(colour("text"))
            _line(painter, QRectF(left, 0, wide - used, area.height()), node["title"])
            return
        font = ui_font(9.5)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(colour("text"))
        _line(painter, QRectF(left, 5, wide, 18), node["title"])
        painter.setFont(ui_font(8.5))
        painter.setPen(colour("muted"))
        _line(painter, QRectF(left, 22, wide, 17), under(node))


class LineItem(QGraphicsItem):
    """One way, with its number of rows. `marked` while one of its ends is looked at."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line
        self.marked = False
        self._path = _curve(line)
        self._font = ui_font(8.5)
        self._text = f"{line.rows:,}"
        metrics = QFontMetricsF(self._font)
        width = metrics.horizontalAdvance(self._text) + 8
        x, y = line.label
        self._label = QRectF(x - width / 2, y - 8, width, 16)
        self.setToolTip(plain_tip(counted(line.rows, "row") + {
            "failed": " failed", "filtered": " filtered out"}.get(line.state, "")))  # fmt: skip

    def mark(self, marked: bool) -> None:
        """Bring it to the front."""
        if marked != self.marked:
            self.marked = marked
            self.setZValue(1 if marked else 0)
            self.update()

    def boundingRect(self) -> QRectF:
        return self._path.boundingRect().united(self._label).adjusted(-4, -4, 4, 4)

    def shape(self) -> QPainterPath:
        """Where the mouse finds it: at its number."""
        path = QPainterPath()
        path.addRect(self._label)
        return path

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        role = {"failed": "danger", "filtered": "muted"}.get(self.line.state, "strong_border")
        pen = QPen(colour("accent" if self.marked and self.line.state == "ok" else role))
        pen.setWidthF(1.2 + 0.8 * log10(max(1, self.line.rows)) + (0.8 if self.marked else 0))
        if self.line.state == "filtered":
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen)
        painter.drawPath(self._path)
        if option.levelOfDetailFromTransform(painter.worldTransform()) < _SMALL:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("background"))
        painter.drawRoundedRect(self._label, 4, 4)
        painter.setFont(self._font)
        painter.setPen(colour("danger" if self.line.state == "failed" else "muted"))
        painter.drawText(self._label, int(Qt.AlignmentFlag.AlignCenter), self._text)


class HeadItem(QGraphicsItem):
    """The title of a column."""

    def __init__(self, title: str, x: float, width: float) -> None:
        super().__init__()
        self._title, self._width = title, width
        self.setPos(x, 0)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self._width, 22)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        font = ui_font(9)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(colour("muted"))
        _line(painter, self.boundingRect(), self._title)


def under(node: Mapping[str, Any]) -> str:
    """The second line of a node: what it is, its rows, and what it loses of them."""
    if node["form"] == "broken":
        return "cannot be evaluated"
    parts = [node["detail"]] if node["kind"] == "sink" and node["form"] == "one" else []
    parts.append(counted(node["rows"], "row") if node["rows"] else "no row")
    parts += [f"{node['failed']:,} failed"] if node["failed"] else []
    return " · ".join(part for part in parts if part)


def _icon(node: Mapping[str, Any]) -> str:
    if node["kind"] == "sink" and node["key"]:
        return catalog.icon_name(node["key"])
    return _ICONS.get(node["kind"], "function")


def _tip(node: Mapping[str, Any]) -> str:
    text = str(node["text"])
    return text[:1].upper() + text[1:]


def drawable(text: str) -> str:
    """A text on one line, in which nothing is left that no SVG may hold."""
    return "".join(char if char.isprintable() or char == "\u00a0" else "�" for char in text)


def _line(painter: QPainter, area: QRectF, text: str, *, right: bool = False) -> None:
    """One line of text, cut where there is no room."""
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(drawable(text), Qt.TextElideMode.ElideMiddle, area.width())
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), shown)


def _curve(line: Line) -> QPainterPath:
    """Curves between columns, straight lines through the columns that the way passes."""
    start, *points = line.points
    path = QPainterPath(QPointF(*start))
    at = start
    for number, end in enumerate(points):
        if number % 2:
            path.lineTo(QPointF(*end))
        else:
            bend = (end[0] - at[0]) / 2
            path.cubicTo(
                QPointF(at[0] + bend, at[1]), QPointF(end[0] - bend, end[1]), QPointF(*end)
            )
        at = end
    return path
