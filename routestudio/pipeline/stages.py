"""The stages of one message: match, enrich, filter, route, transform, encode.

One class serves preview, route tests, check, run and `eval`, so all of them see the same route.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from routestudio.model.fields import RuleError
from routestudio.model.function import (
    Function,
    FunctionFault,
    FunctionKind,
    FunctionResult,
    Language,
)
from routestudio.model.message import Message
from routestudio.pipeline.enriching import (
    Enricher,
    EnrichmentFault,
    EnrichmentState,
    given,
    with_enrichment,
)
from routestudio.pipeline.matching import matcher
from routestudio.pipeline.values import unix_microseconds, value_at
from routestudio.routing import Effective, Router
from routestudio.sinks.base import Payload, Record
from routestudio.sinks.binding import BoundSink

StageName = Literal["read", "enrich", "filter", "route", "transform", "encode"]


@dataclass(frozen=True, slots=True)
class StageProblem:
    """Why a stage failed for a message. `line`/`column` are places in the function's text."""

    stage: StageName
    code: str
    message: str
    field: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    function: str | None = None


@dataclass(slots=True)
class Staged:
    """A message after all stages, with every problem found.

    `message` has formatted timestamps. `filtered` is why it is not for this sink, by its
    `actions`, its `source` or its `filter` function. `record` is `None` for messages with
    problems, for filtered ones, and while the sink has no valid configuration. `guessed` are
    functions that failed on guessed types and gave their result for text, with how they failed.
    `enrichment` is what is known of `metadata.enrichment`.
    """

    message: Message
    filtered: str | None = None
    effective: Effective | None = None
    payload: Payload | None = None
    record: Record | None = None
    problems: tuple[StageProblem, ...] = ()
    guessed: tuple[tuple[str, FunctionFault], ...] = ()
    enrichment: EnrichmentState = "none"

    @property
    def ok(self) -> bool:
        """Whether no stage failed; also true for filtered messages."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class SinkFunctions:
    """The functions of a sink. `transform` is of kind transform or path; `enrichment` is SQL."""

    filter: Function | None = None
    routing: Function | None = None
    transform: Function | None = None
    enrichment: Function | None = None

    @property
    def present(self) -> tuple[Function, ...]:
        """Those that there are and see a message, in the order in which they do."""
        return tuple(f for f in (self.filter, self.routing, self.transform) if f is not None)


class SinkSettings(Protocol):
    """What the stages need to know of a sink beside its destination."""

    @property
    def actions(self) -> Collection[str] | None: ...
    @property
    def source(self) -> Mapping[str, Collection[str]] | None: ...
    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def message_grouping(self) -> bool: ...
    @property
    def timestamp_format(self) -> str: ...
    @property
    def confine(self) -> Mapping[str, str]: ...


class Evaluator(Protocol):
    """Evaluates user functions on messages (`functions.pool.FunctionPool`)."""

    async def evaluate(
        self,
        functions: Sequence[Function],
        messages: Sequence[Message],
        *,
        give_up: bool = True,
        now: str | None = None,
    ) -> list[list[FunctionResult]]: ...


class Stages:
    """All stages of one sink. `max_overruns=None` never leaves a message unevaluated.

    `enricher` asks the database for enrichments; without one they stay unknown.
    `mark` changes what is delivered of each message, for a rehearsal.
    """

    enricher: Enricher | None = None

    def __init__(
        self,
        bound: BoundSink,
        settings: SinkSettings,
        functions: SinkFunctions,
        pool: Evaluator,
        *,
        max_overruns: int | None = 5,
        mark: Callable[[Message, Any], Any] | None = None,
    ) -> None:
        self.bound = bound
        self._mark = mark
        self.functions = functions
        self.router = Router(
            bound,
            grouping=settings.message_grouping,
            tables=settings.tables,
            confine=settings.confine,
        )
        self._pool = pool
        self._give_up = max_overruns is not None
        self._match = matcher(settings.actions, settings.source)
        self._unix = settings.timestamp_format == "unix_microsecond"
        self._encode = bound.sink.encode
        routing = functions.routing if bound.dynamic else None
        transform = functions.transform
        self._path = (
            transform.path or ""
            if transform is not None and transform.kind is FunctionKind.PATH
            else None
        )
        worker = (functions.filter, routing, transform if self._path is None else None)
        self._evaluated = [function for function in worker if function is not None]

    @property
    def uses_pool(self) -> bool:
        """Whether messages wait for something: a function in the worker, or a database."""
        return bool(self._evaluated) or self.enricher is not None

    async def apply(self, messages: Sequence[Message], *, now: str | None = None) -> list[Staged]:
        """Every message through all stages, in the same order.

        `now` (ISO 8601) stops the clock that functions read.

        All functions go to the worker in one call. Raises `WorkerError` when there is no worker,
        and what `Enricher.enrich` raises.
        """
        match = self._match
        if match is None:
            staged = [Staged(message) for message in messages]
            kept = staged
        else:
            staged = [Staged(message, match(message)) for message in messages]
            kept = [item for item in staged if item.filtered is None]
        if self.functions.enrichment is not None and kept:
            kept = await self._enrich(kept)
        if self._unix:
            for item in staged:
                item.message = unix_microseconds(item.message)
        if not kept:
            return staged
        if not self._evaluated:
            path = self._path
            for item in kept:
                picked = None if path is None else value_at(path, item.message)
                self._finish(item, None, picked)
            return staged
        results = await self._pool.evaluate(
            self._evaluated, [item.message for item in kept], give_up=self._give_up, now=now
        )
        for function, column in zip(self._evaluated, results, strict=True):
            if function.language is Language.ELIXIR:
                _note_guesses(function.name, column, kept)
        columns = iter(results)
        filters = next(columns) if self.functions.filter is not None else None
        routes = next(columns) if self._routing is not None else None
        transforms = next(columns, None)
        for index, item in enumerate(kept):
            if filters is not None and not self._passes(item, filters[index]):
                continue
            if self._path is not None:
                picked = value_at(self._path, item.message)
            else:
                picked = transforms[index] if transforms is not None else None
            filtering = filters[index].fault if filters is not None else None
            self._finish(item, routes[index] if routes is not None else None, picked, filtering)
        return staged

    def matching(self, messages: Sequence[Message]) -> list[Message]:
        """The messages that are for this sink by its actions and source."""
        match = self._match
        return list(messages) if match is None else [m for m in messages if match(m) is None]

    async def enriched(self, messages: Sequence[Message]) -> list[Message]:
        """Messages with what the database says of them, as functions see them; those whose own
        is not known stay as they are."""
        if self.enricher is None:
            return list(messages)
        items = [Staged(message) for message in messages]
        await self._enrich(items)
        return [item.message for item in items]

    async def _enrich(self, kept: Sequence[Staged]) -> list[Staged]:
        """Add enrichments; those whose own is not known for a fault go no further."""
        asked = [item for item in kept if not given(item.message)]
        for item in kept:
            item.enrichment = "given"
        for item in asked:
            item.enrichment = "unknown"
        if self.enricher is None or not asked:
            return list(kept)
        found = await self.enricher.enrich([item.message for item in asked])
        for item, answer in zip(asked, found, strict=True):
            if isinstance(answer, EnrichmentFault):
                item.problems = (
                    StageProblem("enrich", answer.code, answer.message, None, answer.line,
                                 answer.column, answer.hint, answer.function),
                )  # fmt: skip
            else:
                item.message = with_enrichment(item.message, answer)
                item.enrichment = "known"
        return [item for item in kept if not item.problems]

    @property
    def _routing(self) -> Function | None:
        return self.functions.routing if self.bound.dynamic else None

    def _passes(self, item: Staged, result: FunctionResult) -> bool:
        """Whether the filter lets the message on; a broken filter is a problem, not a verdict."""
        if result.fault is None and result.value is True:
            return True
        if result.fault is None and result.value is False:
            item.filtered = "filter"
            return False
        name = self.functions.filter.name if self.functions.filter else None
        if result.fault is not None:
            problem = _fault("filter", result.fault, name)
        else:
            problem = StageProblem(
                "filter", "not_boolean",
                f"the filter must return true or false, not {_kind(result.value)}",
                hint="return a comparison, such as record[\"status\"] == \"paid\"", function=name,
            )  # fmt: skip
        item.problems = (problem,)
        return True

    def _finish(
        self,
        item: Staged,
        route: FunctionResult | None,
        picked: FunctionResult | None,
        filtering: FunctionFault | None = None,
    ) -> None:
        """Route, transform and encode. A worker that was stopped gives all functions of a
        message exactly the same fault (so does `filtering`): it is reported once."""
        message = item.message
        effective = item.effective = self.router.route(message, route)
        if effective.problems or effective.fault is not None:
            item.problems += self._routing_problems(effective, filtering)
        if picked is None:
            payload = item.payload = Payload(message.as_json(), finite=True)
        elif picked.fault is None:
            payload = item.payload = Payload(picked.value)
        else:
            if picked.fault is not filtering and picked.fault is not effective.fault:
                name = self.functions.transform.name if self.functions.transform else None
                item.problems += (_fault("transform", picked.fault, name),)
            return
        if item.problems or self.bound.config is None:
            return
        if self._mark is not None:
            payload = item.payload = Payload(self._mark(message, payload.value))
        try:
            item.record = self._encode(
                self.bound.config, message, self.router.instance(effective), payload
            )
        except RuleError as error:
            item.problems += (StageProblem("encode", "payload", str(error), hint=error.hint),)
        except (TypeError, ValueError, RecursionError) as error:
            text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            item.problems += (
                StageProblem("encode", "not_json", f"the payload has no JSON form: {text}"),
            )

    def _routing_problems(
        self, effective: Effective, filtering: FunctionFault | None
    ) -> tuple[StageProblem, ...]:
        name = self._routing.name if self._routing is not None else None
        if effective.fault is not None:
            if effective.fault is filtering:
                return ()
            return (_fault("route", effective.fault, name),)
        return tuple(
            StageProblem("route", "routing", p.message, p.field, hint=p.hint, function=name)
            for p in effective.problems
        )


def _note_guesses(name: str, results: Sequence[FunctionResult], items: Sequence[Staged]) -> None:
    for item, result in zip(items, results, strict=True):
        if result.guessed is not None:
            item.guessed += ((name, result.guessed),)


def _fault(stage: StageName, fault: FunctionFault, function: str | None) -> StageProblem:
    text = fault.message
    if fault.type and not text.startswith(fault.type):
        text = f"{fault.type}: {text}"
    return StageProblem(
        stage, fault.code, text, line=fault.line, column=fault.column, function=function
    )


def _kind(value: Any) -> str:
    names = {type(None): "nothing (None)", str: "text", dict: "a map", list: "a list"}
    name = names.get(type(value))
    return name or ("a number" if isinstance(value, (int, float)) else type(value).__name__)
