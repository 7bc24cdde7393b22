"""Python routes of every sink type, converted, exported, and evaluated by the real Elixir.

Each on 60 generated messages; `ROUTESTUDIO_CONVERT_MESSAGES=1000` tries that many and `-s` prints
the counts:

    ROUTESTUDIO_CONVERT_MESSAGES=1000 python -m pytest -s tests/integration/test_conversion_real.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from routestudio.derive.starter import starter
from routestudio.engine.service import EngineService
from routestudio.functions.conversion.verify import comparable
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message
from routestudio.sinks import registry
from tests.support.conversion_routes import FIELDS, elixir_messages, messages, routes
from tests.support.elixir_process import Elixir

COUNT = int(os.environ.get("ROUTESTUDIO_CONVERT_MESSAGES", "60"))
CHUNK = 100
SINKS = sorted(sink.key for sink in registry.default())


def project(folder: Path, codes: dict[str, str]) -> Path:
    """A project of Python functions, and nothing else."""
    functions = folder / "functions"
    functions.mkdir(parents=True)
    lines = ["functions:"]
    for name, code in codes.items():
        (functions / f"{name}.py").write_text(code, encoding="utf-8")
        lines += [f"  - name: {name}", "    type: routing", "    language: python",
                  f"    file: functions/{name}.py"]  # fmt: skip
    (folder / "sequin.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


async def exported(folder: Path) -> dict[str, str]:
    """The Elixir code of every function in the export for a server."""
    async with EngineService(workers=1) as engine:
        await engine.open(str(folder))
        text = (await engine.export("sequin"))["text"]
    data = YAML(typ="safe").load(text)
    assert "language" not in text
    return {item["name"]: item["code"] for item in data["functions"]}


def plain(value: Any) -> Any:
    """A value of the tagged encoding as plain data; keys of maps as text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if "$map" in value:
            return {
                key if isinstance(key, str) else key["$atom"]: plain(item)
                for key, item in value["$map"]
            }
        assert "$atom" in value
        return value["$atom"]
    return value


def by_elixir(code: str, count: int, elixir: Elixir) -> list[Any]:
    """What the real Elixir gives for every message: `["ok", value]` or `["error", name]`."""
    body = code.split("do\n", 1)[1].rsplit("end", 1)[0]
    found: list[Any] = []
    for start in range(0, count, CHUNK):
        answer = elixir.evaluate(f"""
            run = fn action, record, changes, metadata ->
            _ = {{action, record, changes, metadata}}
            {body}
            end
            messages |> Enum.slice({start}, {CHUNK}) |> Enum.map(fn {{a, r, c, m}} ->
              try do
                ["ok", run.(a, r, c, m)]
              rescue
                error -> ["error", inspect(error.__struct__)]
              end
            end)
        """)
        assert "value" in answer, f"{answer}\n{code}"
        found += [plain(item) for item in answer["value"]]
    return found


async def by_python(code: str, found: list[Message]) -> list[FunctionResult]:
    pool = FunctionPool(size=1)
    try:
        function = Function("f", FunctionKind.ROUTING, Language.PYTHON, code)
        return (await pool.evaluate([function], found))[0]
    finally:
        await pool.close()


def test_every_routed_field_is_tried() -> None:
    from routestudio.sinks.fields import routed_fields

    for sink in registry.default():
        assert set(FIELDS[sink.key]) == {field.name for field in routed_fields(sink)}


@pytest.mark.parametrize("key", SINKS)
async def test_converted_routes_give_the_same_in_elixir(key: str, tmp_path: Path) -> None:
    codes = {"starter": starter(registry.default().get(key)), **routes(key)}
    converted = await exported(project(tmp_path / "project", codes))
    assert set(converted) == set(codes)
    rows = messages(COUNT, SINKS.index(key))
    values = failures = 0
    with Elixir(elixir_messages(rows)) as elixir:
        for name, code in codes.items():
            theirs = by_elixir(converted[name], len(rows), elixir)
            ours = await by_python(code, rows)
            for message, one, two in zip(rows, ours, theirs, strict=True):
                shown = f"{name} on {message}\n{converted[name]}\npython {one}\nelixir {two}"
                if one.fault is not None:
                    assert two[0] == "error", shown
                    failures += 1
                else:
                    assert two[0] == "ok", shown
                    assert comparable(one.value) == comparable(two[1]), shown
                    values += 1
    assert values >= 2 * COUNT
    print(f"\n{key}: {len(codes)} routes, {COUNT} messages: {values} values equal, "
          f"{failures} rows fail in both, 0 differ")  # fmt: skip
