"""The Kinesis sink: which ARNs, which partition keys, which sizes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED
from routestudio.routing import Effective, Router
from routestudio.sinks.binding import bind
from routestudio.sinks.kinesis.sink import Kinesis
from tests.support.aws_cases import Route, message
from tests.support.http_server import HttpReceiver, Reply

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"


def routed(arn: object) -> Effective:
    router = Router(bind(Kinesis, {}, dynamic=True))
    return router.route(message(1), FunctionResult({"stream_arn": arn}))


def test_arns_that_a_server_takes() -> None:
    for arn in (ARN, "arn:aws:kinesis:us-east-1:1:stream/a/b c"):
        assert routed(arn).ok
        assert not routed(arn).warnings
    assert routed(ARN.replace("aws", "aws-cn", 1)).warnings


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kinesis:<region>:<account-id>:stream/orders",
        "arn:aws:kinesis:eu-west-1:123456789012:orders",
        "arn:aws:kinesis:eu-west-1.evil.example:123456789012:stream/orders",
        ARN + "\n",
        "",
        None,
    ],
)
def test_arns_that_are_refused(arn: object) -> None:
    assert routed(arn).problems


def key_of(group: str | None) -> str:
    given = message_from(
        {"action": "insert", "record": {},
         "metadata": {"commit_lsn": 123456789, "commit_idx": 1,
                      "record_pks": [group] if group is not None else []}}
    )  # fmt: skip
    key: str = Route(Kinesis, {"stream_arn": ARN}).encode(given).partition_key
    return key


def test_the_partition_key_is_the_group_or_its_md5() -> None:
    assert key_of("7") == "7"
    assert key_of("a" * 256) == "a" * 256
    assert key_of("a" * 300) == "4e5475d125a33c6190718e75adc1b704"
    assert key_of("é" * 128) == "é" * 128
    assert len(key_of("é" * 129)) == 32


def test_without_group_it_is_the_idempotency_key() -> None:
    assert key_of(None) == "MTIzNDU2Nzg5OjE="
    route = Route(Kinesis, {"stream_arn": ARN}, grouping=False)
    keys = {route.encode(message(number)).partition_key for number in range(20)}
    assert len(keys) == 20


def test_size_counts_data_and_key() -> None:
    record = Route(Kinesis, {"stream_arn": ARN}).encode(message(1))
    assert record.size == len(record.data) + 1
    shown = record.describe()
    assert shown["partition_key"] == "1"
    assert json.loads(shown["data"])["record"]["id"] == 1


def test_limits_follow_the_largest_record() -> None:
    limits = Kinesis.limits(Kinesis.Config(), 1)
    assert (limits.messages, limits.size) == (500, 5 * 1_048_576)
    larger = Kinesis.Config.model_validate({"max_record_bytes": 10_485_760})
    assert Kinesis.limits(larger, None).size == 10_485_760


def emulated(receiver: HttpReceiver, *records: dict[str, Any]) -> Route:
    body = json.dumps({"FailedRecordCount": 0, "Records": records}).encode()
    receiver.default = Reply(200, body, (("x-amzn-requestid", "1"),))
    values = {"use_emulator": True, "emulator_base_url": receiver.url}
    return Route(Kinesis, {"stream_arn": ARN, **values})


@pytest.mark.slow
async def test_what_goes_over_the_wire(http_receiver: HttpReceiver) -> None:
    route = emulated(http_receiver, {"SequenceNumber": "1", "ShardId": "shard-0"})
    record = route.encode(message(7))
    link = route.connect()
    assert await link.send([record]) == [DELIVERED]
    await link.close()
    assert http_receiver.requests[0].header("x-amz-target") == "Kinesis_20131202.PutRecords"
    assert http_receiver.requests[0].json() == {
        "StreamARN": ARN,
        "StreamName": "orders",  # for emulators that know no ARNs
        "Records": [{"Data": base64.b64encode(record.data).decode(), "PartitionKey": "7"}],
    }


async def test_every_record_has_its_own_outcome(http_receiver: HttpReceiver) -> None:
    route = emulated(
        http_receiver,
        {"SequenceNumber": "1", "ShardId": "shard-0"},
        {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"},
        {"ErrorCode": "InternalFailure"},
        {},
    )
    link = route.connect()
    found = await link.send(route.records(4))
    assert [(o.status, o.unknown) for o in found] == [
        ("delivered", False), ("retry", False), ("retry", False), ("retry", True),
    ]  # fmt: skip
    assert found[1].reason == "slow down"
    found = await link.send(route.records(3))
    await link.close()
    assert {(o.code, o.unknown) for o in found} == {("unanswered", True)}


async def test_a_record_over_the_limit_is_refused_alone(http_receiver: HttpReceiver) -> None:
    route = emulated(http_receiver, {"SequenceNumber": "1", "ShardId": "shard-0"})
    large = message(2)
    large.record["note"] = "x" * 1_048_576
    link = route.connect()
    found = await link.send([route.encode(large), route.encode(message(1))])
    await link.close()
    assert [outcome.code for outcome in found] == ["too_large", ""]
