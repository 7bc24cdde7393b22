"""What a run calls delivered is counted at the server, with rows as users have them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from tests.support.aws_server import AwsServer, emulator
from tests.support.kafka_server import KafkaServer
from tests.support.nats_server import NatsServer
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "data" / "debezium"


def _guide(folder: Path) -> Path:
    """The five rows of the guide to a first route, as it shows them."""
    text = (ROOT / "docs" / "guides" / "first-route.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if '"action"' in b)
    path = folder / "five.jsonl"
    path.write_text(block)
    return path


def _table(folder: Path) -> Path:
    path = folder / "towns.csv"
    path.write_text("id,name\n1,Ulm\n2,Bern\n3,Linz\n")
    return path


def _mysql(folder: Path) -> Path:
    """Events of MySQL in one transaction, in a dump with the records' keys."""
    path = folder / "mysql.jsonl"
    source = {"version": "3.6.1.Final", "connector": "mysql", "name": "shop", "db": "shop",
              "table": "orders", "file": "binlog.000003", "pos": 4711, "row": 0,
              "ts_ms": 1_700_000_000_000}  # fmt: skip
    lines = []
    for number in range(10):
        value = {"before": None, "after": {"no": f"A{number}", "qty": number},
                 "source": {**source, "row": number}, "op": "c"}  # fmt: skip
        lines.append({"topic": "shop.shop.orders", "key": json.dumps({"no": f"A{number}"}),
                      "value": json.dumps(value), "headers": []})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def _recorded(name: str) -> Callable[[Path], Path]:
    return lambda folder: RECORDED / f"{name}.jsonl"


ROWS: dict[str, tuple[Callable[[Path], Path], int]] = {
    "rows of the guide": (_guide, 5),
    "CSV": (_table, 3),
    "MySQL events": (_mysql, 10),
    "Debezium": (_recorded("default"), 0),
    "Debezium, not null": (_recorded("notnull"), 0),
    "Debezium, flattened": (_recorded("unwrap_rewrite"), 0),
}
"""Where rows come from, and how many messages they are, where that is known here."""


def write(folder: Path, destination: dict[str, Any], **more: Any) -> Path:
    """A project with one static sink."""
    text = {"sinks": [{"name": "out", "database": "shop", "batch_size": 10, **more,
                       "destination": destination}]}  # fmt: skip
    (folder / "p").mkdir()
    (folder / "p" / "sequin.yaml").write_text(json.dumps(text))
    return folder / "p"


async def run(project: Path, rows: Path) -> dict[str, Any]:
    async with EngineService() as service:
        await service.open(str(project))
        return await service.run("out", input=str(rows), dead_letters=str(project / "dead.jsonl"))


def check(summary: dict[str, Any], held: int, expected: int) -> None:
    """The run says what the server holds, and nothing is unaccounted for."""
    assert summary["delivered"] == held, summary
    assert summary["duplicates"] == 0, summary
    assert summary["read"] == summary["delivered"] + summary["rejected"] + summary["filtered"]
    if expected:
        assert held == expected


@pytest.mark.parametrize("name", ROWS)
async def test_jetstream_holds_what_was_delivered(
    nats_server: NatsServer, tmp_path: Path, name: str
) -> None:
    make, expected = ROWS[name]
    nats_server.create_stream("ALL", "sequin.>")
    project = write(tmp_path, {"type": "nats", "host": "127.0.0.1", "port": nats_server.port})
    summary = await run(project, make(tmp_path))
    assert summary["rejected"] == 0
    check(summary, len(nats_server.stored("ALL")), expected)


async def test_a_second_file_is_not_a_repetition_of_the_first(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    """Two files of three rows, within the time for which the stream remembers ids."""
    nats_server.create_stream("ALL", "sequin.>")
    project = write(tmp_path, {"type": "nats", "host": "127.0.0.1", "port": nats_server.port})
    first = _table(tmp_path)
    check(await run(project, first), len(nats_server.stored("ALL")), 3)
    first.write_text("id,name\n4,Graz\n5,Genf\n6,Lyon\n")
    summary = await run(project, first)
    assert (summary["delivered"], summary["duplicates"]) == (3, 0)
    assert len(nats_server.stored("ALL")) == 6
    again = await run(project, first)
    assert (again["delivered"], again["duplicates"]) == (0, 3)
    assert len(nats_server.stored("ALL")) == 6


@pytest.mark.parametrize("name", ROWS)
async def test_kafka_holds_what_was_delivered(
    kafka_server: KafkaServer, tmp_path: Path, name: str
) -> None:
    make, expected = ROWS[name]
    topic = kafka_server.create_topic(f"held-{uuid.uuid4().hex[:8]}", partitions=1)
    hosts = kafka_server.plaintext
    project = write(tmp_path, {"type": "kafka", "hosts": hosts, "topic": topic})
    summary = await run(project, make(tmp_path))
    assert summary["rejected"] == 0
    check(summary, len(kafka_server.read(topic)), expected)


async def test_redis_has_a_key_for_each_row(redis_server: RedisServer, tmp_path: Path) -> None:
    import redis

    project = write(tmp_path, {"type": "redis_string", "host": "127.0.0.1",
                               "port": redis_server.port})  # fmt: skip
    summary = await run(project, _mysql(tmp_path))
    with redis.Redis(port=redis_server.port, decode_responses=True) as client:
        keys = sorted(client.keys("sequin:orders:*"))
    assert keys == [f"sequin:orders:A{number}" for number in range(10)]
    check(summary, len(keys), 10)


async def test_rows_without_a_key_are_refused_where_they_would_be_one(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    import redis

    project = write(tmp_path, {"type": "redis_string", "host": "127.0.0.1",
                               "port": redis_server.port})  # fmt: skip
    rows = tmp_path / "stock.csv"
    rows.write_text("code,qty\na,1\nb,2\n")
    summary = await run(project, rows)
    assert (summary["delivered"], summary["rejected"]) == (0, 2)
    letters = (project / "dead.jsonl").read_text()
    assert "the primary key of this row is not known" in letters
    text = json.loads((project / "sequin.yaml").read_text())
    text["tables"] = [{"name": "public.stock", "key": ["code"]}]
    (project / "sequin.yaml").write_text(json.dumps(text))
    summary = await run(project, rows)
    with redis.Redis(port=redis_server.port, decode_responses=True) as client:
        keys = sorted(client.keys("sequin:stock:*"))
    assert keys == ["sequin:stock:a", "sequin:stock:b"]
    check(summary, 2, 2)


@pytest.mark.parametrize("name", ["rows of the guide", "CSV", "MySQL events"])
async def test_a_fifo_queue_holds_what_was_delivered(
    aws_server: AwsServer, tmp_path: Path, name: str
) -> None:
    make, expected = ROWS[name]
    url = aws_server.queue(fifo=True)
    project = write(tmp_path, {"type": "sqs", **emulator(aws_server, queue_url=url)})
    summary = await run(project, make(tmp_path))
    check(summary, len(aws_server.messages(url)), expected)
