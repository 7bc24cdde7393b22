"""Minimal projects for the hazard rules: one sink, written to a folder, linted by the engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "${NO_SUCH_VARIABLE:-aaaaaaaaaaaa}"
ARN = "arn:aws:sns:eu-west-1:123456789012:orders"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
AWS = {"access_key_id": KEY, "secret_access_key": KEY}

DESTINATIONS: dict[str, dict[str, Any]] = {
    "kafka": {"hosts": "localhost:9092", "topic": "orders", "compression": "none"},
    "redis_string": {"host": "localhost", "port": 6379},
    "redis_stream": {"host": "localhost", "port": 6379, "stream_key": "orders"},
    "nats": {"host": "localhost", "port": 4222},
    "webhook": {"http_endpoint": "api", "batch": True},
    "gcp_pubsub": {"project_id": "my-project", "topic_id": "orders", "use_emulator": True,
                   "emulator_base_url": "http://localhost:8085"},
    "azure_event_hub": {"namespace": "shop", "event_hub_name": "orders",
                        "shared_access_key_name": "send", "shared_access_key": KEY},
    "sns": {"topic_arn": ARN, **AWS},
    "sqs": {"queue_url": QUEUE, **AWS},
    "kinesis": {"stream_arn": STREAM, **AWS},
    "typesense": {"endpoint_url": "http://localhost:8108", "collection_name": "orders",
                  "api_key": KEY, "batch_size": 40, "timeout_seconds": 10},
    "meilisearch": {"endpoint_url": "http://localhost:7700", "index_name": "orders",
                    "api_key": KEY, "primary_key": "id", "batch_size": 100, "timeout_seconds": 5},
    "elasticsearch": {"endpoint_url": "http://localhost:9200", "index_name": "orders",
                      "auth_type": "api_key", "auth_value": KEY, "batch_size": 100},
    "s2": {"basin": "shop-orders", "stream": "orders", "access_token": KEY},
    "rabbitmq": {"host": "localhost", "port": 5672, "exchange": "orders"},
}  # fmt: skip
"""A valid static destination of every sink type."""


def row(
    action: str = "insert", record: dict[str, Any] | None = None, *, table: str = "orders",
    schema: str = "public", pks: list[str] | None = None, changes: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return one message of a sample."""
    record = {"id": 1, "region": "eu", "status": "new"} if record is None else record
    metadata: dict[str, Any] = {"table_schema": schema, "table_name": table,
                                "database_name": "shop"}  # fmt: skip
    if pks is not None:
        metadata["record_pks"] = pks
    return {"action": action, "record": record, "changes": changes, "metadata": metadata}


@dataclass(frozen=True)
class Setup:
    """A project with the sink `s`. `route`, `filter`, `transform` are bodies of functions.

    `before` is the destination of a sink of the same type above it.
    """

    type: str
    rows: list[dict[str, Any]] = field(default_factory=lambda: [row()])
    route: str | None = None
    filter: str | None = None
    transform: str | None = None
    elixir: bool = False
    dest: dict[str, Any] = field(default_factory=dict)
    sink: dict[str, Any] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=lambda: {"url": "http://localhost/hook"})
    functions: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, Any] | None = None

    def write(self, folder: Path) -> Path:
        """Write the project and return its folder."""
        functions = list(self.functions)
        sink: dict[str, Any] = {"name": "s", "database": "shop"}
        for kind, name in (("routing", "route"), ("filter", "filter"), ("transform", "transform")):
            body = getattr(self, name)
            if body is None:
                continue
            entry = {"name": f"my-{name}", "type": kind}
            if kind == "routing":
                entry["sink_type"] = self.type
            if self.elixir:
                entry["code"] = body
            else:
                entry |= {"language": "python", "file": f"functions/{name}.py"}
                path = folder / "functions" / f"{name}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = "".join(f"    {line}\n" for line in body.splitlines())
                path.write_text(f"def {name}(action, record, changes, metadata):\n{lines}")
            functions.append(entry)
            sink[kind] = entry["name"]
        destination = {"type": self.type, **DESTINATIONS[self.type]} | self.dest
        sink["destination"] = {k: v for k, v in destination.items() if v is not None}
        sink |= self.sink
        project: dict[str, Any] = {
            "databases": [{"name": "shop", "hostname": "localhost", "database": "shop"}],
            "functions": functions,
            "sinks": [{k: v for k, v in sink.items() if v is not None}],
        }
        if self.before is not None:
            other = {"type": self.type, **DESTINATIONS[self.type], **self.before}
            first = {"name": "first", "database": "shop", "destination": other}
            project["sinks"].insert(0, first)
        if self.type == "webhook":
            project["http_endpoints"] = [{"name": "api", **self.endpoint}]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sequin.yaml").write_text(json.dumps(project, indent=1))
        (folder / "samples").mkdir(exist_ok=True)
        if self.rows:
            text = "".join(json.dumps(each) + "\n" for each in self.rows)
            (folder / "samples/rows.jsonl").write_text(text)
        return folder


@dataclass(frozen=True)
class Case:
    """A hazard with a project that has it, and a near miss that has not."""

    code: str
    hit: Setup
    miss: Setup
    severity: str = ""
    at: str = ""
    says: str = ""

    @property
    def name(self) -> str:
        return f"{self.code}-{self.hit.type}"
