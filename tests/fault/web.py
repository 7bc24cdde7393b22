"""Services that speak HTTP for the fault tests: real ones, and strict ones inside of the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from tests.fault.service import (
    INSIDE,
    MEMORY,
    PLACES,
    Sequences,
    Service,
    Tools,
    by_link,
    place_names,
)
from tests.support.aws_server import AwsServer, emulator
from tests.support.event_hub_server import start_event_hubs
from tests.support.fault_gate import Gate, one_at_a_time
from tests.support.http_server import Reply, start_http
from tests.support.meilisearch_server import WRITER as MEILISEARCH_KEY
from tests.support.meilisearch_server import start_meilisearch
from tests.support.opensearch_server import OpenSearchServer
from tests.support.oracle import NUMBER, number_in, numbers_in
from tests.support.ports import LOOPBACK
from tests.support.pubsub_server import PROJECT, PubSubServer
from tests.support.s2_server import BASIN, start_s2
from tests.support.s2_server import WRITER as S2_TOKEN
from tests.support.typesense_server import WRITER as TYPESENSE_KEY
from tests.support.typesense_server import start_typesense

# --- HTTP -------------------------------------------------------------------------------------


def http_push(tools: Tools) -> Service:
    receiver = tools.stack.enter_context(start_http())
    gate = Gate(lambda request: Reply())
    proxy = tools.proxied(receiver.port)

    def begin() -> None:
        receiver.reset()
        receiver.answer = gate.answer

    url = f"http://{LOOPBACK}:{proxy.port}"
    return Service(
        "http_push", proxy, {"http_endpoint": "api", "batch": True},
        lambda place, message: {"endpoint_path": f"/place-{place}"}, begin,
        lambda: {"requests": [n for _, body in gate.taken for n in numbers_in(body)]},
        gate=gate, deadline=by_link, notes={"killed": INSIDE},
        resources={"http_endpoints": {"api": {"name": "api", "url": url}}},
    )  # fmt: skip


def s2(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_s2())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in place_names():
            server.create(name)

    return Service(
        "s2", proxy,
        {"access_token": SecretStr(S2_TOKEN), "endpoint_url": f"http://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"basin": BASIN, "stream": place_names()[place]}, begin,
        lambda: {name: [number_in(text) for text in server.records(name)]
                 for name in place_names()},
        gate=gate, deadline=by_link, notes={"killed": INSIDE},
    )  # fmt: skip


def event_hub(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_event_hubs(tools.fixture("ca")))
    gate = Gate(server.answer)
    proxy = tools.proxied(server.http.port)
    server.http.port = proxy.port  # signatures are for the address that clients use

    def begin() -> None:
        server.http.reset()
        server.http.answer = gate.answer
        server.hubs.update(place_names())
        server.events.clear()

    def arrived() -> Sequences:
        assert server.broken_rules == []
        return {hub: [number_in(body) for body in bodies] for hub, bodies in server.events.items()}

    return Service(
        "azure_event_hub", proxy,
        {"namespace": "shop-events", "shared_access_key_name": "sender",
         "shared_access_key": SecretStr(server.policies["sender"].key),
         "endpoint_url": f"https://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"event_hub_name": place_names()[place]}, begin, arrived,
        gate=gate, deadline=by_link, notes={"killed": INSIDE},
    )  # fmt: skip


def meilisearch(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_meilisearch())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in place_names():
            server.create(name)

    return Service(
        "meilisearch", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "api_key": SecretStr(MEILISEARCH_KEY)},
        lambda place, message: {"action": "index", "index_name": place_names()[place]}, begin,
        lambda: by_target(gate), gate=gate, path="record", deadline=by_link,
        states=lambda: documents(server.indexes), notes={"killed": INSIDE},
    )  # fmt: skip


def typesense(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_typesense())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in place_names():
            server.create(name)

    return Service(
        "typesense", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "api_key": SecretStr(TYPESENSE_KEY)},
        lambda place, message: {"action": "index", "collection_name": place_names()[place]}, begin,
        lambda: by_target(gate), gate=gate, path="record", deadline=by_link,
        states=lambda: documents(server.collections), notes={"killed": INSIDE},
    )  # fmt: skip


def elasticsearch(tools: Tools) -> Service:
    server: OpenSearchServer = tools.fixture("_opensearch")
    gate, proxy = tools.gated(server.port)

    def states() -> dict[str, int]:
        return documents({name: server.documents(name) for name in place_names()})

    def begin() -> None:
        server.clear()
        for name in place_names():
            server.create_index(name, number="integer")

    return Service(
        "elasticsearch", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "auth_type": "none"},
        lambda place, message: {"index_name": place_names()[place]}, begin, lambda: by_target(gate),
        gate=gate, path="record", deadline=by_link, states=states,
        notes={"killed": "starts slowly: the proxy before it goes down instead"},
    )  # fmt: skip


def by_target(gate: Gate) -> Sequences:
    """What a gate let through, by the path of the request."""
    found: dict[str, list[int]] = {}
    for target, body in gate.taken:
        found.setdefault(target.partition("?")[0], []).extend(numbers_in(body))
    return found


def documents(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """The number in each document, by place and id."""
    return {
        f"{name.rpartition('-')[2]}/{key}": int(document[NUMBER])
        for name, held in kept.items()
        for key, document in held.items()
    }


def pubsub(tools: Tools) -> Service:
    server: PubSubServer = tools.fixture("pubsub_server")
    gate, proxy = tools.gated(server.port)
    run = 0

    def names() -> list[str]:
        return place_names(f"{tools.folder.name}-run{run}")

    def begin() -> None:
        nonlocal run
        run += 1
        for name in names():
            server.create_topic(name)

    def arrived() -> Sequences:
        found = {}
        for name in names():
            items = []
            while True:
                more = server.pull(name, 1, timeout=0.1)
                items += more
                if not more:
                    break
            found[name] = [number_in(item.data.decode()) for item in items]
        return found

    return Service(
        "gcp_pubsub", proxy,
        {"project_id": PROJECT, "use_emulator": True,
         "emulator_base_url": f"http://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"topic_id": names()[place]}, begin, arrived, gate=gate,
        deadline=by_link, notes={"killed": MEMORY},
    )  # fmt: skip


def aws(tools: Tools, key: str) -> Service:
    server: AwsServer = tools.fixture("aws_server")
    gate, proxy = tools.gated(server.port)
    if key == "kinesis":
        gate.service = one_at_a_time(gate.service)
    names: list[str] = []
    queues: list[str] = []

    def begin() -> None:
        names.clear()
        queues.clear()
        with server.talking(key), server.talking("sqs"):
            make()

    def make() -> None:
        for _ in range(PLACES):
            if key == "kinesis":
                names.append(server.stream())
            elif key == "sqs":
                names.append(server.queue(fifo=True))
            else:
                names.append(server.topic(fifo=True))
                queues.append(server.subscribed(names[-1]))

    def arrived() -> Sequences:
        with server.talking("kinesis" if key == "kinesis" else "sqs"):
            return look()

    def look() -> Sequences:
        if key != "kinesis":
            return {url: [number_in(item["Body"]) for item in server.messages(url)]
                    for url in (queues or names)}  # fmt: skip
        found: dict[str, list[int]] = {}
        for arn in names:
            for item in server.records(arn):
                found.setdefault(f"{arn}/{item['PartitionKey']}", []).append(
                    number_in(item["Data"].decode())
                )
        return found

    field = {"kinesis": "stream_arn", "sqs": "queue_url", "sns": "topic_arn"}[key]
    return Service(
        key, proxy, emulator(f"http://{LOOPBACK}:{proxy.port}"),
        lambda place, message: {field: names[place]}, begin, arrived, gate=gate,
        deadline=by_link, notes={"killed": MEMORY},
        share=1.0 if key == "kinesis" else 0.35,
    )  # fmt: skip
