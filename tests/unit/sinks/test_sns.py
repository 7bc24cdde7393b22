"""The SNS sink: which ARNs, which ids."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED
from routestudio.routing import Effective, Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.sns.sink import Sns
from tests.support.aws_cases import Route, message
from tests.support.http_server import HttpReceiver, Reply

ARN = "arn:aws:sns:eu-west-1:123456789012:orders"


def routed(arn: object) -> Effective:
    router = Router(bind(Sns, {}, dynamic=True))
    return router.route(message(1), FunctionResult({"topic_arn": arn}))


def test_arns_that_a_server_takes() -> None:
    for arn in (ARN, ARN + ".fifo", ARN + "-1_2"):
        assert routed(arn).ok
        assert not routed(arn).warnings


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_arns_that_only_a_server_refuses_are_warned_of(partition: str) -> None:
    found = routed(ARN.replace("aws", partition, 1))
    assert found.ok
    assert "arn:aws:" in found.warnings[0].message


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sns:<region>:<account-id>:orders",
        "arn:aws:sns:eu-west-1:12345678901:orders",
        "arn:aws:sqs:eu-west-1:123456789012:orders",
        "arn:aws:sns:eu-west-1.evil.example:123456789012:orders",
        ARN + "/x",
        ARN + "\n",
        "",
        None,
    ],
)
def test_arns_that_are_refused(arn: object) -> None:
    assert routed(arn).problems


def test_a_fifo_topic_gets_the_ids_of_the_reference() -> None:
    given = message_from(
        {"action": "insert", "record": {"id": 7},
         "metadata": {"commit_lsn": 123456789, "commit_idx": 1}}
    )  # fmt: skip
    shown = Route(Sns, {"topic_arn": ARN + ".fifo"}).encode(given).describe()
    assert shown["kind"] == "sns message"
    assert shown["message_group_id"] == "8f14e45fceea167a5a36dedd4bea2543"
    assert shown["message_deduplication_id"] == "a9f52028877959113b530e36fc160a2c"


def test_whether_a_topic_is_fifo_is_decided_per_message() -> None:
    router = Router(bind(Sns, {}, dynamic=True))
    found = []
    for arn in (ARN, ARN + ".fifo"):
        routing = router.instance(router.route(message(1), FunctionResult({"topic_arn": arn})))
        record = Sns.encode(router.bound.config, message(1), routing, Payload({}))  # type: ignore[arg-type]
        found.append(record.fifo is not None)
    assert found == [False, True]


def test_a_fifo_topic_refuses_messages_without_group() -> None:
    with pytest.raises(RuleError, match="without group id"):
        Route(Sns, {"topic_arn": ARN + ".fifo"}, grouping=False).encode(message(1))
    assert Route(Sns, {"topic_arn": ARN}, grouping=False).encode(message(1)).fifo is None


async def test_what_goes_over_the_wire(http_receiver: HttpReceiver) -> None:
    http_receiver.default = Reply(
        200,
        b"<PublishBatchResponse><PublishBatchResult><Successful><member><Id>0</Id>"
        b"</member></Successful><Failed/></PublishBatchResult><ResponseMetadata>"
        b"<RequestId>1</RequestId></ResponseMetadata></PublishBatchResponse>",
        (("content-type", "text/xml"),),
    )
    values = {"use_emulator": True, "emulator_base_url": http_receiver.url}
    route = Route(Sns, {"topic_arn": ARN + ".fifo", **values})
    record = route.encode(message(7))
    link = route.connect()
    assert await link.send([record]) == [DELIVERED]
    await link.close()
    sent = dict(parse_qsl(http_receiver.requests[0].body.decode()))
    start = "PublishBatchRequestEntries.member.1."
    shown = record.describe()
    assert sent == {
        "Action": "PublishBatch",
        "Version": "2010-03-31",
        "TopicArn": ARN + ".fifo",
        start + "Id": "0",
        start + "Message": shown["body"],
        start + "MessageGroupId": shown["message_group_id"],
        start + "MessageDeduplicationId": shown["message_deduplication_id"],
    }


@pytest.mark.slow
async def test_an_answer_that_is_not_of_aws(http_receiver: HttpReceiver) -> None:
    values = {"use_emulator": True, "emulator_base_url": http_receiver.url}
    route = Route(Sns, {"topic_arn": ARN, **values})
    for body in (b"hello", b"{}", b"", b"<html><body/></html>"):
        http_receiver.default = Reply(200, body)
        link = route.connect()
        outcomes = await link.send(route.records(2))
        await link.close()
        assert [outcome.code for outcome in outcomes] == ["not_aws"] * 2, body
