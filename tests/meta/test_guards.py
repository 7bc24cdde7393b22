"""The guards of tests/support catch what they are there for, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LEAKING = """
import asyncio, logging, os, socket, subprocess, sys, threading
import pytest
from routestudio import tasks

kept = []

async def test_task():
    kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(60), name="sleepy"))

def test_thread():
    stop = threading.Event()
    kept.append(stop)
    threading.Thread(target=stop.wait, args=(3,), name="weaver").start()

def test_process():
    kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(4)"]))

def test_socket():
    kept.append(socket.socket())

def test_log():
    logging.getLogger("routestudio.any").warning("something %s", "odd")

def test_network():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), 1)

def test_look_up():
    with pytest.raises(OSError):
        socket.getaddrinfo("www.example.org", 80)
"""

TIDY = """
import asyncio, logging, os, socket, subprocess, sys, threading
import pytest
from pathlib import Path
from routestudio import tasks

async def test_task_that_ends():
    task = tasks.spawn(asyncio.sleep(60), name="sleepy")
    await tasks.stop(task)

async def test_thread_pool():
    assert await asyncio.to_thread(lambda: 1) == 1

def test_process():
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_socket():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

@pytest.mark.allow_log
def test_log():
    logging.getLogger("routestudio.any").warning("expected")

def test_quiet_log():
    logging.getLogger("routestudio.any").info("fine")

def test_reserved_names_are_unknown_without_asking():
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("kafka.invalid", 9092)

def test_home():
    assert Path.home().name.startswith("routestudio-tests-")
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"

def test_no_keyring():
    import keyring
    keyring.set_password("a", "b", "c")
    assert keyring.get_password("a", "b") is None

def test_memory_keyring(memory_keyring):
    import keyring
    keyring.set_password("a", "b", "c")
    assert keyring.get_password("a", "b") == "c" == memory_keyring.secrets["a", "b"]
"""


def run(folder: Path, code: str) -> str:
    """Run the tests in `code` under this project's conftest; return what pytest prints."""
    test = folder / "test_inner.py"
    test.write_text(code)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.conftest"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"),
            str(test),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("leaking"), LEAKING)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("test_task", "left behind: tasks sleepy"),
        ("test_thread", "left behind: thread weaver"),
        ("test_process", "left behind: process .*time.sleep"),
        ("test_socket", "left behind: socket"),
        ("test_log", "logged: WARNING routestudio.any: something odd"),
        ("test_network", "left the machine: connected to 192.0.2.1"),
        ("test_look_up", "left the machine: looked up www.example.org"),
    ],
)
def test_a_guard_catches(caught: str, test: str, words: str) -> None:
    assert re.search(rf"^(?:FAILED|ERROR) .*::{test}\b", caught, re.MULTILINE), caught
    assert re.search(words, caught), caught


@pytest.mark.slow
def test_tidy_tests_pass(tmp_path: Path) -> None:
    output = run(tmp_path, TIDY)
    assert re.search(r"^10 passed in ", output, re.MULTILINE), output
