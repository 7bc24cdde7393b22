"""What a message is, and the defaults of what it leaves out."""

from __future__ import annotations

import base64

import pytest

from routestudio.model.message import (
    METADATA_DEFAULTS,
    MessageError,
    group_id,
    idempotency_key,
    message_from,
    text_of,
)


def test_missing_metadata_gets_the_documented_defaults() -> None:
    message = message_from({"action": "insert", "record": {"id": 7}}, index=3, line=4)
    assert message.metadata["table_schema"] == METADATA_DEFAULTS["table_schema"] == "public"
    assert message.record_pks == ["7"]
    assert message.metadata["database"]["name"] == message.metadata["database_name"]
    assert (message.index, message.line) == (3, 4)
    assert message.changes is None


def test_an_update_without_changes_has_an_empty_map() -> None:
    assert message_from({"action": "update", "record": {}}).changes == {}


def test_given_metadata_is_kept_and_completed() -> None:
    metadata = {"commit_lsn": 5, "commit_idx": 2, "record_pks": [1, True, None, "x"], "extra": 1,
                "consumer": {"name": "c"}}  # fmt: skip
    message = message_from({"action": "read", "record": {}, "metadata": metadata})
    assert base64.b64decode(message.metadata["idempotency_key"]) == b"5:2"
    assert message.record_pks == ["1", "true", "None", "x"]
    assert message.metadata["extra"] == 1
    assert message.metadata["consumer"] == {"id": "sample", "name": "c", "annotations": {}}
    assert metadata["record_pks"] == [1, True, None, "x"], "the given value was changed"


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ([], "a message is an object"),
        ({"action": "insert", "record": {}, "recrod": {}}, "unknown key `recrod`"),
        ({"record": {}}, "`action` is missing"),
        ({"action": "upsert", "record": {}}, "`action` is 'upsert'"),
        ({"action": "insert"}, "`record` must be an object"),
        ({"action": "insert", "record": []}, "not a list"),
        ({"action": "insert", "record": {}, "changes": 1}, "`changes` must be an object or null"),
        ({"action": "insert", "record": {}, "metadata": "x"}, "`metadata` must be an object"),
        ({"action": "insert", "record": {}, "metadata": {"table_name": 1}}, "metadata.table_name"),
        ({"action": "insert", "record": {}, "metadata": {"commit_lsn": True}}, "commit_lsn"),
        ({"action": "insert", "record": {}, "metadata": {"record_pks": "1"}}, "must be a list"),
        ({"action": "insert", "record": {}, "metadata": {"database": 1}}, "metadata.database"),
    ],
)
def test_a_wrong_part_is_named(value: object, part: str) -> None:
    with pytest.raises(MessageError, match=part.replace(".", r"\.")):
        message_from(value)


def test_group_id() -> None:
    message = message_from(
        {"action": "insert", "record": {"id": 1, "a": None, "b": True},
         "metadata": {"record_pks": ["1", "2"]}}
    )  # fmt: skip
    assert group_id(message) == "1:2"
    assert group_id(message, ["b", "a", "id"]) == "true::1"
    assert group_id(message, []) is None
    assert group_id(message_from({"action": "insert", "record": {}})) is None


def test_texts_and_keys() -> None:
    assert [text_of(v) for v in (True, False, 1, 1.5, "x")] == ["true", "false", "1", "1.5", "x"]
    assert idempotency_key(123, 4) == base64.b64encode(b"123:4").decode()


def test_the_delivered_order_of_keys() -> None:
    message = message_from({"record": {}, "action": "delete"})
    assert list(message.as_json()) == ["action", "changes", "metadata", "record"]
