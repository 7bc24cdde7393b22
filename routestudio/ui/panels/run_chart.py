"""A live chart of a run: messages per second above, latency of the service below."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from routestudio.ui.theme import colour, theme

KEPT: Final = 600
"""Points that are kept; of a longer run every second one is dropped, so its start stays visible."""

_SPACE: Final = 10
_LABELS: Final = 46
_AXIS: Final = 17


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of a run: second, messages per second, latency percentiles in milliseconds."""

    second: float
    rate: float
    p50: float | None
    p95: float | None


class RunChart(QWidget):
    """Paints points as they come. What it shows is in its accessible description as well."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Throughput and latency of the run")
        self.setMinimumSize(260, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._points: deque[Point] = deque()
        self.waiting = "Waiting for the first messages"
        """What is shown while there is nothing to paint."""
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(520, 190)

    @property
    def points(self) -> list[Point]:
        """What is shown."""
        return list(self._points)

    def clear(self) -> None:
        """Begin again."""
        self._points.clear()
        self._describe()
        self.update()

    def add(self, second: float, rate: float, p50: float | None, p95: float | None) -> None:
        """Show one more moment; the second of a resumed run goes on from the last one."""
        points = self._points
        if points and second <= points[-1].second:
            return
        points.append(Point(second, rate, p50, p95))
        if len(points) > KEPT:
            kept = list(points)
            self._points = deque([*kept[:-2:2], kept[-1]])
        self._describe()
        self.update()

    def _describe(self) -> None:
        points = self._points
        if not points:
            self.setAccessibleDescription("Nothing has been measured yet")
            return
        last, peak = points[-1], max(point.rate for point in points)
        latency = (
            f"latency {shown_ms(last.p50)} in the median, {shown_ms(last.p95)} at the 95th "
            "percentile"
            if last.p50 is not None
            else "no answer in the last seconds"
        )
        self.setAccessibleDescription(
            f"After {last.second:.0f} seconds: {last.rate:,.0f} messages per second "
            f"(at most {peak:,.0f}), {latency}"
        )

    # --- painting ----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPointSizeF(8.0)
        painter.setFont(font)
        half = (self.height() - _AXIS) / 2
        points = list(self._points)
        top = QRectF(_LABELS, 18, self.width() - _LABELS - _SPACE, half - 24)
        low = top.translated(0, half)
        rates: list[float | None] = [point.rate for point in points]
        most = nice(max((point.rate for point in points), default=0.0))
        slow = nice(max((p.p95 for p in points if p.p95 is not None), default=0.0))
        self._frame(painter, top, "Messages per second", most, shown_count)
        self._frame(painter, low, "", slow, shown_ms)
        self._legend(painter, low)
        end = max(10.0, points[-1].second if points else 0.0)
        self._seconds(painter, low, end)
        if points:
            x = [top.left() + top.width() * point.second / end for point in points]
            self._line(painter, top, x, rates, "accent", most, fill=True)
            self._line(painter, low, x, [p.p95 for p in points], "warning", slow)
            self._line(painter, low, x, [p.p50 for p in points], "function", slow)
        else:
            painter.setPen(colour("muted"))
            painter.drawText(top, Qt.AlignmentFlag.AlignCenter, self.waiting)
        painter.end()

    def _frame(
        self,
        painter: QPainter,
        area: QRectF,
        title: str,
        top: float,
        text: Callable[[float], str],
    ) -> None:
        grid = QPen(colour("border"), 1)
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - area.height() * share
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if share or top:
                painter.setPen(colour("muted"))
                box = QRectF(0, y - 8, _LABELS - 6, 16)
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(box, flags, text(top * share))
        if title:
            painter.setPen(colour("muted"))
            painter.drawText(QPointF(area.left(), area.top() - 6), title)

    def _legend(self, painter: QPainter, area: QRectF) -> None:
        metrics = painter.fontMetrics()
        x, y = area.left(), area.top() - 6
        for role, text in (("muted", "Latency of a batch"), ("function", "median"),
                           ("warning", "95th percentile")):  # fmt: skip
            if role != "muted":
                painter.setPen(QPen(colour(role), 2))
                painter.drawLine(QPointF(x, y - 3), QPointF(x + 12, y - 3))
                x += 16
            painter.setPen(colour("muted"))
            painter.drawText(QPointF(x, y), text)
            x += metrics.horizontalAdvance(text) + 14

    def _seconds(self, painter: QPainter, area: QRectF, end: float) -> None:
        painter.setPen(colour("muted"))
        step = nice(end / 5)
        second = 0.0
        while second <= end:
            x = area.left() + area.width() * second / end
            box = QRectF(x - 30, area.bottom() + 2, 60, _AXIS - 2)
            if box.right() > self.width():
                box.moveRight(self.width() - 2)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, shown_seconds(second))
            second += step

    def _line(
        self,
        painter: QPainter,
        area: QRectF,
        x: Sequence[float],
        values: Sequence[float | None],
        role: str,
        top: float,
        *,
        fill: bool = False,
    ) -> None:
        """One series, scaled to `top`; where nothing was measured there is no line."""
        top = top or 1.0
        line = QPolygonF()
        painter.setPen(QPen(colour(role), 1.6))
        for place, value in zip(x, values, strict=True):
            if value is None:
                painter.drawPolyline(line)
                line = QPolygonF()
                continue
            line.append(QPointF(place, area.bottom() - area.height() * min(1.0, value / top)))
        painter.drawPolyline(line)
        if fill and line.count() > 1:
            shade = QColor(colour(role))
            shade.setAlphaF(0.14)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            foot = [QPointF(line.last().x(), area.bottom()),
                    QPointF(line.first().x(), area.bottom())]  # fmt: skip
            painter.drawPolygon(QPolygonF([*line.toList(), *foot]))
            painter.setBrush(Qt.BrushStyle.NoBrush)


def nice(value: float) -> float:
    """The next larger of 1, 2 and 5 times a power of ten; 0 for nothing."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1.0, 2.0, 5.0, 10.0):
        if value <= step * power * 1.0001:
            return float(step * power)
    return float(10 * power)


def shown_count(value: float) -> str:
    """A number in little space: 950, 1.5k, 34k, 1.2M."""
    for unit, text in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.1f}".removesuffix(".0") + text
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def shown_ms(value: float | None) -> str:
    """Milliseconds in little space: 0.4 ms, 12 ms, 1.5 s."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.1f}".removesuffix(".0") + " s"
    return f"{value:.0f} ms" if value >= 10 or value == int(value) else f"{value:.1f} ms"


def shown_seconds(value: float) -> str:
    """A duration: 8 s, 2 min, 1 h 5 min."""
    if value < 60:
        return f"{value:.0f} s" if value >= 1 or not value else f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
