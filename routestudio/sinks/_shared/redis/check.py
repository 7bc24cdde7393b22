"""The check of a Redis server: nothing is written; rights are asked for with ACL DRYRUN.

That a user may write does not mean that the server takes it: a replica, a server of a cluster, one
whose memory is full and a key that holds something else refuse, so these are asked for, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.sinks._shared.net import Reach, Stopwatch, approach, skip_rest, speaks_tls
from routestudio.sinks._shared.redis.cluster import SLOTS, Address, owners, slot_of
from routestudio.sinks._shared.redis.link import Probe
from routestudio.sinks._shared.redis.node import Account, code_of, connected
from routestudio.sinks._shared.tls import client_context

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

SECONDS: Final = 6.0
"""Seconds for one step after the connection stands."""

_SILENT: Final = "the server accepts connections, but does not reply"
_STRANGER: Final = "the server does not answer in the Redis protocol"
_STRANGE: Final = (_SILENT, _STRANGER)
_ANNOUNCED: Final = (
    "each server of the cluster must be reachable from here under the address that it announces "
    "(cluster-announce-ip, cluster-announce-port)"
)


async def check_server(account: Account, probes: Sequence[Probe]) -> AsyncIterator[CheckStep]:
    """Yield the steps for a server and the keys of `probes`."""
    result = Reach()
    tls = client_context() if account.tls else None
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
        watch = Stopwatch()
        found = await _database(account, connection, bool(probes))
        if isinstance(found, CheckStep):
            yield replace(found, ms=watch.lap())
            return
        if _servers(found) > 1:
            async with aclosing(_in_cluster(account, connection, probes)) as steps:  # type: ignore[type-var]
                async for step in steps:
                    yield step
            return
        for probe in probes:
            yield await _probed(account, connection, probe, found)
    finally:
        await connection.disconnect(nowait=True)


async def _probed(
    account: Account, connection: Connection, probe: Probe, facts: dict[str, str]
) -> CheckStep:
    watch = Stopwatch()
    step = await _key(account, connection, probe)
    if step.status == "passed":
        step = await _takes(connection, probe, facts) or step
    return replace(step, ms=watch.lap())


async def _in_cluster(
    account: Account, connection: Connection, probes: Sequence[Probe]
) -> AsyncIterator[CheckStep]:
    """Each key is asked about at the server that holds it."""
    try:
        known = owners(await _timed(connection, "CLUSTER", "SLOTS"), account.host)
    except Exception as error:
        text = f"which server of the cluster holds which key is not known: {_said(error)}"
        for probe in probes:
            yield _target("inconclusive", text, "allow CLUSTER SLOTS to the user, or deliver one "
                          "sample to be sure", probe.key)  # fmt: skip
        return
    opened: dict[Address, tuple[Connection, dict[str, str]] | str] = {}
    try:
        for probe in probes:
            watch, slot = Stopwatch(), slot_of(probe.key)
            place = known.get(slot)
            if place is None:
                text = f"no server of the cluster holds `{probe.key}` (slot {slot:,})"
                yield _target("failed", text, "start the server that held it, or give its slots "
                              "to another one", probe.key)  # fmt: skip
                continue
            if place not in opened:
                opened[place] = await _opened(account, place)
            at = opened[place]
            if isinstance(at, str):
                step = _target("failed", f"{place[0]}:{place[1]} of the cluster holds "
                               f"`{probe.key}`, and {at}", _ANNOUNCED, probe.key)  # fmt: skip
                yield replace(step, ms=watch.lap())
            else:
                yield await _probed(account, at[0], probe, at[1])
    finally:
        for at in opened.values():
            if not isinstance(at, str):
                await at[0].disconnect(nowait=True)


async def _opened(account: Account, place: Address) -> tuple[Connection, dict[str, str]] | str:
    """A connection to one server of a cluster and facts about it, or why there is none."""
    host, port = place
    connection = replace(account, host=host, port=port).connection()
    try:
        async with asyncio.timeout(SECONDS):
            await connected(connection)
    except TimeoutError:
        return "does not answer"
    except Exception as error:
        return f"cannot be used: {_said(error)}"
    try:
        return connection, _facts(await _timed(connection, "INFO"))
    except Exception as error:
        return connection, {"unread": _said(error)} if code_of(error) == "NOPERM" else {}


def _servers(facts: dict[str, str]) -> int:
    """How many servers of a cluster share the keys; 1 without a cluster."""
    return max(_number(facts, "cluster_size"), 1)


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
    account: Account, connection: Connection, asked: bool
) -> CheckStep | dict[str, str]:
    """Facts about the server, or the target step that ends a check early.

    Without keys to prove (`asked` off) there is such a step in any case.
    """
    number = account.database
    try:
        if number:
            await _timed(connection, "SELECT", str(number))
    except Exception as error:
        return _target(
            "failed", f"database {number} cannot be selected: {_said(error)}",
            "servers have databases 0-15 unless configured otherwise",
        )  # fmt: skip
    try:
        facts = _facts(await _timed(connection, "INFO"))
        if facts.get("cluster_enabled") == "1":
            facts |= _facts(await _timed(connection, "CLUSTER", "INFO"))
    except Exception as error:
        if not connection.is_connected:
            return _target("inconclusive", f"the connection ended: {_said(error)}", "try again")
        facts = {"unread": _said(error)} if code_of(error) == "NOPERM" else {}
    if facts.get("role") == "slave" and facts.get("slave_read_only", "1") == "1":
        master = f"{facts.get('master_host', 'another server')}:{facts.get('master_port', '?')}"
        text = "the server is a read-only replica"
        return _target("failed", text, f"deliver to its master, {master}")
    if facts.get("cluster_state") == "fail":
        lacking = SLOTS - _number(facts, "cluster_slots_ok")
        return _target(
            "failed", "the server's cluster does not take commands (cluster_state is fail): "
            f"{lacking:,} of its {SLOTS:,} slots have no server that answers",
            "look at CLUSTER INFO and CLUSTER NODES on the server",
        )  # fmt: skip
    if asked:
        return facts
    text = f"database {number} can be selected"
    if facts.get("role") == "master":
        text += ", and the server is a master"
    if _servers(facts) > 1:
        text += f" of a cluster of {_servers(facts)}"
    return _target("passed", text)


def _target(
    status: StepStatus, text: str, hint: str | None = None, key: str | None = None
) -> CheckStep:
    return CheckStep("target", status, text, hint=hint, target=key)


async def _takes(connection: Connection, probe: Probe, facts: dict[str, str]) -> CheckStep | None:
    """Why the server would refuse a command that the user may send, or what is not known of it."""
    command, key = probe.command[0], probe.key
    limit, used = _number(facts, "maxmemory"), _number(facts, "used_memory")
    policy = facts.get("maxmemory_policy", "noeviction")
    if probe.grows and limit and used >= limit and not policy.startswith("allkeys"):
        text = f"the server's {limit:,} bytes of memory are full, and its policy is {policy}"
        if policy == "noeviction":
            return _target("failed", f"{text}, so it refuses {command}",
                           "raise maxmemory, or remove keys", key)  # fmt: skip
        return _target("inconclusive", f"{text}; it refuses {command} when nothing can be evicted",
                       "raise maxmemory, or remove keys", key)  # fmt: skip
    if facts.get("rdb_last_bgsave_status") == "err":
        return _target(
            "inconclusive", "the server's last snapshot failed, and it may refuse writes (MISCONF)",
            "see the server's log; its disk may be full", key,
        )  # fmt: skip
    if "unread" in facts:
        return _target(
            "inconclusive", f"the user may {command} `{key}`, but whether the server is a replica, "
            f"one of a cluster or full is not known: {facts['unread']}",
            "allow INFO to the user, or deliver one sample to be sure", key,
        )  # fmt: skip
    if probe.holds is None:
        return None
    try:
        reply = await _timed(connection, "TYPE", key)
    except Exception as error:
        if "unknown" in str(error).lower():
            return None
        return _target(
            "inconclusive", f"the user may {command} `{key}`, but what the key holds is not known: "
            f"{_said(error)}", "deliver one sample to be sure", key,
        )  # fmt: skip
    kind = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    if kind in ("none", probe.holds):
        return None
    return _target(
        "failed", f"`{key}` holds a {kind}, so every {command} is refused (WRONGTYPE)",
        "choose another key, or remove this one", key,
    )  # fmt: skip


def _number(facts: dict[str, str], name: str) -> int:
    text = facts.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _may_everything(connection: Connection, user: str) -> bool:
    """Whether a server of Redis 6 gives the user all commands and keys.

    https://redis.io/docs/latest/commands/acl-getuser/
    """
    try:
        reply = await _timed(connection, "ACL", "GETUSER", user)
    except Exception:
        return False
    parts = list(reply) if isinstance(reply, list) else []
    about = dict(zip(parts[::2], parts[1::2], strict=False))
    flags = about.get(b"flags")
    return isinstance(flags, list) and {b"allcommands", b"allkeys"} <= set(flags)


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
        elif "unknown" in str(error).lower():  # before Redis 7
            if await _may_everything(connection, user):
                return step("passed", f"user `{user}` may use every command and key")
            text = f"the server cannot report whether {command} `{probe.key}` is allowed"
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
