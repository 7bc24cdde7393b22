"""Rules of fields that sinks for HTTP APIs share."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks import registry
from routestudio.sinks._shared.http.service_fields import JsonMap, OneLine, ServiceUrl, Token
from routestudio.sinks.binding import bind, examine


def test_a_service_url_keeps_its_path() -> None:
    url = ServiceUrl().cast("https://search.example:8108/base/")
    assert (url.origin, url.path) == ("https://search.example:8108", "/base/")
    assert ServiceUrl().cast(url) is url


@pytest.mark.parametrize(
    ("text", "count"),
    [("http://a/?x=1", 1), ("http://a/#x", 1), ("http://a/?x=1#y", 2), ("ftp://a", 1), ("a", 1),
     ("http://", 1)],
)  # fmt: skip
def test_other_urls_are_refused(text: str, count: int) -> None:
    with pytest.raises(RuleError) as caught:
        ServiceUrl().cast(text)
    assert len(caught.value.messages) == count


def test_a_token_is_one_word() -> None:
    assert Token().cast("xyz-123").get_secret_value() == "xyz-123"
    assert Token().cast(SecretStr("x")).get_secret_value() == "x"
    for wrong in ("a b", "a\n", "\u00e9", "", "a\r\nHost: evil"):
        with pytest.raises(RuleError) as caught:
            Token().cast(wrong)
        assert not wrong.strip() or wrong not in str(caught.value)


def test_a_credential_is_one_line() -> None:
    for right in ("me:pass word", "\u00e9", "a=b/c+d"):
        assert OneLine().cast(SecretStr(right)).get_secret_value() == right
    for wrong in (" qx7", "qx7\n", "qx7\r\nHost: evil", "", "qx7\ud800", "qx7\x00b"):
        with pytest.raises(RuleError) as caught:
            OneLine().cast(wrong)
        assert "qx7" not in str(caught.value)


@pytest.mark.parametrize("value", [{}, {"a": [1, {"b": None}]}, {"a": "\u00e9"}])
def test_a_json_map_is_kept(value: dict[str, Any]) -> None:
    assert JsonMap().cast(value) is value
    assert JsonMap().quick()(value) is (not value)


@pytest.mark.parametrize(
    "value", [[], "x", None, {1: 2}, {"a": object()}, {"a": float("nan")}, {"a": "x" * 70_000}]
)
def test_other_maps_are_refused(value: Any) -> None:
    with pytest.raises(RuleError):
        JsonMap().cast(value)


PLACES = {
    "elasticsearch": ("index_name", {}),
    "typesense": ("collection_name", {}),
    "meilisearch": ("index_name", {}),
    "azure_event_hub": ("event_hub_name", {}),
    "s2": ("stream", {"basin": "my-basin"}),
}
VALUES = {
    "elasticsearch": {"endpoint_url": "http://localhost:9200/base", "auth_type": "none"},
    "typesense": {"endpoint_url": "http://localhost:8108/base", "api_key": "key-1234"},
    "meilisearch": {"endpoint_url": "http://localhost:7700/base", "api_key": "key-1234"},
    "azure_event_hub": {"namespace": "shop", "shared_access_key_name": "send",
                        "shared_access_key": "key-1234"},
    "s2": {"access_token": "token-1234"},
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(PLACES))
@pytest.mark.parametrize("name", ["..", ".", "../x", "x/..", "_all/../x", "a\\..", "./", "a/./b"])
def test_no_name_climbs_out_of_the_base_path(key: str, name: str) -> None:
    """Escapes do not help behind a proxy that undoes them and then resolves the path."""
    field, more = PLACES[key]
    sink = registry.default().get(key)
    message = message_from({"action": "insert", "record": {"id": 1}})
    result = FunctionResult({field: name, **more})
    routed = Router(bind(sink, VALUES[key], dynamic=True)).route(message, result)
    assert [problem.field for problem in routed.problems] == [field]
    _, problems = examine(sink, {**VALUES[key], field: name, **more}, dynamic=False)
    assert [problem.field for problem in problems] == [field]


@pytest.mark.parametrize("key", sorted(set(PLACES) - {"s2"}))
@pytest.mark.parametrize("name", ["a/b", "/a", "a\\b", "a/"])
def test_a_name_that_is_one_step_has_no_slash(key: str, name: str) -> None:
    sink, field = registry.default().get(key), PLACES[key][0]
    _, problems = examine(sink, {**VALUES[key], field: name}, dynamic=False)
    assert [problem.field for problem in problems] == [field]
