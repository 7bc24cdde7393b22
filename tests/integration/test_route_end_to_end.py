"""Whole routes: the demo project, previewed, checked and run against real servers.

What the servers got is read by clients that share no code with RouteStudio and compared with the
preview, message by message.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from routestudio.api.checks import Step
from routestudio.engine.service import EngineService
from routestudio.sinks.kafka.phash2 import partition
from tests.support.http_server import HttpReceiver
from tests.support.kafka_server import KafkaServer
from tests.support.redis_server import RedisServer

DEMO = Path(__file__).parents[2] / "resources" / "demo"
LISTENERS = [
    ("plaintext", None),
    ("ssl", None),
    ("sasl_plaintext", "plain"),
    ("sasl_plaintext", "scram_sha_512"),
    ("sasl_ssl", "scram_sha_256"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "shop"))


async def previewed(service: EngineService, sink: str) -> list[dict[str, Any]]:
    """The rows that a run has to deliver."""
    rows: list[dict[str, Any]] = []
    await service.preview_all(sink, rows.append, sample="shop")
    return [row for row in rows if row["ok"] and not row["filtered"]]


def edit(project: Path, old: str, new: str) -> None:
    file = project / "sequin.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def verdicts(steps: Sequence[Step]) -> set[str]:
    return {step.status for step in steps}


@pytest.mark.usefixtures("trusted_ca")
@pytest.mark.parametrize(("listener", "mechanism"), LISTENERS)
async def test_kafka(
    service: EngineService, project: Path, kafka_server: KafkaServer, listener: str,
    mechanism: str | None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    prefix = f"e2e-{uuid.uuid4().hex[:8]}."
    code = project / "functions/orders_by_region.py"
    code.write_text(code.read_text().replace('"orders.', f'"{prefix}orders.'))
    lines = [f"tls: {'true' if 'ssl' in listener else 'false'}"]
    if mechanism:
        monkeypatch.setenv("KAFKA_WORD", kafka_server.passwords["writer"])
        lines += [f"sasl_mechanism: {mechanism}", "username: writer", "password: ${KAFKA_WORD}"]
    edit(project, "compression: none", "\n      ".join(["compression: none", *lines]))
    hosts = getattr(kafka_server, listener).replace("127.0.0.1", "localhost")
    monkeypatch.setenv("SHOP_KAFKA_HOSTS", hosts)
    await service.open(str(project))
    rows = await previewed(service, "orders-to-kafka")
    assert len(rows) > 20
    topics = sorted({row["request"]["topic"] for row in rows})
    assert all(topic.startswith(prefix) for topic in topics)
    missing = await service.checks.sink("orders-to-kafka", sample="shop")
    assert {s.status for s in missing if s.step == "target"} == {"failed"}
    for topic in topics:
        kafka_server.create_topic(topic, 3)
    steps = await service.checks.sink("orders-to-kafka", sample="shop")
    assert verdicts(steps) <= {"passed", "skipped"}, steps
    summary = await service.run("orders-to-kafka", sample="shop")
    found = kafka_server.read(*topics)
    assert summary["delivered"] == len(rows) == len(found)
    wanted = Counter((r["request"]["topic"], r["request"]["key"], r["request"]["value"])
                     for r in rows)  # fmt: skip
    assert Counter((f.topic, (f.key or b"").decode(), (f.value or b"").decode())
                   for f in found) == wanted  # fmt: skip
    assert all(f.partition == partition(f.key or b"", 3) for f in found)
    for row in rows:
        assert json.loads(row["request"]["value"]) == json.loads(json.dumps(row["payload"]))


async def test_redis(
    service: EngineService, project: Path, redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    edit(project, "port: 6379", f"port: {redis_server.port}")
    monkeypatch.setenv("SHOP_REDIS_HOST", redis_server.host)
    await service.open(str(project))
    rows = await previewed(service, "customers-to-redis")
    assert rows
    steps = await service.checks.sink("customers-to-redis", sample="shop")
    assert verdicts(steps) <= {"passed", "skipped"}, steps
    assert redis_server.command("DBSIZE") == 0
    summary = await service.run("customers-to-redis", sample="shop")
    assert summary["delivered"] == len(rows)
    last = {row["request"]["key"]: row["request"] for row in rows}
    assert redis_server.command("DBSIZE") == sum("value" in each for each in last.values())
    for key, request in last.items():
        stored = redis_server.command("GET", key)
        assert (stored.decode() if isinstance(stored, bytes) else None) == request.get("value")


async def test_http(
    service: EngineService, project: Path, http_receiver: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    edit(project, "batch: true", "batch: false")
    monkeypatch.setenv("SHOP_API_URL", http_receiver.url)
    await service.open(str(project))
    rows = await previewed(service, "events-to-http")
    assert rows
    steps = await service.checks.sink("events-to-http", sample="shop")
    assert "failed" not in verdicts(steps), steps
    http_receiver.reset()
    summary = await service.run("events-to-http", sample="shop")
    assert summary["delivered"] == len(rows) == len(http_receiver.requests)

    def shape(method: str, path: str, table: str | None, body: Any) -> str:
        return json.dumps([method, path, table, body], sort_keys=True)

    wanted = Counter(
        shape(r["routing"]["method"], "/hooks" + r["routing"]["endpoint_path"],
              r["routing"]["headers"]["x-table"], json.loads(json.dumps(r["payload"])))
        for r in rows
    )  # fmt: skip
    assert wanted == Counter(
        shape(r.method, r.target, r.header("x-table"), r.json()) for r in http_receiver.requests
    )
    assert {r.header("x-source") for r in http_receiver.requests} == {"shop"}
