"""A real Apache Kafka broker (KRaft, one node) with every kind of listener and access rules.

`packaging/test` puts the broker's jars into `.cache/kafka`; settings are those of the Apache Kafka
documentation, sections "Broker Configs", "Security" and "KRaft".
"""

from __future__ import annotations

import base64
import os
import subprocess
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support import kafka_client
from tests.support.certificates import Authority
from tests.support.kafka_client import KafkaRecord, SignIn
from tests.support.ports import LOOPBACK, free_ports
from tests.support.process import Child
from tests.support.require import missing, program

JARS = Path(__file__).parents[2] / ".cache" / "kafka"
READY = 30.0
JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Xshare:auto")
PASSWORDS = {"admin": "admin-pass", "writer": "writer-pass", "reader": "reader-pass"}
DENIED = "denied"
"""Prefix of the topics that the user `writer` sees but may not write to."""


@dataclass(frozen=True)
class KafkaServer:
    """A running broker. Addresses are `host:port`, ready for a client's bootstrap servers.

    On `plaintext` and `ssl` everybody may do everything; on the `sasl_*` listeners (PLAIN,
    SCRAM-SHA-256, SCRAM-SHA-512) `admin` may do everything, `writer` may describe and write every
    topic but those that start with `denied`, `reader` may describe and read and not write.
    `passwords` holds the passwords. Topics are not created by use, unless `auto_create`.
    """

    plaintext: str
    ssl: str
    sasl_plaintext: str
    sasl_ssl: str
    authority: Authority
    auto_create: bool
    passwords: dict[str, str]
    child: Child | None = None

    def create_topic(
        self, name: str, partitions: int = 1, settings: dict[str, str] | None = None
    ) -> str:
        """Create a topic, wait until it can be written, and return its name."""
        return kafka_client.create_topic(self.plaintext, name, partitions, settings)

    def delete_topic(self, name: str) -> None:
        """Delete a topic."""
        kafka_client.delete_topic(self.plaintext, name)

    def topics(self) -> set[str]:
        """Return the names of all topics."""
        return kafka_client.topics(self.plaintext)

    def read(self, *topics: str) -> list[KafkaRecord]:
        """Return every record of the topics, by topic, partition and offset."""
        return kafka_client.read(self.plaintext, topics)

    def send(
        self, topic: str, value: bytes, key: bytes | None = None, *, sign_in: SignIn | None = None
    ) -> None:
        """Write one record with the independent client, through the listener of `sign_in`.

        Raises `KafkaRefusal` when the broker refuses.
        """
        address = self.plaintext
        if sign_in is not None:
            tls, sasl = sign_in.authority is not None, sign_in.mechanism is not None
            address = (self.sasl_ssl if tls else self.sasl_plaintext) if sasl else self.ssl
        kafka_client.send(address, topic, key, value, sign_in)

    def consumed(self, topic: str, count: int) -> list[str]:
        """So many records of a topic, as Kafka's own console consumer prints them: key, tab, value.

        It knows every codec; the independent client does not.
        """
        jars = _jars()
        older = "kafka.tools.ConsoleConsumer"
        newer = "org.apache.kafka.tools.consumer.ConsoleConsumer"
        tools = next(iter(jars.glob("kafka-tools-[0-9]*.jar")), None) or missing("kafka-tools")
        with zipfile.ZipFile(tools) as archive:
            known = f"{newer.replace('.', '/')}.class" in archive.namelist()
        command = [program("java"), *JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                   f"{jars}/*", newer if known else older, "--bootstrap-server", self.plaintext,
                   "--topic", topic, "--from-beginning", "--max-messages", str(count),
                   "--timeout-ms", "30000", "--property", "print.key=true"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        # Newer ones first print there that `--property` has another name now.
        return [line for line in done.stdout.splitlines() if "\t" in line]

    def sign_in(self, user: str, mechanism: str = "PLAIN", *, tls: bool = False) -> SignIn:
        """Return the right credentials of a user."""
        return SignIn(mechanism, user, self.passwords[user], self.authority if tls else None)


@contextmanager
def start_kafka(
    folder: Path,
    authority: Authority,
    *,
    auto_create: bool = False,
    advertised: Mapping[str, int] | None = None,
) -> Iterator[KafkaServer]:
    """Run a broker on free ports, with its data in `folder`, until the block ends.

    Clients of the listeners named in `advertised` are sent to that port, as to a proxy's.
    """
    java = program("java")
    jars = _jars()
    folder.mkdir(parents=True, exist_ok=True)
    controller, plaintext, tls, sasl, sasl_tls = free_ports(5)
    settings = folder / "server.properties"
    ports = {"PLAINTEXT": plaintext, "SSL": tls, "SASL_PLAINTEXT": sasl, "SASL_SSL": sasl_tls}
    shown = {**ports, **(advertised or {})}
    settings.write_text(_settings(folder, controller, ports, shown, authority, auto_create))
    command = [java, *JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars}/*"]
    _format(command, settings, folder / "format.log")
    address = {name: f"{LOOPBACK}:{port}" for name, port in ports.items()}
    server = KafkaServer(
        address["PLAINTEXT"],
        address["SSL"],
        address["SASL_PLAINTEXT"],
        address["SASL_SSL"],
        authority,
        auto_create,
        dict(PASSWORDS),
    )
    with Child([*command, "kafka.Kafka", str(settings)], folder / "kafka.log") as child:
        server = replace(server, child=child)
        child.wait_ready(lambda: kafka_client.answers(server.plaintext), READY)
        kafka_client.allow_users(server.plaintext, "writer", "reader", DENIED)
        yield server
        child.stop(grace=1.0)


def _jars() -> Path:
    jars = Path(os.environ.get("ROUTESTUDIO_KAFKA_JARS", JARS))
    if not list(jars.glob("kafka_*.jar")):
        missing("Apache Kafka")
    return jars


def _settings(
    folder: Path,
    controller: int,
    ports: Mapping[str, int],
    shown: Mapping[str, int],
    authority: Authority,
    auto_create: bool,
) -> str:
    chain, key = authority.server_files("kafka")
    keystore = folder / "server.pem"
    keystore.write_bytes(key.read_bytes() + chain.read_bytes())
    keystore.chmod(0o600)
    listeners = ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
    advertised = ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in shown.items())
    users = " ".join(f'user_{name}="{word}"' for name, word in PASSWORDS.items())
    modules = "org.apache.kafka.common.security"
    values = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"CONTROLLER://{LOOPBACK}:{controller},{listeners}",
        "advertised.listeners": advertised,
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,"
        + ",".join(f"{name}:{name}" for name in ports),
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": str(auto_create).lower(),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.backoff.ms": "500",
        "log.cleaner.dedupe.buffer.size": "4194304",
        # A broker that was killed may come back soon.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "connection.failed.authentication.delay.ms": "100",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",
    }
    if authority.clients:
        values |= {"ssl.client.auth": "required", "ssl.truststore.type": "PEM",
                   "ssl.truststore.location": str(authority.file),
                   "ssl.principal.mapping.rules": "RULE:^.*$/client/",
                   "super.users": "User:admin;User:ANONYMOUS;User:client"}  # fmt: skip
    for listener in ("sasl_plaintext", "sasl_ssl"):
        start = f"listener.name.{listener}"
        values[f"{start}.plain.sasl.jaas.config"] = (
            f"{modules}.plain.PlainLoginModule required {users};"
        )
        for scram in ("scram-sha-256", "scram-sha-512"):
            values[f"{start}.{scram}.sasl.jaas.config"] = (
                f"{modules}.scram.ScramLoginModule required;"
            )
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _format(command: list[str], settings: Path, log: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ["kafka.tools.StorageTool", "format", "-t", f"k{cluster[1:]}", "-c", str(settings)]
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        for name, word in PASSWORDS.items():
            arguments += ["--add-scram", f"{mechanism}=[name={name},password={word}]"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(f"the broker's storage cannot be formatted:\n{log.read_text()}")
