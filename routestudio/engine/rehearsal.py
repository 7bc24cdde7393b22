"""Rehearses a fault: samples through the real pipeline to a stand-in that fails, and a verdict.

Route, batches, order, retries and dead letters are those of a run (`pipeline.run.Delivery`) with
the sink's own settings. The stand-in is a new one. Each payload carries the number of its message,
so what arrived is known whatever the function made of the rows (decision 0026).
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from routestudio import tasks
from routestudio.engine.messages import first
from routestudio.engine.rehearsal_faults import FAULTS, KILL_SHARE, FaultLink
from routestudio.engine.rehearsal_verdict import Verdict, verdict_on
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import UsageError
from routestudio.formats.reader import Row
from routestudio.model.message import Message
from routestudio.pipeline.checkpoint import Checkpoint, Range
from routestudio.pipeline.ending import RunStoppedError
from routestudio.pipeline.report import RunSummary
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.run import Delivery, Finished
from routestudio.pipeline.stages import Stages
from routestudio.sinks import standins
from routestudio.sinks.base import Link
from routestudio.sinks.standin import Arrived

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

MOST: Final = 1_000
"""Messages that are rehearsed, unless somebody asks for more or less."""

MARK: Final = "routestudio_rehearsal"
_FOUND: Final = re.compile(MARK + r'[\\":\s]*(\d+)')
"""As JSON, also within JSON, and as a field of a Redis stream."""
_SHOWN: Final = 20
_READ_ALL: Final = 10_000_000
_STEP: Final = 12
"""Messages that the source gives at once: a fault has to meet some on their way."""

Emit = Callable[[str, dict[str, Any]], None]
Wrap = Callable[[Link], Link]


@dataclass(slots=True)
class Rehearsal:
    """One rehearsal: its verdict and counts. `untraced` messages arrive without any content (a
    delete by its key), so nothing can be said of them; `failed` did not get through the route."""

    sink: str
    fault: str
    verdict: Verdict
    summary: dict[str, Any]
    messages: int = 0
    filtered: int = 0
    failed: int = 0
    untraced: int = 0
    dead: list[dict[str, Any]] = field(default_factory=list)
    fired: int = 0
    seconds: float = 0.0
    stopped: str = ""

    @property
    def good(self) -> bool:
        """Whether the fault happened and did no harm."""
        return self.verdict.good and not self.dead and not self.stopped

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        found = self.verdict
        return {
            "sink": self.sink, "fault": self.fault, "good": self.good, "messages": self.messages,
            "filtered": self.filtered, "failed": self.failed, "untraced": self.untraced,
            "sent": found.wanted, "arrived": found.arrived, "lost": len(found.lost),
            "doubled": found.doubled, "unexplained": len(found.unexplained),
            "disorder": found.disorder, "dead_letters": len(self.dead),
            "retried": self.summary["retried"], "batches": self.summary["batches"],
            "fired": self.fired, "seconds": round(self.seconds, 2), "stopped": self.stopped,
            "examples": {
                "lost": list(found.lost[:_SHOWN]), "unexplained": list(found.unexplained[:_SHOWN]),
                "overtaken": [item.as_json() for item in found.overtaken[:_SHOWN]],
                "stale": list(found.stale[:_SHOWN]), "dead": self.dead[:_SHOWN],
            },
        }  # fmt: skip


@dataclass(slots=True)
class _Run:
    """What is collected over the one or two lives of a delivery."""

    link: FaultLink
    finished: list[Finished] = field(default_factory=list)
    summaries: list[RunSummary] = field(default_factory=list)
    doubtful: set[int] = field(default_factory=set)
    fired: int = 0
    stopped: str = ""


class _Frozen(Checkpoint):
    """A checkpoint file that is not written any more once the program is dead."""

    dead = False

    def save(self, position: int, finished: Sequence[Range] = ()) -> None:
        if not self.dead:
            super().save(position, finished)


async def rehearse(
    workspace: Workspace,
    sink: str,
    fault: str,
    source: Mapping[str, Any],
    *,
    limit: int = MOST,
    policy: RetryPolicy | None = None,
    wrap: Wrap = lambda link: link,
) -> Rehearsal:
    """Deliver the first messages of a source to a new stand-in under a fault.

    `policy` takes the place of the sink's own retries, `wrap` puts something between the fault and
    the stand-in; both are for tests. Raises `UsageError`, `LinkError` for a stand-in that cannot
    start, and `WorkerError`.
    """
    if fault not in FAULTS:
        raise UsageError(f"there is no fault `{fault}`", hint=f"faults: {', '.join(FAULTS)}")
    rows, _ = await first(workspace, source, limit)
    kind = workspace.registry.get(workspace.spec(sink).type).standin
    if kind is None:
        raise UsageError(f"there is no stand-in for sink `{sink}`")
    standin = standins.create(kind)
    try:
        address = await standin.start()
        prepared = workspace.prepare(sink, standin=address, max_overruns=None)
        prepared.require_ready()
        stages = _marked(workspace, prepared)
        groups, counts = await _expected(stages, rows)
        if not groups:
            raise UsageError("none of the messages can be delivered and recognised",
                             hint="see the preview for what becomes of them")  # fmt: skip
        policy = policy or RetryPolicy.of(prepared.spec.max_retry_count)
        begun = time.monotonic()
        run = await _delivered(prepared, stages, rows, fault, policy, wrap, len(groups))
        seconds = time.monotonic() - begun
        places = _places(await standin.arrived(_READ_ALL))
    finally:
        await standin.stop()
    return _result(workspace, sink, fault, run, groups, counts, places, seconds)


def _result(
    workspace: Workspace,
    sink: str,
    fault: str,
    run: _Run,
    groups: Mapping[int, str | None],
    counts: Mapping[str, int],
    places: Mapping[str, list[int]],
    seconds: float,
) -> Rehearsal:
    dead: dict[int, dict[str, Any]] = {}
    for item in run.finished:
        number = item.message.index if item.message is not None else -1
        if item.status == "rejected" and number in groups:
            dead[number] = {"number": number, "code": item.code,
                            "reason": workspace.redact(item.reason)}  # fmt: skip
    verdict = verdict_on(groups, places, given_up=dead, doubtful=run.doubtful)
    summary = {name: sum(getattr(s, name) for s in run.summaries) for name in
               ("retried", "batches")}  # fmt: skip
    return Rehearsal(sink, fault, verdict, summary, **counts, dead=list(dead.values()),
                     fired=run.fired, seconds=seconds,
                     stopped=workspace.redact(run.stopped))  # fmt: skip


def _marked(workspace: Workspace, prepared: PreparedSink) -> Stages:
    """The stages of the sink, whose payloads carry the numbers of their messages."""

    def mark(message: Message, value: Any) -> Any:
        known = value if isinstance(value, dict) else {"value": value}
        return {**known, MARK: message.index}

    return Stages(prepared.bound, prepared.spec, prepared.functions, workspace.pool,
                  max_overruns=None, mark=mark)  # fmt: skip


async def _expected(
    stages: Stages, rows: Sequence[Row]
) -> tuple[dict[int, str | None], dict[str, int]]:
    """The groups of the messages that should arrive, by number, and how many should not."""
    messages = [row for row in rows if isinstance(row, Message)]
    staged = await stages.apply(messages)
    groups: dict[int, str | None] = {}
    untraced = 0
    for item in staged:
        if item.record is None or item.effective is None:
            continue
        if _number_of(item.record) is None:
            untraced += 1
        else:
            groups[item.message.index] = item.effective.group_id
    failed = len(rows) - len(messages) + sum(1 for item in staged if item.problems)
    filtered = sum(1 for item in staged if item.filtered is not None and not item.problems)
    return groups, {"messages": len(rows), "filtered": filtered, "failed": failed,
                    "untraced": untraced}  # fmt: skip


def _number_of(record: Any) -> int | None:
    found = _FOUND.search(json.dumps(record.describe()))
    return int(found[1]) if found else None


def _places(arrived: Sequence[Arrived]) -> dict[str, list[int]]:
    """The numbers that each sequence of the stand-in holds, in order of arrival."""
    places: dict[str, list[int]] = {}
    for item in arrived:
        part = item.details.get("partition")
        place = item.destination if part is None else f"{item.destination}/{part}"
        places.setdefault(place, []).extend(int(n) for n in _FOUND.findall(item.body))
    return places


# --- delivering ------------------------------------------------------------------------------


async def _delivered(
    prepared: PreparedSink, stages: Stages, rows: Sequence[Row], fault: str, policy: RetryPolicy,
    wrap: Wrap, expected: int,
) -> _Run:  # fmt: skip
    run = _Run(FaultLink(wrap(prepared.link()), fault, _number_of))
    with tempfile.TemporaryDirectory(prefix="routestudio-rehearsal-") as folder:
        keeper = _Frozen(Path(folder) / "checkpoint") if fault == "killed" else None
        delivery = _delivery(run, prepared, stages, rows, policy, keeper)
        if keeper is None:
            await _live(run, delivery)
        else:
            await _killed(run, delivery, keeper, expected)
            run.link = FaultLink(wrap(prepared.link()), fault, _number_of)
            again = Checkpoint(keeper.path)
            await _live(run, _delivery(run, prepared, stages, rows, policy, again))
    return run


def _delivery(
    run: _Run, prepared: PreparedSink, stages: Stages, rows: Sequence[Row], policy: RetryPolicy,
    keeper: Checkpoint | None,
) -> Delivery:  # fmt: skip
    limits = prepared.bound.limits
    # Enough batches for a fault to meet some of them, however few messages there are.
    limits = replace(limits, messages=max(1, min(limits.messages, len(rows) // 8)))
    return Delivery(stages, run.link, limits, _source(rows), policy=policy, checkpoint=keeper,
                    on_outcome=run.finished.extend)  # fmt: skip


async def _source(rows: Sequence[Row]) -> AsyncIterator[Sequence[Row]]:
    for start in range(0, len(rows), _STEP):
        yield rows[start : start + _STEP]
        await asyncio.sleep(0.002)


async def _live(run: _Run, delivery: Delivery) -> None:
    """Deliver to the end."""
    try:
        run.summaries.append(await delivery.run())
    except RunStoppedError as error:
        run.summaries.append(error.summary)
        run.stopped = error.message
    finally:
        await run.link.close()
    run.fired += run.link.fired
    run.doubtful |= run.link.doubtful


async def _killed(run: _Run, delivery: Delivery, keeper: _Frozen, expected: int) -> None:
    """Deliver until the program is killed: nothing is finished, saved or told to the service."""
    link = run.link
    reached = asyncio.Event()
    link.on_sent = lambda count: reached.set() if count >= expected * KILL_SHARE else None
    life = tasks.spawn(delivery.run(), name="rehearsed run")
    death = tasks.spawn(reached.wait(), name="rehearsed kill")
    await asyncio.wait([life, death], return_when=asyncio.FIRST_COMPLETED)
    keeper.dead = True
    run.fired += 1
    await tasks.stop(life, death)
    await link.close()
    run.summaries.append(delivery.summary)
    # What was finished after the last save comes again: the checkpoint shows what it is.
    again = Checkpoint(keeper.path)
    saved = {n for start, end in again.finished for n in range(start, end)}
    run.doubtful |= {n for n in link.sent if n >= again.position and n not in saved}


class RehearsalMethods:
    """The same for window and command line."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "faults": self.faults, "rehearse": self.rehearse,
        }  # fmt: skip

    async def faults(self, *, emit: Emit | None = None) -> dict[str, str]:
        """What can be rehearsed, with what happens."""
        return dict(FAULTS)

    async def rehearse(
        self, sink: str, fault: str, limit: int = MOST, *, emit: Emit | None = None, **source: Any
    ) -> dict[str, Any]:
        """Rehearse one fault with the first messages of a source."""
        workspace = self._service.workspace
        return (await rehearse(workspace, sink, fault, source, limit=limit)).as_json()
