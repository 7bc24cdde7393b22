"""Fixtures of the strict S2 server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.openapi import SOURCES, Description, Errata, description
from tests.support.s2_server import BASIN, S2Server, start_s2

ERRATA = Errata(
    # The description has paths below its servers' `/v1`.
    paths={f"/v1{path}": path for path in (
        "/basins", "/basins/{basin}", "/streams", "/streams/{stream}", "/streams/{stream}/records",
    )},
    # The documentation of error codes has these; the description has none of them.
    statuses={"*": frozenset({401, 413, 422, 429, 500, 502, 503, 504})},
    # How s2-lite, and the vendor's clients, name the basin where its host does not.
    headers=frozenset({"s2-basin"}),
)  # fmt: skip


@pytest.fixture(scope="session")
def _s2() -> Iterator[S2Server]:
    with start_s2() as server:
        yield server


@pytest.fixture(scope="session")
def _s2_tls(ca: Authority) -> Iterator[S2Server]:
    with start_s2(ca) as server:
        yield server


@pytest.fixture
def s2_server(_s2: S2Server) -> Iterator[S2Server]:
    """A strict S2 with one basin, which has no streams."""
    _s2.reset()
    yield _s2
    _s2.receiver.reset()


@pytest.fixture
def s2_tls_server(_s2_tls: S2Server) -> Iterator[S2Server]:
    """The same with TLS."""
    _s2_tls.reset()
    yield _s2_tls
    _s2_tls.receiver.reset()


@pytest.fixture
def s2_basin_host(s2_server: S2Server) -> Iterator[S2Server]:
    """The host of the basin of `s2_server`, as at s2.dev."""
    with start_s2(only=BASIN, like=s2_server) as server:
        yield server


@pytest.fixture(params=SOURCES)
def s2_api(request: pytest.FixtureRequest) -> Description:
    """Our description of the service, and the vendor's where it is at hand."""
    return description(request.param, "s2.yaml", "s2.openapi.json", ERRATA)
