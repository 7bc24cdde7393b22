"""The Kinesis sink on moto's server: arrival, partial failures, lost answers, the check table."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from routestudio.sinks.kinesis.sink import Kinesis
from tests.support.aws_cases import (
    Route,
    every_action,
    fill_table,
    keys_in_environment,
    message,
    previewed_and_run,
    write_project,
)
from tests.support.aws_faults import Faults
from tests.support.aws_server import AwsServer, emulator, start_aws
from tests.support.http_server import HttpReceiver

pytestmark = pytest.mark.real


def arrived(server: AwsServer, *arns: str) -> Counter[tuple[str, ...]]:
    return Counter(
        (arn, item["PartitionKey"], item["Data"].decode())
        for arn in arns
        for item in server.records(arn)
    )


def promised(rows: list[dict[str, object]]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        shown = row["request"]
        assert isinstance(shown, dict)
        found[shown["stream_arn"], shown["partition_key"], shown["data"]] += 1
        assert json.loads(shown["data"]) == row["payload"]
        assert shown["partition_key"] == row["group_id"]
    return found


async def test_static_route(
    aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws_server.stream()
    values = emulator(aws_server, stream_arn=arn) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Kinesis, values, messages=every_action(47))
    )
    assert summary["delivered"] == 47
    assert arrived(aws_server, arn) == promised(rows)


async def test_dynamic_route_to_two_regions(
    aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = aws_server.stream(), aws_server.stream(region="ap-southeast-2")
    route = (
        "def route(action, record, changes, metadata):\n"
        f'    return {{"stream_arn": "{far}" if action == "delete" else "{near}"}}\n'
    )
    values = emulator(aws_server) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Kinesis, values, messages=every_action(60), route=route)
    )
    assert summary["delivered"] == 60
    found = arrived(aws_server, near, far)
    assert found == promised(rows)
    assert Counter(key[0] for key in found) == {near: 45, far: 15}


async def test_records_of_a_group_keep_their_order_on_one_shard(aws_server: AwsServer) -> None:
    arn = aws_server.stream(shards=3)
    route = Route(Kinesis, emulator(aws_server, stream_arn=arn))
    records = [route.encode(message(n, record_pks=[str(n % 3)])) for n in range(30)]
    link = route.connect()
    outcomes = await link.send(records)
    await link.close()
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    found = aws_server.records(arn)
    assert len(found) == 30
    for group in range(3):
        mine = [json.loads(item["Data"])["record"]["id"] for item in found
                if item["PartitionKey"] == str(group)]  # fmt: skip
        assert mine == list(range(group, 30, 3))


async def test_more_records_than_one_request_holds(
    aws_server: AwsServer, aws_faults: Faults
) -> None:
    arn = aws_server.stream()
    route = Route(Kinesis, emulator(aws_faults.url, stream_arn=arn))
    link = route.connect()
    outcomes = await link.send(route.records(620))
    await link.close()
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    assert [len(request) for request in aws_faults.sent] == [500, 120]
    assert len(aws_server.records(arn)) == 620


async def test_messages_without_group_are_spread(aws_server: AwsServer) -> None:
    arn = aws_server.stream(shards=2)
    route = Route(Kinesis, emulator(aws_server, stream_arn=arn), grouping=False)
    link = route.connect()
    outcomes = await link.send(route.records(40))
    await link.close()
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    found = aws_server.records(arn)
    assert len({item["PartitionKey"] for item in found}) == len(found) == 40


async def test_exactly_the_failed_records_are_sent_again(
    aws_server: AwsServer, aws_faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws_server.stream()
    failed: set[str] = set()

    def once(text: str) -> str | None:
        if json.loads(text)["id"] % 3 or text in failed:
            return None
        failed.add(text)
        return "ProvisionedThroughputExceededException"

    aws_faults.fails = once
    values = emulator(aws_faults.url, stream_arn=arn) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Kinesis, values, messages=every_action(30)), checked=False
    )
    assert (summary["delivered"], summary["rejected"]) == (30, 0)
    assert summary["retried"] == len(failed) == 10
    sent = Counter(text for request in aws_faults.sent for text in request)
    assert sent == Counter({text: 1 + (text in failed) for text in sent})
    assert arrived(aws_server, arn) == promised(rows)


async def test_a_lost_answer_is_unknown(aws_server: AwsServer, aws_faults: Faults) -> None:
    arn = aws_server.stream()
    route = Route(Kinesis, emulator(aws_faults.url, stream_arn=arn))
    aws_faults.loses = 1
    link = route.connect()
    first = await link.send(route.records(5))
    await link.close()
    assert {(o.status, o.unknown, o.unreachable) for o in first} == {("retry", True, False)}
    assert len(aws_server.records(arn)) == 5, "which is why the outcome is unknown"


async def test_a_slow_answer_ends_at_the_deadline(
    aws_server: AwsServer, aws_faults: Faults
) -> None:
    route = Route(Kinesis, emulator(aws_faults.url, stream_arn=aws_server.stream()))
    aws_faults.delay = 5.0
    link = route.connect()
    link.timeout = 0.5
    outcomes = await link.send(route.records(2))
    await link.close()
    assert {(o.status, o.code, o.unknown) for o in outcomes} == {("retry", "timeout", True)}


async def test_a_service_that_is_killed_and_started_again(tmp_path: Path) -> None:
    with start_aws(tmp_path) as server:
        arn = server.stream("again")
        route = Route(Kinesis, emulator(server, stream_arn=arn))
        link = route.connect()
        assert {o.status for o in await link.send(route.records(3))} == {"delivered"}
        server.child.kill()
        assert {o.status for o in await link.send(route.records(3))} == {"retry"}
        assert {o.unreachable for o in await link.send(route.records(3))} == {True}
        port = server.port
    with start_aws(tmp_path, port) as server:
        name = arn.rpartition("/")[2]
        server.call("kinesis", "create_stream", StreamName=name, ShardCount=1)
        assert {o.status for o in await link.send(route.records(3))} == {"delivered"}
        await link.close()
        assert len(server.records(arn)) == 3


@pytest.mark.usefixtures("trusted_ca")
async def test_check_table_of_kinesis(
    aws_server: AwsServer, aws_tls_server: AwsServer, http_receiver: HttpReceiver,
    closed_port: int, silent_port: int, garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await fill_table(
        Kinesis, "stream_arn", aws_server.stream(),
        "arn:aws:kinesis:eu-west-1:123456789012:stream/missing",
        server=aws_server, tls_server=aws_tls_server,
        rights=(["kinesis:DescribeStreamSummary"], ["kinesis:PutRecords"]),
        ports=(closed_port, silent_port, garbage_port), not_aws=http_receiver,
        monkeypatch=monkeypatch,
    )  # fmt: skip
