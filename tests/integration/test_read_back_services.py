"""What a run delivered to services with HTTP APIs is read back, and changes there show.

OpenSearch and ElasticMQ are real; moto and the strict servers stand for services that cannot be
installed, and keep to the services' own descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import LinkError, UsageError
from tests.support import meilisearch_server as meili
from tests.support import s2_server as s2
from tests.support import typesense_server as types
from tests.support.aws_server import ACCOUNT, AwsServer, emulator
from tests.support.meilisearch_server import MeilisearchServer
from tests.support.openapi import Description
from tests.support.opensearch_proxy import OpenSearchProxy
from tests.support.opensearch_server import OpenSearchServer
from tests.support.read_back import ROWS, changed, counts, delivered, project, read
from tests.support.s2_server import BASIN, S2Server
from tests.support.typesense_server import TypesenseServer

pytestmark = pytest.mark.real

every_row = pytest.mark.parametrize("rows", ROWS)
CODE = """def transform(action, record, changes, metadata):
    return {"id": record["order_no"], "note": record["note"], "qty": record["qty"]}
"""
FLAT = {"name": "flat", "type": "transform", "language": "python", "code": CODE}
EDIT = """def route(action, record, changes, metadata):
    return {"action": "function", "index_name": "orders", "filter": "id = 1",
            "function": "doc.qty += context.by", "context": {"by": 1}}
"""


def one(found: Mapping[str, Any], verdict: str) -> dict[str, Any]:
    """The only row with a verdict."""
    [row] = [row for row in found["rows"] if row["verdict"] == verdict]
    return dict(row)


# --- OpenSearch ------------------------------------------------------------------------------


@every_row
async def test_an_index_holds_what_was_previewed(
    opensearch_server: OpenSearchServer, service: EngineService, tmp_path: Path, rows: str
) -> None:
    place = {"type": "elasticsearch", "endpoint_url": opensearch_server.url, "auth_type": "none",
             "index_name": "held"}  # fmt: skip
    # The recorded rows are of many tables, whose types one mapping could not hold.
    opensearch_server.ask("PUT", "/held", {"mappings": {"dynamic": False}})
    path, source = project(tmp_path, place), ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    found = await read(service, source)
    assert found["failed"] == summary["rejected"]
    assert sum(counts(found).values()) == summary["delivered"]
    assert set(counts(found)) <= {"equal", "replaced"}
    assert found["good"]


async def test_a_changed_and_a_removed_document_show(
    opensearch_server: OpenSearchServer, opensearch_proxy: OpenSearchProxy,
    service: EngineService, tmp_path: Path,
) -> None:  # fmt: skip
    place = {"type": "elasticsearch", "endpoint_url": opensearch_server.url, "auth_type": "none",
             "index_name": "held"}  # fmt: skip
    path, rows = project(tmp_path, place), ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    opensearch_server.ask("POST", "/held/_update/A-3", {"doc": {"action": "delete"}})
    opensearch_server.ask("DELETE", "/held/_doc/A-5")
    found = await read(service, rows)
    assert counts(found) == {"equal": 10, "different": 1, "missing": 1}
    assert one(found, "different")["changes"] == [
        {"path": "action", "expected": "insert", "found": "delete"}
    ]
    assert one(found, "missing")["key"] == "A-5"
    assert one(found, "different")["destination"] == "held"


async def test_an_index_that_is_not_there_misses_everything(
    opensearch_server: OpenSearchServer, service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "elasticsearch", "endpoint_url": opensearch_server.url, "auth_type": "none",
             "index_name": "nowhere"}  # fmt: skip
    await service.open(str(project(tmp_path, place)))
    found = await read(service, ROWS["CSV"](tmp_path))
    assert counts(found) == {"missing": 3}
    assert opensearch_server.indexes() == set()


# --- Meilisearch and Typesense ---------------------------------------------------------------


async def test_documents_of_meilisearch_are_compared(
    meilisearch_server: MeilisearchServer, meilisearch_api: Description,
    service: EngineService, tmp_path: Path,
) -> None:  # fmt: skip
    place = {"type": "meilisearch", "endpoint_url": meilisearch_server.url,
             "api_key": meili.WRITER, "index_name": "orders",
             "primary_key": "order_no"}  # fmt: skip
    path, rows = project(tmp_path, place), ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    assert counts(await read(service, rows)) == {"equal": 12}
    meilisearch_server.indexes["orders"]["A-2"]["record"]["qty"] = 9
    del meilisearch_server.indexes["orders"]["A-4"]
    found = await read(service, rows)
    assert counts(found) == {"equal": 10, "different": 1, "missing": 1}
    assert [change["path"] for change in one(found, "different")["changes"]] == ["record.qty"]
    operations = meilisearch_server.follows(meilisearch_api)
    assert "GET /indexes/{indexUid}/documents/{documentId}" in operations


async def test_an_edit_by_a_function_is_not_compared(
    meilisearch_server: MeilisearchServer, service: EngineService, tmp_path: Path
) -> None:
    route = {"name": "edit", "type": "routing", "sink_type": "meilisearch", "language": "python",
             "code": EDIT}  # fmt: skip
    place = {"type": "meilisearch", "endpoint_url": meilisearch_server.url, "api_key": meili.MASTER}
    path, rows = project(tmp_path, place, functions=[route], routing="edit"), ROWS["CSV"](tmp_path)
    meilisearch_server.create("orders")
    await service.open(str(path))
    found = await read(service, rows)
    assert (found["uncompared"], found["previewed"], found["rows"]) == (3, 0, [])


async def test_a_key_that_may_not_read_is_explained(
    meilisearch_server: MeilisearchServer, service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "meilisearch", "endpoint_url": meilisearch_server.url,
             "api_key": meili.WRITE_ONLY, "index_name": "orders"}  # fmt: skip
    meilisearch_server.create("orders")
    await service.open(str(project(tmp_path, place)))
    with pytest.raises(LinkError) as caught:
        await read(service, ROWS["CSV"](tmp_path))
    assert caught.value.hint == "the credentials need the action documents.get"
    assert meili.WRITE_ONLY not in str(caught.value)


async def test_documents_of_typesense_are_compared(
    typesense_server: TypesenseServer, typesense_api: Description,
    service: EngineService, tmp_path: Path,
) -> None:  # fmt: skip
    typesense_server.create("orders", note="string?", qty="float?")
    place = {"type": "typesense", "endpoint_url": typesense_server.url, "api_key": types.WRITER,
             "collection_name": "orders"}  # fmt: skip
    path = project(tmp_path, place, functions=[FLAT], transform="flat")
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    typesense_server.collections["orders"]["A-1"]["seen_by"] = "somebody else"
    assert counts(await read(service, rows)) == {"equal": 12}
    typesense_server.collections["orders"]["A-2"]["note"] = "other"
    del typesense_server.collections["orders"]["A-4"]
    found = await read(service, rows)
    assert counts(found) == {"equal": 10, "different": 1, "missing": 1}
    assert one(found, "different")["changes"] == [
        {"path": "note", "expected": "Zoë 2\u2028", "found": "other"}
    ]
    operations = typesense_server.follows(typesense_api)
    assert "GET /collections/{collectionName}/documents/{documentId}" in operations


# --- S2 --------------------------------------------------------------------------------------


@every_row
async def test_a_stream_of_s2_holds_what_was_previewed(
    s2_server: S2Server, s2_api: Description, service: EngineService, tmp_path: Path, rows: str
) -> None:
    s2_server.create("a/b c")
    place = {"type": "s2", "endpoint_url": s2_server.url, "access_token": s2.ADMIN, "basin": BASIN,
             "stream": "a/b c"}  # fmt: skip
    path, source = project(tmp_path, place), ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    found = await read(service, source)
    assert counts(found) == {"equal": summary["delivered"]}
    assert found["destinations"][0]["more"] is False
    assert "GET /v1/streams/{stream}/records" in s2_server.follows(s2_api)


async def test_a_changed_record_of_s2_differs(
    s2_server: S2Server, service: EngineService, tmp_path: Path
) -> None:
    s2_server.create("orders")
    held = s2_server.basins[BASIN].streams["orders"]
    held += [json.dumps({"n": number}) for number in range(1500)]
    place = {"type": "s2", "endpoint_url": s2_server.url, "access_token": s2.ADMIN, "basin": BASIN,
             "stream": "orders"}  # fmt: skip
    path, rows = project(tmp_path, place), ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    held[1504] = changed(held[1504], note="other").decode()
    found = await read(service, rows, limit=1200)
    assert counts(found) == {"equal": 11, "different": 1, "other": 1188}
    assert one(found, "different")["place"] == f"{BASIN}/orders@1504"
    assert found["destinations"][0] == {"name": f"{BASIN}/orders", "read": 1200, "more": True}


async def test_a_stream_of_s2_that_is_empty_or_missing(
    s2_server: S2Server, service: EngineService, tmp_path: Path
) -> None:
    place = {"type": "s2", "endpoint_url": s2_server.url, "access_token": s2.ADMIN, "basin": BASIN,
             "stream": "orders"}  # fmt: skip
    await service.open(str(project(tmp_path, place)))
    rows = ROWS["CSV"](tmp_path)
    with pytest.raises(UsageError, match="cannot be read: there is no stream orders"):
        await read(service, rows)
    s2_server.create("orders")
    assert counts(await read(service, rows)) == {"missing": 3}


# --- AWS -------------------------------------------------------------------------------------


@every_row
async def test_a_stream_of_kinesis_holds_what_was_previewed(
    aws_server: AwsServer, service: EngineService, tmp_path: Path, rows: str
) -> None:
    arn = aws_server.stream(shards=2)
    path = project(tmp_path, {"type": "kinesis", "stream_arn": arn, **emulator(aws_server)})
    source = ROWS[rows](tmp_path)
    summary = await delivered(service, path, source)
    found = await read(service, source)
    assert counts(found) == {"equal": summary["delivered"]}
    assert found["good"]


async def test_a_changed_copy_in_kinesis_differs(
    aws_server: AwsServer, service: EngineService, tmp_path: Path
) -> None:
    arn = aws_server.stream(shards=2)
    path = project(tmp_path, {"type": "kinesis", "stream_arn": arn, **emulator(aws_server)})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    record = aws_server.records(arn)[0]
    aws_server.call("kinesis", "put_record", StreamARN=arn, PartitionKey=record["PartitionKey"],
                    Data=changed(record["Data"], qty=77))  # fmt: skip
    found = await read(service, rows)
    assert counts(found) == {"equal": 12, "different": 1}
    assert [change["path"] for change in one(found, "different")["changes"]] == ["record.qty"]


@pytest.mark.parametrize("fifo", [False, True])
async def test_a_queue_of_sqs_is_looked_at_once_somebody_agreed(
    aws_server: AwsServer, service: EngineService, tmp_path: Path, fifo: bool
) -> None:
    await _looked_at(aws_server, service, tmp_path, fifo)


@pytest.mark.parametrize("fifo", [False, True])
async def test_a_queue_of_elasticmq_is_looked_at_once_somebody_agreed(
    elasticmq: AwsServer, service: EngineService, tmp_path: Path, fifo: bool
) -> None:
    await _looked_at(elasticmq, service, tmp_path, fifo)


async def _looked_at(server: AwsServer, service: EngineService, folder: Path, fifo: bool) -> None:
    dead = server.queue("dead", fifo=fifo)
    region = dead.split(".")[1]
    arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{dead.rpartition('/')[2]}"
    policy = json.dumps({"maxReceiveCount": 3, "deadLetterTargetArn": arn})
    url = server.queue(fifo=fifo, RedrivePolicy=policy)
    path = project(folder, {"type": "sqs", "queue_url": url, **emulator(server)})
    rows = ROWS["messages"](folder)
    await delivered(service, path, rows)
    asked = await read(service, rows)
    assert "hides its messages" in asked["ask"]
    assert "after 3 receives they move to the dead-letter queue dead-" in asked["ask"]
    found = await read(service, rows, agreed=True)
    assert counts(found) == {"equal": 12}
    # All of them are there again, and were received once by the look.
    messages = server.messages(url)
    assert len(messages) == 12
    assert {item["Attributes"]["ApproximateReceiveCount"] for item in messages} == {"2"}


async def test_a_changed_message_of_sqs_differs(
    aws_server: AwsServer, service: EngineService, tmp_path: Path
) -> None:
    url = aws_server.queue()
    path = project(tmp_path, {"type": "sqs", "queue_url": url, **emulator(aws_server)})
    rows = ROWS["messages"](tmp_path)
    await delivered(service, path, rows)
    [message, *others] = aws_server.messages(url)
    bodies = [changed(message["Body"], note="other").decode(), *(m["Body"] for m in others)]
    for body in bodies:
        aws_server.call("sqs", "send_message", QueueUrl=url, MessageBody=body)
    found = await read(service, rows, agreed=True)
    assert counts(found) == {"equal": 11, "different": 1}
    assert [change["path"] for change in one(found, "different")["changes"]] == ["record.note"]
