"""Fixtures for Event Hubs: a strict server with TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.event_hub_server import EventHubServer, start_event_hubs


@pytest.fixture
def event_hub_server(ca: Authority, trusted_ca: Path) -> Iterator[EventHubServer]:
    """A namespace with the hub `orders` and the policy `sender`; clients trust its certificate."""
    with start_event_hubs(ca) as server:
        server.hubs.add("orders")
        yield server
