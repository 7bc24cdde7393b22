"""What the actions about the overview do, and where the nodes of its picture lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.overview import OverviewDocument
    from routestudio.ui.documents.sample import SampleDocument
    from routestudio.ui.documents.sink import SinkDocument
    from routestudio.ui.documents.yaml import YamlDocument
    from routestudio.ui.reach import Reach

_FILTERS = {"svg": "SVG (*.svg)", "png": "PNG (*.png)"}


class OverviewCommands:
    """Handlers of the overview's actions."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "overview": lambda: self._reach.open("overview", "Overview"),
            "zoom_in": lambda: self.zoom(1), "zoom_out": lambda: self.zoom(-1),
            "picture_fit": self.fit, "picture_svg": lambda: self.save("svg"),
            "picture_png": lambda: self.save("png"),
        }.items():  # fmt: skip
            self._reach.actions.on(name, handler)

    def make(self) -> OverviewDocument:
        """The document, connected."""
        from routestudio.ui.documents.overview import OverviewDocument

        made = OverviewDocument(self._reach.session)
        made.lead.connect(self.go)
        made.save_asked.connect(lambda: self.save("svg"))
        return made

    def zoom(self, step: int) -> None:
        """Larger or smaller code, or picture: what is in front."""
        document = self._reach.front()
        if document is not None and document.kind in ("function", "yaml"):
            cast("FunctionDocument | YamlDocument", document).editor.zoom(step)
        elif (overview := self._overview()) is not None:
            overview.view.zoom(step)

    def fit(self) -> None:
        """Show all of the picture."""
        if (overview := self._overview()) is not None:
            overview.view.fit()

    def save(self, kind: str) -> None:
        """Ask for a file and write the picture to it."""
        overview = self._overview()
        session = self._reach.session
        if overview is None or not overview.view.nodes:
            session.notice.emit("info", "There is no picture yet: it is drawn in the overview.")
            return
        root = Path(str(session.snapshot.get("root", ".")))
        first, *_ = filters = [_FILTERS[kind], *(t for k, t in _FILTERS.items() if k != kind)]
        found, chosen = QFileDialog.getSaveFileName(
            self._reach.window, "Save the picture", str(root.parent / f"{root.name}.{kind}"),
            ";;".join(filters), first,
        )  # fmt: skip
        if found:
            ending = next((k for k, text in _FILTERS.items() if text == chosen), kind)
            path = Path(found)
            known = path.suffix.lower() in (".svg", ".png")
            self.save_to(path if known else path.with_name(f"{path.name}.{ending}"))

    def save_to(self, path: Path) -> None:
        """Write the picture, given the file."""
        overview, session = self._overview(), self._reach.session
        if overview is None:
            return
        try:
            overview.view.save(path, str(session.snapshot.get("name", "")))
        except OSError as error:
            reason = error.strerror or str(error)
            session.notice.emit("error", f"{path} cannot be written: {reason}")
            return
        session.notice.emit("success", f"Wrote the picture to {path}")

    def go(self, to: dict[str, Any]) -> None:
        """Go where a node of the picture leads (`engine.picture`)."""
        kind, name = str(to["kind"]), str(to.get("name") or "")
        if kind in ("sample", "function", "sink"):
            self._reach.open(kind, name)
        else:
            self._reach.open("sink", name)
        document = self._reach.front()
        if document is None or document.name != name:
            return
        if kind == "sample" and to.get("line"):
            cast("SampleDocument", document).go_to(int(to["line"]))
        elif kind == "function" and to.get("line"):
            editor = cast("FunctionDocument", document).editor
            editor.go_to(int(to["line"]), int(to.get("column") or 1))
        elif document.kind == "sink":
            preview = cast("SinkDocument", document).preview
            sample = str(to.get("sample") or "")
            if kind == "destinations":
                preview.show_view("destinations")
            elif kind == "destination":
                preview.show_only(sample, {"destination": to["destination"]})
            elif kind == "rows":
                preview.show_only(sample, {"state": to["state"]})

    def _overview(self) -> OverviewDocument | None:
        document = self._reach.front()
        shown = document is not None and document.kind == "overview"
        return cast("OverviewDocument", document) if shown else None
