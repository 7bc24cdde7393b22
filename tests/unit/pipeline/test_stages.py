from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from routestudio.model.function import Function, FunctionFault, FunctionKind, FunctionResult
from routestudio.pipeline.stages import SinkFunctions
from tests.unit.pipeline.doubles import PlainPool, Settings, make_message, make_stages

KEEP = Function("keep", FunctionKind.FILTER)
ROUTE = Function("route", FunctionKind.ROUTING)
SHAPE = Function("shape", FunctionKind.TRANSFORM)


def path(text: str) -> Function:
    return Function("pick", FunctionKind.PATH, path=text)


async def test_static_sink_never_touches_the_pool() -> None:
    pool = PlainPool()
    stages = make_stages(pool=pool, destination={"topic": "all"})
    staged = await stages.apply([make_message(0), make_message(1, action="delete")])
    assert pool.calls == []
    assert not stages.uses_pool
    assert [s.effective.values["topic"] for s in staged] == ["all", "all"]
    assert [s.record.topic for s in staged] == ["all", "all"]
    assert staged[0].payload.value == staged[0].message.as_json()
    assert [s.message.index for s in staged] == [0, 1]


async def test_all_functions_in_one_call_and_only_for_matching_messages() -> None:
    pool = PlainPool(
        keep=lambda m: FunctionResult(m.record["id"] % 2 == 0),
        route=lambda m: FunctionResult({"topic": f"t{m.record['id']}"}),
        shape=lambda m: FunctionResult({"n": m.record["id"]}),
    )
    stages = make_stages(
        SinkFunctions(KEEP, ROUTE, SHAPE), pool, settings=Settings(actions=("insert",))
    )
    staged = await stages.apply(
        [make_message(0), make_message(1), make_message(2, action="delete"),
         make_message(4, action="read")]
    )  # fmt: skip
    assert pool.calls == [(["keep", "route", "shape"], 3)]
    assert [s.filtered for s in staged] == [None, "filter", "actions", None]
    assert [s.effective and s.effective.values for s in staged] == [
        {"topic": "t0"}, None, None, {"topic": "t4"}
    ]  # fmt: skip
    assert [s.payload and s.payload.value for s in staged] == [{"n": 0}, None, None, {"n": 4}]
    assert all(s.ok for s in staged)
    assert staged[0].record.body == b'{"n":0}'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"include_schemas": ["public"]}, [None, "source"]),
        ({"exclude_schemas": ["public"]}, ["source", None]),
        ({"include_tables": ["orders"]}, [None, "source"]),
        ({"include_tables": ["audit.orders"]}, ["source", None]),
        ({"exclude_tables": ["public.orders"]}, ["source", None]),
        ({"include_schemas": ["audit"], "exclude_tables": ["audit.orders"]}, ["source", "source"]),
        ({}, [None, None]),
    ],
)
async def test_source_match(source: dict[str, list[str]], expected: list[str | None]) -> None:
    one = make_message(0)
    other = replace(one, metadata={**one.metadata, "table_schema": "audit"})
    staged = await make_stages(settings=Settings(source=source)).apply([one, other])
    assert [s.filtered for s in staged] == expected


async def test_filter_that_is_not_boolean_is_a_problem_beside_the_others() -> None:
    fault = FunctionFault("raised", "division by zero", "ZeroDivisionError", 3, 7)
    pool = PlainPool(
        keep=lambda m: FunctionResult(1),
        route=lambda m: FunctionResult({"topic": "a b", "topc": "x"}),
        shape=lambda m: FunctionResult(fault=fault),
    )
    (staged,) = await make_stages(SinkFunctions(KEEP, ROUTE, SHAPE), pool).apply([make_message()])
    assert not staged.ok
    assert staged.filtered is None
    assert staged.record is None
    assert [(p.stage, p.code, p.function) for p in staged.problems] == [
        ("filter", "not_boolean", "keep"),
        ("route", "routing", "route"),
        ("route", "routing", "route"),
        ("transform", "raised", "shape"),
    ]
    assert "a number" in staged.problems[0].message
    assert {p.field: p.hint for p in staged.problems[1:3]}["topc"] == "did you mean `topic`?"
    assert staged.problems[3].message == "ZeroDivisionError: division by zero"
    assert (staged.problems[3].line, staged.problems[3].column) == (3, 7)


async def test_a_stopped_worker_is_reported_once() -> None:
    stopped = FunctionResult(fault=FunctionFault("timeout", "ran longer than 1 s"))
    pool = PlainPool(keep=lambda m: stopped, route=lambda m: stopped, shape=lambda m: stopped)
    stages = make_stages(SinkFunctions(KEEP, ROUTE, SHAPE), pool)
    (staged,) = await stages.apply([make_message()])
    assert [(p.stage, p.code) for p in staged.problems] == [("filter", "timeout")]
    stages = make_stages(SinkFunctions(None, ROUTE, SHAPE), pool)
    (staged,) = await stages.apply([make_message()])
    assert [(p.stage, p.code) for p in staged.problems] == [("route", "timeout")]


@pytest.mark.parametrize(("limit", "expected"), [(None, False), (3, True)])
async def test_overruns_end_an_evaluation_only_with_a_limit(
    limit: int | None, expected: bool
) -> None:
    pool = PlainPool(route=lambda m: FunctionResult({}))
    await make_stages(SinkFunctions(routing=ROUTE), pool, max_overruns=limit).apply(
        [make_message()]
    )
    assert pool.give_up == [expected]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("record.address.city", "Graz"),
        ("record.tags.0", None),
        ("record.none.deep", None),
        ("record.missing", None),
        ("action", "insert"),
        ("changes.x", None),
        ("metadata.table_name", "orders"),
        ("metadata.consumer.name", "sample"),
    ],
)
async def test_path_functions_pick_one_value(text: str, value: object) -> None:
    pool = PlainPool()
    message = make_message(0, address={"city": "Graz"}, tags=["a"], none=None)
    (staged,) = await make_stages(SinkFunctions(transform=path(text)), pool).apply([message])
    assert staged.problems == ()
    assert staged.payload.value == value
    assert pool.calls == []


async def test_path_into_a_scalar_is_a_problem() -> None:
    stages = make_stages(SinkFunctions(transform=path("record.id.part")))
    (staged,) = await stages.apply([make_message()])
    assert [(p.stage, p.function) for p in staged.problems] == [("transform", "pick")]
    assert "record.id" in staged.problems[0].message


async def test_path_beside_worker_functions() -> None:
    pool = PlainPool(route=lambda m: FunctionResult({"topic": "x"}))
    stages = make_stages(SinkFunctions(routing=ROUTE, transform=path("record.id")), pool)
    (staged,) = await stages.apply([make_message(7)])
    assert pool.calls == [(["route"], 1)]
    assert staged.payload.value == 7


async def test_unix_microseconds_touch_typed_datetimes_only() -> None:
    utc = dt.datetime(2024, 1, 1, 0, 0, 0, 5, tzinfo=dt.UTC)
    naive = dt.datetime(2024, 1, 1)
    east = dt.datetime(2024, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    message = make_message(
        0,
        at=utc,
        deep={"list": [naive, "2024-01-01T00:00:00Z"]},
        day=dt.date(2024, 1, 1),
        east=east,
    )
    (staged,) = await make_stages(settings=Settings(timestamp_format="unix_microsecond")).apply(
        [message]
    )
    second = 1_704_067_200_000_000
    assert staged.message.record["at"] == second + 5
    assert staged.message.record["deep"] == {"list": [second, "2024-01-01T00:00:00Z"]}
    assert staged.message.record["day"] == dt.date(2024, 1, 1)
    assert staged.message.record["east"] == second
    assert staged.message.metadata is message.metadata
    assert message.record["at"] is utc


async def test_payload_without_json_form_is_a_problem_of_encode() -> None:
    pool = PlainPool(shape=lambda m: FunctionResult({"x": float("nan")}))
    (staged,) = await make_stages(SinkFunctions(transform=SHAPE), pool).apply([make_message()])
    assert [(p.stage, p.code) for p in staged.problems] == [("encode", "not_json")]
    assert staged.record is None


async def test_static_values_are_ignored_in_dynamic_mode_and_group_columns_count() -> None:
    pool = PlainPool(route=lambda m: FunctionResult({}))
    stages = make_stages(
        SinkFunctions(routing=ROUTE), pool, destination={"topic": "fixed"},
        settings=Settings(tables={"public.orders": ("customer",)}),
    )  # fmt: skip
    (staged,) = await stages.apply([make_message(0, customer=5)])
    assert staged.effective.values == {"topic": "orders"}
    assert staged.effective.group_id == "5"
