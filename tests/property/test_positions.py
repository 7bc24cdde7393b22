"""No two rows share an idempotency key, and a row that is read again has the same one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.formats import registry
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.model.rows import Raw, RawRow
from routestudio.project.starter import create_project
from routestudio.sinks import registry as sinks
from routestudio.sources import files

VALUES: list[Any] = [
    example.value for kind in registry.formats().values() for example in kind.examples
]
ROWS = st.lists(st.sampled_from(range(len(VALUES))), min_size=1, max_size=30)
PLACES = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2)), max_size=30)


def keys(rows: list[RawRow]) -> list[str]:
    """Idempotency keys of the messages in rows, but for those that say one themselves."""
    found = RowReader().read_all(rows)
    return [
        row.metadata["idempotency_key"]
        for row in found
        if isinstance(row, Message) and not says_its_own(row)
    ]


def says_its_own(message: Message) -> bool:
    """Whether the row has the numbers of a server's log, which identify a change."""
    return message.format in ("message", "postgres") and bool(message.metadata["commit_lsn"])


@given(ROWS, PLACES)
def test_records_of_topics(chosen: list[int], places: list[tuple[str, int]]) -> None:
    """Rows of all formats, repeated, interleaved over topics and partitions."""
    offsets: dict[tuple[str, int], int] = {}
    rows: list[RawRow] = []
    for number, which in enumerate(chosen):
        topic, partition = places[number] if number < len(places) else ("a", 0)
        offset = offsets.get((topic, partition), 0)
        offsets[topic, partition] = offset + 1
        rows.append(Raw(json.dumps(VALUES[which]).encode(), topic=topic,
                        position=f"{topic}/{partition}/{offset}"))  # fmt: skip
    first = keys(rows)
    assert len(set(first)) == len(first)
    assert keys(rows) == first


@pytest.mark.slow
@given(ROWS)
def test_lines_of_files(tmp_path_factory: pytest.TempPathFactory, chosen: list[int]) -> None:
    """Rows of all formats, mixed and repeated in files of several kinds."""
    folder = tmp_path_factory.mktemp("rows")
    values = [VALUES[which] for which in chosen]
    lines, array = folder / "one.jsonl", folder / "two.json"
    lines.write_text("".join(json.dumps(value) + "\n" for value in values))
    array.write_text(json.dumps(values, indent=1))
    rows = [*files.read_file(lines), *files.read_file(array)]
    first = keys(rows)
    assert len(set(first)) == len(first)
    assert keys([*files.read_file(lines), *files.read_file(array)]) == first


@pytest.mark.slow
@given(st.lists(st.text("ab", max_size=2), min_size=2, max_size=20))
def test_an_edited_row_is_another_change(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    """A table that is written again: rows that say something else have other ids."""
    path = tmp_path_factory.mktemp("rows") / "table.csv"

    def read(values: list[str]) -> list[str]:
        path.write_text("n,cell\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(values)))
        return keys(list(files.read_file(path)))

    first, second = read(cells), read([*cells[:-1], cells[-1] + "x"])
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]
    assert len({*first, *second}) == len(cells) + 1


@pytest.mark.parametrize("key", sinks.default().keys())
def test_the_starter_rows_of_every_sink(tmp_path: Path, key: str) -> None:
    create_project(tmp_path / "p", sinks.default().get(key))
    found: list[str] = []
    for path in sorted((tmp_path / "p" / "samples").iterdir()):
        for row in RowReader().read_all(files.read_file(path)):
            assert isinstance(row, Message)
            found.append(row.metadata["idempotency_key"])
    assert found
    assert len(set(found)) == len(found)
