"""The check of a RabbitMQ server: nothing is delivered, yet the right to publish is proved.

A publication in a transaction is looked at when it comes, exchange and rights, and reaches queues
only with the commit (AMQP 0-9-1, class `tx`). The check rolls it back instead. What a server looks
at in which order does not matter so: RabbitMQ 4 looks at a message's properties before it looks at
the right to a routing key, older ones the other way round. Servers that are not RabbitMQ get no
such publication.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.net import Reach, Stopwatch, approach, skip_rest, speaks_tls
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq.link import refusal
from routestudio.sinks.rabbitmq.wire import (
    Account,
    Connection,
    WireError,
    printable,
)

SECONDS: Final = 6.0
"""Seconds for one step after the connection stands."""

_PROBE: Final = codec.properties({}, "")
_UNSURE: Final = "deliver one sample to be sure"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one kind of message goes; it is a record without content, too."""

    exchange: str
    routing_key: str
    properties: bytes = b""
    body: bytes = b""


async def check_server(account: Account, targets: Sequence[Target]) -> AsyncIterator[CheckStep]:
    """Yield the steps for a server and the exchanges to publish to."""
    result = Reach()
    context = client_context() if account.tls else None
    async with aclosing(approach(account.host, account.port, tls=context, result=result)) as steps:  # type: ignore[type-var]
        async for step in steps:
            yield step
    if not result.ok:
        return
    found: list[Connection] = []
    try:
        step = await _authenticate(account, context, found)
        yield step
        if step.status == "failed":
            for step in skip_rest("authenticate", "authenticate failed"):
                yield step
            return
        (connection,) = found
        if not targets:
            yield CheckStep("target", "skipped", "there are no samples to take exchanges from")
        for target in targets:
            watch = Stopwatch()
            try:
                async with asyncio.timeout(SECONDS):
                    step = await _target(account, connection, target)
            except (WireError, TimeoutError) as error:
                text = str(error) or f"no answer within {SECONDS:g} s"
                name = target.exchange
                yield CheckStep("target", "inconclusive", text, watch.lap(), "try again", name)
                return
            yield replace(step, ms=watch.lap())
    finally:
        for connection in found:
            connection.abort()


async def _authenticate(
    account: Account, context: ssl.SSLContext | None, found: list[Connection]
) -> CheckStep:
    watch, name, entered = Stopwatch(), "authenticate", False
    try:
        async with asyncio.timeout(SECONDS):
            connection = await Connection.dial(account, context)
            found.append(connection)
            await connection.sign_in()
            entered = True
            await connection.open()
    except TimeoutError:
        if context is None and await speaks_tls(account.host, account.port):
            return _tls_wanted(watch)
        return CheckStep(
            name, "failed", "the server accepts connections, but does not answer", watch.lap(),
            "check the port: it may belong to another service",
        )  # fmt: skip
    except WireError as error:
        if error.reply:
            text, hint = _refused(account, error, entered)
            return CheckStep(name, "failed", text, watch.lap(), hint)
        strange = error.code in ("not_amqp", "connection_lost")
        if strange and context is None and await speaks_tls(account.host, account.port):
            return _tls_wanted(watch)
        hint = error.hint or "check host and port, and that the server is running"
        return CheckStep(name, "failed", str(error), watch.lap(), hint)
    facts = connection.info
    server = printable(f"{facts.get('product', 'the server')} {facts.get('version', '')}").strip()
    text = f"signed in to {server} as user {account.user}, virtual host {account.virtual_host}"
    return CheckStep(name, "passed", text, watch.lap())


def _tls_wanted(watch: Stopwatch) -> CheckStep:
    return CheckStep("authenticate", "failed", "the port speaks TLS", watch.lap(), "turn TLS on")


def _refused(account: Account, error: WireError, entered: bool) -> tuple[str, str]:
    """Why the server closed the connection while signing in, and what to do."""
    user, host = account.user, account.virtual_host
    if error.reply == 403 and not entered:
        hint = "check username and password"
        if account.username is None:
            hint = "enter a username and password; `guest` may often sign in from the server only"
        return f"the server refused the credentials of user {user}", hint
    if error.reply == 530 and "not found" in str(error):
        return f"there is no virtual host {host}", "check its name, or create it"
    if error.reply == 530 and "refused for user" in str(error):
        return (
            f"the user {user} has no rights in the virtual host {host}",
            "give it rights there, e.g. with `rabbitmqctl set_permissions`",
        )
    return str(error), "see the server's log"


async def _target(account: Account, connection: Connection, target: Target) -> CheckStep:
    name = target.exchange
    if not connection.channel_open:
        await connection.open_channel(transactions=True)
    closed = await connection.declared(name)
    if closed is None and connection.info.get("product") == "RabbitMQ":
        closed = await connection.taken_back(name, target.routing_key, _PROBE)
        if connection.blocked:
            text = f"the server takes no messages now: {connection.blocked}"
            return CheckStep("target", "inconclusive", text, hint="try again later", target=name)
        if closed is None:
            text = (
                f"exchange {name} exists and the user {account.user} may publish to it; whether a "
                "queue is bound for a routing key shows at delivery, and whether that queue keeps "
                "what it gets (x-message-ttl, x-max-length) no publisher can ask"
            )
            return CheckStep("target", "passed", text, target=name)
    if closed is None:
        text = (
            f"exchange {name} exists; this server cannot report whether the user may publish to it"
        )
        return CheckStep("target", "inconclusive", text, hint=_UNSURE, target=name)
    hints = {
        "no_exchange": "create the exchange, or check its name and the virtual host",
        "permission": "give the user the right to write to it, or choose another exchange",
        "internal": "choose an exchange that is not internal",
    }
    said = refusal(closed, target, account)
    hint = hints.get(said.code, "see the server's log")
    return CheckStep("target", "failed", said.reason, hint=hint, target=name)
