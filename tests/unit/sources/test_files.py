"""Rows of files, streams and text: a bad line is a row that says so."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routestudio.errors import UsageError
from routestudio.formats.reader import KeyBook, RowReader
from routestudio.model import jsonio
from routestudio.model.message import Message
from routestudio.model.rows import Fault, Raw
from routestudio.sources import documents, files, lines
from routestudio.sources.files import count_rows
from routestudio.sources.lines import MAX_LINE, FileIndex, index_file

Item = Message | Fault


def row(number: int = 1, **more: Any) -> str:
    message = {"action": "insert", "record": {"id": number}, "changes": None, "metadata": {}}
    return json.dumps({**message, **more})


def stream(data: bytes) -> list[Item]:
    return list(RowReader().read_all(lines.read_stream(io.BytesIO(data), "rows.jsonl")))


def read_file(path: Path) -> Iterator[Item]:
    return RowReader().read_all(files.read_file(path))


def read_text(text: str) -> Iterator[Item]:
    return RowReader().read_all(files.read_text(text))


def read_rows(index: FileIndex, start: int, count: int) -> list[Item]:
    reader = RowReader()
    reader.count = start
    found = lines.read_lines(index, start, count)
    rows = [lines.raw_of(data, line, index.path.name) for line, data in found]
    return list(reader.read_all(row for row in rows if row is not None))


def ids(items: list[Item]) -> list[Any]:
    return [item.record["id"] if isinstance(item, Message) else item.line for item in items]


def fault(item: Item) -> Fault:
    assert isinstance(item, Fault)
    return item


# --- JSON lines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"%s\n%s\n", b"%s\r\n%s\r\n", b"\xef\xbb\xbf%s\n%s\n", b"%s\n%s", b"\n\n%s\n \t\n%s\n\n",
        b"\xef\xbb\xbf\r\n%s\r\n%s", b"  %s  \n\t%s\r\n",
    ],
)  # fmt: skip
def test_line_ends_marks_and_empty_lines_do_not_matter(tmp_path: Path, data: bytes) -> None:
    data = data % (row(1).encode(), row(2).encode())
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    for items in (stream(data), list(read_file(path)), read_rows(index_file(path), 0, 9)):
        assert ids(items) == [1, 2]
        assert [item.index for item in items] == [0, 1]
    assert count_rows(path) == 2


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n \t\r\n", b"\xef\xbb\xbf\n\n"])
@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json", ".csv"])
def test_an_empty_file_has_no_rows(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"rows{ending}"
    path.write_bytes(data)
    assert list(read_file(path)) == []
    assert count_rows(path) == 0


@pytest.mark.parametrize(
    ("line", "column", "text", "hint"),
    [
        ('{"action": "insert", "rec', 22, "not json", "cut off"),
        ("{'action': 1}", 2, "not json", "one JSON object per row"),
        ('{"action": NaN}', None, "NaN is not JSON", None),
        ('{"action": 1e999}', None, "too large", None),
        ("5", None, "a row is an object, not a number", "one JSON object per row"),
        (row(action="upsert"), None, "`action` is 'upsert'", "expected action"),
        (row(record=[]), None, "`record` must be an object", "expected action"),
        (row(changes=1), None, "`changes` must be", "expected action"),
        (row(metadata={"table_name": 1}), None, "`metadata.table_name`", "expected action"),
        (row(chnages=1), None, "unknown key `chnages`", "did you mean `changes`"),
        ("[" * 100_000, None, "nested too deeply", None),
        ("9" * 5000, None, "not JSON", None),
    ],
)  # fmt: skip
def test_a_bad_line_is_a_row_with_its_place(
    line: str, column: int | None, text: str, hint: str | None
) -> None:
    items = stream(f"{row(1)}\n\n{line}".encode())
    bad = fault(items[1])
    assert (bad.line, bad.index, bad.column) == (3, 1, column)
    assert text.lower() in bad.message.lower()
    assert (hint or "") in (bad.hint or "")
    assert bad.text is not None
    assert line.startswith(bad.text)
    assert len(bad.text) <= 2000
    assert ids(stream(f"{line}\n{row(7)}\n".encode())) == [1, 7]


def test_a_line_that_is_not_utf_8_is_marked() -> None:
    items = stream(row(1).encode() + b"\n" + row(2, record={"id": "\xe9"}).replace(
        "\\u00e9", "\xe9").encode("latin-1") + b"\n" + row(3).encode())  # fmt: skip
    assert ids(items) == [1, 2, 3]
    assert "UTF-8" in fault(items[1]).message


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04rest", "zip"), (b"\x1f\x8b\x08", "gzip"), (b"PAR1xx", "Parquet"),
        (b"\x89PNG\r\n", "picture"), (b"%PDF-1", "PDF"), (b"\x7fELF", "program"),
        (row().encode("utf-16"), "UTF-16"), (b'{"a": "\0"}\n', "binary"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
def test_a_binary_file_is_refused_by_name(
    tmp_path: Path, data: bytes, what: str, ending: str
) -> None:
    path = tmp_path / f"rows{ending}"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=what) as caught:
        list(read_file(path))
    assert str(path) in str(caught.value)
    assert "JSON lines" in str(caught.value)
    with pytest.raises(UsageError, match=what):
        count_rows(path)


def test_a_line_of_52_mb_is_a_marked_row_and_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("wb") as file:
        file.write(row(1).encode() + b"\n\n")
        for _ in range(52):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + row(2).encode() + b"\n")
    tracemalloc.start()
    try:
        items = list(read_file(path))
        paged = read_rows(index_file(path), 0, 9)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * MAX_LINE
    assert ids(items) == ids(paged) == [1, 3, 2]
    assert fault(items[1]).message == "the line is 52 MB; the limit is 16 MB"
    assert "the limit is 16 MB" in fault(paged[1]).message


def test_a_very_long_last_line_ends_the_file() -> None:
    items = stream(b"x" * (MAX_LINE + 5))
    assert len(items) == 1
    assert "limit" in fault(items[0]).message


def test_dead_letters_are_fed_back() -> None:
    letter = {"message": json.loads(row(5)), "reason": {"code": "rejected"}, "sink": "orders"}
    assert ids(stream(json.dumps(letter).encode())) == [5]
    bad = fault(stream(json.dumps({**letter, "message": 5}).encode())[0])
    assert "a row is an object" in bad.message


@pytest.mark.parametrize(
    "number",
    ["1", "-0.0", "0.1", "1e-7", "12345678901234567890123456789012345678901234567890", "1.0",
     "123456789012345.6", "5e-324"],
)  # fmt: skip
def test_numbers_are_delivered_as_they_came(number: str) -> None:
    (item,) = stream(f'{{"action":"insert","record":{{"id":{number}}}}}'.encode())
    assert isinstance(item, Message)
    assert jsonio.dumps(item.record) == f'{{"id":{number}}}'


# --- paging ----------------------------------------------------------------------------------

LINES = st.lists(
    st.sampled_from([b"", b" ", b"\t", b"\x0b", b"\xef\xbb\xbf", b"\xbb", b"nonsense", b"\xff",
                     row(1).encode(), row(2).encode() + b"\r", b"\r", b"\x1c", b"\x85"]),
    max_size=8,
)  # fmt: skip


@pytest.mark.slow
@given(parts=LINES, end=st.booleans(), mark=st.booleans(), block=st.integers(1, 40))
@example(parts=[b"\xef\xbb\xbf"], end=False, mark=False, block=1)
def test_paging_gives_the_rows_of_the_stream(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], end: bool, mark: bool, block: int
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    data = (b"\xef\xbb\xbf" if mark else b"") + b"\n".join(parts) + (b"\n" if end else b"")
    path.write_bytes(data)
    whole = stream(data)
    with mock.patch.object(lines, "CHUNK", block):
        index = index_file(path)
    assert len(index) == len(whole)
    assert read_rows(index, 0, len(whole)) == whole
    for start in range(len(whole)):
        assert read_rows(index, start, 2) == whole[start : start + 2]
    assert read_rows(index, len(whole), 5) == []


@pytest.mark.slow
def test_a_large_file_is_paged_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("w") as file:
        file.writelines(f"{row(number)}\n" for number in range(200_000))
    tracemalloc.start()
    try:
        index = index_file(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(index) == 200_000
    assert peak < 12 << 20
    assert ids(read_rows(index, 199_998, 10)) == [199_998, 199_999]
    assert ids(read_rows(index, 123_456, 2)) == [123_456, 123_457]


def test_a_line_that_is_gone_is_empty_and_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row(1)}\n{row(2)}\n")
    index = index_file(path)
    path.write_text(f"{row(1)}\n")
    assert lines.read_lines(index, 0, 2) == [(1, row(1).encode()), (2, b"")]
    path.unlink()
    with pytest.raises(UsageError, match="No such file"):
        read_rows(index, 0, 2)


def test_reading_a_stream_takes_no_more_than_it_needs() -> None:
    source, sink = os.pipe()
    with open(source, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        os.write(sink, row(1).encode() + b"\n")
        rows = RowReader().read_all(lines.read_stream(file, "<standard input>"))
        assert ids([next(rows)]) == [1]
        os.write(sink, row(2).encode() + b"\n")
        assert ids([next(rows)]) == [2]
        os.close(sink)
        assert list(rows) == []


# --- other formats ---------------------------------------------------------------------------


def test_a_json_file_is_an_array_one_object_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    for text, wanted in (
        (f"[{row(1)},\n {row(2)}]", [1, 2]), (f"\ufeff[{row(1)}]", [1]), (row(3), [3]),
        (f"{row(1)}\n{row(2)}\n", [1, 2]), ("[]", []), ("", []),
    ):  # fmt: skip
        path.write_text(text)
        assert ids(list(read_file(path))) == wanted
        assert count_rows(path) == len(wanted)


def test_a_bad_entry_of_an_array_is_a_row_and_a_cut_off_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(f"[{row(1)}, 5, {row(2)}]")
    items = list(read_file(path))
    assert [type(item) for item in items] == [Message, Fault, Message]
    assert items[1].index == 1
    path.write_text(f"[{row(1)},\n {row(2)[:-5]}")
    with pytest.raises(UsageError, match="line 2") as caught:
        list(read_file(path))
    assert "cut off" in str(caught.value)


def test_csv_rows_are_messages_of_a_backfill(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b'\xef\xbb\xbfid,name,note\r\n1,Ada,"a\nb, c"\r\n2,,\r\n\r\n3,x\r\n')
    first, second, bad = read_file(path)
    assert isinstance(first, Message)
    assert first.action == "read"
    assert first.record == {"id": "1", "name": "Ada", "note": "a\nb, c"}
    assert first.metadata["table_name"] == "people"
    assert first.record_pks == ["1"]
    assert isinstance(second, Message)
    assert second.record == {"id": "2", "name": None, "note": None}
    assert (fault(bad).line, fault(bad).message) == (6, "the row has 2 cells; the header has 3")


def test_a_large_cell_is_read_and_bad_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("id,doc\n1," + "x" * 1_000_000 + "\n")
    (item,) = read_file(path)
    assert isinstance(item, Message)
    assert len(item.record["doc"]) == 1_000_000
    path.write_text("id,id\n1,2\n")
    with pytest.raises(UsageError, match="same name"):
        list(read_file(path))
    path.write_bytes(b"id,name\n1,\xff\n")
    with pytest.raises(UsageError, match="line 2: is not text in UTF-8"):
        list(read_file(path))


def test_an_item_that_must_be_loaded_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_LINE", 1 << 20)
    path = tmp_path / "rows.json"
    path.write_text('[{"a": "' + "x" * (3 << 20) + '"}]')
    with pytest.raises(UsageError, match="an item of over 1 MB"):
        list(read_file(path))
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "x" * (3 << 20) + ",1\n")
    with pytest.raises(UsageError, match="line 2: has a line of over 1 MB"):
        list(read_file(path))


@pytest.mark.slow
def test_arrays_and_tables_are_read_as_they_come(tmp_path: Path) -> None:
    array, table = tmp_path / "rows.json", tmp_path / "rows.csv"
    with array.open("w") as file:
        file.write("[" + ",\n".join(row(number, pad="x" * 500) for number in range(40_000)) + "]")
    with table.open("w") as file:
        file.write("id,pad\n" + "".join(f"{n},{'x' * 500}\n" for n in range(40_000)))
    for path in (array, table):
        tracemalloc.start()
        try:
            count = sum(1 for _ in files.read_file(path))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert count == 40_000
        assert peak < 4 << 20


def test_an_item_is_read_wherever_the_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.json"
    values = [{"n": 1234567, "t": 'a\u20acb \\ " [,]'}, {"n": -1.5e3}, {"l": [1, [2, {}]]}]
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False))
    for piece in range(1, 12):
        monkeypatch.setattr(documents, "_PIECE", piece)
        assert [item.value for item in files.read_file(path)] == values


def test_pasted_text_is_lines_or_an_array() -> None:
    assert ids(list(read_text(f"{row(1)}\n{row(2)}"))) == [1, 2]
    assert ids(list(read_text(f" \n[{row(1)}, {row(2)}]"))) == [1, 2]
    assert ids(list(read_text(f"[1]\n{row(2)}"))) == [1, 2]
    assert list(read_text("")) == []
    (item,) = read_text('{"action": "insert", "record": {"id": "\ud800"}}')
    assert "UTF-8" in fault(item).message


@pytest.mark.parametrize("name", ["missing.jsonl", "folder.jsonl"])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for read in (lambda path: list(read_file(path)), index_file, count_rows):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            read(tmp_path / name)
        assert name in str(caught.value)


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_rows_of_large_files_are_estimated(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "COUNTED", 1_000)
    path = tmp_path / f"rows.{form}"
    rows = [{"id": number, "text": "x" * (number % 90)} for number in range(30_000)]
    if form == "json":
        path.write_text(json.dumps(rows, separators=(",", ":")))
    elif form == "csv":
        path.write_text("id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert 25_000 <= files.rows_about(path) <= 35_000
    monkeypatch.setattr(files, "COUNTED", 1 << 30)
    assert files.rows_about(path) == 30_000


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n1,""\n2,\n', [("1", ""), ("2", None)]),
        ('a;b\n"";x\n;y\n', [("", "x"), (None, "y")]),
        ('a,b\n"say ""hi""",""\n"","x, y"\n', [('say "hi"', ""), ("", "x, y")]),
        ('a,b\n"two\nlines",""\n,""\n', [("two\nlines", ""), (None, "")]),
        ('a,b\r\n"",""\r\n,\r\n', [("", ""), (None, None)]),
        ('"a","b"\n"1",""\n"2","x"\n', [("1", None), ("2", "x")]),
        ('"a",b\n"1",""\n', [("1", "")]),
        ('\n\na,b\n"",1\n', [("", "1")]),
    ],
)
def test_an_empty_cell_is_null_and_one_in_quotes_an_empty_text(
    tmp_path: Path, text: str, rows: list[tuple[Any, ...]]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    found = [item for item in read_file(path) if isinstance(item, Message)]
    assert [tuple(item.record.values()) for item in found] == rows


@given(rows=st.lists(
    st.lists(st.text(alphabet='a,;"\n\r\t ', max_size=5), min_size=3, max_size=3), max_size=4),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    mark=st.sampled_from(",;\t"),
)  # fmt: skip
def test_cells_in_quotes_are_found_in_any_table(
    rows: list[list[str]], quoting: Any, mark: str
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=mark, quoting=quoting).writerows([["x", "y", "z"], *rows])
    found = list(documents.read_table(io.BytesIO(written.getvalue().encode()), "rows.csv"))
    # This writer has quotes around every cell, or around no empty one: all of these are null.
    kept = [[cell or None for cell in row] for row in rows]
    assert [list(item.value.values()) for item in found if isinstance(item, Raw)] == kept


def test_an_empty_text_is_null_in_a_column_whose_type_has_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('n,d,t,j,tags\n"","","","",""\n')
    types = {"n": "integer", "d": "date", "t": "text", "j": "jsonb", "tags": "text[]"}
    (found,) = RowReader(keys=KeyBook(types={"rows": types})).read_all(files.read_file(path))
    assert isinstance(found, Message)
    assert found.record == {"n": None, "d": None, "t": "", "j": None, "tags": None}
