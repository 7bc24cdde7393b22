"""The connection tests of Redis, Kafka and webhook sinks in every situation, kept in `docs/checks`.

The other sinks' tables are with their own tests on real servers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.sinks._shared.http import check as http_check
from routestudio.sinks._shared.redis import check as redis_check
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from routestudio.sinks.kafka import check as kafka_check
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from routestudio.sinks.redis_stream.sink import RedisStream
from routestudio.sinks.redis_string.sink import RedisString
from tests.support.check_table import CheckTable
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.kafka_server import DENIED, KafkaServer
from tests.support.redis_server import RedisServer, start_cluster, start_redis

pytestmark = pytest.mark.real


@pytest.mark.parametrize("sink", [RedisString, RedisStream], ids=["string", "stream"])
@pytest.mark.usefixtures("trusted_ca")
async def test_redis_check_table(
    sink: Any, redis_server: RedisServer, redis_user_server: RedisServer,
    redis_tls_server: RedisServer, closed_port: int, silent_port: int, garbage_port: int,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(redis_check, "SECONDS", 1.5)

    def at(server: RedisServer, **values: Any) -> Any:
        given = {"host": "localhost" if server.tls else server.host, "port": server.port,
                 "username": server.username, "password": server.password,
                 "tls": server.tls}  # fmt: skip
        return sink.Config.model_validate({**given, **values})

    def target(key: str) -> Any:
        if sink is RedisString:
            return sink.Routing(key=key, action="set")
        return sink.Routing(stream_key=key)

    key = target("allowed:1")
    table = CheckTable(sink, "redis-server")
    await table.run_both("right credentials", at(redis_server), key, "target passed")
    users, secure = at(redis_user_server), at(redis_tls_server)
    await table.run_both("right credentials", users, key, "target passed", variant="ACL user")
    await table.run_both("right credentials", secure, key, "target passed", variant="TLS")
    wrong, none = at(redis_user_server, password="no"), at(redis_user_server, password=None,
                                                           username=None)  # fmt: skip
    denied = "authenticate failed"
    await table.run_both("wrong credentials", wrong, key, denied, variant="password")
    await table.run_both("wrong credentials", none, key, denied, variant="none given")
    unused = at(redis_server, password="not-needed")
    await table.run_both("wrong credentials", unused, key, denied, variant="none needed")
    redis_user_server.command("ACL", "SETUSER", "prefixed", "+xadd", "+ping", "+acl|dryrun",
                              "+acl|whoami")  # fmt: skip
    limited = at(redis_user_server, username=redis_user_server.prefixed)
    await table.run("missing right", "static", limited, [target("other:1")], "target failed")
    await table.run("missing right", "dynamic", limited, [key, target("other:1")], "target failed",
                    variant="one of two keys")  # fmt: skip
    missing = at(redis_server, database=99)
    await table.run_both("missing target", missing, key, "target failed", variant="database")
    if sink is RedisStream:
        redis_server.command("SET", "text", "x")
        await table.run_both("missing target", at(redis_server), target("text"), "target failed",
                             variant="key that holds something else")  # fmt: skip
        redis_server.command("XADD", "stream", "*", "a", "b")
        await table.run_both("right credentials", at(redis_server), target("stream"),
                             "target passed", variant="key that holds a stream")  # fmt: skip
        blind = at(redis_user_server, username="blind")
        rights = ("~*", "-@all", "+xadd", "+ping", "+acl|dryrun", "+info")
        word = f">{redis_user_server.password}"
        redis_user_server.command("ACL", "SETUSER", "blind", "on", word, *rights)
        await table.run_both("missing right", blind, key, "target inconclusive",
                             variant="may not ask what the key holds")  # fmt: skip
        redis_user_server.command("ACL", "SETUSER", "blind", "-info")
        await table.run_both("missing right", blind, key, "target inconclusive",
                             variant="may not ask for INFO")  # fmt: skip
        redis_user_server.command("ACL", "DELUSER", "blind")
    else:
        redis_server.command("XADD", "stream", "*", "a", "b")
        await table.run_both("right credentials", at(redis_server), target("stream"),
                             "target passed", variant="key that SET replaces")  # fmt: skip
    redis_server.command("CONFIG", "SET", "maxmemory", 1000)
    for policy, said in (("noeviction", "failed"), ("volatile-lru", "inconclusive"),
                         ("allkeys-lru", "passed")):  # fmt: skip
        redis_server.command("CONFIG", "SET", "maxmemory-policy", policy)
        await table.run_both("missing target", at(redis_server), key, f"target {said}",
                             variant=f"memory is full, {policy}")  # fmt: skip
    redis_server.command("CONFIG", "SET", "maxmemory", 0)
    redis_server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    with start_cluster(tmp_path) as (cluster, _):
        await table.run_both("right credentials", at(cluster), key, "target passed",
                             variant="server of a cluster")  # fmt: skip
        await table.run("right credentials", "dynamic", at(cluster), [], "target passed",
                        variant="server of a cluster, no samples")  # fmt: skip
    with start_redis(tmp_path / "alone", cluster=True) as server:
        await table.run_both("missing target", at(server), key, "target failed",
                             variant="cluster without slots")  # fmt: skip
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        assert server.child is not None
        server.child.wait_ready(
            lambda: b"cluster_state:ok" in str(server.command("CLUSTER", "INFO")).encode(), 10
        )
        await table.run_both("right credentials", at(server), key, "target passed",
                             variant="cluster of one server")  # fmt: skip
    table.impossible("missing target", "a key needs no preparation: the first write makes it")
    await table.run_both("unreachable", at(redis_server, port=closed_port), key, "connect failed",
                         variant="port")  # fmt: skip
    unknown = at(redis_server, host="no-such-host.invalid")
    await table.run_both("unreachable", unknown, key, "resolve failed", variant="host")
    garbage = at(redis_server, port=garbage_port)
    await table.run_both("wrong protocol", garbage, key, denied, variant="not Redis")
    await table.run_both("wrong protocol", at(redis_server, tls=True), key, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    plain = at(redis_tls_server, tls=False)
    await table.run_both("wrong protocol", plain, key, denied, variant="plain against a TLS port")
    await table.run_both("timeout", at(redis_server, port=silent_port), key, denied)
    table.finish()


@pytest.fixture
def gate(http_receiver: HttpReceiver) -> HttpReceiver:
    """A server that knows one token and one path, and tells which methods it takes."""

    def answer(request: Received) -> Reply:
        if request.header("authorization") != "Bearer good-token":
            return Reply(401)
        if request.target == "/missing":
            return Reply(404)
        if request.target == "/forbidden":
            return Reply(403)
        return Reply(204, headers=(("Allow", "POST, OPTIONS"),))

    http_receiver.answer = answer
    return http_receiver


@pytest.mark.usefixtures("trusted_ca")
async def test_webhook_check_table(
    gate: HttpReceiver, https_receiver: HttpReceiver, closed_port: int, silent_port: int,
    garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(http_check, "SECONDS", 1.0)

    def at(url: str, token: str | None = "good-token") -> Any:
        headers = {"Authorization": SecretStr(f"Bearer {token}")} if token else {}
        return HttpPush.Config(http_endpoint=HttpEndpoint(url=url, encrypted_headers=headers))

    def target(path: str, method: str = "POST") -> Any:
        return HttpPush.Routing(method=method, endpoint_path=path)

    path = target("/orders")
    table = CheckTable(HttpPush, "an HTTP server that answers OPTIONS")
    await table.run_both("right credentials", at(gate.url), path, "target passed")
    secure = at(https_receiver.url, None)
    await table.run_both("right credentials", secure, path, "target inconclusive",
                         variant="a server that reports no methods, TLS")  # fmt: skip
    await table.run_both("wrong credentials", at(gate.url, "bad"), path, "authenticate failed")
    await table.run_both("wrong credentials", at(gate.url, None), path, "authenticate failed",
                         variant="none given")  # fmt: skip
    await table.run_both("missing right", at(gate.url), target("/forbidden"),
                         "authenticate inconclusive", variant="HTTP 403")  # fmt: skip
    await table.run("missing right", "dynamic", at(gate.url), [path, target("/orders", "DELETE")],
                    "target failed", variant="one of two methods")  # fmt: skip
    await table.run("missing right", "static", at(gate.url), [target("/orders", "DELETE")],
                    "target failed", variant="method")  # fmt: skip
    await table.run_both("missing target", at(gate.url), target("/missing"), "target inconclusive")
    closed = at(f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", closed, path, "connect failed", variant="port")
    unknown = at("http://no-such-host.invalid")
    await table.run_both("unreachable", unknown, path, "resolve failed", variant="host")
    garbage = at(f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, path, "authenticate failed",
                         variant="not HTTP")  # fmt: skip
    mixed = at(gate.url.replace("http://", "https://"))
    await table.run_both("wrong protocol", mixed, path, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    bare = at(https_receiver.url.replace("https://", "http://"))
    await table.run_both("wrong protocol", bare, path, "authenticate failed",
                         variant="plain against a TLS port")  # fmt: skip
    silent = at(f"http://127.0.0.1:{silent_port}")
    await table.run_both("timeout", silent, path, "authenticate inconclusive")
    table.finish()


@pytest.mark.usefixtures("trusted_ca")
async def test_kafka_check_table(
    kafka_server: KafkaServer, closed_port: int, silent_port: int, garbage_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    existing = kafka_server.topics()
    for name in ("checked", f"{DENIED}-check"):
        if name not in existing:
            kafka_server.create_topic(name, 1)

    def at(listener: str, mechanism: str | None = None, **change: Any) -> Any:
        values: dict[str, Any] = {
            "hosts": getattr(kafka_server, listener).replace("127.0.0.1", "localhost"),
            "tls": "ssl" in listener,
        }
        if mechanism:
            word = SecretStr(kafka_server.passwords["writer"])
            values |= {"sasl_mechanism": mechanism, "username": "writer", "password": word}
        return Kafka.Config(**{**values, **change})

    def target(topic: str) -> Any:
        return Kafka.Routing(topic=topic)

    topic = target("checked")
    table = CheckTable(Kafka, "Apache Kafka")
    for variant, listener, mechanism in [
        ("none needed", "plaintext", None), ("TLS", "ssl", None),
        ("PLAIN", "sasl_plaintext", "plain"), ("SCRAM and TLS", "sasl_ssl", "scram_sha_512"),
    ]:  # fmt: skip
        settings = at(listener, mechanism)
        await table.run_both("right credentials", settings, topic, "target passed", variant=variant)
    denied = "authenticate failed"
    wrong = {"password": SecretStr("no")}
    await table.run_both("wrong credentials", at("sasl_plaintext", "plain", **wrong), topic, denied,
                         variant="password")  # fmt: skip
    await table.run_both("wrong credentials", at("sasl_ssl", "scram_sha_256", **wrong), topic,
                         denied, variant="password, SCRAM and TLS")  # fmt: skip
    await table.run_both("wrong credentials", at("sasl_plaintext", "plain", username="eve"), topic,
                         denied, variant="unknown user")  # fmt: skip
    user = at("sasl_plaintext", "plain")
    forbidden = target(f"{DENIED}-check")
    await table.run("missing right", "static", user, [forbidden], "target failed")
    await table.run("missing right", "dynamic", user, [topic, forbidden], "target failed",
                    variant="one of two topics")  # fmt: skip
    reader = at("sasl_plaintext", "plain", username="reader",
                password=SecretStr(kafka_server.passwords["reader"]))  # fmt: skip
    await table.run_both("missing right", reader, topic, "target failed", variant="may only read")
    await table.run_both("missing target", at("plaintext"), target("no-such-topic"),
                         "target failed")  # fmt: skip
    for name, setting, variant in (
        ("check-compacted", {"cleanup.policy": "compact"}, "compacted topic, samples without key"),
        ("check-small", {"max.message.bytes": "500"}, "topic too small for a sample"),
    ):
        if name not in existing:
            kafka_server.create_topic(name, 1, setting)
        sampled = target(name).with_sampled([KafkaRecord(name, None, b"x" * 600)])
        await table.run_both("missing target", at("plaintext"), sampled, "target failed",
                             variant=variant)  # fmt: skip
    await table.run_both("right credentials", at("plaintext"), target("check-compacted"),
                         "target passed", variant="compacted topic")  # fmt: skip
    closed = at("plaintext", hosts=f"127.0.0.1:{closed_port}")
    await table.run_both("unreachable", closed, topic, "connect failed", variant="port")
    unknown = at("plaintext", hosts="no-such-host.invalid:9092")
    await table.run_both("unreachable", unknown, topic, "resolve failed", variant="host")
    monkeypatch.setattr(kafka_check, "_AUTH_SECONDS", 1.5)
    garbage = at("plaintext", hosts=f"127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, topic, denied, variant="not Kafka")
    await table.run_both("wrong protocol", at("plaintext", tls=True), topic, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    await table.run_both("wrong protocol", at("ssl", tls=False), topic, denied,
                         variant="plain against a TLS port")  # fmt: skip
    silent = at("plaintext", hosts=f"127.0.0.1:{silent_port}")
    await table.run_both("timeout", silent, topic, denied)
    table.finish()


def test_every_sink_has_a_table() -> None:
    from routestudio.sinks import registry

    folder = Path(__file__).parents[2] / "docs" / "checks"
    assert {file.stem for file in folder.glob("*.md")} == {s.key for s in registry.default()}
