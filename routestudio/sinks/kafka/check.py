"""The connection test of the Kafka sink: reach, credentials, topics, the right to write."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.sinks._shared import net
from routestudio.sinks.base import SinkRouting
from routestudio.sinks.kafka.settings import Trouble, client_settings
from routestudio.sinks.kafka.topics import ADVERTISED, Topic, unreachable, unreachable_steps

if TYPE_CHECKING:
    from routestudio.sinks.kafka.sink import Kafka

_AUTH_SECONDS: Final = 10.0
_DESCRIBE_SECONDS: Final = 6.0


class _Client:
    """An admin client with the errors that it reported; lives in its own executor."""

    def __init__(self, config: Kafka.Config) -> None:
        self.errors: list[Any] = []
        self.trouble = Trouble(config.hosts)
        self.seen = threading.Event()
        self._config = config
        self._admin: Any = None
        self.executor = ThreadPoolExecutor(1, "kafka check")

    def metadata(self, topic: str | None, seconds: float) -> Any:
        """Cluster metadata, or the error; stops early when the broker refuses credentials."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        if self._admin is None:
            settings: dict[str, Any] = client_settings(self._config)
            settings["error_cb"] = self._error
            self._admin = AdminClient(settings)
        waited = 0.0
        while True:
            try:
                if topic is None:
                    return self._admin.list_topics(timeout=1)
                return self._admin.list_topics(topic, timeout=1)
            except KafkaException as error:
                self._admin.poll(0)
                waited += 1
                fatal = [e for e in self.errors if e.name() in ("_AUTHENTICATION", "_SSL")]
                if fatal:
                    return fatal[0]
                if waited >= seconds:
                    return self.errors[-1] if self.errors else error.args[0]

    def operations(self, topics: Sequence[str]) -> dict[str, Any]:
        """Per topic the operations that this user may do, or the error."""
        from confluent_kafka import KafkaException, TopicCollection

        futures = self._admin.describe_topics(
            TopicCollection(list(topics)),
            include_authorized_operations=True,
            request_timeout=_DESCRIBE_SECONDS,
        )
        found: dict[str, Any] = {}
        for topic, future in futures.items():
            try:
                found[topic] = future.result(_DESCRIBE_SECONDS + 1).authorized_operations
            except KafkaException as error:
                found[topic] = error.args[0]
            except Exception as error:
                found[topic] = error
        return found

    def settings(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        """The settings of topics; those that this user may not read are left out."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

        asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        futures = self._admin.describe_configs(asked, request_timeout=_DESCRIBE_SECONDS)
        found: dict[str, dict[str, str]] = {}
        for resource, future in futures.items():
            with contextlib.suppress(KafkaException, TimeoutError):
                entries = future.result(_DESCRIBE_SECONDS + 1)
                found[resource.name] = {e.name: str(e.value or "") for e in entries.values()}
        return found

    def _error(self, error: Any) -> None:
        self.errors.append(error)
        self.trouble.note(error)

    async def call(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, function, *arguments)

    def close(self) -> None:
        """Let go of the client; its thread ends with the call that it is in (at most 1 s)."""
        self._admin = None
        self.executor.shutdown(wait=False, cancel_futures=True)


async def check(
    config: Kafka.Config, targets: Sequence[SinkRouting], tls: ssl.SSLContext | None
) -> AsyncIterator[CheckStep]:
    """The steps. One reachable host is enough, as for delivery; others are reported."""
    hosts = [part.strip().rpartition(":") for part in config.hosts.split(",")]
    reached: list[tuple[str, int]] = []
    held: list[CheckStep] = []
    for name, _, port in hosts:
        result = net.Reach()
        steps = [step async for step in net.reach(name.strip(), int(port), tls=tls, result=result)]
        if result.ok:
            reached.append((name.strip(), int(port)))
            for step in steps:
                yield step
            break
        held += steps
    if not reached:
        for step in held:
            yield step
        last = held[-1].step
        for step in net.skip_rest(last, f"the step {last} failed"):
            yield step
        return
    for step in held:
        if step.status == "failed":
            yield CheckStep(step.step, "inconclusive", f"{step.detail}; another host answers",
                            step.ms, step.hint)  # fmt: skip
    client = _Client(config)
    try:
        async for step in _signed_in(config, client, targets, *reached[0]):
            yield step
    finally:
        client.close()


async def _signed_in(
    config: Kafka.Config, client: _Client, targets: Sequence[SinkRouting], host: str, port: int
) -> AsyncIterator[CheckStep]:
    from confluent_kafka import KafkaError

    watch = net.Stopwatch()
    answer = await client.call(client.metadata, None, _AUTH_SECONDS)
    if isinstance(answer, KafkaError):
        detail, hint = _auth_text(config, answer)
        refused = answer.name() in ("_AUTHENTICATION", "_SSL")
        if not refused and client.trouble.sent_to:
            detail, hint = client.trouble.text, ADVERTISED
        if not config.tls and not refused and await net.speaks_tls(host, port):
            detail, hint = "the port speaks TLS", "turn TLS on"
        yield CheckStep("authenticate", "failed", detail, watch.lap(), hint)
        for step in net.skip_rest("authenticate", "the step authenticate failed"):
            yield step
        return
    brokers = len(answer.brokers)
    who = f"signed in as {config.username}" if config.username else "no credentials are needed"
    if config.sasl_mechanism == "aws_msk_iam":
        who = "signed in through AWS IAM"
    text = f"{who}; the cluster has {brokers} broker{'s' if brokers != 1 else ''}"
    yield CheckStep("authenticate", "passed", text, watch.lap())
    topics: list[Topic] = []
    for name, samples in _by_topic(targets).items():
        entry, error = await _described(config, client, name)
        if entry is None:
            yield _topic_error(name, error, watch.lap())
        else:
            topics.append(Topic(name, entry.partitions, None, samples))
    hosts = {part.strip() for part in config.hosts.split(",")}
    lost = await unreachable(answer.brokers.values())
    failed = False
    for step in unreachable_steps(answer.brokers, lost, topics, hosts):
        failed = failed or step.status == "failed"
        yield step
    if failed or not topics:
        return
    if config.create_topics:
        for topic in topics:
            yield CheckStep("target", "passed", topic.shown, watch.lap(), target=topic.name)
        return
    names = [topic.name for topic in topics]
    operations = await client.call(client.operations, names)
    settings = await client.call(client.settings, names)
    for topic in topics:
        known = replace(topic, settings=settings.get(topic.name))
        yield _verdict(config, known, operations.get(topic.name), watch.lap())


def _by_topic(targets: Sequence[SinkRouting]) -> dict[str, list[Any]]:
    """The sample records of each topic."""
    found: dict[str, list[Any]] = {}
    for target in targets:
        found.setdefault(str(getattr(target, "topic", "")), []).extend(target.sampled)
    return found


async def _described(config: Kafka.Config, client: _Client, topic: str) -> tuple[Any, Any]:
    """A topic's entry in the metadata, or `None` and the error."""
    from confluent_kafka import KafkaError

    for _ in range(2):
        answer = await client.call(client.metadata, topic, 3.0)
        if isinstance(answer, KafkaError):
            return None, answer
        entry = answer.topics.get(topic)
        if entry is None or entry.error is not None:
            return None, entry.error if entry else None
        if entry.partitions or not config.create_topics:
            return entry, None
    return entry, None


def _verdict(config: Kafka.Config, topic: Topic, found: Any, ms: float) -> CheckStep:
    """The step of one topic: the right to write first, then what the topic takes."""
    may: StepStatus = "inconclusive"
    if isinstance(found, list):
        names = {getattr(item, "name", str(item)) for item in found}
        if names & {"WRITE", "ALL"}:
            may = "passed"
        elif names:
            return CheckStep("target", "failed", f"this user may not write to topic {topic.name}",
                             ms, "grant the user the operation WRITE on the topic",
                             topic.name)  # fmt: skip
    if trouble := topic.objection(config.compression):
        status, text, hint = trouble
        return CheckStep("target", status, text, ms, hint, topic.name)
    if may == "passed":
        text = f"{topic.shown}, and this user may write to it{topic.remarks()}"
        return CheckStep("target", "passed", text, ms, target=topic.name)
    text = f"{topic.shown}; the cluster does not report whether this user may write to it"
    return CheckStep("target", "inconclusive", f"{text}{topic.remarks()}", ms,
                     "deliver one sample to be sure", topic.name)  # fmt: skip


def _topic_error(topic: str, error: Any, ms: float) -> CheckStep:
    name = error.name() if error is not None else "UNKNOWN_TOPIC_OR_PART"
    if name in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC"):
        return CheckStep("target", "failed", f"topic {topic} does not exist, or this user may not "
                         "see it", ms, "create the topic, or grant the operation DESCRIBE",
                         topic)  # fmt: skip
    if name == "TOPIC_AUTHORIZATION_FAILED":
        return CheckStep("target", "failed", f"this user may not see topic {topic}", ms,
                         "grant the user DESCRIBE and WRITE on the topic", topic)  # fmt: skip
    if name == "TOPIC_EXCEPTION":
        return CheckStep("target", "failed", f"the cluster refuses the topic name {topic}", ms,
                         "letters, digits, `.`, `_` and `-`, at most 249", topic)  # fmt: skip
    return CheckStep("target", "inconclusive", f"topic {topic}: {error.str()}", ms, None, topic)


def _auth_text(config: Kafka.Config, error: Any) -> tuple[str, str]:
    name, text = error.name(), error.str()
    lowered = text.lower()
    refused = "credential" in lowered or "password" in lowered
    if (
        name == "_AUTHENTICATION"
        and not refused
        and ("mechanism" in lowered or "unsupported" in lowered)
    ):
        return (
            f"the broker does not offer {config.sasl_mechanism}",
            "choose a mechanism that the broker offers",
        )
    if name == "_AUTHENTICATION":
        user = f" of user {config.username}" if config.username else ""
        return f"the broker refuses the credentials{user}", "check user name, password, mechanism"
    if name == "_SSL":
        return "the TLS connection fails", "check the TLS settings and SSL_CERT_FILE"
    if not config.tls and not config.sasl_mechanism:
        return (
            "the port accepts connections but does not answer as plain Kafka",
            "the listener may want SASL, or the port may belong to another service",
        )
    if not config.tls:
        return (
            "the broker closes the connection before it answers",
            "the listener may want another SASL mechanism",
        )
    if not config.sasl_mechanism:
        return "the broker does not answer", "the listener may want SASL credentials"
    with contextlib.suppress(IndexError):
        text = text.split(": ", 1)[1]
    return f"the broker does not answer: {text[:160]}", "check mechanism and credentials"
