"""The NATS sink: its rules and messages."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.nats.wire import publication

MESSAGE = message_from(
    {"action": "insert", "record": {"id": 7}, "metadata": {"table_name": "orders"}}
)
KEY = MESSAGE.metadata["idempotency_key"]


def encode(headers: dict[str, str], value: Any = None) -> Any:
    config = Nats.Config(host="localhost")
    return Nats.encode(
        config, MESSAGE, Nats.Routing(subject="orders.new", headers=headers),
        Payload({"n": "é"} if value is None else value),
    )  # fmt: skip


def routed(result: dict[str, Any]) -> Any:
    return Router(bind(Nats, {"host": "h"}, dynamic=True)).route(MESSAGE, FunctionResult(result))


# --- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "a b"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"tls": "maybe"}, "tls"),
        ({"password": "x"}, "username: is required with a password"),
        ({"subject": "orders"}, "subject: unknown key"),
        ({"nkeyseed": "x"}, "did you mean `nkey_seed`"),
    ],
)
def test_a_wrong_destination_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(Nats, {"host": "localhost", **values}, dynamic=False)


def test_the_port_has_a_default_that_exports_always_write() -> None:
    assert Nats.Config(host="h").port == 4222
    assert Nats.write_always == ("port",)


def test_defaults() -> None:
    effective = routed({})
    database = MESSAGE.metadata["database_name"]
    assert effective.values == {
        "subject": f"sequin.{database}.public.orders.insert",
        "headers": {"Nats-Msg-Id": KEY},
    }
    assert effective.batch_key == ()


@pytest.mark.parametrize(
    "subject", ["", "a b", "a.*", ">", "a..b", ".a", "a.", "a\r\nPUB b 0", "ä", "x" * 256, "a/b", 5]
)
def test_subjects_that_nats_cannot_have_are_refused(subject: Any) -> None:
    assert [p.field for p in routed({"subject": subject}).problems] == ["subject"]


@pytest.mark.parametrize("subject", ["orders", "a.B-c_9", "x" * 255])
def test_subjects(subject: str) -> None:
    assert routed({"subject": subject}).values["subject"] == subject


@pytest.mark.parametrize(
    "headers", [None, {"a": None}, {"a": 1}, {"a b": "c"}, {"a": "b\r\nc: d"}, {"a:": "b"}, "x"]
)
def test_headers_that_nats_cannot_have_are_refused(headers: Any) -> None:
    assert {p.field for p in routed({"headers": headers}).problems} == {"headers"}


# --- messages ---------------------------------------------------------------------------------


def test_the_body_is_json_and_the_size_is_what_the_server_counts() -> None:
    found = encode({"Nats-Msg-Id": "1"})
    assert found.body == '{"n":"é"}'.encode()
    assert found.headers == b"NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n"
    assert found.size == len(found.body) + len(found.headers)
    assert found.describe() == {
        "kind": "nats message", "subject": "orders.new", "headers": {"Nats-Msg-Id": "1"},
        "payload": '{"n":"é"}',
    }  # fmt: skip
    assert encode({}, "text").body == b'"text"'


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"Nats-Msg-Id": KEY}),
        ({"X-Source": "cdc"}, {"X-Source": "cdc", "Nats-Msg-Id": KEY}),
        ({"Nats-Msg-Id": "own"}, {"Nats-Msg-Id": "own"}),
        ({"nats-msg-id": "own"}, {"Nats-Msg-Id": "own"}),
        ({"Nats-Msg-Id": ""}, {}),
        ({"Nats-Msg-Id": "", "a": "b"}, {"a": "b"}),
    ],
)
def test_the_message_id_stays_unless_a_function_says_otherwise(
    given: dict[str, str], sent: dict[str, str]
) -> None:
    found = encode(given)
    assert found.describe()["headers"] == sent
    assert (found.headers == b"") == (not sent)


def test_commands() -> None:
    assert publication("a.b", "", b"", b"xy") == b"PUB a.b 2\r\nxy\r\n"
    assert publication("a", "r", b"H", b"xy") == b"HPUB a r 1 3\r\nHxy\r\n"
