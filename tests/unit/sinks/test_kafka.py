"""The Kafka sink: its rules, records, partitions, and delivery to librdkafka's own mock cluster."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import threading
import time
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.kafka.phash2 import hashes, partition, phash2
from routestudio.sinks.kafka.settings import msk_token, outcome_of, producer_settings
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from routestudio.sinks.kafka.standin import KafkaStandin
from tests.support.waiting import until

VECTORS = [
    ("1", 1535449617, (0, 3, 2, 9)),
    ("42", 2572832157, (0, 3, 0, 9)),
    ("abc", 1306188027, (0, 3, 4, 3)),
    ("users:1", 4197853660, (1, 4, 0, 4)),
    ("1:2", 1528225609, (1, 1, 1, 1)),
    ("é", 758303797, (1, 1, 6, 1)),
    ("550e8400-e29b-41d4-a716-446655440000", 3444542317, (1, 1, 6, 1)),
]
GOOD = {"hosts": "localhost:9092", "topic": "orders"}
PASSWORD = {"username": "u", "password": "p"}
AWS = {"aws_region": "eu-west-1", "aws_access_key_id": "A", "aws_secret_access_key": "S"}


@pytest.mark.parametrize(("key", "value", "partitions"), VECTORS)
def test_the_partition_is_erlangs(key: str, value: int, partitions: tuple[int, ...]) -> None:
    assert phash2(key.encode()) == value
    assert tuple(partition(key.encode(), count) for count in (3, 6, 7, 12)) == partitions


def test_known_keys_have_the_same_hash_side_by_side() -> None:
    keys = [key.encode() for key, _, _ in VECTORS] * 5
    assert hashes(keys) == [value for _, value, _ in VECTORS] * 5
    assert hashes([]) == []


@given(st.lists(st.one_of(st.binary(max_size=14), st.binary(max_size=300)), max_size=40))
def test_hashes_side_by_side_are_those_of_each_key(keys: list[bytes]) -> None:
    assert hashes(keys) == [phash2(key) for key in keys]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, []),
        ({"hosts": "a:1,b:65535"}, []),
        ({"hosts": "a:1, b:2"}, []),
        ({"hosts": "localhost"}, ["hosts"]),
        ({"hosts": "a:0"}, ["hosts"]),
        ({"hosts": "a:65536"}, ["hosts"]),
        ({"hosts": "a:1,"}, ["hosts"]),
        ({"hosts": "a:1:2"}, ["hosts"]),
        ({"hosts": "a:٣"}, ["hosts"]),
        ({"hosts": ""}, ["hosts"]),
        ({"compression": "brotli"}, ["compression"]),
        ({"sasl_mechanism": "gssapi"}, ["sasl_mechanism"]),
        ({"sasl_mechanism": "plain", **PASSWORD}, []),
        ({"sasl_mechanism": "scram_sha_512", **PASSWORD, "tls": True}, []),
        ({"sasl_mechanism": "scram_sha_256", "username": "u"}, ["password"]),
        ({"sasl_mechanism": "plain"}, ["username", "password"]),
        (PASSWORD, ["sasl_mechanism"]),
        ({"sasl_mechanism": "aws_msk_iam", **AWS, "tls": True}, []),
        ({"sasl_mechanism": "aws_msk_iam", **AWS}, ["tls"]),
        ({"sasl_mechanism": "aws_msk_iam", "tls": True},
         ["aws_region", "aws_access_key_id", "aws_secret_access_key"]),
        ({"sasl_mechanism": "aws_msk_iam", **AWS, "aws_region": "Europe", "tls": True},
         ["aws_region"]),
        ({"topic": "a b"}, ["topic"]),
        ({"topic": "x" * 256}, ["topic"]),
        ({"topic": None}, ["topic"]),
        ({"tpoic": "orders"}, ["tpoic"]),
    ],
)  # fmt: skip
def test_rules_of_the_configuration(change: dict[str, Any], fields: list[str]) -> None:
    _, problems = examine(Kafka, {**GOOD, **change}, dynamic=False)
    assert sorted({problem.field for problem in problems}) == sorted(fields), problems


@pytest.mark.parametrize(
    ("returned", "topic", "key", "failing"),
    [
        ({}, "sequin.public.orders", "7", None),
        ({"topic": "a", "message_key": "k"}, "a", "k", None),
        ({"message_key": None}, "sequin.public.orders", "7", None),
        ({"topic": "a b"}, None, None, "topic"),
        ({"topic": "x" * 513}, None, None, "topic"),
        ({"message_key": ""}, None, None, "message_key"),
        ({"message_key": 5}, None, None, "message_key"),
    ],
)
def test_rules_of_the_routing(
    returned: dict[str, Any], topic: str | None, key: str | None, failing: str | None
) -> None:
    router = Router(bind(Kafka, {"hosts": "localhost:9092"}, dynamic=True))
    message = message_from({
        "action": "insert", "record": {"id": 7},
        "metadata": {"table_schema": "public", "table_name": "orders", "record_pks": ["7"]},
    })  # fmt: skip
    effective = router.route(message, FunctionResult(returned))
    assert [problem.field for problem in effective.problems] == ([failing] if failing else [])
    if not failing:
        routing: Any = router.instance(effective)
        assert (routing.topic, routing.message_key) == (topic, key)


def test_a_delete_and_null_are_json_and_never_tombstones() -> None:
    config = Kafka.Config(hosts="localhost:9092")
    message = message_from({"action": "delete", "record": {"id": 1}})
    routing = Kafka.Routing(topic="t", message_key=None)
    assert Kafka.encode(config, message, routing, Payload(None)).value == b"null"
    record = Kafka.encode(config, message, routing, Payload(message.as_json()))
    assert record.key is None
    assert b'"action":"delete"' in record.value
    assert record.size == len(record.value) + 72
    assert record.describe()["topic"] == "t"


def test_the_producer_keeps_order_and_waits_for_every_replica() -> None:
    config = Kafka.Config(hosts="h:1", tls=True, sasl_mechanism="scram_sha_256", username="u",
                          password=SecretStr("hunter2"), compression="zstd")  # fmt: skip
    settings = producer_settings(config)
    assert settings["acks"] == "all"
    assert settings["enable.idempotence"] is True
    assert settings["security.protocol"] == "SASL_SSL"
    assert settings["sasl.mechanisms"] == "SCRAM-SHA-256"
    assert settings["sasl.password"] == "hunter2"
    assert settings["compression.type"] == "zstd"
    assert settings["allow.auto.create.topics"] is False
    assert "hunter2" not in repr(config)


def test_the_msk_token_is_a_presigned_url_without_the_secret() -> None:
    """Signed anew here by the steps of AWS Signature Version 4; not run against AWS."""
    config = Kafka.Config(hosts="h:1", tls=True, sasl_mechanism="aws_msk_iam",
                          aws_region="eu-west-1", aws_access_key_id="AKIAEXAMPLE",
                          aws_secret_access_key=SecretStr("hunter2"))  # fmt: skip
    settings = producer_settings(config)
    assert settings["sasl.mechanisms"] == "OAUTHBEARER"
    assert settings["security.protocol"] == "SASL_SSL"
    token, expires = settings["oauth_cb"]("")
    assert 880 < expires - time.time() <= 900
    assert msk_token(config)[0].count("=") == 0
    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert "hunter2" not in url
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https", "kafka.eu-west-1.amazonaws.com", "/")  # fmt: skip
    query = dict(parse_qsl(parts.query))
    assert query["Action"] == "kafka-cluster:Connect"
    assert query["X-Amz-Expires"] == "900"
    assert query.pop("User-Agent")
    signature = query.pop("X-Amz-Signature")
    moment = query["X-Amz-Date"]
    scope = f"{moment[:8]}/eu-west-1/kafka-cluster/aws4_request"
    assert query["X-Amz-Credential"] == f"AKIAEXAMPLE/{scope}"
    canonical = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(query.items()))
    empty = hashlib.sha256(b"").hexdigest()
    asked = f"GET\n/\n{canonical}\nhost:{parts.netloc}\n\nhost\n{empty}"
    digest = hashlib.sha256(asked.encode()).hexdigest()
    secret = b"AWS4hunter2"
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signed = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    assert signature == hmac.new(secret, signed.encode(), "sha256").hexdigest()


@pytest.mark.parametrize(
    ("name", "status", "unknown"),
    [
        ("MSG_SIZE_TOO_LARGE", "rejected", False),
        ("TOPIC_EXCEPTION", "rejected", False),
        ("UNKNOWN_TOPIC_OR_PART", "retry", False),
        ("TOPIC_AUTHORIZATION_FAILED", "retry", False),
        ("_ALL_BROKERS_DOWN", "retry", False),
        ("_MSG_TIMED_OUT", "retry", True),
        ("NOT_ENOUGH_REPLICAS", "retry", False),
    ],
)
def test_delivery_errors_as_outcomes(name: str, status: str, unknown: bool) -> None:
    from confluent_kafka import KafkaError

    outcome = outcome_of(KafkaError(getattr(KafkaError, name)), "orders")
    assert (outcome.status, outcome.code, outcome.unknown) == (status, name.lower(), unknown)
    assert outcome.reason.startswith("orders: ")


def record(number: int, topic: str = "orders", key: bytes | None = b"k") -> KafkaRecord:
    return KafkaRecord(topic, key, b'{"n":%d}' % number)


async def test_batches_arrive_once_in_order_and_nothing_stays_behind() -> None:
    standin = KafkaStandin()
    link = Kafka.connect(Kafka.at_standin(Kafka.Config(hosts="x:1"), await standin.start()))
    try:
        sent = [[record(n + 200 * b, key=b"k%d" % (n % 5)) for n in range(200)] for b in range(4)]
        for batch in sent:
            assert {o.status for o in await link.send(batch)} == {"delivered"}
        arrived = await standin.arrived()
    finally:
        await link.close()
        await link.close()
        await standin.stop()
    values = [item.body for item in arrived]
    flat = [each for batch in sent for each in batch]
    assert sorted(values) == sorted(each.value.decode() for each in flat)
    for number in range(5):
        key = f"k{number}"
        wanted = [each.value.decode() for each in flat if each.key == key.encode()]
        assert [item.body for item in arrived if item.key == key] == wanted
    assert not [t for t in threading.enumerate() if t.name == "kafka"]


async def test_only_the_stand_in_gets_topics_that_nobody_made() -> None:
    standin = KafkaStandin()
    config = Kafka.at_standin(Kafka.Config(hosts="x:1"), await standin.start())
    records = [record(n, f"topic.{n}", None if n % 2 else b"k") for n in range(6)]
    link = Kafka.connect(config)
    usual = Kafka.connect(Kafka.Config(hosts=config.hosts))
    try:
        assert {o.status for o in await link.send(records)} == {"delivered"}
        arrived = await standin.arrived()
        await standin.clear()
        refused = await usual.send([record(1, "never")])
        assert await standin.arrived() == []
    finally:
        await link.close()
        await usual.close()
        await standin.stop()
    found = {item.destination: (item.key, item.body) for item in arrived}
    assert found == {each.topic: (each.key and each.key.decode(), each.value.decode())
                     for each in records}  # fmt: skip
    assert [(o.status, o.code) for o in refused] == [("retry", "unknown_topic_or_part")]


async def test_a_cancelled_send_to_a_silent_broker_ends_at_once(silent_port: int) -> None:
    link = Kafka.connect(Kafka.Config(hosts=f"127.0.0.1:{silent_port}"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(link.send([record(1)]), 0.2)
    async with asyncio.timeout(3):  # librdkafka's own deadline is far later
        await link.close()
    await until(lambda: not [t for t in threading.enumerate() if t.name == "kafka"])


async def test_a_cancelled_check_of_a_silent_broker_ends_at_once(silent_port: int) -> None:
    from routestudio import tasks

    link = Kafka.connect(Kafka.Config(hosts=f"127.0.0.1:{silent_port}"))
    reached = asyncio.Event()

    async def checking() -> None:
        async for step in link.check([Kafka.Routing(topic="orders", message_key=None)]):
            if step.step == "TLS":
                reached.set()

    work = tasks.spawn(checking(), name="check")
    await asyncio.wait_for(reached.wait(), 3)
    await asyncio.sleep(0.2)
    assert not work.done()
    work.cancel()
    async with asyncio.timeout(3):  # a check may take ten seconds
        await asyncio.wait([work])
        await link.close()
    assert work.cancelled()
    for thread in [t for t in threading.enumerate() if t.name.startswith("kafka check")]:
        await asyncio.to_thread(thread.join, 3)
        assert not thread.is_alive()


async def test_a_port_that_refuses_is_a_quick_retry(closed_port: int) -> None:
    link = Kafka.connect(Kafka.Config(hosts=f"127.0.0.1:{closed_port}"))
    async with asyncio.timeout(15):  # a delivery may take 30 seconds
        outcomes = await link.send([record(1), record(2)])
    await link.close()
    assert [(o.status, o.unknown) for o in outcomes] == [("retry", False)] * 2


async def test_closing_settles_what_is_being_sent(silent_port: int) -> None:
    from routestudio import tasks

    link = Kafka.connect(Kafka.Config(hosts=f"127.0.0.1:{silent_port}"))
    sending = tasks.spawn(link.send([record(1)]), name="send")
    await asyncio.sleep(0.2)
    await link.close()
    assert [o.status for o in await asyncio.wait_for(sending, 3)] == ["retry"]
