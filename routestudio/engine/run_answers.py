"""Runs as the API shows them: of records that are kept, and of what a delivery reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from routestudio.api.codec import JsonMap
from routestudio.api.runs import (
    Circuit,
    Counts,
    DeliveredBrief,
    Destination,
    Letter,
    LetterReason,
    Percentiles,
    Reason,
    Run,
    RunProgress,
    Wait,
)
from routestudio.engine.rows import batch_key_of, message_of
from routestudio.engine.run_store import RunRecord, added
from routestudio.pipeline.latency import percentiles
from routestudio.pipeline.recent import Delivered
from routestudio.pipeline.report import DestinationCount, Progress

Redact = Callable[[str], str]


def counts_of(counts: Mapping[str, float]) -> Counts:
    """The counts of a record."""
    whole = {name: int(value) for name, value in counts.items() if name != "seconds"}
    return Counts(**whole, seconds=counts.get("seconds", 0.0))


def run_of(record: RunRecord, left: int, *, latency: bool = False) -> Run:
    """A record, of whose rows so many are left; with the latency of its last part when asked."""
    found = {name: record.latency.get(name) for name in ("p50", "p95", "p99")} if latency else None
    return Run(
        id=record.id, sink=record.sink, kind=record.kind, value=record.value,
        standin=record.standin, total=record.total, started=record.started,
        environment=record.environment, workers=record.workers, status=record.status,
        ended=record.ended, error=record.error, parent=record.parent, letters=record.letters,
        counts=counts_of(record.counts), distinct=record.distinct, resumable=record.resumable,
        left=left, latency=None if found is None else Percentiles(**found),
    )  # fmt: skip


def progress_of(found: Progress, before: Mapping[str, float], redact: Redact) -> RunProgress:
    """Progress of a part of a run whose earlier parts did `before`, without secrets: what services
    report is not ours."""
    counts = added(before, {**_part(found), "seconds": round(found.seconds, 3)})
    counts["bytes"] = before.get("bytes", 0) + found.size
    circuit = found.circuit
    return RunProgress(
        counts=counts_of(counts), seconds=round(found.seconds, 3), rate=round(found.rate, 1),
        waiting=found.waiting, waiting_retries=found.waiting_retries, distinct=found.distinct,
        latency=Percentiles(**percentiles(found.latency.recent)),
        reasons=[Reason(r.stage, r.code, redact(r.message), r.count) for r in found.reasons],
        waits=[Wait(w.destination, w.messages, w.attempts, w.max_attempts, round(w.due, 1), w.code,
                    redact(w.reason)) for w in found.waits],
        circuit=None if circuit is None else Circuit(
            circuit.failures, circuit.max_failures, round(circuit.since, 1),
            round(circuit.next_try, 1), redact(circuit.reason)),
    )  # fmt: skip


def _part(found: Progress) -> dict[str, int]:
    return {
        "read": found.read, "filtered": found.filtered, "delivered": found.delivered,
        "rejected": found.rejected, "duplicates": found.duplicates,
        "duplicates_unconfirmed": found.unconfirmed, "retried": found.retried,
        "batches": found.batches,
    }  # fmt: skip


def destination_of(found: DestinationCount, redact: Redact = str) -> Destination:
    """The counts of one destination."""
    return Destination(**{**found.as_json(), "error": redact(found.error)})


def letter_of(found: Mapping[str, Any]) -> Letter:
    """A dead letter as it was written, whatever its file holds."""
    reason, line, field = found["reason"], found["reason"].get("line"), found["reason"].get("field")
    return Letter(
        found["number"],
        LetterReason(
            str(reason.get("stage", "")), str(reason.get("code", "")),
            str(reason.get("message", "")), None if field is None else str(field),
            line if isinstance(line, int) else None,
        ),
        found["message"],
        found.get("raw"),
    )  # fmt: skip


def recent_of(found: Sequence[Delivered]) -> list[DeliveredBrief]:
    """Delivered messages in short."""
    return [DeliveredBrief(**_recent(item)) for item in found]


def _recent(item: Delivered) -> dict[str, Any]:
    message = item.job.message
    return {
        "number": item.number,
        "index": message.index,
        "action": message.action,
        "table": f"{message.metadata['table_schema']}.{message.metadata['table_name']}",
        "pks": tuple(map(str, message.record_pks)),
        "destination": item.destination,
        "attempts": item.job.attempts,
        "ms": round(item.seconds * 1000, 2),
        "bytes": item.job.size,
    }


def delivered_of(item: Delivered) -> JsonMap:
    """A delivered message as a preview row has it, with message and request."""
    job, effective = item.job, item.job.effective
    return {
        **_recent(item),
        "message": message_of(job.message),
        "request": job.record.describe(),
        "routing": effective.values if effective else None,
        "provenance": effective.provenance if effective else None,
        "defaults": effective.defaults if effective else None,
        "casts": list(effective.casts) if effective else [],
        "warnings": [{"field": w.field, "message": w.message} for w in effective.warnings]
        if effective
        else [],
        "batch_key": batch_key_of(job.key),
        "group_id": job.group,
        "size": job.size,
        "problems": [],
        "filtered": None,
        "ignored": {},
    }
