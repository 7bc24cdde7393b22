"""Linux, and what every Unix does: run for real."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from routestudio.system import current, linux, posix_streams

pytestmark = pytest.mark.skipif(os.name != "posix", reason="calls of Unix")


def test_a_board_is_seen_by_a_child_and_cannot_be_shrunk() -> None:
    board = current.workers.board(8)
    code = (
        "import os, sys\n"
        "from routestudio.system import current\n"
        "with current.workers.open_board(sys.argv[1], 8) as board:\n"
        "    board[3] = 9\n"
        "try:\n"
        "    os.ftruncate(int(sys.argv[1]), 0)\n"
        "except OSError:\n"
        "    print('refused')\n"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code, board.name], capture_output=True,
                              text=True, check=True, **board.options)  # fmt: skip
        assert board.memory[3] == 9
        if current.name == "linux":
            assert done.stdout == "refused\n"
    finally:
        board.close()


def test_an_old_linux_has_a_file_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    workers = linux.Workers()
    board = workers.board(8)
    try:
        with workers.open_board(board.name, 8) as other:
            other[0] = 7
            assert board.memory[0] == 7
    finally:
        board.close()


@pytest.mark.skipif(current.name != "linux", reason="Linux numbers the clocks of processes")
def test_processor_time_is_known_by_the_number_of_a_process() -> None:
    workers = linux.Workers()
    before = time.process_time()
    used = workers.processor(os.getpid())
    assert used is not None
    assert before <= used <= time.process_time()
    assert workers.processor((1 << 22) + 1) is None  # more than Linux numbers


def test_two_handles_of_a_file_share_one_lock(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    one = os.open(path, os.O_CREAT | os.O_RDWR)
    two = os.open(path, os.O_RDONLY)
    try:
        assert current.files.lock(one) is True
        assert current.files.lock(two) is False
        assert current.files.lock(one) is True
    finally:
        os.close(one)
    try:
        assert current.files.lock(two) is True
    finally:
        os.close(two)


async def test_signals_are_told_by_name_and_given_back() -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    before = signal.getsignal(signal.SIGTERM)
    with posix_streams.Streaming().on_stop(asyncio.get_running_loop(), told.put_nowait):
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await told.get() == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_reader_that_is_not_wanted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix_streams, "_LOOK_SECONDS", 0.001)
    read, write = os.pipe()
    try:
        os.write(write, b"one\n")
        file = posix_streams.Streaming().patient(read, lambda: True)
        assert file is not None
        assert file.readline() == b"one\n"
        assert file.readline() == b""
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.skipif(current.name != "linux", reason="the kernel of Linux tells a child")
def test_a_worker_that_hangs_ends_with_its_owner() -> None:
    child = "from routestudio.system import current\n" \
            "current.workers.end_with_owner(0)\n" \
            "print('ready', flush=True)\n" \
            "while True: pass\n"  # fmt: skip
    owner = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=300)  # fmt: skip
    pid = int(done.stdout)
    # Its number is gone, or it waits for init to take note of its end.
    state = Path(f"/proc/{pid}/stat")
    for _ in range(200):
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        os.sched_yield()
        subprocess.run(["true"], check=True)
    pytest.fail("it is still running")
