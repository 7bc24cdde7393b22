"""Starts the function worker while a command's modules are still being imported.

Either takes a tenth of a second and more, and the worker is another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from routestudio import system, tasks
from routestudio.errors import WorkerError
from routestudio.functions import errands
from routestudio.functions.pool import FunctionPool
from routestudio.project_names import YAML_FILE

_READ: Final = 1 << 20

_pool: FunctionPool | None = None


async def start(project: str) -> None:
    """Start a worker for a project, if it seems to have functions; `take` gives its pool."""
    global _pool
    found = guessed(project)
    if found is None:
        return
    _pool = FunctionPool()
    _pool.load(*found)
    tasks.spawn(_warm(_pool), name="function worker")
    await asyncio.sleep(0)  # the process starts in the task's first step


def take() -> FunctionPool | None:
    """The pool whose worker was started; it belongs to the caller from now on."""
    global _pool
    pool, _pool = _pool, None
    return pool


def guessed(project: str) -> tuple[str, ...] | None:
    """What a worker will have to load, by a look at the text; `None` without functions.

    A wrong guess costs time, nothing else: what a function needs is loaded when it is asked for.
    """
    path = Path(project)
    try:
        text = _beginning(path / YAML_FILE if path.is_dir() else path)
    except OSError:
        return None
    if b"functions" not in text:
        return None
    elixir = b"python" not in text or b"elixir" in text or b".ex" in text
    return (errands.ELIXIR,) if elixir else ()


def _beginning(path: Path) -> bytes:
    """The first part of a regular file, by the rule for files of a project: nothing else is opened,
    and nothing is waited for. Raises `OSError`."""
    flags = os.O_RDONLY | system.current.files.guarded
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read(_READ) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


async def _warm(pool: FunctionPool) -> None:
    with contextlib.suppress(WorkerError):  # it is reported where the worker is needed
        await pool.warm()
