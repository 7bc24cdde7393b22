"""The real servers of the fixtures do what the tests that use them rely on."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import urllib.error

import pytest

from tests.support.certificates import Authority
from tests.support.http_server import HttpReceiver, Reply
from tests.support.kafka_client import KafkaRefusal, SignIn
from tests.support.kafka_server import KafkaServer
from tests.support.opensearch_proxy import API_KEY, OpenSearchProxy
from tests.support.opensearch_server import OpenSearchServer
from tests.support.redis_server import RedisReplyError, RedisServer

pytestmark = pytest.mark.real


def test_kafka_plaintext_round_trip(kafka_server: KafkaServer, kafka_topic: str) -> None:
    kafka_server.send(kafka_topic, b'{"id": 1}', b"1")
    kafka_server.send(kafka_topic, b"", None)
    records = kafka_server.read(kafka_topic)
    assert sorted((each.key or b"", each.value) for each in records) == [
        (b"", b""),
        (b"1", b'{"id": 1}'),
    ]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_kafka_signs_in(
    kafka_server: KafkaServer, kafka_topic: str, mechanism: str, tls: bool
) -> None:
    kafka_server.send(kafka_topic, b"x", sign_in=kafka_server.sign_in("writer", mechanism, tls=tls))
    assert [each.value for each in kafka_server.read(kafka_topic)] == [b"x"]


def test_kafka_tls_without_sign_in(kafka_server: KafkaServer, kafka_topic: str) -> None:
    kafka_server.send(kafka_topic, b"x", sign_in=SignIn(authority=kafka_server.authority))
    assert [each.value for each in kafka_server.read(kafka_topic)] == [b"x"]


def test_kafka_refuses_a_wrong_password(kafka_server: KafkaServer, kafka_topic: str) -> None:
    with pytest.raises(KafkaRefusal):
        kafka_server.send(kafka_topic, b"x", sign_in=SignIn("PLAIN", "writer", "wrong"))
    assert kafka_server.read(kafka_topic) == []


def test_kafka_refuses_writes_by_rule(kafka_server: KafkaServer, kafka_topic: str) -> None:
    with pytest.raises(KafkaRefusal, match="TopicAuthorizationFailed"):
        kafka_server.send(kafka_topic, b"x", sign_in=kafka_server.sign_in("reader"))
    denied = kafka_server.create_topic("denied-orders")
    with pytest.raises(KafkaRefusal, match="TopicAuthorizationFailed"):
        kafka_server.send(denied, b"x", sign_in=kafka_server.sign_in("writer"))
    kafka_server.send(denied, b"y", sign_in=kafka_server.sign_in("admin"))
    assert [each.value for each in kafka_server.read(kafka_topic, denied)] == [b"y"]


def test_kafka_creates_no_topic_by_use(kafka_server: KafkaServer) -> None:
    with pytest.raises(KafkaRefusal):
        kafka_server.send("never-made", b"x")
    assert "never-made" not in kafka_server.topics()


def test_redis_round_trip(redis_server: RedisServer) -> None:
    assert redis_server.command("SET", "k", b"\x00\r\n", database=3) == b"OK"
    assert redis_server.contents(3) == {b"k": b"\x00\r\n"}
    assert redis_server.contents() == {}
    if tool := shutil.which("redis-cli"):
        port = str(redis_server.port)
        done = subprocess.run([tool, "-p", port, "PING"], capture_output=True, check=True)
        assert done.stdout == b"PONG\n"


def test_redis_flushes_between_tests(redis_server: RedisServer) -> None:
    assert redis_server.command("DBSIZE") == 0


def test_redis_users(redis_user_server: RedisServer) -> None:
    server = redis_user_server
    assert server.command("SET", "allowed:1", "a") == b"OK"
    with pytest.raises(RedisReplyError, match="NOPERM"):
        RedisServer(server.port, server.reader, server.password).command("SET", "k", "v")
    with pytest.raises(RedisReplyError, match="NOPERM"):
        RedisServer(server.port, server.prefixed, server.password).command("SET", "k", "v")
    with pytest.raises(RedisReplyError, match="WRONGPASS"):
        RedisServer(server.port, server.username, "wrong").command("PING")
    with pytest.raises(RedisReplyError, match="NOAUTH"):
        RedisServer(server.port).command("PING")


def test_redis_password(redis_password_server: RedisServer) -> None:
    assert redis_password_server.command("PING") == b"PONG"
    with pytest.raises(RedisReplyError, match="NOAUTH"):
        RedisServer(redis_password_server.port).command("PING")


def test_redis_tls(redis_tls_server: RedisServer) -> None:
    assert redis_tls_server.command("PING") == b"PONG"
    with pytest.raises(OSError, match=r"closed|reset"):
        RedisServer(redis_tls_server.port, None, redis_tls_server.password).command("PING")


def test_http_records_what_came(http_receiver: HttpReceiver) -> None:
    http_receiver.script(503, Reply(201, b"made", (("X-Id", "7"),)))
    connection = http.client.HTTPConnection(http_receiver.host, http_receiver.port)
    answers = []
    for number in range(3):
        body = json.dumps({"n": number})
        connection.request("PATCH", "/a%2Fb?x=1&x=2", body, {"X-Key": "v"})
        response = connection.getresponse()
        answers.append((response.status, response.read(), response.getheader("X-Id")))
    connection.close()
    assert answers == [(503, b"", None), (201, b"made", "7"), (200, b"", None)]
    first, *_ = requests = http_receiver.wait_for(3)
    assert (first.method, first.target, first.header("x-key")) == ("PATCH", "/a%2Fb?x=1&x=2", "v")
    assert [each.json() for each in requests] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert len({each.peer for each in requests}) == 1


def test_http_reads_chunked_bodies(http_receiver: HttpReceiver) -> None:
    connection = http.client.HTTPConnection(http_receiver.host, http_receiver.port)
    connection.request("POST", "/", iter([b"one ", b"two"]), encode_chunked=True)
    assert connection.getresponse().read() == b""
    connection.close()
    assert http_receiver.requests[0].body == b"one two"


def test_http_cuts_connections(http_receiver: HttpReceiver) -> None:
    http_receiver.script(Reply(cut="before"), Reply(200, b"0123456789", cut="body"))
    first = http.client.HTTPConnection(http_receiver.host, http_receiver.port)
    first.request("GET", "/")
    with pytest.raises(http.client.RemoteDisconnected):
        first.getresponse()
    first.close()
    first.request("GET", "/")
    with pytest.raises(http.client.IncompleteRead):
        first.getresponse().read()
    first.close()


def test_https_needs_the_authority(https_receiver: HttpReceiver, ca: Authority) -> None:
    connection = http.client.HTTPSConnection(
        https_receiver.host, https_receiver.port, context=ca.client_context()
    )
    connection.request("GET", "/secure")
    assert connection.getresponse().read() == b""
    connection.close()
    assert [each.target for each in https_receiver.requests] == ["/secure"]
    stranger = http.client.HTTPSConnection(https_receiver.host, https_receiver.port)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.request("GET", "/")
    stranger.close()


def test_closed_port_refuses(closed_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", closed_port), 1)


def test_opensearch_round_trip(opensearch_server: OpenSearchServer) -> None:
    opensearch_server.create_index("orders", n="integer")
    opensearch_server.ask("PUT", "/orders/_doc/a", {"n": 1})
    with pytest.raises(urllib.error.HTTPError) as caught:
        opensearch_server.ask("PUT", "/orders/_doc/b", {"n": "text"})
    caught.value.close()
    assert opensearch_server.documents("orders") == {"a": {"n": 1}}
    assert opensearch_server.documents("nothing") == {}


def test_opensearch_creates_no_denied_index(opensearch_server: OpenSearchServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        opensearch_server.ask("PUT", "/denied-1/_doc/a", {"n": 1})
    caught.value.close()
    opensearch_server.ask("PUT", "/allowed-1/_doc/a", {"n": 1})
    assert opensearch_server.indexes() == {"allowed-1"}


def test_the_proxy_asks_for_credentials(opensearch_proxy: OpenSearchProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", opensearch_proxy.receiver.port, timeout=60)
    statuses = []
    for headers in ({}, {"authorization": "ApiKey x"}, {"authorization": f"ApiKey {API_KEY}"}):
        connection.request("GET", "/", headers=headers)
        with connection.getresponse() as answer:
            answer.read()
            statuses.append(answer.status)
    connection.close()
    assert statuses == [401, 401, 200]
