"""The Meilisearch sink without a server: fields, documents, ids, edits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import Message, message_from
from routestudio.routing import Router
from routestudio.sinks._shared.http.service_fields import segment_problem
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.meilisearch.link import Change
from routestudio.sinks.meilisearch.sink import Meilisearch

VALUES = {"endpoint_url": "https://search.example/base/", "api_key": "key-123456",
          "index_name": "orders"}  # fmt: skip
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1
).filter(lambda name: segment_problem(name) is None)


def message(record: dict[str, Any], pks: list[str] | None = None) -> Message:
    metadata = {} if pks is None else {"record_pks": pks}
    return message_from({"action": "insert", "record": record, "metadata": metadata})


def encode(item: Message, value: Any = None, *, primary: str = "id", **routed: Any) -> Change:
    """The change for a message, as without a transform when there is no `value`."""
    config = bind(Meilisearch, {**VALUES, "primary_key": primary}, dynamic=False).config
    routing = Meilisearch.Routing(**{"action": "index", "index_name": "orders", **routed})
    return Meilisearch.encode(config, item, routing, Payload(value or item.as_json()))


def test_defaults_are_those_of_the_reference() -> None:
    given = {**VALUES, "primary_key": None, "timeout_seconds": None, "batch_size": None}
    bound = bind(Meilisearch, given, dynamic=False, batch_size=3)
    config = bound.config
    assert (config.primary_key, config.timeout_seconds, config.batch_size) == ("id", 5, 100)
    assert bound.limits.messages == 100
    router = Router(bind(Meilisearch, VALUES, dynamic=True))
    for action, wanted in (("insert", "index"), ("update", "index"), ("read", "index"),
                           ("delete", "delete")):  # fmt: skip
        item = message_from({"action": action, "record": {"id": 1}})
        found = router.route(item, FunctionResult({"index_name": "x"}))
        assert (found.ok, found.values["action"]) == (True, wanted)
        assert found.batch_key == (wanted, "x")
    assert [p.field for p in router.route(item, FunctionResult({})).problems] == ["index_name"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("endpoint_url", "http://a/#q"), ("api_key", "a b"), ("batch_size", 10_001),
     ("timeout_seconds", 301), ("timeout_seconds", 0), ("index_name", "x" * 1025)],
)  # fmt: skip
def test_what_the_reference_refuses_is_refused(field: str, value: Any) -> None:
    _, problems = examine(Meilisearch, {**VALUES, field: value}, dynamic=False)
    assert [p.field for p in problems] == [field]


def test_a_name_that_the_service_refuses_is_a_warning() -> None:
    router = Router(bind(Meilisearch, VALUES, dynamic=True))
    found = router.route(message({"id": 1}), FunctionResult({"index_name": "public.orders"}))
    assert found.ok
    assert [w.field for w in found.warnings] == ["index_name"]


def test_without_a_transform_the_records_key_is_copied() -> None:
    item = message({"id": 7, "name": "é"})
    indexed, deleted = encode(item), encode(item, action="delete")
    assert json.loads(indexed.body) == {"id": 7, **item.as_json()}
    assert (indexed.id, deleted.id, deleted.body) == (7, 7, b"7")
    assert deleted.describe()["body"] == "[7]"
    by_sku = message({"id": 7, "sku": "a-1"})
    assert encode(by_sku, primary="sku").id == "a-1"
    nested = encode(by_sku, primary="record.sku")
    assert (nested.id, json.loads(nested.body)) == ("a-1", by_sku.as_json())


@pytest.mark.parametrize("action", ["index", "delete"])
@pytest.mark.parametrize(
    ("value", "primary", "wanted"),
    [({"id": 5}, "id", 5), ({"id": "a_B-1"}, "id", "a_B-1"), ({"meta": {"id": 5}}, "meta.id", 5),
     ({"meta.id": 6, "meta": {"id": 5}}, "meta.id", 6), ({"id": Decimal("12")}, "id", "12"),
     ({"id": UUID(int=5)}, "id", "00000000-0000-0000-0000-000000000005"), ({"id": -1}, "id", -1)],
)  # fmt: skip
def test_the_id_comes_from_the_payload(action: str, value: Any, primary: str, wanted: Any) -> None:
    found = encode(message({"id": 99}, ["1", "2"]), value, primary=primary, action=action)
    assert found.id == wanted
    assert found.describe()["id"] == wanted


@pytest.mark.parametrize("action", ["index", "delete"])
@pytest.mark.parametrize(
    "value",
    [{"id": None}, {"name": 1}, {"id": ""}, {"id": "a b"}, {"id": "é"}, {"id": True}, {"id": 1.5},
     {"id": "x" * 512}, {"id": [1]}, {"id": "a\n"}, [1], "text", {"id": Decimal("1.5")}],
)  # fmt: skip
def test_other_ids_are_refused_with_a_hint(action: str, value: Any) -> None:
    with pytest.raises(RuleError) as caught:
        encode(message({"id": 1}), value, action=action)
    assert "transform" in str(caught.value.hint)


def test_a_composite_key_is_refused_without_a_transform() -> None:
    with pytest.raises(RuleError, match="2 columns") as caught:
        encode(message({"id": 1, "shop": 2}, ["1", "2"]), action="delete")
    assert "join" in str(caught.value.hint)


def test_an_edit_needs_no_payload() -> None:
    edit = {"action": "function", "filter": "id = 1", "function": "doc.n += context.by"}
    found = encode(message({}), "nothing", **edit, context={"by": 2})
    assert json.loads(found.body) == {"filter": "id = 1", "function": "doc.n += context.by",
                                      "context": {"by": 2}}  # fmt: skip
    assert found.describe()["url"].endswith("/indexes/orders/documents/edit")
    assert "context" not in json.loads(encode(message({}), "x", **edit, context={}).body)
    with pytest.raises(RuleError) as caught:
        encode(message({"id": 1}), action="function")
    assert len(caught.value.messages) == 2


@given(index=NAMES, primary=NAMES, action=st.sampled_from(["index", "delete"]))
def test_no_name_leaves_its_place_in_the_url(index: str, primary: str, action: str) -> None:
    item = message({"id": 1})
    found = encode(item, {primary: 1}, primary=primary, index_name=index, action=action)
    parts = urlsplit(found.describe()["url"])
    assert (parts.netloc, parts.fragment) == ("search.example", "")
    assert parse_qs(parts.query) == ({"primaryKey": [primary]} if action == "index" else {})
    steps = [unquote(step) for step in parts.path.split("/")]
    assert steps[:5] == ["", "base", "indexes", index, "documents"]


def test_the_description_shows_no_key() -> None:
    assert "key-123456" not in str(encode(message({"id": 1})).describe())
    config = bind(Meilisearch, VALUES, dynamic=False).config
    moved = Meilisearch.at_standin(config, StandinAddress("127.0.0.1", 9))
    assert str(moved.endpoint_url) == "http://127.0.0.1:9/"
    assert moved.api_key.get_secret_value() != "key-123456"
