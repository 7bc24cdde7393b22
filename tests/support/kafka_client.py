"""Kafka through kafka-python, which shares no code with the client that RouteStudio delivers with.

It is written in Python and speaks the protocol by itself; RouteStudio's client is librdkafka.
"""

from __future__ import annotations

import gc
import socket
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.certificates import Authority

TIMEOUT_MS = 10_000
BOOTSTRAP_MS = 2_000


@dataclass(frozen=True)
class KafkaRecord:
    """One record as a consumer got it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class SignIn:
    """How to reach a listener: SASL with a mechanism or without, TLS with an authority."""

    mechanism: str | None = None
    username: str | None = None
    password: str | None = None
    authority: Authority | None = None

    def options(self) -> dict[str, Any]:
        """Return kafka-python's settings."""
        protocol = ("SASL_" if self.mechanism else "") + ("SSL" if self.authority else "PLAINTEXT")
        options: dict[str, Any] = {"security_protocol": protocol}
        if self.mechanism:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.authority:
            options["ssl_cafile"] = str(self.authority.file)
        return options


class KafkaRefusal(RuntimeError):  # noqa: N818 - the broker's word, often the expected one
    """What kafka-python raised: `error` is the class's name, as `TopicAuthorizationFailedError`."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error


@contextmanager
def _library() -> Iterator[Any]:
    """Import kafka-python and translate its errors. That it uses deprecated calls is its matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import kafka
        import kafka.admin

        refused = None
        try:
            yield kafka
        except kafka.errors.KafkaError as error:
            refused = KafkaRefusal(type(error).__name__, str(error))
        if refused is not None:
            # A client whose start failed leaves its sockets to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
            raise refused


@contextmanager
def _admin(address: str) -> Iterator[tuple[Any, Any]]:
    with (
        _library() as library,
        closing(library.KafkaAdminClient(bootstrap_servers=address)) as admin,
    ):
        yield library, admin


def answers(address: str) -> bool:
    """Tell whether a broker answers a metadata request. Raises `OSError` when nobody listens."""
    host, port = address.split(":")
    socket.create_connection((host, int(port)), 1).close()
    try:
        with _admin(address) as (_, admin):
            return bool(admin.describe_cluster()["brokers"])
    except KafkaRefusal:
        return False


def topics(address: str) -> set[str]:
    """Return the names of all topics."""
    with _admin(address) as (_, admin):
        return {str(name) for name in admin.list_topics()}


def create_topic(address: str, name: str, partitions: int, settings: dict[str, str] | None) -> str:
    """Create a topic with one replica and wait until its partitions have a leader."""
    with _admin(address) as (library, admin):
        wanted = library.admin.NewTopic(name, partitions, 1, topic_configs=settings or {})
        admin.create_topics([wanted])
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while not _led(admin, name, partitions):
            assert time.monotonic() < deadline, f"topic {name} has no leader"
            time.sleep(0.02)
    return name


def _led(admin: Any, name: str, partitions: int) -> bool:
    found = admin.describe_topics([name])[0]["partitions"]
    return len(found) == partitions and all(each["leader_id"] >= 0 for each in found)


def delete_topic(address: str, name: str) -> None:
    """Delete a topic."""
    with _admin(address) as (_, admin):
        admin.delete_topics([name])


def allow_users(address: str, writer: str, reader: str, denied_prefix: str) -> None:
    """Add the access rules that `KafkaServer` documents."""
    with _admin(address) as (library, admin):
        rules = library.admin
        operation, permission = rules.ACLOperation, rules.ACLPermissionType
        every = rules.ResourcePattern(rules.ResourceType.TOPIC, "*")
        denied = rules.ResourcePattern(
            rules.ResourceType.TOPIC, denied_prefix, rules.ACLResourcePatternType.PREFIXED
        )

        def rule(user: str, action: Any, pattern: Any, allowed: bool = True) -> Any:
            verdict = permission.ALLOW if allowed else permission.DENY
            return rules.ACL(f"User:{user}", "*", action, verdict, pattern)

        done = admin.create_acls(
            [
                rule(writer, operation.DESCRIBE, every),
                rule(writer, operation.WRITE, every),
                rule(writer, operation.WRITE, denied, allowed=False),
                rule(reader, operation.DESCRIBE, every),
                rule(reader, operation.READ, every),
            ]
        )
        assert not done["failed"], done["failed"]


def read(address: str, names: Sequence[str]) -> list[KafkaRecord]:
    """Return every record of the topics, by topic, partition and offset, without a group."""
    found: list[KafkaRecord] = []
    with (
        _library() as library,
        closing(
            library.KafkaConsumer(
                bootstrap_servers=address,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
            )
        ) as consumer,
    ):
        partitions = [
            library.TopicPartition(name, number)
            for name in names
            for number in sorted(consumer.partitions_for_topic(name) or ())
        ]
        ends = consumer.end_offsets(partitions) if partitions else {}
        consumer.assign(partitions)
        deadline = time.monotonic() + 3 * TIMEOUT_MS / 1000
        while any(consumer.position(each) < ends[each] for each in partitions):
            assert time.monotonic() < deadline, "the records do not come"
            for records in consumer.poll(500).values():
                found += [_record(each) for each in records]
    return sorted(found, key=lambda each: (names.index(each.topic), each.partition, each.offset))


def _record(raw: Any) -> KafkaRecord:
    headers = tuple((str(name), value) for name, value in raw.headers)
    return KafkaRecord(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers)


def send(address: str, topic: str, key: bytes | None, value: bytes, sign_in: SignIn | None) -> None:
    """Write one record and wait for the broker's word. Raises `KafkaRefusal`."""
    options = sign_in.options() if sign_in else {}
    with (
        _library() as library,
        closing(
            library.KafkaProducer(
                bootstrap_servers=address,
                allow_auto_create_topics=False,
                retries=0,
                max_block_ms=BOOTSTRAP_MS,
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                **options,
            )
        ) as producer,
    ):
        producer.send(topic, value=value, key=key).get(timeout=TIMEOUT_MS / 1000)
