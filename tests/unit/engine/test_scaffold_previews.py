"""A new project of any sink type, before its secrets are set: preview, forecast, batch limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.engine.service import EngineService
from routestudio.sinks import registry

KEYS = [sink.key for sink in registry.default()]


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
async def test_a_new_project_is_previewed_as_its_scaffold_leaves_it(
    key: str, tmp_path: Path
) -> None:
    async with EngineService() as service:
        snapshot = await service.create(str(tmp_path / "new"), key)
        sink, sample = snapshot["sinks"][0], snapshot["samples"][0]["name"]
        totals = await service.preview(sink["name"], sample=sample)
        assert totals["ok"] == totals["rows"] > 0
        forecast = await service.methods["forecast"]()
        assert forecast["rows"] == totals["rows"]


@pytest.mark.parametrize(
    ("key", "inside", "needed"),
    [("elasticsearch", True, "endpoint_url"), ("meilisearch", True, "endpoint_url"),
     ("typesense", True, "endpoint_url"), ("kafka", False, "hosts"),
     ("redis_stream", False, "host")],
)  # fmt: skip
async def test_batch_limits_do_not_need_the_values_that_are_missing(
    key: str, inside: bool, needed: str, tmp_path: Path
) -> None:
    """A broken field elsewhere must not show the limits of the service instead of the sink's."""
    async with EngineService() as service:
        snapshot = await service.create(str(tmp_path / "new"), key)
        place = ["sinks", snapshot["sinks"][0]["name"]]
        size = [*place, *(["destination"] if inside else []), "batch_size"]
        await service.apply({"op": "set", "path": size, "value": 7})
        wrong = {"op": "set", "path": [*place, "destination", needed], "value": "${NOT_SET}"}
        sink = (await service.apply(wrong))["sinks"][0]
        assert not sink["ready"]
        assert sink["batch"]["messages"] == 7
