"""The Pub/Sub sink on Google's emulator; credentials and rights on a strict server of the same API.

What arrived is pulled by a client that shares no code with RouteStudio.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks.base import Payload
from routestudio.sinks.gcp_pubsub import tokens
from routestudio.sinks.gcp_pubsub.sink import GcpPubSub
from tests.support.check_table import CheckTable
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.ports import free_port
from tests.support.pubsub_server import (
    PROJECT,
    Account,
    GoogleServer,
    PubSubServer,
    error_reply,
    start_pubsub,
)

pytestmark = pytest.mark.real

ROUTE = """\
def route(action, record, changes, metadata):
    return {"topic_id": "%s-" + record["region"]}
"""
SHAPE = """\
def transform(action, record, changes, metadata):
    return {"what": action, "id": record["id"], "name": record["name"]}
"""


def config(url: str, **values: Any) -> Any:
    given = {"project_id": PROJECT, "use_emulator": True, "emulator_base_url": url, **values}
    return GcpPubSub.Config.model_validate(given)


def records(settings: Any, topic: str, count: int) -> list[Any]:
    routing = GcpPubSub.Routing(topic_id=topic)
    found = []
    for number in range(count):
        item = message_from({"action": "insert", "record": {"id": number, "name": "Zoë"}})
        found.append(GcpPubSub.encode(settings, item, routing, Payload(item.as_json())))
    return found


async def send(settings: Any, batch: list[Any]) -> list[Any]:
    link = GcpPubSub.connect(settings)
    try:
        return list(await link.send(batch))
    finally:
        await link.close()


# --- whole routes -----------------------------------------------------------------------------


def samples() -> str:
    rows = []
    for number in range(120):
        action = ("insert", "update", "delete", "read")[number % 4]
        region = ("eu", "us", "ap")[number % 3]
        rows.append({
            "action": action,
            "record": {"id": number % 40, "region": region, "name": f"Zoë {number} \u2028 \"x\""},
            "changes": {"name": "old"} if action == "update" else None,
            "metadata": {"table_name": "orders", "commit_lsn": 1000 + number,
                         "record_pks": [str(number % 40)]},
        })  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def project(folder: Path, destination: dict[str, Any], *, prefix: str = "", shape: bool = False,
            **sink: Any) -> Path:  # fmt: skip
    """A project with one Pub/Sub sink; dynamic when `prefix` is given."""
    functions: list[dict[str, Any]] = []
    if prefix:
        functions.append({"name": "by-region", "type": "routing", "sink_type": "gcp_pubsub",
                          "language": "python", "code": ROUTE % prefix})  # fmt: skip
        sink["routing"] = "by-region"
    if shape:
        functions.append({"name": "short", "type": "transform", "language": "python",
                          "code": SHAPE})  # fmt: skip
        sink["transform"] = "short"
    data = {
        "functions": functions,
        "sinks": [{"name": "out", "database": "shop", **sink,
                   "destination": {"type": "gcp_pubsub", "project_id": PROJECT, **destination}}],
    }  # fmt: skip
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "all.jsonl").write_text(samples())
    # JSON is YAML.
    (folder / "sequin.yaml").write_text(json.dumps(data, indent=1))
    return folder


async def previewed(service: EngineService) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    await service.preview_all("out", rows.append, sample="all")
    return [row for row in rows if row["ok"] and not row["filtered"]]


def said(row: dict[str, Any]) -> str:
    """What a preview row says will be received from its topic."""
    request = row["request"]
    topic = request["url"].rpartition("/")[2].removesuffix(":publish")
    return json.dumps(
        [topic, request["data"], request["attributes"], request.get("orderingKey")], sort_keys=True
    )


def got(server: PubSubServer, topic: str, count: int) -> list[str]:
    found = server.pull(topic, count)
    assert server.drained(topic)
    assert len({item.message_id for item in found}) == len(found)
    return [
        json.dumps([topic, item.data.decode(), item.attributes, item.ordering_key], sort_keys=True)
        for item in found
    ]


@pytest.mark.parametrize("grouping", [True, False])
async def test_what_arrives_at_one_topic_is_what_the_preview_said(
    service: EngineService, pubsub_server: PubSubServer, pubsub_topic: str, tmp_path: Path,
    grouping: bool,
) -> None:  # fmt: skip
    destination = {"use_emulator": True, "emulator_base_url": pubsub_server.url,
                   "topic_id": pubsub_topic}  # fmt: skip
    folder = project(tmp_path / "p", destination, batch_size=50, message_grouping=grouping)
    await service.open(str(folder))
    rows = await previewed(service)
    assert {row["action"] for row in rows} == {"insert", "update", "delete", "read"}
    steps = await service.checks.sink("out")
    assert {step.status for step in steps} <= {"passed", "skipped"}, steps
    assert pubsub_server.drained(pubsub_topic), "the check delivered something"
    summary = await service.run("out", sample="all")
    assert summary["delivered"] == len(rows) == 120
    arrived = got(pubsub_server, pubsub_topic, len(rows))
    assert Counter(arrived) == Counter(map(said, rows))
    keys = {json.loads(item)[3] for item in arrived}
    assert keys == ({str(number) for number in range(40)} if grouping else {None})
    if grouping:
        for key in keys:
            ours = [said(row) for row in rows if row["group_id"] == key]
            assert [item for item in arrived if json.loads(item)[3] == key] == ours


async def test_a_function_and_a_transform_decide_topic_and_data(
    service: EngineService, pubsub_server: PubSubServer, tmp_path: Path
) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}"
    destination = {"use_emulator": True, "emulator_base_url": pubsub_server.url}
    await service.open(str(project(tmp_path / "p", destination, prefix=prefix, shape=True)))
    rows = await previewed(service)
    steps = await service.checks.sink("out", sample="all")
    failed = {step.target for step in steps if step.status == "failed"}
    assert failed == {f"{prefix}-{region}" for region in ("eu", "us", "ap")}
    for topic in failed:
        pubsub_server.create_topic(topic)  # type: ignore[arg-type]
    steps = await service.checks.sink("out", sample="all")
    assert {step.status for step in steps} <= {"passed", "skipped"}, steps
    summary = await service.run("out", sample="all")
    assert summary["delivered"] == len(rows) == 120
    arrived = [item for topic in failed for item in got(pubsub_server, topic, 40)]  # type: ignore[arg-type]
    assert Counter(arrived) == Counter(map(said, rows))
    for row in rows:
        assert json.loads(row["request"]["data"]) == row["payload"]
        assert set(row["payload"]) == {"what", "id", "name"}


@pytest.mark.parametrize("as_text", [True, False])
async def test_credentials_from_a_variable_sign_the_delivery(
    service: EngineService, google_server: GoogleServer, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, as_text: bool,
) -> None:  # fmt: skip
    """As one JSON text, and as a map whose private key alone is a variable."""
    google_server.topics["orders"] = True
    key = google_server.credentials()
    monkeypatch.setenv("GCP_CREDENTIALS", json.dumps(key))
    monkeypatch.setenv("GCP_PRIVATE_KEY", key["private_key"])
    given: Any = "${GCP_CREDENTIALS}"
    if not as_text:
        given = {**key, "private_key": "${GCP_PRIVATE_KEY}", "private_key_id": "key-1"}
    destination = {"endpoint_url": google_server.url, "topic_id": "orders", "credentials": given}
    folder = project(tmp_path / "p", destination, batch_size=30)
    await service.open(str(folder))
    rows = await previewed(service)
    steps = await service.checks.sink("out")
    assert {step.status for step in steps} <= {"passed", "skipped"}, steps
    summary = await service.run("out", sample="all")
    assert summary["delivered"] == len(rows) == len(google_server.published)
    assert not google_server.faults_of_rules
    shown = json.dumps([rows, summary]) + str(steps)
    assert key["private_key"].splitlines()[3] not in shown
    assert not [token for token in google_server.issued if token in shown]


async def test_a_run_loses_and_doubles_nothing_when_requests_fail(
    service: EngineService, google_server: GoogleServer, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two throttled requests, and one message that the service refuses."""
    google_server.topics["orders"] = True
    google_server.refuse_data = "Zoë 77 "
    google_server.faults += [error_reply(429, "RESOURCE_EXHAUSTED", "slow down"),
                             error_reply(503, "UNAVAILABLE", "again")]  # fmt: skip
    monkeypatch.setenv("GCP_CREDENTIALS", json.dumps(google_server.credentials()))
    destination = {"endpoint_url": google_server.url, "topic_id": "orders",
                   "credentials": "${GCP_CREDENTIALS}"}  # fmt: skip
    folder = project(tmp_path / "p", destination, batch_size=20)
    await service.open(str(folder))
    rows = await previewed(service)
    letters = tmp_path / "dead.jsonl"
    summary = await service.run("out", sample="all", dead_letters=str(letters))
    assert summary["delivered"] == 119
    assert summary["rejected"] == 1
    assert summary["retried"] >= 20
    (dead,) = letters.read_text().removesuffix("\n").split("\n")
    assert "Zoë 77 " in json.dumps(json.loads(dead), ensure_ascii=False)
    traces = Counter(item["attributes"]["trace_id"] for _, item in google_server.published)
    wanted = Counter(row["request"]["attributes"]["trace_id"] for row in rows
                     if "Zoë 77 " not in row["request"]["data"])  # fmt: skip
    assert traces == wanted


# --- the service goes away --------------------------------------------------------------------


async def test_a_thousand_messages_travel_in_one_request(
    pubsub_server: PubSubServer, pubsub_topic: str
) -> None:
    settings = config(pubsub_server.url)
    batch = records(settings, pubsub_topic, 1000)
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    arrived = await asyncio.to_thread(pubsub_server.pull, pubsub_topic, 1000)
    assert sorted(item.data for item in arrived) == sorted(record.data for record in batch)


async def test_a_missing_topic_rejects_and_creates_nothing(pubsub_server: PubSubServer) -> None:
    settings = config(pubsub_server.url)
    outcomes = await send(settings, records(settings, "no-such-topic", 2))
    assert [(o.status, o.code) for o in outcomes] == [("rejected", "http_404")] * 2
    assert "Topic not found" in outcomes[0].reason
    names = [item["name"] for item in pubsub_server.request("GET", "topics").get("topics", [])]
    assert not [name for name in names if name.endswith("no-such-topic")]


async def test_the_emulator_dies_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    with start_pubsub(tmp_path / "one", port) as server:
        server.create_topic("orders")
        settings = config(server.url)
        link = GcpPubSub.connect(settings)
        assert {o.status for o in await link.send(records(settings, "orders", 3))} == {"delivered"}
    lost = await link.send(records(settings, "orders", 3))
    assert [(o.status, o.unreachable, o.unknown) for o in lost] == [("retry", True, False)] * 3
    with start_pubsub(tmp_path / "two", port) as server:
        server.create_topic("orders")
        assert {o.status for o in await link.send(records(settings, "orders", 3))} == {"delivered"}
        assert len(server.pull("orders", 3)) == 3
        await link.close()


async def test_an_answer_that_is_lost_after_delivery_is_unknown(
    pubsub_server: PubSubServer, pubsub_topic: str, http_receiver: HttpReceiver
) -> None:
    """A relay in front of the emulator passes the request on and loses the answer."""

    def relay(request: Received) -> Reply:
        import http.client

        connection = http.client.HTTPConnection(pubsub_server.host, pubsub_server.port, timeout=60)
        try:
            connection.request(request.method, request.target, request.body, {
                name: value for name, value in request.headers
                if name in ("content-type", "content-encoding")
            })  # fmt: skip
            assert connection.getresponse().status == 200
        finally:
            connection.close()
        return Reply(200, b"0123456789", cut="body")

    http_receiver.answer = relay
    settings = config(http_receiver.url)
    outcomes = await send(settings, records(settings, pubsub_topic, 2))
    assert [(o.status, o.unknown, o.unreachable) for o in outcomes] == [("retry", True, False)] * 2
    assert len(pubsub_server.pull(pubsub_topic, 2)) == 2


# --- the check --------------------------------------------------------------------------------


def cloud(server: GoogleServer, **credentials: Any) -> Any:
    key = {**server.credentials(), **credentials}
    return GcpPubSub.Config.model_validate(
        {"project_id": PROJECT, "endpoint_url": server.url, "credentials": key}
    )


async def test_pubsub_check_table(
    pubsub_server: PubSubServer, google_server: GoogleServer, closed_port: int, silent_port: int,
    garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    topic = pubsub_server.create_topic("check-table-orders")
    google_server.topics |= {"orders": True, "locked": False}

    def to(name: str) -> Any:
        return GcpPubSub.Routing(topic_id=name)

    known, emulator = to("orders"), config(pubsub_server.url)
    table = CheckTable(
        GcpPubSub,
        "Google's Pub/Sub emulator and, for credentials and rights, a strict server of the same "
        "API that verifies signatures",
    )
    await table.run_both("right credentials", emulator, to(topic), "target passed",
                         variant="emulator, none needed")  # fmt: skip
    right = cloud(google_server)
    await table.run_both("right credentials", right, known, "target passed")
    await table.run("right credentials", "dynamic", right, [], "authenticate passed",
                    variant="no samples")  # fmt: skip
    google_server.may_see = False
    await table.run_both("right credentials", right, known, "target passed",
                         variant="may publish, but not look topics up")  # fmt: skip
    locked = to("locked")
    await table.run_both("missing right", right, locked, "target failed",
                         variant="neither look up nor publish")  # fmt: skip
    google_server.may_see = True
    await table.run_both("missing right", right, locked, "target failed", variant="publish")
    await table.run("missing right", "dynamic", right, [known, locked], "target failed",
                    variant="one of two topics")  # fmt: skip
    stranger = Account().json(f"{google_server.url}/token")["private_key"]
    denied = "authenticate failed"
    await table.run_both("wrong credentials", cloud(google_server, private_key=stranger), known,
                         denied, variant="key of another account")  # fmt: skip
    await table.run_both("wrong credentials", cloud(google_server, private_key_id="gone"), known,
                         denied, variant="deleted key")  # fmt: skip
    absent = to("check-table-missing")
    await table.run_both("missing target", emulator, absent, "target failed", variant="emulator")
    await table.run_both("missing target", right, absent, "target failed")
    closed = config(f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", closed, known, "connect failed", variant="port")
    unknown = config("http://no-such-host.invalid")
    await table.run_both("unreachable", unknown, known, "resolve failed", variant="host")
    offline = cloud(google_server, token_uri=f"http://127.0.0.1:{closed_port}/token")
    await table.run_both("unreachable", offline, known, denied, variant="token endpoint")
    garbage = config(f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, known, denied, variant="not HTTP")
    secure = config(pubsub_server.url.replace("http:", "https:"))
    await table.run_both("wrong protocol", secure, known, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    await table.run_both("wrong protocol", config(google_server.url), known, denied,
                         variant="no emulator")  # fmt: skip
    silent = config(f"http://127.0.0.1:{silent_port}")
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 2.5)
    monkeypatch.setattr(tokens, "TOKEN_SECONDS", 1.5)
    await table.run_both("timeout", silent, known, denied)
    mute = cloud(google_server, token_uri=f"http://127.0.0.1:{silent_port}/token")
    await table.run_both("timeout", mute, known, denied, variant="token endpoint")
    table.finish()
    assert google_server.published == []
    assert pubsub_server.drained(topic)
