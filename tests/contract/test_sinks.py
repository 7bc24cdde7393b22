"""What must hold for every sink type of this installation, now and later.

Nothing here names a sink: values come from examples, defaults and rules, so a new sink module is
covered by existing. Where a service is needed it is the sink's stand-in or a port nobody listens
at; the real services are in `tests/integration`.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import gc
import inspect
import io
import itertools
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from ruamel.yaml import YAML

from routestudio.derive.starter import starter
from routestudio.errors import LinkError
from routestudio.functions.pool import FunctionPool
from routestudio.model.cross_rules import RequiredWhen, RequiresAny, Together
from routestudio.model.fields import (
    Choice,
    Flag,
    Headers,
    Integer,
    Ref,
    Rule,
    RuleError,
    Secret,
)
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import ACTIONS, Message, message_from
from routestudio.model.outcome import CheckStep
from routestudio.routing import Router
from routestudio.sinks import registry, standins
from routestudio.sinks.base import InOrder, Link, Payload, Sink, StandinAddress
from routestudio.sinks.binding import BoundSink, bind, examine
from routestudio.sinks.fields import (
    ConfigField,
    config_fields,
    resources,
    routed_fields,
    secret_names,
    static_fields,
)
from routestudio.sinks.gcp_pubsub.tokens import ServiceAccount
from routestudio.sinks.reading import NoReadBack
from routestudio.sinks.standin import Standin
from tests.support.require import missing

SINKS = list(registry.default())
KINDS = {"text", "secret", "integer", "choice", "flag", "headers", "ref", "map"}
SECRET = "hunter2-hunter2"
HOSTILE = ["//evil.example/x", "http://evil.example/", "@evil.example", "..", "/../../x",
           "\\\\evil", "a\r\nHost: evil.example", "x\x00y", "?#@:/", "${SECRET}", "évil", "a b",
           "\ud800", "x" * 5000, "evil.example:1", "%2e%2e/", "{table_name}"]  # fmt: skip

every_sink = pytest.mark.parametrize("sink", SINKS, ids=[sink.key for sink in SINKS])


def sample(field: ConfigField) -> Any:
    """A raw value for a configuration field, as YAML would hold it."""
    rule = field.rule
    if isinstance(rule, Secret):
        return rule.sample(SECRET)
    if isinstance(rule, Headers):
        return {"X-Test": SECRET if rule.secret else "value"}
    if field.ui.example:
        return field.ui.example
    if isinstance(rule, Choice):
        return rule.values[0]
    if isinstance(rule, Flag):
        return bool(field.default)
    if isinstance(rule, Integer):
        return field.default if field.default is not None else (rule.minimum or 1)
    return field.default if isinstance(field.default, str) else "value"


def entry(model: Any) -> dict[str, Any]:
    """A full entry of a project resource."""
    return {field.name: sample(field) for field in config_fields(model)}


def destination(sink: type[Sink], *, full: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Raw values of a destination and the project resources that it names.

    `full` gives every field a value, as far as the sink's cross-field rules allow; without it
    only required fields have one.
    """
    available: dict[str, Any] = {}
    values: dict[str, Any] = {"type": sink.yaml_type or sink.key}
    for field, rule in resources(sink):
        available[rule.resource] = {"entry": entry(rule.model)}
        values[field.name] = "entry"
    for field in config_fields(sink.Config):
        if field.name in values:
            continue
        if field.required:
            values[field.name] = sample(field)
    fields = {f.name: f for f in config_fields(sink.Config)}
    for rule in sink.Config.rules:
        if isinstance(rule, RequiredWhen) and rule.value is None:
            given = values.get(rule.field, fields[rule.field].default)
            if given in rule.values:
                values |= {name: sample(fields[name]) for name in rule.fields}
    for routed in static_fields(sink):
        if routed.routed.static.value == "required" or full:
            values[routed.yaml_name] = routed.routed.example or "value"
    if full:
        for field in config_fields(sink.Config):
            if field.name in values:
                continue
            tried = {**values, field.name: sample(field)}
            if not examine(sink, tried, dynamic=False, resources=available)[1]:
                values = tried
        for rule in sink.Config.rules:
            if isinstance(rule, Together):
                tried = {**values, **{n: sample(fields[n]) for n in rule.fields}}
                if not examine(sink, tried, dynamic=False, resources=available)[1]:
                    values = tried
    return values, available


def bound(sink: type[Sink], *, dynamic: bool = False, full: bool = False) -> BoundSink:
    values, available = destination(sink, full=full)
    return bind(sink, values, dynamic=dynamic, resources=available)


def at(sink: type[Sink], host: str, port: int) -> Any:
    """The sink's configuration pointed at an address."""
    return sink.at_standin(bound(sink).config, StandinAddress(host, port))


with_standin = pytest.mark.parametrize(
    "sink", [sink for sink in SINKS if sink.standin is not None], ids=lambda sink: sink.key
)


def message(action: str = "insert", **metadata: Any) -> Message:
    return message_from(
        {"action": action, "record": {"id": 1, "name": "ü"}, "metadata": metadata}, index=0
    )


def routing(sink: type[Sink], given: Message | None = None) -> Any:
    router = Router(bound(sink))
    effective = router.route(given or message(table_name="orders"))
    assert effective.ok, effective.problems
    return router.instance(effective)


def payload(sink: type[Sink], value: dict[str, Any], number: int = 1) -> Payload:
    """What is delivered, with the keys without which the sink takes no payload."""
    return Payload({**{name: str(number) for name in sink.payload_keys}, **value})


def records(sink: type[Sink], config: Any, count: int) -> list[Any]:
    found = []
    for number in range(count):
        item = message(commit_idx=number, table_name="orders", record_pks=[str(number)])
        content = payload(sink, item.as_json(), number)
        found.append(sink.encode(config, item, routing(sink, item), content))
    return found


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that is taken but where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# --- identity and fields ----------------------------------------------------------------------


@every_sink
def test_identity(sink: type[Sink]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", sink.key)
    assert sink.title
    summary = (sink.__doc__ or "").strip().splitlines()[0]
    assert summary.endswith(".")
    assert 10 < len(summary) < 100
    assert registry.default().get(sink.key) is sink
    assert registry.default().get(sink.yaml_type or sink.key) is sink
    ids = [difference.id for difference in sink.differences]
    assert len(ids) == len(set(ids))
    names = {f.name for f in config_fields(sink.Config)} | {f.name for f in routed_fields(sink)}
    assert {d.field for d in sink.differences} <= names | {None}


@every_sink
def test_a_sink_states_whether_its_batches_keep_their_order_and_why(sink: type[Sink]) -> None:
    tree = ast.parse(inspect.getsource(sys.modules[sink.__module__]))
    body = next(
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == sink.__name__
    ).body
    for node, following in itertools.pairwise(body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "keeps_order":
            assert isinstance(following, ast.Expr)
            reason = ast.literal_eval(following.value)
            assert len(reason) > 30, "the reason"
            return
    pytest.fail("keeps_order is not stated")


def test_keys_and_yaml_types_are_unique() -> None:
    names = [name for sink in SINKS for name in {sink.key, sink.yaml_type or sink.key}]
    assert len(names) == len(set(names))
    assert len(SINKS) >= 3


@every_sink
def test_every_field_can_be_shown(sink: type[Sink]) -> None:
    models = [sink.Config, *(rule.model for _, rule in resources(sink))]
    fields = [field for model in models for field in config_fields(model)]
    for field in fields:
        assert field.ui.label, field.name
        assert field.rule.kind in KINDS
        assert isinstance(field.rule, Rule)
        assert field.rule.json_schema()["type"]
        if not isinstance(field.rule, Ref):
            field.rule.cast(sample(field))
        if field.ui.visible_when:
            other, values = field.ui.visible_when
            assert other in {f.name for f in config_fields(sink.Config)}
            assert values
    for routed in routed_fields(sink):
        assert routed.label
        assert routed.routed.help
        assert routed.rule.kind in KINDS
        assert routed.routed.default.describe()
        for rule in (routed.rule, routed.static_rule):
            if routed.routed.example is not None:
                rule.cast(routed.routed.example)
    assert set(sink.batch_by) <= {f.name for f in routed_fields(sink)}
    assert 1 <= sink.batch.default <= sink.batch.messages


@every_sink
def test_cross_field_rules_name_fields(sink: type[Sink]) -> None:
    names = {f.name for f in config_fields(sink.Config)}
    for rule in sink.Config.rules:
        match rule:
            case Together(fields):
                assert set(fields) <= names
            case RequiredWhen(field, _, fields) | RequiresAny(field, fields):
                assert {field, *fields} <= names


# --- defaults and starters --------------------------------------------------------------------


@every_sink
@pytest.mark.parametrize("action", ACTIONS)
def test_defaults_are_valid_for_every_action(sink: type[Sink], action: str) -> None:
    router = Router(bound(sink, dynamic=True))
    effective = router.route(message(action, table_name="orders"), FunctionResult({}))
    without = [f.name for f in routed_fields(sink) if f.routed.required
               and effective.defaults[f.name] is None]  # fmt: skip
    assert [p.field for p in effective.problems] == without
    assert set(effective.provenance.values()) == {"default"}


NAMES = st.text(alphabet="abcdefgXYZ_019", min_size=1, max_size=12)
MESSAGES = st.builds(
    lambda action, schema, table, database, lsn, pks: message_from(
        {"action": action, "record": {"id": pks[0] if pks else None, "n": 1},
         "metadata": {"table_schema": schema, "table_name": table, "database_name": database,
                      "commit_lsn": lsn, "record_pks": pks}}
    ),
    st.sampled_from(ACTIONS), NAMES, NAMES, NAMES, st.integers(0, 2**60),
    st.lists(st.text(alphabet="ab-12é:%{}'\"", min_size=1, max_size=8), min_size=1, max_size=3),
)  # fmt: skip


@every_sink
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(MESSAGES, min_size=20, max_size=60))
def test_the_starter_routes_like_the_defaults(sink: type[Sink], batch: list[Message]) -> None:
    function = Function("f", FunctionKind.ROUTING, Language.PYTHON, starter(sink, Language.PYTHON))

    async def evaluate() -> list[FunctionResult]:
        pool = FunctionPool()
        try:
            assert await pool.check(function) == []
            return (await pool.evaluate([function], batch))[0]
        finally:
            await pool.close()

    router = Router(bound(sink, dynamic=True))
    for item, result in zip(batch, asyncio.run(evaluate()), strict=True):
        assert result.fault is None
        from_starter = router.route(item, result)
        from_default = router.route(item, FunctionResult({}))
        placeholders = {p.field for p in from_default.problems}
        assert not {p.field for p in from_starter.problems} - placeholders
        for name, value in from_default.values.items():
            if name not in placeholders:
                assert from_starter.values[name] == value


# --- validation and YAML ----------------------------------------------------------------------


@every_sink
def test_unknown_and_mistyped_keys_are_refused_with_their_path(sink: type[Sink]) -> None:
    values, available = destination(sink)
    for field in [f.name for f in config_fields(sink.Config)] + [
        f.yaml_name for f in static_fields(sink)
    ]:
        wrong = field[:-1] + ("x" if field[-1] != "x" else "y")
        _, problems = examine(sink, {**values, wrong: "x"}, dynamic=False, resources=available)
        assert [p.field for p in problems] == [wrong]
        assert problems[0].message == "unknown key"
        assert problems[0].hint
    router = Router(bound(sink, dynamic=True))
    for routed in routed_fields(sink):
        wrong = routed.name[:-1] + "_"
        found = router.route(message(), FunctionResult({wrong: "x"})).problems
        assert wrong in [p.field for p in found]


@every_sink
def test_values_of_a_wrong_type_are_refused_at_their_field(sink: type[Sink]) -> None:
    values, available = destination(sink)
    for field in config_fields(sink.Config):
        wrong = {"deep": [object()]}
        _, problems = examine(
            sink, {**values, field.name: wrong}, dynamic=False, resources=available
        )
        assert field.name in {p.field for p in problems}, field.name


@every_sink
@pytest.mark.parametrize("full", [False, True])
def test_a_configuration_survives_yaml(sink: type[Sink], full: bool) -> None:
    values, available = destination(sink, full=full)
    yaml, stream = YAML(typ="safe"), io.StringIO()
    yaml.dump({"destination": values, "resources": available}, stream)
    read = yaml.load(stream.getvalue())
    before = bind(sink, values, dynamic=False, resources=available)
    after = bind(sink, read["destination"], dynamic=False, resources=read["resources"])
    assert before.config == after.config
    assert before.static == after.static
    again = sink.Config.model_validate(
        {field.name: getattr(before.config, field.name) for field in config_fields(sink.Config)}
    )
    assert again == before.config


def reveal(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, dict):
        for item in value.values():
            yield from reveal(item)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from reveal(getattr(value, name))
    elif isinstance(value, ServiceAccount):
        yield from reveal(value.private_key)


@every_sink
def test_no_secret_is_ever_shown(sink: type[Sink]) -> None:
    """Not in reprs, texts, descriptions of requests or problems."""
    for name in (*secret_names(sink), None):
        values, available = destination(sink, full=True)
        if name is not None:
            values[name] = SECRET
        result, problems = examine(sink, values, dynamic=False, resources=available)
        shown = f"{result!r}{result.config}{problems}"
        if result.config is not None:
            request = sink.encode(result.config, message(), routing(sink), payload(sink, {"a": 1}))
            shown += f"{request!r}{request}{request.describe()}"
            link = sink.connect(result.config)
            shown += repr(link)
            asyncio.run(link.close())
        assert SECRET not in shown
    config = bound(sink, full=True).config
    holds = bool(secret_names(sink)) or any(
        field.secret for _, rule in resources(sink) for field in config_fields(rule.model)
    )
    if holds and not list(reveal(config)):
        pytest.fail("the test never gave a secret to this sink")


# --- encoding ---------------------------------------------------------------------------------


@every_sink
@pytest.mark.parametrize("action", ACTIONS)
def test_encoding_is_deterministic_and_described(sink: type[Sink], action: str) -> None:
    item = message(action, table_name="orders")
    config = bound(sink).config
    first, second = (
        sink.encode(config, item, routing(sink, item), payload(sink, item.as_json()))
        for _ in range(2)
    )
    assert first.describe() == second.describe()
    assert first.size == second.size > 0
    again = payload(sink, item.as_json())
    fresh = sink.encode(bound(sink).config, item, routing(sink, item), again)
    assert fresh.describe() == first.describe()


def credentials(config: Any) -> list[str]:
    return list(reveal(config))


@every_sink
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hostile_routing_values_reach_no_other_host(sink: type[Sink], data: st.DataObject) -> None:
    """Whatever a function returns is refused, or changes neither host, scheme nor credentials."""
    router = Router(bound(sink, dynamic=True, full=False))
    config = router.bound.config
    hostile = st.sampled_from(HOSTILE) | st.text(max_size=20) | st.none() | st.integers()
    result = {
        field.name: data.draw(
            st.dictionaries(st.sampled_from(["Host", "X-A", ":authority", "a b", "Authorization"]),
                            hostile, max_size=3)
            if isinstance(field.rule, Headers) else hostile, label=field.name)
        for field in routed_fields(sink)
        if data.draw(st.booleans())
    }  # fmt: skip
    before = config.model_dump_json()
    effective = router.route(message(table_name="orders"), FunctionResult(result))
    if not effective.ok:
        assert effective.batch_key is None
        return
    request = sink.encode(config, message(), router.instance(effective), payload(sink, {"a": 1}))
    described = request.describe()
    assert config.model_dump_json() == before
    usual = sink.encode(config, message(), routing(sink), payload(sink, {"a": 1})).describe()
    for name, value in usual.items():
        origin = re.match(r"[a-z]+://[^/?#]*", value) if isinstance(value, str) else None
        if origin:
            wanted = origin.group(0)
            if sink.host_label:
                label = effective.values[sink.host_label]
                assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label)
                wanted = re.sub(r"//[^.]+\.", f"//{label}.", wanted)
            assert re.match(re.escape(wanted) + r"([/?#]|$)", described[name])
    for value in effective.values.values():
        if isinstance(value, str):
            assert not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value)


# --- links ------------------------------------------------------------------------------------


def leaks() -> tuple[int, int]:
    """Open sockets and threads of this process."""
    gc.collect()
    sockets = sum(isinstance(item, socket.socket) and item.fileno() != -1
                  for item in gc.get_objects())  # fmt: skip
    return sockets, threading.active_count()


@every_sink
async def test_connecting_does_nothing(sink: type[Sink], dead_port: int) -> None:
    before = leaks()
    link = sink.connect(at(sink, "127.0.0.1", dead_port))
    assert leaks() == before
    await link.close()
    await link.close()


@every_sink
async def test_a_check_of_a_dead_address_ends_in_a_failed_step(
    sink: type[Sink], dead_port: int
) -> None:
    for targets in ([], [routing(sink)]):
        link = sink.connect(at(sink, "127.0.0.1", dead_port))
        async with asyncio.timeout(20):
            steps = [step async for step in link.check(targets)]
        await link.close()
        failed = [step for step in steps if step.status == "failed"]
        assert len(failed) == 1
        assert failed[0].step == "connect"
        assert failed[0].hint
        index = steps.index(failed[0])
        assert {step.status for step in steps[index + 1 :]} <= {"skipped"}
        assert all(isinstance(step, CheckStep) and step.detail for step in steps)


@every_sink
async def test_a_host_without_an_address_fails_to_resolve(sink: type[Sink]) -> None:
    link = sink.connect(at(sink, "no-such-host.invalid", 9))
    async with asyncio.timeout(20):
        steps = [step async for step in link.check([])]
    await link.close()
    assert (steps[0].step, steps[0].status) == ("resolve", "failed")


@every_sink
async def test_a_silent_service_cannot_hang_check_or_send(sink: type[Sink]) -> None:
    """Cancelling either leaves no task, thread or socket of the link."""
    held: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        while await reader.read(65536):
            pass

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        for act in ("check", "send"):
            before = set(asyncio.all_tasks())
            threads = threading.active_count()
            config = at(sink, "127.0.0.1", port)
            link = sink.connect(config)

            async def work(act: str = act, link: Any = link, config: Any = config) -> None:
                if act == "check":
                    async for _ in link.check([routing(sink)]):
                        pass
                else:
                    await link.send(records(sink, config, 2))

            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await work()
            async with asyncio.timeout(15):
                await link.close()
            for _ in range(600):
                left = asyncio.all_tasks() - before
                if not left:
                    break
                await asyncio.sleep(0.05)
            # The server's own task of a connection ends when the client's socket is closed.
            assert left == set(), "a task of the link or a socket stays"
            for _ in range(600):
                if threading.active_count() <= threads + 1:
                    break
                await asyncio.sleep(0.05)
            assert threading.active_count() <= threads + 1, "more than the resolver's thread stays"
    finally:
        server.close()
        for writer in held:
            writer.close()
        await asyncio.sleep(0.05)


@every_sink
async def test_sending_to_a_dead_address_gives_one_outcome_per_record(
    sink: type[Sink], dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = at(sink, "127.0.0.1", dead_port)
    link = sink.connect(config)
    try:
        async with asyncio.timeout(60):
            outcomes = await link.send(records(sink, config, 3))
    except LinkError:
        return
    finally:
        await link.close()
    assert [outcome.status for outcome in outcomes] == ["retry"] * 3
    assert all(outcome.code and outcome.reason for outcome in outcomes)


@with_standin
async def test_delivery_to_the_standin_is_what_the_preview_said(sink: type[Sink]) -> None:
    standin = standins.create(sink.standin)
    try:
        address = await standin.start()
    except LinkError:
        missing(standin.title)
    try:
        config = sink.at_standin(bound(sink).config, address)
        link = sink.connect(config)
        try:
            assert list(await link.send([])) == []
            async with asyncio.timeout(30):
                steps = [step async for step in link.check([routing(sink)])]
                outcomes = await link.send(records(sink, config, 5))
        finally:
            await link.close()
        assert "failed" not in {step.status for step in steps}
        assert list(await standin.arrived())[5:] == [], "the check delivered something"
        assert [outcome.status for outcome in outcomes] == ["delivered"] * 5
        arrived = await standin.arrived()
        assert len(arrived) == 5
        assert all('"name":"ü"' in item.body for item in arrived)
        assert len(await standin.arrived(limit=2)) == 2
        await standin.clear()
        assert list(await standin.arrived()) == []
    finally:
        await standin.stop()
        await standin.stop()


@contextlib.asynccontextmanager
async def linked(sink: type[Sink]) -> AsyncIterator[tuple[Any, Link, Standin]]:
    """Yield a configuration for a running stand-in, a link to it, and the stand-in."""
    assert sink.standin is not None
    standin = standins.create(sink.standin)
    try:
        config = sink.at_standin(bound(sink).config, await standin.start())
    except LinkError:
        missing(standin.title)
    link = sink.connect(config)
    try:
        yield config, link, standin
    finally:
        await link.close()
        await standin.stop()


@with_standin
async def test_several_sends_at_the_same_time_each_get_their_outcomes(sink: type[Sink]) -> None:
    """`Link.send`: several calls may run at the same time, an outcome for each record."""
    async with linked(sink) as (config, link, standin), asyncio.timeout(60):
        whole = records(sink, config, 12)
        parts = [whole[:1], whole[1:5], whole[5:]]
        outcomes = await asyncio.gather(*(link.send(part) for part in parts))
        assert [[each.status for each in found] for found in outcomes] == [
            ["delivered"] * len(part) for part in parts
        ]
        assert len(await standin.arrived()) == 12


@pytest.mark.parametrize(
    "sink", [sink for sink in SINKS if sink.keeps_order], ids=lambda sink: sink.key
)
async def test_records_of_a_group_arrive_in_their_order(sink: type[Sink]) -> None:
    """`Link.send`: in a batch in which groups repeat, which only some sinks get."""
    groups = ["a", "b", "a", "a", None, "b", "c", "a"]
    async with linked(sink) as (config, link, standin), asyncio.timeout(60):
        outcomes = await link.send(InOrder(records(sink, config, len(groups)), groups))
        assert [each.status for each in outcomes] == ["delivered"] * len(groups)
        numbers = [
            int(found[1])
            for item in await standin.arrived()
            if (found := re.search(r'"commit_idx":(\d+)', item.body))
        ]
    assert sorted(numbers) == list(range(len(groups)))
    for group in {"a", "b", "c"}:
        own = [number for number in numbers if groups[number] == group]
        assert own == sorted(own), group


def test_one_piece_of_code_halves_a_refused_batch() -> None:
    """Decision 0014: links give `in_halves` a request to try; none splits a batch itself."""
    folder = Path(registry.__file__).parent
    dividing = {
        path.stem
        for path in folder.rglob("*.py")
        if path.stem != "standin"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.FloorDiv)
        and ast.unparse(node.right) == "2"
        and ast.unparse(node.left).startswith("len(")
    }
    assert dividing == {"halves"}


def test_rules_are_data() -> None:
    """No rule raises anything but its own error, whatever it is given."""
    rules = {id(f.rule): f.rule for s in SINKS for f in routed_fields(s)}
    for rule in rules.values():
        for value in (*HOSTILE, None, 1, 1.5, True, [], {}, {"a": None}, {1: 2}, object()):
            with contextlib.suppress(RuleError):
                rule.cast(value)


@every_sink
def test_it_can_be_read_back_or_explains_why_not(sink: type[Sink]) -> None:
    """A sink states its reading side itself, in whole sentences."""
    side = sink.read_back
    assert side is not Sink.read_back
    if isinstance(side, NoReadBack):
        assert side.why.endswith(".")
        assert side.instead
        assert side.instead[0].islower()
        return
    assert side.how.endswith(".")
    assert not side.note or side.note.endswith(".")
    assert not (side.keyed and side.names)
