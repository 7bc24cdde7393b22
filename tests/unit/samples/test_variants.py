"""Variants are complete messages of the kind they say, and leave the original alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routestudio.model.message import Message, message_from
from routestudio.samples import variants
from routestudio.samples.variants import BY_KEY, VARIANTS, key_columns, variants_of

ROW: dict[str, Any] = {
    "id": 7,
    "name": "Ada",
    "note": "a much longer text",
    "total": "12.50",
    "weight": 1.5,
    "paid": True,
    "tags": ["a"],
}


def message(action: str = "insert", record: dict[str, Any] | None = None, **meta: Any) -> Message:
    return message_from(
        {"action": action, "record": dict(record or ROW), "metadata": {"table_name": "t", **meta}}
    )


def made(key: str, original: Message | None = None, keys: tuple[str, ...] = ("id",)) -> Message:
    found = variants_of(original or message(), keys, {key})
    assert [variant.key for variant, _ in found] == [key]
    return found[0][1]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.key)
@pytest.mark.parametrize("action", ["insert", "update", "delete", "read"])
def test_every_variant_is_a_message_that_can_be_stored(
    variant: variants.Variant, action: str
) -> None:
    original = message(action)
    before = json.dumps(original.as_json())
    result = variant.make(original, ("id",))
    assert result is not None
    assert json.dumps(original.as_json()) == before
    again = message_from(json.loads(json.dumps(result.as_json())))
    assert again.as_json() == result.as_json()
    if result.action == "update":
        assert isinstance(result.changes, dict)
    else:
        assert result.changes is None or action == "update"


def test_a_delete_with_keys_only_keeps_the_columns_as_nulls() -> None:
    result = made("delete_keys")
    assert result.action == "delete"
    assert result.record == {**dict.fromkeys(ROW), "id": 7}


def test_the_largest_column_is_the_one_that_did_not_change() -> None:
    result = made("unchanged_toast")
    assert result.record == {**ROW, "note": "unchanged_toast"}
    assert (result.action, result.changes) == ("update", {})


def test_numbers_that_floats_would_break() -> None:
    big = made("big_integers")
    assert big.record["id"] == 2**53 + 1
    assert big.record_pks == [str(2**53 + 1)]
    assert big.record["paid"] is True
    exact = made("exact_decimals").record
    assert exact["total"] == exact["weight"] == "12345678901234567890.123456789"
    assert exact["id"] == 7


def test_a_changed_key_tells_the_old_one() -> None:
    result = made("key_change")
    assert result.record["id"] == 8
    assert result.changes == {"id": 7}
    assert result.record_pks == ["8"]
    named = message(record={"region": "eu", "code": "x"}, record_pks=["eu", "x"])
    result = made("key_change", named, ("region", "code"))
    assert result.record == {"region": "eu", "code": "x-new"}
    assert result.record_pks == ["eu", "x-new"]


def test_texts_change_but_keys_and_numbers_do_not() -> None:
    result = made("unicode").record
    assert result["name"] == variants.UNICODE
    assert (result["id"], result["total"], result["paid"]) == (7, "12.50", True)
    assert len(made("long_text").record["name"]) == 12_000


def test_what_cannot_be_made_is_left_out() -> None:
    bare = message(record={"id": 1})
    offered = {variant.key for variant, _ in variants_of(bare, ("id",))}
    assert not offered & {"unchanged_toast", "nulls", "exact_decimals", "unicode", "long_text"}
    unkeyed = message(record={"n": 1}, record_pks=[])
    offered = {variant.key for variant, _ in variants_of(unkeyed, ())}
    assert not offered & {"delete_keys", "key_change", "no_key"}


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(KeyError, match="toast"):
        variants_of(message(), ("id",), {"toast"})
    assert len(BY_KEY) == len(VARIANTS)


def test_key_columns_of_a_table() -> None:
    rows = [message(), message(record={**ROW, "id": 8, "weight": 8})]
    assert key_columns(rows) == {"public.t": ("id",)}
    assert key_columns([message(record_pks=["nowhere"])]) == {}
