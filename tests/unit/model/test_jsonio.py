"""JSON as sinks deliver it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.jsonio import dump_bytes, dumps, loads

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
    text = "[1.0,0.1,1e-07,123456789012345.6,-0.0,1.7976931348623157e+308,5e-324]"
    assert dumps(loads(text)) == text


def test_large_integers_stay_exact() -> None:
    assert loads("123456789012345678901234567890") == 123456789012345678901234567890
