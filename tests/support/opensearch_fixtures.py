"""Fixtures of the OpenSearch server and the proxy in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.elasticsearch_server import VARIABLE, start_elasticsearch
from tests.support.opensearch_proxy import OpenSearchProxy, start_proxy
from tests.support.opensearch_server import OpenSearchServer, start_opensearch


@pytest.fixture(scope="session")
def _opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearchServer]:
    folder, jars = tmp_path_factory.mktemp("opensearch"), os.environ.get(VARIABLE)
    start = start_elasticsearch(folder, Path(jars)) if jars else start_opensearch(folder)
    with start as server:
        yield server


@pytest.fixture(scope="session")
def _opensearch_proxy(_opensearch: OpenSearchServer) -> Iterator[OpenSearchProxy]:
    with start_proxy(_opensearch) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def _opensearch_tls(_opensearch: OpenSearchServer, ca: Authority) -> Iterator[OpenSearchProxy]:
    with start_proxy(_opensearch, ca) as proxy:
        yield proxy


@pytest.fixture
def opensearch_server(_opensearch: OpenSearchServer) -> OpenSearchServer:
    """An OpenSearch without indexes, which asks for no credentials."""
    _opensearch.clear()
    return _opensearch


@pytest.fixture
def opensearch_proxy(
    opensearch_server: OpenSearchServer, _opensearch_proxy: OpenSearchProxy
) -> Iterator[OpenSearchProxy]:
    """A proxy in front of `opensearch_server` that asks for credentials."""
    _opensearch_proxy.reset()
    yield _opensearch_proxy
    _opensearch_proxy.receiver.reset()


@pytest.fixture
def opensearch_tls_proxy(
    opensearch_server: OpenSearchServer, _opensearch_tls: OpenSearchProxy
) -> Iterator[OpenSearchProxy]:
    """The same with TLS."""
    _opensearch_tls.reset()
    yield _opensearch_tls
    _opensearch_tls.receiver.reset()
