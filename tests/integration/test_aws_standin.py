"""The AWS stand-in: what it makes, keeps, drops and forgets."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from typing import Any

import pytest

from routestudio.errors import LinkError
from routestudio.sinks._shared.aws.standin import AwsStandin
from routestudio.sinks.base import Sink, StandinAddress
from routestudio.sinks.kinesis.sink import Kinesis
from routestudio.sinks.sns.sink import Sns
from routestudio.sinks.sqs.sink import Sqs
from tests.support.aws_cases import Route, message
from tests.support.guards import started


@pytest.fixture
async def standin() -> AsyncIterator[AwsStandin]:
    made = AwsStandin()
    yield made
    await made.stop()


def route(sink: type[Sink], address: StandinAddress, **values: Any) -> Route:
    url = f"http://{address.host}:{address.port}"
    return Route(sink, {"use_emulator": True, "emulator_base_url": url, **values})


async def send(given: Route, records: list[Any]) -> list[str]:
    link = given.connect()
    try:
        return [outcome.status for outcome in await link.send(records)]
    finally:
        await link.close()


async def test_destinations_of_any_account_and_region_are_made(standin: AwsStandin) -> None:
    address = await standin.start()
    for sink, name, destination in (
        (Sqs, "queue_url", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"),
        (Sqs, "queue_url", "https://sqs.ap-southeast-2.amazonaws.com/123456789012/orders.fifo"),
        (Sns, "topic_arn", "arn:aws:sns:us-east-1:111122223333:orders"),
        (Sns, "topic_arn", "arn:aws:sns:eu-west-1:123456789012:orders.fifo"),
        (Kinesis, "stream_arn", "arn:aws:kinesis:eu-west-1:111122223333:stream/orders"),
    ):
        given = route(sink, address, **{name: destination})
        records = given.records(12)
        assert await send(given, records) == ["delivered"] * 12
        found = await standin.arrived()
        assert {item.destination for item in found} == {destination}
        shown = [record.describe() for record in records]
        texts = [one.get("body") or one["data"] for one in shown]
        keys = [one.get("message_group_id") or one.get("partition_key") for one in shown]
        assert [(item.body, item.key) for item in found] == list(zip(texts, keys, strict=True))
        assert {item.details["service"] for item in found} == {sink.key}
        assert {item.details["region"] in destination for item in found} == {True}
        await standin.clear()
        assert list(await standin.arrived()) == []


async def test_a_fifo_destination_keeps_a_repeated_message_once(standin: AwsStandin) -> None:
    address = await standin.start()
    fifo = route(Sqs, address, queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/q.fifo")
    for _ in range(2):
        assert await send(fifo, [fifo.encode(message(1))]) == ["delivered"]
    assert len(await standin.arrived()) == 1
    plain = route(Sqs, address, queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/q")
    for _ in range(2):
        assert await send(plain, [plain.encode(message(1))]) == ["delivered"]
    assert len(await standin.arrived()) == 3


async def test_a_text_that_names_the_queue_is_left_alone(standin: AwsStandin) -> None:
    address = await standin.start()
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    given = route(Sqs, address, queue_url=url)
    own = message(1)
    own.record["note"] = url
    assert await send(given, [given.encode(own)]) == ["delivered"]
    assert url in (await standin.arrived())[0].body


async def test_the_child_ends_with_the_standin(standin: AwsStandin) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:again"
    for _ in range(2):
        address = await standin.start()
        assert len(started()) == 1
        given = route(Sns, address, topic_arn=topic)
        assert await send(given, given.records(1)) == ["delivered"]
        await standin.stop()
        assert started() == set()
    assert set(await send(given, given.records(1))) == {"retry"}


async def test_without_moto_it_says_what_to_install(
    standin: AwsStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "moto" else find(name)
    )
    with pytest.raises(LinkError) as caught:
        await standin.start()
    assert caught.value.hint == "pip install 'moto[server]'"


async def test_a_moto_that_does_not_start(
    standin: AwsStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routestudio.sinks._shared.aws.standin._CHILD", "raise SystemExit(1)")
    with pytest.raises(LinkError, match="did not start") as caught:
        await standin.start()
    assert caught.value.hint
