"""No text is cut, nothing overlaps or is out of sight: every place, size and scale.

`ROUTESTUDIO_PICTURES` names a folder for pictures of every place, light and dark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from routestudio.paths import resources
from routestudio.ui.preferences import LARGEST
from routestudio.ui.widgets.layout import fit, keep_low
from tests.gui.cut_text import faults

pytestmark = pytest.mark.gui


def test_the_search_itself(qtbot: QtBot) -> None:
    """It finds a cut label, a cut placeholder, and a widget outside of its parent."""
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    text, line = QLabel("a text of some length"), QLineEdit()
    line.setPlaceholderText("what is to be typed here, in many words")
    row.addWidget(text)
    row.addWidget(line)
    outside = QWidget(window)
    window.resize(600, 60)
    window.show()
    outside.show()
    assert faults(window) == []
    text.setFixedWidth(40)
    line.setFixedWidth(60)
    outside.setGeometry(580, 0, 100, 20)
    qtbot.wait(10)
    found = faults(window)
    assert len(found) == 3, found
    assert "'a text of some length' needs" in found[0]
    assert "placeholder" in found[1]
    assert "is outside its parent" in found[2]


def test_a_window_in_sight_is_not_moved(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(20, 30, 300, 200)
    moves: list[object] = []
    monkeypatch.setattr(window, "move", moves.append)
    fit(window)
    assert moves == []
    window.setGeometry(-500, 30, 300, 200)
    fit(window)
    assert len(moves) == 1


def test_a_file_dialog_opens_low_and_may_be_enlarged(qtbot: QtBot, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    dialog = QFileDialog(None, "Open project", str(tmp_path))
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    keep_low(dialog)
    dialog.resize(700, 900)
    dialog.show()
    assert dialog.height() < 600
    qtbot.waitUntil(lambda: dialog.maximumHeight() > 10_000)
    dialog.resize(700, 900)
    assert dialog.height() == 900


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "points"), [
    ("1", 10), ("1.25", 10), ("1.5", 10), ("2", 10), ("1", LARGEST),
])  # fmt: skip
def test_nothing_is_cut_at_any_size(tmp_path: Path, scale: str, points: float) -> None:
    shutil.copytree(resources() / "demo", tmp_path / "shop")
    environment = {**os.environ, "QT_SCALE_FACTOR": scale}
    for kind in ("CONFIG", "STATE", "DATA"):
        environment[f"XDG_{kind}_HOME"] = str(tmp_path / kind)
    settings = tmp_path / "CONFIG" / "RouteStudio" / "RouteStudio.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[font]\ninterface={points}\ncode={points}\n")
    pictures = os.environ.get("ROUTESTUDIO_PICTURES", "")
    if pictures:
        (Path(pictures) / scale).mkdir(parents=True, exist_ok=True)
        pictures = str(Path(pictures) / scale)
    found = subprocess.run(
        [sys.executable, "-m", "tests.gui.sizes_run", str(tmp_path / "shop"), pictures],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    lines = found.stdout.splitlines()
    print(lines[-1])
    assert lines[-1].endswith(" 0 faults"), "\n".join(lines)
