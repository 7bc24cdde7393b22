"""Fixtures for a real RabbitMQ server, which starts when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.rabbitmq_server import RabbitServer, start_rabbitmq


@pytest.fixture(scope="session")
def _rabbitmq(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[RabbitServer]:
    with start_rabbitmq(tmp_path_factory.mktemp("rabbitmq"), authority=ca) as server:
        yield server


@pytest.fixture
def rabbitmq_server(_rabbitmq: RabbitServer) -> Iterator[RabbitServer]:
    """A server with a plain and a TLS port, users with rights, and only the built-in exchanges."""
    yield _rabbitmq
    _rabbitmq.reset()
