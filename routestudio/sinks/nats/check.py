"""The check of a NATS server: nothing is delivered, the right to publish is proved nevertheless.

A publish command whose reply subject is one that nats-server keeps for itself (`_R_.`) is refused
after the server looked at the right to publish and before anybody gets the message; which of the
two it complains about shows whether the right is there. (nats-server 2.x, server/client.go,
`processInboundClientMsg`.) That the server does refuse is first tried on this connection's own
inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Final

from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.sinks._shared.net import CONNECT_SECONDS, Reach, Stopwatch, reach, skip_rest
from routestudio.sinks._shared.tls import client_context, wanted, wanted_text
from routestudio.sinks.nats.account import Account, WireError
from routestudio.sinks.nats.streams import Storage, look_up
from routestudio.sinks.nats.wire import (
    Connection,
    Denied,
    Pong,
    Reply,
    printable,
    publication,
)

SECONDS: Final = 8.0
"""Seconds for one step after the connection stands."""

_RESERVED: Final = "_R_.routestudio"
_NOBODY_CONFIRMS: Final = (
    "no JetStream stream stores it, so nobody confirms that a message is stored or received"
)


async def check_server(
    account: Account, subjects: Mapping[str, int], others: Mapping[str, Sequence[str]]
) -> AsyncIterator[CheckStep]:
    """Yield the steps for a server and the subjects to publish to.

    With each subject the bytes of the largest sample message for it. `others` are subjects to
    which other sinks, by their names, send messages with the same ids.
    """
    result, last = Reach(), "resolve"
    async with aclosing(reach(account.host, account.port, tls=None, result=result)) as steps:  # type: ignore[type-var]
        async for step in steps:
            # NATS starts TLS inside the conversation, which `reach` knows nothing about.
            if step.step == "TLS" and account.tls:
                continue
            last = step.step
            yield step
    if not result.ok:
        for step in skip_rest(last, f"{last} failed"):
            yield step
        return
    connection: Connection | None = None
    try:
        watch = Stopwatch()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await Connection.dial(account)
            if account.tls:
                yield await _secure(connection, watch)
            else:
                await connection.greet(None)
        except (WireError, TimeoutError) as error:
            name = "TLS" if account.tls else "authenticate"
            yield _failure(name, error, watch)
            for step in skip_rest(name, f"{name} failed"):
                yield step
            return
        step = await _authenticate(account, connection)
        yield step
        if step.status == "failed":
            for step in skip_rest("authenticate", "authenticate failed"):
                yield step
            return
        if not subjects:
            yield CheckStep("target", "skipped", "there are no samples to take subjects from")
        provable: bool | None = None
        for subject, largest in subjects.items():
            watch = Stopwatch()
            try:
                async with asyncio.timeout(SECONDS):
                    if provable is None:
                        provable = await _refuses_reserved(connection)
                    step = await _target(connection, subject, largest, provable, watch)
            except (WireError, TimeoutError) as error:
                text = str(error) or f"no answer within {SECONDS:g} s"
                yield CheckStep("target", "inconclusive", text, watch.lap(), "try again", subject)
                return
            yield step
        with contextlib.suppress(WireError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                found = await _shared(connection, list(subjects), others)
            for step in found:
                yield step
    finally:
        if connection is not None:
            connection.abort()


async def _secure(connection: Connection, watch: Stopwatch) -> CheckStep:
    await connection.greet(client_context())
    return CheckStep("TLS", "passed", f"{connection.tls_version}, certificate verified",
                     watch.lap())  # fmt: skip


def _failure(name: str, error: Exception, watch: Stopwatch) -> CheckStep:
    if wanted(error):
        text, hint = wanted_text()
        return CheckStep(name, "failed", text, watch.lap(), hint)
    if isinstance(error, WireError):
        hint = error.hint or "check host and port, and that the server is running"
        return CheckStep(name, "failed", str(error), watch.lap(), hint)
    text = f"no connection within {CONNECT_SECONDS:g} s"
    return CheckStep(name, "failed", text, watch.lap(), "check host, port and firewall")


async def _authenticate(account: Account, connection: Connection) -> CheckStep:
    watch, name = Stopwatch(), "authenticate"
    info = connection.info
    version = printable(info.get("version", "")).strip()[:40]
    server = f"NATS server {version}" if version else "the NATS server"
    who = f"as user `{account.username}`" if account.username else "with the given credentials"
    try:
        await connection.sign_in()
    except WireError as error:
        if error.code == "refused" and re.search("authori|authenti", str(error), re.IGNORECASE):
            if account.anonymous:
                return CheckStep(
                    name, "failed", "the server asks for credentials", watch.lap(),
                    "enter a username and password, a token, or an NKey seed (and its JWT)",
                )  # fmt: skip
            return CheckStep(
                name, "failed", f"signing in {who} failed: {error}", watch.lap(),
                "check the credentials, and that they are for this server",
            )  # fmt: skip
        return _failure(name, error, watch)
    if account.anonymous:
        detail = f"{server} needs no credentials"
    elif info.get("auth_required"):
        detail = f"signed in to {server} {who}"
    else:
        detail = f"{server} accepted the connection, but asks nobody for credentials"
    return CheckStep(name, "passed", detail, watch.lap())


async def _refuses_reserved(connection: Connection) -> bool:
    """Whether a publication with a reserved reply subject is sure to reach nobody."""
    number, inbox = connection.ticket()
    denied, received = await _try(connection, inbox, number)
    if received:
        return False
    if denied == "publish":
        # The user may not even publish to an inbox; then what the server is must do.
        version = str(connection.info.get("version", ""))
        return version.startswith("2.") and bool(connection.info.get("go"))
    return denied == "reply"


async def _try(connection: Connection, subject: str, number: int = 0) -> tuple[str, bool]:
    """What the server denies of an empty publication, and whether it came back as `number`."""
    connection.write(publication(subject, _RESERVED, b"", b"") + b"PING\r\n")
    await connection.drain()
    denied, received = "", False
    while not isinstance(event := await connection.event(), Pong):
        if isinstance(event, Denied):
            denied = event.right
        elif isinstance(event, Reply) and event.number == number:
            received = True
    return denied, received


async def _shared(
    connection: Connection, subjects: Sequence[str], others: Mapping[str, Sequence[str]]
) -> list[CheckStep]:
    """Steps that name sinks which send the same ids to a stream of this one."""
    if not others:
        return []
    theirs = {subject for found in others.values() for subject in found}
    storage = await look_up(connection, list(dict.fromkeys([*subjects, *theirs])))
    mine = {storage[subject].stream for subject in subjects}
    steps = []
    for name, found in others.items():
        streams = {storage[subject].stream for subject in found} & mine - {None}
        for stream in sorted(str(stream) for stream in streams if stream):
            text = (
                f"the sink {name} sends the same messages, with the same Nats-Msg-Id, to stream "
                f"{stream}: the stream drops whichever comes second"
            )
            steps.append(CheckStep(
                "target", "inconclusive", text, 0.0, "give each sink its own stream, or put "
                "the sink's name into `Nats-Msg-Id`",
            ))  # fmt: skip
    return steps


async def _target(
    connection: Connection, subject: str, largest: int, provable: bool, watch: Stopwatch
) -> CheckStep:
    denied = (await _try(connection, subject))[0] if provable else ""
    if denied == "publish":
        return CheckStep(
            "target", "failed", f"the user may not publish to {subject}", watch.lap(),
            "let the user publish to this subject, or choose another one", subject,
        )  # fmt: skip
    storage = (await look_up(connection, [subject]))[subject]
    if trouble := _cannot_hold(subject, storage, largest):
        return CheckStep("target", "failed", trouble[0], watch.lap(), trouble[1], subject)
    status, text, hint = _verdict(connection, subject, storage, denied == "reply")
    return CheckStep("target", status, text, watch.lap(), hint, subject)


def _cannot_hold(subject: str, storage: Storage, largest: int) -> tuple[str, str] | None:
    """Why the stream of a subject would have nothing of what is sent to it, and what to do."""
    stream, limits = storage.stream, storage.limits
    if storage.sealed:
        return (
            f"stream {stream} stores {subject}, but is sealed: it takes nothing",
            "choose another subject, or another stream for it",
        )
    if found := storage.objection(subject):
        return found.text, found.hint
    if full := limits.full:
        return (
            f"stream {stream} is full ({full}) and refuses what is new",
            "make room in it, raise its limits, or let it discard the oldest",
        )
    if 0 < limits.max_size < largest:
        return (
            f"stream {stream} takes messages of {limits.max_size:,} bytes, and one of the samples "
            f"for {subject} has {largest:,}",
            "raise `max_msg_size` of the stream, or send less",
        )
    if largest and (text := storage.too_large(subject, 0, largest)):
        return text, "raise `max_bytes` of the stream, or send less"
    return None


def _keeps(storage: Storage) -> str:
    """What a stream does with a message that it took, in words."""
    limits = storage.limits
    if limits.interest:
        kept = "keeps it until its consumers have it"
        if storage.filters is None:
            kept += ", if one of them takes this subject"
    elif shown := limits.shown:
        kept = f"keeps {shown}: older messages go when more come"
        kept = f"keeps {shown}, and then refuses what is new" if limits.refuses_new else kept
    else:
        kept = "stores it"
    return (
        f"{kept}; for {storage.window:,.10g} s it does not store a message whose Nats-Msg-Id "
        "came before on any of its subjects"
    )


def _verdict(
    connection: Connection, subject: str, storage: Storage, allowed: bool
) -> tuple[StepStatus, str, str | None]:
    may = (
        f"the user may publish to {subject}"
        if allowed
        else f"only a delivery can show whether the user may publish to {subject}"
    )
    unsure = "deliver one sample to be sure"
    if connection.deaf:
        told = "it may not subscribe to `_INBOX.>`, so no acknowledgement can arrive"
        return "inconclusive", f"{may}; {told}", "let the user subscribe to `_INBOX.>`"
    if not storage.known:
        told = "it may not ask which stream stores the subject"
        return "inconclusive", f"{may}; {told}", unsure
    if storage.stream and not storage.read:
        told = (
            f"stream {storage.stream} takes it; whether it keeps what it takes is not known, "
            "because its settings cannot be read"
        )
        return "inconclusive", f"{may}; {told}", "let the user publish to `$JS.API.STREAM.INFO.>`"
    if storage.confirms:
        told = f"stream {storage.stream} acknowledges each message and {_keeps(storage)}"
    elif storage.stream:
        told = (
            f"stream {storage.stream} takes it without acknowledgements, so nobody confirms it, "
            f"and {_keeps(storage)}"
        )
    else:
        told = _NOBODY_CONFIRMS
    return (
        ("passed", f"{may}; {told}", None)
        if allowed
        else ("inconclusive", f"{may}; {told}", unsure)
    )
