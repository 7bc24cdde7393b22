"""Settings and errors of librdkafka: from a sink's configuration, and to outcomes and sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import Outcome, rejected, retry, unreachable
from routestudio.sinks._shared.tls import librdkafka
from routestudio.sinks.kafka.refused import REFUSED_TOGETHER

if TYPE_CHECKING:
    from routestudio.sinks.kafka.sink import Kafka

_MECHANISMS: Final = {
    "plain": "PLAIN",
    "scram_sha_256": "SCRAM-SHA-256",
    "scram_sha_512": "SCRAM-SHA-512",
    "aws_msk_iam": "OAUTHBEARER",
}

NO_RIGHT: Final = (
    "this user may not write (CLUSTER_AUTHORIZATION_FAILED): grant the operation WRITE on the "
    "topics, or IDEMPOTENT_WRITE on the cluster"
)

_REJECTED: Final[Mapping[str, str]] = {
    "MSG_SIZE_TOO_LARGE": "the record is larger than the topic takes (max.message.bytes)",
    "INVALID_MSG_SIZE": "the record has a size that the broker refuses",
    "INVALID_MSG": "the broker finds the record corrupt",
    "INVALID_RECORD": "the broker refuses the record: usually because the topic is compacted "
    "(cleanup.policy) and the record has no key, or because its time is outside of what the topic "
    "takes (message.timestamp.*)",
    "TOPIC_EXCEPTION": "the broker refuses this topic name",
    "INVALID_TIMESTAMP": "the record's time is outside of what the topic takes",
    "_BAD_MSG": "the record cannot be sent",
    "_INVALID_ARG": "the record has an invalid part",
}

_OF_A_BATCH: Final = frozenset(
    {
        "MSG_SIZE_TOO_LARGE", "INVALID_MSG_SIZE", "INVALID_MSG", "INVALID_RECORD",
        "INVALID_TIMESTAMP", "_INVALID_DIFFERENT_RECORD",
    }
)  # fmt: skip
"""Refusals of a whole batch, for which one record of it may be to blame."""

BATCH_BYTES: Final = 1_000_000
LARGEST_RECORD: Final = 64 << 20
"""Largest record that is sent; what a topic takes is up to the broker."""

ALONE: Final[Mapping[str, Any]] = {
    "batch.num.messages": 1,
    "linger.ms": 0,
    "max.in.flight.requests.per.connection": 1,
    "message.max.bytes": LARGEST_RECORD + 1024,
    "batch.size": LARGEST_RECORD + 1024,
}
"""Settings of the producer that sends each record in its own batch."""

STOPPING: Final[Mapping[str, Any]] = {"enable.gapless.guarantee": True, "message.timeout.ms": 0}
"""Settings of the producer that sends nothing more once a record was refused.

A record that only waited too long would be passed by the next one, so the producer as a whole is
given up instead (`producer`).
"""

_RETRY: Final[Mapping[str, str]] = {
    "UNKNOWN_TOPIC_OR_PART": "the topic does not exist",
    "_UNKNOWN_TOPIC": "the topic does not exist",
    "_UNKNOWN_PARTITION": "the partition does not exist any more",
    "TOPIC_AUTHORIZATION_FAILED": "this user may not write to the topic "
    "(TOPIC_AUTHORIZATION_FAILED): grant the operation WRITE on it",
    "CLUSTER_AUTHORIZATION_FAILED": NO_RIGHT,
    "_AUTHENTICATION": "the broker refuses the credentials",
    "_ALL_BROKERS_DOWN": "no broker can be reached",
    "_TRANSPORT": "the connection to the broker was lost",
    "_TIMED_OUT": "no broker answered in time",
    "_PURGE_QUEUE": "the delivery was stopped",
}

_NO_CONNECTION: Final = frozenset(
    {"_all_brokers_down", "_transport", "_timed_out", "_authentication", "_ssl"}
)

_UNKNOWN: Final = frozenset(
    {
        "_MSG_TIMED_OUT", "_PURGE_INFLIGHT", "REQUEST_TIMED_OUT", "OUT_OF_ORDER_SEQUENCE_NUMBER",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    }
)  # fmt: skip
"""Errors after which the record may have been written although nobody confirmed it."""


_HOPELESS: Final = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_SSL"})
_BROKER: Final = re.compile(r"(?:\w+://)?([^/\s]+:\d+)/(?:\d+|bootstrap): (.*)", re.DOTALL)
_REASON: Final = re.compile(r"Connect to \S+ failed: |\s*\(after .*\)", re.DOTALL)


def client_settings(config: Kafka.Config) -> dict[str, Any]:
    """librdkafka settings that every client of this sink shares."""
    settings: dict[str, Any] = {
        "bootstrap.servers": config.hosts,
        "client.id": "routestudio",
        "allow.auto.create.topics": config.create_topics,
        "log_level": 0,
        "socket.timeout.ms": 10_000,
        "socket.connection.setup.timeout.ms": 6_000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2_000,
    }
    protocol = "SASL_" if config.sasl_mechanism else ""
    protocol += "SSL" if config.tls else "PLAINTEXT"
    settings["security.protocol"] = protocol
    if config.tls and os.environ.get("SSL_CERT_FILE"):
        settings["ssl.ca.location"] = os.environ["SSL_CERT_FILE"]
    if config.tls:
        settings |= librdkafka()
    if config.sasl_mechanism:
        settings["sasl.mechanisms"] = _MECHANISMS[config.sasl_mechanism]
    if config.sasl_mechanism == "aws_msk_iam":
        settings["oauth_cb"] = lambda _: msk_token(config)
    elif config.sasl_mechanism:
        settings["sasl.username"] = config.username
        if config.password is not None:
            settings["sasl.password"] = config.password.get_secret_value()
    return settings


def producer_settings(config: Kafka.Config) -> dict[str, Any]:
    """Settings of the producer: all replicas acknowledge, order is kept, nothing is doubled."""
    return {
        **client_settings(config),
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": config.compression,
        "linger.ms": 5,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 131_072,
        "message.timeout.ms": 30_000,
    }


def outcome_of(error: Any, topic: str, *, by_client: bool = False) -> Outcome:
    """What a delivery error means for one record. `by_client`: no broker was asked."""
    name = error.name()
    if by_client and name == "MSG_SIZE_TOO_LARGE":
        return rejected(
            name.lower(),
            f"{topic}: the record is larger than {LARGEST_RECORD:,} bytes, more than is sent",
        )
    if name in _REJECTED:
        return rejected(name.lower(), f"{topic}: {_REJECTED[name]}")
    if name in _UNKNOWN:
        return perhaps_sent(topic, name.lower())
    return retry(name.lower(), f"{topic}: {_RETRY.get(name) or error.str()}")


def perhaps_sent(topic: str, code: str = "_msg_timed_out") -> Outcome:
    """The outcome of a record that was sent and not answered."""
    text = f"{topic}: no acknowledgement came; the record may have been written"
    return retry(code, text, unknown=True)


def not_sent(topic: str, trouble: Trouble) -> Outcome:
    """The outcome of a record that waited for a connection and was never sent."""
    return unreachable("no_leader", f"{topic}: {trouble.text}")


def refused_together(name: str) -> Outcome | None:
    """Stands for the outcome of a record that was refused as part of a batch, until it is sent
    alone; `None` for an error that is not a batch's. The reason is the error's name."""
    return retry(REFUSED_TOGETHER, name) if name in _OF_A_BATCH else None


def fatal_outcome(error: Any, *, sent: bool) -> Outcome:
    """The outcome of what a producer had when it had to stop; `sent`: it may have been written."""
    if error is None:
        name, text = "_FAIL", "the Kafka client had to stop, and is replaced by a new one"
    else:
        name = error.name()
        text = _RETRY.get(name) or f"the Kafka client had to stop: {error.str()}"
    if sent:
        return retry(name.lower(), f"{text}; the record may have been written", unknown=True)
    return unreachable(name.lower(), text)


class Trouble:
    """What the client reports about its connections; called by `poll`, on the loop.

    `sent_to` is an address that the cluster gave and that cannot be connected to.
    """

    def __init__(self, hosts: str) -> None:
        self._hosts = {host.strip() for host in hosts.split(",")}
        self._at = float("-inf")
        self._text = "no connection to the leader of its partition"
        self.sent_to: str | None = None
        self.hopeless: tuple[float, Any] | None = None

    def note(self, error: Any) -> None:
        """An error of the client as a whole."""
        name, now = error.name(), monotonic()
        if name in _HOPELESS:
            self.hopeless = (now, error)
        found = _BROKER.match(error.str())
        if found is None or name not in ("_TRANSPORT", "_RESOLVE", "_TIMED_OUT", "_SSL"):
            return
        self._at, self._text = now, unreachable_text(found[1], self._hosts, found[2])
        if found[1] not in self._hosts and "Connect" in found[2]:
            self.sent_to = found[1]

    def recent(self, moment: float) -> bool:
        """Whether a connection to a broker failed since `moment`."""
        return self._at >= moment

    @property
    def text(self) -> str:
        """The last failure, in words."""
        return self._text


def unreachable_text(address: str, hosts: Collection[str], why: str = "") -> str:
    """That a broker cannot be reached; where clients are sent there by the cluster, its setting."""
    reason = _REASON.sub("", why)[:160].strip()
    told = f" ({reason})" if reason else ""
    if address in hosts:
        return f"the broker {address} cannot be reached{told}"
    return (
        f"the cluster sends its clients to {address}, which cannot be reached from here{told}: "
        "see advertised.listeners of the broker"
    )


def before_sending(outcome: Outcome) -> Outcome:
    """`outcome` of asking for a topic, before anything was sent: no connection is reported as
    such."""
    if outcome.code in _NO_CONNECTION:
        return unreachable(outcome.code, outcome.reason)
    return outcome


def msk_token(config: Kafka.Config) -> tuple[str, float]:
    """A signed token for Amazon MSK with IAM, and when it expires (seconds since 1970).

    It is the Base64 of a pre-signed URL of the action `kafka-cluster:Connect`, valid for 900 s
    (Amazon MSK developer guide, "IAM access control", SASL/OAUTHBEARER).
    """
    import base64
    import time

    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    assert config.aws_secret_access_key is not None
    secret = config.aws_secret_access_key.get_secret_value()
    url = f"https://kafka.{config.aws_region}.amazonaws.com/?Action=kafka-cluster%3AConnect"
    request = AWSRequest("GET", url)
    credentials = Credentials(config.aws_access_key_id, secret)
    SigV4QueryAuth(credentials, "kafka-cluster", config.aws_region, expires=900).add_auth(request)
    signed = f"{request.url}&User-Agent=routestudio"
    token = base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")
    return token, time.time() + 900
