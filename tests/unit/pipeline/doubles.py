"""An in-memory sink, link and source for tests of the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from routestudio.model.defaults import Template
from routestudio.model.fields import Routed, Static, Text, Ui
from routestudio.model.function import Function, FunctionResult
from routestudio.model.message import Message, message_from
from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.model.rows import Fault
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.sinks.base import BatchLimits, Link, Sink, SinkConfig, SinkRouting
from routestudio.sinks.binding import bind


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    topic: str
    body: bytes
    message: Message

    @property
    def size(self) -> int:
        return len(self.body)

    def describe(self) -> dict[str, Any]:
        return {"topic": self.topic}


class MemorySink(Sink):
    """Keeps what it gets."""

    key, title = "memory", "Memory"
    batch = BatchLimits(messages=100, default=10, wait=0.005)
    batch_by = ("topic",)

    class Config(SinkConfig):
        name: Annotated[str, Text(max=20), Ui("Name")] = "m"

    class Routing(SinkRouting):
        topic: Annotated[
            str,
            Text(max=50, pattern=r"\S+", pattern_text="cannot contain whitespace"),
            Routed("Topic", Template("{table_name}"), Static.OPTIONAL, required=True),
        ]

    @staticmethod
    def encode(config: Any, message: Message, routing: Any, payload: Any) -> MemoryRecord:
        return MemoryRecord(routing.topic, payload.json, message)

    @staticmethod
    def connect(config: Any) -> Link:
        return MemoryLink()


Answer = Callable[[MemoryRecord, int], Outcome]


class MemoryLink(Link):
    """Answers by a rule: `answer(record, attempt)`, attempts from 1; keeps what was delivered."""

    def __init__(
        self,
        answer: Answer = lambda record, attempt: DELIVERED,
        *,
        pause: float = 0.0,
        before: Callable[[int], None] = lambda call: None,
    ) -> None:
        self.answer = answer
        self.pause = pause
        self.before = before
        self.calls = 0
        self.now_out = 0
        self.most_out = 0
        self.attempts: dict[int, int] = {}
        self.delivered: list[Message] = []
        self.batches: list[list[MemoryRecord]] = []

    async def check(self, targets: Any) -> Any:
        for target in targets:
            yield target

    async def send(self, batch: Sequence[MemoryRecord]) -> Sequence[Outcome]:
        self.calls += 1
        self.before(self.calls)
        self.batches.append(list(batch))
        self.now_out += 1
        self.most_out = max(self.most_out, self.now_out)
        try:
            await asyncio.sleep(self.pause)
        finally:
            self.now_out -= 1
        outcomes = []
        for record in batch:
            index = record.message.index
            self.attempts[index] = self.attempts.get(index, 0) + 1
            outcome = self.answer(record, self.attempts[index])
            if outcome.status == "delivered":
                self.delivered.append(record.message)
            outcomes.append(outcome)
        return outcomes

    async def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a sink that the stages read."""

    actions: tuple[str, ...] = ("insert", "update", "delete")
    source: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    message_grouping: bool = True
    confine: dict[str, str] = field(default_factory=dict)
    timestamp_format: str = "iso8601"


class PlainPool:
    """Evaluates functions by a table of Python callables instead of a worker process."""

    def __init__(self, **table: Callable[[Message], FunctionResult]) -> None:
        self.table = table
        self.calls: list[tuple[list[str], int]] = []
        self.give_up: list[bool] = []

    async def evaluate(
        self,
        functions: Sequence[Function],
        messages: Sequence[Message],
        *,
        give_up: bool = True,
        now: str | None = None,
    ) -> list[list[FunctionResult]]:
        self.calls.append(([f.name for f in functions], len(messages)))
        self.give_up.append(give_up)
        await asyncio.sleep(0)
        return [[self.table[f.name](m) for m in messages] for f in functions]


def make_stages(
    functions: SinkFunctions | None = None,
    pool: Any = None,
    *,
    settings: Settings | None = None,
    destination: dict[str, Any] | None = None,
    **options: Any,
) -> Stages:
    functions = functions or SinkFunctions()
    bound = bind(MemorySink, destination or {}, dynamic=functions.routing is not None)
    return Stages(bound, settings or Settings(), functions, pool or PlainPool(), **options)


def make_message(index: int = 0, *, id: Any = None, table: str = "orders", **more: Any) -> Message:
    value = {
        "action": more.pop("action", "insert"),
        "record": {"id": index if id is None else id, **more},
        "metadata": {"table_name": table, "commit_lsn": index},
    }
    return message_from(value, index=index, line=index + 1)


async def chunks(rows: Sequence[Any], size: int = 50) -> AsyncIterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
        await asyncio.sleep(0)


def bad_row(line: int, message: str, column: int | None = None, text: str | None = None) -> Fault:
    return Fault(line, message, None, column, text)
