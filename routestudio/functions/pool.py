"""Runs user functions in worker processes: watched, killed on overrun, started again.

One message that hangs or fills memory costs its own result only. Cancelling an evaluation kills
the worker, so user code never outlives the wish for its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import UsageError, WorkerError
from routestudio.functions import errands, projection, typed
from routestudio.functions.child import Limits, Worker, WorkerGone
from routestudio.functions.frames import Mode, Program
from routestudio.functions.matching import Found, Query
from routestudio.functions.tracing import Trace
from routestudio.functions.wire.decode import results_of, traced_of
from routestudio.model.analysis import Analysis, Reads, of_path
from routestudio.model.function import (
    Diagnostic,
    Function,
    FunctionFault,
    FunctionKind,
    FunctionResult,
    Language,
)
from routestudio.model.message import Message

if TYPE_CHECKING:
    from routestudio.functions.conversion.result import Conversion

_KEPT: Final = 1024
"""Answers about texts that are kept."""

_MAX_ROWS: Final = 1000
"""Messages of one request: bounds what the worker holds and what an overrun makes it repeat."""


_DOES: Final = {"check": "checking", "format": "formatting", "convert": "converting",
                "find": "searching"}  # fmt: skip
"""What the others do is called reading."""
_SHORTER: Final = "write long expressions as several short ones"


class FunctionPool:
    """Evaluates functions on messages in at most `size` workers, started on first use.

    A further worker is started only when all are busy.
    """

    def __init__(self, size: int = 1, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._size = size
        self._free: asyncio.Queue[Worker] | None = None
        self._workers: list[Worker] = []
        self._desk: Worker | None = None
        self._desk_lock = asyncio.Lock()
        self._answers: OrderedDict[tuple[str, Function], Any] = OrderedDict()
        self._loaded: set[str] = set()
        self._warming = 0

    def expect(self, functions: Iterable[Function]) -> None:
        """These functions are likely to be asked for: a worker loads what they need when it
        starts, which is cheaper than to end it for the first of them."""
        self.load(*_needs(functions))

    def load(self, *more: str) -> None:
        """Have workers load these (`errands.LOADED`) when they start."""
        self._loaded.update(more)

    async def check(self, function: Function) -> list[Diagnostic]:
        """All diagnostics of a function's text. Runs nothing; a text that takes long is refused."""
        if function.kind.entry_point is None:
            return []
        try:
            return await self._diagnosed(function)
        except UsageError as error:
            return [Diagnostic(1, 1, "not_checked", error.message, hint=error.hint)]

    async def _diagnosed(
        self, function: Function, worker: Worker | None = None
    ) -> list[Diagnostic]:
        """All diagnostics; those of the last functions are kept. Raises `UsageError` for a text
        that is not checked, which may be the fault of a busy machine."""
        return errands.diagnostics_of(await self._asked("check", function, worker))

    async def analysis(self, function: Function) -> Analysis:
        """What a function's text shows; hardly anything of one that cannot be read in time."""
        if function.kind is FunctionKind.PATH:
            return of_path(function)
        if function.kind.entry_point is None:
            return Analysis(function)
        try:
            return await self._analysed(function)
        except UsageError:
            return Analysis(function)

    async def _analysed(self, function: Function, worker: Worker | None = None) -> Analysis:
        """The analysis of a text; those of the last functions are kept. Raises `UsageError`."""
        return Analysis.of_json(function, await self._asked("analysis", function, worker))

    async def _reads(self, functions: Sequence[Function], worker: Worker) -> Reads:
        """What any of the functions can read of a message."""
        for function in functions:
            if not projection.known(function):
                with contextlib.suppress(UsageError):  # then it is sent everything
                    projection.remember(function, (await self._analysed(function, worker)).reach)
        return projection.reads(functions)

    async def _asked(self, task: str, function: Function, worker: Worker | None = None) -> Any:
        """What a worker finds in a function's text. Raises `UsageError`, as `_work` does."""
        key = task, function
        if key not in self._answers:
            self._answers[key] = await self._work(task, function, worker=worker)
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return self._answers[key]

    async def format(self, code: str, language: Language) -> str:
        """A text in its language's style. Raises `UsageError`, with the reason, if it cannot be."""
        return str(await self._work("format", code, language.value))

    async def convert(
        self, function: Function, times: Collection[str], known: Collection[str] = ()
    ) -> Conversion:
        """The function in the other language, not verified yet (`conversion.convert`)."""
        try:
            found = await self._work("convert", function, frozenset(times), frozenset(known))
        except UsageError as error:
            problem = Diagnostic(1, 1, "not_converted", error.message, hint=error.hint)
            return _conversion(function, None, (problem,))
        problems = tuple(errands.diagnostics_of(found[1]))
        return _conversion(function, found[0], problems, restored=found[2])

    async def places(self, query: Query, text: str, most: int) -> list[Found]:
        """Lines of a text that match (`functions.matching`). Raises `UsageError`."""
        return [(*found,) for found in await self._work("find", query, text, most)]

    async def _work(self, task: str, *arguments: Any, worker: Worker | None = None) -> Any:
        """A task on a text, in `worker` if there is one. Raises `UsageError` where it is refused,
        or stopped."""
        request = {"task": task, "arguments": arguments}
        given = self._text_worker(task) if worker is None else contextlib.nullcontext(worker)
        async with given as worker:
            if task in errands.SHORT:
                await worker.load(*_needs(item for item in arguments if isinstance(item, Function)))
            try:
                return errands.value_of(await worker.call(request, errands.SECONDS))
            except WorkerGone as gone:
                did = _DOES.get(task, "reading")
                why = f"longer than {errands.SECONDS:g} s" if gone.timeout else "too much memory"
                text = f"{did} this text takes {why}, and was stopped"
                raise UsageError(text, hint=_SHORTER) from None

    @contextlib.asynccontextmanager
    async def _text_worker(self, task: str) -> AsyncIterator[Worker]:
        """Any worker that is free checks a text; the other tasks have their own worker."""
        if task in errands.SHORT and self._is_free():
            async with self._worker() as worker:
                yield worker
            return
        async with self._desk_lock:
            if self._desk is None:
                limits = replace(self.limits, memory_bytes=errands.MEMORY)
                self._desk = Worker(limits, errands.FORMATTER, errands.ELIXIR)
            yield self._desk

    def _is_free(self) -> bool:
        """Whether a worker is free, or will be in a moment."""
        free = self._free is not None and not self._free.empty()
        return free or len(self._workers) < self._size or self._warming > 0

    async def evaluate(
        self,
        functions: Sequence[Function],
        messages: Sequence[Message],
        *,
        give_up: bool = True,
        mode: Mode = "value",
        now: str | None = None,
    ) -> list[list[FunctionResult]]:
        """One list of results per function, each as long as `messages`, in the same order.

        A filter that gives false makes the later functions of that message give `None`. With
        `give_up` off, no message is left unevaluated (`Limits.max_overruns`), and too many overruns
        raise `WorkerError` (`max_hanging`). With mode
        `exact`, Elixir functions give the value itself (`decode.Exact`), not what a server
        delivers; for `traced` see `trace`. `now` (ISO 8601) stops the clock that functions read.
        """
        overruns = self.limits.max_overruns if give_up else None
        if not messages:
            return [[] for _ in functions]
        async with self._worker() as worker:
            await worker.load(*_needs(functions))
            faults = [await self._unusable(function, worker) for function in functions]
            runnable = [i for i, fault in enumerate(faults) if fault is None]
            results: list[list[FunctionResult]] = [
                [FunctionResult(fault=fault)] * len(messages) if fault else [] for fault in faults
            ]
            if not runnable:
                return results
            programs = [
                (functions[i].language.value, functions[i].kind.value, functions[i].code, mode)
                for i in runnable
            ]
            wanted = await self._reads([functions[i] for i in runnable], worker)
            columns = await self._evaluate(worker, programs, messages, wanted, overruns, now)
        for i, column in zip(runnable, columns, strict=True):
            results[i] = column
        return results

    async def trace(
        self, function: Function, messages: Sequence[Message], *, now: str | None = None
    ) -> list[tuple[FunctionResult, Trace]]:
        """What a function gives for each message, and what it did for it.

        A call that did not come to its end (`FunctionFault` timeout, crashed) has an empty trace.
        """
        results = (await self.evaluate([function], messages, mode="traced", now=now))[0]
        return [traced_of(result) for result in results]

    async def close(self) -> None:
        """End every worker."""
        workers, self._workers, self._free = self._workers, [], None
        desk_worker, self._desk = self._desk, None
        for worker in [*workers, *([desk_worker] if desk_worker else [])]:
            await worker.close()

    async def warm(self) -> None:
        """Start a worker before it is needed."""
        self._warming += 1
        try:
            async with self._worker() as worker:
                await worker.start()
        finally:
            self._warming -= 1

    async def doors(self) -> int:
        """What a worker has given up on this system: a sum of the constants of `doors`."""
        async with self._worker() as worker:
            await worker.start()
            found: int = worker.doors
            return found

    @contextlib.asynccontextmanager
    async def _worker(self) -> Any:
        if self._free is None:
            self._free = asyncio.Queue()
        free = self._free
        if free.empty() and len(self._workers) < self._size:
            worker = Worker(self.limits, *self._loaded)
            self._workers.append(worker)
        else:
            worker = await free.get()
        try:
            yield worker
        finally:
            free.put_nowait(worker)

    async def _evaluate(
        self,
        worker: Worker,
        programs: list[Program],
        messages: Sequence[Message],
        wanted: Reads,
        overruns: int | None,
        now: str | None,
    ) -> list[list[FunctionResult]]:
        columns: list[list[FunctionResult]] = [[] for _ in programs]
        guilty: dict[int, FunctionFault] = {}
        overran = 0
        start, stop = 0, min(_MAX_ROWS, len(messages))
        while start < len(messages):
            if start in guilty:
                _append(columns, FunctionResult(fault=guilty[start]), 1)
                start, stop = start + 1, min(start + 1 + _MAX_ROWS, len(messages))
                if overruns is not None and overran >= overruns:
                    text = f"not evaluated: the function overran on {overran} messages before"
                    left = FunctionResult(fault=FunctionFault("not_evaluated", text))
                    _append(columns, left, len(messages) - start)
                    return columns
                continue
            part = messages[start:stop]
            packed = _packed(part, wanted)
            if isinstance(packed, int):
                stop = start + packed
                guilty[stop] = _TOO_DEEP
                continue
            request = {
                "programs": programs, "first": start, "count": len(part), "messages": packed,
                "now": now, "types": typed.sent(part, wanted),
            }  # fmt: skip
            try:
                answer = await worker.call(request)
            except WorkerGone as gone:
                if gone.row is None and len(part) > 1:
                    # It ended before any function was called: the messages are too large at once.
                    stop = start + len(part) // 2
                    continue
                # The rows before the guilty one lost their answers with it: they are done again.
                stop = start if gone.row is None else min(max(start, gone.row), stop - 1)
                guilty[stop] = self._overrun(gone.timeout, programs[gone.program][1])
                overran += 1
                if overruns is None and overran > self.limits.max_hanging:
                    raise _hanging(guilty[stop], messages[stop], overran) from None
                continue
            if isinstance(answer, int):
                stop = start + answer
                continue
            for column, given in zip(columns, answer, strict=True):
                column.extend(results_of(given))
            start, stop = stop, min(stop + _MAX_ROWS, len(messages))
        return columns

    async def _unusable(self, function: Function, worker: Worker) -> FunctionFault | None:
        """Why a function cannot be evaluated at all: its first error, with its place.

        Raises `WorkerError` for a text that was not checked: no message may suffer for that.
        """
        if function.kind.entry_point is None:
            text = f"{function.kind.value} functions are not evaluated here"
            return FunctionFault("invalid", text)
        try:
            found = await self._diagnosed(function, worker)
        except UsageError as error:
            raise WorkerError(f"`{function.name}`: {error.message}", hint=error.hint) from None
        for item in found:
            if item.severity == "error":
                hint = f" ({item.hint})" if item.hint else ""
                return FunctionFault("invalid", item.message + hint, None, item.line, item.column)
        return None

    def _overrun(self, timeout: bool, kind: str) -> FunctionFault:
        if timeout:
            seconds = f"{self.limits.seconds_per_message:g} s"
            text = f"the {kind} function ran longer than {seconds} on this message and was stopped"
            return FunctionFault("timeout", text)
        text = f"the {kind} function ended its worker process (too much memory?)"
        return FunctionFault("crashed", text)


def _conversion(*made: Any, **rest: Any) -> Conversion:
    from routestudio.functions.conversion.result import Conversion

    return Conversion.made(*made, **rest)


def _hanging(fault: FunctionFault, last: Message, count: int) -> WorkerError:
    return WorkerError(
        f"the functions did not end on {count} of the messages up to row {last.index + 1}; "
        f"of this one: {fault.message}",
        hint="correct the function, then resume: what is not finished was not delivered",
    )


def _needs(functions: Iterable[Function]) -> set[str]:
    """What a worker must have loaded for these functions."""
    return {errands.ELIXIR for function in functions if function.language is Language.ELIXIR}


_TOO_DEEP: Final = FunctionFault("invalid", "the message is nested too deeply for a function")


def _packed(messages: Sequence[Message], wanted: Reads) -> bytes | int:
    """What the worker reads of the messages, or the position of the first too deep for it."""
    try:
        return pickle.dumps(_parts(messages, wanted), protocol=5)
    except RecursionError:
        for position in range(len(messages)):
            try:
                # Somewhat deeper than alone, so that what passes here passes in a list, too.
                pickle.dumps([[[_parts(messages[position : position + 1], wanted)]]], protocol=5)
            except RecursionError:
                return position
        raise


def _parts(messages: Sequence[Message], wanted: Reads) -> list[Any]:
    return [[message.action for message in messages], *projection.project(messages, wanted)]


def _append(columns: list[list[FunctionResult]], result: FunctionResult, count: int) -> None:
    for column in columns:
        column.extend([result] * count)
