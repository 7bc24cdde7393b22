"""Servers that want a certificate of their clients: without it they take nothing, with it all."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import UsageError
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared import tls as machine_tls
from routestudio.sinks.base import Payload
from routestudio.sinks.elasticsearch.sink import Elasticsearch
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from routestudio.sinks.kafka.sink import Kafka, KafkaRecord
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.rabbitmq.sink import RabbitMq
from routestudio.sinks.redis_string.sink import RedisString
from routestudio.sinks.typesense.sink import Typesense
from tests.support import nats_config, rabbitmq_config
from tests.support.certificates import Authority
from tests.support.http_server import start_http
from tests.support.kafka_server import start_kafka
from tests.support.nats_server import start_nats
from tests.support.opensearch_proxy import API_KEY, start_proxy
from tests.support.opensearch_server import start_opensearch
from tests.support.rabbitmq_server import start_rabbitmq
from tests.support.redis_server import start_redis
from tests.support.typesense_server import ADMIN, start_typesense

pytestmark = pytest.mark.real

SERVICES = ["redis", "kafka", "nats", "rabbitmq", "webhook", "typesense", "elasticsearch"]


@dataclass
class Place:
    """A sink's configuration, a destination, and what the server has."""

    sink: Any
    config: Any
    routing: Any
    held: Callable[[], int]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("clients"), clients=True)


@pytest.fixture(autouse=True)
def _trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


@pytest.fixture(scope="module", params=SERVICES)
def place(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        yield globals()[f"_{request.param}"](stack, folder, authority)


def _redis(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    server = stack.enter_context(start_redis(folder, authority=authority))
    config = RedisString.Config(host="localhost", port=server.port, tls=True)
    return Place(RedisString, config, RedisString.Routing(key="k", action="set"),
                 lambda: len(server.contents()))  # fmt: skip


def _kafka(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    server = stack.enter_context(start_kafka(folder, authority))
    topic = server.create_topic(f"orders-{uuid.uuid4().hex[:8]}")
    config = Kafka.Config(hosts=server.ssl.replace("127.0.0.1", "localhost"), tls=True)
    return Place(Kafka, config, Kafka.Routing(topic=topic), lambda: len(server.read(topic)))


def _nats(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    server = stack.enter_context(start_nats(folder, authority=authority))
    wire = stack.enter_context(server.wire())
    wire.subscribe("orders")
    found: list[Any] = []
    return Place(Nats, nats_config.settings(server), Nats.Routing(subject="orders", headers={}),
                 lambda: len(found.extend(wire.rest()) or found))  # fmt: skip


def _rabbitmq(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    server = stack.enter_context(start_rabbitmq(folder, authority=authority))
    server.exchange("orders")
    server.queue("all", ("orders", "#"))
    found: list[Any] = []
    return Place(RabbitMq, rabbitmq_config.settings(server, tls=True),
                 RabbitMq.Routing(exchange="orders", routing_key="k", message_id="m", headers={}),
                 lambda: len(found.extend(server.drain("all")) or found))  # fmt: skip


def _webhook(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    receiver = stack.enter_context(start_http(authority))
    url = receiver.url.replace("127.0.0.1", "localhost")
    config = HttpPush.Config(http_endpoint=HttpEndpoint(url=url))  # type: ignore[arg-type]
    return Place(HttpPush, config, HttpPush.Routing(method="POST"),
                 lambda: sum(each.method == "POST" for each in receiver.requests))  # fmt: skip


def _typesense(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    server = stack.enter_context(start_typesense(authority))
    server.create("orders")
    url = server.url.replace("127.0.0.1", "localhost")
    config = Typesense.Config.model_validate({"endpoint_url": url, "api_key": ADMIN})
    return Place(Typesense, config, Typesense.Routing(collection_name="orders", action="index"),
                 lambda: len(server.said("POST", "/documents")))  # fmt: skip


def _elasticsearch(stack: ExitStack, folder: Path, authority: Authority) -> Place:
    """A real OpenSearch behind a proxy that wants the certificates."""
    server = stack.enter_context(start_opensearch(folder))
    server.create_index("orders")
    proxy = stack.enter_context(start_proxy(server, authority))
    url = proxy.receiver.url.replace("127.0.0.1", "localhost")
    given = {"endpoint_url": url, "auth_type": "api_key", "auth_value": API_KEY}
    return Place(Elasticsearch, Elasticsearch.Config.model_validate(given),
                 Elasticsearch.Routing(index_name="orders"),
                 lambda: len(server.documents("orders")))  # fmt: skip


@asynccontextmanager
async def linked(place: Place) -> AsyncIterator[Any]:
    link = place.sink.connect(place.config)
    try:
        yield link
    finally:
        await link.close()


async def deliver(place: Place) -> Any:
    message = message_from({"action": "insert", "record": {"id": 1}})
    if place.sink is Kafka:
        record: Any = KafkaRecord(place.routing.topic, b"1", b"{}")
    else:
        record = place.sink.encode(place.config, message, place.routing, Payload({"id": "1"}))
    async with linked(place) as link:
        [outcome] = await link.send([record])
    return outcome


async def steps(place: Place) -> list[CheckStep]:
    async with linked(place) as link:
        return [step async for step in link.check([place.routing])]


@pytest.fixture
def shown(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client certificate of the authority is shown."""
    chain, key = authority.server_files("client", "client")
    monkeypatch.setenv(machine_tls.CERTIFICATE, str(chain))
    monkeypatch.setenv(machine_tls.KEY, str(key))


async def test_without_a_certificate_nothing_is_taken(place: Place) -> None:
    before = place.held()
    outcome = await deliver(place)
    assert outcome.status == "retry"
    assert place.held() == before
    failed = next(step for step in await steps(place) if step.status == "failed")
    assert failed.step in ("TLS", "authenticate")
    # NATS turns TLS on after the server's first words, and answers to the sign-in. Others may do so
    # on a busy machine, when their refusal comes later than the step waits.
    if failed.step == "TLS" or place.sink is Nats:
        assert failed.detail == "the server wants a client certificate"
        assert machine_tls.CERTIFICATE in (failed.hint or "")


@pytest.mark.usefixtures("shown")
async def test_with_a_certificate_the_check_passes_and_rows_arrive(place: Place) -> None:
    found = await steps(place)
    assert [s for s in found if s.status == "failed"] == []
    assert "passed" in {s.status for s in found if s.step == "TLS"}
    before = place.held()
    assert (await deliver(place)).status == "delivered"
    assert place.held() == before + 1


async def test_a_certificate_of_another_authority_is_named(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = Authority(tmp_path).server_files("stranger", "stranger")
    monkeypatch.setenv(machine_tls.CERTIFICATE, str(chain))
    monkeypatch.setenv(machine_tls.KEY, str(key))
    failed = next(step for step in await steps(place) if step.status == "failed")
    assert failed.step in ("TLS", "authenticate")
    if failed.step == "TLS" or place.sink is Nats:
        assert failed.detail == "the server does not take the client certificate"


def test_a_file_that_cannot_be_used_is_named(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(machine_tls.CERTIFICATE, str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="there is no such file"):
        machine_tls.load()
    chain, _ = authority.server_files("other", "client")
    monkeypatch.setenv(machine_tls.CERTIFICATE, str(chain))
    with pytest.raises(UsageError, match=f"{machine_tls.CERTIFICATE} names cannot be used"):
        machine_tls.load()
