"""A new project of every sink type previews, lints clean and is not written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routestudio.app import main
from routestudio.sinks import registry


@pytest.mark.slow
@pytest.mark.parametrize("key", registry.default().keys())
def test_a_new_project_works(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "shop")
    assert main(["new", folder, "--sink", key]) == 0
    sink = "orders-to-" + ("webhook" if key == "http_push" else key.replace("_", "-"))
    capsys.readouterr()
    assert main(["preview", folder, sink, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["action"] for row in rows] == ["insert", "update", "read", "delete"]
    assert {source for row in rows for source in row["provenance"].values()} <= {
        "function", "default"}  # fmt: skip
    assert main(["lint", folder, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    before = {path: path.read_bytes() for path in (tmp_path / "shop").rglob("*") if path.is_file()}
    assert main(["new", folder, "--sink", key]) == 2
    assert {path: path.read_bytes() for path in before} == before
