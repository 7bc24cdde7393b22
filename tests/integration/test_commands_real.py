"""A copied command, run by the shell, brings what the sink brings: byte for byte."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from typing import Any, cast

import pytest

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks._shared.shell import named_secrets, written
from routestudio.sinks.base import Sink
from routestudio.sinks.binding import bind
from routestudio.sinks.http_push.sink import HttpPush
from routestudio.sinks.kafka.sink import Kafka
from routestudio.sinks.kinesis.sink import Kinesis
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.redis_stream.sink import RedisStream
from routestudio.sinks.redis_string.sink import RedisString
from routestudio.sinks.sqs.sink import Sqs
from tests.contract.test_commands import HOSTILE
from tests.contract.test_sinks import payload
from tests.support.aws_server import AwsServer, emulator
from tests.support.http_server import HttpReceiver
from tests.support.kafka_server import KafkaServer
from tests.support.nats_server import NatsServer
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

PLAIN = 'it\'s "quoted" `id` $(id) $HOME * ; & | < > ! # ~'
KEYS = {"access_key_id": "an-id-of-a-key", "secret_access_key": "a 'secret' of a $key"}
RECORD = {"id": 1, "note": HOSTILE, "empty": "", "null": None, "n": 12345678901234567890}


def made(
    sink: type[Sink], values: dict[str, Any], resources: Any = None, **routed: Any
) -> tuple[Any, Any]:
    """A configuration, and the record of a message with everything that a shell reads."""
    found = bind(sink, values, dynamic=True, resources=resources)
    message = message_from({"action": "insert", "record": RECORD,
                            "metadata": {"table_name": "orders"}})  # fmt: skip
    router = Router(found)
    effective = router.route(message, FunctionResult(routed))
    assert effective.ok, effective.problems
    content = payload(sink, message.as_json())
    return found.config, sink.encode(found.config, message, router.instance(effective), content)


async def by_the_pipeline(sink: type[Sink], config: Any, record: Any) -> None:
    """Send as a run does."""
    link = sink.connect(config)
    try:
        [outcome] = await link.send([record])
    finally:
        await link.close()
    assert outcome.status == "delivered", outcome


async def by_the_shell(sink: type[Sink], config: Any, record: Any) -> None:
    """Send as a person does who pastes the command."""
    if shutil.which(sink.tool) is None:
        pytest.skip(f"{sink.tool} is not installed")
    names = named_secrets(config)
    text = written(sink.command(config, record), names)
    assert not [value for value in names if value in text]
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", text, env={"PATH": os.environ["PATH"], **{n: v for v, n in names.items()}},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode(errors="replace")
    assert b"WRONG" not in said
    assert b"ERR" not in said


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "single"])
async def test_curl_sends_the_same_request(http_receiver: HttpReceiver, batch: bool) -> None:
    base = http_receiver.url.replace("://", "://orders:hunter2-%C3%A9@")
    entry = {"url": f"{base}/hook?a=1&b=[y]", "headers": {"X-Plain": PLAIN, "X-Empty": ""},
             "encrypted_headers": {"X-Token": "s3cret 'quoted' $HOME"}}  # fmt: skip
    config, record = made(
        HttpPush, {"http_endpoint": "api", "batch": batch}, {"http_endpoints": {"api": entry}},
        method="PUT", endpoint_path="/orders/1?x=a'b", headers={"X-Routed": "a, b"},
    )  # fmt: skip
    await by_the_pipeline(HttpPush, config, record)
    await by_the_shell(HttpPush, config, record)
    ours, theirs = http_receiver.requests
    assert (theirs.method, theirs.target) == (ours.method, ours.target)
    assert theirs.body == ours.body
    skipped = {"connection"}
    assert {(n.lower(), v) for n, v in theirs.headers if n.lower() not in skipped} == {
        (n.lower(), v) for n, v in ours.headers if n.lower() not in skipped
    }


async def test_curl_sends_a_packed_request(http_receiver: HttpReceiver) -> None:
    entry = {"url": f"{http_receiver.url}/hook", "headers": {"Content-Encoding": "gzip"}}
    config, record = made(
        HttpPush, {"http_endpoint": "api"}, {"http_endpoints": {"api": entry}}
    )  # fmt: skip
    await by_the_pipeline(HttpPush, config, record)
    await by_the_shell(HttpPush, config, record)
    ours, theirs = http_receiver.requests
    assert theirs.plain == ours.plain


async def test_redis_cli_adds_the_same_entry(redis_password_server: RedisServer) -> None:
    server = redis_password_server
    values = {"host": server.host, "port": server.port, "password": server.password,
              "username": server.username, "database": 1}  # fmt: skip
    config, record = made(RedisStream, values, stream_key="orders:'$1'")
    await by_the_pipeline(RedisStream, config, record)
    await by_the_shell(RedisStream, config, record)
    found = server.command("XRANGE", record.key, "-", "+", database=1)
    assert isinstance(found, list)
    [[_, ours], [_, theirs]] = cast(list[Any], found)
    assert ours == theirs


async def test_redis_cli_sets_and_deletes_the_same_key(redis_server: RedisServer) -> None:
    values = {"host": redis_server.host, "port": redis_server.port}
    config, record = made(RedisString, values, key="orders:1", expire_ms=60_000)
    stored = []
    for send in (by_the_pipeline, by_the_shell):
        redis_server.command("FLUSHALL")
        await send(RedisString, config, record)
        stored.append(redis_server.command("GET", "orders:1"))
        left = redis_server.command("PTTL", "orders:1")
        assert isinstance(left, int)
        assert 0 < left <= 60_000
    assert stored[0] == stored[1] == record.value
    config, record = made(RedisString, values, key="orders:1", action="del")
    await by_the_shell(RedisString, config, record)
    assert redis_server.command("EXISTS", "orders:1") == 0


async def test_kcat_produces_the_same_record(kafka_server: KafkaServer) -> None:
    topic = kafka_server.create_topic(f"by-hand-{uuid.uuid4().hex[:8]}", partitions=1)
    values = {"hosts": kafka_server.plaintext, "topic": topic}
    config, record = made(Kafka, values, topic=topic, message_key="it's-$1")
    await by_the_pipeline(Kafka, config, record)
    await by_the_shell(Kafka, config, record)
    ours, theirs = kafka_server.read(topic)
    assert (theirs.key, theirs.value) == (ours.key, ours.value) == (record.key, record.value)
    assert theirs.headers == ours.headers


async def test_nats_publishes_the_same_message(nats_server: NatsServer) -> None:
    import nats as client

    values = {"host": nats_server.host, "port": nats_server.port}
    config, record = made(Nats, values, subject="orders.by.hand", headers={"X-Note": PLAIN})
    reader = await client.connect(f"nats://{nats_server.host}:{nats_server.port}")
    came = await reader.subscribe("orders.by.hand")
    await reader.flush()
    try:
        await by_the_pipeline(Nats, config, record)
        await by_the_shell(Nats, config, record)
        ours, theirs = [await came.next_msg(timeout=60) for _ in range(2)]
    finally:
        await reader.close()
    assert theirs.data == ours.data == record.body
    assert dict(theirs.headers or {}) == dict(ours.headers or {})


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
async def test_aws_sends_the_same_queue_message(aws_server: AwsServer, fifo: bool) -> None:
    found = []
    for send in (by_the_pipeline, by_the_shell):
        url = aws_server.queue(fifo=fifo)
        config, record = made(Sqs, emulator(aws_server, **KEYS), queue_url=url)
        await send(Sqs, config, record)
        [item] = aws_server.messages(url)
        ids = [
            item["Attributes"].get(name) for name in ("MessageGroupId", "MessageDeduplicationId")
        ]
        found.append((item["Body"], ids))
    assert found[0] == found[1]
    assert found[0][0] == record.body


async def test_aws_puts_the_same_record(aws_server: AwsServer) -> None:
    arn = aws_server.stream(shards=1)
    config, record = made(Kinesis, emulator(aws_server, **KEYS), stream_arn=arn)
    await by_the_pipeline(Kinesis, config, record)
    await by_the_shell(Kinesis, config, record)
    ours, theirs = aws_server.records(arn)
    assert (theirs["PartitionKey"], theirs["Data"]) == (ours["PartitionKey"], ours["Data"])
    assert ours["Data"] == record.data
