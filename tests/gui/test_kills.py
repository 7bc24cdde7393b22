"""Window and engine are killed at random moments of editing: nothing that was kept is lost.

`ROUTESTUDIO_KILLS` says how often (4 when it is not set), `ROUTESTUDIO_SEED` begins the chance.
"""

from __future__ import annotations

import os
import queue
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from routestudio.paths import resources
from routestudio.project.store import OpenProject
from tests.gui.kill_run import last_line

pytestmark = [pytest.mark.gui, pytest.mark.slow]

KILLS = int(os.environ.get("ROUTESTUDIO_KILLS", "4"))
SEED = int(os.environ.get("ROUTESTUDIO_SEED", "20261129"))
FILES = {
    "orders-by-region": "functions/orders_by_region.py",
    "rest-path": "functions/rest_path.py",
}
PATIENCE = 60.0


class Window:
    """A window in its own process, and what it has said so far."""

    def __init__(self, project: Path, function: str, seed: int) -> None:
        self.function = function
        self.engines: list[int] = []
        self.kept = self.saved = self.asked = self.refused = 0
        self.is_root = False
        self._errors = project.parent / f"{function}-{seed}.txt"
        with self._errors.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.gui.kill_run", str(project), function, str(seed)],
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # what a kill cut off reports nothing
                self._lines.put(line)

    def hear(self, seconds: float) -> None:
        """Take what it says for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._take(self._lines.get(timeout=left))
            except queue.Empty:
                return

    def hear_until(self, what: str, more: int) -> None:
        """Take what it says until one of its counts has grown."""
        wanted, end = getattr(self, what) + more, time.monotonic() + PATIENCE
        while getattr(self, what) < wanted:
            assert self._process.poll() is None, self._errors.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < end, f"waited for {what} in vain"
            self.hear(0.05)

    def hear_engine(self) -> None:
        """Take what it says until its next engine is ready."""
        known, end = len(self.engines), time.monotonic() + PATIENCE
        while len(self.engines) == known:
            assert self._process.poll() is None, self._errors.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < end, "no engine"
            self.hear(0.05)

    def _take(self, line: str) -> None:
        what, _, value = line.strip().partition(" ")
        if what == "engine":
            self.engines.append(int(value))
        elif what == "kept":
            self.kept = max(self.kept, int(value))
        elif what == "saved":
            self.saved = max(self.saved, int(value))
        elif what == "asked":
            self.asked += 1
        elif what == "refused":
            self.refused += 1
        elif what == "root":
            self.is_root = True

    def kill(self) -> None:
        """`kill -9`; returns when its engine has ended, too."""
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()
        while not self._lines.empty():
            self._take(self._lines.get())
        end = time.monotonic() + PATIENCE
        while any(_lives(number) for number in self.engines):
            assert time.monotonic() < end, "an engine goes on without its window"
            time.sleep(0.05)


def _lives(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def in_project(project: Path, function: str) -> tuple[int, int]:
    """The last typed line on the disk, and with what can be recovered."""
    file = project / FILES[function]
    disk = last_line(file.read_text()) if file.exists() else 0
    opened = OpenProject.open(project, {})
    opened.recover()
    known = last_line(opened.read(FILES[function]) or "")
    opened.discard_recovery(own=True)
    opened.discard_recovery()
    return disk, known


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "shop"
    shutil.copytree(resources() / "demo", folder)
    return folder


def test_nothing_that_was_kept_is_lost(shop: Path) -> None:
    """One window after the other; engines are killed under each, and at last the window."""
    chance = random.Random(SEED)
    kills = engines = lines = saves = 0
    while kills < KILLS:
        window = Window(shop, "orders-by-region", SEED + kills)
        try:
            window.hear_engine()
            for _ in range(min(4, KILLS - kills - 1)):
                window.hear_until("kept", 1)
                window.hear(chance.random() * 0.5)
                os.kill(window.engines[-1], signal.SIGKILL)
                engines += 1
                kills += 1
                window.hear_engine()
            window.hear_until("kept", 1)
            window.hear(chance.random())
        finally:
            window.kill()
        kills += 1
        disk, known = in_project(shop, "orders-by-region")
        assert known >= window.kept, f"after {kills} kills: {known} of {window.kept} lines"
        assert disk >= window.saved, f"after {kills} kills: said to be saved and is not"
        lines, saves = lines + window.kept, max(saves, window.saved)
    print(f"{kills} kills, {engines} of engines: no line lost; {lines} kept, line {saves} saved")


def test_two_windows_on_one_project_keep_their_own(shop: Path) -> None:
    """One is killed, the other goes on and saves: the edits of the first are still there."""
    one, two = Window(shop, "orders-by-region", 1), Window(shop, "rest-path", 2)
    try:
        for window in (one, two):
            window.hear_engine()
            window.hear_until("kept", 2)
        one.kill()
        two.hear_until("saved", 1)
    finally:
        one.kill()
        two.kill()
    assert in_project(shop, "orders-by-region")[1] >= one.kept


def test_a_deleted_folder_is_asked_about_and_its_edits_are_kept(shop: Path) -> None:
    window = Window(shop, "orders-by-region", 3)
    try:
        window.hear_engine()
        window.hear_until("kept", 2)
        kept = window.kept
        shutil.rmtree(shop)
        window.hear(0.2)
        saved = window.saved
        window.hear_until("asked", 1)
        assert window.saved == saved
    finally:
        window.kill()
    shutil.copytree(resources() / "demo", shop)
    assert in_project(shop, "orders-by-region")[1] >= kept


def test_a_folder_that_cannot_be_written_loses_no_edit(shop: Path) -> None:
    """Saves are refused; what is typed meanwhile is in the journal, which is elsewhere."""
    window = Window(shop, "orders-by-region", 5)
    folders = [shop, *(path for path in shop.rglob("*") if path.is_dir())]
    rights = {folder: folder.stat().st_mode for folder in folders}
    try:
        window.hear_engine()
        window.hear_until("kept", 2)
        if window.is_root:
            pytest.skip("the rights of root cannot be given up here")
        for folder in folders:
            folder.chmod(0o555)
        window.hear(0.3)
        saved = window.saved
        window.hear_until("refused", 2)
        window.hear_until("kept", 3)
        assert window.saved == saved, "said to be saved in a folder that cannot be written"
        os.kill(window.engines[-1], signal.SIGKILL)
        window.hear_engine()
        window.hear_until("kept", 1)
    finally:
        window.kill()
        for folder, mode in rights.items():
            folder.chmod(mode)
    disk, known = in_project(shop, "orders-by-region")
    assert known >= window.kept
    assert saved <= disk < known


def test_a_full_disk_is_never_called_saved(shop: Path) -> None:
    """Files of the engine cannot grow for a while: neither edits nor saves count meanwhile."""
    window = Window(shop, "orders-by-region", 4)
    none = resource.RLIM_INFINITY
    try:
        window.hear_engine()
        window.hear_until("kept", 1)
        resource.prlimit(window.engines[-1], resource.RLIMIT_FSIZE, (16, none))
        window.hear(0.2)
        saved = window.saved
        window.hear(3.0)
        assert window.saved == saved, "said to be saved on a full disk"
        resource.prlimit(window.engines[-1], resource.RLIMIT_FSIZE, (none, none))
        window.hear_until("kept", 2)
    finally:
        window.kill()
    disk, known = in_project(shop, "orders-by-region")
    assert known >= window.kept
    assert disk >= window.saved
