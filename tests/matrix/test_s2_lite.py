"""The S2 sink on the vendor's own server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks.base import Payload
from routestudio.sinks.s2.sink import S2, S2Link
from tests.matrix.conftest import BASIN, S2Lite
from tests.support.aws_cases import every_action, previewed_and_run, write_project
from tests.support.read_back import ROWS, counts, delivered, project, read

ROUTE = """\
def route(action, record, changes, metadata):
    return {"basin": "%s", "stream": f"rows/{record['id'] %% 3} ü"}
"""


def config(server: S2Lite) -> Any:
    given = {"access_token": SecretStr("any"), "endpoint_url": server.url}
    return S2.Config.model_validate(given)


def place(stream: str, basin: str = BASIN) -> Any:
    return S2.Routing(basin=basin, stream=stream)


async def send(server: S2Lite, stream: str, values: Sequence[Any], **where: str) -> list[Outcome]:
    settings, message = config(server), message_from({"action": "insert", "record": {"id": 1}})
    link = S2Link(settings)
    try:
        return list(await link.send([
            S2.encode(settings, message, place(stream, **where), Payload(value)) for value in values
        ]))  # fmt: skip
    finally:
        await link.close()


async def check(server: S2Lite, *targets: Any) -> list[CheckStep]:
    link = S2Link(config(server))
    try:
        return [step async for step in link.check(targets) if step.step == "target"]
    finally:
        await link.close()


@pytest.mark.parametrize("mode", ["static", "dynamic"])
async def test_what_was_previewed_is_held(
    s2_lite: S2Lite, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "any")
    values = {"access_token": "${SHOP_TOKEN}", "endpoint_url": s2_lite.url}
    names = ["static"] if mode == "static" else [f"rows/{number} ü" for number in range(3)]
    streams = [s2_lite.create(name) for name in names]
    if mode == "static":
        values |= {"basin": BASIN, "stream": "static"}
    project = write_project(tmp_path, S2, values, messages=every_action(203),
                            route=ROUTE % BASIN if mode == "dynamic" else None)  # fmt: skip
    rows, summary = await previewed_and_run(project)
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (203, 0, 0)
    held = Counter(text for stream in streams for text in s2_lite.records(stream))
    assert [json.loads(text) for text in held]
    assert sum(held.values()) == 203
    payloads = Counter(json.dumps(row["payload"], sort_keys=True) for row in rows)
    assert payloads == Counter(json.dumps(json.loads(text), sort_keys=True)
                               for text in held.elements())  # fmt: skip


async def test_a_thousand_records_keep_their_order(s2_lite: S2Lite) -> None:
    values = [{"n": n, "text": "é\u2028\\n \U0001f600"} for n in range(1000)]
    outcomes = await send(s2_lite, s2_lite.create("thousand"), values)
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    assert [json.loads(text) for text in s2_lite.records("thousand")] == values


async def test_a_stream_made_by_its_first_record(s2_lite: S2Lite) -> None:
    assert [o.status for o in await send(s2_lite, "made-by-use", [{"n": 1}])] == ["delivered"]
    assert [json.loads(text) for text in s2_lite.records("made-by-use")] == [{"n": 1}]


async def test_the_check_names_what_is_missing(s2_lite: S2Lite) -> None:
    s2_lite.create("there")
    good, absent = await check(s2_lite, place("there"), place("x", basin="no-such-basin"))
    assert (good.status, absent.status) == ("passed", "failed")
    assert "no-such-basin" in absent.detail
    assert s2_lite.records("there") == [], "a check appended something"
    [lost] = await send(s2_lite, "x", [{"n": 1}], basin="no-such-basin")
    assert lost.status == "rejected"
    assert "basin" in lost.reason


async def test_a_stream_that_wants_times_takes_nothing(s2_lite: S2Lite) -> None:
    s2_lite.create("timed", timestamping={"mode": "client-require"})
    [step] = await check(s2_lite, place("timed"))
    assert step.status == "failed"
    outcomes = await send(s2_lite, "timed", [{"n": n} for n in range(20)])
    assert {outcome.status for outcome in outcomes} == {"rejected"}
    assert all("timestamp" in outcome.reason for outcome in outcomes)
    assert s2_lite.records("timed") == []


async def test_a_record_that_is_too_large_is_refused_alone(s2_lite: S2Lite) -> None:
    s2_lite.create("sizes")
    values = [{"n": 0}, {"n": "x" * (1024 * 1024)}, {"n": 2}]
    outcomes = await send(s2_lite, "sizes", values)
    assert [outcome.status for outcome in outcomes] == ["delivered", "rejected", "delivered"]
    assert [json.loads(text)["n"] for text in s2_lite.records("sizes")] == [0, 2]


@pytest.mark.parametrize("rows", ROWS)
async def test_what_was_delivered_is_read_back(s2_lite: S2Lite, tmp_path: Path, rows: str) -> None:
    stream = s2_lite.create(f"read back {rows}")
    where = {"type": "s2", "endpoint_url": s2_lite.url, "access_token": "any", "basin": BASIN,
             "stream": stream}  # fmt: skip
    path, source = project(tmp_path, where), ROWS[rows](tmp_path)
    async with EngineService() as service:
        await service.open(str(path))
        assert set(counts(await read(service, source))) == {"missing"}, "the stream is empty"
        summary = await delivered(service, path, source)
        assert counts(await read(service, source)) == {"equal": summary["delivered"]}
        [outcome] = await send(s2_lite, stream, [{"n": 1}])
        assert outcome.status == "delivered"
        assert counts(await read(service, source))["other"] == 1
