"""Files with many items: one edit reads its item, many edits read the file once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.project import document as documents
from routestudio.project.document import YamlDocument
from routestudio.project.splicing import Change

ITEM = """\
  # tenant {n}
  - name: t{n}
    database: shop   # shared
    actions: [insert, delete]
    source:
      include_tables:
        - s{n}.orders

    destination:
      type: kafka
      hosts: "h{n}:9092"
"""


def many(count: int) -> str:
    head = "# head\ndatabases:\n  - name: shop\nsinks:\n"
    return head + "".join(ITEM.format(n=n) for n in range(count)) + "# end\nother: 1\n"


class Reading:
    """Counts the characters that the parser is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.characters = 0
        real = documents.read_parts  # type: ignore[attr-defined]

        def counted(body: str, name: str) -> object:
            self.characters += len(body)
            return real(body, name)

        monkeypatch.setattr(documents, "read_parts", counted)


def test_an_edit_reads_its_item_only(monkeypatch: pytest.MonkeyPatch) -> None:
    document = YamlDocument(many(300))
    reading = Reading(monkeypatch)
    document.set(("sinks", "t5", "batch_size"), 7)
    document.set(("sinks", "t5", "destination", "hosts"), "other:1")
    document.remove(("sinks", "t250", "actions"))
    assert reading.characters < 12 * len(ITEM)
    assert document.position(("sinks", "t250", "destination", "type"))[0] == (
        document.text.split("\n").index('      hosts: "h250:9092"')
    )
    assert reading.characters < 12 * len(ITEM)


@pytest.mark.slow
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_edits_of_items_equal_edits_of_the_whole(
    newline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same random edits, with and without reading items by themselves."""
    rows = random.Random(7)
    text = many(12).replace("\n", newline)
    one, whole = YamlDocument("\ufeff" + text), YamlDocument("\ufeff" + text)
    for _ in range(60):
        name = f"t{rows.randrange(12)}"
        path = rows.choice([("batch_size",), ("destination", "hosts"), ("destination", "topic"),
                            ("source", "include_tables"), ("code",), ("destination",)])  # fmt: skip
        value = rows.choice([1, "x", "a\nb\n", None, ["p", "q"], {"type": "kafka", "k": "v: #"}])
        gone = rows.random() < 0.25 and one.plain(("sinks", name, *path)) is not None
        for document, least in ((one, 8), (whole, 10**9)):
            monkeypatch.setattr(documents, "_BLOCKS", least)
            if gone:
                document.remove(("sinks", name, *path))
            else:
                document.set(("sinks", name, *path), value)
        assert one.text == whole.text
        assert one.plain() == whole.plain()
        for place in (("sinks", name, *path), ("sinks", "t11", "destination"), ("other",)):
            assert one.position(place) == YamlDocument(one.text).position(place)


def test_a_file_whose_parts_depend_on_each_other_is_read_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = YamlDocument(many(20).replace("database: shop   # shared", "database: &d shop", 1))
    reading = Reading(monkeypatch)
    document.set(("sinks", "t5", "batch_size"), 7)
    assert reading.characters >= len(document.text)


@pytest.mark.slow
def test_many_changes_read_the_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = many(200)
    document = YamlDocument(text)
    reading = Reading(monkeypatch)
    changes = []
    for n in range(200):
        place = ("sinks", f"t{n}")
        changes += [Change((*place, "filter"), "none"), Change((*place, "routing"), "none"),
                    Change((*place, "destination", "tls"), False),
                    Change((*place, "actions"), gone=True),
                    Change((*place, "database"), "shop", name="db")]  # fmt: skip
    document.change_all(changes)
    assert reading.characters < 2 * len(text)
    again = YamlDocument(document.text).plain(("sinks", "t150"))
    assert again == {
        "name": "t150", "db": "shop", "source": {"include_tables": ["s150.orders"]},
        "destination": {"type": "kafka", "hosts": "h150:9092", "tls": False},
        "filter": "none", "routing": "none",
    }  # fmt: skip
    assert "# tenant 150\n" in document.text


async def test_export_of_a_long_project_reads_it_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sequin.yaml").write_text(many(60))
    async with EngineService() as engine:
        await engine.open(str(tmp_path))
        reading = Reading(monkeypatch)
        exported = (await engine.export("sequin"))["text"]
    assert reading.characters < 4 * len(exported)
    assert exported.count("routing: none") == 60


async def test_an_edit_works_out_its_sink_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sequin.yaml").write_text(many(30).replace('"h3:9092"', "${HOSTS_OF_3}"))
    async with EngineService() as engine:
        before = await engine.open(str(tmp_path))
        asked: list[str] = []
        real = engine.workspace.prepare

        def prepare(name: str, **options: Any) -> Any:
            asked.append(name)
            return real(name, **options)

        monkeypatch.setattr(engine.workspace, "prepare", prepare)
        path = ["sinks", "t5", "batch_size"]
        after = await engine.apply({"op": "set", "path": path, "value": 77})
        assert asked == ["t5"]
        assert after["sinks"][5]["batch_size"] == 77
        assert [s for n, s in enumerate(after["sinks"]) if n != 5] == [
            s for n, s in enumerate(before["sinks"]) if n != 5
        ]
        # What the others depend on is looked at again.
        assert "HOSTS_OF_3" in str(before["sinks"][3]["field_problems"])
        await engine.put_secret(["sinks", "t3", "destination", "hosts"], "HOSTS_OF_3", "h:1")
        assert "HOSTS_OF_3" not in str(engine.snapshot()["sinks"][3]["field_problems"])
        fresh = EngineService()
        try:
            await engine.methods["save"]()
            assert (await fresh.open(str(tmp_path)))["sinks"] == engine.snapshot()["sinks"]
        finally:
            await fresh.close()
