"""The walls around functions in words, for every sum that a worker may give."""

from __future__ import annotations

import pytest

from routestudio.functions.doors import LANDLOCK, LIMITS, SECCOMP
from routestudio.functions.pool import FunctionPool
from routestudio.functions.walls import left_open, sentences, walls

ALL = LIMITS | LANDLOCK | SECCOMP


@pytest.mark.parametrize(
    ("held", "system", "first", "count"),
    [
        (ALL, "linux", None, 0), (LIMITS | SECCOMP, "linux", None, 0),
        (LIMITS | LANDLOCK, "linux", "change modes and times of files", 1),
        (LIMITS, "linux", "change and remove files", 4),
        (LIMITS, "macos", "change and remove files", 5), (0, "win32", "open and list files", 7),
    ],
)  # fmt: skip
def test_what_is_left_open_is_named(held: int, system: str, first: str | None, count: int) -> None:
    found = left_open(held, system)
    assert len(found) == count
    text = sentences(held, system)
    assert all(item in text for item in [*walls(held), *found])
    if first is None:
        assert text.endswith("all of its doors are closed.")
    else:
        assert found[0] == first
        assert "a stranger's project" in text


async def test_they_are_those_of_the_worker(pool: FunctionPool) -> None:
    held = await pool.doors()
    for name, wall in {
        "limits of the system": LIMITS,
        "Landlock": LANDLOCK,
        "seccomp": SECCOMP,
    }.items():
        assert (name in walls(held)) is bool(held & wall)
