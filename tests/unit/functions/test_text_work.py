"""Texts of functions are worked on where that can be stopped: check, format, convert."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from routestudio.engine import hazards
from routestudio.errors import UsageError, WorkerError
from routestudio.functions import errands
from routestudio.functions.analysis.reading import analyse
from routestudio.functions.pool import FunctionPool, Limits
from routestudio.model.analysis import Analysis
from routestudio.model.function import Function, FunctionKind, Language
from tests.support.guards import children
from tests.unit.functions.helpers import function, message, source, whole

LONG = source("\n".join(f"x{number} = [record['a'], {number}]" for number in range(330)))
MILLION = "x = (1 + 2)\n" * 83_400


def elixir(code: str) -> Function:
    return Function("e", FunctionKind.ROUTING, Language.ELIXIR, code)


@pytest.mark.slow
async def test_a_text_that_takes_long_is_given_up(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.format("x = 1", Language.PYTHON)  # the worker is there
    monkeypatch.setattr(errands, "SECONDS", 0.02)
    with pytest.raises(UsageError, match=r"^formatting this text takes longer than 0\.02 s, and"):
        await pool.format(LONG, Language.PYTHON)
    found = await pool.convert(whole(LONG), [])
    assert [item.code for item in found.problems] == ["not_converted"]
    monkeypatch.setattr(errands, "SECONDS", 30.0)
    assert await pool.format("x  =  1", Language.PYTHON) == "x = 1\n"


@pytest.mark.slow
async def test_a_check_that_takes_long_is_an_answer(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.warm()
    monkeypatch.setattr(errands, "SECONDS", 0.004)
    (found,) = await pool.check(whole(LONG))
    assert (found.code, found.severity) == ("not_checked", "error")
    with pytest.raises(WorkerError, match="checking this text takes longer than"):
        await pool.evaluate([whole(LONG)], [message()])
    monkeypatch.setattr(errands, "SECONDS", 30.0)
    assert await pool.check(whole(LONG)) == []  # that it took long once is not remembered


@pytest.mark.slow
@pytest.mark.parametrize("language", Language)
async def test_a_million_bytes_are_answered_at_once(
    pool: FunctionPool, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the engine nothing even parses such a text."""
    monkeypatch.setattr("ast.parse", None)
    given = Function("f", FunctionKind.ROUTING, language, MILLION)
    (found,) = await pool.check(given)
    assert found.code == "too_long"
    assert (await pool.convert(given, [])).after is None
    with pytest.raises(UsageError):
        await pool.format(MILLION, language)
    assert analyse(given) == Analysis(given)
    assert await pool.analysis(given) == Analysis(given)


async def test_lint_reads_no_text_that_was_not_checked(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Mock(pool=pool)
    assert await hazards._analysis(workspace, whole(LONG)) == analyse(whole(LONG))
    monkeypatch.setattr(errands, "SECONDS", 0.004)
    assert await hazards._analysis(workspace, whole(f"{LONG}\n")) is None
    assert await hazards._analysis(workspace, None) is None
    # Also where only the reading of it takes too long.
    assert await pool.analysis(whole(f"{LONG}\n\n")) == Analysis(whole(f"{LONG}\n\n"))


@pytest.mark.parametrize("given", [
    whole("def route(action, record, changes, metadata):\n"
          "    if action == 'delete' and metadata.table_name:\n        return None\n"
          "    return {'topic': record['a'], 'key': None}\n"),
    elixir("def route(action, record, changes, metadata) do\n"
           "  %{topic: Enum.map(%{a: 1}, fn {k, _} -> k end), key: record[\"é\"] || "
           "Regex.match?(~r/[[:punct:]]/, metadata.table_name)}\nend"),
    elixir("not elixir ("),
])  # fmt: skip
async def test_facts_from_a_worker_are_those_of_the_text(
    pool: FunctionPool, given: Function
) -> None:
    known = analyse(given)
    assert await pool.analysis(given) == known
    assert known.reads or "(" in given.code[-2:]


async def test_checks_give_what_the_checker_finds(pool: FunctionPool) -> None:
    for given in (function("return x"), elixir("def route(a, r, c, m), do: y"), function("retur")):
        checked = await pool.check(given)
        assert checked
        assert checked == await pool.check(given)
        assert all(item.line for item in checked)


@pytest.mark.slow
async def test_a_check_waits_for_no_evaluation() -> None:
    """The only worker is busy for a long time; whoever types is answered by another one."""
    pool = FunctionPool(limits=Limits(seconds_per_message=20.0))
    try:
        busy = asyncio.ensure_future(
            pool.evaluate([function("while True:\n    x = 1")], [message()])
        )
        await asyncio.sleep(0)
        assert not pool._is_free()
        assert await pool.check(function("return {}")) == []
        assert not busy.done()
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
    finally:
        await pool.close()


@pytest.mark.slow
async def test_a_check_can_be_cancelled(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.format("x = 1", Language.PYTHON)
    task = asyncio.ensure_future(pool.format(LONG, Language.PYTHON))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pool.format("y  = 1", Language.PYTHON) == "y = 1\n"


def limits_of(child: int) -> list[str]:
    return Path(f"/proc/{child}/limits").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are read from /proc")
async def test_the_worker_for_texts_has_little_memory(pool: FunctionPool) -> None:
    before = children()
    await pool.format("x = 1", Language.PYTHON)
    (child,) = children() - before
    assert str(errands.MEMORY) in next(line for line in limits_of(child) if "address space" in line)
