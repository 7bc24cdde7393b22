"""Fixtures for Pub/Sub: Google's emulator, once a session, and a strict server for credentials."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.pubsub_server import GoogleServer, PubSubServer, start_google, start_pubsub


@pytest.fixture(scope="session")
def pubsub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    """Google's emulator; use topics of your own (`pubsub_topic`)."""
    with start_pubsub(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


@pytest.fixture
def pubsub_topic(pubsub_server: PubSubServer) -> str:
    """A new, empty topic with a subscription."""
    return pubsub_server.create_topic(f"orders-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def google_server() -> Iterator[GoogleServer]:
    """A token endpoint that verifies signatures, and the API behind it, without topics."""
    with start_google() as server:
        yield server
