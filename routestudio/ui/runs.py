"""The runs of the open project as the engine keeps them: read when they may have changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from routestudio.api.engine import Event, RunsChanged
from routestudio.api.runs import Counts, Run
from routestudio.errors import RouteStudioError
from routestudio.ui.session import Session

SHOWN = 25
"""Runs that the project tree lists."""


class Runs(QObject):
    """The list of runs, newest first. `changed` is sent when it differs from before."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._reading = False
        self._again = False
        self._holder = 0
        self.items: Sequence[Run] = ()
        session.opened.connect(self.refresh)
        session.changed.connect(self._session_changed)
        session.engine.engine_event.connect(self._event)

    def get(self, number: str) -> Run | None:
        """One run, if it is kept."""
        return next((item for item in self.items if item.id == number), None)

    def refresh(self) -> None:
        """Read the list; asked for again meanwhile, once more afterwards."""
        if not self._session.is_open:
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        engine = self._session.engine
        self._holder = engine.process_id
        engine.run(
            engine.api.runs.kept(), owner=self, title="Runs", done=self._take, failed=self._failed,
            ended=self._ended,
        )  # fmt: skip

    def _take(self, items: Sequence[Run]) -> None:
        if items != self.items:
            self.items = items
            self.changed.emit()

    def _failed(self, error: RouteStudioError) -> None:
        # The engine is gone, or has no project yet; the next change of the session asks again.
        self._holder = 0

    def _ended(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.refresh()

    def _event(self, event: Event) -> None:
        if isinstance(event, RunsChanged):
            self.refresh()

    def _session_changed(self) -> None:
        if self._holder != self._session.engine.process_id:
            self.refresh()


def picture(run: Run) -> tuple[str, str]:
    """Icon and colour of a run."""
    if run.status == "running":
        return "run", "accent"
    rejected = run.counts.rejected if run.parent else run.letters
    lost = run.counts.duplicates_unconfirmed
    if rejected or lost or run.status == "stopped":
        return "error", "danger"
    if run.status in ("cancelled", "interrupted"):
        return "stop", "warning"
    return "ok", "positive"


def short(run: Run) -> str:
    """A run in a few words for the tree: when, by which sink, how many need attention."""
    count = run.letters if not run.parent else 0
    count = count or (run.left if run.resumable else 0)
    return f"{when(run.started)}  {run.sink}" + (f" ({count:,})" if count else "")


def duplicates(counts: Counts) -> str:
    """A line about the messages that the service did not store, because it knew their ids."""
    count = counts.duplicates
    lost = counts.duplicates_unconfirmed
    if not count:
        return ""
    one = count == 1
    text = f"{count:,} {'message was' if one else 'messages were'} not stored: the service knew "
    text += "its id." if one else "their ids."
    if not lost:
        return f"{text} It holds the same message{'' if one else 's'} already."
    if lost == count:
        return f"{text} It was not seen to hold the same message{'' if one else 's'}."
    return f"{text} For {lost:,} of them it was not seen to hold the same message."


def tip(run: Run) -> str:
    """A run in a few lines."""
    counts = run.counts
    lines = [
        f"{title(run)}, {when(run.started, long=True)}",
        f"{counts.delivered:,} delivered, {counts.filtered:,} filtered, "
        f"{counts.rejected:,} rejected in {counts.seconds:,.1f} s",
        f"Status: {run.status}",
    ]
    if known := duplicates(counts):
        lines.insert(2, known)
    if run.left:
        lines.append(f"{run.left:,} messages remain")
    if run.letters and not run.parent:
        lines.append(f"{run.letters:,} dead letters")
    if run.error:
        lines.append(run.error)
    return "\n".join(lines)


def title(run: Run) -> str:
    """What a run does, in one line."""
    where = "to its stand-in" if run.standin else "to the real service"
    if run.environment and not run.standin:
        where += f" of {run.environment}"
    if run.parent:
        many = "dead letter" if run.total == 1 else "dead letters"
        return f"Send {run.total:,} {many} again through {run.sink} {where}"
    return f"Deliver {run.value} through {run.sink} {where}"


def when(started: str, *, long: bool = False) -> str:
    """The local time of a run; with the day when that is not today's."""
    try:
        moment = dt.datetime.fromisoformat(started.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return started
    today = moment.date() == dt.datetime.now().astimezone().date()
    if long or not today:
        return f"{moment:%d %b %H:%M}"
    return f"{moment:%H:%M}"


def short_time(written: str) -> str:
    """A local time of the recovery journal in short, such as `28 Nov, 17:10`; else as it is."""
    try:
        return f"{dt.datetime.fromisoformat(written):%d %b, %H:%M}"
    except ValueError:
        return written
