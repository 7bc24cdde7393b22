"""The SQS sink: which URLs, which ids, which sizes."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.model.fields import RuleError
from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.sqs.sink import Sqs
from tests.support.aws_cases import Route, message
from tests.support.http_server import HttpReceiver, Received, Reply

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


def problems(url: object) -> list[str]:
    router = Router(bind(Sqs, {}, dynamic=True))
    effective = router.route(message(1), FunctionResult({"queue_url": url}))
    return [problem.message for problem in effective.problems]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL + ".fifo",
        "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q",
        "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/demo",
    ],
)
def test_urls_that_a_server_takes(url: str) -> None:
    assert problems(url) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.us-west-2.amazonaws.com/123/MyQueue.fifo",
        "http://localhost:4566/000000000000/demo",
        URL + "/more",
        URL + "?a=1",
        URL + "\n",
        "https://sqs.eu-west-1.amazonaws.com@evil.example/123456789012/q",
        "https://sqs.<region>.amazonaws.com/123456789012/q",
        "",
        None,
        7,
    ],
)
def test_urls_that_a_server_refuses(url: object) -> None:
    assert problems(url)


def test_a_standard_queue_gets_no_ids() -> None:
    record = Route(Sqs, {"queue_url": URL}).encode(message(7))
    assert record.fifo is None
    assert record.describe() == {
        "kind": "sqs message",
        "destination": URL,
        "body": record.body,
    }
    assert record.size == len(record.body.encode())
    assert '"note":"é 7' in record.body


def test_a_fifo_queue_gets_the_ids_of_the_reference() -> None:
    given = message_from(
        {"action": "insert", "record": {"id": 7},
         "metadata": {"commit_lsn": 123456789, "commit_idx": 1}}
    )  # fmt: skip
    record = Route(Sqs, {"queue_url": URL + ".fifo"}).encode(given)
    shown = record.describe()
    assert shown["message_group_id"] == "8f14e45fceea167a5a36dedd4bea2543"
    assert shown["message_deduplication_id"] == "a9f52028877959113b530e36fc160a2c"


def test_whether_a_queue_is_fifo_is_decided_per_message() -> None:
    router = Router(bind(Sqs, {"is_fifo": True}, dynamic=True))
    config = router.bound.config
    found = []
    for url in (URL, URL + ".fifo"):
        given = message(1)
        routing = router.instance(router.route(given, FunctionResult({"queue_url": url})))
        found.append(Sqs.encode(config, given, routing, Payload({})).fifo is not None)  # type: ignore[arg-type]
    assert found == [False, True]


def test_a_fifo_queue_refuses_messages_without_group() -> None:
    with pytest.raises(RuleError, match="without group id") as caught:
        Route(Sqs, {"queue_url": URL + ".fifo"}, grouping=False).encode(message(1))
    assert caught.value.hint
    Route(Sqs, {"queue_url": URL}, grouping=False).encode(message(1))


def test_limits_follow_the_largest_message() -> None:
    config = Sqs.Config()
    assert (Sqs.limits(config, 1).messages, Sqs.limits(config, 1).size) == (10, 262_144)
    larger = Sqs.Config.model_validate({"max_message_bytes": 1_048_576})
    assert Sqs.limits(larger, 500).size == 1_048_576


def answered(request: Received) -> Reply:
    entries = request.json()["Entries"]
    assert len({entry["Id"] for entry in entries}) == len(entries) <= 10
    good = ", ".join(f'{{"Id": "{entry["Id"]}"}}' for entry in entries)
    return Reply(200, f'{{"Successful": [{good}]}}'.encode(), (("x-amzn-requestid", "1"),))


def emulated(receiver: HttpReceiver, url: str) -> Route:
    receiver.answer = answered
    return Route(Sqs, {"queue_url": url, "use_emulator": True, "emulator_base_url": receiver.url})


async def test_two_messages_with_one_idempotency_key(http_receiver: HttpReceiver) -> None:
    """A FIFO queue would take and drop the second; the same message again is a retry."""
    route = emulated(http_receiver, URL + ".fifo")
    first, again, other = message(1), message(1), message(1, action="update")
    elsewhere = emulated(http_receiver, URL + "-2.fifo").encode(other)
    link = route.connect()
    try:
        assert await link.send([route.encode(first)]) == [DELIVERED]
        assert await link.send([route.encode(again)]) == [DELIVERED]
        found = await link.send([route.encode(other), route.encode(message(2))])
        assert [outcome.code for outcome in found] == ["repeated", ""]
        assert "commit_lsn" in found[0].reason
        assert await link.send([elsewhere]) == [DELIVERED]
    finally:
        await link.close()
    assert [len(request.json()["Entries"]) for request in http_receiver.requests] == [1, 1, 1, 1]


async def test_what_goes_over_the_wire(http_receiver: HttpReceiver) -> None:
    route = emulated(http_receiver, URL + ".fifo")
    record = route.encode(message(7))
    link = route.connect()
    assert await link.send([record]) == [DELIVERED]
    await link.close()
    sent: dict[str, Any] = http_receiver.requests[0].json()
    shown = record.describe()
    assert sent == {
        "QueueUrl": URL + ".fifo",
        "Entries": [
            {
                "Id": "0",
                "MessageBody": shown["body"],
                "MessageGroupId": shown["message_group_id"],
                "MessageDeduplicationId": shown["message_deduplication_id"],
            }
        ],
    }
