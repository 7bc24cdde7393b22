"""Fixtures of the strict Meilisearch server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.meilisearch_server import MeilisearchServer, start_meilisearch
from tests.support.openapi import SOURCES, Description, Errata, description

ERRATA = Errata(
    # The documentation has this route; the description lost its middle part.
    paths={"/indexes/{indexUid}/documents/delete-batch": "/indexes/{indexUid}/delete-batch"},
    # Documented content types of documents are JSON, NDJSON and CSV; described is only JSON.
    content=frozenset({"application/x-ndjson"}),
    # `csvDelimiter` is described as required, and refused with anything but CSV.
    defaulted=True,
    # Tasks are answered by 202, and errors by all of these; described are 200 and 401.
    statuses={"*": frozenset({202, 400, 403, 404, 413, 415, 500, 503})},
)


@pytest.fixture(scope="session")
def _meilisearch() -> Iterator[MeilisearchServer]:
    with start_meilisearch() as server:
        yield server


@pytest.fixture(scope="session")
def _meilisearch_tls(ca: Authority) -> Iterator[MeilisearchServer]:
    with start_meilisearch(ca) as server:
        yield server


@pytest.fixture
def meilisearch_server(_meilisearch: MeilisearchServer) -> Iterator[MeilisearchServer]:
    """A strict Meilisearch without indexes."""
    _meilisearch.reset()
    yield _meilisearch
    _meilisearch.receiver.reset()


@pytest.fixture
def meilisearch_tls_server(_meilisearch_tls: MeilisearchServer) -> Iterator[MeilisearchServer]:
    """The same with TLS."""
    _meilisearch_tls.reset()
    yield _meilisearch_tls
    _meilisearch_tls.receiver.reset()


@pytest.fixture(params=SOURCES)
def meilisearch_api(request: pytest.FixtureRequest) -> Description:
    """Our description of the service, and the vendor's where it is at hand."""
    return description(request.param, "meilisearch.yaml", "meilisearch.openapi.json", ERRATA)
