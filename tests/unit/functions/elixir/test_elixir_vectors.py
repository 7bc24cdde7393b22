"""Every recorded program of the real Elixir and of the server's validator, through the worker."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.functions.batch import run_batch
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool

FOLDER = Path(__file__).parents[3] / "data" / "vectors"
PROGRAMS = ("elixir.jsonl", "elixir_119.jsonl", "elixir_otp28.jsonl")
"""A row of a later file replaces that of the same id."""


def rows(*files: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in files:
        text = (FOLDER / name).read_text(encoding="utf-8")
        found |= {row["id"]: row for row in map(json.loads, text.splitlines())}
    return list(found.values())


@pytest.fixture
async def pool() -> AsyncIterator[FunctionPool]:
    pool = FunctionPool(limits=Limits(seconds_per_message=20.0))
    try:
        yield pool
    finally:
        await pool.close()


async def answers(pool: FunctionPool, programs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = [json.dumps(program) for program in programs]
    return [row async for row in run_batch(lines, pool)]


def same(a: Any, b: Any) -> bool:
    """Equal, with 1 and 1.0, and 0.0 and -0.0, told apart."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def difference(wanted: dict[str, Any], got: dict[str, Any]) -> str | None:
    if "error" not in wanted:
        good = got["ok"] and same(got["output"], wanted["output"])
        return None if good else f"{wanted['id']}: {wanted['output']} != {got}"
    error = wanted["error"]
    if got["ok"] or got["error"]["type"] != error["type"]:
        return f"{wanted['id']}: {error} != {got}"
    if error.get("line") and got["error"]["line"] != error["line"]:
        return f"{wanted['id']}: line {error['line']} != {got['error']['line']}"
    return None


@pytest.mark.slow
async def test_programs_give_what_elixir_gives(pool: FunctionPool) -> None:
    wanted = rows(*PROGRAMS)
    programs = [
        {"id": r["id"], "language": "elixir", "kind": r["kind"], "code": r["code"],
         "input": r["input"]} for r in wanted
    ]  # fmt: skip
    got = await answers(pool, programs)
    found = [difference(w, g) for w, g in zip(wanted, got, strict=True)]
    assert [text for text in found if text] == []
    assert len(wanted) >= 500


async def test_sources_get_the_verdict_of_the_server(pool: FunctionPool) -> None:
    wanted = rows("validator.jsonl")
    programs = [
        {"id": r["id"], "language": "elixir", "kind": "transform", "code": r["code"]}
        for r in wanted
    ]  # fmt: skip
    wrong = []
    for row, got in zip(wanted, await answers(pool, programs), strict=True):
        if row["accept"]:
            good = got["ok"]
        else:
            error = got.get("error") or {}
            text = row.get("message") or row.get("shown")
            free = row["category"] in ("parse", "compile")
            good = error.get("code") == row["category"] and (free or error["message"] == text)
            good = good and row.get("line") in (None, error.get("line"))
        if not good:
            wrong.append((row["id"], row["title"], got))
    assert wrong == []


@pytest.mark.slow
async def test_inspect_writes_what_elixir_writes(pool: FunctionPool) -> None:
    wanted = [
        # The recorded texts are on one line, whatever their length.
        r for r in rows(*PROGRAMS)
        if len(r.get("inspect", "x" * 99)) <= 80 and r["kind"] == "expr"
    ]  # fmt: skip
    programs = [
        {"id": r["id"], "language": "elixir", "kind": "expr", "input": r["input"],
         "code": f"value = (\n{r['code']}\n)\nf = &inspect/1\nf.(value)"} for r in wanted
    ]  # fmt: skip
    wrong = []
    for row, got in zip(wanted, await answers(pool, programs), strict=True):
        if not got["ok"] or got["output"] != row["inspect"]:
            wrong.append((row["id"], row["inspect"], got))
    assert wrong == []
