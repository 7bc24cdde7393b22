"""What a stream acknowledges and does not have: known ids, and settings that keep nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from routestudio.cli import main
from routestudio.engine.service import EngineService
from routestudio.model.outcome import Outcome
from routestudio.sinks.nats.sink import Nats
from tests.support import projects
from tests.support.nats_config import settings, user
from tests.support.nats_records import records, send, statuses
from tests.support.nats_server import NatsServer

pytestmark = pytest.mark.real

PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
functions:
  - {{name: to-two, type: routing, sink_type: nats, language: python, file: functions/r.py}}
sinks:
  - name: one
    database: shop
    max_retry_count: 2
    destination: {{type: nats, host: 127.0.0.1, port: {port}}}
  - name: two
    database: shop
    routing: to-two
    max_retry_count: 2
    destination: {{type: nats, host: 127.0.0.1, port: {port}}}
"""
ROUTE = """\
def route(action, record, changes, metadata):
    return {"subject": f"sequin.two.{action}"}
"""


def purge(server: NatsServer, stream: str) -> None:
    with server.wire() as wire:
        assert wire.ask(f"$JS.API.STREAM.PURGE.{stream}")["success"]


def ends(outcomes: Any) -> list[tuple[str, str, bool | None]]:
    return [(o.status, o.code, o.held) for o in outcomes]


# --- ids that a stream knows -------------------------------------------------------------------


async def test_what_a_stream_holds_under_a_known_id_is_compared(nats_server: NatsServer) -> None:
    nats_server.create_stream("K", "k.>")
    assert (
        statuses(await send(settings(nats_server), records("k.1", "k.2", "k.3")))
        == ["delivered"] * 3
    )
    same, moved, other = records("k.1")[0], records("k.9", first=1)[0], records(
        "k.3", first=2, body="other")[0]  # fmt: skip
    (first, second, third, fresh) = await send(
        settings(nats_server), [same, moved, other, *records("k.4", first=3)]
    )
    assert ends([first, second, third, fresh]) == [
        ("duplicate", "duplicate", True), ("duplicate", "duplicate_of_another", False),
        ("duplicate", "duplicate_of_another", False), ("delivered", "", None),
    ]  # fmt: skip
    assert "number 2 on k.2, is another message" in second.reason
    purge(nats_server, "K")
    (gone,) = await send(settings(nats_server), records("k.1"))
    assert ends([gone]) == [("duplicate", "duplicate_gone", False)]
    assert nats_server.stored("K") == []


async def test_who_may_not_read_the_stream_is_told_so(nats_server: NatsServer) -> None:
    nats_server.create_stream("U", "allowed.u")
    config = settings(nats_server, **user("publisher"))
    assert statuses(await send(config, records("allowed.u"))) == ["delivered"]
    assert ends(await send(config, records("allowed.u"))) == [
        ("duplicate", "duplicate_unread", None)
    ]


async def test_two_messages_with_one_id_are_not_both_sent(nats_server: NatsServer) -> None:
    nats_server.create_stream("ONE", "one.>")
    nats_server.create_stream("OTHER", "other.>")
    first, same_id = records("one.1", body="a")[0], records("one.1", body="b")[0]
    elsewhere, core = records("other.1", body="b")[0], records("nobody.1", body="c")[0]
    link = Nats.connect(settings(nats_server))
    try:
        outcomes = await link.send([first, same_id, elsewhere, core, first])
        assert [o.status for o in outcomes] == [
            "delivered", "rejected", "delivered", "delivered", "duplicate",
        ]  # fmt: skip
        assert outcomes[1].code == "repeated"
        (late,) = await link.send([same_id])
        assert late.code == "repeated"
    finally:
        await link.close()
    assert [g.body for g in nats_server.stored("ONE")] == [b'"a"']


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    code = main.run(["run", *arguments, "--format", "json"])
    found = capsys.readouterr()
    return code, json.loads(found.out.splitlines()[-1]), found.err


def test_a_run_says_what_the_stream_has(
    nats_server: NatsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted at the server: a first run, the same again, after a purge, and by another sink."""
    rows = projects.region_rows()[:20]
    projects.write_project(tmp_path, PROJECT.format(port=nats_server.port), {"r": ROUTE}, rows)
    file = str(tmp_path / "samples" / "rows.jsonl")
    nats_server.create_stream("ALL", "sequin.>")
    kept = len(rows)

    code, summary, _ = run(capsys, str(tmp_path), "one", "--input", file)
    assert (code, summary["delivered"], summary["duplicates"]) == (0, kept, 0)
    assert len(nats_server.stored("ALL")) == kept

    code, summary, said = run(capsys, str(tmp_path), "one", "--input", file)
    assert (code, summary["delivered"], summary["duplicates"]) == (0, 0, kept)
    assert summary["duplicates_unconfirmed"] == summary["rejected"] == 0
    assert f"{kept} x duplicate: stream ALL knows the id" in said
    assert len(nats_server.stored("ALL")) == kept

    code, summary, said = run(capsys, str(tmp_path), "two", "--input", file)
    assert (code, summary["delivered"], summary["duplicates_unconfirmed"]) == (1, 0, kept)
    assert "is another message" in said

    purge(nats_server, "ALL")
    code, summary, said = run(capsys, str(tmp_path), "one", "--input", file)
    assert (code, summary["delivered"], summary["duplicates_unconfirmed"]) == (1, 0, kept)
    assert nats_server.stored("ALL") == []

    assert main.run(["run", str(tmp_path), "one", "--input", file]) == 1
    text = capsys.readouterr().out
    assert f"0 delivered, 0 filtered, 0 rejected, {kept} duplicates not stored" in text


async def test_the_check_names_a_sink_that_shares_the_memory_of_ids(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    rows = projects.region_rows()[:8]
    projects.write_project(tmp_path, PROJECT.format(port=nats_server.port), {"r": ROUTE}, rows)
    nats_server.create_stream("SHARED", "sequin.>")
    async with EngineService() as service:
        await service.open(str(tmp_path))
        shared = [s for s in await service.checks.sink("one") if "the sink two" in s.detail]
        assert [(s.step, s.status) for s in shared] == [("target", "inconclusive")]
        assert "SHARED" in shared[0].detail
        nats_server.delete_stream("SHARED")
        nats_server.create_stream("FIRST", "sequin.shop.>")
        nats_server.create_stream("SECOND", "sequin.two.>")
        for sink in ("one", "two"):
            steps = await service.checks.sink(sink)
            assert [s.status for s in steps if s.step == "target"].count("inconclusive") == 0


# --- settings that keep nothing ----------------------------------------------------------------

KEEPS_NOTHING = [
    ("interest", {"retention": "interest"}, "retry", "no_consumer"),
    ("bytes", {"max_bytes": 100}, "rejected", "stream_limit"),
    ("bytes-on-disk", {"max_bytes": 100, "storage": "file"}, "rejected", "stream_limit"),
    ("size", {"max_msg_size": 20}, "rejected", "10054"),
    ("full", {"max_msgs": 1, "discard": "new"}, "retry", "10077"),
]


@pytest.mark.parametrize(
    ("name", "config", "status", "code"), KEEPS_NOTHING, ids=[k[0] for k in KEEPS_NOTHING]
)
async def test_what_a_stream_would_not_have_is_not_delivered(
    nats_server: NatsServer, name: str, config: dict[str, Any], status: str, code: str
) -> None:
    stream, subject = f"N-{name}", f"n.{name}"
    nats_server.create_stream(stream, subject, **config)
    if name == "full":
        assert statuses(await send(settings(nats_server), records(subject))) == ["delivered"]
    outcomes = await send(settings(nats_server), records(*[subject] * 3, first=1, body="x" * 100))
    assert {(o.status, o.code) for o in outcomes} == {(status, code)}
    assert all(stream in o.reason for o in outcomes)
    assert len(nats_server.stored(stream)) == (1 if name == "full" else 0)
    link = Nats.connect(settings(nats_server))
    target = Nats.Routing(subject=subject).with_sampled(records(subject, body="x" * 100))
    steps = [step async for step in link.check([target])]
    assert (steps[-1].step, steps[-1].status) == ("target", "failed")
    assert stream in steps[-1].detail
    assert steps[-1].hint


async def test_what_just_fits_is_delivered_and_held(nats_server: NatsServer) -> None:
    """The size that counts against `max_bytes` is the server's own."""
    for storage, extra in (("memory", 16), ("file", 34)):
        name, subject = f"F-{storage}", f"f.{storage}"
        (message,) = records(subject, body="x" * 50)
        size = message.size + len(subject) + extra
        nats_server.create_stream(name, subject, storage=storage, max_bytes=size)
        assert statuses(await send(settings(nats_server), [message])) == ["delivered"]
        assert len(nats_server.stored(name)) == 1
        (larger,) = records(subject, body="x" * 51, first=1)
        assert ends(await send(settings(nats_server), [larger])) == [
            ("rejected", "stream_limit", None)
        ]
        assert len(nats_server.stored(name)) == 1, "the stream was emptied"


async def test_a_consumer_that_comes_lets_the_messages_go(nats_server: NatsServer) -> None:
    nats_server.create_stream("I", "i.>", retention="interest")
    link = Nats.connect(settings(nats_server))
    try:
        assert [o.code for o in await link.send(records("i.1"))] == ["no_consumer"]
        with nats_server.wire() as wire:
            wanted = {"stream_name": "I", "config": {"durable_name": "c", "ack_policy": "explicit"}}
            wire.ask("$JS.API.CONSUMER.DURABLE.CREATE.I.c", json.dumps(wanted).encode())
        assert statuses(await link.send(records("i.1"))) == ["delivered"]
    finally:
        await link.close()
    assert len(nats_server.stored("I")) == 1


async def test_consumers_of_other_subjects_keep_nothing(nats_server: NatsServer) -> None:
    nats_server.create_stream("J", "j.>", retention="interest")
    with nats_server.wire() as wire:
        wanted = {"stream_name": "J", "config": {"durable_name": "c", "ack_policy": "explicit",
                                                 "filter_subject": "j.eu.*"}}  # fmt: skip
        wire.ask("$JS.API.CONSUMER.DURABLE.CREATE.J.c", json.dumps(wanted).encode())
    outcomes = await send(settings(nats_server), records("j.eu.1", "j.us.1"))
    assert [(o.status, o.code) for o in outcomes] == [("delivered", ""), ("retry", "no_consumer")]
    assert [g.subject for g in nats_server.stored("J")] == ["j.eu.1"]
    link = Nats.connect(settings(nats_server))
    targets = [Nats.Routing(subject=subject) for subject in ("j.eu.1", "j.us.1")]
    steps = [step async for step in link.check(targets)][-2:]
    assert [step.status for step in steps] == ["passed", "failed"]
    assert "none of them takes j.us.1" in steps[1].detail


async def test_limits_that_drop_older_messages_are_said_by_the_check(
    nats_server: NatsServer,
) -> None:
    nats_server.create_stream("L", "l", max_msgs=5, max_msgs_per_subject=2, max_age=60_000_000_000)
    link = Nats.connect(settings(nats_server))
    step = [step async for step in link.check([Nats.Routing(subject="l")])][-1]
    assert step.status == "passed"
    assert "keeps 5 messages, 2 for each subject, for 60 s: older messages go" in step.detail


async def test_a_run_into_a_stream_without_consumers_delivers_nothing(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    rows = projects.region_rows()[:2]
    projects.write_project(tmp_path, PROJECT.format(port=nats_server.port), {"r": ROUTE}, rows)
    nats_server.create_stream("ALL", "sequin.>", retention="interest")
    async with EngineService() as service:
        await service.open(str(tmp_path))
        summary = await service.run("one", sample="rows")
    assert (summary["delivered"], summary["rejected"]) == (0, 2)
    assert nats_server.stored("ALL") == []


# --- whatever a stream refuses, a batch ends ------------------------------------------------------


@given(sizes=st.lists(st.integers(0, 400), min_size=1, max_size=30), ids=st.integers(1, 12))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_every_message_has_an_outcome_whatever_the_streams_refuse(
    nats_server: NatsServer, sizes: list[int], ids: int
) -> None:
    """Some too large, some for a full stream, some known: what is delivered is what is held."""
    nats_server.create_stream("R0", "r0", max_msg_size=250)
    nats_server.create_stream("R1", "r1", max_msgs=4, discard="new")
    nats_server.create_stream("R2", "r2", max_bytes=500)
    nats_server.create_stream("R3", "r3", retention="interest")
    try:
        batch = []
        for number, size in enumerate(sizes):
            (record,) = records(f"r{number % 5}", body="x" * size, first=number % ids)
            batch.append(record)
        outcomes: list[Outcome] = list(await send(settings(nats_server), batch))
        assert len(outcomes) == len(batch)
        counts = Counter(r.subject for r, o in zip(batch, outcomes, strict=True)
                         if o.status == "delivered")  # fmt: skip
        for name in ("R0", "R1", "R3"):
            assert len(nats_server.stored(name)) == counts[name.lower()]
        assert len(nats_server.stored("R2")) <= counts["r2"]
    finally:
        for name in ("R0", "R1", "R2", "R3"):
            nats_server.delete_stream(name)
