"""Fixtures for real servers. Each starts once a session, when a test first asks for it."""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.http_server import HttpReceiver, start_http
from tests.support.kafka_server import KafkaServer, start_kafka
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer, start_redis

USER, PASSWORD = "orders", "a-secret-word"


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signed every TLS server's certificate."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def trusted_ca(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let clients trust `ca`, in this process and in its children; return the file."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    return ca.file


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[KafkaServer]:
    """A broker; use topics of your own (`kafka_topic`)."""
    with start_kafka(tmp_path_factory.mktemp("kafka"), ca) as server:
        yield server


@pytest.fixture
def kafka_topic(kafka_server: KafkaServer) -> str:
    """A new, empty topic with three partitions."""
    return kafka_server.create_topic(f"orders-{uuid.uuid4().hex[:12]}", partitions=3)


@pytest.fixture(scope="session")
def _redis_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def _redis_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis-users")
    with start_redis(folder, username=USER, password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="session")
def _redis_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis-password"), password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="session")
def _redis_tls(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis-tls")
    with start_redis(folder, password=PASSWORD, authority=ca) as server:
        yield server


@pytest.fixture
def redis_server(_redis_open: RedisServer) -> RedisServer:
    """An empty Redis that asks for no password."""
    _redis_open.flush()
    return _redis_open


@pytest.fixture
def redis_user_server(_redis_users: RedisServer) -> RedisServer:
    """An empty Redis with ACL users (`RedisServer` names them) and no default user."""
    _redis_users.flush()
    return _redis_users


@pytest.fixture
def redis_password_server(_redis_password: RedisServer) -> RedisServer:
    """An empty Redis whose default user needs a password (`requirepass`)."""
    _redis_password.flush()
    return _redis_password


@pytest.fixture
def redis_tls_server(_redis_tls: RedisServer) -> RedisServer:
    """An empty Redis that speaks TLS and needs a password."""
    _redis_tls.flush()
    return _redis_tls


@pytest.fixture(scope="session")
def _http() -> Iterator[HttpReceiver]:
    with start_http() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def _https(ca: Authority) -> Iterator[HttpReceiver]:
    with start_http(ca) as receiver:
        yield receiver


@pytest.fixture
def http_receiver(_http: HttpReceiver) -> Iterator[HttpReceiver]:
    """An HTTP server that records requests, without any so far, and answers 200."""
    _http.reset()
    yield _http
    _http.reset()


@pytest.fixture
def https_receiver(_https: HttpReceiver) -> Iterator[HttpReceiver]:
    """The same with TLS."""
    _https.reset()
    yield _https
    _https.reset()


@pytest.fixture
def closed_port() -> int:
    """A port of the loopback address that refuses connections."""
    return free_port()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


@pytest.fixture
def garbage_port() -> Iterator[int]:
    """A port that answers every connection with a line that belongs to no protocol, and closes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError), server.accept()[0] as peer:
                    peer.sendall(b"this is not a protocol that you know\r\n\r\n")
                    peer.settimeout(0.5)
                    peer.recv(65536)

        thread = threading.Thread(target=serve, name="garbage")
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            with contextlib.suppress(OSError):
                socket.create_connection(server.getsockname(), 1).close()
            thread.join(5)
