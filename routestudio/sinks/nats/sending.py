"""One batch of NATS messages on its way: what is written, and what became of each message.

A message that a stream knows by its id is acknowledged with `duplicate`, and not stored (ADR-8 of
nats-architecture). What the stream holds under that id is then read and compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from routestudio.model.outcome import DELIVERED, Outcome, duplicate, rejected, retry, unreachable
from routestudio.sinks._shared.repeats import SentIds
from routestudio.sinks.nats.streams import (
    NO_RESPONDERS,
    NOBODY,
    UNNAMED,
    Held,
    Storage,
    read_held,
)
from routestudio.sinks.nats.wire import (
    Connection,
    Denied,
    Pong,
    Reply,
    printable,
    publication,
)

GUESS_SECONDS: Final = 1.0
"""Seconds to wait for an acknowledgement of a subject of which nobody may ask who stores it."""

_PING: Final = b"PING\r\n"
_REPEATED: Final = rejected(
    "repeated",
    "another message with the same Nats-Msg-Id went to this stream a moment ago, so the stream "
    "would drop this one; give each message its own id",
)


class Publication(Protocol):
    """A record that is one message for a subject; `headers` is the encoded block."""

    @property
    def subject(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def headers(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...
    @property
    def size(self) -> int: ...


@dataclass(slots=True)
class Sending:
    """One batch on its way. An outcome is `None` until it is settled."""

    batch: Sequence[Publication]
    sent: SentIds
    outcomes: list[Outcome | None] = field(init=False)
    learned: dict[str, Storage] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    _waiting: dict[int, int] = field(default_factory=dict)
    _guesses: set[int] = field(default_factory=set)
    _known: dict[int, tuple[str, int]] = field(default_factory=dict)
    _written: bool = False

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.batch)

    def objected(self, storage: dict[str, Storage]) -> list[str]:
        """Subjects of messages that their stream would acknowledge and not hold."""
        return [
            subject
            for subject in self.subjects
            if storage[subject].objection(subject)
            or any(
                storage[subject].too_large(subject, len(record.headers), len(record.body))
                for record in self.batch
                if storage[subject].limits.max_bytes and record.subject == subject
            )
        ]

    @property
    def subjects(self) -> list[str]:
        """The distinct subjects, in order."""
        return list(dict.fromkeys(record.subject for record in self.batch))

    async def run(self, connection: Connection, storage: dict[str, Storage]) -> None:
        """Write all that fits, in order, and settle every record.

        The PONG to a PING behind the last one proves that the server has taken all of them, and
        follows its complaints about lacking rights. Acknowledgements may come later. Raises
        `WireError` when the connection ends.
        """
        connection.write(b"".join([*self._commands(connection, storage), _PING]))
        self._written = True
        await connection.drain()
        while not isinstance(event := await connection.event(), Pong):
            self._take(event)
        self._taken()
        while len(self._waiting) > len(self._guesses):
            self._take(await connection.event())
        try:
            async with asyncio.timeout(GUESS_SECONDS):
                while self._waiting:
                    self._take(await connection.event())
        except TimeoutError:
            for number, index in self._waiting.items():
                self.outcomes[index] = DELIVERED
                self.learned[self.batch[index].subject] = NOBODY
                self._guesses.discard(number)
            self._waiting.clear()
        if self._known:
            await self._compare(connection, storage)

    def give_up(self, code: str, reason: str) -> None:
        """The end came early: what has no outcome may have been taken, if it was written."""
        outcome = retry(code, reason, unknown=True) if self._written else unreachable(code, reason)
        for index, record in enumerate(self.batch):
            if self.outcomes[index] is None:
                self.outcomes[index] = outcome
                self.doubtful.add(record.subject)

    def _commands(self, connection: Connection, storage: dict[str, Storage]) -> Iterable[bytes]:
        limit = connection.info.get("max_payload")
        for index, record in enumerate(self.batch):
            if isinstance(limit, int) and record.size > limit:
                self.outcomes[index] = rejected(
                    "max_payload",
                    f"the message has {record.size:,} bytes with its headers; the server takes "
                    f"{limit:,}",
                )
                continue
            if record.headers and not connection.info.get("headers"):
                self.outcomes[index] = rejected("headers", "the server does not support headers")
                continue
            stored, reply = storage[record.subject], ""
            if refusal := self._refusal(record, stored):
                self.outcomes[index] = refusal
                continue
            if not connection.deaf and (stored.confirms or not stored.known):
                number, reply = connection.ticket()
                self._waiting[number] = index
                if not stored.known:
                    self._guesses.add(number)
            yield publication(record.subject, reply, record.headers, record.body)

    def _refusal(self, record: Publication, stored: Storage) -> Outcome | None:
        """Why a stream would acknowledge this message and not have it afterwards."""
        if found := stored.objection(record.subject):
            self.doubtful.add(record.subject)
            return retry(found.code, found.text)
        if text := stored.too_large(record.subject, len(record.headers), len(record.body)):
            return rejected("stream_limit", text)
        if not stored.stream or not record.message_id:
            return None
        key, content = (stored.stream, record.message_id), (record.subject, record.body)
        return _REPEATED if self.sent.repeated(key, content, stored.window) else None

    async def _compare(self, connection: Connection, storage: dict[str, Storage]) -> None:
        """What the streams hold under the ids of messages that they did not store."""
        known = list(self._known.items())
        found = await read_held(connection, [place for _, place in known])
        for (index, (stream, number)), held in zip(known, found, strict=True):
            record = self.batch[index]
            window = storage[record.subject].window
            self.outcomes[index] = _known_already(record, stream, number, held, window)

    def _take(self, event: Pong | Denied | Reply) -> None:
        if isinstance(event, Denied):
            self._forbid(event)
        elif isinstance(event, Reply) and event.number in self._waiting:
            self._acknowledged(event)

    def _forbid(self, event: Denied) -> None:
        if event.right != "publish":
            return
        outcome = rejected("permission", f"the user may not publish to {event.subject}")
        for index, record in enumerate(self.batch):
            if record.subject == event.subject and self.outcomes[index] is None:
                self.outcomes[index] = outcome
        for number, index in list(self._waiting.items()):
            if self.outcomes[index] is outcome:
                self._settled(number)

    def _acknowledged(self, reply: Reply) -> None:
        index = self._waiting[reply.number]
        subject, guessed = self.batch[index].subject, reply.number in self._guesses
        answer = reply.json()
        error = answer.get("error")
        if reply.status == NO_RESPONDERS:
            if guessed:
                self.outcomes[index], self.learned[subject] = DELIVERED, NOBODY
            else:
                self.outcomes[index] = retry("no_stream", f"no stream takes {subject} any more")
                self.doubtful.add(subject)
        elif isinstance(error, dict):
            self.outcomes[index] = _refused(answer, error)
            self.doubtful.add(subject)
        elif isinstance(answer.get("stream"), str):
            self.outcomes[index] = DELIVERED
            if answer.get("duplicate") is True:
                number = answer.get("seq")
                self.outcomes[index] = UNREAD
                self._known[index] = (
                    answer["stream"], number if isinstance(number, int) else 0
                )  # fmt: skip
            if guessed:
                self.learned[subject] = UNNAMED
        else:
            # Somebody who listens to the subject answered; that is not an acknowledgement.
            return
        self._settled(reply.number)

    def _settled(self, number: int) -> None:
        del self._waiting[number]
        self._guesses.discard(number)

    def _taken(self) -> None:
        """The server took everything: what nobody else confirms is delivered."""
        for index in set(range(len(self.batch))).difference(self._waiting.values()):
            if self.outcomes[index] is None:
                self.outcomes[index] = DELIVERED


UNREAD: Final = duplicate(
    "duplicate_unread",
    "the stream knows this message's Nats-Msg-Id and did not store it; what it holds under that "
    "id could not be read",
    held=None,
)


def _known_already(
    record: Publication, stream: str, number: int, held: Held | None, window: float
) -> Outcome:
    """The outcome of a message whose id the stream knows, by what it holds under that id."""
    if held is None:
        return UNREAD
    name, name_of_id = printable(stream), printable(record.message_id)[:80]
    dropped = f"stream {name} knows the id {name_of_id} and did not store this message"
    if held.gone:
        return duplicate(
            "duplicate_gone",
            f"{dropped}; the one with that id is not in the stream any more (an id is known for "
            f"{window:g} s, whatever becomes of its message)",
            held=False,
        )
    if (held.subject, held.body) == (record.subject, record.body):
        return duplicate(
            "duplicate", f"{dropped}, which it holds already as number {number}", held=True
        )
    return duplicate(
        "duplicate_of_another",
        f"{dropped}: the one with that id, number {number} on {printable(held.subject)[:80]}, is "
        "another message",
        held=False,
    )


def _refused(answer: dict[str, Any], error: dict[str, Any]) -> Outcome:
    """The outcome of a message that a stream did not store."""
    code = printable(error.get("err_code") or error.get("code") or "refused")
    stream = f"stream {printable(answer['stream'])}" if answer.get("stream") else "JetStream"
    said = printable(error.get("description") or "no reason given")
    reason = f"{stream} refuses the message: {said}"
    status = error.get("code")
    # As in HTTP: 4xx is about this message, 5xx about the stream as it is now.
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 429):
        return rejected(code, reason)
    return retry(code, reason)
