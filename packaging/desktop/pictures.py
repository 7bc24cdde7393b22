"""Make the icon files of macOS and Windows from the drawing. Argument: a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgRenderer

DRAWING = Path(__file__).with_name("routestudio.svg")
SIDES = {"ico": 256, "icns": 512, "png": 512}


def main(folder: Path) -> int:
    """Write an icon for each system; returns the exit code."""
    application = QGuiApplication.instance() or QGuiApplication(
        ["pictures", "-platform", "offscreen"]
    )
    drawing = QSvgRenderer(str(DRAWING))
    for ending, side in SIDES.items():
        image = QImage(QSize(side, side), QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        drawing.render(painter)
        painter.end()
        writer = QImageWriter(str(folder / f"routestudio.{ending}"), ending.encode())
        if not writer.write(image):
            print(f"error: no {ending}: {writer.errorString()}", file=sys.stderr)
            return 1
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
