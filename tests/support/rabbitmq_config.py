"""The configuration of a RabbitMQ sink for the servers of the fixtures."""

from __future__ import annotations

from typing import Any

from routestudio.sinks.rabbitmq.sink import RabbitMq
from tests.support.rabbitmq_server import PASSWORD, VHOST, RabbitServer


def settings(server: RabbitServer, **values: Any) -> Any:
    """The configuration for a server, signed in as who may do everything in `shop`."""
    given = {"host": server.host, "port": server.port, "virtual_host": VHOST,
             "username": "orders", "password": PASSWORD}  # fmt: skip
    if values.get("tls"):
        given |= {"host": "localhost", "port": server.tls_port}
    return RabbitMq.Config.model_validate({**given, **values})
