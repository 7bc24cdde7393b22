"""From raw destination values to a validated sink."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.sinks.binding import bind, examine, split, unknown_key
from routestudio.sinks.http_push.sink import HttpPush
from routestudio.sinks.redis_string.sink import RedisString

REDIS = {"host": "localhost", "port": 6379}
ENDPOINTS = {"http_endpoints": {"api": {"name": "api", "url": "https://api.example.com/in"}}}


def problems(sink: type, values: dict[str, Any], **options: object) -> dict[str, str]:
    options.setdefault("dynamic", False)
    _, found = examine(sink, values, **options)  # type: ignore[arg-type]
    return {p.field: p.message + (f" [{p.hint}]" if p.hint else "") for p in found}


def test_a_good_destination_is_sorted_into_its_parts() -> None:
    bound = bind(RedisString, {"type": "redis_string", **REDIS, "expire_ms": "60000"},
                 dynamic=False, batch_size=5)  # fmt: skip
    assert (bound.config.host, bound.config.port) == ("localhost", 6379)
    assert dict(bound.static) == {"expire_ms": 60000}
    assert bound.limits.messages == 5


def test_dynamic_mode_keeps_what_it_ignores() -> None:
    bound = bind(RedisString, {**REDIS, "expire_ms": 5}, dynamic=True)
    assert dict(bound.static) == {}
    assert dict(bound.ignored) == {"expire_ms": 5}


def test_a_bad_static_value_is_no_problem_while_it_is_ignored() -> None:
    assert problems(RedisString, {**REDIS, "expire_ms": 0}, dynamic=True) == {}
    assert problems(RedisString, {**REDIS, "expire_ms": 0}) == {"expire_ms": "must be 1 or more"}


def test_every_problem_is_listed_at_its_field() -> None:
    found = problems(RedisString, {"hots": "x", "port": 0, "tls": "maybe", "expire_ms": -1})
    assert found == {
        "hots": "unknown key [did you mean `host`?]",
        "host": "is required",
        "port": "must be 1 or more",
        "tls": "is invalid: expected true or false, got text",
        "expire_ms": "must be 1 or more",
    }
    with pytest.raises(ConfigError) as caught:
        bind(RedisString, {"port": 1}, dynamic=False)
    assert [p.field for p in caught.value.problems] == ["host"]
    assert "host: is required" in str(caught.value)


def test_null_and_empty_optional_values_are_absent() -> None:
    bound = bind(RedisString, {**REDIS, "username": "", "password": None, "database": None},
                 dynamic=False)  # fmt: skip
    assert bound.config.username is None
    assert bound.config.password is None
    assert bound.config.database == 0


def test_no_problem_shows_a_secret() -> None:
    values = {**REDIS, "password": ["hunter2"], "username": 3, "databse": "hunter2"}
    assert "hunter2" not in str(problems(RedisString, values))


def test_a_resource_is_bound_by_its_name() -> None:
    bound = bind(HttpPush, {"http_endpoint": "api"}, dynamic=False, resources=ENDPOINTS)
    assert str(bound.config.http_endpoint.url) == "https://api.example.com/in"


def test_problems_of_resources_are_told_at_the_reference() -> None:
    assert problems(HttpPush, {"http_endpoint": "apl"}, resources=ENDPOINTS) == {
        "http_endpoint": "`apl` is not in `http_endpoints` [did you mean `api`?]"
    }
    assert problems(HttpPush, {"http_endpoint": "api"}) == {
        "http_endpoint": "`api` is not in `http_endpoints` [add it under `http_endpoints`]"
    }
    assert problems(HttpPush, {}) == {"http_endpoint": "is required"}
    broken = {"http_endpoints": {"api": {"url": "ftp://x", "heders": {}}}}
    assert problems(HttpPush, {"http_endpoint": "api"}, resources=broken) == {
        "http_endpoint.url": "must start with http:// or https://",
        "http_endpoint.heders": "unknown key [did you mean `headers`?]",
    }


@pytest.mark.parametrize(
    ("entry", "key"),
    [({"local": True, "path": "/x"}, "local"), ({"local": "true"}, "local"),
     ({"webhook.site": "true"}, "webhook.site")],
)  # fmt: skip
def test_endpoints_that_only_a_server_reaches_are_explained(
    entry: dict[str, Any], key: str
) -> None:
    found = problems(HttpPush, {"http_endpoint": "a"}, resources={"http_endpoints": {"a": entry}})
    assert list(found) == [f"http_endpoint.{key}"]
    assert "RouteStudio cannot deliver to it" in found[f"http_endpoint.{key}"]
    assert "give the endpoint a `url`" in found[f"http_endpoint.{key}"]


def test_batch_off_means_single_messages() -> None:
    bound = bind(HttpPush, {"http_endpoint": "api", "batch": "false"}, dynamic=False,
                 resources=ENDPOINTS, batch_size=50)  # fmt: skip
    assert bound.config.batch is False
    assert bound.limits.messages == 1


def test_split_names_unknown_keys() -> None:
    parts = split(RedisString, {"type": "redis_string", "host": "x", "expire_ms": 1, "kye": 2})
    assert parts.config == {"host": "x"}
    assert parts.static == {"expire_ms": 1}
    assert [p.field for p in parts.unknown] == ["kye"]
    assert unknown_key("zzz", ["b", "a"]).hint == "known: a, b"
