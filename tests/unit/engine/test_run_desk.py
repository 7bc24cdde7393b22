"""Runs that are kept: resumed where they were, dead letters corrected and sent again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routestudio import tasks
from routestudio.api.runs import Run, RunProgress, RunStarted
from routestudio.api.sources import Source
from routestudio.engine import run_store
from routestudio.engine.run_store import RunStore
from routestudio.engine.service import EngineService
from routestudio.errors import RouteStudioError, UsageError
from routestudio.pipeline.ending import RunStoppedError
from tests.support.http_server import HttpReceiver, Reply
from tests.support.ports import LOOPBACK, free_port
from tests.support.run_project import SINK, ids_of, refuse, rows, write_run_project

ROWS = Source(sample="rows")


async def opened(service: EngineService, folder: Path, url: str, count: int, **more: Any) -> None:
    without = more.pop("without", ())
    write_run_project(folder, url, rows(count, without=without), **more)
    await service.open(str(folder))


class Events:
    """What a run told."""

    def __init__(self) -> None:
        self.found: list[RunStarted | RunProgress] = []

    def __call__(self, event: RunStarted | RunProgress) -> None:
        self.found.append(event)

    @property
    def run(self) -> Run:
        return next(item.run for item in self.found if isinstance(item, RunStarted))

    @property
    def progress(self) -> list[RunProgress]:
        return [item for item in self.found if isinstance(item, RunProgress)]

    @property
    def delivered(self) -> int:
        return self.progress[-1].counts.delivered if self.progress else 0


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what others do is looked at
            await asyncio.sleep(0.005)


async def test_a_run_is_kept_with_its_counts_and_destinations(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 20, without=(3, 4))
    events = Events()
    run = await service.runs.deliver(SINK, ROWS, tell=events)
    assert (run.status, run.total, run.letters, run.left) == ("done", 20, 2, 0)
    assert (run.counts.delivered, run.counts.rejected) == (18, 2)
    assert run.latency is not None
    assert (run.latency.p50 or 0) > 0
    assert isinstance(events.found[0], RunStarted)
    (listed,) = await service.runs.kept()
    assert listed.id == run.id
    page = await service.runs.destinations(run=run.id, start=0, count=10)
    assert page.distinct == 1
    assert page.rows[0].name == "POST /eu"
    assert page.rows[0].delivered == 18
    # Another process reads the same.
    again = RunStore(tmp_path / "p" / ".routestudio").get(run.id)
    assert (again.status, again.counts["delivered"], again.letters) == ("done", 18, 2)
    assert again.destinations[0]["name"] == "POST /eu"
    assert (tmp_path / "p/.routestudio/.gitignore").read_text() == "*\n"


@pytest.mark.slow
async def test_a_run_by_two_workers_is_one_run_to_whoever_looks(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 600, without=(5,))
    http_receiver.answer = lambda _: Reply(delay=0.005)
    events = Events()
    work = tasks.spawn(service.runs.deliver(SINK, ROWS, workers=2, tell=events), name="deliver")
    await until(lambda: events.delivered > 50)
    number = (await service.runs.kept())[0].id
    await service.runs.stop(run=number)
    first = await work
    assert (first.status, first.workers) == ("cancelled", 2)
    assert first.resumable
    assert 0 < first.left < 600
    http_receiver.answer = None
    second = await service.runs.resume(run=number, tell=events)
    assert (second.id, second.status, second.left) == (number, "done", 0)
    assert (second.workers, second.letters) == (2, 1)
    assert sorted(set(ids_of(http_receiver.requests))) == [n for n in range(600) if n != 5]
    (row,) = (await service.runs.destinations(run=number, start=0, count=10)).rows
    assert (row.name, row.delivered) == ("POST /eu", second.counts.delivered)
    again = await service.runs.retry(run=number)
    assert (again.workers, again.counts.rejected) == (1, 1)


async def test_a_sink_that_needs_one_process_refuses_workers_before_a_run_begins(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await opened(service, tmp_path / "p", http_receiver.url, 5)
    sink = service.workspace.prepare(SINK).sink
    monkeypatch.setattr(sink, "one_process", "its service drops repetitions")
    with pytest.raises(UsageError, match=r"^--workers: sink `.*` needs one process: its service"):
        await service.runs.deliver(SINK, ROWS, workers=2, tell=Events())
    assert await service.runs.kept() == []


async def test_a_delivered_message_shows_the_routing_that_was_used(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 5)
    http_receiver.script(503)
    run = await service.runs.deliver(SINK, ROWS, tell=Events())
    recent = await service.runs.recent(run=run.id)
    assert sorted(item.index for item in recent) == [0, 1, 2, 3, 4]
    again = next(item for item in recent if item.attempts == 2)
    code = "def route(action, record, changes, metadata):\n    return {'endpoint_path': '/other'}\n"
    await service.apply({"op": "set_code", "name": "by-region", "code": code})
    full = await service.runs.delivered(run=run.id, number=again.number)
    assert full["routing"]["endpoint_path"] == "/eu"  # type: ignore[call-overload,index]
    assert full["provenance"]["endpoint_path"] == "function"  # type: ignore[call-overload,index]
    assert full["provenance"]["headers"] == "default"  # type: ignore[call-overload,index]
    assert full["message"]["record"]["id"] == again.index  # type: ignore[call-overload,index]
    assert full["destination"] == "POST /eu"  # type: ignore[index]
    assert full["request"]  # type: ignore[index]
    assert await service.runs.delivered(run=run.id, number=10_000) is None


@pytest.mark.slow
async def test_a_cancelled_run_goes_on_where_it_was(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 600, without=(5,))
    http_receiver.answer = lambda _: Reply(delay=0.005)
    events = Events()
    work = tasks.spawn(service.runs.deliver(SINK, ROWS, tell=events), name="deliver")
    await until(lambda: events.delivered > 50)
    number = events.run.id
    await service.runs.stop(run=number)
    first = await work
    assert first.status == "cancelled"
    assert first.resumable
    done = first.counts.delivered + first.counts.rejected
    assert first.left == 600 - done
    assert 0 < first.left < 600
    sent = len(http_receiver.requests)
    http_receiver.answer = None
    second = await service.runs.resume(run=number, tell=events)
    assert (second.id, second.status, second.left) == (number, "done", 0)
    assert second.counts.delivered == 599
    assert second.counts.rejected == second.letters == 1
    ids = ids_of(http_receiver.requests)
    assert sorted(set(ids)) == [n for n in range(600) if n != 5]
    assert len(ids) - len(set(ids)) <= 32, "more than what was in flight when it was cancelled"
    assert sent < len(ids)
    with pytest.raises(UsageError, match="nothing of this run is left"):
        await service.runs.resume(run=number, tell=events)


@pytest.mark.slow
async def test_a_run_of_messages_that_changed_is_not_resumed(
    service: EngineService, tmp_path: Path
) -> None:
    await opened(service, tmp_path / "p", f"http://{LOOPBACK}:{free_port()}", 5, attempts=1)
    with pytest.raises(RouteStudioError):
        await service.runs.deliver(SINK, ROWS, tell=Events())
    (run,) = await service.runs.kept()
    assert (run.status, run.left) == ("stopped", 5)
    assert run.error
    with (tmp_path / "p/samples/rows.jsonl").open("a") as file:
        file.write(json.dumps(rows(6)[5]) + "\n")
    with pytest.raises(UsageError, match="have changed since"):
        await service.runs.resume(run=run.id, tell=Events())


async def test_dead_letters_are_corrected_and_only_they_are_sent_again(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 30, without=(3, 4, 9))
    http_receiver.answer = refuse(7, 8)
    run = await service.runs.deliver(SINK, ROWS, tell=Events())
    number = run.id
    told = await service.letters.groups(run=number)
    assert told.open == 5
    first, second = told.groups
    assert (first.stage, first.count, first.line) == ("route", 3, 2)
    assert (second.stage, second.count) == ("deliver", 2)
    assert "422" in second.reason
    page = await service.letters.rows(run=number, group=first.group, start=0, count=10)
    assert [row.pks for row in page] == [("3",), ("4",), ("9",)]
    letter = await service.letters.letter(run=number, number=page[0].number)
    message = {**letter.message, "record": {"id": 3, "region": "US"}}  # type: ignore[dict-item]
    (fixed,) = await service.letters.edit(run=number, changes={str(page[0].number): message})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="not in the list any more"):
        await service.letters.letter(run=number, number=page[0].number)
    others = [row.number for row in page[1:]]
    await service.letters.set_value(
        run=number, numbers=others[:1], path=["record", "region"], value="DE"
    )
    assert (await service.letters.groups(run=number)).open == 5
    http_receiver.reset()
    again = await service.runs.retry(run=number, numbers=[fixed], tell=Events())
    assert (again.parent, again.status) == (number, "done")
    assert again.counts.delivered == 1
    (request,) = http_receiver.requests
    assert request.target == "/us"
    assert (await service.letters.groups(run=number)).open == 4
    http_receiver.answer = refuse(8)
    everything = await service.runs.retry(run=number, tell=Events())
    assert (everything.counts.delivered, everything.counts.rejected) == (2, 2)
    told = await service.letters.groups(run=number)
    assert sorted((g.stage, g.count) for g in told.groups) == [
        ("deliver", 1),
        ("route", 1),
    ]
    assert sorted(ids_of(http_receiver.requests)) == [3, 4, 7, 8]
    listed = {item.id: item for item in await service.runs.kept()}
    assert listed[number].letters == 2


@pytest.mark.slow
async def test_what_fails_again_or_is_not_reached_stays_in_the_list_after_a_restart(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 300, without=tuple(range(300)))
    run = await service.runs.deliver(SINK, ROWS, tell=Events())
    assert run.letters == 300
    numbers = list(range(300))
    await service.letters.set_value(
        run=run.id, numbers=numbers, path=["record", "region"], value="EU"
    )
    http_receiver.answer = lambda _: Reply(delay=0.01)
    events = Events()
    work = tasks.spawn(service.runs.retry(run.id, tell=events), name="retry")
    await until(lambda: events.delivered > 10)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    sent = set(ids_of(http_receiver.requests))
    async with EngineService() as other:
        await other.open(str(tmp_path / "p"))
        told = await other.letters.groups(run=run.id)
        assert 0 < told.open < 300
        listed = await other.letters.rows(run=run.id, start=0, count=500)
        left = {int(row.pks[0]) for row in listed}
        assert all(row.edited for row in listed)
        assert left | sent == set(range(300)), "a message is in no list and was not sent"
        http_receiver.answer = None
        await other.runs.retry(run=run.id, tell=Events())
        assert (await other.letters.groups(run=run.id)).open == 0
    assert set(ids_of(http_receiver.requests)) == set(range(300))


async def test_dead_letters_are_exported_and_fed_back(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 10, without=(1, 2))
    run = await service.runs.deliver(SINK, ROWS, tell=Events())
    output = tmp_path / "letters.jsonl"
    assert await service.letters.export(run=run.id, output=str(output)) == 2
    found = [json.loads(line) for line in output.read_text().splitlines()]
    assert [item["message"]["record"]["id"] for item in found] == [1, 2]
    with pytest.raises(UsageError, match="cannot be written"):
        await service.letters.export(run=run.id, output=str(tmp_path / "none" / "x.jsonl"))


async def test_a_message_that_is_none_is_not_kept(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    await opened(service, tmp_path / "p", http_receiver.url, 3, without=(1,))
    with (tmp_path / "p/samples/rows.jsonl").open("a") as file:
        file.write("no message\n")
    run = await service.runs.deliver(SINK, ROWS, tell=Events())
    listed = await service.letters.rows(run=run.id, start=0, count=5)
    assert [row.readable for row in listed] == [True, False]
    raw = await service.letters.letter(run=run.id, number=1)
    assert raw.raw == "no message"
    with pytest.raises(UsageError, match="`action` is missing"):
        await service.letters.edit(run=run.id, changes={"1": {"record": {}}})
    assert (await service.letters.groups(run=run.id)).open == 2
    fixed = {"action": "insert", "record": {"id": 9, "region": "EU"}}
    await service.letters.edit(run=run.id, changes={"1": fixed})  # type: ignore[dict-item]
    again = await service.runs.retry(run=run.id, tell=Events())
    assert (again.counts.delivered, again.counts.rejected) == (1, 1)


async def test_a_stopped_run_tells_its_open_circuit_before(
    service: EngineService, tmp_path: Path
) -> None:
    await opened(service, tmp_path / "p", f"http://{LOOPBACK}:{free_port()}", 5, attempts=2)
    events = Events()
    with pytest.raises(RunStoppedError):
        await service.runs.deliver(SINK, ROWS, tell=events)
    circuits = [item.circuit for item in events.progress]
    assert any(item and item.failures == 1 and item.max_failures == 2 for item in circuits)


def test_an_abandoned_run_is_found_interrupted(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    record = store.begin(sink="s", kind="sample", value="rows", standin=True, total=10)
    store.checkpoint_path(record).write_text('{"position": 4, "finished": [[6, 8]]}')
    store.letters_path(record).write_text('{"message": null}\n{"message": null}\n')
    store.letters_path(record).with_name("dead-letters.jsonl.settled").write_text("0\n")
    found = RunStore(tmp_path).get(record.id)
    assert (found.status, found.letters, found.resumable) == ("interrupted", 1, True)
    assert store.left(found) == 4


def test_the_number_of_runs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_store, "KEPT", 3)
    monkeypatch.setattr(run_store, "KEPT_OPEN", 2)
    store = RunStore(tmp_path)
    values = {"sink": "s", "kind": "sample", "value": "rows", "standin": True, "total": 1}
    for number in range(12):
        record = store.begin(**values)
        store.end(replace(record, letters=number % 2), "done")
    assert len(store.all()) <= 6
    assert len(list(store.folder.iterdir())) == len(store.all())
    (store.folder / store.all()[0].id / "run.json").write_text("{broken")
    assert len(RunStore(tmp_path).all()) == len(store.all()) - 1


async def test_what_a_service_says_is_told_without_secrets(
    service: EngineService, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = tmp_path / "p"
    write_run_project(folder, http_receiver.url, rows(3), attempts=1)
    text = (folder / "sequin.yaml").read_text()
    secret = "tr0ub4dor-and-3"
    text = text.replace("    url:", "    headers: {x-key: '${KEY}'}\n    url:")
    (folder / "sequin.yaml").write_text(text)
    (folder / ".env").write_text(f"KEY={secret}\n")
    http_receiver.default = Reply(422, f"bad key {secret}".encode())
    await service.open(str(folder))
    events = Events()
    run = await service.runs.deliver(SINK, ROWS, tell=events)
    assert run.letters == 3
    told = repr(events.found)
    told += repr(await service.runs.destinations(run=run.id, start=0, count=9))
    told += repr(await service.letters.groups(run=run.id))
    assert "422" in told
    assert secret not in told
    files = [path for path in (folder / ".routestudio").rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path.name for path in files if secret in path.read_text()]
