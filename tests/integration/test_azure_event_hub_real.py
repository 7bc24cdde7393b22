"""The Event Hubs sink through the whole engine, on a strict server that verifies signatures.

Microsoft's emulator runs in containers only, so the service itself is not here.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks.azure_event_hub.sink import AzureEventHub
from routestudio.sinks.base import Payload
from tests.support.certificates import Authority
from tests.support.check_table import CheckTable
from tests.support.event_hub_server import EventHubServer, Policy, error, start_event_hubs
from tests.support.http_server import HttpReceiver, Reply

pytestmark = pytest.mark.real

ROUTE = """\
def route(action, record, changes, metadata):
    return {"event_hub_name": "orders-" + record["region"]}
"""
SHAPE = """\
def transform(action, record, changes, metadata):
    return {"what": action, "id": record["id"], "name": record["name"]}
"""
REGIONS = ("eu", "us", "ap")


def samples() -> str:
    rows = []
    for number in range(120):
        action = ("insert", "update", "delete", "read")[number % 4]
        rows.append({
            "action": action,
            "record": {"id": number % 40, "region": REGIONS[number % 3],
                       "name": f"Zoë {number} \"x\" \\ \u2028"},
            "changes": {"name": "old"} if action == "update" else None,
            "metadata": {"table_name": "orders", "commit_lsn": 1000 + number,
                         "record_pks": [str(number % 40)]},
        })  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def project(
    tmp_path: Path, event_hub_server: EventHubServer, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project with a static sink `plain` and a dynamic one `routed`."""
    monkeypatch.setenv("HUB_KEY", event_hub_server.policies["sender"].key)
    destination = {"type": "azure_event_hub", "namespace": "shop-events",
                   "shared_access_key_name": "sender", "shared_access_key": "${HUB_KEY}",
                   "endpoint_url": event_hub_server.url}  # fmt: skip
    data = {
        "functions": [
            {"name": "by-region", "type": "routing", "sink_type": "azure_event_hub",
             "language": "python", "code": ROUTE},
            {"name": "short", "type": "transform", "language": "python", "code": SHAPE},
        ],
        "sinks": [
            {"name": "plain", "database": "shop",
             "destination": {**destination, "event_hub_name": "orders"}},
            {"name": "routed", "database": "shop", "routing": "by-region", "transform": "short",
             "destination": destination},
        ],
    }  # fmt: skip
    folder = tmp_path / "p"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "all.jsonl").write_text(samples())
    # JSON is YAML.
    (folder / "sequin.yaml").write_text(json.dumps(data, indent=1))
    return folder


async def previewed(service: EngineService, sink: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    await service.preview_all(sink, rows.append, sample="all")
    return [row for row in rows if row["ok"] and not row["filtered"]]


def promised(rows: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter(
        (row["request"]["url"].split("/")[3], row["request"]["Body"]) for row in rows
    )  # fmt: skip


def taken(server: EventHubServer) -> Counter[tuple[str, str]]:
    return Counter((hub, body) for hub, bodies in server.events.items() for body in bodies)


async def test_what_arrives_at_one_hub_is_what_the_preview_said(
    service: EngineService, event_hub_server: EventHubServer, project: Path
) -> None:
    await service.open(str(project))
    rows = await previewed(service, "plain")
    assert {row["action"] for row in rows} == {"insert", "update", "delete", "read"}
    steps = await service.checks.sink("plain")
    assert {step.status for step in steps} == {"passed"}, steps
    assert event_hub_server.events == {}
    summary = await service.run("plain", sample="all")
    assert summary["delivered"] == len(rows) == 120
    assert taken(event_hub_server) == promised(rows)
    assert max(event_hub_server.requests) == 10
    assert event_hub_server.broken_rules == []
    for row in rows:
        assert json.loads(row["request"]["Body"])["data"] == row["payload"]
    assert event_hub_server.policies["sender"].key not in json.dumps([rows, summary]) + str(steps)


async def test_a_function_and_a_transform_decide_hub_and_data(
    service: EngineService, event_hub_server: EventHubServer, project: Path
) -> None:
    await service.open(str(project))
    rows = await previewed(service, "routed")
    steps = await service.checks.sink("routed", sample="all")
    failed = {step.target for step in steps if step.status == "failed"}
    assert failed == {f"orders-{region}" for region in REGIONS}
    event_hub_server.hubs |= failed  # type: ignore[arg-type]
    steps = await service.checks.sink("routed", sample="all")
    assert {step.status for step in steps} == {"passed"}, steps
    summary = await service.run("routed", sample="all")
    assert summary["delivered"] == len(rows) == 120
    assert taken(event_hub_server) == promised(rows)
    assert {len(bodies) for bodies in event_hub_server.events.values()} == {40}
    assert set(json.loads(rows[0]["request"]["Body"])["data"]) == {"what", "id", "name"}


async def test_a_run_loses_and_doubles_nothing_when_requests_fail(
    service: EngineService, event_hub_server: EventHubServer, project: Path, tmp_path: Path
) -> None:
    """Throttled, busy, and one event that is too large."""
    file = project / "samples" / "all.jsonl"
    big = json.loads(file.read_text().splitlines()[0])
    big["record"] |= {"id": 999, "name": "x" * 20_000}
    file.write_text(file.read_text() + json.dumps(big) + "\n")
    event_hub_server.limit = 12_000
    event_hub_server.faults += [error(429, "slow down"), error(503, "ServerBusy")]
    await service.open(str(project))
    rows = await previewed(service, "plain")
    letters = tmp_path / "dead.jsonl"
    summary = await service.run("plain", sample="all", dead_letters=str(letters))
    assert (summary["delivered"], summary["rejected"]) == (120, 1)
    assert summary["retried"] >= 11
    assert "too_large" in letters.read_text()
    fitting = [row for row in rows if "xxxx" not in row["request"]["Body"]]
    assert taken(event_hub_server) == promised(fitting)


async def test_a_lost_answer_doubles_at_most_its_own_request(
    service: EngineService, event_hub_server: EventHubServer, project: Path
) -> None:
    event_hub_server.faults.append(Reply(201, b"0123456789", cut="body"))
    await service.open(str(project))
    rows = await previewed(service, "plain")
    summary = await service.run("plain", sample="all")
    assert summary["delivered"] == 120
    extra = taken(event_hub_server) - promised(rows)
    assert not promised(rows) - taken(event_hub_server)
    assert 0 < extra.total() <= 10


# --- the check --------------------------------------------------------------------------------


async def test_event_hubs_check_table(
    event_hub_server: EventHubServer, http_receiver: HttpReceiver, closed_port: int,
    silent_port: int, garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = event_hub_server
    server.hubs.add("private")
    server.policies["orders-only"] = Policy("k2", hub="orders")

    def at(url: str = server.url, policy: str = "sender", key: str | None = None) -> Any:
        known = server.policies[policy].key if policy in server.policies else "unknown"
        return AzureEventHub.Config.model_validate(
            {"namespace": "shop-events", "shared_access_key_name": policy,
             "shared_access_key": key or known, "endpoint_url": url}
        )  # fmt: skip

    def to(hub: str) -> Any:
        return AzureEventHub.Routing(event_hub_name=hub)

    orders, denied = to("orders"), "authenticate failed"
    table = CheckTable(
        AzureEventHub, "a strict server of the Event Hubs API that verifies signatures"
    )
    await table.run_both("right credentials", at(), orders, "target passed")
    await table.run_both("right credentials", at(policy="orders-only"), orders, "target passed",
                         variant="policy of one event hub")  # fmt: skip
    await table.run("right credentials", "dynamic", at(), [], "authenticate passed",
                    variant="no samples")  # fmt: skip
    await table.run_both("wrong credentials", at(key="wrong"), orders, denied, variant="key")
    await table.run_both("wrong credentials", at(policy="nobody"), orders, denied,
                         variant="policy")  # fmt: skip
    await table.run_both("missing right", at(policy="orders-only"), to("private"), denied,
                         variant="policy of another event hub")  # fmt: skip
    await table.run("missing right", "dynamic", at(policy="orders-only"),
                    [orders, to("private")], "target failed",
                    variant="one of two event hubs")  # fmt: skip
    table.impossible("missing right", "a policy without Send: the request that changes nothing is "
                     "answered alike with and without it, so only a delivery shows it")  # fmt: skip
    await table.run_both("missing target", at(), to("missing"), "target failed")
    await table.run("missing target", "dynamic", at(), [orders, to("missing")], "target failed",
                    variant="one of two event hubs")  # fmt: skip
    closed = at(f"https://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", closed, orders, "connect failed", variant="port")
    unknown = at("https://no-such-host.invalid")
    await table.run_both("unreachable", unknown, orders, "resolve failed", variant="host")
    garbage = at(f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, orders, denied, variant="not HTTP")
    plain = at(server.url.replace("https:", "http:"))
    await table.run_both("wrong protocol", plain, orders, denied, variant="plain, TLS port")
    http_receiver.default = Reply(200 + 3, b"hello")
    await table.run_both("wrong protocol", at(http_receiver.url), orders,
                         "authenticate inconclusive", variant="another HTTP service")  # fmt: skip
    secure = at(f"https://127.0.0.1:{http_receiver.port}")
    await table.run_both("wrong protocol", secure, orders, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    silent = at(f"http://127.0.0.1:{silent_port}")
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 1.5)
    await table.run_both("timeout", silent, orders, denied)
    table.finish()
    assert server.events == {}


async def test_a_stranger_gets_no_signature(
    event_hub_server: EventHubServer, tmp_path: Path
) -> None:
    """A server whose certificate is not trusted is neither asked nor sent anything."""
    with start_event_hubs(Authority(tmp_path)) as stranger:
        stranger.hubs.add("orders")
        config: Any = AzureEventHub.Config.model_validate(
            {"namespace": "shop-events", "shared_access_key_name": "sender",
             "shared_access_key": "k", "endpoint_url": stranger.url}
        )  # fmt: skip
        routing = AzureEventHub.Routing(event_hub_name="orders")
        payload = Payload({"a": 1})
        record = AzureEventHub.encode(config, message_from(json.loads(samples().split("\n")[0])),
                                      routing, payload)  # fmt: skip
        link = AzureEventHub.connect(config)
        steps = [step async for step in link.check([routing])]
        (outcome,) = await link.send([record])
        await link.close()
        assert stranger.http.requests == []
    assert [step.step for step in steps if step.status == "failed"] == ["TLS"]
    assert (outcome.code, outcome.unreachable) == ("tls", True)
