"""Fixtures for real NATS servers. Each starts once a session, when a test first asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.nats_server import NatsServer, start_nats

TOKEN = "a-secret-token"


@pytest.fixture(scope="session")
def _nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with start_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def nats_server(_nats: NatsServer) -> Iterator[NatsServer]:
    """A server with JetStream and no stream; nobody need sign in, but users may."""
    yield _nats
    _nats.reset()


@pytest.fixture(scope="session")
def nats_user_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that asks for a user, without JetStream."""
    with start_nats(tmp_path_factory.mktemp("nats-users"), closed=True) as server:
        yield server


@pytest.fixture(scope="session")
def nats_token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that asks for a token, without JetStream."""
    with start_nats(tmp_path_factory.mktemp("nats-token"), token=TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def nats_jwt_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server in operator mode: users sign in with a JWT and their NKey."""
    with start_nats(tmp_path_factory.mktemp("nats-jwt"), operator=True) as server:
        yield server


@pytest.fixture(scope="session")
def nats_tls_server(
    tmp_path_factory: pytest.TempPathFactory, ca: Authority
) -> Iterator[NatsServer]:
    """A server that requires TLS and a user."""
    with start_nats(tmp_path_factory.mktemp("nats-tls"), authority=ca) as server:
        yield server
