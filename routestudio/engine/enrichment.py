"""Enrichment: who may be asked for it, and the question itself, on the database of a sink.

Opening a project connects to nothing: a database is asked once the user has agreed to it for this
project on this machine, or by a command that asks for it (decision 0024).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from routestudio.engine.databases import enrichment_seconds, place_of
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import LinkError, RouteStudioError
from routestudio.functions import projection
from routestudio.model.function import Function
from routestudio.model.message import Message
from routestudio.pipeline.enriching import Enriched, EnrichmentFault
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.stages import SinkFunctions
from routestudio.project.user_state import ProjectState
from routestudio.sources._postgres_enrich import Answer, Key, Queries, Several, UnsuitableError
from routestudio.sources._postgres_link import PostgresError, Server

log = logging.getLogger(__name__)

_PASSING: Final = ("57014", "55P03", "40", "53", "57P")
"""How SQLSTATEs begin of what may work later: time-outs, locks, conflicts, a server too full."""
_OF_ROWS: Final = ("21", "22", "23")
"""The same of what the values of single rows may be to blame for."""
_OWN: Final = "08P01"
"""The statement has another number of parameters: of the protocol, but not of the connection."""

EnrichmentInfo = dict[str, Any]
"""`function`, `database`, `state` (`evaluated` or `unknown`), `reason`, `where`, `sql`, and `ask`:
whether agreeing to it is all that is missing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An enrichment and the database that it reads."""

    sink: str
    function: Function
    database: str
    server: Server

    @property
    def pair(self) -> tuple[str, str]:
        """What is kept when the user agrees: another place is another question."""
        server = self.server
        return f"enrichment:{self.database}", f"{server.host}:{server.port}/{server.database}"


def wanted(workspace: Workspace, prepared: PreparedSink) -> Wanted | str | None:
    """The enrichment of a sink, or why it cannot be evaluated; `None` where there is none."""
    function, database = prepared.functions.enrichment, prepared.spec.database
    if function is None:
        return None
    if not database or database not in workspace.project.project.database_entries:
        return "the sink names no database of the project"
    try:
        return Wanted(prepared.spec.name, function, database, place_of(workspace, database))
    except RouteStudioError as error:
        return error.message


def allowed(workspace: Workspace, found: Wanted) -> bool:
    """Whether the user has agreed that the database is asked."""
    return found.pair in workspace.agreed | ProjectState(workspace.project.root).agreed()


def attach(
    workspace: Workspace, prepared: PreparedSink, *, patient: bool = False
) -> EnrichmentInfo | None:
    """Let a sink's stages ask the database, where there is one and the user agreed to it.

    With `patient`, for a delivery, what may work later is tried again, and the rest ends the
    delivery; otherwise each row shows what is wrong. Returns what is known about it.
    """
    found = wanted(workspace, prepared)
    if found is None:
        return None
    function = prepared.functions.enrichment
    assert function is not None
    info: EnrichmentInfo = {
        "function": function.name, "database": prepared.spec.database, "state": "unknown",
        "sql": function.code, "where": None, "ask": False, "reason": found,
    }  # fmt: skip
    if isinstance(found, str):
        return info
    info["where"] = found.server.where
    if not allowed(workspace, found):
        return {**info, "ask": True, "reason": f"database `{found.database}` was not asked"}
    policy = RetryPolicy.of(prepared.spec.max_retry_count) if patient else None
    seconds = enrichment_seconds(workspace, found.database)
    queries = _queries(workspace, found, seconds)
    prepared.stages.enricher = DatabaseEnricher(queries, function, policy)
    return {**info, "state": "evaluated", "reason": None}


def require(workspace: Workspace, prepared: PreparedSink) -> None:
    """The same for a delivery, which ends at the first message that needs what is not there."""
    info = attach(workspace, prepared, patient=True)
    if info is not None and info["state"] != "evaluated":
        prepared.stages.enricher = Missing(info)


class Missing:
    """Ends a delivery whose enrichment cannot be evaluated: nothing goes out without it."""

    def __init__(self, info: EnrichmentInfo) -> None:
        self._info = info

    async def enrich(self, messages: Sequence[Message]) -> Sequence[Enriched]:
        """Raises `LinkError`."""
        hint = "correct the sink's `database`, or write `enrichment: none`"
        if self._info["ask"]:
            hint = "preview it with its database first, which asks whether it may be read"
        raise LinkError(f"the enrichment `{self._info['function']}` cannot be evaluated: "
                        f"{self._info['reason']}", hint=hint)  # fmt: skip


def is_read(functions: SinkFunctions) -> bool:
    """Whether a function of a sink may read the enrichment."""
    path = functions.transform.path if functions.transform is not None else None
    if path is not None and (path == "metadata" or path.startswith("metadata.enrichment")):
        return True
    code = [function for function in functions.present if function.kind.entry_point is not None]
    if not code:
        return False
    keys = projection.reads(code).of("metadata")
    return keys is None or "enrichment" in keys


async def close(workspace: Workspace) -> None:
    """Close the connections to databases that were asked."""
    kept, workspace.queries = workspace.queries, {}
    for queries in kept.values():
        await queries.close()


def _queries(workspace: Workspace, found: Wanted, seconds: float) -> Queries:
    """One connection for each database, however many sinks and previews ask it."""
    key = (found.server, seconds)
    if key not in workspace.queries:
        workspace.queries[key] = Queries(found.server, seconds)
    queries: Queries = workspace.queries[key]
    return queries


class DatabaseEnricher:
    """Asks for all messages of a chunk at once, each key once, by table."""

    def __init__(self, queries: Queries, function: Function, policy: RetryPolicy | None) -> None:
        self._queries = queries
        self._function = function
        self._policy = policy
        self._broken: EnrichmentFault | None = None

    async def enrich(self, messages: Sequence[Message]) -> Sequence[Enriched]:
        """One answer for each message. Raises `LinkError` in a delivery."""
        found: list[Enriched] = [None] * len(messages)
        tables: dict[tuple[str, str], list[int]] = {}
        for number, message in enumerate(messages):
            metadata = message.metadata
            table = (metadata["table_schema"], metadata["table_name"])
            tables.setdefault(table, []).append(number)
        for table, numbers in tables.items():
            chosen = [messages[number] for number in numbers]
            answers = await self._of_table(table, chosen)
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer
        return found

    async def _of_table(
        self, table: tuple[str, str], messages: Sequence[Message]
    ) -> Sequence[Enriched]:
        if self._broken is not None:
            return [self._broken] * len(messages)
        failures = 0
        while True:
            try:
                return await self._answers(table, messages)
            except (PostgresError, UnsuitableError) as error:
                failures += 1
                if self._policy is None:
                    self._broken = self._fault(error)
                    return [self._broken] * len(messages)
                passing = isinstance(error, PostgresError) and _passing(error)
                if not passing or not self._policy.allows(failures):
                    raise self._ended(error) from None
                log.warning("enrichment `%s`: %s; it is tried again", self._function.name,
                            error.message)  # fmt: skip
                await asyncio.sleep(self._policy.delay(failures, random.random()))  # noqa: S311

    async def _answers(
        self, table: tuple[str, str], messages: Sequence[Message]
    ) -> Sequence[Enriched]:
        columns = sorted(await self._queries.key_of(*table) or messages[0].key_columns or ())
        if not columns:
            text = f"the primary key of {'.'.join(table)} is not known, which the query asks by"
            return [self._row_fault("no_key", text, "name it under `tables`")] * len(messages)
        keys = {
            tuple(message.record.get(name) for name in columns): None
            for message in messages
            if all(name in message.record for name in columns)
        }
        asked = [key for key in keys if None not in key]
        answers = await self._asked(columns, asked) if asked else {}
        return [self._answer(message, columns, answers) for message in messages]

    def _answer(
        self, message: Message, columns: Sequence[str], answers: dict[Key, Answer | EnrichmentFault]
    ) -> Enriched:
        for name in columns:
            if message.record.get(name) is None:
                return self._row_fault("no_key", f"the row has no `{name}`, which is in the key",
                                       None)  # fmt: skip
        found = answers[tuple(message.record[name] for name in columns)]
        if isinstance(found, Several):
            return self._row_fault(
                "several", "the query gives more than one row for this key",
                "let it give one row at most for each key",
            )  # fmt: skip
        return found

    async def _asked(
        self, columns: Sequence[str], keys: Sequence[Key]
    ) -> dict[Key, Answer | EnrichmentFault]:
        """What there is for keys; where a value is refused, the others are asked without it."""
        try:
            found = await self._queries.ask(self._function.code, columns, keys)
            return dict(zip(keys, found, strict=True))
        except PostgresError as error:
            if error.lost or not error.state.startswith(_OF_ROWS):
                raise
            if len(keys) == 1:
                return {keys[0]: self._fault(error)}
            half = len(keys) // 2
            first = await self._asked(columns, keys[:half])
            return first | await self._asked(columns, keys[half:])

    def _fault(self, error: RouteStudioError) -> EnrichmentFault:
        character = error.character if isinstance(error, PostgresError) else None
        line, column = _place(self._function.code, character)
        own = isinstance(error, PostgresError) and error.state == _OWN
        hint = "$1, $2 … are the key's columns, by the alphabet" if own else error.hint
        return EnrichmentFault("query", error.message, hint, line, column, self._function.name)

    def _row_fault(self, code: str, text: str, hint: str | None) -> EnrichmentFault:
        return EnrichmentFault(code, text, hint, function=self._function.name)

    def _ended(self, error: RouteStudioError) -> LinkError:
        fault = self._fault(error)
        place = f", line {fault.line}" if fault.line else ""
        return LinkError(f"enrichment `{self._function.name}`{place}: {error.message}",
                         hint=fault.hint)  # fmt: skip


def _passing(error: PostgresError) -> bool:
    """Whether trying again may help."""
    return error.state != _OWN and (error.lost or error.state.startswith(_PASSING))


def _place(text: str, character: int | None) -> tuple[int | None, int | None]:
    """Line and column of a character, all counted from 1."""
    if character is None:
        return None, None
    before = text[: character - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
