"""Masks keep the type and shape of values, and are the same for the same value."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from routestudio.samples.masking import mask_text, masked

KEY = b"k" * 32


@pytest.mark.parametrize(
    "value",
    ["Ada Lovelace", "ada@example.org", "+44 20 7946", "ÜNÏ", "🛒", "", 1, -70123, 2**70,
     12.5, -0.25, Decimal("100.10"), True, [1, "two"], {"a": {"b": "c"}}],
)  # fmt: skip
def test_type_and_shape_stay(value: Any) -> None:
    found = masked(value, KEY)
    assert type(found) is type(value)
    assert masked(value, KEY) == found
    if isinstance(value, str):
        assert len(found) == len(value)
        assert [c.isalpha() for c in found] == [c.isalpha() for c in value]
        assert [c.isdigit() for c in found] == [c.isdigit() for c in value]
    if type(value) is int:
        assert len(str(found)) == len(str(value))
    if isinstance(value, Decimal):
        assert found.as_tuple().exponent == value.as_tuple().exponent


def test_values_change_with_value_and_key() -> None:
    masks = {masked(f"customer {n:04}", KEY) for n in range(200)}
    assert len(masks) == 200
    assert masked("Ada Lovelace", KEY) != masked("Ada Lovelace", b"other key")
    assert masked("Ada Lovelace", KEY) != "Ada Lovelace"
    assert masked(None, KEY) is None


def test_dates_and_uuids_stay_valid() -> None:
    for day in range(1, 29):
        found = masked(f"2024-02-{day:02}T10:11:12.5Z", KEY)
        assert dt.datetime.fromisoformat(found).year == 2024
        assert found.endswith("T10:11:12.5Z")
    text = "0b9f5ac2-9a1e-4f7b-8c55-2f6c4fdd2f10"
    assert masked(text, KEY) != text
    assert str(uuid.UUID(masked(text, KEY))) == masked(text, KEY)


def test_rows_that_belong_together_still_do() -> None:
    rows = [
        {"action": "insert", "record": {"id": 17, "mail": "a@b.c", "note": "x"}, "changes": None,
         "metadata": {"record_pks": ["17"]}},
        {"action": "update", "record": {"id": 17, "mail": "d@e.f", "note": "y"},
         "changes": {"mail": "a@b.c"}, "metadata": {"record_pks": ["17"]}},
    ]  # fmt: skip
    text = "".join(json.dumps(row) + "\n" for row in rows) + "no message\n\n[1]\n"
    found = mask_text(text, ["id", "mail", "missing"], KEY)
    assert found.splitlines()[2:] == ["no message", "", "[1]"]
    one, two = (json.loads(line) for line in found.splitlines()[:2])
    assert one["record"]["id"] == two["record"]["id"] != 17
    assert one["metadata"]["record_pks"] == [str(one["record"]["id"])]
    assert two["changes"]["mail"] == one["record"]["mail"] != "a@b.c"
    assert (one["record"]["note"], two["record"]["note"]) == ("x", "y")
    assert "a@b.c" not in found


def test_numbers_beyond_floats_are_kept_exactly() -> None:
    text = '{"action":"insert","record":{"id":1,"n":12345678901234567890.123},"changes":null}\n'
    assert "12345678901234567890.123" in mask_text(text, ["id"], KEY)
