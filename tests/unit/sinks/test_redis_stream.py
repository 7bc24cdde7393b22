"""The Redis stream sink: rules, records and what it cannot take."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.redis_stream.sink import RedisStream
from routestudio.sinks.registry import default

BASE: dict[str, Any] = {"host": "localhost", "port": 6379}
MESSAGE = message_from(
    {"action": "insert", "record": {"id": 7}, "metadata": {"table_name": "orders"}}
)


def encode(value: Any, key: str = "orders") -> Any:
    routed = RedisStream.Routing(stream_key=key)
    return RedisStream.encode(RedisStream.Config(**BASE), MESSAGE, routed, Payload(value))


def test_yaml_knows_the_type_and_its_legacy_name() -> None:
    assert default().get("redis") is default().get("redis_stream") is RedisStream


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "stream_key: is required"),
        ({"stream_key": "a b"}, "whitespace"),
        ({"stream_key": "x" * 256}, "at most 255"),
        ({"stream_key": "s", "port": 0}, "port"),
        ({"stream_key": "s", "streamkey": "t"}, "did you mean `stream_key`"),
    ],
)
def test_a_wrong_destination_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(RedisStream, {**BASE, **values}, dynamic=False)


def test_the_default_has_schema_and_table() -> None:
    router = Router(bind(RedisStream, BASE, dynamic=True))
    effective = router.route(MESSAGE, FunctionResult({}))
    assert effective.values == {"stream_key": "sequin.public.orders"}
    assert effective.provenance == {"stream_key": "default"}
    assert effective.batch_key == ()


def test_text_stays_as_it_is_and_anything_else_becomes_json() -> None:
    entry = encode({"name": "Zoë", "n": 1, "none": None, "list": [1, "a"], "yes": True})
    assert entry.fields == {
        "name": "Zoë", "n": "1", "none": "null", "list": '[1,"a"]', "yes": "true",
    }  # fmt: skip
    assert entry.wire.startswith(b"*13\r\n$4\r\nXADD\r\n$6\r\norders\r\n$1\r\n*\r\n")
    assert "Zoë".encode() in entry.wire
    assert entry.describe()["fields"]["name"] == "Zoë"


def test_a_whole_message_has_four_fields() -> None:
    assert list(encode(MESSAGE.as_json()).fields) == ["action", "changes", "metadata", "record"]


@pytest.mark.parametrize("value", ["text", 1, None, ["a"], {}])
def test_anything_but_a_map_is_refused_with_a_hint(value: Any) -> None:
    with pytest.raises(RuleError, match="takes a map") as caught:
        encode(value)
    assert caught.value.hint == "return a map from the transform function"
