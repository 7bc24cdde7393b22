"""A loop for window tests, and a window with a real engine process on a copy of the demo."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from routestudio.paths import resources
from routestudio.ui.settings import settings
from tests.gui.desk import Desk


@pytest.fixture
def qt_loop(qapp: QApplication) -> Iterator[QEventLoop]:
    """A separate event loop over Qt's."""
    loop = QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    qapp.setQuitOnLastWindowClosed(False)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the demo project."""
    folder = tmp_path / "shop"
    shutil.copytree(resources() / "demo", folder)
    return folder


@pytest.fixture
def desk(qt_loop: QEventLoop) -> Desk:
    """A window without a project; `in_qt` shows and leaves it, `start` starts its engine."""
    settings().clear()
    return Desk(qt_loop)
