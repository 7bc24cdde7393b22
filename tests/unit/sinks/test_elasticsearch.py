"""The Elasticsearch sink without a server: fields, entries, ids, limits."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks._shared.http.service_fields import segment_problem
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.elasticsearch.sink import Elasticsearch, ElasticsearchLink, Entry, _allows

VALUES = {"endpoint_url": "https://search.example/base/", "auth_value": "key-123456",
          "index_name": "orders"}  # fmt: skip
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1
).filter(lambda name: segment_problem(name) is None)


def encode(value: Any, *, action: str = "insert", pks: Any = ("7",), index: str = "orders",
           **config: Any) -> Entry:  # fmt: skip
    bound = bind(Elasticsearch, {**VALUES, **config}, dynamic=False).config
    message = message_from({"action": action, "record": {}, "metadata": {"record_pks": list(pks)}})
    return Elasticsearch.encode(
        bound, message, Elasticsearch.Routing(index_name=index), Payload(value)
    )


def test_defaults_are_those_of_the_reference() -> None:
    bound = bind(Elasticsearch, {**VALUES, "batch_size": None, "auth_type": None}, dynamic=False)
    assert (bound.config.batch_size, bound.config.auth_type) == (100, "api_key")
    router = Router(bind(Elasticsearch, VALUES, dynamic=True))
    item = message_from({"action": "read", "record": {"id": 1},
                         "metadata": {"table_name": "t", "database_name": "shop"}})  # fmt: skip
    found = router.route(item, FunctionResult({}))
    assert found.values == {"index_name": "sequin.shop.public.t"}
    assert found.batch_key == ("sequin.shop.public.t",)


@pytest.mark.parametrize(
    ("field", "value"),
    [("endpoint_url", "http://a/?q=1"), ("endpoint_url", "ftp://a"), ("auth_value", "a\nb"),
     ("auth_value", " a"), ("auth_value", ""), ("auth_value", None), ("auth_type", "apikey"),
     ("batch_size", 0), ("batch_size", 10_001), ("index_name", ""), ("index_name", "x" * 1025)],
)  # fmt: skip
def test_what_cannot_work_is_refused(field: str, value: Any) -> None:
    _, problems = examine(Elasticsearch, {**VALUES, field: value}, dynamic=False)
    assert [p.field for p in problems] == [field]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("api_key", "ApiKey me:pass"), ("bearer", "Bearer me:pass"), ("none", None),
     ("basic", "Basic " + base64.b64encode(b"me:pass").decode())],
)  # fmt: skip
def test_the_authorization_header_of_each_type(kind: str, wanted: str | None) -> None:
    given = {"endpoint_url": "http://a", "auth_type": kind, "auth_value": SecretStr("me:pass")}
    link = ElasticsearchLink(Elasticsearch.Config.model_validate(given))
    assert link._headers.get("authorization") == wanted


def test_no_credential_is_needed_for_none() -> None:
    values = {**VALUES, "auth_type": "none", "auth_value": None}
    bound = bind(Elasticsearch, values, dynamic=False)
    assert encode({"a": 1}, auth_type="none", auth_value=None).describe()["headers"] == {}
    assert bound.config.auth_value is None


def test_the_destinations_batch_size_counts() -> None:
    bound = bind(Elasticsearch, {**VALUES, "batch_size": 7}, dynamic=False, batch_size=500)
    assert bound.limits.messages == 7
    assert bound.limits.size == 10 * 1024 * 1024


@pytest.mark.parametrize("action", ["insert", "update", "read", "delete"])
def test_the_entry_follows_the_action(action: str) -> None:
    entry = encode({"name": "é"}, action=action, pks=["1", "b"])
    wanted = ['{"index":{"_id":"1-b"}}', '{"name":"é"}', ""]
    if action == "delete":
        wanted = ['{"delete":{"_id":"1-b"}}', ""]
    assert entry.lines.decode().split("\n") == wanted
    shown = entry.describe()
    assert shown["body"] == entry.lines.decode()
    assert shown["url"] == "https://search.example/base/orders/_bulk"
    assert shown["headers"] == {"authorization": "••••"}
    assert "key-123456" not in str(shown)
    assert entry.size == len(entry.lines)


def test_a_delete_takes_any_payload_and_an_index_only_maps() -> None:
    assert encode([1], action="delete").id == "7"
    for value in ([1], "text", None, 5):
        with pytest.raises(RuleError) as caught:
            encode(value)
        assert "transform" in str(caught.value.hint)


@pytest.mark.parametrize("pks", [[], [""]])
@pytest.mark.parametrize("action", ["insert", "delete"])
def test_without_a_primary_key_there_is_no_document(pks: list[str], action: str) -> None:
    with pytest.raises(RuleError, match="no primary key") as caught:
        encode({"a": 1}, action=action, pks=pks)
    assert caught.value.hint


def test_an_id_has_at_most_512_bytes() -> None:
    assert encode({}, pks=["é" * 256]).id == "é" * 256
    with pytest.raises(RuleError, match="512 bytes"):
        encode({}, pks=["é" * 257])


@pytest.mark.parametrize(
    ("pks", "noted"),
    [(["1-2", "3"], True), (["1", "2-3"], True), (["a-b"], False), (["1", "2"], False),
     (["-1", "-2.5"], False), (["5e0e2c5e-0f9b-4f1a-9d7e-0123456789ab", "7"], False)],
)  # fmt: skip
def test_ids_that_another_row_may_have_are_noted(pks: list[str], noted: bool) -> None:
    entry = encode({}, pks=pks)
    assert entry.id == "-".join(pks)
    assert ("notes" in entry.describe()) is noted


@given(index=NAMES, key=st.text(min_size=1, max_size=50))
def test_no_name_leaves_its_place(index: str, key: str) -> None:
    entry = encode({"a": "\n"}, index=index, pks=[key])
    parts = urlsplit(entry.describe()["url"])
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == (
        "https", "search.example", "", "",
    )  # fmt: skip
    assert [unquote(step) for step in parts.path.split("/")] == ["", "base", index, "_bulk"]
    head, body, end = entry.lines.split(b"\n")
    assert json.loads(head) == {"index": {"_id": key}}
    assert json.loads(body) == {"a": "\n"}
    assert end == b""


def test_halves_of_surrogate_pairs_stay_json() -> None:
    entry = encode({"a": "\ud800"}, pks=["x\ud800"])
    head, body, _ = entry.lines.decode().split("\n")
    assert json.loads(head) == {"index": {"_id": "x\ud800"}}
    assert json.loads(body) == {"a": "\ud800"}


@pytest.mark.parametrize(
    ("name", "fine"),
    [("orders", True), ("sequin.shop.public.orders", True), ("ähm", True), ("Orders", False),
     ("_orders", False), ("a b", False), ("a:b", False),
     (".x", True), ("x" * 256, False)],
)  # fmt: skip
def test_names_that_the_server_refuses_are_warned_of(name: str, fine: bool) -> None:
    bound = bind(Elasticsearch, {**VALUES, "index_name": name}, dynamic=False)
    found = Router(bound).route(message_from({"action": "insert", "record": {"id": 1}}))
    assert found.ok
    assert (not found.warnings) is fine


@pytest.mark.parametrize(
    ("setting", "name", "wanted"),
    [("true", "a", True), ("false", "a", False), ("+a*,-*", "ab", True), ("+a*,-*", "b", False),
     ("-a*,+*", "ab", False), ("-a*,+*", "b", True), ("a*", "ab", True), ("a*", "b", False),
     ('["+x", "-y"]', "x", True), ('["+x", "-y"]', "y", False), ("a?", "ab", False)],
)  # fmt: skip
def test_the_setting_of_indexes_created_by_use(setting: str, name: str, wanted: bool) -> None:
    assert _allows(setting, name) is wanted


def test_a_stand_in_gets_no_credential() -> None:
    config = bind(Elasticsearch, VALUES, dynamic=False).config
    moved = Elasticsearch.at_standin(config, StandinAddress("127.0.0.1", 9))
    assert str(moved.endpoint_url) == "http://127.0.0.1:9/"
    assert (moved.auth_type, moved.auth_value) == ("none", None)
