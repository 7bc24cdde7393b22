"""The check of a Redis server: nothing is written; rights are asked for with ACL DRYRUN."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import CheckStep
from routestudio.sinks._net import Reach, Stopwatch, approach, skip_rest, speaks_tls
from routestudio.sinks._redis import Account, Probe, code_of, connected

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

SECONDS: Final = 6.0
"""Seconds for one step after the connection stands."""

_SILENT: Final = "the server accepts connections, but does not reply"
_STRANGER: Final = "the server does not answer in the Redis protocol"
_STRANGE: Final = (_SILENT, _STRANGER)


async def check_server(account: Account, probes: Sequence[Probe]) -> AsyncIterator[CheckStep]:
    """Yield the steps for a server and the keys of `probes`."""
    result = Reach()
    tls = ssl.create_default_context() if account.tls else None
    async with aclosing(approach(account.host, account.port, tls=tls, result=result)) as steps:  # type: ignore[type-var]
        async for step in steps:
            yield step
    if not result.ok:
        return
    connection = account.connection(select=False)
    try:
        step = await _authenticate(account, connection)
        strange = step.detail in _STRANGE and not account.tls
        if strange and await speaks_tls(account.host, account.port):
            step = replace(step, detail="the port speaks TLS", hint="turn TLS on")
        yield step
        if step.status == "failed":
            for step in skip_rest("authenticate", "authenticate failed"):
                yield step
            return
        blocked = await _database(account, connection, probes)
        if blocked is not None:
            yield blocked
            return
        for probe in probes:
            yield await _key(account, connection, probe)
    finally:
        await connection.disconnect(nowait=True)


async def _authenticate(account: Account, connection: Connection) -> CheckStep:
    watch, name = Stopwatch(), "authenticate"
    who = f"user `{account.username}`" if account.username else "the default user"
    given = bool(account.username or account.password)
    try:
        async with asyncio.timeout(SECONDS):
            await connected(connection)
            await _ask(connection, "PING")
    except TimeoutError:
        return CheckStep(
            name, "failed", _SILENT, watch.lap(),
            "check the port: it may belong to another service",
        )  # fmt: skip
    except Exception as error:
        code, text = code_of(error), str(error)
        if code == "NOPERM":
            return CheckStep(
                name, "inconclusive", f"logged in, but {who} may not PING", watch.lap(),
                "delivery does not need PING; deliver one sample to be sure",
            )  # fmt: skip
        if code in ("NOAUTH", "WRONGPASS") or "AUTH" in text or "password" in text:
            detail, hint = _auth_text(given, who, text)
            return CheckStep(name, "failed", detail, watch.lap(), hint)
        if code != "ERR":
            return CheckStep(name, "failed", f"the server answers: {code} {text}", watch.lap(),
                             "see the server's log")  # fmt: skip
        return CheckStep(
            name, "failed", _STRANGER, watch.lap(),
            "check the port: it may belong to another service",
        )  # fmt: skip
    detail = f"logged in as {who}" if given else "the server needs no credentials"
    return CheckStep(name, "passed", detail, watch.lap())


def _auth_text(given: bool, who: str, text: str) -> tuple[str, str]:
    if not given:
        return "the server asks for a password", "enter the password (and the user, if any)"
    if "without any password" in text or "no password is set" in text:
        return (
            "the server has no password for the default user, so it refuses one",
            "clear the password, or enter the username that it belongs to",
        )
    return f"the server refused the credentials of {who}", "check username and password"


async def _database(
    account: Account, connection: Connection, probes: Sequence[Probe]
) -> CheckStep | None:
    """The target step that ends a check early, or stands for it without keys to prove."""
    watch = Stopwatch()
    number = account.database
    try:
        if number:
            await _timed(connection, "SELECT", str(number))
    except Exception as error:
        return CheckStep(
            "target", "failed", f"database {number} cannot be selected: {_said(error)}",
            watch.lap(), "servers have databases 0-15 unless configured otherwise",
        )  # fmt: skip
    try:
        facts = _facts(await _timed(connection, "INFO", "replication"))
    except Exception as error:
        if not connection.is_connected:
            return CheckStep("target", "inconclusive", f"the connection ended: {_said(error)}",
                             watch.lap(), "try again")  # fmt: skip
        facts = {}
    if facts.get("role") == "slave" and facts.get("slave_read_only", "1") == "1":
        master = facts.get("master_host", "another server")
        return CheckStep(
            "target", "failed", "the server is a read-only replica", watch.lap(),
            f"deliver to its master, {master}:{facts.get('master_port', '?')}",
        )  # fmt: skip
    if probes:
        return None
    text = f"database {number} can be selected"
    if facts.get("role") == "master":
        text += ", and the server is a master"
    return CheckStep("target", "passed", text, watch.lap())


async def _key(account: Account, connection: Connection, probe: Probe) -> CheckStep:
    watch = Stopwatch()
    user = account.username or "default"
    command = probe.command[0]
    unsure = "deliver one sample to be sure"

    def step(status: Any, text: str, hint: str | None = None) -> CheckStep:
        return CheckStep("target", status, text, watch.lap(), hint, probe.key)

    try:
        reply = await _timed(connection, "ACL", "DRYRUN", user, *probe.command)
    except Exception as error:
        if code_of(error) == "NOPERM":
            text = f"user `{user}` may not ask whether it may {command} `{probe.key}`"
        elif "unknown" in str(error).lower():
            text = f"the server cannot tell whether {command} `{probe.key}` is allowed"
        else:
            text = f"asking about {command} `{probe.key}` failed: {_said(error)}"
        return step("inconclusive", text, unsure)
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    if said == "OK":
        return step("passed", f"user `{user}` may {command} `{probe.key}`")
    return step(
        "failed",
        f"user `{user}` may not {command} `{probe.key}`: {said[:200]}",
        "give the user the right to this command and key, or choose another key",
    )


async def _timed(connection: Connection, *parts: str) -> Any:
    async with asyncio.timeout(SECONDS):
        return await _ask(connection, *parts)


async def _ask(connection: Connection, *parts: str) -> Any:
    await connection.send_command(*(part.encode("utf-8", "surrogatepass") for part in parts))
    return await connection.read_response()


def _facts(reply: Any) -> dict[str, str]:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: value.strip() for name, _, value in pairs}


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no reply within {SECONDS:g} s"
    return str(error)[:200] or type(error).__name__
