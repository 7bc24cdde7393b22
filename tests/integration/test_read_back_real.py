"""What a run delivered is read back from real servers, and equals the preview; changes show."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from routestudio.cli.main import run as command_line
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError, UsageError
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq import read as rabbitmq_read
from tests.support.kafka_server import KafkaServer
from tests.support.nats_server import NatsServer
from tests.support.rabbitmq_server import PASSWORD, VHOST, RabbitServer
from tests.support.read_back import ROWS, changed, counts, delivered, project, read
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

pytestmark = pytest.mark.real

every_row = pytest.mark.parametrize("rows", ROWS)


def name() -> str:
    return f"back-{uuid.uuid4().hex[:8]}"


# --- Kafka -----------------------------------------------------------------------------------


@every_row
async def test_a_topic_holds_what_was_previewed(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path, rows: str
) -> None:
    topic = kafka_server.create_topic(name(), partitions=3)
    hosts = kafka_server.plaintext
    path, source = project(tmp_path, {"type": "kafka", "hosts": hosts, "topic": topic}), ROWS[rows]
    summary = await delivered(service, path, source(tmp_path))
    found = await read(service, source(tmp_path))
    assert counts(found) == {"equal": summary["delivered"]}
    assert found["good"]
    assert found["destinations"] == [{"name": topic, "read": summary["delivered"], "more": False}]


async def test_a_changed_copy_in_a_topic_differs(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path
) -> None:
    topic = kafka_server.create_topic(name(), partitions=1)
    path = project(tmp_path, {"type": "kafka", "hosts": kafka_server.plaintext, "topic": topic})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    record = next(each for each in kafka_server.read(topic) if each.key == b"A-2")
    body = record.value or b""
    kafka_server.send(topic, changed(body, note="other"), record.key)
    kafka_server.send(topic, b'{"nobody":"knows"}', b"else")
    kafka_server.send(topic, body, record.key)
    found = await read(service, rows)
    assert counts(found) == {"equal": 12, "repeated": 1, "different": 1, "other": 1}
    assert not found["good"]
    [row] = [row for row in found["rows"] if row["verdict"] == "different"]
    assert (row["row"], row["parts"], row["place"]) == (2, ["body"], f"{topic}[0]@12")
    change = {"path": "record.note", "expected": "Zoë 2\u2028", "found": "other"}
    assert row["changes"] == [change]
    assert "Zoë 2" in row["expected"]["body"]
    assert "other" in row["found"]["body"]


async def test_reading_a_topic_leaves_no_group(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path
) -> None:
    from confluent_kafka.admin import AdminClient

    topic = kafka_server.create_topic(name(), partitions=2)
    path = project(tmp_path, {"type": "kafka", "hosts": kafka_server.plaintext, "topic": topic})
    rows = ROWS["CSV"](tmp_path)
    admin = AdminClient({"bootstrap.servers": kafka_server.plaintext})

    def groups() -> set[str]:
        return {group.group_id for group in admin.list_consumer_groups().result(10).valid}

    before = groups()
    await delivered(service, path, rows)
    assert (await read(service, rows))["good"]
    assert groups() == before


async def test_what_a_limit_leaves_out_is_not_called_missing(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path
) -> None:
    topic = kafka_server.create_topic(name(), partitions=1)
    path = project(tmp_path, {"type": "kafka", "hosts": kafka_server.plaintext, "topic": topic})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    found = await read(service, rows, limit=5)
    assert counts(found) == {"equal": 5, "unread": 7}
    assert found["destinations"][0]["more"]
    assert found["good"]


async def test_a_topic_without_the_records_misses_them(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path
) -> None:
    topic = kafka_server.create_topic(name(), partitions=1)
    path = project(tmp_path, {"type": "kafka", "hosts": kafka_server.plaintext, "topic": topic})
    await service.open(str(path))
    found = await read(service, ROWS["CSV"](tmp_path))
    assert counts(found) == {"missing": 3}
    assert not found["good"]


# --- Redis -----------------------------------------------------------------------------------


@every_row
@pytest.mark.parametrize("kind", ["redis_stream", "redis_string"])
async def test_redis_holds_what_was_previewed(
    redis_server: RedisServer, service: EngineService, tmp_path: Path, rows: str, kind: str
) -> None:
    place = {"type": kind, "host": "127.0.0.1", "port": redis_server.port}
    path = project(tmp_path, place | ({"stream_key": "held"} if kind == "redis_stream" else {}))
    source = ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    found = await read(service, source)
    assert found["failed"] == summary["rejected"]
    assert sum(counts(found).values()) == summary["delivered"]
    assert set(counts(found)) <= {"equal", "replaced"}
    assert counts(found)["equal"] >= 3
    assert found["good"]


async def test_a_changed_copy_in_a_stream_differs(
    redis_server: RedisServer, service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "redis_stream", "host": "127.0.0.1", "port": redis_server.port}
    path = project(tmp_path, {**place, "stream_key": "held"})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    entries = redis_server.command("XRANGE", "held", "-", "+")
    assert isinstance(entries, list)
    number, fields = entries[3]
    pairs = dict(zip(fields[::2], fields[1::2], strict=True))  # type: ignore[index]
    pairs[b"action"] = b"delete"
    words = [part for pair in pairs.items() for part in pair]
    redis_server.command("XDEL", "held", number)  # type: ignore[arg-type]
    redis_server.command("XADD", "held", "*", *words)
    found = await read(service, rows)
    assert counts(found) == {"equal": 11, "different": 1}
    [row] = [row for row in found["rows"] if row["verdict"] == "different"]
    assert row["changes"] == [{"path": "action", "expected": "insert", "found": "delete"}]


async def test_a_changed_and_a_removed_key_show(
    redis_server: RedisServer, service: EngineService, tmp_path: Path
) -> None:
    path = project(tmp_path, {"type": "redis_string", "host": "127.0.0.1",
                              "port": redis_server.port})  # fmt: skip
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    body = redis_server.command("GET", "sequin:orders:A-4")
    assert isinstance(body, bytes)
    redis_server.command("SET", "sequin:orders:A-4", changed(body, qty=99))
    redis_server.command("DEL", "sequin:orders:A-7")
    found = await read(service, rows)
    assert counts(found) == {"equal": 10, "different": 1, "missing": 1}
    assert not found["good"]
    by_verdict = {row["verdict"]: row for row in found["rows"]}
    assert by_verdict["different"]["changes"] == [
        {"path": "record.qty", "expected": 1.0, "found": 99}
    ]
    assert by_verdict["missing"]["key"] == "sequin:orders:A-7"


# --- NATS ------------------------------------------------------------------------------------


@every_row
async def test_a_stream_of_jetstream_holds_what_was_previewed(
    nats_server: NatsServer, service: EngineService, tmp_path: Path, rows: str
) -> None:
    nats_server.create_stream("ALL", "sequin.>")
    path = project(tmp_path, {"type": "nats", "host": "127.0.0.1", "port": nats_server.port})
    source = ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    found = await read(service, source)
    assert counts(found) == {"equal": summary["delivered"]}
    assert found["good"]
    with nats_server.wire() as wire:
        assert wire.ask("$JS.API.CONSUMER.NAMES.ALL")["total"] == 0


async def test_a_changed_message_of_jetstream_differs(
    nats_server: NatsServer, service: EngineService, tmp_path: Path
) -> None:
    nats_server.create_stream("ALL", "sequin.>", duplicate_window=100_000_000)
    path = project(tmp_path, {"type": "nats", "host": "127.0.0.1", "port": nats_server.port})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    stored = nats_server.stored("ALL")
    number = next(n for n, item in enumerate(stored, 1) if item.json()["record"]["qty"] == 1.25)
    item = stored[number - 1]
    block = "NATS/1.0\r\nNats-Msg-Id: {}\r\nX-More: 1\r\n\r\n".format(
        item.headers["Nats-Msg-Id"]
    ).encode()
    with nats_server.wire() as wire:
        wire.ask("$JS.API.STREAM.MSG.DELETE.ALL", json.dumps({"seq": number}).encode())

        def stored_again() -> bool:
            again = wire.ask(item.subject, changed(item.body, qty=7), block)
            return "duplicate" not in again

        await until(stored_again)
    found = await read(service, rows)
    assert counts(found) == {"equal": 11, "different": 1}
    [row] = [row for row in found["rows"] if row["verdict"] == "different"]
    assert row["changes"] == [
        {"path": "headers.X-More", "expected": None, "found": "1"},
        {"path": "record.qty", "expected": 1.25, "found": 7},
    ]
    assert row["place"] == "ALL#13"


async def test_a_subject_without_a_stream_is_explained(
    nats_server: NatsServer, service: EngineService, tmp_path: Path
) -> None:
    path = project(tmp_path, {"type": "nats", "host": "127.0.0.1", "port": nats_server.port})
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    with pytest.raises(UsageError, match="no JetStream stream stores"):
        await read(service, rows)


# --- RabbitMQ --------------------------------------------------------------------------------


def exchange_of(server: RabbitServer, **more: str) -> dict[str, Any]:
    return {"type": "rabbitmq", "host": "127.0.0.1", "port": server.port, "exchange": "amq.topic",
            "virtual_host": VHOST, "username": "orders", "password": PASSWORD, **more}  # fmt: skip


@every_row
@pytest.mark.parametrize("kind", ["stream", "classic"])
async def test_a_queue_holds_what_was_previewed(
    rabbitmq_server: RabbitServer, service: EngineService, tmp_path: Path, rows: str, kind: str
) -> None:
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"), x_queue_type=kind)
    path = project(tmp_path, exchange_of(rabbitmq_server, headers={"X-From": "cdc", "n": 7}))  # type: ignore[arg-type]
    source = ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    if kind == "classic":
        asked = await read(service, source, destination=queue)
        assert "marked as redelivered" in asked["ask"]
    found = await read(service, source, destination=queue, agreed=kind == "classic")
    assert counts(found) == {"equal": summary["delivered"]}
    assert found["good"]


async def test_a_classic_queue_keeps_its_messages_and_their_order(
    rabbitmq_server: RabbitServer, service: EngineService, tmp_path: Path
) -> None:
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"))
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    found = await read(service, rows, destination=queue, agreed=True, limit=5)
    assert counts(found) == {"equal": 5, "unread": 7}
    bodies = [row["found"]["body"] for row in found["rows"] if row["found"]]
    drained = rabbitmq_server.drain(queue)
    assert len(drained) == 12
    assert [item.body.decode() for item in drained[:5]] == bodies


@pytest.mark.parametrize("kind", ["stream", "classic"])
async def test_a_changed_message_in_a_queue_differs(
    rabbitmq_server: RabbitServer, service: EngineService, tmp_path: Path, kind: str
) -> None:
    import pika

    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"), x_queue_type=kind)
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    before = await read(service, rows, destination=queue, agreed=True)
    found = before["rows"][1]["found"]
    identity = found["headers"]["message-id"]
    with rabbitmq_server.channel() as channel:
        channel.confirm_delivery()
        body = changed(found["body"], name="Basel")
        properties = pika.BasicProperties(message_id=identity, headers={"X-New": 1})
        channel.basic_publish("amq.topic", found["key"], body, properties, mandatory=True)
    after = await read(service, rows, destination=queue, agreed=True)
    assert counts(after) == {"equal": 3, "different": 1}
    [row] = [row for row in after["rows"] if row["verdict"] == "different"]
    assert [change["path"] for change in row["changes"]] == ["headers.X-New", "record.name"]


async def test_the_end_of_a_long_stream_is_read(
    rabbitmq_server: RabbitServer, service: EngineService, tmp_path: Path
) -> None:
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"), x_queue_type="stream")
    with rabbitmq_server.channel() as channel:
        channel.confirm_delivery()
        for number in range(700):
            channel.basic_publish("amq.topic", "else", b'{"n": %d}' % number, mandatory=True)
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    found = await read(service, rows, destination=queue, limit=20)
    assert counts(found) == {"equal": 12, "other": 8}
    assert found["destinations"] == [{"name": queue, "read": 20, "more": True}]


async def test_a_quorum_queue_is_not_read(
    rabbitmq_server: RabbitServer, service: EngineService, tmp_path: Path
) -> None:
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"), x_queue_type="quorum")
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    with pytest.raises(UsageError, match="cannot be read without changing it"):
        await read(service, rows, destination=queue, agreed=True)
    with pytest.raises(UsageError, match="needs the name of a queue"):
        await read(service, rows)
    with pytest.raises(UsageError, match="has no queue `nowhere`"):
        await read(service, rows, destination="nowhere")


@pytest.mark.parametrize("kind", ["classic", "quorum"])
async def test_no_message_is_lost_where_kinds_are_not_shown(
    rabbitmq_server: RabbitServer,
    service: EngineService,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RabbitMQ 3.8 takes the consumer of a stream for any consumer, and its acknowledgements."""
    monkeypatch.setattr(rabbitmq_read, "_STREAMS", (99, 0))
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"), x_queue_type=kind)
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    with pytest.raises(UsageError, match="does not show the kind of a queue"):
        await read(service, rows, destination=queue, agreed=True)
    assert len(rabbitmq_server.drain(queue)) == 3


async def test_no_message_of_another_queue_is_acknowledged_as_one_of_a_stream(
    rabbitmq_server: RabbitServer,
    service: EngineService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should a server give messages of another queue for a stream's, none is taken."""
    usual = codec.table
    monkeypatch.setattr(codec, "table", lambda values: usual(
        {key: value for key, value in values.items() if key != "x-stream-offset"}))  # fmt: skip
    monkeypatch.setattr(rabbitmq_read, "_STREAMS", (3, 0))
    queue = name()
    rabbitmq_server.queue(queue, ("amq.topic", "#"))
    path = project(tmp_path, exchange_of(rabbitmq_server))
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    with pytest.raises(LinkError, match="not of a stream"):
        await read(service, rows, destination=queue, agreed=True)
    assert len(rabbitmq_server.drain(queue)) == 3


# --- command line ----------------------------------------------------------------------------


def test_the_command_ends_with_one_where_something_differs(
    redis_server: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path, {"type": "redis_string", "host": "127.0.0.1",
                              "port": redis_server.port})  # fmt: skip
    words = [str(path), "out", "--input", str(ROWS["messages"](tmp_path))]
    assert command_line(["run", *words]) == 0
    capsys.readouterr()
    assert command_line(["read-back", *words]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1] == (
        f"12 records read from 127.0.0.1:{redis_server.port}, 12 previewed: 12 equal"
    )
    redis_server.command("SET", "sequin:orders:A-1", b'{"action":"insert"}')
    assert command_line(["read-back", *words]) == 1
    assert "action: previewed 'update', read 'insert'" in capsys.readouterr().out
    assert command_line(["read-back", *words, "--format", "json"]) == 1
    *rows, last = map(json.loads, capsys.readouterr().out.rstrip("\n").split("\n"))
    assert len(rows) == 12
    assert last["counts"]["different"] == 1


def test_a_sink_that_cannot_be_read_explains_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = "arn:aws:sns:eu-west-1:123456789012:orders"
    place = {"type": "sns", "region": "eu-west-1", "topic_arn": arn, "use_emulator": True,
             "emulator_base_url": "http://127.0.0.1:9"}  # fmt: skip
    path = project(tmp_path, place)
    words = ["read-back", str(path), "out", "--input", str(ROWS["CSV"](tmp_path))]
    assert command_line(words) == 2
    assert "sink `out` cannot be read back: " in capsys.readouterr().err
