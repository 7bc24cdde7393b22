"""The SQS sink on ElasticMQ, whose answers have no id of the request."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from routestudio.sinks.sqs.sink import Sqs
from tests.support.aws_cases import (
    Route,
    every_action,
    keys_in_environment,
    message,
    previewed_and_run,
    write_project,
)
from tests.support.aws_server import AwsServer, emulator

pytestmark = pytest.mark.real


def bodies(server: AwsServer, url: str) -> Counter[str]:
    return Counter(str(item["Body"]) for item in server.messages(url))


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
async def test_what_is_held_is_what_is_said_to_be_delivered(
    elasticmq: AwsServer, tmp_path: Path, fifo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check passes, each row is in the queue once, and nothing is sent again."""
    url = elasticmq.queue(fifo=fifo)
    values = emulator(elasticmq, queue_url=url) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Sqs, values, messages=every_action(47))
    )
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (47, 0, 0)
    assert bodies(elasticmq, url) == Counter(row["request"]["body"] for row in rows)


async def test_a_fifo_queue_keeps_the_order_of_each_group(elasticmq: AwsServer) -> None:
    url = elasticmq.queue(fifo=True)
    route = Route(Sqs, emulator(elasticmq, queue_url=url))
    link = route.connect()
    records = [route.encode(message(n, record_pks=[str(n % 3)])) for n in range(30)]
    assert {outcome.status for outcome in await link.send(records)} == {"delivered"}
    # A second time is a repetition, which the queue drops and confirms.
    assert {outcome.status for outcome in await link.send(records)} == {"delivered"}
    await link.close()
    found = [json.loads(item["Body"])["record"]["id"] for item in elasticmq.messages(url)]
    assert sorted(found) == list(range(30))
    for group in range(3):
        mine = [number for number in found if number % 3 == group]
        assert mine == sorted(mine)


async def test_every_character_arrives(elasticmq: AwsServer) -> None:
    """ElasticMQ refuses what SQS refuses, so it has to be escaped."""
    url = elasticmq.queue()
    route = Route(Sqs, emulator(elasticmq, queue_url=url))
    text = "\ufffe \uffff \ufffd \0 \x08 \x7f é \U0001f600 \U0001fffe \ud800"
    one = message(1)
    one.record["note"] = text
    link = route.connect()
    outcomes = await link.send([*route.records(2, 5), route.encode(one)])
    await link.close()
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    notes = [json.loads(item["Body"])["record"]["note"] for item in elasticmq.messages(url)]
    assert text in notes
    assert len(notes) == 3


async def test_what_the_queue_refuses_is_rejected_alone(elasticmq: AwsServer) -> None:
    """A message over the limit of the request takes none of its neighbours along."""
    url = elasticmq.queue()
    values = emulator(elasticmq, queue_url=url, max_message_bytes=1_048_576)
    route = Route(Sqs, values)
    large = message(9)
    large.record["note"] = "x" * 300_000
    records = [*route.records(3), route.encode(large), *route.records(3, 5)]
    link = route.connect()
    outcomes = await link.send(records)
    await link.close()
    assert [o.status for o in outcomes] == ["delivered"] * 3 + ["rejected"] + ["delivered"] * 3
    assert "TooLong" in outcomes[3].reason
    found = [json.loads(item["Body"])["record"]["id"] for item in elasticmq.messages(url)]
    assert sorted(found) == [0, 1, 2, 5, 6, 7]


async def test_a_queue_that_is_not_there(elasticmq: AwsServer) -> None:
    url = elasticmq.queue().replace("orders-", "nothing-")
    route = Route(Sqs, emulator(elasticmq, queue_url=url))
    link = route.connect()
    steps = [step async for step in link.check([route.target])]
    outcomes = await link.send(route.records(2))
    await link.close()
    assert steps[-1].status == "failed"
    assert "there is no queue" in steps[-1].detail
    assert {outcome.status for outcome in outcomes} == {"rejected"}
