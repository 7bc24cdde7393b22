"""Who stores a subject: questions to the JetStream API of a NATS server.

Facts: https://docs.nats.io/reference/protocols/jetstream/nats_api_reference (STREAM.NAMES with a
subject filter, STREAM.INFO). Streams of one account never overlap, so a subject has one at most.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from routestudio.sinks.nats.wire import Connection, Denied, Reply, publication

LOOKUP_SECONDS: Final = 5.0
NO_RESPONDERS: Final = 503
"""Status of the server's own reply when nobody listens to the subject of a request."""

WINDOW_SECONDS: Final = 120.0
"""Seconds for which a stream knows an id, when nobody set another time."""

_NAMES: Final = "$JS.API.STREAM.NAMES"
_STREAM: Final = re.compile(r"(?:(?![.*>])[\x21-\x7e]){1,255}")
_NOT_ENABLED: Final = frozenset({10076, 10039})
"""JetStream error codes: not enabled on the server, not enabled for the account."""

_NO_MESSAGE: Final = 10037
"""JetStream error code: the stream has no message of that number."""

_READ_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a stream has nothing of what it is sent; `hint` explains what to do."""

    code: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stream keeps, by its own settings (0: without limit) and its state."""

    interest: bool = False
    consumers: int = 0
    max_bytes: int = 0
    max_messages: int = 0
    max_size: int = 0
    per_subject: int = 0
    seconds: float = 0.0
    refuses_new: bool = False
    counter: bool = False
    on_disk: bool = True
    bytes: int = 0
    messages: int = 0

    @classmethod
    def of(cls, config: dict[str, Any], state: dict[str, Any]) -> Limits:
        """The limits of an answer to `STREAM.INFO`; whatever it lacks is taken for unlimited."""
        return cls(
            interest=config.get("retention") == "interest",
            consumers=_number(state, "consumer_count"),
            max_bytes=_number(config, "max_bytes"),
            max_messages=_number(config, "max_msgs"),
            max_size=_number(config, "max_msg_size"),
            per_subject=_number(config, "max_msgs_per_subject"),
            seconds=_number(config, "max_age") / 1e9,
            refuses_new=config.get("discard") == "new",
            counter=config.get("allow_msg_counter") is True,
            on_disk=config.get("storage") != "memory",
            bytes=_number(state, "bytes"),
            messages=_number(state, "messages"),
        )

    def stored_size(self, subject: int, headers: int, body: int) -> int:
        """Bytes that a message counts against `max_bytes` (server/filestore.go and memstore.go)."""
        if not self.on_disk:
            return subject + headers + body + 16
        return 30 + subject + body + (4 + headers if headers else 0)

    @property
    def full(self) -> str:
        """What a stream that refuses new messages is full of; empty while it has room."""
        if not self.refuses_new:
            return ""
        if 0 < self.max_messages <= self.messages:
            return f"{self.messages:,} message{'s' if self.messages != 1 else ''}"
        if 0 < self.max_bytes <= self.bytes:
            return f"{self.bytes:,} bytes"
        return ""

    @property
    def shown(self) -> str:
        """The limits after which older messages go, in words; empty without any."""
        parts = [
            f"{value:,} {noun}" for value, noun in (
                (self.max_messages, "messages"), (self.max_bytes, "bytes"),
            ) if value
        ]  # fmt: skip
        if self.per_subject:
            parts.append(f"{self.per_subject:,} for each subject")
        if self.seconds:
            parts.append(f"for {self.seconds:,.10g} s")
        return ", ".join(parts)


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Storage:
    """What is known about who stores a subject.

    `stream` is its JetStream stream, if any; `known` is false when the user may not ask.
    `acknowledges`, `sealed`, `window` (seconds for which it knows an id) and `limits` are the
    stream's own settings; `read` means that they could be read. `filters` are the subjects that
    the consumers of an `interest` stream take, where they could be asked for.
    """

    known: bool
    stream: str | None = None
    acknowledges: bool = True
    sealed: bool = False
    window: float = WINDOW_SECONDS
    limits: Limits = NO_LIMITS
    read: bool = False
    filters: tuple[str, ...] | None = None

    @property
    def confirms(self) -> bool:
        """Whether an acknowledgement of each message can be counted on."""
        return self.stream is not None and self.acknowledges

    def objection(self, subject: str) -> Objection | None:
        """Why nothing that the stream acknowledges can be in it afterwards."""
        limits = self.limits
        if limits.interest and not limits.consumers:
            return Objection(
                "no_consumer",
                f"stream {self.stream} keeps a message only for its consumers (retention "
                "`interest`) and has none: it acknowledges each message and drops it",
                "create the consumer first, or choose retention `limits`",
            )
        if self.filters is not None and not any(covers(f, subject) for f in self.filters):
            return Objection(
                "no_consumer",
                f"stream {self.stream} keeps a message only for its consumers (retention "
                f"`interest`), and none of them takes {subject}: it acknowledges and drops it",
                "create a consumer for the subject first, or choose retention `limits`",
            )
        if limits.counter:
            return Objection(
                "counter_stream",
                f"stream {self.stream} is a counter: it takes increments only",
                "choose another subject, or another stream for it",
            )
        return None

    def too_large(self, subject: str, headers: int, body: int) -> str:
        """Why the stream cannot hold one message of this size; empty when it can."""
        limits = self.limits
        size = limits.stored_size(len(subject.encode()), headers, body)
        if 0 < limits.max_bytes < size:
            return (
                f"stream {self.stream} holds {limits.max_bytes:,} bytes in all, and this message "
                f"needs {size:,}: the stream would drop it, and what it holds"
            )
        return ""


NOBODY: Final = Storage(known=True)
UNKNOWN: Final = Storage(known=False)
UNNAMED: Final = Storage(known=True, stream="")
"""Acknowledged before, by a stream whose settings the user may not see."""


async def look_up(connection: Connection, subjects: Sequence[str]) -> dict[str, Storage]:
    """Ask which stream stores each subject. Raises `WireError` when the connection ends."""
    if connection.deaf:
        return dict.fromkeys(subjects, UNKNOWN)
    questions = [(_NAMES, json.dumps({"subject": subject})) for subject in subjects]
    names: dict[str, str | None] = {}
    for subject, reply in zip(subjects, await ask(connection, questions), strict=True):
        if reply is None:
            continue
        answer = reply.json()
        error, streams = answer.get("error"), answer.get("streams")
        if reply.status == NO_RESPONDERS:
            names[subject] = None
        elif isinstance(error, dict):
            if error.get("err_code") in _NOT_ENABLED:
                names[subject] = None
        elif "streams" in answer:
            name = streams[0] if isinstance(streams, list) and streams else None
            # The name becomes part of a subject, so it is believed only if it can be one.
            if name is None or (isinstance(name, str) and _STREAM.fullmatch(name)):
                names[subject] = name
    streams = await _settings(connection, {name for name in names.values() if name})
    return {
        subject: UNKNOWN if subject not in names else streams.get(names[subject], NOBODY)
        for subject in subjects
    }


async def _settings(connection: Connection, streams: set[str]) -> dict[str | None, Storage]:
    ordered = sorted(streams)
    questions = [(f"$JS.API.STREAM.INFO.{name}", "") for name in ordered]
    found: dict[str | None, Storage] = {}
    for name, reply in zip(ordered, await ask(connection, questions), strict=True):
        answer = reply.json() if reply is not None else {}
        config, state = _object(answer, "config"), _object(answer, "state")
        found[name] = Storage(
            known=True, stream=name, acknowledges=config.get("no_ack") is not True,
            sealed=config.get("sealed") is True,
            window=_number(config, "duplicate_window") / 1e9 or WINDOW_SECONDS,
            limits=Limits.of(config, state), read=bool(config),
        )  # fmt: skip
    waited_for = [s for s in found.values() if s.limits.interest and s.limits.consumers]
    asked = [(f"$JS.API.CONSUMER.LIST.{storage.stream}", "") for storage in waited_for]
    for storage, reply in zip(waited_for, await ask(connection, asked), strict=True):
        filters = _filters(reply.json()) if reply is not None else None
        found[storage.stream] = replace(storage, filters=filters)
    return found


def _filters(answer: dict[str, Any]) -> tuple[str, ...] | None:
    """The subjects that the consumers of a stream take; `None` when they are not all named."""
    consumers = answer.get("consumers")
    if not isinstance(consumers, list) or answer.get("total") != len(consumers):
        return None
    found: list[str] = []
    for consumer in consumers:
        config = _object(consumer, "config") if isinstance(consumer, dict) else {}
        many = config.get("filter_subjects") or [config.get("filter_subject") or ">"]
        found += [text for text in many if isinstance(text, str)]
    return tuple(found)


def covers(pattern: str, subject: str) -> bool:
    """Whether a subject is one that a pattern with `*` and `>` names."""
    parts, names = pattern.split("."), subject.split(".")
    if parts[-1] == ">":
        parts = parts[:-1]
        if len(names) <= len(parts):
            return False
        names = names[: len(parts)]
    return len(parts) == len(names) and all(
        part in ("*", name) for part, name in zip(parts, names, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a stream holds at a number; `gone` when that is nothing (any more)."""

    subject: str = ""
    body: bytes = b""
    gone: bool = False


async def read_held(connection: Connection, places: Sequence[tuple[str, int]]) -> list[Held | None]:
    """What streams hold at sequence numbers; `None` where that cannot be seen.

    Raises `WireError` when the connection ends.
    """
    found: list[Held | None] = [None] * len(places)
    asked = [
        (index, (f"$JS.API.STREAM.MSG.GET.{stream}", json.dumps({"seq": number})))
        for index, (stream, number) in enumerate(places)
        if number > 0 and _STREAM.fullmatch(stream)
    ]
    for start in range(0, len(asked), _READ_AT_ONCE):
        part = asked[start : start + _READ_AT_ONCE]
        replies = await ask(connection, [question for _, question in part])
        for (index, _), reply in zip(part, replies, strict=True):
            found[index] = _held(reply.json()) if reply is not None else None
        if not any(replies):
            break  # the user may not read the stream, or it does not answer
    return found


def _held(answer: dict[str, Any]) -> Held | None:
    if _object(answer, "error").get("err_code") == _NO_MESSAGE:
        return Held(gone=True)
    message = _object(answer, "message")
    subject, data = message.get("subject"), message.get("data", "")
    if not isinstance(subject, str) or not isinstance(data, str):
        return None
    try:
        return Held(subject, base64.b64decode(data, validate=True))
    except ValueError:
        return None


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _number(data: dict[str, Any], name: str) -> int:
    """A number that limits something; 0 for none, which servers write as -1 or leave out."""
    found = data.get(name)
    return found if type(found) is int and found > 0 else 0


async def ask(
    connection: Connection, questions: Sequence[tuple[str, str]]
) -> Sequence[Reply | None]:
    """The replies to requests (subject and body), asked all at once.

    `None` for those that the user may not ask or that had no reply in time.
    """
    answers: list[Reply | None] = [None] * len(questions)
    if not questions:
        return answers
    waiting: dict[int, int] = {}
    commands = []
    for index, (subject, body) in enumerate(questions):
        number, reply = connection.ticket()
        waiting[number] = index
        commands.append(publication(subject, reply, b"", body.encode()))
    connection.write(b"".join(commands))
    await connection.drain()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            while waiting:
                event = await connection.event()
                if isinstance(event, Reply) and event.number in waiting:
                    answers[waiting.pop(event.number)] = event
                elif isinstance(event, Denied):
                    for number, index in list(waiting.items()):
                        if questions[index][0] == event.subject:
                            del waiting[number]
    except TimeoutError:
        pass
    return answers
