"""The Typesense sink without a server: fields, documents, ids, limits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks._shared.http.service_fields import climbs, segment_problem
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.typesense.sink import Document, Typesense, _temporary

VALUES = {"endpoint_url": "https://search.example/base/", "api_key": "key-123456",
          "collection_name": "orders"}  # fmt: skip
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1
).filter(lambda name: segment_problem(name) is None)
MESSAGE = message_from({"action": "insert", "record": {"id": 7}})


def encode(value: Any, *, action: str = "index", collection: str = "orders") -> Document:
    config = bind(Typesense, VALUES, dynamic=False).config
    routing = Typesense.Routing(action=action, collection_name=collection)
    return Typesense.encode(config, MESSAGE, routing, Payload(value))


def test_defaults_are_those_of_the_reference() -> None:
    bound = bind(Typesense, {**VALUES, "batch_size": None, "timeout_seconds": None}, dynamic=False)
    assert (bound.config.batch_size, bound.config.timeout_seconds) == (40, 10)
    router = Router(bind(Typesense, VALUES, dynamic=True))
    for action, wanted in (("insert", "index"), ("update", "index"), ("read", "index"),
                           ("delete", "delete")):  # fmt: skip
        item = message_from({"action": action, "record": {"id": 1},
                             "metadata": {"table_name": "t"}})  # fmt: skip
        found = router.route(item, FunctionResult({}))
        assert found.values == {"action": wanted, "collection_name": "sequin.public.t"}
        assert found.batch_key == (wanted, "sequin.public.t")


@pytest.mark.parametrize(
    ("field", "value"),
    [("endpoint_url", "http://a/?q=1"), ("endpoint_url", "a.example"), ("api_key", "a\nb"),
     ("api_key", ""), ("batch_size", 0), ("batch_size", 10_001), ("timeout_seconds", 3601),
     ("timeout_seconds", 0), ("collection_name", ""), ("collection_name", "x" * 1025)],
)  # fmt: skip
def test_what_the_reference_refuses_is_refused(field: str, value: Any) -> None:
    _, problems = examine(Typesense, {**VALUES, field: value}, dynamic=False)
    assert [p.field for p in problems] == [field]


def test_the_destinations_batch_size_counts() -> None:
    bound = bind(Typesense, {**VALUES, "batch_size": 7}, dynamic=False, batch_size=500)
    assert bound.limits.messages == 7


@pytest.mark.parametrize(
    ("given", "text", "noted"),
    [("a-1", "a-1", False), (7, "7", True), (Decimal("12.50"), "12.50", True), (1.5, "1.5", True),
     (UUID(int=5), "00000000-0000-0000-0000-000000000005", False)],
)  # fmt: skip
def test_an_id_is_sent_as_text_by_both_actions(given: Any, text: str, noted: bool) -> None:
    indexed = encode({"id": given, "n": 1})
    assert json.loads(indexed.body) == {"id": text, "n": 1}
    assert ("notes" in indexed.describe()) is noted
    deleted = encode({"id": given, "n": 1}, action="delete")
    assert (indexed.id, deleted.id, deleted.body) == (text, text, b"")
    assert deleted.describe()["url"].endswith(f"/documents/{text}")


@pytest.mark.parametrize("action", ["index", "delete"])
@pytest.mark.parametrize(
    "value",
    [MESSAGE.as_json(), {"id": None}, {"id": ""}, {"id": True}, {"id": [1]}, [1], "x", None],
)
def test_a_payload_without_an_id_is_refused_with_a_hint(action: str, value: Any) -> None:
    with pytest.raises(RuleError) as caught:
        encode(value, action=action)
    assert "transform" in str(caught.value.hint)


@given(name=st.text(min_size=1, max_size=30), collection=NAMES)
def test_no_name_leaves_its_place_in_the_path(name: str, collection: str) -> None:
    assume(not climbs(name))
    shown = encode({"id": name}, action="delete", collection=collection).describe()["url"]
    parts = urlsplit(shown)
    assert (parts.netloc, parts.query, parts.fragment) == ("search.example", "", "")
    steps = parts.path.split("/")
    assert steps[:3] == ["", "base", "collections"]
    assert [unquote(step) for step in steps[3:]] == [collection, "documents", name]


def test_the_description_is_the_request_without_the_key() -> None:
    shown = encode({"id": 1, "name": "é"}).describe()
    assert shown["method"] == "POST"
    assert shown["url"] == (
        "https://search.example/base/collections/orders/documents/import?action=emplace"
    )
    assert shown["body"] == '{"id":"1","name":"é"}'
    assert "key-123456" not in str(shown)


@pytest.mark.parametrize(
    ("code", "text", "wanted"),
    [(400, "", False), (404, "", False), (409, "", False), (422, "bad", False), (408, "", True),
     (429, "", True), (500, "", True), (503, "", True),
     (422, "Rejecting write: running out of resource type: OUT_OF_MEMORY", True)],
)  # fmt: skip
def test_what_may_succeed_later_is_told_apart(code: int, text: str, wanted: bool) -> None:
    assert _temporary(code, text) is wanted


def test_a_stand_in_gets_no_key() -> None:
    config = bind(Typesense, VALUES, dynamic=False).config
    moved = Typesense.at_standin(config, StandinAddress("127.0.0.1", 9))
    assert str(moved.endpoint_url) == "http://127.0.0.1:9/"
    assert moved.api_key.get_secret_value() != "key-123456"
