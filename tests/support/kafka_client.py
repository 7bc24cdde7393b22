"""Kafka through kafka-python, which shares no code with the client that RouteStudio delivers with.

It is written in Python and speaks the protocol by itself; RouteStudio's client is librdkafka.
"""

from __future__ import annotations

import functools
import gc
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from tests.support.certificates import Authority

TIMEOUT_MS = 30_000
BOOTSTRAP_MS = 2_000

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class KafkaRecord:
    """One record as a consumer got it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: float = 0.0
    """When it was sent, in seconds since 1970."""


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


def _library() -> Any:
    import kafka
    import kafka.admin

    return kafka


def _translated(function: Callable[P, R]) -> Callable[P, R]:
    """Let `function` raise `KafkaRefusal` only; that kafka-python calls old names is its matter."""

    @functools.wraps(function)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            library = _library()
            try:
                return function(*arguments, **named)
            except library.errors.KafkaError as error:
                raise KafkaRefusal(type(error).__name__, str(error)) from None
            finally:
                # Now and then it forgets to close a connection that it was still making.
                gc.collect(1)

    return translated


@contextmanager
def _opened(kind: Any, address: str, **settings: Any) -> Iterator[Any]:
    """Open a client of class `kind` and close it, also when its start fails.

    The library leaves the sockets of a client that cannot start open, hence the factory.
    """
    made: list[Any] = []
    usual = kind.DEFAULT_CONFIG["kafka_client"]

    def make(**options: Any) -> Any:
        made.append(usual(**options))
        return made[-1]

    try:
        client = kind(bootstrap_servers=address, kafka_client=make, **settings)
    except BaseException:
        for each in made:
            each.close()
        raise
    with closing(client):
        yield client


@contextmanager
def _admin(address: str) -> Iterator[tuple[Any, Any]]:
    library = _library()
    with _opened(library.KafkaAdminClient, address) as admin:
        yield library, admin


def answers(address: str) -> bool:
    """Tell whether a broker answers a metadata request. Raises `OSError` when nobody listens."""
    host, port = address.split(":")
    socket.create_connection((host, int(port)), 1).close()
    try:
        return _brokers(address) > 0
    except KafkaRefusal:
        return False


@_translated
def _brokers(address: str) -> int:
    with _admin(address) as (_, admin):
        # Each broker answers once. kafka-python 3.0's `describe_cluster` fails before Kafka 3.7.
        return len(admin.describe_log_dirs({}))


@_translated
def topics(address: str) -> set[str]:
    """Return the names of all topics."""
    with _admin(address) as (_, admin):
        return {str(name) for name in admin.list_topics()}


@_translated
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


@_translated
def delete_topic(address: str, name: str) -> None:
    """Delete a topic."""
    with _admin(address) as (_, admin):
        admin.delete_topics([name])


@_translated
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


@_translated
def allow_writes(address: str, user: str, prefix: str, allowed: bool) -> None:
    """Take the right to write to topics that start with `prefix` away from a user, or back."""
    with _admin(address) as (library, admin):
        rules = library.admin
        pattern = rules.ResourcePattern(
            rules.ResourceType.TOPIC, prefix, rules.ACLResourcePatternType.PREFIXED
        )
        rule = rules.ACL(f"User:{user}", "*", rules.ACLOperation.WRITE,
                         rules.ACLPermissionType.DENY, pattern)  # fmt: skip
        if allowed:
            admin.delete_acls([rule])
        else:
            assert not admin.create_acls([rule])["failed"]


@_translated
def grant_writes(address: str, user: str, topic: str, allowed: bool) -> None:
    """Grant the right to write to one topic to a user who has none, or take it away."""
    with _admin(address) as (library, admin):
        rules = library.admin
        pattern = rules.ResourcePattern(rules.ResourceType.TOPIC, topic)
        rule = rules.ACL(f"User:{user}", "*", rules.ACLOperation.WRITE,
                         rules.ACLPermissionType.ALLOW, pattern)  # fmt: skip
        if allowed:
            assert not admin.create_acls([rule])["failed"]
        else:
            admin.delete_acls([rule])


@_translated
def read(address: str, names: Sequence[str]) -> list[KafkaRecord]:
    """Return every record of the topics, by topic, partition and offset, without a group."""
    found: list[KafkaRecord] = []
    library = _library()
    with _opened(
        library.KafkaConsumer,
        address,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
    ) as consumer:
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
    return KafkaRecord(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers,
                       raw.timestamp / 1000)  # fmt: skip


@_translated
def send(address: str, topic: str, key: bytes | None, value: bytes, sign_in: SignIn | None) -> None:
    """Write one record and wait for the broker's word. Raises `KafkaRefusal`."""
    options = sign_in.options() if sign_in else {}
    library = _library()
    with _opened(
        library.KafkaProducer,
        address,
        allow_auto_create_topics=False,
        retries=0,
        max_block_ms=BOOTSTRAP_MS,
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        **options,
    ) as producer:
        producer.send(topic, value=value, key=key).get(timeout=TIMEOUT_MS / 1000)
