"""The Kinesis sink on kinesis-local."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from routestudio.sinks.kinesis.sink import Kinesis
from tests.support.aws_cases import (
    Route,
    every_action,
    keys_in_environment,
    message,
    previewed_and_run,
    write_project,
)
from tests.support.aws_server import AwsServer, emulator

ROUTE = """\
def route(action, record, changes, metadata):
    return {"stream_arn": "%s" if record["id"] %% 2 else "%s"}
"""


def held(server: AwsServer, *arns: str) -> Counter[tuple[str, ...]]:
    return Counter((arn, item["PartitionKey"], item["Data"].decode())
                   for arn in arns for item in server.records(arn))  # fmt: skip


@pytest.mark.parametrize("mode", ["static", "dynamic"])
async def test_what_was_previewed_is_held(
    kinesis_local: AwsServer, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arns = [kinesis_local.stream(), kinesis_local.stream()]
    values = emulator(kinesis_local) | keys_in_environment(monkeypatch)
    route = ROUTE % tuple(arns) if mode == "dynamic" else None
    if route is None:
        values["stream_arn"] = arns[0]
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Kinesis, values, messages=every_action(47), route=route)
    )
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (47, 0, 0)
    shown = [row["request"] for row in rows]
    assert held(kinesis_local, *arns) == Counter(
        (each["stream_arn"], each["partition_key"], each["data"]) for each in shown
    )


async def test_the_order_of_a_group_is_kept(kinesis_local: AwsServer) -> None:
    arn = kinesis_local.stream()
    route = Route(Kinesis, emulator(kinesis_local, stream_arn=arn))
    link = route.connect()
    for start in range(0, 40, 10):
        records = [route.encode(message(n, record_pks=["same"])) for n in range(start, start + 10)]
        assert {outcome.status for outcome in await link.send(records)} == {"delivered"}
    await link.close()
    found = [json.loads(item["Data"])["record"]["id"] for item in kinesis_local.records(arn)]
    assert found == list(range(40))


async def test_a_stream_that_is_not_there(kinesis_local: AwsServer) -> None:
    arn = kinesis_local.stream() + "-gone"
    route = Route(Kinesis, emulator(kinesis_local, stream_arn=arn))
    link = route.connect()
    steps = [step async for step in link.check([route.target])]
    outcomes = await link.send(route.records(2))
    await link.close()
    assert steps[-1].status == "failed"
    assert "there is no" in steps[-1].detail
    assert {outcome.status for outcome in outcomes} == {"rejected"}
