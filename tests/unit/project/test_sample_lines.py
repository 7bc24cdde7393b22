"""Single lines of a sample file: changed, previewed, undone, saved, recovered; others untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import ProjectError, UsageError
from routestudio.project import sample_lines
from routestudio.project.starter import create_project
from routestudio.sinks import registry
from routestudio.sources.lines import MAX_LINE

ROWS = 40_000


def line_of(number: int) -> str:
    # Spaces and numbers as no program would write them again.
    return (f'{{ "action":"insert" ,"record":{{"id":{number}, "price":1.10, "note":"{"n" * 70}"}},'
            f'"metadata":{{"table_name":"orders"}}}}')  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A set of more characters than are edited as a text: blank lines, CR LF, no end at the end."""
    create_project(tmp_path / "shop", registry.default().get("kafka"))
    path = tmp_path / "shop" / "samples" / "big.jsonl"
    lines = [line_of(n) + ("\r\n" if n % 7 == 0 else "\n\n" if n % 11 == 0 else "\n")
             for n in range(ROWS)]  # fmt: skip
    path.write_bytes("".join(lines).encode()[:-1])
    assert path.stat().st_size > 4 << 20
    return path


def content(file: Path) -> bytes:
    return file.read_bytes()


def put(file: Path, data: bytes) -> None:
    file.write_bytes(data)


async def opened(service: EngineService, file: Path) -> str:
    snapshot = await service.open(str(file.parent.parent))
    return str(snapshot["sinks"][0]["name"])


async def lines(service: EngineService, start: int, count: int, **more: Any) -> Any:
    return await service.methods["sample_lines"]("big", start, count, **more)


async def change(service: EngineService, row: int, old: str, new: str) -> dict[str, Any]:
    page = await lines(service, row, 1)
    [[number, text, whole]] = page["lines"]
    assert whole
    assert old in text
    edit = {"op": "set_sample_line", "name": "big", "ending": page["ending"], "line": number,
            "path": str(number), "old": text, "text": text.replace(old, new)}  # fmt: skip
    return dict(await service.methods["apply"](edit))


@pytest.mark.slow
async def test_a_line_is_changed_previewed_delivered_and_saved_alone(file: Path) -> None:
    before = content(file)
    async with EngineService() as service:
        sink = await opened(service, file)
        page = await lines(service, 20_000, 3)
        assert page["rows"] == ROWS
        assert [text for _, text, _ in page["lines"]] == [line_of(n) for n in range(20_000, 20_003)]
        number = page["lines"][1][0]
        assert (await lines(service, 0, 1, line=number))["start"] == 20_001
        snapshot = await change(service, 20_001, '"id":20001', '"id":12345678901234567890')
        assert snapshot["dirty"] == ["samples/big.jsonl"]
        assert next(s for s in snapshot["samples"] if s["name"] == "big")["rows"] == ROWS
        await service.preview(sink, sample="big", limit=1)
        row = await service.row(20_001)
        assert row is not None
        assert row["message"]["record"]["id"] == 12345678901234567890
        assert content(file) == before
        summary = await service.run(sink, standin=True, sample="big")
        assert summary["delivered"] == ROWS
        await service.export("routestudio", str(file.parent.parent.parent / "out"))
        await service.methods["save"]()
        after = content(file)
        exported = file.parent.parent.parent / "out" / "samples" / "big.jsonl"
        assert content(exported) == after
        assert after == before.replace(b'"id":20001,', b'"id":12345678901234567890,')
        assert (await lines(service, 20_001, 1))["lines"][0][1].count("12345678901234567890") == 1


async def test_undo_and_redo_go_over_a_save(file: Path) -> None:
    before = content(file)
    async with EngineService() as service:
        await opened(service, file)
        await change(service, 3, '"id":3', '"id":33')
        await change(service, 10, '"id":10', '"id":100')
        snapshot = await service.methods["undo"]()
        assert snapshot["dirty"] == ["samples/big.jsonl"]
        assert '"id":10,' in (await lines(service, 10, 1))["lines"][0][1]
        await service.methods["save"]()
        assert content(file) == before.replace(b'"id":3,', b'"id":33,')
        snapshot = await service.methods["undo"]()
        assert snapshot["dirty"] == ["samples/big.jsonl"]
        assert '"id":3,' in (await lines(service, 3, 1))["lines"][0][1]
        await service.methods["save"]()
        assert content(file) == before
        await service.methods["redo"]()
        await service.methods["redo"]()
        await service.methods["save"]()
        changed = before.replace(b'"id":3,', b'"id":33,').replace(b'"id":10,', b'"id":100,')
        assert content(file) == changed


async def test_edits_of_lines_are_recovered_after_a_crash(file: Path) -> None:
    async with EngineService() as service:
        await opened(service, file)
        await change(service, 5, '"id":5', '"id":55')
        await change(service, 6, '"id":6', '"id":66')
        await service.methods["undo"]()
    async with EngineService() as service:
        await opened(service, file)
        assert '"id":5,' in (await lines(service, 5, 1))["lines"][0][1]
        await service.methods["recover"]()
        texts = [text for _, text, _ in (await lines(service, 5, 2))["lines"]]
        assert '"id":55,' in texts[0]
        assert '"id":6,' in texts[1]


async def test_a_file_that_another_program_changed_is_not_written_over(file: Path) -> None:
    async with EngineService() as service:
        await opened(service, file)
        await change(service, 30, '"id":30', '"id":99')
        other = content(file).replace(b'"id":0,', b'"id":1,').replace(b'"id":30,', b'"id":31,')
        put(file, other)
        with pytest.raises(ProjectError, match="another program"):
            await service.methods["save"]()
        assert content(file) == other
        await service.methods["undo"]()
        await service.methods["save"]()
        assert content(file) == other


async def test_only_lines_that_are_whole_texts_are_edited(file: Path) -> None:
    long = line_of(1).replace("n" * 70, "n" * 300_000)
    put(file, long.encode() + b'\n{"action": "\xff"}\n' + line_of(2).encode() * 50_000)
    async with EngineService() as service:
        await opened(service, file)
        found = (await lines(service, 0, 3))["lines"]
        assert [whole for _, _, whole in found] == [False, False, False]
        assert all(len(text) <= 200_000 for _, text, _ in found)
        with pytest.raises(UsageError, match="one line"):
            await service.methods["apply"](
                {"op": "set_sample_line", "name": "big", "line": 1, "old": long, "text": "a\nb"}
            )
        for ending in (".csv", "/../x.jsonl"):
            with pytest.raises(UsageError, match="not edited"):
                await service.methods["apply"](
                    {"op": "set_sample_line", "name": "big", "ending": ending, "line": 1,
                     "old": "", "text": ""})  # fmt: skip
    assert MAX_LINE > 200_000


def test_changes_are_told_of_the_file_after_a_save() -> None:
    kept = sample_lines.text_of({1: ("a", "b"), 2: ("c", "c"), 3: ("x", "y")})
    assert json.loads(kept or "") == {"1": ["a", "b"], "3": ["x", "y"]}
    saved = {1: ("a", "b"), 4: ("d", "e")}
    assert sample_lines.changes_of(sample_lines.rebased(kept, saved)) == {
        3: ("x", "y"), 4: ("e", "d")
    }  # fmt: skip
    assert sample_lines.rebased(None, {1: ("a", "b")}) == '{"1": ["b", "a"]}'
    assert sample_lines.with_line("a\r\nb", 1, "c") == "c\r\nb"
