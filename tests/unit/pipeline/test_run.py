from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from routestudio.errors import LinkError, RouteStudioError
from routestudio.model.function import Function, FunctionKind, FunctionResult
from routestudio.model.message import Message
from routestudio.model.outcome import (
    DELIVERED,
    Outcome,
    duplicate,
    kept_back,
    rejected,
    retry,
    unreachable,
)
from routestudio.pipeline.checkpoint import Checkpoint
from routestudio.pipeline.dead_letters import DeadLetters
from routestudio.pipeline.ending import RunStoppedError
from routestudio.pipeline.planner import Job, Planner
from routestudio.pipeline.report import Progress
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.run import Delivery, Finished
from routestudio.pipeline.stages import SinkFunctions
from routestudio.sinks.base import BatchLimits
from tests.unit.pipeline.doubles import (
    MemoryLink,
    MemoryRecord,
    PlainPool,
    Settings,
    bad_row,
    chunks,
    make_message,
    make_stages,
)

FAST = RetryPolicy(base=0.002, cap=0.02, max_attempts=4)


def delivery(
    link: MemoryLink, rows: Sequence[Any] | AsyncIterator[Sequence[Any]], **options: Any
) -> Delivery:
    source = chunks(rows) if isinstance(rows, list) else rows
    options.setdefault("policy", FAST)
    stages = options.pop("stages", None) or make_stages()
    limits = options.pop("limits", BatchLimits(messages=10, wait=0.002))
    return Delivery(stages, link, limits, source, **options)  # type: ignore[arg-type]


def indexes(link: MemoryLink) -> list[int]:
    return [message.index for message in link.delivered]


async def test_delivers_everything_once_and_counts_it() -> None:
    link = MemoryLink()
    summary = await delivery(link, [make_message(n) for n in range(205)]).run()
    assert sorted(indexes(link)) == list(range(205))
    assert max(len(batch) for batch in link.batches) == 10
    data = summary.as_json()
    assert data.pop("seconds") > 0
    assert data == {
        "read": 205, "filtered": 0, "delivered": 205, "rejected": 0, "duplicates": 0,
        "duplicates_unconfirmed": 0, "retried": 0,
        "batches": len(link.batches), "cancelled": False,
    }  # fmt: skip


async def test_empty_source() -> None:
    summary = await delivery(MemoryLink(), []).run()
    assert (summary.read, summary.batches) == (0, 0)


async def test_batches_never_mix_destinations() -> None:
    link = MemoryLink()
    rows = [make_message(n, table=f"t{n % 7}") for n in range(300)]
    await delivery(link, rows).run()
    assert all(len({record.topic for record in batch}) == 1 for batch in link.batches)
    assert len(link.delivered) == 300


async def test_partial_failures_are_retried_and_rejections_kept(tmp_path: Path) -> None:
    def answer(record: MemoryRecord, attempt: int) -> Outcome:
        index = record.message.index
        if index % 10 == 3:
            return rejected("too_large", "the message is too large")
        if index % 10 == 5 and attempt < 3:
            return retry("busy", "try later")
        if index % 50 == 7:
            return retry("down", "not there")
        return DELIVERED

    link = MemoryLink(answer)
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s") as letters:
        summary = await delivery(
            link, [make_message(n) for n in range(100)], dead_letters=letters
        ).run()
    assert (summary.delivered, summary.rejected) == (88, 12)
    assert summary.retried == 10 * 2 + 2 * 3
    assert Counter(indexes(link)).most_common(1)[0][1] == 1
    dead = [json.loads(line) for line in path.read_text().splitlines()]
    found = {e["message"]["record"]["id"]: (e["reason"]["code"], e["attempts"]) for e in dead}
    assert found == {
        **dict.fromkeys(range(3, 100, 10), ("too_large", 1)), 7: ("down", 4), 57: ("down", 4)
    }  # fmt: skip
    assert "given up after 4 attempts" in next(
        e["reason"]["message"] for e in dead if e["reason"]["code"] == "down"
    )


async def test_rows_that_fail_a_stage_are_rejected_with_their_reason(tmp_path: Path) -> None:
    route = Function("route", FunctionKind.ROUTING)
    keep = Function("keep", FunctionKind.FILTER)
    pool = PlainPool(
        keep=lambda m: FunctionResult(m.index != 1),
        route=lambda m: FunctionResult({"topic": "a b"} if m.index == 2 else {}),
    )
    rows = [*(make_message(n) for n in range(4)), bad_row(5, "not JSON", 3, '{"act')]
    path = tmp_path / "dead.jsonl"
    link = MemoryLink()
    ended: list[Finished] = []
    with DeadLetters(path, "s") as letters:
        summary = await delivery(
            link, rows, stages=make_stages(SinkFunctions(keep, route), pool),
            dead_letters=letters, on_outcome=ended.extend,
        ).run()  # fmt: skip
    assert (summary.read, summary.filtered, summary.delivered, summary.rejected) == (5, 1, 2, 2)
    bad_line, bad_route = sorted(
        (json.loads(line) for line in path.read_text().splitlines()),
        key=lambda e: e["message"] is not None,
    )
    assert bad_line["raw"] == '{"act'
    assert bad_line["reason"] == {"stage": "read", "code": "unreadable", "message": "not JSON",
                                 "field": None, "line": 5, "column": 3}  # fmt: skip
    assert bad_route["reason"]["field"] == "topic"
    assert bad_route["attempts"] == 0
    assert Counter(e.status for e in ended) == {"delivered": 2, "rejected": 2, "filtered": 1}


async def test_a_duplicate_is_finished_and_neither_delivered_nor_a_letter(tmp_path: Path) -> None:
    """What the service did not store is never called delivered, whatever it holds."""
    answers = {1: duplicate("known", "held", held=True), 2: duplicate("known", "gone", held=False),
               3: duplicate("unread", "who knows", held=None)}  # fmt: skip
    path, ended, told = tmp_path / "dead.jsonl", list[Finished](), list[Progress]()
    point = Checkpoint(tmp_path / "point")
    with DeadLetters(path, "s") as letters:
        summary = await delivery(
            MemoryLink(lambda record, _: answers.get(record.message.index, DELIVERED)),
            [make_message(n) for n in range(10)],
            dead_letters=letters, checkpoint=point, on_outcome=ended.extend,
            on_progress=told.append,
        ).run()  # fmt: skip
    assert (summary.delivered, summary.rejected) == (7, 0)
    assert (summary.duplicates, summary.unconfirmed) == (3, 2)
    assert path.read_text() == ""
    assert point.position == 10, "a duplicate is finished"
    assert sorted((e.message.index, e.held) for e in ended if e.message and
                  e.status == "duplicate") == [(1, True), (2, False), (3, None)]  # fmt: skip
    last = told[-1]
    assert (last.duplicates, last.unconfirmed, last.rejected) == (3, 2, 0)
    assert sum(d.delivered for d in last.destinations) == 7
    assert sum(d.duplicates for d in last.destinations) == 3
    assert {(r.stage, r.code, r.duplicates, r.rejected) for r in last.reasons} == {
        ("duplicate", "known", 2, 0), ("duplicate", "unread", 1, 0),
    }  # fmt: skip


@pytest.mark.parametrize(("held", "delivered"), [(True, 1), (None, 1), (False, 0)])
async def test_a_repetition_that_the_service_knows_was_delivered_before(
    held: bool | None, delivered: int
) -> None:
    """The answer to the first attempt was lost; it may have been written, and it was."""

    def answer(record: MemoryRecord, attempt: int) -> Outcome:
        if attempt == 1:
            return retry("lost", "no answer came", unknown=True)
        return duplicate("known", "I have this", held=held)

    summary = await delivery(MemoryLink(answer), [make_message(0)]).run()
    assert (summary.delivered, summary.duplicates) == (delivered, 1 - delivered)


async def test_what_was_kept_back_for_another_has_no_attempts(tmp_path: Path) -> None:
    """The first record of a batch is never taken; those behind it wait, and are delivered."""
    bad = {0, 10, 20}

    class Halting(MemoryLink):
        async def send(self, batch: Sequence[MemoryRecord]) -> Sequence[Outcome]:
            outcomes: list[Outcome] = []
            for record in batch:
                if outcomes and outcomes[-1].status == "retry":
                    outcomes.append(kept_back("later", "an earlier one is to be sent first"))
                else:
                    outcomes += await super().send([record])
            return outcomes

    link = Halting(lambda r, _: retry("busy", "no") if r.message.index in bad else DELIVERED)
    path, ended = tmp_path / "dead.jsonl", list[Finished]()
    with DeadLetters(path, "s") as letters:
        summary = await delivery(link, [make_message(n) for n in range(30)], dead_letters=letters,
                                 on_outcome=ended.extend).run()  # fmt: skip
    assert (summary.delivered, summary.rejected) == (27, 3)
    attempts = {e.message.index: e.attempts for e in ended if e.message is not None}
    assert {attempts[n] for n in bad} == {4}
    assert {attempts[n] for n in range(30) if n not in bad} == {1}


async def test_order_per_group_survives_retries_and_rejections() -> None:
    random = Random(7)
    times: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def answer(record: MemoryRecord, attempt: int) -> Outcome:
        roll = random.random()
        status = "retry" if roll < 0.3 else "rejected" if roll < 0.35 else "delivered"
        times[str(record.message.record["id"])].append((record.message.index, status))
        if status == "retry":
            return retry("busy", "again")
        return rejected("no", "never") if status == "rejected" else DELIVERED

    rows = [make_message(n, id=n % 11, table=f"t{n % 3}") for n in range(330)]
    summary = await delivery(MemoryLink(answer, pause=0.001), rows).run()
    assert summary.delivered + summary.rejected == 330
    assert summary.rejected > 0
    for attempts in times.values():
        order = [index for index, _ in attempts]
        assert order == sorted(order), "an attempt of a later message came before an earlier one"


async def test_retry_after_pauses_the_destination_only() -> None:
    """The minute is over as soon as the last of the others was sent."""
    sent: list[str] = []

    def answer(record: MemoryRecord, attempt: int) -> Outcome:
        sent.append(record.topic)
        if sent.count("slow") == 1 and record.topic == "slow":
            return retry("limit", "too many requests", after=60.0)
        return DELIVERED

    def clock() -> float:
        return time.monotonic() + (60.0 if sent.count("fast") == 59 else 0.0)

    rows = [make_message(0, table="slow"), *(make_message(n, table="fast") for n in range(1, 60))]
    rows += [make_message(n, table="slow") for n in range(60, 90)]
    policy = RetryPolicy(base=0.001, cap=100.0)
    limits = BatchLimits(messages=1, wait=0.0)
    summary = await delivery(MemoryLink(answer), rows, policy=policy, limits=limits,
                             per_destination=1, clock=clock).run()  # fmt: skip
    assert summary.delivered == 90
    assert [topic for topic in sent if topic == "fast"] == sent[1:60]


async def test_a_lost_connection_is_probed_and_nothing_is_lost() -> None:
    def before(call: int) -> None:
        if 3 <= call <= 12 and call % 2:
            raise LinkError("connection reset")

    link = MemoryLink(before=before)
    told: list[Progress] = []
    summary = await delivery(
        link, [make_message(n) for n in range(300)], on_progress=told.append
    ).run()
    assert summary.delivered == 300
    assert summary.rejected == 0
    assert sorted(indexes(link)) == list(range(300))
    assert [r.code for r in told[-1].reasons] == ["link_lost"]


async def test_a_service_that_is_down_ends_the_run_with_everything_unfinished(
    tmp_path: Path,
) -> None:
    def before(call: int) -> None:
        raise LinkError("connection refused", hint="is it running?")

    link = MemoryLink(before=before)
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s") as letters, pytest.raises(RunStoppedError) as caught:
        await delivery(link, [make_message(n) for n in range(5000)], dead_letters=letters).run()
    assert "4 times in a row: connection refused" in caught.value.message
    assert caught.value.hint == "is it running?"
    summary = caught.value.summary
    assert (summary.delivered, summary.rejected) == (0, 0)
    assert path.read_bytes() == b""


async def test_a_service_that_cannot_be_reached_rejects_nothing(tmp_path: Path) -> None:
    link = MemoryLink()

    async def send(batch: Sequence[MemoryRecord]) -> Sequence[Outcome]:
        return [unreachable("connect", "nobody listens")] * len(batch)

    link.send = send  # type: ignore[method-assign]
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s") as letters, pytest.raises(RunStoppedError) as caught:
        await delivery(link, [make_message(n) for n in range(50)], dead_letters=letters).run()
    assert "4 times in a row: nobody listens" in caught.value.message
    assert (caught.value.summary.delivered, caught.value.summary.rejected) == (0, 0)
    assert path.read_bytes() == b""


async def test_a_batch_that_breaks_every_connection_is_given_up_alone() -> None:
    link = MemoryLink()
    original = link.send

    async def send(batch: Sequence[MemoryRecord]) -> Sequence[Outcome]:
        if any(record.topic == "poison" for record in batch):
            raise LinkError("closed by the server")
        return await original(batch)

    link.send = send  # type: ignore[method-assign]
    rows = [make_message(n, table="poison" if n == 20 else "ok") for n in range(40)]

    async def slowly() -> AsyncIterator[Sequence[Message]]:
        for row in rows:
            yield [row]
            await asyncio.sleep(0.004)

    summary = await delivery(link, slowly()).run()
    assert (summary.delivered, summary.rejected) == (39, 1)


async def test_cancel_waits_for_no_answer_and_reports_the_truth() -> None:
    random = Random(3)
    for _ in range(6):
        link = MemoryLink(pause=300.0 if random.random() < 0.5 else 0.003)
        run = delivery(link, [make_message(n) for n in range(3000)], max_messages=200)
        loop = asyncio.get_running_loop()
        after = random.random() * 0.05
        loop.call_later(after, run.cancel)
        async with asyncio.timeout(60):  # a send takes five minutes
            summary = await run.run()
        assert summary.cancelled
        assert summary.delivered == len(link.delivered)
        assert summary.rejected == 0
        assert summary.read >= summary.delivered


async def test_cancelling_the_task_passes_on_and_keeps_the_summary(tmp_path: Path) -> None:
    link = MemoryLink(pause=300.0)
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s") as letters:
        run = delivery(link, [make_message(n) for n in range(100)], dead_letters=letters)
        async with asyncio.timeout(60):  # a send takes five minutes
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await run.run()
    assert run.summary.cancelled
    assert (run.summary.delivered, run.summary.rejected) == (0, 0)
    assert path.read_bytes() == b""
    assert link.now_out == 0


async def test_more_is_held_for_more_destinations() -> None:
    """So that their batches fill; one destination has enough with less."""
    held = []
    for destinations in (1, 20):
        planner = Planner(BatchLimits(messages=200), RetryPolicy())
        while planner.room:
            now = planner.buffered
            message = make_message(now)
            record = MemoryRecord(str(now % destinations), b"{}", message)
            planner.add([Job(now, message, record, 10, now % destinations, None)], 0.0)
        held.append(planner.buffered)
    assert held == [4200, 8000]


async def test_memory_is_bounded_whatever_the_source() -> None:
    most = 0

    async def endless() -> AsyncIterator[Sequence[Message]]:
        template = make_message(0)
        for start in range(0, 1_000_000, 500):
            yield [
                Message("insert", {"id": n}, None, {**template.metadata, "record_pks": [str(n)]}, n)
                for n in range(start, start + 500)
            ]

    link = MemoryLink(pause=0.2)
    run = delivery(link, endless(), max_messages=2000, limits=BatchLimits(messages=100))
    answer = link.answer

    def watch(record: MemoryRecord, attempt: int) -> Outcome:
        nonlocal most
        most = max(most, run.buffered)
        if len(link.delivered) >= 8_000:
            run.cancel()
        return answer(record, attempt)

    link.answer = watch
    summary = await run.run()
    assert summary.cancelled
    assert 2000 <= most < 2200
    assert summary.read - summary.delivered < 2000 + 500 + 64 * 100


async def test_bytes_bound_the_buffer_too() -> None:
    rows = [make_message(n, text="x" * 10_000) for n in range(200)]
    link = MemoryLink(pause=0.002)
    run = delivery(link, chunks(rows, 5), max_bytes=100_000, limits=BatchLimits(messages=2))
    most = 0
    answer = link.answer

    def watch(record: MemoryRecord, attempt: int) -> Outcome:
        nonlocal most
        most = max(most, run.buffered)
        return answer(record, attempt)

    link.answer = watch
    assert (await run.run()).delivered == 200
    assert most <= 15


async def test_in_flight_limits_hold() -> None:
    link = MemoryLink(pause=0.002)
    rows = [make_message(n, table=f"t{n % 9}") for n in range(400)]
    await delivery(link, rows, in_flight=5, per_destination=2,
                   limits=BatchLimits(messages=2)).run()  # fmt: skip
    assert link.most_out == 5


async def test_the_checkpoint_is_never_ahead_and_a_restart_continues(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    rows: list[Any] = [make_message(n) for n in range(400)]
    rows[10] = bad_row(11, "bad")
    delivered: set[int] = set()
    for _ in range(100):
        checkpoint = Checkpoint(path)
        begun = checkpoint.position
        link = MemoryLink(pause=0.002)
        run = delivery(link, list(rows), checkpoint=checkpoint, max_messages=60, in_flight=2)
        asyncio.get_running_loop().call_later(0.012, run.cancel)
        summary = await run.run()
        delivered |= set(indexes(link))
        place = Checkpoint(path).position
        assert all(n in delivered for n in range(place) if n != 10)
        assert all(n >= begun for n in indexes(link))
        if not summary.cancelled:
            break
    assert delivered == set(range(400)) - {10}
    assert Checkpoint(path).position == 400
    link = MemoryLink()
    summary = await delivery(link, list(rows), checkpoint=Checkpoint(path)).run()
    assert (summary.read, link.delivered) == (0, [])


async def test_one_message_that_waits_does_not_make_a_restart_deliver_the_others_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "place.json"
    rows = [make_message(n, table="slow" if n == 3 else "fast") for n in range(300)]

    def answer(record: MemoryRecord, attempt: int) -> Outcome:
        return retry("busy", "later", after=60.0) if record.topic == "slow" else DELIVERED

    link = MemoryLink(answer)
    run = delivery(link, list(rows), checkpoint=Checkpoint(path),
                   policy=RetryPolicy(base=60.0, cap=60.0),
                   on_progress=lambda p: run.cancel() if p.delivered == 299 else None)  # type: ignore[has-type]  # fmt: skip
    assert (await run.run()).delivered == 299
    place = Checkpoint(path)
    assert (place.position, place.finished) == (3, [(4, 300)])
    link = MemoryLink()
    summary = await delivery(link, list(rows), checkpoint=place).run()
    assert (summary.read, indexes(link)) == (1, [3])
    assert (Checkpoint(path).position, Checkpoint(path).finished) == (300, [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_stops_the_run_and_the_message_is_not_called_rejected(
    tmp_path: Path,
) -> None:
    link = MemoryLink(lambda r, a: rejected("no", "never") if r.message.index == 5 else DELIVERED)
    checkpoint = Checkpoint(tmp_path / "place.json")
    with DeadLetters(Path("/dev/full"), "s") as letters, pytest.raises(RunStoppedError) as caught:
        await delivery(link, [make_message(n) for n in range(40)], dead_letters=letters,
                       checkpoint=checkpoint).run()  # fmt: skip
    assert "dead-letter file cannot be written" in caught.value.message
    assert caught.value.summary.rejected == 0
    assert Checkpoint(tmp_path / "place.json").position <= 5


async def test_a_source_that_breaks_delivers_what_was_read_and_says_why() -> None:
    async def source() -> AsyncIterator[Sequence[Message]]:
        yield [make_message(n) for n in range(30)]
        raise RouteStudioError("the file ends inside a character", hint="save it as UTF-8")

    link = MemoryLink()
    with pytest.raises(RunStoppedError, match="inside a character") as caught:
        await delivery(link, source()).run()
    assert caught.value.summary.delivered == 30


@pytest.mark.allow_log
async def test_a_fault_in_a_sink_is_told_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def before(call: int) -> None:
        raise KeyError("secret")

    with pytest.raises(RunStoppedError, match="KeyError") as caught:
        await delivery(MemoryLink(before=before), [make_message()]).run()
    assert "secret" not in str(caught.value)
    assert caplog.records


async def test_a_slow_source_is_delivered_as_it_comes() -> None:
    link = MemoryLink()
    seen: list[int] = []

    async def source() -> AsyncIterator[Sequence[Message]]:
        for n in range(3):
            yield [make_message(n)]
            await asyncio.sleep(0.05)
            seen.append(len(link.delivered))

    route = Function("route", FunctionKind.ROUTING)
    pool = PlainPool(route=lambda m: FunctionResult({}))
    await delivery(link, source(), stages=make_stages(SinkFunctions(routing=route), pool)).run()
    assert seen == [1, 2, 3]


async def test_progress_is_told_at_most_ten_times_a_second_and_at_the_end() -> None:
    told: list[Progress] = []
    link = MemoryLink(pause=0.01)
    rows = [make_message(n, table=f"t{n % 2}") for n in range(300)]
    started = time.monotonic()
    await delivery(link, rows, in_flight=1, on_progress=told.append).run()
    passed = time.monotonic() - started
    assert 2 <= len(told) <= passed * 10 + 2
    last = told[-1]
    assert last.delivered == 300
    assert sorted((d.name, d.delivered) for d in last.destinations) == [("t0", 150), ("t1", 150)]
    assert told[0].delivered < 300
    json.dumps(last.as_json())


async def test_actions_filter_without_any_function() -> None:
    rows = [make_message(n, action="delete" if n % 2 else "insert") for n in range(10)]
    link = MemoryLink()
    summary = await delivery(
        link, rows, stages=make_stages(settings=Settings(actions=("insert",)))
    ).run()
    assert (summary.filtered, summary.delivered) == (5, 5)
