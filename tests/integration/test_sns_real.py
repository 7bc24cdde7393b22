"""The SNS sink on moto's server. Arrival is proven by queues that subscribe to the topics."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from routestudio.sinks.sns.sink import Sns
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


def arrived(server: AwsServer, queues: dict[str, str]) -> Counter[tuple[str, ...]]:
    """What the queues got, by topic: body and, of FIFO topics, both ids."""
    found: Counter[tuple[str, ...]] = Counter()
    for topic, url in queues.items():
        for item in server.messages(url):
            given = item["Attributes"]
            ids = (given.get("MessageGroupId", ""), given.get("MessageDeduplicationId", ""))
            found[topic, item["Body"], *ids] += 1
    return found


def promised(rows: list[dict[str, object]]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        shown = row["request"]
        assert isinstance(shown, dict)
        ids = (shown.get("message_group_id", ""), shown.get("message_deduplication_id", ""))
        found[shown["destination"], shown["body"], *ids] += 1
        assert json.loads(shown["body"]) == row["payload"]
    return found


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
async def test_static_route(
    aws_server: AwsServer, tmp_path: Path, fifo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = aws_server.topic(fifo=fifo)
    queue = aws_server.subscribed(topic)
    values = emulator(aws_server, topic_arn=topic) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Sns, values, messages=every_action(47))
    )
    assert summary["delivered"] == 47
    assert arrived(aws_server, {topic: queue}) == promised(rows)


async def test_dynamic_route_to_topics_of_both_kinds_and_two_regions(
    aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fifo = aws_server.topic(), aws_server.topic(fifo=True)
    far = aws_server.topic(region="ap-southeast-2")
    queues = {topic: aws_server.subscribed(topic) for topic in (plain, fifo, far)}
    route = (
        "def route(action, record, changes, metadata):\n"
        f'    arns = {{"insert": "{plain}", "update": "{fifo}", "delete": "{far}"}}\n'
        f'    return {{"topic_arn": arns.get(action, "{fifo}")}}\n'
    )
    values = emulator(aws_server) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Sns, values, messages=every_action(60), route=route)
    )
    assert summary["delivered"] == 60
    found = arrived(aws_server, queues)
    assert found == promised(rows)
    assert Counter(key[0] for key in found) == {plain: 15, fifo: 30, far: 15}


async def test_a_fifo_topic_keeps_the_order_of_each_group(aws_server: AwsServer) -> None:
    topic = aws_server.topic(fifo=True)
    queue = aws_server.subscribed(topic)
    route = Route(Sns, emulator(aws_server, topic_arn=topic))
    records = [route.encode(message(n, record_pks=[str(n % 3)])) for n in range(30)]
    link = route.connect()
    outcomes = await link.send(records)
    await link.close()
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    found = [json.loads(item["Body"])["record"]["id"] for item in aws_server.messages(queue)]
    assert len(found) == 30
    for group in range(3):
        mine = [number for number in found if number % 3 == group]
        assert mine == sorted(mine)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
async def test_exactly_the_failed_entries_are_sent_again(
    aws_server: AwsServer, aws_faults: Faults, tmp_path: Path, fifo: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    topic = aws_server.topic(fifo=fifo)
    queue = aws_server.subscribed(topic)
    failed: set[str] = set()

    def once(text: str) -> str | None:
        if json.loads(text)["id"] % 3 or text in failed:
            return None
        failed.add(text)
        return "InternalError"

    aws_faults.fails = once
    values = emulator(aws_faults.url, topic_arn=topic) | keys_in_environment(monkeypatch)
    rows, summary = await previewed_and_run(
        write_project(tmp_path, Sns, values, messages=every_action(30)), checked=False
    )
    assert (summary["delivered"], summary["rejected"]) == (30, 0)
    assert summary["retried"] == len(failed) == 10
    sent = Counter(text for request in aws_faults.sent for text in request)
    assert sent == Counter({text: 1 + (text in failed) for text in sent})
    assert arrived(aws_server, {topic: queue}) == promised(rows)


async def test_the_senders_fault_is_rejected_and_nothing_else(
    aws_server: AwsServer, aws_faults: Faults
) -> None:
    topic = aws_server.topic()
    queue = aws_server.subscribed(topic)
    route = Route(Sns, emulator(aws_faults.url, topic_arn=topic))
    aws_faults.sender_fault = True
    aws_faults.fails = lambda text: "InvalidParameter" if '"id":4' in text else None
    link = route.connect()
    outcomes = await link.send(route.records(10))
    await link.close()
    assert [o.status for o in outcomes] == ["delivered"] * 4 + ["rejected"] + ["delivered"] * 5
    assert outcomes[4].code == "InvalidParameter"
    assert len(aws_server.messages(queue)) == 9


async def test_a_lost_answer_is_unknown_and_a_fifo_topic_takes_the_retry_once(
    aws_server: AwsServer, aws_faults: Faults
) -> None:
    topic = aws_server.topic(fifo=True)
    queue = aws_server.subscribed(topic)
    route = Route(Sns, emulator(aws_faults.url, topic_arn=topic))
    aws_faults.loses = 1
    link = route.connect()
    records = route.records(5)
    first = await link.send(records)
    assert {(o.status, o.unknown, o.unreachable) for o in first} == {("retry", True, False)}
    assert {o.status for o in await link.send(records)} == {"delivered"}
    await link.close()
    assert len(aws_server.messages(queue)) == 5


async def test_a_slow_answer_ends_at_the_deadline(
    aws_server: AwsServer, aws_faults: Faults
) -> None:
    route = Route(Sns, emulator(aws_faults.url, topic_arn=aws_server.topic()))
    aws_faults.delay = 5.0
    link = route.connect()
    link.timeout = 0.5
    outcomes = await link.send(route.records(2))
    await link.close()
    assert {(o.status, o.code, o.unknown) for o in outcomes} == {("retry", "timeout", True)}


async def test_a_service_that_is_killed_and_started_again(tmp_path: Path) -> None:
    with start_aws(tmp_path) as server:
        topic = server.topic("again")
        route = Route(Sns, emulator(server, topic_arn=topic))
        link = route.connect()
        assert {o.status for o in await link.send(route.records(3))} == {"delivered"}
        server.child.kill()
        assert {o.status for o in await link.send(route.records(3))} == {"retry"}
        assert {o.unreachable for o in await link.send(route.records(3))} == {True}
        port = server.port
    with start_aws(tmp_path, port) as server:
        server.call("sns", "create_topic", Name=topic.rpartition(":")[2])
        queue = server.subscribed(topic)
        assert {o.status for o in await link.send(route.records(3))} == {"delivered"}
        await link.close()
        assert len(server.messages(queue)) == 3


async def test_a_message_that_is_too_large_is_refused_alone(aws_server: AwsServer) -> None:
    topic = aws_server.topic()
    queue = aws_server.subscribed(topic)
    route = Route(Sns, emulator(aws_server, topic_arn=topic))
    large = message(9)
    large.record["note"] = "x" * 262_144
    link = route.connect()
    outcomes = await link.send([*route.records(2), route.encode(large), *route.records(2, 5)])
    await link.close()
    assert [o.code for o in outcomes] == ["", "", "too_large", "", ""]
    assert len(aws_server.messages(queue)) == 4


@pytest.mark.usefixtures("trusted_ca")
async def test_check_table_of_sns(
    aws_server: AwsServer, aws_tls_server: AwsServer, http_receiver: HttpReceiver,
    closed_port: int, silent_port: int, garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await fill_table(
        Sns, "topic_arn", aws_server.topic(), "arn:aws:sns:eu-west-1:123456789012:missing",
        server=aws_server, tls_server=aws_tls_server,
        rights=(["sns:GetTopicAttributes"], ["sns:Publish", "sns:PublishBatch"]),
        ports=(closed_port, silent_port, garbage_port), not_aws=http_receiver,
        monkeypatch=monkeypatch,
    )  # fmt: skip
