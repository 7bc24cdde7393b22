"""Past runs of a project: a folder each in `.routestudio/runs`, bounded in number.

A folder holds `run.json` (what, how, the counts), the checkpoint and the dead letters. What a
program that was killed left as running is found interrupted, and can be resumed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from routestudio.api.runs import RunStatus
from routestudio.errors import Place, ProjectError, UsageError
from routestudio.pipeline.checkpoint import Checkpoint
from routestudio.pipeline.letters import SETTLED_SUFFIX
from routestudio.project.files import alive, state_folder
from routestudio.system import current as system

FOLDER: Final = "runs"
KEPT: Final = 30
"""Runs that ended well, without open dead letters, that are kept."""

KEPT_OPEN: Final = 50
"""Runs with open dead letters, or that can be resumed, that are kept."""

_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_COUNTS: Final = (
    "read", "filtered", "delivered", "rejected", "duplicates", "duplicates_unconfirmed", "retried",
    "batches", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. `counts` are sums over all its parts; times are ISO 8601 in UTC.

    `status`: running, done, cancelled, stopped (it could not go on), or interrupted (the program
    ended). `parent` is the run whose dead letters were sent again. `source` is the state of the
    messages' file when the run began. `letters` counts open dead letters. `environment` is empty
    for none. `workers` is how many processes deliver.
    """

    id: str
    sink: str
    kind: str
    value: str
    standin: bool
    total: int
    started: str
    source: str = ""
    environment: str = ""
    workers: int = 1
    status: RunStatus = "running"
    ended: str | None = None
    error: str | None = None
    parent: str | None = None
    pid: int = 0
    letters: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)
    destinations: tuple[Mapping[str, Any], ...] = ()
    distinct: int = 0

    @property
    def resumable(self) -> bool:
        """Whether something of it is left that can be sent."""
        return self.parent is None and self.status in ("cancelled", "stopped", "interrupted")


class RunStore:
    """The runs of one project. Files that cannot be read are left alone and not listed."""

    def __init__(self, state: Path, *, now: Callable[[], dt.datetime] | None = None) -> None:
        self.folder = state / FOLDER
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._records: dict[str, RunRecord] = {}
        self._load()

    def all(self) -> list[RunRecord]:
        """Every run, newest first."""
        return sorted(self._records.values(), key=lambda record: record.id, reverse=True)

    def get(self, number: str) -> RunRecord:
        """One run. Raises `UsageError` for an unknown one."""
        record = self._records.get(number)
        if record is None:
            raise UsageError("this run is not kept any more", hint="choose another under Runs")
        return record

    def begin(self, **values: Any) -> RunRecord:
        """A new run with its own folder. Raises `ProjectError` when there can be none."""
        now = self._now()
        number = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        record = RunRecord(id=number, started=_iso(now), pid=os.getpid(), **values)
        try:
            state = self.folder.parent
            state_folder(state.parent, f"{state.name}/{FOLDER}")
            self.path(number).mkdir(mode=0o700)
        except OSError as error:
            raise self._failure(error) from None
        self.save(record)
        self._tidy()
        return record

    def save(self, record: RunRecord) -> RunRecord:
        """Replace what is known of a run, atomically. Raises `ProjectError`."""
        self._records[record.id] = record
        file = self.path(record.id) / "run.json"
        part = file.with_name(".run.json.part")
        try:
            handle = os.open(
                part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | system.files.no_follow, 0o600
            )
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(json.dumps(asdict(record)) + "\n")
            system.files.replace(part, file)
        except OSError as error:
            raise self._failure(error) from None
        return record

    def again(self, record: RunRecord) -> RunRecord:
        """The same run goes on in this process."""
        return self.save(replace(record, status="running", ended=None, error=None, pid=os.getpid()))

    def end(self, record: RunRecord, status: RunStatus, error: str | None = None) -> RunRecord:
        """A run, or a part of it, came to its end."""
        return self.save(replace(record, status=status, error=error, ended=_iso(self._now())))

    def delete(self, number: str) -> None:
        """Forget a run with its dead letters. Raises `UsageError` while it is running."""
        record = self.get(number)
        if record.status == "running":
            raise UsageError("this run is in progress", hint="cancel it first")
        shutil.rmtree(self.path(number), ignore_errors=True)
        del self._records[number]

    def path(self, number: str) -> Path:
        """The folder of a run."""
        return self.folder / number

    def letters_path(self, record: RunRecord) -> Path:
        """The dead letters of a run; a retry has those of the run that it repeats."""
        return self.path(record.parent or record.id) / "dead-letters.jsonl"

    def checkpoint_path(self, record: RunRecord) -> Path:
        """The checkpoint of a run."""
        return self.path(record.id) / "checkpoint.json"

    def left(self, record: RunRecord) -> int:
        """Rows that were not finished, as far as the checkpoint knows."""
        if record.parent is not None or record.status == "done":
            return 0
        try:
            point = Checkpoint(self.checkpoint_path(record))
        except (ProjectError, UsageError):
            return record.total
        done = point.position + sum(end - first for first, end in point.finished)
        return max(0, record.total - done)

    def _load(self) -> None:
        with contextlib.suppress(OSError):
            for folder in sorted(self.folder.iterdir()):
                if _ID.fullmatch(folder.name):
                    self._read(folder)

    def _read(self, folder: Path) -> None:
        try:
            data = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            names = {item.name for item in fields(RunRecord)}
            record = RunRecord(**{key: value for key, value in data.items() if key in names})
        except (OSError, ValueError, TypeError):
            return
        if record.id != folder.name:
            return
        record = replace(record, destinations=tuple(record.destinations))
        if record.status == "running" and not _alive(record.pid):
            letters = _open_letters(self.letters_path(record)) if record.parent is None else 0
            record = replace(record, status="interrupted", letters=letters)
        self._records[record.id] = record

    def _tidy(self) -> None:
        """Remove the oldest runs beyond the bounds; those that need attention count apart."""
        clean = [r for r in self.all() if r.status != "running" and not _matters(r)]
        kept = [r for r in self.all() if r.status != "running" and _matters(r)]
        for record in clean[KEPT:] + kept[KEPT_OPEN:]:
            self.delete(record.id)

    def _failure(self, error: OSError) -> ProjectError:
        return ProjectError(
            f"the run cannot be kept: {error.strerror or error}", place=Place(str(self.folder)),
            hint="free some space, or make the folder writable",
        )  # fmt: skip


def added(before: Mapping[str, float], part: Mapping[str, Any]) -> dict[str, float]:
    """The counts of a run with those of another part of it."""
    return {name: round(before.get(name, 0) + part.get(name, 0), 3) for name in _COUNTS}


def _matters(record: RunRecord) -> bool:
    return record.resumable or (record.letters > 0 and record.parent is None)


def _open_letters(path: Path) -> int:
    """Dead letters of a run that had no time to count them."""
    counts = []
    for file in (path, path.with_name(path.name + SETTLED_SUFFIX)):
        lines = 0
        with contextlib.suppress(OSError), file.open("rb") as opened:
            while data := opened.read(1 << 20):
                lines += data.count(b"\n")
        counts.append(lines)
    return max(0, counts[0] - counts[1])


def _alive(pid: int) -> bool:
    """Whether a process of that number runs, other than this one."""
    return pid != os.getpid() and alive(pid)


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
