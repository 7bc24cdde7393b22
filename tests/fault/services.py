"""The services behind the fifteen sinks: how to break each of them, and how to read it.

Each reader belongs to its service and gives the numbers of messages in the order of arrival. A
fault that a service cannot have is a row with the reason (`Service.cannot`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from routestudio.sinks import registry
from tests.fault.brokers import kafka, nats, rabbitmq, redis_service
from tests.fault.service import (
    Service,
    Tools,
)
from tests.fault.web import (
    aws,
    elasticsearch,
    event_hub,
    http_push,
    meilisearch,
    pubsub,
    s2,
    typesense,
)

STARTS: Final[dict[str, Callable[[Tools], Service]]] = {
    "redis_stream": lambda tools: redis_service(tools, "redis_stream"),
    "redis_string": lambda tools: redis_service(tools, "redis_string"),
    "nats": nats,
    "http_push": http_push,
    "s2": s2,
    "azure_event_hub": event_hub,
    "meilisearch": meilisearch,
    "typesense": typesense,
    "kinesis": lambda tools: aws(tools, "kinesis"),
    "sqs": lambda tools: aws(tools, "sqs"),
    "sns": lambda tools: aws(tools, "sns"),
    "gcp_pubsub": pubsub,
    "rabbitmq": rabbitmq,
    "kafka": kafka,
    "elasticsearch": elasticsearch,
}


@contextmanager
def started(key: str, folder: Path, fixture: Callable[[str], Any]) -> Iterator[Service]:
    """The service of a sink, until the block ends."""
    with ExitStack() as stack:
        yield STARTS[key](Tools(folder, fixture, stack))


def sink_of(key: str) -> Any:
    """The sink type."""
    return registry.default().get(key)
