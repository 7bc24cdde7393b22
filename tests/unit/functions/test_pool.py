"""The pool: values, faults, limits, cancellation and what is left afterwards."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routestudio import tasks
from routestudio.errors import WorkerError
from routestudio.functions import child
from routestudio.functions import worker as worker_module
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message
from tests.support.guards import started
from tests.support.waiting import PATIENCE, until
from tests.unit.functions.helpers import (
    codes,
    function,
    message,
    numbered,
    outcome,
    value,
    whole,
)

HANG = 'if record["id"] in ({}):\n    while True:\n        pass\nreturn record["id"]'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return None", None),
        ("return True", True),
        ("return 2**62", 2**62),
        pytest.param("return 10**4000", 10**4000, id="long number"),
        ("return 'é\\u2028\\ud800\\0'", "é\u2028\ud800\0"),
        ("return 0.1", 0.1),
        ("return float('-inf')", float("-inf")),
        ("return {}", {}),
        (
            "return {'a': [1, {'b': (2, 3)}], 'v': {'t': 1}}",
            {"a": [1, {"b": [2, 3]}], "v": {"t": 1}},
        ),
        ("return {3, 1, 2}", [1, 2, 3]),
        ("return decimal.Decimal('1.50')", Decimal("1.50")),
        ("return datetime.date(2024, 2, 29)", dt.date(2024, 2, 29)),
        ("return datetime.time(1, 2, 3, 4)", dt.time(1, 2, 3, 4)),
        (
            "return datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)",
            dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
        ),
        ("return uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001"),
        ("return metadata", message().metadata),
        ("return record | {'n': metadata.database.name}", {"id": 1, "n": "db"}),
        ("return metadata.consumer['name'] + metadata['table_name']", "sampleunknown"),
    ],
)
async def test_values_arrive_as_they_are(pool: FunctionPool, body: str, expected: Any) -> None:
    found = await value(pool, body)
    assert found == expected
    assert type(found) is type(expected)


async def test_not_a_number_arrives(pool: FunctionPool) -> None:
    found = await value(pool, "return [float('nan'), decimal.Decimal('NaN')]")
    assert found[0] != found[0]
    assert found[1].is_nan()


async def test_typed_columns_reach_the_function(pool: FunctionPool) -> None:
    record = {"at": dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), "total": Decimal("1.50"), "n": None}
    assert await value(pool, "return record", message(record)) == record
    assert (
        await value(pool, "return record['at'].year + int(record['total'])", message(record))
        == 2025
    )


async def test_several_functions_in_one_call(pool: FunctionPool) -> None:
    messages = numbered(5)
    keep = function("return record['id'] % 2 == 0", FunctionKind.FILTER)
    topic = function("return {'topic': f'a{record[\"id\"]}'}")
    body = function("return {'n': record['id']}", FunctionKind.TRANSFORM)
    kept, topics, bodies = await pool.evaluate([keep, topic, body], messages)
    assert [item.value for item in kept] == [True, False, True, False, True]
    assert [item.value for item in topics] == [
        {"topic": "a0"}, None, {"topic": "a2"}, None, {"topic": "a4"},
    ]  # fmt: skip
    assert [item.value for item in bodies] == [{"n": 0}, None, {"n": 2}, None, {"n": 4}]
    assert codes(topics) == ["ok"] * 5


async def test_a_filter_must_say_false_to_skip(pool: FunctionPool) -> None:
    (_, routed) = await pool.evaluate(
        [function("return record.get('x')", FunctionKind.FILTER), function("return 1")], [message()]
    )
    assert routed[0].value == 1


async def test_functions_do_not_see_each_others_changes(pool: FunctionPool) -> None:
    spoil = function("record['id'] = 99\nmetadata['table_name'] = 'x'\nreturn 1")
    look = function("return [record['id'], metadata.table_name]", FunctionKind.TRANSFORM)
    original = message()
    _, seen = await pool.evaluate([spoil, look], [original])
    assert seen[0].value == [1, "unknown"]
    assert original.record == {"id": 1}


async def test_nothing_to_do(pool: FunctionPool) -> None:
    assert await pool.evaluate([function("return 1")], []) == [[]]
    assert await pool.evaluate([], [message()]) == []
    assert not started() or pool._workers == []


async def test_functions_that_cannot_run_get_a_fault_each(pool: FunctionPool) -> None:
    elixir = Function("e", FunctionKind.ROUTING, Language.ELIXIR, "def route(a, r, c, m), do: 1")
    path = Function("p", FunctionKind.PATH, Language.PYTHON, path="record")
    broken = whole("def route(action, record, changes, metadata):\n    return topc")
    results = await pool.evaluate([elixir, broken, function("return 7"), path], numbered(2))
    assert [codes(column) for column in results] == [
        ["invalid"] * 2, ["invalid"] * 2, ["ok"] * 2, ["invalid"] * 2,
    ]  # fmt: skip
    fault = results[1][0].fault
    assert fault is not None
    assert (fault.line, fault.column) == (2, 12)
    assert "topc" in fault.message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "kind", "line", "column", "text"),
    [
        ('x = 1\nreturn record["nme"]', "KeyError", 3, 12, "there is no key 'nme'"),
        ('raise ValueError("no topic")', "ValueError", 2, 5, "no topic"),
        ('"é€"; return "é€" + 1', "TypeError", 2, 18, "concatenate"),
        ("def f(n):\n    return 1 // n\nreturn f(0)", "ZeroDivisionError", 3, 16, "division"),
        ("return json.loads('{')", "JSONDecodeError", 2, 12, "Expecting"),
        ("return list(map(lambda n: 1 / n, [0]))", "ZeroDivisionError", 2, 31, "division"),
        ("def f(n):\n    return f(n)\nreturn f(1)", "RecursionError", 3, 16, "too deeply"),
        ("return nothing\nnothing = 1", "UnboundLocalError", 2, 12, "nothing"),
        ("x = 1; assert False", "AssertionError", 2, None, "no text"),
        ("return metadata.annotations", "KeyError", 2, 12, "annotations"),
        ("return action.hexdigest()", "AttributeError", 2, 12, "hexdigest"),
        ("return 'x'.encode('no-such-codec')", "LookupError", 2, 12, ""),
        ("return str(10**5000)", "ValueError", 2, 12, "limit"),
    ],
)
async def test_exceptions_carry_type_text_and_place(
    pool: FunctionPool, body: str, kind: str, line: int, column: int | None, text: str
) -> None:
    fault = (await outcome(pool, body)).fault
    assert fault is not None
    assert (fault.code, fault.type, fault.line) == ("raised", kind, line)
    # Python versions differ in what of an `assert` they blame.
    assert fault.column == column or (column is None and fault.column)
    assert text in fault.message


async def test_texts_of_exceptions_are_bounded(pool: FunctionPool) -> None:
    fault = (await outcome(pool, "raise ValueError('x' * 100000)")).fault
    assert fault is not None
    assert fault.message == "x" * 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return lambda: 1", "function"),
        ("return re", "Namespace"),
        ("return str", "type"),
        ("return {'a': {1: 2}}", "keys of a map must be text, not int"),
        ("return b'x'", "bytes"),
        ("return [1, (x for x in [1])]", "generator"),
        ("return ValueError('x')", "ValueError"),
        ("return re.search('a', 'a')", "Match"),
        ("return decimal.Decimal('1E+999999999')", "decimal"),
        ("return decimal.Decimal('1E-999999999')", "decimal"),
        ("return decimal.Decimal('sNaN')", "decimal"),
        ("return 'x' * 1048576", "1,048,576 are allowed"),
    ],
)
async def test_only_bounded_plain_data_comes_out(pool: FunctionPool, body: str, text: str) -> None:
    fault = (await outcome(pool, body)).fault
    assert fault is not None
    assert fault.code == "output"
    assert text in fault.message


async def test_depth_of_results_is_bounded(pool: FunctionPool) -> None:
    body = "x = 1\nfor _ in range({}):\n    x = [x]\nreturn x"
    deep = await value(pool, body.format(64))
    for _ in range(64):
        (deep,) = deep
    assert deep == 1
    assert codes([await outcome(pool, body.format(65))]) == ["output"]


@pytest.mark.slow
async def test_a_hanging_message_costs_its_own_result_only(pool: FunctionPool) -> None:
    async with asyncio.timeout(PATIENCE):
        (results,) = await pool.evaluate([function(HANG.format("3, 7"))], numbered(10))
    assert codes(results) == ["timeout" if i in (3, 7) else "ok" for i in range(10)]
    assert [item.value for item in results if item.fault is None] == [0, 1, 2, 4, 5, 6, 8, 9]
    fault = results[3].fault
    assert fault is not None
    assert "ran longer than 1 s on this message" in fault.message


@pytest.mark.slow
async def test_messages_beyond_one_request_are_numbered_right(pool: FunctionPool) -> None:
    (results,) = await pool.evaluate([function(HANG.format("1234, 2500"))], numbered(2600))
    assert [i for i, item in enumerate(results) if item.fault] == [1234, 2500]
    assert [item.value for item in results[2490:2500]] == list(range(2490, 2500))


@pytest.mark.slow
async def test_each_function_has_its_own_time() -> None:
    pool = FunctionPool(limits=Limits(seconds_per_message=1.0))
    spin = "n = 0\nend = datetime.datetime.now() + datetime.timedelta(seconds=0.7)\n"
    spin += "while datetime.datetime.now() < end:\n    n = 1\nreturn True"
    functions = [function(spin, FunctionKind.FILTER), function(spin)]
    try:
        results = await pool.evaluate(functions, [message()])
    finally:
        await pool.close()
    assert [codes(column) for column in results] == [["ok"], ["ok"]]


def _clock(monkeypatch: pytest.MonkeyPatch, *seconds: float | None) -> None:
    """Let the system tell these processor times of a worker, the last of them again and again."""
    left = list(seconds)
    monkeypatch.setattr(
        child.system.workers,  # type: ignore[attr-defined]
        "processor",
        lambda pid: left.pop(0) if len(left) > 1 else left[0],
    )


async def test_a_function_is_not_stopped_for_a_busy_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was given no processor has used none of its time."""
    _clock(monkeypatch, 3.0)
    monkeypatch.setattr(child, "PATIENCE", 10_000)
    spin = "end = datetime.datetime.now() + datetime.timedelta(seconds=0.5)\n"
    spin += "while datetime.datetime.now() < end:\n    n = 1\nreturn True"
    pool = FunctionPool(limits=Limits(seconds_per_message=0.05))
    try:
        (results,) = await pool.evaluate([function(spin)], [message()])
    finally:
        await pool.close()
    assert codes(results) == ["ok"]


@pytest.mark.parametrize(
    ("patience", "used"),
    [
        pytest.param(10_000, (3.0, 3.0, 3.1), id="its processor time is used"),
        pytest.param(3, (3.0,), id="it has no processor for several times as long"),
        pytest.param(10_000, (None,), id="the system does not tell"),
        pytest.param(10_000, (3.0, None), id="the system tells no more"),
    ],
)
async def test_a_function_without_an_end_is_stopped(
    patience: int, used: tuple[float | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    _clock(monkeypatch, *used)
    monkeypatch.setattr(child, "PATIENCE", patience)
    pool = FunctionPool(limits=Limits(seconds_per_message=0.05))
    try:
        (results,) = await pool.evaluate([function("while True:\n    x = 1")], [message()])
    finally:
        await pool.close()
    assert codes(results) == ["timeout"]


@pytest.mark.slow
async def test_it_gives_up_after_repeated_overruns() -> None:
    pool = FunctionPool(limits=Limits(seconds_per_message=0.5, max_overruns=2))
    try:
        (results,) = await pool.evaluate([function(HANG.format("1, 3, 5"))], numbered(8))
        assert codes(results) == ["ok", "timeout", "ok", "timeout", *["not_evaluated"] * 4]
        (results,) = await pool.evaluate(
            [function(HANG.format("1, 3, 5"))], numbered(8), give_up=False
        )
        assert codes(results) == [
            "ok", "timeout", "ok", "timeout", "ok", "timeout", "ok", "ok",
        ]  # fmt: skip
    finally:
        await pool.close()


@pytest.mark.slow
async def test_many_hanging_messages_stop_a_delivery_once() -> None:
    """A delivery leaves no message unevaluated: it would take a limit of time for each of them."""
    pool = FunctionPool(limits=Limits(seconds_per_message=0.5, max_hanging=3))
    try:
        with pytest.raises(WorkerError) as caught:
            await pool.evaluate([function("while True:\n    x = 1")], numbered(500), give_up=False)
        assert caught.value.message == (
            "the functions did not end on 4 of the messages up to row 4; of this one: the routing "
            "function ran longer than 0.5 s on this message and was stopped"
        )
        assert caught.value.hint is not None
        (results,) = await pool.evaluate([function("return 1")], numbered(2), give_up=False)
        assert codes(results) == ["ok", "ok"]
    finally:
        await pool.close()


async def test_memory_is_limited_for_each_message(pool: FunctionPool) -> None:
    body = "if record['id'] == 2:\n    return len('x' * 10**10)\nreturn 1"
    (results,) = await pool.evaluate([function(body)], numbered(4))
    assert codes(results) == ["ok", "ok", "memory", "ok"]


@pytest.mark.slow
async def test_large_results_come_in_parts() -> None:
    # 120 results of half a megabyte: together more than the worker may hold.
    pool = FunctionPool(limits=Limits(memory_bytes=128 << 20))
    try:
        body = "return f'{record[\"id\"]:03}' + 'x' * 500000"
        (results,) = await pool.evaluate([function(body)], numbered(120))
    finally:
        await pool.close()
    assert codes(results) == ["ok"] * 120
    assert [int(item.value[:3]) for item in results] == list(range(120))


@pytest.mark.slow
async def test_large_messages_come_in_parts() -> None:
    pool = FunctionPool(limits=Limits(memory_bytes=128 << 20))
    messages = [message({"id": i, "text": f"{i}" * 1_500_000}) for i in range(10, 30)]
    try:
        (results,) = await pool.evaluate([function("return record['id']")], messages)
        assert [item.value for item in results] == list(range(10, 30))
        huge = message({"id": 1, "text": "x" * 60_000_000})
        given = [message(), huge, message()]
        (results,) = await pool.evaluate([function("return len(record)")], given)
    finally:
        await pool.close()
    assert codes(results) in (["ok", "memory", "ok"], ["ok", "crashed", "ok"])


@pytest.mark.slow
async def test_messages_nested_too_deeply_are_named(pool: FunctionPool) -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    messages = [message(), message({"deep": deep}), message(), message({"deep": deep}), message()]
    (results,) = await pool.evaluate([function("return len(record)")], messages)
    assert codes(results) == ["ok", "invalid", "ok", "invalid", "ok"]
    fault = results[1].fault
    assert fault is not None
    assert "nested too deeply" in fault.message


@pytest.mark.slow
async def test_cancelling_stops_the_work_at_once() -> None:
    pool = FunctionPool(limits=Limits(seconds_per_message=30.0))
    try:
        await pool.warm()
        (before,) = started()
        task = tasks.spawn(pool.evaluate([function(HANG.format("0,"))], numbered(3)), name="hang")
        await asyncio.sleep(0.1)
        task.cancel()
        async with asyncio.timeout(25):  # its worker would be stopped after 30 seconds
            with pytest.raises(asyncio.CancelledError):
                await task
        assert before not in started()
        assert await value(pool, "return 5") == 5
    finally:
        await pool.close()


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.01, 0.04])
async def test_cancelling_while_a_worker_starts(pool: FunctionPool, delay: float) -> None:
    task = tasks.spawn(pool.evaluate([function("return 1")], numbered(3)), name="start")
    await asyncio.sleep(delay)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(pool, "return 5") == 5


@pytest.mark.slow
async def test_a_worker_killed_from_outside_is_replaced(pool: FunctionPool) -> None:
    assert await value(pool, "return 1") == 1
    (pid,) = started()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not started())
    assert await value(pool, "return 2") == 2


@pytest.mark.slow
async def test_an_interrupt_from_the_keyboard_is_not_the_workers(pool: FunctionPool) -> None:
    await pool.warm()
    (pid,) = started()
    task = tasks.spawn(pool.evaluate([function(HANG.format("0,"))], numbered(2)), name="hang")
    await asyncio.sleep(0.1)
    os.kill(pid, signal.SIGINT)
    (results,) = await task
    assert codes(results) == ["timeout", "ok"]


@pytest.mark.slow
async def test_evaluations_share_the_workers_of_a_pool() -> None:
    pool = FunctionPool(size=2)
    try:
        columns = await asyncio.gather(
            *(
                pool.evaluate([function(f"return {n} + record['id']")], numbered(3))
                for n in range(6)
            )
        )
        assert len(started()) == 2
        assert [[item.value for item in column] for (column,) in columns] == [
            [n, n + 1, n + 2] for n in range(6)
        ]
    finally:
        await pool.close()
    assert not started()


async def test_closing_while_evaluating_and_afterwards() -> None:
    pool = FunctionPool()
    task = tasks.spawn(pool.evaluate([function(HANG.format("0,"))], numbered(2)), name="hang")
    await until(started)
    await pool.close()
    with pytest.raises(WorkerError):
        await task
    assert not started()
    await pool.close()


async def test_a_worker_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = FunctionPool()
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(WorkerError, match="cannot be started"):
        await pool.evaluate([function("return 1")], [message()])
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(WorkerError, match="exit code 1"):
        await pool.evaluate([function("return 1")], [message()])
    await pool.close()
    assert not started()


@pytest.mark.slow
async def test_many_programs_do_not_fill_the_worker(pool: FunctionPool) -> None:
    for n in range(300):
        assert await value(pool, f"return {n}") == n


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=20)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.times()
    | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture
async def warm_pool() -> AsyncIterator[FunctionPool]:
    pool = FunctionPool()
    await pool.warm()
    yield pool
    await pool.close()


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(records=st.lists(st.dictionaries(st.text(max_size=8), plain, max_size=5), max_size=5))
async def test_any_plain_record_comes_back(
    warm_pool: FunctionPool, records: list[dict[str, Any]]
) -> None:
    messages = [message(record | {"id": 1}) for record in records]
    functions = [function("return record"), function("return [record]", FunctionKind.TRANSFORM)]
    same, listed = await warm_pool.evaluate(functions, messages)
    assert codes(same) == ["ok"] * len(messages)
    assert [item.value for item in same] == [m.record for m in messages]
    assert [item.value for item in listed] == [[m.record] for m in messages]


def test_a_message_field_and_its_key_are_the_same() -> None:
    given: Message = message()
    metadata = worker_module.Metadata(given.metadata)  # type: ignore[attr-defined]
    for name, item in given.metadata.items():
        assert getattr(metadata, name) == item
    with pytest.raises(AttributeError, match="no field `nothing`"):
        _ = metadata.nothing
    assert metadata.database.hostname == "localhost"


async def test_a_pool_closes_while_its_first_worker_starts() -> None:
    """A command that ends at once must not wait for a worker that nobody asked."""
    for turns in range(4):
        pool = FunctionPool()
        warming = asyncio.ensure_future(pool.warm())
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await pool.close()
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
