"""Types of columns: values by type, guesses by form, tags, and who says what."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from routestudio.model import jsonio
from routestudio.model.column_origins import type_of, types_of, unsure
from routestudio.model.column_types import Moment, guess_of, untagged, value_of
from routestudio.model.message import Message, MessageError, group_id, message_from
from routestudio.pipeline.values import unix_microseconds

MOMENT = "2024-05-06T07:08:09.000000Z"
NAIVE = "2024-05-06T07:08:09.123456"


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("250.00", "numeric", Decimal("250.00")),
        ("-7", "numeric", Decimal(-7)),
        ("0.000000001", "numeric", Decimal("0.000000001")),
        ("NaN", "numeric", "NaN"),
        ("Infinity", "numeric", "Infinity"),
        (" 1.5", "numeric", " 1.5"),
        ("1_000.5", "numeric", "1_000.5"),
        ("٣.5", "numeric", "٣.5"),
        ("2024-05-06", "date", dt.date(2024, 5, 6)),
        ("infinity", "date", "infinity"),
        ("0044-03-15 BC", "date", "0044-03-15 BC"),
        ("20240506", "date", "20240506"),
        ("07:08:09", "time", dt.time(7, 8, 9)),
        ("07:08:09.5", "time", dt.time(7, 8, 9)),
        ("24:00:00", "time", "24:00:00"),
        ("07:08:09", "timetz", dt.time(7, 8, 9)),
        (NAIVE, "timestamp", dt.datetime(2024, 5, 6, 7, 8, 9, 123456)),
        (MOMENT, "timestamptz", dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)),
        ("infinity", "timestamptz", "infinity"),
        ("20000-01-01T00:00:00.000000Z", "timestamptz", "20000-01-01T00:00:00.000000Z"),
        (["1.5", None], "numeric[]", [Decimal("1.5"), None]),
        ([["1.5"], ["2"]], "numeric[]", [[Decimal("1.5")], [Decimal(2)]]),
        (["2024-05-06"], "date[]", [dt.date(2024, 5, 6)]),
        ("250.00", "text", "250.00"),
        ("2024-05-06", "varchar", "2024-05-06"),
        ({"months": 1, "days": 0, "microseconds": 5}, "interval",
         {"months": 1, "days": 0, "microseconds": 5}),
        ({"a": "1.5"}, "jsonb", {"a": "1.5"}),
        (2, "numeric", 2),
        (None, "numeric", None),
        ("unchanged_toast", "numeric", "unchanged_toast"),
    ],
)  # fmt: skip
def test_a_value_is_what_its_type_makes_of_the_text(value: Any, type_: str, expected: Any) -> None:
    found = value_of(value, type_)
    assert (found, type(found) is str) == (expected, type(expected) is str)


@pytest.mark.parametrize("text", [MOMENT, "1969-12-31T23:59:59.999999Z", NAIVE])
def test_the_text_of_a_time_is_what_a_server_writes(text: str) -> None:
    moment = value_of(text, "timestamptz" if text.endswith("Z") else "timestamp")
    assert type(moment) is Moment
    assert (str(moment), f"{moment}", moment.isoformat()) == (text, text, text)
    assert jsonio.dumps(moment) == f'"{text}"'
    later = moment + dt.timedelta(days=1)
    assert str(later)[10:] == text[10:]


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        ("250.00", "numeric"), ("-0.5", "numeric"), ("0.10", "numeric"),
        ("1.10", "numeric"),  # a version, perhaps: that is why it is a guess
        ("007.50", None), ("1.2.3", None), (".5", None), ("5.", None), ("250", None),
        ("1e5", None), ("+1.5", None), ("192.168.0.1", None), ("1.5 ", None), ("", None),
        ("9" * 41 + ".5", None), ("٣.5", None),
        ("2024-05-06", "date"), ("2024-13-06", None), (NAIVE, "timestamp"),
        (MOMENT, "timestamptz"), ("2024-05-06T07:08:09+02:00", "timestamptz"),
        ("2024-05-06 07:08:09", None),
        ("07:08:09", "time"), ("24:00:00", None), ("07:08", None), ("07:08:09.5", None),
        (2.5, None), (7, None), (True, None), ({"a": 1}, None), (["1.5"], None), ("paid", None),
    ],
)  # fmt: skip
def test_a_guess_is_made_by_the_form_of_the_text(value: Any, guess: str | None) -> None:
    assert guess_of(value) == guess


def test_tags_say_types_and_leave_json_behind() -> None:
    columns = {
        "total": {"$decimal": "12.50"}, "due": {"$date": "2024-05-06"},
        "opens": {"$time": "07:08:09"}, "at": {"$datetime": MOMENT}, "local": {"$naive": NAIVE},
        "parts": [{"$decimal": "1.5"}, None], "id": 7, "note": {"a": "b"},
    }  # fmt: skip
    plain, types = untagged(columns)
    assert plain == {
        "total": "12.50", "due": "2024-05-06", "opens": "07:08:09", "at": MOMENT, "local": NAIVE,
        "parts": ["1.5", None], "id": 7, "note": {"a": "b"},
    }  # fmt: skip
    assert types == {
        "total": "numeric", "due": "date", "opens": "time", "at": "timestamptz",
        "local": "timestamp", "parts": "numeric[]",
    }  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {"$decimal": "x"}, {"$decimal": 12.5}, {"$decimal": "1.5", "more": 1},
        {"$date": "2024-05-06T07:08:09Z"}, {"$date": {"$numberLong": "1"}}, {"$other": "1.5"},
        [], [None], [{"$decimal": "1.5"}, "x"], [{"$decimal": "1.5"}, {"$date": "2024-05-06"}],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_tag_stays_as_it_is(value: Any) -> None:
    columns = {"doc": value}
    assert untagged(columns) == (columns, {})


def test_a_message_says_its_types_and_a_guess_is_marked() -> None:
    message = message_from({
        "action": "update",
        "record": {"id": 1, "total": {"$decimal": "2.50"}, "price": "2.50", "name": "Ada"},
        "changes": {"total": {"$decimal": "2.00"}, "due": "2024-05-06"},
        "types": {"name": "text", "id": "int4"},
    })  # fmt: skip
    assert message.record["total"] == "2.50"
    assert message.changes == {"total": "2.00", "due": "2024-05-06"}
    assert types_of(message) == {
        "total": ("numeric", "row"), "due": ("date", "guess"), "id": ("int4", "row"),
        "price": ("numeric", "guess"), "name": ("text", "row"),
    }  # fmt: skip
    assert type_of(message, "nothing") == (None, "unknown")
    assert unsure(message) == {"price": "numeric"}
    again = message_from(message.as_row())
    assert (again.record, again.types) == (message.record, message.types)
    assert "types" not in message.as_json()


@pytest.mark.parametrize("types", [1, [], {"a": 1}, "numeric"])
def test_types_that_are_not_well_formed_are_refused(types: Any) -> None:
    with pytest.raises(MessageError, match="`types` must be an object"):
        message_from({"action": "insert", "record": {"id": 1}, "types": types})


def test_a_group_id_has_a_time_as_a_server_joins_it() -> None:
    record = {"at": MOMENT, "total": "2.50", "day": "2024-05-06", "no": None}
    columns = ("at", "total", "day", "no")
    plain = Message("insert", record, None, {"record_pks": []})
    assert group_id(plain, columns) == f"{MOMENT}:2.50:2024-05-06:"
    typed = Message("insert", record, None, {"record_pks": []},
                    types={"at": "timestamptz", "total": "numeric", "day": "date"})  # fmt: skip
    assert group_id(typed, columns) == "2024-05-06 07:08:09.000000Z:2.50:2024-05-06:"


def test_typed_times_become_integers_where_a_sink_wants_them() -> None:
    message = message_from({
        "action": "update",
        "record": {"at": MOMENT, "local": NAIVE, "all": [MOMENT], "text": MOMENT,
                   "day": "2024-05-06"},
        "changes": {"at": MOMENT},
        "types": {"at": "timestamptz", "local": "timestamp", "all": "timestamptz[]",
                  "day": "date"},
    })  # fmt: skip
    found = unix_microseconds(message)
    assert found.record == {
        "at": 1714979289000000, "local": 1714979289123456, "all": [1714979289000000],
        "text": MOMENT, "day": "2024-05-06",
    }  # fmt: skip
    assert found.changes == {"at": 1714979289000000}
    assert found.types["at"] == "int8"
    plain = message_from({"action": "insert", "record": {"at": MOMENT}})
    assert unix_microseconds(plain) is plain
