"""Search through a project: what is found, where it leads, what is not searched and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from routestudio.api.finding import FileBegun, FileFound, FoundLine, SearchEnd
from routestudio.engine import searching
from routestudio.engine.service import EngineService
from routestudio.errors import UsageError

Lines = dict[str, Sequence[FoundLine]]


async def search(service: EngineService, text: str, **how: bool) -> tuple[Lines, SearchEnd]:
    """Files by name, and the summary."""
    found: Lines = {}

    def tell(event: FileBegun | FileFound) -> None:
        if isinstance(event, FileFound):
            found[event.file] = event.lines

    summary = await service.finding.search(text, tell=tell, **how)
    assert summary.files == len(found)
    assert summary.lines == sum(map(len, found.values()))
    return found, summary


def row(found: Lines, file: str, line: int) -> FoundLine:
    return next(item for item in found[file] if item.line == line)


async def test_every_kind_of_text_is_searched(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    found, summary = await search(service, "region")
    assert {"functions/orders_by_region.py", "sequin.yaml", "tests/orders.yaml",
            "samples/shop.jsonl"} <= set(found)  # fmt: skip
    assert summary.skipped == []
    lines = (demo / "functions/orders_by_region.py").read_text().splitlines()
    for item in found["functions/orders_by_region.py"]:
        line = lines[item.line - 1]
        at = item.column - 1
        assert line[at : at + item.length].lower() == "region"
        assert item.text[item.start : item.end].lower() == "region"
        assert (item.kind, item.name) == ("function", "orders-by-region")


async def test_lines_of_the_project_file_lead_to_what_they_are_of(
    service: EngineService, demo: Path
) -> None:
    yaml = (demo / "sequin.yaml").read_text()
    yaml += "# the end: orders-to-nowhere\n"
    inline = ("functions:\n  - name: inline\n    type: filter\n    language: python\n    code: |\n"
              "      def filter(action, record, changes, metadata):\n"
              "          return metadata.table_name == 'unusual'\n")  # fmt: skip
    yaml = yaml.replace("functions:\n", inline, 1)
    (demo / "sequin.yaml").write_text(yaml)
    await service.open(str(demo))
    found, _ = await search(service, "SHOP_KAFKA_HOSTS")
    (hit,) = found["sequin.yaml"]
    assert (hit.kind, hit.name, hit.at) == ("file", "sequin.yaml", hit.line)
    found, _ = await search(service, "unusual")
    (hit,) = found["sequin.yaml"]
    assert (hit.kind, hit.name, hit.at) == ("function", "inline", 2)
    found, _ = await search(service, "SHOP_API_URL")
    assert found["sequin.yaml"][0].kind == "file"


async def test_a_line_of_a_test_leads_to_the_test(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    found, _ = await search(service, "payments are not")
    (hit,) = found["tests/orders.yaml"]
    names = await service.finding.names()
    (test,) = [item for item in names.tests if "payments are not" in item.name]
    assert (hit.kind, hit.name, hit.at) == ("test", test.file, test.index)


async def test_case_words_and_expressions(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    file = "functions/orders_by_region.py"
    assert file not in (await search(service, "REGION", case=True))[0]
    assert file not in (await search(service, "regio", word=True))[0]
    found, _ = await search(service, r"def \w+\(", pattern=True)
    assert [item.line for item in found[file]] == [
        number for number, line in enumerate((demo / file).read_text().splitlines(), 1)
        if line.startswith("def ")
    ]  # fmt: skip
    with pytest.raises(UsageError, match="not valid"):
        await search(service, "(", pattern=True)
    with pytest.raises(UsageError, match="nothing to find"):
        await search(service, "")


async def test_unsaved_edits_are_searched(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    await service.apply({"op": "set_code", "name": "orders-by-region", "code": "x = 'typed-now'\n"})
    await service.apply({"op": "set_sample", "name": "shop", "text": '{"a": "sampled-now"}\n'})
    assert set((await search(service, "typed-now"))[0]) == {"functions/orders_by_region.py"}
    assert set((await search(service, "sampled-now"))[0]) == {"samples/shop.jsonl"}
    assert (await search(service, "orders.eu"))[0].keys().isdisjoint({"samples/shop.jsonl"})


async def test_changed_lines_of_a_large_sample(service: EngineService, demo: Path) -> None:
    message = '{"action": "insert", "record": {"id": %d}}'
    old = [message % number for number in range(40_000)]
    (demo / "samples/many.jsonl").write_text("\n".join(old) + "\n")
    await service.open(str(demo))
    new = message % 777_777
    await service.apply({"op": "set_sample_line", "name": "many", "path": "30001",
                         "ending": ".jsonl", "line": 30_001, "old": old[30_000],
                         "text": new})  # fmt: skip
    found, _ = await search(service, "777777")
    (hit,) = found["samples/many.jsonl"]
    assert (hit.line, hit.kind, hit.at) == (30_001, "sample", 30_001)
    assert "samples/many.jsonl" not in (await search(service, ": 30000}"))[0]
    assert row((await search(service, ": 39999}"))[0], "samples/many.jsonl", 40_000)


async def test_what_is_not_searched_is_named(
    service: EngineService, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (demo / "samples/broken.jsonl").write_bytes(b"PK\x03\x04 region")
    (demo / "samples/large.jsonl").write_text('{"region": 1}\n' * 200)
    monkeypatch.setattr(searching, "LARGEST", 1_000)
    monkeypatch.setattr(searching, "MOST_OF_FILE", 5)
    await service.open(str(demo))
    found, summary = await search(service, '"region": 1')
    why = {item.file: item.why for item in reversed(summary.skipped)}
    assert "zip archive" in why["samples/broken.jsonl"]
    assert "too many lines match" in why["samples/large.jsonl"]
    assert len(found["samples/large.jsonl"]) == 5
    found, summary = await search(service, "not there at all")
    assert found == {}
    why = {item.file: item.why for item in summary.skipped}
    assert "only the first 0 of 0 MB" in why["samples/large.jsonl"]
    monkeypatch.setattr(searching, "MOST", 3)
    _, summary = await search(service, "region")
    assert summary.lines == 3
    assert any("ended after 3 lines" in item.why for item in summary.skipped)


async def test_secrets_are_not_searched(service: EngineService, demo: Path) -> None:
    (demo / ".env").write_text("SHOP_DB_PASSWORD=hunter2-in-env\n")
    yaml = (demo / "sequin.yaml").read_text()
    (demo / "sequin.yaml").write_text(yaml + "# hunter2-in-env, as somebody noted\n")
    (demo / "samples/leaked.jsonl").write_text('{"note": "it is hunter2-in-env"}\n')
    await service.open(str(demo))
    service.workspace.project.environment.resolve("${SHOP_DB_PASSWORD}")
    found, _ = await search(service, "hunter2")
    assert "sequin.yaml" not in found
    assert ".env" not in found
    assert "hunter2" not in repr(found)


async def test_no_part_of_a_secret_is_shown_at_an_end_of_a_line(
    service: EngineService, demo: Path
) -> None:
    """The text around a match is cut where a secret stands."""
    secret = "0123456789-abcdefghij-klmnopqrst-uvwxyz"
    (demo / ".env").write_text(f"SHOP_DB_PASSWORD={secret}\n")
    lines = ["y" * (before + 200) + secret + "y" * before + "needle" + "y" * after + secret
             for before, after in ((50, 230), (40, 220), (3, 210), (59, 233))]  # fmt: skip
    (demo / "samples/leaked.jsonl").write_text("\n".join(lines) + "\n")
    await service.open(str(demo))
    found, _ = await search(service, "needle")
    shown = [item.text for item in found["samples/leaked.jsonl"]]
    assert len(shown) == len(lines)
    for part in (secret[:4], secret[-4:], secret[10:14]):
        assert not any(part in text for text in shown), part


@pytest.mark.slow
async def test_an_expression_that_takes_for_ever_ends_the_search(
    service: EngineService, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (demo / "samples/hostile.jsonl").write_text("a" * 60 + "!\n")
    await service.open(str(demo))
    await search(service, "region", pattern=True)  # the worker is there
    service.pool.seconds_per_text = 0.2
    with pytest.raises(UsageError, match=r"takes too long in samples/hostile\.jsonl"):
        await search(service, "(a+)+$", pattern=True)
    service.pool.seconds_per_text = 30.0
    assert (await search(service, "region", pattern=True))[0]
