"""Reading back with the sink's own credentials: TLS, rights, secrets, clusters, environments."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.cli.main import run as command_line
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from tests.support.fixtures import PASSWORD
from tests.support.kafka_server import KafkaServer
from tests.support.rabbitmq_server import PASSWORD as RABBIT_PASSWORD
from tests.support.rabbitmq_server import VHOST, RabbitServer
from tests.support.read_back import ROWS, counts, delivered, project, read
from tests.support.redis_server import RedisServer, start_cluster

pytestmark = pytest.mark.real


def signed_in(server: KafkaServer, user: str, topic: str) -> dict[str, Any]:
    return {"type": "kafka", "hosts": server.sasl_ssl, "topic": topic, "tls": True,
            "sasl_mechanism": "scram_sha_256", "username": user,
            "password": server.passwords[user]}  # fmt: skip


@pytest.mark.usefixtures("trusted_ca")
async def test_a_user_without_rights_on_groups_may_read_a_topic_back(
    kafka_server: KafkaServer, service: EngineService, tmp_path: Path
) -> None:
    topic = kafka_server.create_topic(f"back-{uuid.uuid4().hex[:8]}", partitions=2)
    rows = ROWS["messages"](tmp_path)
    for user in ("writer", "reader"):
        (tmp_path / user).mkdir()
    writer = project(tmp_path / "writer", signed_in(kafka_server, "writer", topic))
    await delivered(service, writer, rows)
    with pytest.raises(LinkError, match="Topic authorization failed") as caught:
        await read(service, rows)
    assert kafka_server.passwords["writer"] not in str(caught.value)
    await service.open(str(project(tmp_path / "reader", signed_in(kafka_server, "reader", topic))))
    assert counts(await read(service, rows)) == {"equal": 12}


@pytest.mark.usefixtures("trusted_ca")
async def test_a_secret_that_a_record_holds_is_not_shown(
    redis_tls_server: RedisServer, service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "redis_stream", "host": "localhost", "port": redis_tls_server.port,
             "password": "${REDIS_WORD}", "tls": True, "stream_key": "held"}  # fmt: skip
    path = project(tmp_path, place)
    (path / ".env").write_text(f"REDIS_WORD={PASSWORD}\n")
    rows = tmp_path / "rows.jsonl"
    record = {"id": 1, "note": f"the word is {PASSWORD}", PASSWORD: 2}
    rows.write_text(json.dumps({"action": "insert", "record": record}))
    await delivered(service, path, rows)
    redis_tls_server.command("XADD", "held", "*", PASSWORD, PASSWORD)
    found = await read(service, rows)
    # Compared as it is, shown without it.
    assert counts(found) == {"equal": 1, "other": 1}
    assert PASSWORD not in json.dumps(found)
    assert "the word is ••••" in json.dumps(found, ensure_ascii=False)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[RedisServer]]:
    with start_cluster(tmp_path / "cluster") as servers:
        yield servers


async def test_keys_of_a_cluster_are_read_where_they_are(
    cluster: list[RedisServer], service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "redis_string", "host": "127.0.0.1", "port": cluster[0].port}
    rows = ROWS["messages"](tmp_path)
    await delivered(service, project(tmp_path, place), rows)
    assert counts(await read(service, rows)) == {"equal": 12}
    assert all(server.contents() for server in cluster)


async def test_a_stream_of_a_cluster_is_read_where_it_is(
    cluster: list[RedisServer], service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "redis_stream", "host": "127.0.0.1", "port": cluster[0].port,
             "stream_key": "held"}  # fmt: skip
    rows = ROWS["messages"](tmp_path)
    await delivered(service, project(tmp_path, place), rows)
    assert counts(await read(service, rows)) == {"equal": 12}


async def test_a_key_of_another_kind_is_explained(
    redis_server: RedisServer, service: EngineService, tmp_path: Path
) -> None:
    redis_server.command("SADD", "sequin:towns:2", "x")
    path = project(tmp_path, {"type": "redis_string", "host": "127.0.0.1",
                              "port": redis_server.port})  # fmt: skip
    await service.open(str(path))
    with pytest.raises(LinkError, match="`sequin:towns:2` cannot be read: WRONGTYPE"):
        await read(service, ROWS["CSV"](tmp_path))


def test_a_read_only_environment_may_be_read(
    redis_server: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path, {"type": "redis_string", "host": "127.0.0.1", "port": "${PORT}"})
    (path / ".env.production").write_text(f"PORT={redis_server.port}\n")
    words = [str(path), "out", "--env", "production", "--input", str(ROWS["CSV"](tmp_path))]
    assert command_line(["run", *words]) == 2
    assert command_line(["run", *words, "--confirm", "production"]) == 0
    capsys.readouterr()
    assert command_line(["read-back", *words]) == 0
    said = capsys.readouterr().err
    assert "environment: production (read-only: check and preview only)" in said
    assert said.endswith("3 previewed: 3 equal\n")


def test_a_trace_needs_a_word_on_the_command_line(
    rabbitmq_server: RabbitServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rabbitmq_server.queue("orders", ("amq.topic", "#"))
    path = project(tmp_path, {
        "type": "rabbitmq", "host": "127.0.0.1", "port": rabbitmq_server.port,
        "exchange": "amq.topic", "virtual_host": VHOST, "username": "orders",
        "password": RABBIT_PASSWORD,
    })  # fmt: skip
    words = [str(path), "out", "--input", str(ROWS["CSV"](tmp_path))]
    assert command_line(["run", *words]) == 0
    words += ["--destination", "orders"]
    capsys.readouterr()
    assert command_line(["read-back", *words]) == 2
    assert "marked as redelivered" in (said := capsys.readouterr().err)
    assert "--yes" in said
    assert command_line(["read-back", *words, "--yes"]) == 0
    assert "3 equal" in capsys.readouterr().err


async def test_one_destination_of_several(
    redis_server: RedisServer, service: EngineService, tmp_path: Path
) -> None:
    route = {"name": "by-id", "type": "routing", "sink_type": "redis_stream", "language": "python",
             "code": "def route(action, record, changes, metadata):\n"
                     "    return {'stream_key': 'towns.' + str(record['id'])}\n"}  # fmt: skip
    place = {"type": "redis_stream", "host": "127.0.0.1", "port": redis_server.port}
    path = project(tmp_path, place, functions=[route], routing="by-id")
    rows = ROWS["CSV"](tmp_path)
    await delivered(service, path, rows)
    assert counts(await read(service, rows)) == {"equal": 3}
    found = await read(service, rows, destination="towns.2")
    assert counts(found) == {"equal": 1}
    assert [place["name"] for place in found["destinations"]] == ["towns.2"]
