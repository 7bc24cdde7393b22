"""Who stores a subject: questions to the JetStream API of a NATS server.

Facts: https://docs.nats.io/reference/protocols/jetstream/nats_api_reference (STREAM.NAMES with a
subject filter, STREAM.INFO). Streams of one account never overlap, so a subject has one at most.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routestudio.sinks._nats_wire import Connection, Denied, Reply, publication

LOOKUP_SECONDS: Final = 5.0
NO_RESPONDERS: Final = 503
"""Status of the server's own reply when nobody listens to the subject of a request."""

_NAMES: Final = "$JS.API.STREAM.NAMES"
_STREAM: Final = re.compile(r"(?:(?![.*>])[\x21-\x7e]){1,255}")
_NOT_ENABLED: Final = frozenset({10076, 10039})
"""JetStream error codes: not enabled on the server, not enabled for the account."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What is known about who stores a subject.

    `stream` is its JetStream stream, if any; `known` is false when the user may not ask.
    `acknowledges` and `sealed` are the stream's own settings.
    """

    known: bool
    stream: str | None = None
    acknowledges: bool = True
    sealed: bool = False

    @property
    def confirms(self) -> bool:
        """Whether an acknowledgement of each message can be counted on."""
        return self.stream is not None and self.acknowledges


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
        config = reply.json().get("config") if reply is not None else None
        config = config if isinstance(config, dict) else {}
        found[name] = Storage(
            known=True, stream=name, acknowledges=config.get("no_ack") is not True,
            sealed=config.get("sealed") is True,
        )  # fmt: skip
    return found


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
