"""The RabbitMQ sink: its rules and messages."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq.sink import RabbitMq

MESSAGE = message_from(
    {"action": "insert", "record": {"id": 7}, "metadata": {"table_name": "orders"}}
)
KEY = MESSAGE.metadata["idempotency_key"]
PLACE = {"host": "localhost", "port": 5672}


def routed(result: dict[str, Any]) -> Any:
    return Router(bind(RabbitMq, PLACE, dynamic=True)).route(MESSAGE, FunctionResult(result))


def encode(value: Any, **routing: Any) -> Any:
    values = {"exchange": "orders", "routing_key": "k", "message_id": "m", **routing}
    config = RabbitMq.Config.model_validate(PLACE)
    return RabbitMq.encode(config, MESSAGE, RabbitMq.Routing.model_validate(values), Payload(value))


# --- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "a b"}, "host"),
        ({"host": "user@host"}, "host"),
        ({"port": 0}, "port"),
        ({"port": None}, "port"),
        ({"virtual_host": ""}, "virtual_host"),
        ({"virtual_host": "ü" * 128}, "virtual_host: has 256 bytes"),
        ({"tls": "maybe"}, "tls"),
        ({"password": "x"}, "username: is required with a password"),
        ({"exchange": " "}, "exchange"),
        ({"headers": {"a": [1]}}, "headers"),
        ({"routing_key": "k"}, "routing_key"),
        ({"connection_id": "x"}, "connection_id: unknown key"),
    ],
)
def test_a_wrong_destination_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(RabbitMq, {**PLACE, "exchange": "orders", **values}, dynamic=False)


def test_a_static_destination() -> None:
    found = bind(RabbitMq, {**PLACE, "exchange": "orders", "headers": {"X": "y"}}, dynamic=False)
    assert found.config.virtual_host == "/"
    effective = Router(found).route(MESSAGE)
    database = MESSAGE.metadata["database_name"]
    assert effective.values == {
        "exchange": "orders", "routing_key": f"sequin.{database}.public.orders.insert",
        "message_id": KEY, "headers": {"X": "y"},
    }  # fmt: skip
    assert effective.batch_key == ("orders",)


def test_a_function_must_name_an_exchange() -> None:
    assert [p.field for p in routed({}).problems] == ["exchange"]
    effective = routed({"exchange": "e"})
    assert effective.ok
    assert (effective.values["message_id"], effective.values["headers"]) == (KEY, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exchange", ""), ("exchange", None), ("exchange", "a\nb"), ("exchange", "x" * 256),
        ("exchange", "ü" * 128), ("routing_key", "x" * 256), ("routing_key", "ü" * 128),
        ("routing_key", None), ("routing_key", 5), ("routing_key", "\ud800"),
        ("message_id", "ü" * 128), ("message_id", 5), ("headers", None), ("headers", {"a": None}),
        ("headers", {"a": 2**63}), ("headers", {"a": -(2**63) - 1}), ("headers", {"a": math.nan}),
        ("headers", {"a": Decimal("inf")}), ("headers", {"a": {}}), ("headers", {"a": []}),
        ("headers", {"a b": 1}), ("headers", {"a" * 256: "b"}), ("headers", {"a": "b\r\n"}),
        ("headers", '{"a": "b"}'), ("routing-key", "x"),
    ],
)  # fmt: skip
def test_values_that_amqp_cannot_carry_are_refused(field: str, value: Any) -> None:
    assert field in {p.field for p in routed({"exchange": "e", field: value}).problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exchange", "x" * 255), ("exchange", "Größe 5/?"), ("routing_key", ""),
        ("routing_key", "a.*.#"), ("routing_key", "ü" * 127), ("message_id", ""),
        ("headers", {"a" * 255: ""}), ("headers", {"a": 5000, "b": True, "c": 1.5, "d": ""}),
        ("headers", {"a": 2**63 - 1, "b": -(2**63), "c": Decimal("1.5")}),
    ],
)  # fmt: skip
def test_values_that_amqp_carries(field: str, value: Any) -> None:
    effective = routed({"exchange": "e", field: value})
    assert effective.ok, effective.problems
    assert effective.values[field] == value


def test_the_length_is_told_in_bytes() -> None:
    (problem,) = routed({"exchange": "e", "routing_key": "ü" * 128}).problems
    assert problem.message == "has 256 bytes; AMQP carries at most 255"


# --- messages ---------------------------------------------------------------------------------


def test_a_message_and_its_description() -> None:
    found = encode({"n": "é"}, headers={"X": "ü"})
    assert found.body == '{"n":"é"}'.encode()
    assert found.size == len(found.body) + len(found.properties)
    assert found.describe() == {
        "kind": "rabbitmq message", "exchange": "orders", "routing_key": "k", "message_id": "m",
        "headers": {"X": "ü"}, "content_type": "application/json", "delivery_mode": 2,
        "body": '{"n":"é"}',
    }  # fmt: skip
    assert encode("text").body == b'"text"'
    assert encode(None, message_id="").describe()["message_id"] is None


def test_headers_keep_their_types() -> None:
    given = {"x-delay": 5000, "min": -(2**63), "max": 2**63 - 1, "on": True, "off": False,
             "share": 0.1, "exact": Decimal("2.5"), "text": "5000"}  # fmt: skip
    found = encode({}, headers=given)
    assert found.describe()["headers"] == given
    fields = codec.Fields(found.properties)
    assert fields.number(2) & 1 << 13
    assert fields.short() == "application/json"
    read = fields.table()
    assert read == {**given, "exact": 2.5}
    assert {name: type(value) for name, value in read.items()} == {
        "x-delay": int, "min": int, "max": int, "on": bool, "off": bool, "share": float,
        "exact": float, "text": str,
    }  # fmt: skip


def test_the_password_is_not_shown() -> None:
    config = RabbitMq.Config.model_validate({**PLACE, "username": "a", "password": "geheim"})
    assert "geheim" not in f"{config!r}{config.account()!r}{RabbitMq.connect(config)!r}"
    assert config.account().response == b"\0a\0geheim"
