"""Settings and errors of librdkafka: from a sink's configuration, and to outcomes and sentences."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import Outcome, rejected, retry, unreachable

if TYPE_CHECKING:
    from routestudio.sinks.kafka import Kafka

_MECHANISMS: Final = {
    "plain": "PLAIN",
    "scram_sha_256": "SCRAM-SHA-256",
    "scram_sha_512": "SCRAM-SHA-512",
    "aws_msk_iam": "OAUTHBEARER",
}

_REJECTED: Final[Mapping[str, str]] = {
    "MSG_SIZE_TOO_LARGE": "the record is larger than the broker takes",
    "INVALID_MSG_SIZE": "the record has a size that the broker refuses",
    "INVALID_MSG": "the broker finds the record corrupt",
    "INVALID_RECORD": "the broker's rules refuse the record",
    "TOPIC_EXCEPTION": "the broker refuses this topic name",
    "INVALID_TIMESTAMP": "the record's time is outside of what the topic takes",
    "_BAD_MSG": "the record cannot be sent",
    "_INVALID_ARG": "the record has an invalid part",
}

_RETRY: Final[Mapping[str, str]] = {
    "UNKNOWN_TOPIC_OR_PART": "the topic does not exist",
    "_UNKNOWN_TOPIC": "the topic does not exist",
    "_UNKNOWN_PARTITION": "the partition does not exist any more",
    "TOPIC_AUTHORIZATION_FAILED": "this user may not write to the topic",
    "CLUSTER_AUTHORIZATION_FAILED": "this user has no rights on the cluster",
    "_AUTHENTICATION": "the broker refuses the credentials",
    "_ALL_BROKERS_DOWN": "no broker can be reached",
    "_TRANSPORT": "the connection to the broker was lost",
    "_TIMED_OUT": "no broker answered in time",
    "_PURGE_QUEUE": "the delivery was stopped",
}

_NO_CONNECTION: Final = frozenset(
    {"_all_brokers_down", "_transport", "_timed_out", "_authentication", "_ssl"}
)

_UNKNOWN: Final = frozenset({"_MSG_TIMED_OUT", "_PURGE_INFLIGHT", "REQUEST_TIMED_OUT"})
"""Errors after which the record may have been written although nobody said so."""


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


def outcome_of(error: Any, topic: str) -> Outcome:
    """What a delivery error means for one record."""
    name = error.name()
    if name in _REJECTED:
        return rejected(name.lower(), f"{topic}: {_REJECTED[name]}")
    if name in _UNKNOWN:
        text = f"{topic}: no acknowledgement came; the record may have been written"
        return retry(name.lower(), text, unknown=True)
    return retry(name.lower(), f"{topic}: {_RETRY.get(name) or error.str()}")


def before_sending(outcome: Outcome) -> Outcome:
    """`outcome` of asking for a topic, before anything was sent: no connection is said as such."""
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
