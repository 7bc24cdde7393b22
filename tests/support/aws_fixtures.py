"""AWS for tests: moto's server and ElasticMQ, once a session, and a proxy that injects failures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws_faults import Faults, start_faults
from tests.support.aws_server import AwsServer, start_aws
from tests.support.certificates import Authority
from tests.support.elasticmq_server import start_elasticmq


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """A server; use queues, topics and streams of your own."""
    with start_aws(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="session")
def aws_tls_server(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[AwsServer]:
    """The same over HTTPS."""
    folder = tmp_path_factory.mktemp("aws-tls")
    with start_aws(folder, tls=ca.server_files("aws")) as server:
        yield server


@pytest.fixture(scope="session")
def elasticmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """Another SQS; use queues of your own."""
    with start_elasticmq(tmp_path_factory.mktemp("elasticmq")) as server:
        yield server


@pytest.fixture
def aws_faults(aws_server: AwsServer) -> Iterator[Faults]:
    """A proxy before the server that fails what it is told to."""
    with start_faults(aws_server) as faults:
        yield faults
