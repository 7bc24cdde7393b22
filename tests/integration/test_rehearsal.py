"""Rehearsals of every fault on every stand-in, judged again by the fault tests' own oracle.

The oracle reads the numbers that the rows carry, not the mark of the rehearsal, so that neither its
judgement nor what it judges is the program's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine import rehearsal, rehearsal_faults
from routestudio.engine.rehearsal import Rehearsal, rehearse
from routestudio.engine.rehearsal_faults import FAULTS
from routestudio.engine.service import EngineService
from routestudio.errors import LinkError
from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.pipeline.retry import RetryPolicy
from routestudio.project.starter import create_project
from routestudio.sinks import registry
from routestudio.sinks.base import Link
from routestudio.sinks.standin import Arrived
from tests.support.oracle import NUMBER, Verdict, Wanted, judge, numbers_in

COUNT = 60
GROUPS = 12
POLICY = RetryPolicy(base=0.02, cap=0.2, max_attempts=60)


def write_rows(path: Path) -> None:
    """Inserts and updates of a few rows, each with its number."""
    rows = [
        {
            "action": "insert" if number < GROUPS else "update",
            "record": {"id": number % GROUPS, NUMBER: number, "status": "new"},
            "changes": {} if number >= GROUPS else None,
            "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": number + 1,
                         "commit_idx": 0, "record_pks": [str(number % GROUPS)]},
        }
        for number in range(COUNT)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


class Seen:
    """What a rehearsal saw, for another judge."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived: list[Arrived] = []
        self.given_up: list[int] = []
        self.doubtful: list[int] = []
        places, verdict = rehearsal._places, rehearsal.verdict_on

        def keep_places(arrived: Sequence[Arrived]) -> Any:
            self.arrived = list(arrived)
            return places(arrived)

        def keep_verdict(groups: Any, found: Any, **more: Any) -> Any:
            self.given_up, self.doubtful = list(more["given_up"]), list(more["doubtful"])
            return verdict(groups, found, **more)

        monkeypatch.setattr(rehearsal, "_places", keep_places)
        monkeypatch.setattr(rehearsal, "verdict_on", keep_verdict)
        monkeypatch.setattr(rehearsal_faults, "DOWN_SECONDS", 0.1)
        monkeypatch.setattr(rehearsal_faults, "SLOW_SECONDS", 0.01)

    def judged(self) -> Verdict:
        """The oracle's verdict."""
        wanted = [Wanted(number, str(number % GROUPS)) for number in range(COUNT)]
        sequences: dict[str, list[int]] = {}
        for item in self.arrived:
            place = f"{item.destination} {item.details.get('partition')}"
            sequences.setdefault(place, []).extend(numbers_in(item.body))
        return judge(wanted, sequences, letters=self.given_up, explained=self.doubtful)


async def rehearsed(
    service: EngineService, folder: Path, key: str, fault: str, wrap: Any = lambda link: link,
    policy: RetryPolicy = POLICY,
) -> Rehearsal:  # fmt: skip
    create_project(folder, registry.default().get(key))
    write_rows(folder / "samples/numbered.jsonl")
    snapshot = await service.open(str(folder))
    return await rehearse(
        service.workspace, snapshot["sinks"][0]["name"], fault, {"sample": "numbered"},
        policy=policy, wrap=wrap,
    )  # fmt: skip


def agree(found: Rehearsal, other: Verdict) -> None:
    ours = found.verdict
    assert (ours.wanted, ours.arrived) == (other.wanted, other.arrived)
    assert list(ours.lost) == other.missing
    assert ours.doubled == other.doubled
    assert list(ours.unexplained) == other.unexplained
    assert len(ours.overtaken) == len(other.disorder)
    assert len(ours.stale) == len(other.stale)
    assert ours.good == other.good
    assert not other.foreign


@pytest.mark.parametrize("key", sorted(registry.default().keys()))
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_verdict_is_the_oracles(
    service: EngineService, tmp_path: Path, key: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)
    try:
        found = await rehearsed(service, tmp_path / "p", key, fault)
    except LinkError:
        if key != "gcp_pubsub":
            raise
        pytest.skip("Google's Pub/Sub emulator is not installed")
    agree(found, seen.judged())
    assert found.good, found.as_json()
    assert found.fired > 0, "the fault did not happen"
    assert found.verdict.arrived == COUNT
    assert found.summary["batches"] > 1


class Broken(Link):
    """A link with a fault of its own: it lies, or sends twice, or the later message first."""

    def __init__(self, inner: Link, how: str) -> None:
        self._inner, self._how, self._count = inner, how, 0
        self._kept: Any = None

    def check(self, targets: Sequence[Any]) -> Any:
        return self._inner.check(targets)

    async def close(self) -> None:
        if self._kept is not None:
            await self._inner.send([self._kept])
        await self._inner.close()

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        self._count += 1
        if self._how == "loses" and self._count % 3 == 0:
            return [DELIVERED for _ in batch]
        if self._how == "doubles" and self._count % 3 == 0:
            await self._inner.send(batch)
        if self._how == "disorders" and self._kept is None:
            self._kept = batch[0]
            await self._inner.send(list(batch[1:]))
            return [DELIVERED for _ in batch]
        return await self._inner.send(batch)


@pytest.mark.parametrize(
    ("how", "convicted"),
    [("loses", "lost"), ("doubles", "unexplained"), ("disorders", "overtaken")],
)
async def test_a_broken_link_is_convicted(
    service: EngineService, tmp_path: Path, how: str, convicted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    seen = Seen(monkeypatch)
    found = await rehearsed(
        service, tmp_path / "p", "redis_stream", "slow", lambda link: Broken(link, how)
    )
    agree(found, seen.judged())
    assert not found.good
    wrong = {name for name in ("lost", "unexplained", "overtaken") if getattr(found.verdict, name)}
    assert wrong == {convicted}


async def test_what_is_given_up_is_a_dead_letter(
    service: EngineService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sink that tries once loses to every refusal; the verdict calls it by its name."""
    Seen(monkeypatch)
    once = RetryPolicy(max_attempts=1)
    found = await rehearsed(service, tmp_path / "p", "http_push", "half-refused", policy=once)
    assert found.dead
    assert not found.verdict.lost
    assert not found.good
    assert found.as_json()["examples"]["dead"][0]["reason"]
