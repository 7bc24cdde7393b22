"""The bar over the window: where deliveries go, check, run, export, and the engine's state."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction

from routestudio.ui.actions import Actions
from routestudio.ui.environment_bar import EnvironmentButton
from routestudio.ui.widgets.basics import (
    Button,
    IconButton,
    IconLabel,
    Segments,
    StatusDot,
    label,
    restyle,
)
from routestudio.ui.widgets.compact import CompactBar

_DOTS = {"ready": "positive", "starting": "warning", "lost": "danger", "stopped": "muted"}


class TopBar(CompactBar):
    """Its widgets are public: the window connects them."""

    target_chosen = Signal(str)
    """`standin` or `real`."""

    def __init__(self, actions: Actions, environment: EnvironmentButton) -> None:
        super().__init__()
        self.environment = environment
        self.add(IconLabel("logo", 20, "accent"), yields=1)
        self.add(label("RouteStudio", "heading"), yields=3)
        self.row.addStretch(1)
        self.add(environment)
        self.add(label("Deliver to", "muted"), yields=2)
        self.where = Segments([("standin", "Stand-in"), ("real", "Real service")], "Deliver to")
        self.where.button("standin").setToolTip("A local service that RouteStudio starts")
        self.where.button("real").setProperty("target", "real")
        self.where.chosen.connect(self._chosen)
        self.add(self.where)
        self.check_button = Button("Check", "check")
        self.run_button = Button("Run", "run", kind="primary")
        self.export_button = Button("Export", "export")
        for button, name in ((self.check_button, "check"), (self.run_button, "run"),
                             (self.export_button, "export")):  # fmt: skip
            self._bind(button, actions.qaction(name))
            self.add(button)
        toggle = actions.qaction("toggle_theme").trigger
        self.theme_button = IconButton("theme", "Toggle dark theme (Ctrl+Shift+L)", toggle)
        self.add(self.theme_button)
        self.dot = StatusDot("warning")
        self.engine_label = label("engine", "muted")
        self.add(self.dot)
        self.add(self.engine_label, yields=4)
        self.choose_target("standin")

    @property
    def target(self) -> str:
        """Where check and run go: `standin` or `real`."""
        return "real" if self.where.button("real").isChecked() else "standin"

    def choose_target(self, target: str) -> None:
        """Choose where deliveries go."""
        self.where.choose(target)
        self._chosen(target)

    def show_place(self, sink: str | None, place: str | None) -> None:
        """Show, beside the choice, which service a sink's real one is."""
        text = "The service that the sink's configuration names"
        if sink is not None and place is not None:
            text = f"{sink} delivers to {place}"
        self.where.button("real").setToolTip(text)
        real = self.target == "real"
        self.run_button.setToolTip(f"Run: {text}" if real else "Run on the stand-in (F5)")

    def show_engine(self, status: str, text: str) -> None:
        """Show how the engine is."""
        self.dot.show_role(_DOTS.get(status, "muted"), text)
        self.engine_label.setText("engine" if status == "ready" else f"engine {status}")
        self.engine_label.setToolTip(text)

    def _chosen(self, target: str) -> None:
        kind = "danger-primary" if target == "real" else "primary"
        if self.run_button.property("kind") != kind:
            self.run_button.setProperty("kind", kind)
            restyle(self.run_button)
        self.target_chosen.emit(target)

    def _bind(self, button: Button, action: QAction) -> None:
        button.setToolTip(f"{action.toolTip()} ({action.shortcut().toString()})")
        button.clicked.connect(action.trigger)
        button.setEnabled(action.isEnabled())
        action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
