"""Runs of the engine: what they refuse, what they keep, and dead letters that are fed back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import UsageError
from routestudio.formats.reader import RowReader
from routestudio.pipeline.ending import RunStoppedError
from routestudio.sources import files

SINK = "events-to-http"


async def test_dead_letters_never_go_into_the_file_that_is_read(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    file = demo / "samples/shop.jsonl"
    before = file.read_bytes()
    link = demo / "other.jsonl"
    link.symlink_to(file)
    for same in (file, link):
        with pytest.raises(UsageError, match="dead-letter file is the file of messages"):
            await service.run(SINK, input=str(file), standin=True, dead_letters=str(same))
    with pytest.raises(UsageError, match="checkpoint file is the file of messages"):
        await service.run(SINK, input=str(file), standin=True, checkpoint=str(file))
    assert file.read_bytes() == before


async def test_a_checkpoint_is_of_one_source(
    service: EngineService, demo: Path, tmp_path: Path
) -> None:
    await service.open(str(demo))
    mark = tmp_path / "mark.json"
    shop, other = demo / "samples/shop.jsonl", demo / "samples/awkward.jsonl"
    first = await service.run(SINK, input=str(shop), standin=True, checkpoint=str(mark))
    assert first["read"] > 0
    again = await service.run(SINK, sample="shop", standin=True, checkpoint=str(mark))
    assert again["delivered"] == 0
    with pytest.raises(UsageError, match="another source"):
        await service.run(SINK, input=str(other), standin=True, checkpoint=str(mark))


async def test_a_run_that_cannot_go_on_tells_what_was_done(
    service: EngineService, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.open(str(demo))
    usual = files.read_file

    def broken(path: Path) -> Any:
        yield from usual(path)
        raise UsageError("the disk is gone")

    monkeypatch.setattr("routestudio.engine.sources.files.read_file", broken)
    events: list[tuple[str, dict[str, Any]]] = []
    with pytest.raises(RunStoppedError, match="the disk is gone") as caught:
        await service.run(
            SINK, input=str(demo / "samples/shop.jsonl"), standin=True,
            emit=lambda name, data: events.append((name, data)),
        )  # fmt: skip
    stopped = [data for name, data in events if name == "stopped"]
    assert stopped == [caught.value.summary.as_json()]


def messages(path: Path) -> Sequence[Any]:
    return [
        item.as_json()
        for item in RowReader().read_all(files.read_file(path))
        if hasattr(item, "as_json")
    ]


async def test_dead_letters_can_be_fed_back(
    service: EngineService, demo: Path, tmp_path: Path
) -> None:
    await service.open(str(demo))
    source, dead = tmp_path / "in.jsonl", tmp_path / "dead.jsonl"
    lines = (demo / "samples/shop.jsonl").read_text().splitlines()
    source.write_text("\n".join(lines) + "\n")
    broken = "def route(action, record, changes, metadata):\n    return {'method': 'BREW'}\n"
    path = demo / "functions/rest_path.py"
    good = path.read_text()
    path.write_text(broken)
    await service.open(str(demo))
    summary = await service.run(SINK, input=str(source), standin=True, dead_letters=str(dead))
    assert summary["rejected"] > 0
    assert summary["delivered"] == 0
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    assert len(letters) == summary["rejected"]
    assert [each["message"] for each in letters if each["message"]] == messages(dead)
    path.write_text(good)
    await service.open(str(demo))
    second = await service.run(SINK, input=str(dead), standin=True)
    assert second["read"] == summary["rejected"]
    assert second["delivered"] == len(messages(dead)) - second["filtered"] - second["rejected"]
    assert second["delivered"] > 0
