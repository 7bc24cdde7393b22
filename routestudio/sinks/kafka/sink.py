"""The Kafka sink: its form, routed fields and records.

Facts: docs/reference/services.md#kafka.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import SecretStr

from routestudio.model.cross_rules import CrossRule, RequiredWhen, RequiresAny
from routestudio.model.defaults import Template
from routestudio.model.fields import (
    Choice,
    Difference,
    Flag,
    Routed,
    Secret,
    Static,
    Text,
    Ui,
)
from routestudio.model.message import Message
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Partitioner,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.kafka.partition import java_client
from routestudio.sinks.kafka.phash2 import partition as phash2_partition
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_HOSTS_TEXT = "must be a comma-separated list of host:port pairs with valid ports (1-65535)"
_PASSWORD_MECHANISMS = ("plain", "scram_sha_256", "scram_sha_512")
_TOPIC: dict[str, Any] = {
    "pattern": r"[^\s]+",
    "pattern_text": "cannot contain whitespace",
    "advice_max": 249,
    "advice_pattern": r"[a-zA-Z0-9._-]+",
    "advice_text": "may be refused: Kafka topics hold letters, digits, `.`, `_` and `-` only",
}


def _check_hosts(value: str) -> str | None:
    for part in value.split(","):
        pieces = part.split(":")
        if len(pieces) != 2 or not re.fullmatch(r"\d{1,5}", pieces[1], re.ASCII):
            return _HOSTS_TEXT
        if not 1 <= int(pieces[1]) <= 65535:
            return _HOSTS_TEXT
    return None


@dataclass(slots=True, unsafe_hash=True)
class KafkaRecord:
    """One Kafka record: `key` is `None` for a message without group. Not to be changed."""

    # Not frozen: a frozen dataclass takes several times as long to make, per message.
    topic: str
    key: bytes | None
    value: bytes

    @property
    def size(self) -> int:
        """Bytes of key and value, and the 72 that a large record and its batch add."""
        return len(self.value) + len(self.key or b"") + 72

    def describe(self) -> dict[str, Any]:
        """The record as plain data."""
        return {
            "kind": "kafka record",
            "topic": self.topic,
            "key": self.key.decode() if self.key is not None else None,
            "value": self.value.decode(errors="replace"),
        }


def _stored(record: KafkaRecord) -> Stored:
    key = record.key.decode("utf-8", "surrogateescape") if record.key is not None else None
    return Stored(record.topic, key, record.value)


def _reader(config: Kafka.Config) -> Reader:
    from routestudio.sinks.kafka.read import KafkaReader
    from routestudio.sinks.kafka.settings import client_settings

    return KafkaReader(client_settings(config))


def _command(config: Any, record: KafkaRecord) -> ShellCommand:
    from routestudio.model.fields import RuleError
    from routestudio.sinks._shared.shell import ShellCommand

    if config.sasl_mechanism == "aws_msk_iam":
        raise RuleError("is for a cluster that is signed in to by IAM, which kcat cannot do")
    mechanism = {"plain": "PLAIN", "scram_sha_256": "SCRAM-SHA-256",
                 "scram_sha_512": "SCRAM-SHA-512"}.get(config.sasl_mechanism or "")  # fmt: skip
    protocol = ("SASL_" if mechanism else "") + ("SSL" if config.tls else "PLAINTEXT")
    words = ["kcat", "-P", "-b", config.hosts, "-t", record.topic, "-X", "acks=all",
             "-X", f"security.protocol={protocol}"]  # fmt: skip
    if mechanism:
        password = config.password.get_secret_value() if config.password else ""
        for name, value in (("mechanisms", mechanism), ("username", config.username or ""),
                            ("password", password)):  # fmt: skip
            words += ["-X", f"sasl.{name}={value}"]
    if config.compression != "none":
        words += ["-z", config.compression]
    if record.key is not None:
        words += ["-k", record.key.decode()]
    notes = ("kcat chooses the partition of a key itself, perhaps another one",)
    return ShellCommand(tuple(words), record.value, notes=notes)


class Kafka(Sink):
    """Publish each message as a record of a Kafka topic."""

    key = "kafka"
    title = "Kafka"
    icon = "kafka"
    batch = BatchLimits(messages=1000, default=200, size=900_000)
    keeps_order = True
    """A partition keeps the order of a producer, and a batch in which groups repeat is handed to
    one that sends nothing more after a refusal (`order`)."""
    batch_by = ("topic",)
    partition_by = "message_key"
    partitioners: ClassVar[Mapping[str, Partitioner]] = {
        "server": phash2_partition,
        "Java client": java_client,
    }
    standin = "kafka"
    tool = "kcat"
    write_always = ("compression",)
    max_record = 1_048_588
    differences = (
        Difference(
            "KAF-01",
            "The starter uses the default topic `sequin.<schema>.<table>`. A Sequin server's own "
            "starter puts the database in front of it.",
            "topic",
        ),
        Difference(
            "KAF-02",
            "The message key defaults to the group id, also when groups are customised. A Sequin "
            "server's starter joins the primary keys itself.",
            "message_key",
        ),
        Difference(
            "KAF-06",
            "The check proves the topic, the right to write to it, that its leaders can be reached "
            "and that it takes the keys and sizes of the samples. A Sequin server checks that "
            "every host answers, and not the topic.",
        ),
        Difference(
            "GEN-30",
            "TLS certificates are verified, by the system's authorities or those in the file that "
            "SSL_CERT_FILE names. A Sequin server does not verify them.",
            "tls",
        ),
        Difference(
            "KAF-10",
            "Topics are never created. A Sequin server's metadata request may create an unknown "
            "topic where the cluster allows it.",
            "topic",
        ),
    )

    read_back = ReadBack(
        "The last records of the topic, of all partitions. No consumer group is joined and no "
        "offset is committed. The user needs the right READ on the topic.",
        _reader,
        _stored,
    )

    class Config(SinkConfig):
        """Where the cluster is and how to sign in."""

        hosts: Annotated[
            str,
            Text(check=_check_hosts),
            Ui(
                "Bootstrap servers",
                "Brokers to start from, as host:port, separated by commas.",
                example="localhost:9092",
                card=True,
                wide=True,
            ),
        ]
        tls: Annotated[
            bool,
            Flag(),
            Ui("TLS", "Encrypt the connection and verify the certificate.", card=True),
        ] = False
        compression: Annotated[
            str,
            Choice(("none", "gzip", "snappy", "lz4", "zstd")),
            Ui("Compression", "How batches are compressed.", card=True),
        ] = "none"
        sasl_mechanism: Annotated[
            str | None,
            Choice(
                (*_PASSWORD_MECHANISMS, "aws_msk_iam"),
                ("Plain", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS MSK IAM"),
            ),
            Ui("SASL mechanism", "Authentication method; empty for none.", "Authentication"),
        ] = None
        username: Annotated[
            str | None,
            Text(max=512),
            Ui(
                "Username",
                "User name for SASL.",
                "Authentication",
                "orders-writer",
                ("sasl_mechanism", _PASSWORD_MECHANISMS),
            ),
        ] = None
        password: Annotated[
            SecretStr | None,
            Secret(),
            Ui(
                "Password",
                "Stored outside the project file.",
                "Authentication",
                visible_when=("sasl_mechanism", _PASSWORD_MECHANISMS),
            ),
        ] = None
        aws_region: Annotated[
            str | None,
            Text(pattern=r"[a-z]{2}(-[a-z]+)+-\d", pattern_text="must be a region like eu-west-1"),
            Ui(
                "AWS region",
                "Region of the MSK cluster.",
                "Authentication",
                "eu-west-1",
                ("sasl_mechanism", ("aws_msk_iam",)),
            ),
        ] = None
        aws_access_key_id: Annotated[
            str | None,
            Text(max=128),
            Ui(
                "Access key id",
                "Id of the AWS access key.",
                "Authentication",
                "AKIAIOSFODNN7EXAMPLE",
                ("sasl_mechanism", ("aws_msk_iam",)),
            ),
        ] = None
        aws_secret_access_key: Annotated[
            SecretStr | None,
            Secret(),
            Ui(
                "Secret access key",
                "Stored outside the project file.",
                "Authentication",
                visible_when=("sasl_mechanism", ("aws_msk_iam",)),
            ),
        ] = None

        create_topics: ClassVar[bool] = False
        rules: ClassVar[tuple[CrossRule, ...]] = (
            RequiresAny(
                "sasl_mechanism",
                ("username", "password"),
                "must be set when SASL credentials are provided",
            ),
            RequiredWhen(
                "sasl_mechanism",
                _PASSWORD_MECHANISMS,
                ("username", "password"),
                "is required when SASL Mechanism is {value}",
            ),
            RequiredWhen(
                "sasl_mechanism",
                ("aws_msk_iam",),
                ("aws_region", "aws_access_key_id", "aws_secret_access_key"),
                "is required when SASL Mechanism is {value}",
            ),
            RequiredWhen(
                "sasl_mechanism",
                ("aws_msk_iam",),
                ("tls",),
                "is required when SASL Mechanism is aws_msk_iam",
                value=True,
            ),
        )

    class Routing(SinkRouting):
        """What may differ per message."""

        topic: Annotated[
            str,
            Text(max=512, **_TOPIC),
            Routed(
                "Topic to publish to.",
                Template("sequin.{table_schema}.{table_name}"),
                Static.REQUIRED,
                static_rule=Text(max=255, **_TOPIC),
                required=True,
                example="orders.eu",
                note="Kafka takes at most 249 characters.",
            ),
        ]
        message_key: Annotated[
            str | None,
            Text(
                max=512,
                pattern=r"[^\s]+",
                pattern_text="cannot contain whitespace",
                any_default=True,
            ),
            Routed(
                "Key of the record; records with equal keys share a partition and keep their "
                "order.",
                Template("{group_id}"),
                null_is_default=True,
                example="1001",
                note="A message without group id has no key and goes to any partition.",
            ),
        ] = None

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> KafkaRecord:
        """The record: its value is always JSON; a delete is never a tombstone (KAF-03)."""
        key = routing.message_key
        return KafkaRecord(routing.topic, key.encode() if key else None, payload.json)

    command = staticmethod(_command)

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over librdkafka."""
        from routestudio.sinks.kafka.link import KafkaLink

        return KafkaLink(config)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Any:
        """The stand-in: no TLS, no credentials, and topics made as they are used."""
        return _StandinConfig(
            hosts=f"{address.host}:{address.port}", compression=config.compression
        )


class _StandinConfig(Kafka.Config):
    """A stand-in has no operator who would create topics."""

    create_topics: ClassVar[bool] = True
