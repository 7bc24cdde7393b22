"""Kafka topics as a source: real broker, real processes, an independent judge."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.run_control import RunControl
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError, UsageError
from routestudio.pipeline.planner import MAX_MESSAGES
from tests.fault.workers import workers_of
from tests.support.kafka_server import KafkaServer
from tests.support.oracle import Wanted, judge
from tests.support.ports import free_port
from tests.support.projects import write_project
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

MESSAGES = int(os.environ.get("ROUTESTUDIO_GROUP_MESSAGES", "20000"))
"""Messages that two processes share; the whole number is 1,000,000."""

PARTITIONS = 6
GROUPS = 997
STREAM = "arrived"


def project(folder: Path, redis: RedisServer) -> Path:
    """A route from any message to one Redis stream, its number and group as fields."""
    text = f"""\
sinks:
  - name: numbers
    database: shop
    batch_size: 200
    transform: bare
    destination:
      type: redis_stream
      host: 127.0.0.1
      port: {redis.port}
      stream_key: {STREAM}
functions:
  - name: bare
    type: transform
    language: python
    file: functions/bare.py
"""
    code = (
        "def transform(action, record, changes, metadata):\n"
        '    return {"number": record["number"], "group": record["id"]}\n'
    )
    folder.mkdir(exist_ok=True)
    write_project(folder, text, {"bare": code}, [])
    return folder


def fill(kafka: KafkaServer, count: int, partitions: int = PARTITIONS, *, start: int = 0,
         topic: str | None = None) -> str:  # fmt: skip
    """A topic with `count` numbered messages; those of a group are in one partition."""
    from confluent_kafka import Producer

    if topic is None:
        topic = kafka.create_topic(f"in-{uuid.uuid4().hex[:10]}", partitions=partitions)
    producer = Producer(
        {
            "bootstrap.servers": kafka.plaintext,
            "linger.ms": 20,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 200_000,
        }
    )
    for number in range(start, start + count):
        group = number * 7919 % GROUPS
        value = json.dumps(
            {"action": "insert", "record": {"id": group, "number": number}, "changes": None,
             "metadata": {"table_schema": "public", "table_name": "orders"}}
        )  # fmt: skip
        while True:
            try:
                producer.produce(topic, value, str(group))
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0
    return topic


def arrived(redis: RedisServer) -> list[int]:
    """The numbers in the stream, in its order."""
    import redis as client

    numbers: list[int] = []
    last = "-"
    with client.Redis(port=redis.port, decode_responses=True) as connection:
        while True:
            found = connection.xrange(STREAM, min=last, count=20_000)
            if not found:
                return numbers
            numbers += [int(fields["number"]) for _, fields in found]
            last = f"({found[-1][0]}"


def count_arrived(redis: RedisServer) -> int:
    return int(str(redis.command("XLEN", STREAM)))


def verdict(numbers: list[int], count: int, *, explained: Collection[int] = ()) -> Any:
    wanted = [Wanted(number, str(number * 7919 % GROUPS)) for number in range(count)]
    return judge(wanted, {STREAM: numbers}, explained=explained)


Place = tuple[int, int]


def places(kafka: KafkaServer, topic: str, count: int) -> dict[int, Place]:
    """Partition and offset of every number, read by an independent consumer."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.plaintext, "group.id": uuid.uuid4().hex,
                         "enable.auto.commit": False})  # fmt: skip
    found: dict[int, Place] = {}
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        while len(found) < count:
            for message in consumer.consume(10_000, 30):
                assert message.error() is None
                number = json.loads(message.value() or b"")["record"]["number"]
                found[number] = (message.partition(), message.offset())  # type: ignore[assignment]
    finally:
        consumer.close()
    return found


def committed(kafka: KafkaServer, topic: str, group: str) -> dict[int, int]:
    """The committed offset of each partition; 0 where nothing is."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.plaintext, "group.id": group,
                         "enable.auto.commit": False})  # fmt: skip
    try:
        wanted = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        return {item.partition: max(0, item.offset) for item in consumer.committed(wanted, 30)}
    finally:
        consumer.close()


def address(kafka: KafkaServer, topic: str, group: str = "routes", **options: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in options.items())
    return f"kafka://{kafka.plaintext}/{topic}?group={group}{more}"


@contextmanager
def process(folder: Path, source: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """`routestudio run` in a process of its own; it is ended with the block."""
    command = [sys.executable, "-m", "routestudio", "run", str(folder), "numbers",
               "--input", source, "--format", "json", *more]  # fmt: skip
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def members(kafka: KafkaServer, group: str) -> int:
    """Members of a consumer group that have partitions; none while that cannot be known."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": kafka.plaintext, "log_level": 0})
    try:
        described = admin.describe_consumer_groups([group])[group].result(10)
    except KafkaException:
        return 0  # a new broker has not loaded its groups yet
    return sum(1 for member in described.members if member.assignment.topic_partitions)


def until(condition: Any, what: str, seconds: float = 90, *, pause: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(pause)


async def test_a_topic_is_delivered_to_its_end_and_never_twice(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> None:
    topic = fill(kafka_server, 3000)
    await service.open(str(project(tmp_path / "p", redis_server)))
    source = address(kafka_server, topic, until="end")
    first = await service.run("numbers", input=source)
    assert (first["read"], first["delivered"]) == (3000, 3000)
    assert verdict(arrived(redis_server), 3000).good
    fill(kafka_server, 500, start=3000, topic=topic)
    again = await service.run("numbers", input=source)
    assert again["delivered"] == 500
    assert verdict(arrived(redis_server), 3500).good


async def test_a_drained_run_commits_and_another_goes_on(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> None:
    topic = fill(kafka_server, 20_000)
    await service.open(str(project(tmp_path / "p", redis_server)))
    source = address(kafka_server, topic)
    control = RunControl()

    def watch(progress: Any) -> None:
        if progress.delivered > 2000:
            control.drain(20)

    control.watch = watch
    first = await service.run("numbers", input=source, control=control)
    assert 2000 < first["delivered"] < 20_000
    assert first["read"] == first["delivered"]
    rest = await service.run("numbers", input=source + "&until=end")
    assert first["delivered"] + rest["delivered"] == 20_000
    assert verdict(arrived(redis_server), 20_000).good


async def test_records_that_are_no_messages_are_rejected_with_their_place(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> None:
    topic = fill(kafka_server, 10, partitions=1)
    kafka_server.send(topic, b"not json")
    kafka_server.send(topic, b"\xff\xfe", b"9")
    fill(kafka_server, 5, start=10, topic=topic)
    await service.open(str(project(tmp_path / "p", redis_server)))
    letters = tmp_path / "letters.jsonl"
    found = await service.run(
        "numbers", input=address(kafka_server, topic, until="end"), dead_letters=str(letters)
    )
    assert (found["read"], found["delivered"], found["rejected"]) == (17, 15, 2)
    text = letters.read_text()
    assert f"{topic}[0]@10: not JSON" in text
    assert f"{topic}[0]@11: the row is not text in UTF-8" in text


async def test_what_is_wrong_is_said_at_once(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path, service: EngineService
) -> None:
    await service.open(str(project(tmp_path / "p", redis_server)))
    with pytest.raises(UsageError, match="has no topic `nowhere"):
        await service.run("numbers", input=address(kafka_server, f"nowhere-{uuid.uuid4().hex}"))
    with pytest.raises(UsageError, match="a checkpoint file is for files"):
        await service.run("numbers", input=address(kafka_server, "t"),
                          checkpoint=str(tmp_path / "c"))  # fmt: skip
    async with asyncio.timeout(60):
        with pytest.raises(LinkError, match="cannot be read"):
            await service.run("numbers", input=f"kafka://127.0.0.1:{free_port()}/t?group=g")


@pytest.mark.e2e
def test_a_second_process_takes_partitions_over_and_gives_them_back(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    folder = project(tmp_path / "p", redis_server)
    count = 30_000
    topic = fill(kafka_server, count // 3)
    group = f"two-{uuid.uuid4().hex[:6]}"
    source = address(kafka_server, topic, group)
    with process(folder, source) as first:
        until(lambda: count_arrived(redis_server) > 1000, "the first process")
        with process(folder, source) as second:
            until(lambda: members(kafka_server, group) == 2, "the second process")
            fill(kafka_server, count - count // 3, start=count // 3, topic=topic)
            until(lambda: count_arrived(redis_server) > count // 2, "both processes")
            second.send_signal(signal.SIGTERM)
            _, err = second.communicate(timeout=300)
            assert second.returncode == 0, err
        until(lambda: count_arrived(redis_server) >= count, "the rest")
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=300)
        assert first.returncode == 0, err
        assert json.loads(out.splitlines()[-1])["delivered"] > 0
    found = verdict(arrived(redis_server), count)
    assert found.good, found


@pytest.mark.e2e
def test_workers_share_a_topic_by_groups_and_one_is_killed(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Order of each group, nothing lost, and no offset is committed before its message arrived."""
    folder = project(tmp_path / "p", redis_server)
    topic = fill(kafka_server, MESSAGES)
    where = places(kafka_server, topic, MESSAGES)
    group = f"workers-{uuid.uuid4().hex[:6]}"
    source = address(kafka_server, topic, group, until="end")
    begun = time.monotonic()
    with process(folder, source, "--workers", "2") as run:
        until(lambda: count_arrived(redis_server) > MESSAGES // 4, "the first quarter")
        at_kill = committed(kafka_server, topic, group)
        os.kill(workers_of(run.pid)[-1], signal.SIGKILL)
        while run.poll() is None:
            finished = committed(kafka_server, topic, group)
            there = set(arrived(redis_server))
            ahead = {n for n, (part, at) in where.items() if at < finished[part]} - there
            assert not ahead, "offsets are ahead of what arrived"
            time.sleep(0.1)
        out, err = run.communicate(timeout=60)
    seconds = time.monotonic() - begun
    assert run.returncode == 0, err
    summary = json.loads(out.splitlines()[-1])
    assert (summary["read"], summary["delivered"]) == (MESSAGES, MESSAGES)
    assert sum(committed(kafka_server, topic, group).values()) == MESSAGES
    numbers = arrived(redis_server)
    uncommitted = {n for n, (part, at) in where.items() if at >= at_kill[part]}
    found = verdict(numbers, MESSAGES, explained=uncommitted)
    print(f"\ntwo workers, one killed: {found}; {MESSAGES / seconds:,.0f} messages/s")
    assert found.good, found


@pytest.mark.e2e
def test_two_processes_share_a_topic_and_one_is_killed_half_way(
    kafka_server: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    folder = project(tmp_path / "p", redis_server)
    topic = fill(kafka_server, 1000)
    group = f"shared-{uuid.uuid4().hex[:6]}"
    source = address(kafka_server, topic, group, session="6")
    patience = 90 + MESSAGES / 1000
    begun = time.monotonic()
    with process(folder, source) as one, process(folder, source) as two:
        until(lambda: members(kafka_server, group) == 2, "two processes")
        fill(kafka_server, MESSAGES - 1000, start=1000, topic=topic)
        until(lambda: count_arrived(redis_server) > MESSAGES // 2, "the first half", patience)
        os.killpg(two.pid, signal.SIGKILL)
        two.wait()
        # What the killed process had not committed comes again, and nothing else: the living one
        # commits what it finishes before partitions change hands.
        at_kill = committed(kafka_server, topic, group)
        until(lambda: count_arrived(redis_server) >= MESSAGES, "the second half", patience)
        until(lambda: len(set(arrived(redis_server))) >= MESSAGES, "all", patience, pause=1.0)
        one.send_signal(signal.SIGTERM)
        _, err = one.communicate(timeout=300)
        assert one.returncode == 0, err
    seconds = time.monotonic() - begun
    numbers = arrived(redis_server)
    where = places(kafka_server, topic, MESSAGES)
    uncommitted = {n for n, (partition, offset) in where.items() if offset >= at_kill[partition]}
    found = verdict(numbers, MESSAGES, explained=uncommitted)
    doubled = len(numbers) - len(set(numbers))
    print(f"\ntwo processes, one killed: {found}; {doubled} delivered again after the kill, "
          f"{MESSAGES / seconds:,.0f} messages/s")  # fmt: skip
    assert found.good, found
    assert doubled <= 2 * MAX_MESSAGES, "more than one process takes in, and commits late"
