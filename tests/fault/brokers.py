"""Redis, Kafka, NATS and RabbitMQ for the fault tests, each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from routestudio.sinks._shared.redis import node
from routestudio.sinks.kafka import link as kafka_link
from routestudio.sinks.nats import link as nats_link
from routestudio.sinks.rabbitmq import link as rabbitmq_link
from tests.fault.service import (
    Sequences,
    Service,
    Tools,
    by_module,
    key_of,
    place_names,
)
from tests.support.certificates import Authority
from tests.support.kafka_client import allow_writes, answers, read
from tests.support.kafka_server import start_kafka
from tests.support.nats_server import start_nats
from tests.support.oracle import number_in
from tests.support.ports import LOOPBACK
from tests.support.rabbitmq_server import PASSWORD, VHOST, start_rabbitmq
from tests.support.redis_server import start_redis

# --- Redis ------------------------------------------------------------------------------------


def redis_service(tools: Tools, key: str) -> Service:
    server = tools.stack.enter_context(start_redis(tools.folder, keep=True))
    proxy = tools.proxied(server.port)
    streams = place_names()

    def entries() -> Sequences:
        found = {}
        for name in streams:
            items = server.command("XRANGE", name, "-", "+")
            assert isinstance(items, list)
            found[name] = [number_in(repr_of(item)) for item in items]
        return found

    def begin() -> None:
        server.command("CONFIG", "SET", "maxmemory", 0)
        server.flush()

    def info() -> bytes:
        return cast(bytes, server.command("INFO", "persistence"))

    def log() -> Sequences:
        # While the disk is slow, Redis writes a little later what it has answered for.
        while b"\r\naof_buffer_length:0\r\n" not in info():
            time.sleep(0.05)
        words = written(tools.folder / "appendonlydir")
        start = max((n for n, each in enumerate(words) if each[0] == b"FLUSHALL"), default=-1)
        return {"log": [number_in(each[2].decode()) for each in words[start + 1 :]
                        if each[0] == b"SET"]}  # fmt: skip

    def states() -> dict[str, int]:
        found = server.contents()
        return {key.decode(): number_in(value.decode()) for key, value in found.items()}

    return Service(
        key, proxy, {"host": LOOPBACK, "port": proxy.port},
        (lambda place, message: {"stream_key": streams[place]}) if key == "redis_stream"
        else (lambda place, message: {"key": f"{place}/{key_of(message)}"}),
        begin, entries if key == "redis_stream" else log,
        refuse=lambda on: void(server.command("CONFIG", "SET", "maxmemory", 1 if on else 0)),
        child=server.child, ready=lambda: server.command("PING") == b"PONG",
        states=None if key == "redis_stream" else states, deadline=by_module(node),
        notes={"refused": "its memory is full again and again"},
    )  # fmt: skip


def repr_of(item: Any) -> str:
    """A stream entry as one text."""
    return " ".join(part.decode() for part in item[1])


def written(folder: Path) -> list[list[bytes]]:
    """The commands in Redis' append-only file, in order."""
    found: list[list[bytes]] = []
    for path in sorted(folder.glob("*.incr.aof"), key=lambda p: int(p.name.split(".")[-3])):
        data, place = path.read_bytes(), 0
        while (end := data.find(b"\r\n", place)) >= 0:
            count, place, words = int(data[place + 1 : end]), end + 2, []
            for _ in range(count):
                end = data.index(b"\r\n", place)
                size = int(data[place + 1 : end])
                words.append(data[end + 2 : end + 2 + size])
                place = end + 4 + size
            found.append(words)
    return found


def void(value: object) -> None:
    """Nothing."""


# --- brokers ----------------------------------------------------------------------------------


def kafka(tools: Tools) -> Service:
    from tests.support.ports import free_port

    authority: Authority = tools.fixture("ca")
    proxy = tools.proxied(free_port())
    port = {"SASL_PLAINTEXT": proxy.port}
    server = tools.stack.enter_context(start_kafka(tools.folder, authority, advertised=port))
    proxy.target = int(server.sasl_plaintext.partition(":")[2])
    run = 0

    def names() -> list[str]:
        return place_names(f"run{run}")

    def begin() -> None:
        nonlocal run
        run += 1
        for name in names():
            server.create_topic(name, 2)

    def arrived() -> Sequences:
        found: dict[str, list[int]] = {}
        for item in read(server.plaintext, names()):
            sequence = found.setdefault(f"{item.topic}/{item.partition}", [])
            sequence.append(number_in((item.value or b"").decode()))
        return found

    def deadline(link: Any, put: Callable[[Any, str, Any], None]) -> None:
        usual = kafka_link.producer_settings  # type: ignore[attr-defined]
        put(kafka_link, "producer_settings", lambda config: {
            **usual(config), "socket.timeout.ms": 400, "request.timeout.ms": 400,
            "socket.connection.setup.timeout.ms": 1000, "message.timeout.ms": 20_000})  # fmt: skip

    return Service(
        "kafka", proxy,
        {"hosts": f"{LOOPBACK}:{proxy.port}", "sasl_mechanism": "plain", "username": "writer",
         "password": server.passwords["writer"]},
        lambda place, message: {"topic": names()[place]}, begin, arrived,
        refuse=lambda on: allow_writes(server.plaintext, "writer", f"run{run}", not on),
        child=server.child, ready=lambda: answers(server.plaintext), deadline=deadline,
        notes={"refused": "the right to write is taken away"},
    )  # fmt: skip


def nats(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_nats(tools.folder))
    proxy = tools.proxied(server.port)

    def begin() -> None:
        nonlocal room
        room = 0
        server.reset()
        # Without a window for repeats, a message that is sent twice is stored twice.
        server.create_stream("ALL", "place.>", storage="file", duplicate_window=100_000_000)

    def arrived() -> Sequences:
        return {"ALL": [number_in(item.body.decode()) for item in server.stored("ALL")]}

    def ready() -> bool:
        with server.wire() as wire:
            return "error" not in wire.ask("$JS.API.STREAM.INFO.ALL")

    room = 0

    def refuse(on: bool) -> None:
        nonlocal room
        if on and not room:
            room = 60
            server.update_stream("ALL", max_msgs=room, discard="new")
        elif not on:
            room += 100
            server.update_stream("ALL", max_msgs=room)

    return Service(
        "nats", proxy, {"host": LOOPBACK, "port": proxy.port},
        lambda place, message: {"subject": f"place.{place}"}, begin, arrived, refuse=refuse,
        child=server.child, ready=ready, deadline=by_module(nats_link),
        notes={"refused": "its stream is full again and again"},
    )  # fmt: skip


def rabbitmq(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_rabbitmq(tools.folder))
    proxy = tools.proxied(server.port)
    early: dict[str, list[int]] = {}

    def begin() -> None:
        server.reset()
        early.clear()
        for name in place_names():
            server.exchange(name, "fanout", durable=True)
            full = {"x_max_length": 60, "x_overflow": "reject-publish"}
            server.queue(name, (name, ""), **(full if service.fault == "refused" else {}))

    def arrived() -> Sequences:
        for name in place_names():
            early.setdefault(name, []).extend(
                number_in(item.body.decode()) for item in server.drain(name)
            )
        return early

    service = Service(
        "rabbitmq", proxy,
        {"host": LOOPBACK, "port": proxy.port, "virtual_host": VHOST, "username": "orders",
         "password": PASSWORD},
        lambda place, message: {"exchange": place_names()[place]}, begin, arrived,
        refuse=lambda on: None if on else void(arrived()),
        child=server.process, ready=lambda: _signs_in(server), deadline=by_module(rabbitmq_link),
        notes={"refused": "its queues are full until they are read"},
    )  # fmt: skip
    return service


def _signs_in(server: Any) -> bool:
    import pika.exceptions

    try:
        with server.channel():
            return True
    except pika.exceptions.AMQPError:
        return False
