"""What the action that reads back from a real service does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routestudio.api.reading import ReadingSide
    from routestudio.ui.panels.lists import ArrivedPanel
    from routestudio.ui.reach import Reach
    from routestudio.ui.read_back_dialog import Wanted

Consent = Callable[[str, bool, Callable[[], None]], None]


class ReadBackCommands:
    """Asks for the sink in front what is to be read, and lets the panel read it.

    `sink` is its name, `sample` the set of a sink that is to be compared (of the names of all);
    `flush` sends edits that are still being typed; `consent` goes on when the
    user knows which variables of theirs go to the service.
    """

    def __init__(
        self,
        reach: Reach,
        panel: ArrivedPanel,
        sink: Callable[[], str | None],
        sample: Callable[[str, list[str]], str],
        flush: Callable[[], None],
        consent: Consent,
    ) -> None:
        self._reach = reach
        self._panel = panel
        self._sink = sink
        self._sample = sample
        self._flush = flush
        self._consent = consent
        self._hinted = False

    def connect_all(self) -> None:
        """Give the action its handler."""
        self._reach.actions.on("read_back", self.read_back)
        self._panel.read_back_asked.connect(self.read_back)

    def hint(self, sink: str) -> None:
        """After a run to a real service, once: that it can be read."""
        if not self._hinted:
            self._hinted = True
            place = (self._reach.session.sink(sink) or {}).get("target") or "the service"
            self._reach.session.notice.emit(
                "info", f"Run → Read back compares what {place} holds with the preview."
            )

    def read_back(self) -> None:
        """Read back from the real service of the sink in front."""
        session, sink = self._reach.session, self._sink()
        if sink is None:
            return
        if not session.samples():
            session.notice.emit("info", "Add a sample set first: its preview is compared.")
            return
        self._flush()
        session.engine.run(
            session.api.reading.side(sink), owner=self._panel, title="Read back",
            done=lambda side: self._ask(sink, side),
        )  # fmt: skip

    def _ask(self, sink: str, side: ReadingSide) -> None:
        if not side.readable:
            self._panel.show_unreadable(sink, side)
            self._reach.show_panel(self._panel)
            return
        from routestudio.ui.read_back_dialog import ReadBackDialog

        session = self._reach.session
        names = [str(item["name"]) for item in session.samples()]
        chosen = self._sample(sink, names)
        dialog = ReadBackDialog(self._reach.window, sink, side, names, chosen)
        wanted = dialog.wanted if dialog.exec() else None
        dialog.deleteLater()
        if wanted is not None:
            self._consent(sink, False, lambda: self._start(sink, side, wanted))

    def _start(self, sink: str, side: ReadingSide, wanted: Wanted) -> None:
        self._reach.show_panel(self._panel)
        self._panel.read_back(sink, side, wanted)
