"""JSON as sinks deliver it."""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.jsonio import decode_at, dump_bytes, dumps, loads, readable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_any_json_value_survives(value: object) -> None:
    assert loads(dump_bytes(value)) == value


def test_the_forms_of_typed_values() -> None:
    moment = dt.datetime(2024, 2, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
    assert loads(dumps([
        Decimal("1E+3"), Decimal("0.10"), moment, moment.replace(tzinfo=None), moment.date(),
        moment.time(), uuid.UUID(int=1), b"\xff", (1, 2),
    ])) == [
        "1000", "0.10", "2024-02-03T04:05:06.000007Z", "2024-02-03T04:05:06.000007", "2024-02-03",
        "04:05:06.000007", "00000000-0000-0000-0000-000000000001", "/w==", [1, 2],
    ]  # fmt: skip


def test_it_is_compact_utf_8() -> None:
    assert dump_bytes({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()


def test_a_lone_surrogate_is_kept_as_its_escape() -> None:
    assert dump_bytes({"a": "\ud800"}) == b'{"a":"\\ud800"}'
    assert json.loads(dump_bytes("\ud800")) == "\ud800"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_numbers_without_a_json_form_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(value)


def test_objects_without_a_json_form_are_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        dumps({"a": object()})


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "", "[" * 200_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)


@pytest.mark.parametrize("text", ["1e999", "[-1.0e400]", '{"a": 9e308}'])
def test_numbers_that_no_double_holds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large for a number"):
        loads(text)


def test_numbers_are_delivered_as_numbers() -> None:
    text = "[1.0,0.1,1e-7,123456789012345.6,-0.0,1.7976931348623157e+308,5e-324]"
    assert dumps(loads(text)) == text


def test_large_integers_stay_exact() -> None:
    assert loads("123456789012345678901234567890") == 123456789012345678901234567890


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [
    lambda v: v, lambda v: [v], lambda v: {"a": {"b": (None, v)}}, lambda v: [[{"x": [v]}]],
])  # fmt: skip
def test_numbers_without_a_json_form_are_refused_wherever_they_are(bad: float, wrap: Any) -> None:
    for write in (dumps, dump_bytes):
        with pytest.raises(ValueError, match=r"not JSON compliant|Out of range"):
            write(wrap(bad))


def test_the_fast_writer_and_the_thorough_one_agree() -> None:
    values: list[Any] = [
        {"a": None, "b": [1, 2.5, True], "c": "é\u2028\x7f\x01\"\\"}, 2**70, {"n": -(2**63)},
        {1: "a"}, "\ud800", [dt.datetime(2024, 1, 2, 3, 4, 5, 6, dt.UTC), dt.date(2024, 1, 2)],
        Decimal("1E+3"), {"t": dt.time(1, 2)}, uuid.UUID(int=5), b"\x00\xff", ({1}, frozenset())
    ]  # fmt: skip
    for value in values:
        written = dump_bytes(value)
        assert written == dump_bytes(value, finite=True)
        assert loads(written) == json.loads(written)
        if value != "\ud800":
            assert dumps(value).encode() == written


def test_numbers_that_json_lacks_are_shown_as_text() -> None:
    given = {"a": [math.nan, (math.inf, 1.5)], "b": {"c": -math.inf}, "d": "x"}
    assert readable(given) == {
        "a": ["NaN", ["Infinity", 1.5]], "b": {"c": "-Infinity"}, "d": "x",
    }  # fmt: skip


def test_a_value_at_the_start_of_a_text() -> None:
    assert decode_at('{"a": 1} and more') == ({"a": 1}, 8)
    with pytest.raises(ValueError, match="nested too deeply"):
        decode_at("[" * 100_000)


def test_typed_values_beside_what_only_the_thorough_writer_knows() -> None:
    number = uuid.UUID(int=7)
    assert json.loads(dumps({"n": 1 << 70, "id": number, "b": b"x", "s": {1}})) == {
        "n": 1 << 70, "id": str(number), "b": "eA==", "s": [1],
    }  # fmt: skip
