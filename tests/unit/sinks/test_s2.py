"""The S2 sink without a server: fields, records, hosts, limits."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.s2.sink import S2, Append, S2Link, basin_url, stream_problem

VALUES = {"access_token": "token-123456", "basin": "my-basin", "stream": "orders"}
OWN = {**VALUES, "endpoint_url": "http://localhost:8080"}
MESSAGE = message_from({"action": "insert", "record": {"id": 7}})
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=128
).filter(lambda name: stream_problem(name) is None)
BASINS = st.from_regex(r"[a-z0-9][a-z0-9-]{6,46}[a-z0-9]", fullmatch=True)


def encode(value: Any, *, values: Any = None, basin: str = "my-basin",
           stream: str = "orders") -> Append:  # fmt: skip
    config = bind(S2, values or VALUES, dynamic=False).config
    return S2.encode(config, MESSAGE, S2.Routing(basin=basin, stream=stream), Payload(value))


def routed(result: dict[str, Any]) -> Any:
    values = {"access_token": "token-123456"}
    return Router(bind(S2, values, dynamic=True)).route(MESSAGE, FunctionResult(result))


def test_a_function_must_give_both_fields() -> None:
    found = routed({})
    assert {p.field for p in found.problems} == {"basin", "stream"}
    found = routed({"basin": "my-basin", "stream": "a"})
    assert found.ok
    assert found.batch_key == ("my-basin", "a")


@pytest.mark.parametrize(
    ("field", "value"),
    [("basin", "short"), ("basin", "x" * 49), ("basin", "My-Basin"), ("basin", "-my-basin"),
     ("basin", "my-basin-"), ("basin", "my.basin.x"), ("stream", ""), ("stream", "x" * 513),
     ("access_token", "a b"), ("access_token", "a\n"), ("access_token", ""),
     ("endpoint_url", "http://me:pw@a"), ("endpoint_url", "a"), ("endpoint_url", "http://a?x")],
)  # fmt: skip
def test_what_cannot_work_is_refused(field: str, value: Any) -> None:
    _, problems = examine(S2, {**VALUES, field: value}, dynamic=False)
    assert [p.field for p in problems] == [field]


@pytest.mark.parametrize(
    "basin",
    ["evil.example", "my-basin.", "my-basin@evil", "my-basin#", "my-basin/", "my-basin:80",
     "my-basin\n", "MY-BASIN", "my_basins", "mybasiné", "a" * 7, "a" * 49, "xn--évil-long",
     "my-basin\u3002example", None, 12345678],
)  # fmt: skip
def test_no_function_chooses_another_host(basin: Any) -> None:
    found = routed({"basin": basin, "stream": "orders"})
    assert [p.field for p in found.problems] == ["basin"]


@pytest.mark.slow
@given(basin=BASINS, stream=NAMES)
def test_a_basin_is_one_label_of_the_host(basin: str, stream: str) -> None:
    assert routed({"basin": basin, "stream": "orders"}).ok
    parts = urlsplit(encode({"a": 1}, basin=basin, stream=stream).describe()["url"])
    assert (parts.scheme, parts.netloc) == ("https", f"{basin}.b.s2.dev")
    assert (parts.query, parts.fragment, parts.port) == ("", "", None)
    steps = [unquote(step) for step in parts.path.split("/")]
    assert steps == ["", "v1", "streams", stream, "records"]
    assert re.fullmatch(r"[a-z0-9-]+", parts.netloc.split(".")[0])


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://localhost:8080/", "http://localhost:8080/v1",
            "http://localhost:8080/v1/"],
)  # fmt: skip
def test_a_service_of_ones_own_is_told_the_basin(url: str) -> None:
    shown = encode({"a": 1}, values={**OWN, "endpoint_url": url}).describe()
    assert shown["url"] == "http://localhost:8080/v1/streams/orders/records"
    assert shown["headers"]["s2-basin"] == "my-basin"
    assert "s2-basin" not in encode({"a": 1}).describe()["headers"]


def test_the_record_is_the_payload_as_text() -> None:
    record = encode({"name": "é", "big": 2**60})
    assert record.body.decode() == '{"name":"é","big":1152921504606846976}'
    assert record.size == 8 + len(record.body)
    assert record.describe()["body"] == record.body.decode()
    assert "token-123456" not in str(record.describe())
    assert json.loads(encode({"a": "\ud800"}).body) == {"a": "\ud800"}
    for value in ([1], "text", None, 5):
        assert json.loads(encode(value).body) == value


def test_batches_are_as_large_as_an_append_may_be() -> None:
    bound = bind(S2, VALUES, dynamic=False, batch_size=3)
    assert (bound.limits.messages, bound.limits.size) == (1000, 1024 * 1024)


def test_where_the_link_looks() -> None:
    target = S2.Routing(basin="my-basin", stream="a/b")
    hosted = S2Link(bind(S2, VALUES, dynamic=False).config)
    assert str(hosted.base) == "https://a.s2.dev/v1"
    assert hosted.place(target) == basin_url("my-basin")
    own = S2Link(bind(S2, OWN, dynamic=False).config)
    assert str(own.base) == str(own.place(target)) == "http://localhost:8080/v1"
    assert own.shown(target) == "my-basin/a/b"


def test_a_stand_in_gets_no_token() -> None:
    config = bind(S2, VALUES, dynamic=False).config
    moved = S2.at_standin(config, StandinAddress("127.0.0.1", 9))
    assert str(moved.endpoint_url) == "http://127.0.0.1:9/"
    assert moved.access_token.get_secret_value() != "token-123456"
