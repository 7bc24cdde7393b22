"""Fixtures of the strict Typesense server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.openapi import SOURCES, Description, Errata, description
from tests.support.typesense_server import TypesenseServer, start_typesense

ERRATA = Errata(
    # The documentation of API errors has these for all operations; the description has none.
    statuses={"*": frozenset({400, 401, 413, 422, 500, 503})},
)


@pytest.fixture(scope="session")
def _typesense() -> Iterator[TypesenseServer]:
    with start_typesense() as server:
        yield server


@pytest.fixture(scope="session")
def _typesense_tls(ca: Authority) -> Iterator[TypesenseServer]:
    with start_typesense(ca) as server:
        yield server


@pytest.fixture
def typesense_server(_typesense: TypesenseServer) -> Iterator[TypesenseServer]:
    """A strict Typesense without collections."""
    _typesense.reset()
    yield _typesense
    _typesense.receiver.reset()


@pytest.fixture
def typesense_tls_server(_typesense_tls: TypesenseServer) -> Iterator[TypesenseServer]:
    """The same with TLS."""
    _typesense_tls.reset()
    yield _typesense_tls
    _typesense_tls.receiver.reset()


@pytest.fixture(params=SOURCES)
def typesense_api(request: pytest.FixtureRequest) -> Description:
    """Our description of the service, and the vendor's where it is at hand."""
    return description(request.param, "typesense.yaml", "typesense.openapi.yml", ERRATA)
