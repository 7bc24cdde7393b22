"""What was read of a project's sinks before, for those that an edit leaves alone."""

from __future__ import annotations

from typing import Any

from routestudio.model.project import SinkSpec

Found = tuple[Any, str, str, tuple[Any, ...], str | None]
"""Severity, code, message, path and hint of a problem; its place may move."""


class KeptSinks:
    """What was read of sinks before, for those that an edit left alone.

    A sink depends on its own item, on the kinds of the functions and on variables.
    """

    def __init__(self) -> None:
        self._around: Any = None
        self._known: dict[int, tuple[Any, SinkSpec | None, list[Found]]] = {}

    def start(self, around: Any) -> dict[int, tuple[Any, SinkSpec | None, list[Found]]]:
        """What can be taken when `around` is what it was; it is forgotten here."""
        known = self._known if around == self._around else {}
        self._around, self._known = around, {}
        return known

    def keep(self, item: Any, spec: SinkSpec | None, problems: list[Found]) -> None:
        """Keep what was read of an item."""
        self._known[id(item)] = (item, spec, problems)
