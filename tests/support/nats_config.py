"""The configuration of a NATS sink for the servers of the fixtures."""

from __future__ import annotations

from typing import Any

from routestudio.sinks.nats.sink import Nats
from tests.support.nats_server import PASSWORD, NatsServer


def settings(server: NatsServer, **values: Any) -> Any:
    """The configuration for a server, signed in as who may do everything."""
    given: dict[str, Any] = {"host": server.host, "port": server.port}
    if server.user:
        given |= {"username": server.user, "password": PASSWORD}
    if server.authority:
        given |= {"host": "localhost", "tls": True}
    if server.key:
        given |= {"jwt": server.jwt, "nkey_seed": server.key.seed}
    if server.token:
        given |= {"token": server.token}
    return Nats.Config.model_validate({**given, **values})


def user(name: str) -> dict[str, str]:
    """The credentials of one of the users of `USERS`, or of `plain`."""
    return {"username": name, "password": PASSWORD}
