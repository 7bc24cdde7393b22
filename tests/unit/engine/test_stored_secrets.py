"""A secret that was just stored is used at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService

YAML = """\
databases:
  - name: shop
sinks:
  - name: cache
    database: shop
    destination:
      type: redis_string
      host: localhost
      port: 6379
      password: ${CACHE_PASSWORD}
"""


def problems(snapshot: dict[str, Any]) -> list[str]:
    return [problem["field"] for problem in snapshot["sinks"][0]["field_problems"]]


@pytest.mark.parametrize("where", ["env", "keyring"])
async def test_a_variable_that_was_missing_is_found_once_it_is_stored(
    tmp_path: Path, memory_keyring: object, where: str
) -> None:
    (tmp_path / "sequin.yaml").write_text(YAML)
    path = ["sinks", "cache", "destination", "password"]
    async with EngineService() as engine:
        assert problems(await engine.open(str(tmp_path))) == ["password"]
        snapshot = await engine.put_secret(path, "CACHE_PASSWORD", "hunter22", where)
        assert problems(snapshot) == []
        assert "hunter22" not in str(snapshot)
