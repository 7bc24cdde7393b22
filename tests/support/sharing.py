"""Shares the tests out to the processes of `pytest -n`, so that each real server starts once.

Tests that use the same expensive fixture go to the same process; the others stay together by file.
"""

from __future__ import annotations

import pytest

_EXPENSIVE = {
    "kafka_server": "kafka",
    "_opensearch": "opensearch",
    "_opensearch_secured": "opensearch",
    "_rabbitmq": "rabbitmq",
    "pubsub_server": "pubsub",
    "postgres": "postgres",
    "postgres_15": "postgres",
    "postgres_tls": "postgres",
    "aws_server": "aws",
    "aws_tls_server": "aws",
    "qapp": "window",
}
_SERVICES = {"kafka": "kafka", "elasticsearch": "opensearch", "gcp_pubsub": "pubsub",
             "kinesis": "aws", "sqs": "aws", "sns": "aws"}  # fmt: skip
"""Groups of the fault tests' services that use one of these fixtures, or are heavy themselves."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put every test in a group; `--dist loadgroup` keeps groups together."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        chosen = getattr(getattr(item, "callspec", None), "params", {})
        if service := chosen.get("service") or chosen.get("target"):
            item.add_marker(pytest.mark.xdist_group(_SERVICES.get(service, f"fault-{service}")))
            continue
        name = next((_EXPENSIVE[used] for used in fixtures if used in _EXPENSIVE), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(name))
