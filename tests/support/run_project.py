"""A project whose one route delivers to an HTTP server: some rows fail, some the server refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.http_server import Received, Reply

SINK = "orders"
ROUTE = """def route(action, record, changes, metadata):
    return {"method": "POST", "endpoint_path": "/" + record["region"].lower()}
"""
_YAML = """databases:
  - name: shop
    hostname: localhost
http_endpoints:
  - name: api
    url: {url}
functions:
  - name: by-region
    type: routing
    sink_type: webhook
    language: python
    file: functions/by_region.py
sinks:
  - name: orders
    database: shop
    routing: by-region
    batch_size: {batch}
    max_retry_count: {attempts}
    destination:
      type: webhook
      http_endpoint: api
      batch: true
"""


def rows(count: int, *, without: tuple[int, ...] = (), region: str = "EU") -> list[dict[str, Any]]:
    """Inserts of `count` orders; those of `without` have no region, which the function needs."""
    return [
        {
            "action": "insert",
            "record": {"id": number, "region": None if number in without else region},
            "metadata": {"table_schema": "public", "table_name": "orders", "commit_idx": number,
                         "commit_lsn": 1, "record_pks": [str(number)]},
        }
        for number in range(count)
    ]  # fmt: skip


def write_run_project(
    folder: Path,
    url: str,
    messages: list[dict[str, Any]],
    *,
    batch: int = 1,
    attempts: int = 3,
    name: str = "rows",
) -> Path:
    """Write the project into `folder`, which must not exist; returns it."""
    for part in ("functions", "samples"):
        (folder / part).mkdir(parents=True)
    (folder / "sequin.yaml").write_text(_YAML.format(url=url, batch=batch, attempts=attempts))
    (folder / "functions" / "by_region.py").write_text(ROUTE)
    text = "".join(json.dumps(message) + "\n" for message in messages)
    (folder / "samples" / f"{name}.jsonl").write_text(text)
    return folder


def ids_of(received: list[Received]) -> list[int]:
    """The ids of all messages that were sent, in order of arrival."""
    return [item["record"]["id"] for request in received for item in messages_of(request)]


def messages_of(request: Received) -> list[dict[str, Any]]:
    """The messages of one request."""
    body = request.json()
    return list(body["data"]) if "data" in body else [body]


def refuse(*numbers: int, status: int = 422) -> Any:
    """An answer that refuses requests with any of these ids."""

    def answer(request: Received) -> Reply:
        bad = any(item["record"]["id"] in numbers for item in messages_of(request))
        return Reply(status, b'{"error": "no such order"}') if bad else Reply()

    return answer
