"""Effective routing: layers, provenance, validation, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionFault, FunctionResult, Identifier
from routestudio.model.message import Message, message_from
from routestudio.routing import Effective, Router
from routestudio.sinks.base import Sink
from routestudio.sinks.binding import bind
from routestudio.sinks.fields import routed_fields
from routestudio.sinks.http_push.sink import HttpPush
from routestudio.sinks.kafka.sink import Kafka
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.redis_stream.sink import RedisStream
from routestudio.sinks.redis_string.sink import RedisString

REDIS = {"host": "localhost", "port": 6379}
ENDPOINTS = {"http_endpoints": {"api": {"url": "https://api.example.com/in"}}}


def message(action: str = "insert", pks: list[str] | None = None, **record: Any) -> Message:
    metadata: dict[str, Any] = {"table_name": "orders"}
    if pks is not None:
        metadata["record_pks"] = pks
    return message_from({"action": action, "record": {"id": 1, **record}, "metadata": metadata})


def redis(value: Any, **options: Any) -> Effective:
    router = Router(bind(RedisString, REDIS, dynamic=True), **options)
    return router.route(message(), FunctionResult(value))


def http() -> Router:
    return Router(bind(HttpPush, {"http_endpoint": "api"}, dynamic=True, resources=ENDPOINTS))


def test_static_mode_is_defaults_and_static_values() -> None:
    router = Router(bind(RedisString, {**REDIS, "expire_ms": 9}, dynamic=False))
    effective = router.route(message("delete", ["1", "2"]))
    assert effective.values == {"key": "sequin:orders:1-2", "action": "del", "expire_ms": 9}
    assert effective.provenance == {"key": "default", "action": "default", "expire_ms": "static"}
    assert effective.defaults == {"key": "sequin:orders:1-2", "action": "del", "expire_ms": None}
    assert effective.group_id == "1:2"
    assert effective.ok


def test_dynamic_mode_never_uses_static_values() -> None:
    router = Router(bind(RedisString, {**REDIS, "expire_ms": 9}, dynamic=True))
    effective = router.route(message(), FunctionResult({"key": "k"}))
    assert effective.values == {"key": "k", "action": "set", "expire_ms": None}
    assert effective.provenance["key"] == "function"
    assert effective.provenance["expire_ms"] == "default"


def test_unknown_keys_are_refused_with_a_hint() -> None:
    effective = redis({"kye": "x", "key": "k"})
    assert [(p.field, p.message, p.hint) for p in effective.problems] == [
        ("kye", "unknown key", "did you mean `key`?")
    ]
    assert effective.values["key"] == "k"
    assert effective.batch_key is None


def test_all_problems_are_told() -> None:
    effective = redis({"key": "a b", "action": "SET", "expire_ms": 0})
    assert {p.field: p.message for p in effective.problems} == {
        "key": "cannot contain whitespace",
        "action": "is invalid, valid values are: set, del",
        "expire_ms": "must be 1 or more",
    }


@pytest.mark.parametrize("value", [None, [], "k", 5, True, ("key", "k")])
def test_a_result_that_is_no_map_is_a_problem(value: Any) -> None:
    effective = redis(value)
    assert [p.field for p in effective.problems] == ["route"]
    assert "action, expire_ms, key" in (effective.problems[0].hint or "")


def test_null_overrides_and_is_judged() -> None:
    effective = redis({"key": None, "action": "del", "expire_ms": None})
    assert [(p.field, p.message) for p in effective.problems] == [("key", "can't be blank")]
    assert effective.provenance["expire_ms"] == "function"
    headers = http().route(message(), FunctionResult({"headers": None}))
    assert [(p.field, p.message) for p in headers.problems] == [
        ("headers", "is invalid: must not be null")
    ]


def test_numbers_become_text_where_the_server_does_it() -> None:
    effective = redis({"key": 42})
    assert effective.values["key"] == "42"
    assert effective.casts == ("key",)
    assert redis({"key": 1.0}).values["key"] == "1.0"
    assert not redis({"key": True}).ok


def test_a_broken_default_is_found_too() -> None:
    raw = {"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "my orders"}}
    router = Router(bind(Nats, {"host": "localhost", "port": 4222}, dynamic=True))
    found = router.route(message_from(raw), FunctionResult({})).problems
    assert [p.field for p in found] == ["subject"]
    assert found[0].message.startswith("the default must contain only")
    assert "would not check" in (found[0].hint or "")


def test_a_fault_keeps_the_default_layer() -> None:
    router = Router(bind(RedisString, REDIS, dynamic=True))
    fault = FunctionFault("raised", "no", line=3)
    effective = router.route(message(), FunctionResult(fault=fault))
    assert effective.fault is fault
    assert not effective.ok
    assert effective.values == {}
    assert effective.defaults["key"] == "sequin:orders:1"
    missing = router.route(message(), None)
    assert missing.fault is not None
    assert missing.fault.code == "not_evaluated"


def test_group_ids() -> None:
    bound = bind(RedisString, REDIS, dynamic=False)
    assert Router(bound, grouping=False).route(message()).group_id is None
    assert Router(bound).route(message(pks=[])).group_id is None
    assert Router(bound).route(message(pks=[""])).group_id is None
    router = Router(bound, tables={"public.orders": ("country",), "public.other": ("id",)})
    assert router.route(message(country="DE")).group_id == "DE"
    assert router.route(message()).group_id is None


def test_batch_keys_name_the_destination() -> None:
    route = http().route
    one = route(message(), FunctionResult({"endpoint_path": "/a", "headers": {"B": "1", "A": "2"}}))
    same = route(
        message(), FunctionResult({"endpoint_path": "/a", "headers": {"A": "2", "B": "1"}})
    )
    other = route(message(), FunctionResult({"endpoint_path": "/a", "headers": {"A": "3"}}))
    assert one.batch_key == same.batch_key != other.batch_key
    assert redis({"key": "a"}).batch_key == redis({"key": "b"}).batch_key


def test_instances_are_what_the_model_makes() -> None:
    router = Router(bind(RedisString, REDIS, dynamic=True))
    effective = router.route(message(), FunctionResult({"key": 5, "expire_ms": "7"}))
    instance = router.instance(effective)
    made = RedisString.Routing(key="5", action="set", expire_ms=7)
    assert type(instance) is type(made)
    assert instance.model_dump() == made.model_dump() == effective.values
    assert (instance.group_id, made.group_id) == (effective.group_id, None)
    assert effective.group_id is not None
    with pytest.raises(ValueError, match="frozen"):
        instance.key = "other"  # type: ignore[attr-defined]


def test_messages_do_not_share_what_they_may_change() -> None:
    router = http()
    first = router.route(message(), FunctionResult({}))
    first.values["headers"]["X"] = "1"
    assert router.route(message(), FunctionResult({})).values["headers"] == {}


KEYS = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.none(), st.booleans(),
    st.text(alphabet="ab \n\u2028\ud800\xa0é", max_size=4), st.just("x" * 513),
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(["key", "action", "expire_ms"]), KEYS), max_size=8))
def test_the_merge_agrees_with_the_rules(results: list[dict[str, Any]]) -> None:
    """One router for many messages gives what the rules say for each alone."""
    router = Router(bind(RedisString, REDIS, dynamic=True))
    for value in results:
        effective = router.route(message(), FunctionResult(value))
        for field in routed_fields(RedisString):
            raw = value.get(field.name, effective.defaults[field.name])
            found = [p.message for p in effective.problems if p.field == field.name]
            if raw is None:
                assert bool(found) == field.routed.required
                continue
            said: list[str] = []
            try:
                cast = field.rule.cast(raw)
            except RuleError as error:
                said = list(error.messages)
            else:
                assert effective.values[field.name] == cast
                assert (field.name in effective.casts) == (type(cast) is not type(raw))
            assert found == said


NATURAL = "2024-01-01 10:00:00.000000Z"
"""A time as text, as it stands in the key of a hypertable; a space is in it."""


@pytest.mark.parametrize(
    ("kind", "values", "field", "wanted"),
    [
        (Kafka, {"hosts": "localhost:9092", "topic": "readings"}, "message_key", f"{NATURAL}:7"),
        (RedisString, REDIS, "key", f"sequin:orders:{NATURAL}-7"),
    ],
)
def test_a_natural_key_with_a_space_is_delivered(
    kind: type[Sink], values: dict[str, Any], field: str, wanted: str
) -> None:
    """The service takes any key, and a server sends its default unchecked."""
    router = Router(bind(kind, values, dynamic=False))
    effective = router.route(message("insert", [NATURAL, "7"]))
    assert effective.ok, effective.problems
    assert effective.values[field] == wanted
    assert [w.field for w in effective.warnings] == [field]
    assert "sent as it is" in effective.warnings[0].message
    # The rule is for what a function returns.
    router = Router(bind(kind, values, dynamic=True))
    given = {"topic": "readings"} if kind is Kafka else {}
    effective = router.route(message(), FunctionResult({**given, field: "New York"}))
    assert [p.field for p in effective.problems] == [field]
    # The project's own pattern holds for defaults, too.
    router = Router(bind(kind, values, dynamic=False), confine={field: "[a-z:0-9]*"})
    assert not router.route(message("insert", [NATURAL, "7"])).ok


def test_a_table_with_a_space_is_a_stream_key_but_no_subject() -> None:
    raw = {"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "my orders"}}
    router = Router(bind(RedisStream, REDIS, dynamic=True))
    routed = router.route(message_from(raw), FunctionResult({}))
    assert routed.ok
    assert routed.values["stream_key"] == "sequin.public.my orders"
    refused = Router(bind(Nats, {"host": "localhost", "port": 4222}, dynamic=False))
    assert [p.field for p in refused.route(message_from(raw)).problems] == ["subject"]


def test_repeated_results_are_routed_as_the_first_one() -> None:
    """They are remembered, by what they are and not by what they are equal to."""
    remembering = http()
    results: list[dict[str, Any]] = [
        {"method": "PUT", "endpoint_path": "/a"}, {"endpoint_path": "/a", "method": "PUT"},
        {"method": "PUT"}, {"endpoint_path": "/a"}, {"method": Identifier("PUT")},
        {"endpoint_path": Identifier("/a")}, {"endpoint_path": "//elsewhere"}, {"method": "put"},
        {"endpoint_path": "/a", "headers": {"X": "1"}}, {"unknown": "x"}, {"method": None}, {},
    ]  # fmt: skip
    for _ in range(3):
        for result in results:
            row = message()
            found = remembering.route(row, FunctionResult(dict(result)))
            fresh = http().route(row, FunctionResult(dict(result)))
            shown = [(e.values, e.provenance, e.group_id, e.batch_key, e.problems, e.warnings,
                      e.casts, e.defaults) for e in (found, fresh)]  # fmt: skip
            assert shown[0] == shown[1], result
            found.values["headers"]["X"] = "changed"


def test_a_default_that_depends_on_the_message_is_not_remembered() -> None:
    router = Router(bind(RedisString, REDIS, dynamic=True))
    rows = [replace(message(), record={"id": n}, metadata={**message().metadata,
                                                          "record_pks": [str(n)]})
            for n in range(3)]  # fmt: skip
    keys = [router.route(row, FunctionResult({"action": "set"})).values["key"] for row in rows]
    assert len(set(keys)) == 3


def test_results_that_never_repeat_are_remembered_no_longer() -> None:
    router = http()
    for number in range(3_000):
        path = f"/{number}"
        found = router.route(message(), FunctionResult({"endpoint_path": path}))
        assert found.values["endpoint_path"] == path
