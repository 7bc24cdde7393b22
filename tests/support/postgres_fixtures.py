"""Fixtures with PostgreSQL servers. Each starts once a session, when a test first asks for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.postgres_server import PostgresServer, newer_binaries, start_postgres

PASSWORD = "a-secret-word"


@pytest.fixture(scope="session")
def _postgres() -> Iterator[PostgresServer]:
    with start_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_newer() -> Iterator[PostgresServer]:
    with start_postgres(binaries=newer_binaries()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_tls(ca: Authority) -> Iterator[PostgresServer]:
    """Debian's PostgreSQL with TLS and passwords."""
    with start_postgres(authority=ca, password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="session", params=["15", "18"])
def postgres(request: pytest.FixtureRequest) -> PostgresServer:
    """Debian's PostgreSQL, and the newest one. Use a database of your own (`shop`)."""
    name = "_postgres" if request.param == "15" else "_postgres_newer"
    server: PostgresServer = request.getfixturevalue(name)
    return server


@pytest.fixture
def postgres_15(_postgres: PostgresServer) -> PostgresServer:
    """Debian's PostgreSQL alone."""
    return _postgres


@pytest.fixture
def shop(postgres: PostgresServer) -> Iterator[str]:
    """The name of a new, empty database of `postgres`."""
    with postgres.database(f"shop_{uuid.uuid4().hex[:8]}") as name:
        yield name
