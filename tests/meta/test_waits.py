"""Tests wait for what they need, never for a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LONGEST = 0.2
"""Seconds. What is waited for in a loop may be looked for again after so long."""

MEASURES = ("benchmarks", "soak", "large")
"""Folders of programs that measure for a while, and of no tests."""

REASONS = {
    "fault/harness.py": "how long a service is away or stands still is what is tried",
    "integration/test_source_redis_faults.py": "nothing may happen at the next look, which has no "
    "sign of its own",
}
"""Files with longer waits, and why."""


def sources() -> list[Path]:
    return [
        path
        for path in sorted(TESTS.rglob("*.py"))
        if path.relative_to(TESTS).parts[0] not in MEASURES
    ]


def constants(tree: ast.Module) -> dict[str, float]:
    """Numbers of the module by their names."""
    found: dict[str, float] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and isinstance(value.value, (int, float)):
            found |= {t.id: float(value.value) for t in targets if isinstance(t, ast.Name)}
    return found


def waits(tree: ast.Module) -> Iterator[tuple[int, float]]:
    """Lines that wait for a fixed time, and the seconds."""
    known = constants(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func)
        scale = {"asyncio.sleep": 1.0, "time.sleep": 1.0, "sleep": 1.0}.get(name, 0.0)
        if name.endswith(("qWait", "qtbot.wait")):
            scale = 0.001
        given = node.args[0]
        if isinstance(given, ast.Name) and given.id in known:
            yield node.lineno, known[given.id] * scale
        elif isinstance(given, ast.Constant) and isinstance(given.value, (int, float)):
            yield node.lineno, given.value * scale


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_waits_for_a_time(path: Path) -> None:
    found = [line for line, s in waits(ast.parse(path.read_text("utf-8"))) if s > LONGEST]
    name = str(path.relative_to(TESTS))
    assert bool(found) == (name in REASONS), f"{name}, lines {found}: wait for a condition"


def test_what_is_found() -> None:
    text = "S = 2\nawait_ = asyncio.sleep(0.3)\ntime.sleep(S)\nqtbot.wait(500)\nother(9)\n"
    assert list(waits(ast.parse(text))) == [(2, 0.3), (3, 2.0), (4, 0.5), (5, 0.0)]
