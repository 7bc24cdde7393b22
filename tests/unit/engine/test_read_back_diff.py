"""The comparison of previewed records with what was read: every verdict, and its limits."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routestudio.engine.read_back import _cut, _side
from routestudio.engine.read_back_diff import MEANINGS, Compared, compare, parts_of
from routestudio.project.redaction import Redactor
from routestudio.sinks.reading import Stored, Window


def record(number: int, *, key: str | None = "k", place: str = "t", **more: Any) -> Stored:
    body = {"record": {"id": number}, "metadata": {"idempotency_key": f"id-{number}"}, **more}
    return Stored(place, key, json.dumps(body).encode())


def plain(key: str | None, text: str, place: str = "t") -> Stored:
    return Stored(place, key, text.encode())


def verdicts(
    expected: list[Stored], read: list[Stored], *, more: bool = False, keyed: bool = False
) -> list[tuple[str, int | None]]:
    found = compare(list(enumerate(expected)), {"t": Window(read, more)}, keyed=keyed)
    assert {row.verdict for row in found} <= set(MEANINGS)
    return [(row.verdict, row.index) for row in found]


def only(expected: list[Stored], read: list[Stored]) -> Compared:
    [row] = compare(list(enumerate(expected)), {"t": Window(read)})
    return row


def test_no_part_of_a_secret_is_left_at_a_cut() -> None:
    secret = "0123456789-abcdefghij"
    redact = Redactor({secret}).redact
    for place in range(180, 201):
        text = "x" * place + secret + "é" * 40_000
        side = _side(Stored("here", None, text.encode(), headers={"h": text}), 200, redact)
        assert side["body"] == ("x" * place + "••••" + "é" * 200)[:200]
        assert "0123" not in json.dumps([side, _cut(text, redact), _cut({"a": text}, redact)])
    assert _side(Stored("here", None, b"short"), 200, redact)["body"] == "short"


def test_how_json_is_written_does_not_count() -> None:
    read = plain("k", '{ "b": [1, {"x": null}],\n "a": 1 }')
    assert only([plain("k", '{"a":1,"b":[1,{"x":null}]}')], [read]).verdict == "equal"


def test_order_of_lists_and_kinds_of_values_count() -> None:
    for one, other in (("[1,2]", "[2,1]"), ("true", "1"), ('"1"', "1"), ("null", "{}")):
        assert parts_of(plain("k", one), plain("k", other)) == ("body",), (one, other)


def test_every_part_that_differs_is_named() -> None:
    expected = Stored("t", "k", b'{"a":{"b":1},"gone":2}', {"h": "1"})
    row = only([expected], [Stored("t", "k", b'{"a":{"b":3},"new":4}', {"h": "2"})])
    assert (row.verdict, row.parts) == ("different", ("headers", "body"))
    assert [(c.path, c.expected, c.found) for c in row.changes] == [
        ("headers.h", "1", "2"), ("a.b", 1, 3), ("gone", 2, None), ("new", None, 4),
    ]  # fmt: skip


def test_another_key_and_another_destination_differ() -> None:
    assert only([record(1)], [record(1, key="other")]).parts == ("key",)
    found = compare([(0, record(1))], {"t": Window([]), "u": Window([record(1, place="u")])})
    assert [(row.verdict, row.parts) for row in found] == [("different", ("destination",))]


def test_equal_records_are_paired_once() -> None:
    one = plain(None, '{"a":1}')
    assert verdicts([one, one], [one, one, one]) == [("equal", 0), ("equal", 1), ("repeated", 0)]
    assert verdicts([one, one], [one]) == [("equal", 0), ("missing", 1)]


def test_a_changed_copy_differs_whatever_equals_before_it() -> None:
    assert verdicts([record(1)], [record(1), record(1, action="delete")]) == [
        ("equal", 0), ("different", 0),
    ]  # fmt: skip


def test_an_older_version_comes_from_an_earlier_run() -> None:
    old, new = record(1, action="x"), record(1)
    assert verdicts([new], [old, new]) == [("other", None), ("equal", 0)]
    older = record(1, action="y")
    assert verdicts([new], [older, old]) == [("other", None), ("different", 0)]


def test_the_key_shows_what_became_of_a_record_without_an_id() -> None:
    assert verdicts([plain("k", '{"a":1}')], [plain("k", '{"a":2}')]) == [("different", 0)]
    assert verdicts([plain("k", '{"a":1}')], [plain("l", '{"a":2}')]) == [
        ("other", None), ("missing", 0),
    ]  # fmt: skip


def test_older_than_what_was_read_is_not_missing() -> None:
    expected = [record(n, key=f"k{n % 2}") for n in range(4)]
    assert verdicts(expected, [expected[2]], more=True) == [
        ("equal", 2), ("unread", 0), ("unread", 1), ("unread", 3),
    ]  # fmt: skip
    # Of one key: what comes behind a record that was found is not older than it.
    assert verdicts(expected, [expected[0]], more=True)[-2:] == [("missing", 2), ("unread", 3)]


def test_a_store_holds_the_last_record_of_a_key() -> None:
    expected = [plain("k", "1"), plain("k", "2"), Stored("t", "gone", None), plain("m", "3")]
    read = [plain("k", "2"), Stored("t", "gone", None), Stored("t", "m", None)]
    assert verdicts(expected, read, keyed=True) == [
        ("equal", 1), ("equal", 2), ("missing", 3), ("replaced", 0),
    ]  # fmt: skip


def test_what_should_be_deleted_and_is_there_differs() -> None:
    row = only([Stored("t", "k", None)], [plain("k", '{"a":1}')])
    assert (row.verdict, row.parts) == ("different", ("body",))


def test_other_fields_do_not_count_where_a_store_keeps_them() -> None:
    expected = Stored("t", "k", b'{"a":1}', partial=True)
    assert only([expected], [plain("k", '{"a":1,"b":2}')]).verdict == "equal"
    row = only([expected], [plain("k", '{"a":2,"b":2}')])
    assert [(c.path, c.expected, c.found) for c in row.changes] == [("a", 1, 2)]


def test_bodies_that_are_not_json_are_compared_as_they_are() -> None:
    assert only([Stored("t", None, b"\xff\x00")], [Stored("t", None, b"\xff\x00")]).index == 0
    assert verdicts([Stored("t", "k", b"\xff")], [Stored("t", "k", b"\xfe")]) == [("different", 0)]


_RECORDS = st.lists(
    st.builds(plain, st.sampled_from(["k", "l", None]), st.sampled_from(["1", '{"a":1}', "x"])),
    max_size=8,
)


@given(_RECORDS, _RECORDS, st.booleans())
def test_every_record_gets_one_verdict(
    expected: list[Stored], read: list[Stored], keyed: bool
) -> None:
    found = compare(list(enumerate(expected)), {"t": Window(read)}, keyed=keyed)
    rows = [row.index for row in found if row.verdict not in ("repeated", "other")]
    assert sorted(rows) == list(range(len(expected)))  # type: ignore[type-var]
    assert sum(row.found is not None for row in found) == len(read)


@given(_RECORDS, st.randoms())
def test_what_arrived_in_any_order_is_equal(expected: list[Stored], chance: Any) -> None:
    read = list(expected)
    chance.shuffle(read)
    found = compare(list(enumerate(expected)), {"t": Window(read)})
    assert all(row.verdict == "equal" for row in found)
