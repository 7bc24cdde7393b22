"""A small project folder, and the sink types that these tests know."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

TYPES: Final = {
    "kafka": "kafka", "redis_string": "redis_string", "webhook": "http_push",
    "http_push": "http_push",
}  # fmt: skip
SECRET_KEYS: Final = {"kafka": {"password", "aws_secret_access_key"}, "redis_string": {"password"}}

TEXT: Final = """\
# The shop.
databases:
  - name: shop
    hostname: localhost
    password: ${DB_PASSWORD}
http_endpoints:
  - name: hooks
    url: https://example.com
    encrypted_headers:
      Authorization: Bearer ${HOOK_TOKEN}
functions:
  - name: by-region
    type: routing
    sink_type: kafka
    language: python
    file: functions/by_region.py
  - name: wanted
    type: filter
    code: |
      def filter(action, record, changes, metadata) do
        true   # keep
      end
sinks:
  - name: orders
    database: shop
    routing: by-region
    filter: wanted   # only some
    destination:
      type: kafka
      hosts: ${HOSTS:-localhost:9092}
      password: ${KAFKA_PASSWORD}
  - name: hook
    database: shop
    destination:
      type: webhook
      http_endpoint: hooks
"""
CODE: Final = "def route(action, record, changes, metadata):\n    return {}\n"
ROW: Final = '{"action": "insert", "record": {"id": 1}, "changes": null, "metadata": {}}\n'


def secret_keys(kind: str) -> set[str]:
    """The secret destination keys of a sink type."""
    return SECRET_KEYS.get(kind, set())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with two sinks, two functions and a sample set."""
    root = tmp_path / "shop"
    (root / "functions").mkdir(parents=True)
    (root / "samples").mkdir()
    (root / "sequin.yaml").write_text(TEXT)
    (root / "functions" / "by_region.py").write_text(CODE)
    (root / "samples" / "orders.jsonl").write_text(ROW * 3)
    return root
